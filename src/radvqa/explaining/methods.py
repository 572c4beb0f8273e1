"""The methods by name: what each needs, and how it makes a map of one answer.

Letters: ``rows`` × ``columns`` pixels of the picture, ``l`` words of the question.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from radvqa.errors import RadvqaError, nearest
from radvqa.explaining.attention.flow import attention_flow
from radvqa.explaining.attention.raw import chosen
from radvqa.explaining.attention.relevancy import relevancy
from radvqa.explaining.attention.rollout import RolloutOptions
from radvqa.explaining.black_box.occlusion import occlusion
from radvqa.explaining.black_box.rise import rise
from radvqa.explaining.evidence.faithfulness import blurred
from radvqa.explaining.gradients.cam import grad_cam, layer_cam
from radvqa.explaining.gradients.pixels import integrated_gradients, over_cells, smooth_grad
from radvqa.explaining.heat import Heat
from radvqa.explaining.inside.opened import read_pixels
from radvqa.explaining.session import Session

Kind = Literal["attention", "gradient", "black box"]


@dataclass(frozen=True)
class Wishes:
    """What a user may choose.

    Attributes:
        layer: of raw attention, counted from 0 or with -1 from the last; the mean over all by default.
        head: of raw attention; the mean over all by default.
        rollout: heads, discarded share, whether through the encoder (also of relevancy), first layer.
        seed: of methods that draw.
    """

    layer: int | None = None
    head: int | None = None
    rollout: RolloutOptions = field(default_factory=RolloutOptions)
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """A map.

    Attributes:
        heat: at least 0, ``(rows, columns)``.
        words: of the question, ``(l,)``; None where the method says nothing about words.
    """

    heat: Heat
    words: NDArray[np.float32] | None = None


class Scored(Protocol):
    """All that a black-box method needs: the picture, and the probability of the same answer on others."""

    @property
    def picture(self) -> NDArray[np.uint8]:
        """As decoded."""
        ...

    def scores(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.floating]:
        """Probability on each picture."""
        ...


@dataclass(frozen=True)
class Method:
    """A way to make a map.

    Attributes:
        title: for people.
        kind: what it needs of a model.
        says: what the map shows, in one sentence for a radiologist.
        cheap: whether a whole test set can be done in minutes.
        run: makes it; from a ``Session``, or of a black-box method from anything ``Scored``.
        layered: whether a layer and a head may be chosen.
    """

    title: str
    kind: Kind
    says: str
    cheap: bool
    run: Callable[[Any, Wishes], Found]
    layered: bool = False


def _raw(session: Session, wishes: Wishes) -> Found:
    looks = session.looks
    return _of_looks(session, looks.told, looks.words, looks.names, wishes)


def _of_looks(session: Session, told: list[Tensor], words: list[Tensor], names: list[str], wishes: Wishes) -> Found:
    rows = slice(None) if session.token is None else slice(session.token, session.token + 1)
    patches = chosen(told, names, wishes.layer, wishes.head)[rows].mean(0)
    asked = chosen(words, names, wishes.layer, wishes.head)[rows].mean(0)
    return Found(_on_patches(session, patches), _words(asked))


def _raw_question(session: Session, wishes: Wishes) -> Found:
    looks = session.looks
    if not looks.asked or not any(float(layer.sum()) > 0 for layer in looks.asked):
        raise RadvqaError("The question's words do not look at the picture in this model; only the answer does.")
    return Found(_on_patches(session, chosen(looks.asked, looks.names, wishes.layer, wishes.head).mean(0)))


def _rollout(session: Session, wishes: Wishes) -> Found:
    return _of_row(session, session.rolled(wishes.rollout))


def _relevancy(session: Session, wishes: Wishes) -> Found:
    session.mixing()  # refuses where there is no attention
    done = session.differentiated
    if done.carriers is None:
        raise TypeError("a model that mixes has carriers")
    return _of_row(
        session,
        relevancy(
            done.steps,
            done.gradients,
            done.carriers,
            session.told(done.carriers),
            encoder=wishes.rollout.encoder,
        ),
    )


def _flow(session: Session, wishes: Wishes) -> Found:
    carriers, steps = session.steps()
    wanted = torch.cat([carriers.patches, carriers.words])
    flows = attention_flow(steps, carriers, session.told(carriers), wanted, fusion=wishes.rollout.fusion)
    row = torch.zeros(carriers.count).index_copy(0, wanted, flows.float())
    return _of_row(session, row)


def _grad_cam(session: Session, wishes: Wishes) -> Found:
    return _cam(session, grad_cam)


def _layer_cam(session: Session, wishes: Wishes) -> Found:
    return _cam(session, layer_cam)


def _cam(session: Session, of: Callable[[Tensor, Tensor], Tensor]) -> Found:
    done = session.differentiated
    if done.features is None or done.slopes is None:
        raise RadvqaError(
            "The picture's features pass no single place in this model, so Grad-CAM and Layer-CAM do not apply; "
            "relevancy and integrated gradients do."
        )
    return Found(session.spread(of(done.features, done.slopes).view(done.grid).numpy()))


def _integrated(session: Session, wishes: Wishes) -> Found:
    baseline = read_pixels(session.opened.resizing, [blurred(session.picture)])
    found = integrated_gradients(session.log_probability, session.values, baseline)
    return Found(session.spread(over_cells(found)))


def _smooth(session: Session, wishes: Wishes) -> Found:
    return Found(session.spread(over_cells(smooth_grad(session.log_probability, session.values, seed=wishes.seed))))


def _occlusion(session: Scored, wishes: Wishes) -> Found:
    return Found(occlusion(session.picture, session.scores))


def _rise(session: Scored, wishes: Wishes) -> Found:
    return Found(rise(session.picture, session.scores, seed=wishes.seed))


def _of_row(session: Session, row: Tensor) -> Found:
    carriers = session.mixing().carriers
    return Found(_on_patches(session, row[carriers.patches]), _words(row[carriers.words]))


def _on_patches(session: Session, values: Tensor) -> Heat:
    grid = values.detach().clamp(min=0).view(session.mixing().carriers.grid).float().cpu().numpy()
    return session.spread(grid)


def _words(values: Tensor) -> NDArray[np.float32] | None:
    return values.detach().clamp(min=0).float().cpu().numpy() if len(values) else None


METHODS: dict[str, Method] = {
    "raw": Method(
        "Raw attention of the answer",
        "attention",
        "Where the last readers of the picture point when the answer is told; not what the answer depends on.",
        True,
        _raw,
        layered=True,
    ),
    "raw-question": Method(
        "Raw attention of the question",
        "attention",
        "Where the question's words point.",
        True,
        _raw_question,
        layered=True,
    ),
    "rollout": Method(
        "Attention rollout",
        "attention",
        "Where the states that tell the answer come from, if attention were all that mixes.",
        True,
        _rollout,
    ),
    "flow": Method(
        "Attention flow",
        "attention",
        "As rollout, by the largest flow from the answer to each patch; for small models.",
        False,
        _flow,
    ),
    "relevancy": Method(
        "Relevancy (attention × gradient)",
        "attention",
        "Attention that raises the probability of this answer.",
        True,
        _relevancy,
    ),
    "grad-cam": Method(
        "Grad-CAM",
        "gradient",
        "Parts whose features raise the probability of this answer, by the average slope of each feature.",
        True,
        _grad_cam,
    ),
    "layer-cam": Method(
        "Layer-CAM",
        "gradient",
        "As Grad-CAM, with each place's own slope.",
        True,
        _layer_cam,
    ),
    "integrated-gradients": Method(
        "Integrated gradients",
        "gradient",
        "How much each part adds on the way from a blurred picture to this one.",
        False,
        _integrated,
    ),
    "smooth-grad": Method(
        "SmoothGrad",
        "gradient",
        "Parts where small changes of brightness change the answer's probability most, either way.",
        False,
        _smooth,
    ),
    "occlusion": Method(
        "Occlusion",
        "black box",
        "Parts that the answer needs: blurred, they make it less probable.",
        False,
        _occlusion,
    ),
    "rise": Method(
        "RISE",
        "black box",
        "Parts that make the answer probable when many random parts are blurred.",
        False,
        _rise,
    ),
}


def method(name: str) -> Method:
    """Return a method.

    Raises:
        RadvqaError: names the nearest known one.
    """
    if name not in METHODS:
        raise RadvqaError(f"There is no method {name!r}; {nearest(name, list(METHODS))}")
    return METHODS[name]

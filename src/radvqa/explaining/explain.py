"""One call: a model, a picture and a question in; maps, weights of words and their proof out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from radvqa import console
from radvqa.errors import RadvqaError
from radvqa.explaining import passes
from radvqa.explaining.asking import Asked
from radvqa.explaining.asking import asking as ask_model
from radvqa.explaining.attention.raw import Looks
from radvqa.explaining.evidence.baselines import at_random
from radvqa.explaining.evidence.faithfulness import deletion, insertion
from radvqa.explaining.evidence.localisation import Localised, Place, localised
from radvqa.explaining.heat import Heat, is_flat
from radvqa.explaining.inside.opening import can_open, opened
from radvqa.explaining.methods import METHODS, Found, Wishes, method
from radvqa.explaining.said import END, Said
from radvqa.explaining.session import Session
from radvqa.explaining.words import left_out
from radvqa.models.family import VqaModel
from radvqa.sample import Sample

PROOF_STEPS = 8
_MOST_TOKENS = 12  # of a long answer that get maps of their own


@dataclass(frozen=True)
class Proof:
    """Whether the model itself bears a map out; beside it what a random map comes to.

    Attributes:
        deletion: area under the answer's probability while the most important pixels go; small is good.
        insertion: while they come; large is good.
        random_deletion: of a random map.
        random_insertion: of a random map.
        place: against the truth, where it is known.
        flat: the map says nothing: it is the same everywhere.
    """

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float
    place: Localised | None
    flat: bool


@dataclass(frozen=True)
class Map:
    """One method's map of one answer.

    Attributes:
        method: its name.
        heat: of the whole answer, ``(rows, columns)``, at least 0.
        words: weights of the question's words as the model reads them, ``(l,)``; None where it says nothing.
        tokens: of the answer that have a map of their own.
        token_heats: their maps, ``(tokens, rows, columns)``.
        proof: None when none was asked for.
    """

    method: str
    heat: Heat
    words: NDArray[np.float32] | None
    tokens: tuple[int, ...]
    token_heats: tuple[Heat, ...]
    proof: Proof | None


@dataclass(frozen=True)
class Explanation:
    """All maps of one answer.

    Attributes:
        said: the answer.
        asked: the question's words as the model reads them.
        words: the question's words, and how much less probable the answer is without each.
        maps: by method.
        refused: methods that do not apply, and why.
        looks: attention layer by layer, where the model has any.
        grid: rows and columns of its patches.
    """

    said: Said
    asked: tuple[str, ...]
    words: tuple[tuple[str, ...], NDArray[np.float32]] | None
    maps: dict[str, Map]
    refused: dict[str, str] = field(default_factory=dict)
    looks: Looks | None = None
    grid: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Asking:
    """What is explained, and how.

    Attributes:
        picture: as decoded, ``(rows, columns)`` or with colours.
        methods: names; those that apply and are cheap when empty.
        token: of the answer; the whole answer, and each of its tokens, when None.
        wishes: of the methods.
        proof: measure deletion and insertion too.
        place: what the question is about, where it is known, ``(rows, columns)``.
    """

    picture: NDArray[np.uint8]
    methods: Sequence[str] = ()
    token: int | None = None
    wishes: Wishes = field(default_factory=Wishes)
    proof: bool = True
    place: Place | None = None


def explain(model: VqaModel, family: str, sample: Sample, asking: Asking) -> Explanation:
    """Explain the answer that a model gives.

    Args:
        model: trained, in evaluation mode.
        family: its name.
        sample: picture and question.
        asking: what and how.

    Raises:
        RadvqaError: for an unknown method, a named one that does not apply, or an answer without words.
    """
    if not can_open(family):
        return explain_black_box(Asked(ask_model(model, sample), asking.picture), asking)
    session = Session(opened(model, family, sample), asking.picture, asking.token)
    found, refused = _maps(session, asking, [name for name, one in METHODS.items() if one.cheap])
    mixes = session.opened.mixing()
    return Explanation(
        session.opened.said,
        session.opened.asked,
        left_out(model, family, sample, session),
        found,
        refused,
        session.looks if mixes is not None else None,
        mixes.carriers.grid if mixes is not None else (0, 0),
    )


def explain_black_box(asked: Asked, asking: Asking) -> Explanation:
    """Explain an answer of a model that can only be asked, by occlusion and RISE alone.

    Raises:
        RadvqaError: for another method.
    """
    black = [name for name, one in METHODS.items() if one.kind == "black box"]
    found, refused = _maps(asked, asking, black)
    return Explanation(asked.said, (), None, found, refused)


def _maps(session: Session | Asked, asking: Asking, usual: Sequence[str]) -> tuple[dict[str, Map], dict[str, str]]:
    found: dict[str, Map] = {}
    refused: dict[str, str] = {}
    names = list(asking.methods) or list(usual)
    with console.progress("explaining", len(names)) as advance:
        for name in names:
            try:
                found[name] = _map(session, name, asking)
            except RadvqaError as error:
                if asking.methods and len(names) == 1:
                    raise
                refused[name] = str(error)
            advance(1)
    return found, refused


def _map(session: Session | Asked, name: str, asking: Asking) -> Map:
    chosen = method(name)
    whole = found_by(name, session, asking.wishes)
    tokens, heats = [], []
    if isinstance(session, Session) and chosen.cheap and asking.token is None:
        spelled = session.opened.said.spelled
        tokens = [place for place, text in enumerate(spelled) if text != END][:_MOST_TOKENS]
        tokens = tokens if len(spelled) > 1 else []
        alone = [Session(session.opened, session.picture, token) for token in tokens]
        heats = [chosen.run(one, asking.wishes).heat for one in alone]
    proof = proven(session, whole.heat, asking.place) if asking.proof else None
    return Map(name, whole.heat, whole.words, tuple(tokens), tuple(heats), proof)


def found_by(name: str, session: Session | Asked, wishes: Wishes) -> Found:
    """Make the map of one method, of what the session explains.

    Raises:
        RadvqaError: for an unknown method, or one that does not apply.
    """
    chosen = method(name)
    if isinstance(session, Asked) and chosen.kind != "black box":
        raise RadvqaError(
            f"{chosen.title} looks into a model, and this one can only be asked; occlusion and rise work for all."
        )
    return chosen.run(session, wishes)


def proven(session: Session | Asked, heat: Heat, place: Place | None) -> Proof:
    """Hold a map against the model itself, against a random map, and against the truth where it is known."""
    passes.expected(4 * (PROOF_STEPS + 1))
    by_chance = at_random(session.picture, session.said.text)
    curves = [
        way(session.picture, map_, session.scores, PROOF_STEPS).area
        for map_ in (heat, by_chance)
        for way in (deletion, insertion)
    ]
    found = localised(heat, place) if place is not None else None
    return Proof(curves[0], curves[1], curves[2], curves[3], found, is_flat(heat))

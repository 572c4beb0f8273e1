"""One question, one answer, one picture: what methods share is computed once.

Letters: as in ``inside.opened``; ``a`` carriers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from radvqa.errors import RadvqaError
from radvqa.explaining import passes
from radvqa.explaining.attention.raw import Looking, Looks
from radvqa.explaining.attention.rollout import Rollout, RolloutOptions
from radvqa.explaining.attention.step import Carriers, Step
from radvqa.explaining.framing import Framing
from radvqa.explaining.heat import Heat
from radvqa.explaining.inside.opened import Features, Mixing, Opened, read_pixels
from radvqa.explaining.inside.vision import input_of, output_of, shape_of
from radvqa.explaining.said import Said
from radvqa.explaining.watching import watching

_AT_ONCE = 8


@dataclass(frozen=True)
class Differentiated:
    """One pass with gradients of the answer's log-probability.

    Attributes:
        carriers: the axis; None where no attention mixes.
        steps: of attention, from the bottom to the top.
        gradients: by the weights of each step, ``(h, q, k)``; None where there are none.
        features: the picture's features, ``(n, d)``; None where there is no such place.
        slopes: gradients by them, ``(n, d)``.
        grid: rows and columns of the features.
    """

    carriers: Carriers | None
    steps: Sequence[Step]
    gradients: Sequence[Tensor | None]
    features: Tensor | None
    slopes: Tensor | None
    grid: tuple[int, int]


class Session:
    """A model opened for a question about a picture.

    Args:
        opened: the model with its answer.
        picture: as decoded, ``(rows, columns)`` or with colours.
        token: explain this token of the answer; the whole answer when None.

    Raises:
        RadvqaError: when the answer has no such token.
    """

    def __init__(self, opened: Opened, picture: NDArray[np.uint8], token: int | None = None) -> None:
        tokens = opened.said.spelled
        if token is not None and not 0 <= token < len(tokens):
            raise RadvqaError(
                f"The answer has no token {token}: it is {' · '.join(tokens)}, counted from 0 to {len(tokens) - 1}."
            )
        self.opened, self.picture, self.token = opened, picture, token

    @property
    def said(self) -> Said:
        """The answer."""
        return self.opened.said

    @cached_property
    def values(self) -> Tensor:
        """Pixels as the model reads them, ``(1, s, w, 3)``."""
        return read_pixels(self.opened.resizing, [self.picture])

    @cached_property
    def framing(self) -> Framing:
        """Which part of the picture the model sees."""
        return Framing.of(self.opened.resizing, *self.picture.shape[:2])

    def spread(self, grid: NDArray[np.floating]) -> Heat:
        """Lay a grid over the picture, ``(r, c)`` → ``(rows, columns)``."""
        return self.framing.spread(grid, *self.picture.shape[:2])

    def log_probability(self, values: Tensor) -> Tensor:
        """Of what is explained, on copies of the picture, ``(b,)``; differentiable."""
        passes.made(len(values))
        each = self.opened.log_probabilities(values)
        return each.sum(1) if self.token is None else each[:, self.token]

    def scores(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.floating]:
        """Probability of what is explained on changed pictures, ``(pictures,)``."""
        found = []
        with torch.no_grad():
            for start in range(0, len(pictures), _AT_ONCE):
                values = read_pixels(self.opened.resizing, pictures[start : start + _AT_ONCE])
                found.append(self.log_probability(values).exp().cpu())
        return torch.cat(found).double().numpy()

    def told(self, carriers: Carriers) -> Tensor:
        """Carriers that tell what is explained."""
        return carriers.told if self.token is None else carriers.told[self.token : self.token + 1]

    def mixing(self) -> Mixing:
        """How attention mixes.

        Raises:
            RadvqaError: when no attention looks from question to picture.
        """
        mixing = self.opened.mixing()
        if mixing is None:
            why = getattr(self.opened, "why_no_attention", "no attention looks from the question to the picture")
            raise RadvqaError(f"Attention methods say nothing here: {why}. Gradient and black-box methods do.")
        return mixing

    @cached_property
    def differentiated(self) -> Differentiated:
        """One pass with gradients, kept whole: twice all attention in memory."""
        mixing = self.opened.mixing()
        steps: list[Step] = []

        def seen(name: str, weights: Tensor) -> None:
            if mixing is not None:
                steps.extend(mixing.steps(name, weights))

        values = self.values.clone().requires_grad_()
        place = self.opened.features
        watched = watching(self.opened.module, seen) if mixing is not None else nullcontext()
        with torch.enable_grad(), _passing(place) as passed, watched:
            score = self.log_probability(values)[0]
        steps.extend(mixing.finish() if mixing is not None else ())
        by = [step.captured for step in steps if step.captured is not None] + passed
        found = list(torch.autograd.grad(score, by, allow_unused=True))
        slopes = found.pop() if passed else None
        each = iter(found)
        gradients = [_like(step, next(each)) if step.captured is not None else None for step in steps]
        if not passed or slopes is None:
            return Differentiated(mixing.carriers if mixing else None, steps, gradients, None, None, (0, 0))
        features, grid = shape_of(place, passed[0].detach())
        return Differentiated(
            mixing.carriers if mixing else None, steps, gradients, features[0], shape_of(place, slopes)[0][0], grid
        )

    @cached_property
    def looks(self) -> Looks:
        """What the layers that tell the answer look at."""
        mixing = self.mixing()
        looking = Looking(mixing.carriers, mixing.stack)
        self._feed(mixing, [looking])
        return looking.looks

    def rolled(self, options: RolloutOptions) -> Tensor:
        """Rollout from what is explained, ``(a,)``."""
        mixing = self.mixing()
        rollout = Rollout(mixing.carriers, options)
        self._feed(mixing, [rollout])
        return rollout.traced[self.told(mixing.carriers)].mean(0)

    def steps(self) -> tuple[Carriers, Sequence[Step]]:
        """All attention, kept: for small models."""
        mixing = self.mixing()
        kept = _Kept()
        self._feed(mixing, [kept])
        return mixing.carriers, kept.steps

    def _feed(self, mixing: Mixing, takers: Sequence[Any]) -> None:
        """Hand steps over one by one, so that one layer's attention is in memory at a time.

        Where a pass with gradients was made before, its steps are taken again.
        """
        if "differentiated" in self.__dict__:
            for step in self.differentiated.steps:
                for taker in takers:
                    taker.add(step)
            return

        def seen(name: str, weights: Tensor) -> None:
            for step in mixing.steps(name, weights):
                for taker in takers:
                    taker.add(step)

        with torch.no_grad(), watching(self.opened.module, seen):
            self.opened.log_probabilities(self.values)
        for step in mixing.finish():
            for taker in takers:
                taker.add(step)


class _Kept:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.steps.append(step)


def _like(step: Step, gradient: Tensor | None) -> Tensor | None:
    """A gradient in the shape of a step's weights: the first of the batch, a missing row put in."""
    return None if gradient is None else gradient[0].reshape(step.weights.shape)


@contextmanager
def _passing(place: Features | None) -> Iterator[list[Tensor]]:
    """Collect the features that pass a place in the block."""
    passed: list[Tensor] = []
    if place is None:
        yield passed
        return

    def before(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        passed.append(input_of(module, args, kwargs))

    def after(_: Any, __: Any, returned: Any) -> None:
        passed.append(output_of(returned))

    handle = (
        place.module.register_forward_pre_hook(before, with_kwargs=True)
        if place.at == "input"
        else place.module.register_forward_hook(after)
    )
    try:
        yield passed
    finally:
        handle.remove()

"""The law: a loss that falls as a power of size and data towards a floor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radvqa.scaling.points import FloatArray

EXPONENTS = {"x": "α", "d": "β", "t": "b"}


@dataclass(frozen=True, eq=False)
class Law:
    """``L(X, D) = A·X^−α·D^−β + E``, or the same in one variable, for instance ``L(t) = a·t^−b + c``.

    Source: B. Zhang et al., ICLR 2024 (arXiv 2402.17193), equation 1. The factor A is the reducible loss where every
    variable is 1, far from all points; the law is therefore kept by its height at the smallest values observed.

    Attributes:
        names: the variables, of ``x``, ``d`` and ``t``.
        start: smallest observed value of each, ``(k,)``.
        height: reducible loss at ``start``.
        exponents: of each variable, at least 0, ``(k,)``.
        floor: what no amount of anything goes below, at least 0.
    """

    names: tuple[str, ...]
    start: FloatArray
    height: float
    exponents: FloatArray
    floor: float

    @property
    def log_factor(self) -> float:
        """The natural logarithm of A; minus infinity when nothing is reducible."""
        reducible = math.log(self.height) if self.height > 0 else -math.inf
        return reducible + float(self.exponents @ np.log(self.start))

    @property
    def falls(self) -> bool:
        """Whether the loss depends on anything at all."""
        return self.height > 0 and bool((self.exponents > 0).any())

    def loss(self, variables: FloatArray) -> FloatArray:
        """Compute the loss at places: ``(m, k)`` → ``(m,)``."""
        with np.errstate(over="ignore"):  # far below the points; whoever asks there is told
            shape = np.exp(-(np.log(variables / self.start) @ self.exponents))
        predicted: FloatArray = self.height * shape + self.floor
        return predicted

    def log_needed(self, target: float, place: Sequence[float], which: int) -> float:
        """Return the logarithm of the value of one variable at which the loss is ``target``.

        Args:
            target: a loss above the floor.
            place: values of all variables; that of ``which`` does not count.
            which: the variable to solve for; its exponent is above 0.
        """
        others = sum(
            exponent * math.log(value / start)
            for j, (exponent, value, start) in enumerate(zip(self.exponents, place, self.start, strict=True))
            if j != which
        )
        fall = math.log(self.height) - math.log(target - self.floor) - others
        return float(fall / self.exponents[which] + math.log(self.start[which]))


def written(names: Sequence[str]) -> str:
    """Write the law in its usual letters."""
    if tuple(names) == ("t",):
        return "L(t) = a·t^−b + c"
    symbols = [name.upper() for name in names]
    powers = "·".join(f"{name.upper()}^−{EXPONENTS[name]}" for name in names)
    return f"L({', '.join(symbols)}) = A·{powers} + E"


def letters(names: Sequence[str]) -> tuple[str, str]:
    """Return the letters of factor and floor."""
    return ("a", "c") if tuple(names) == ("t",) else ("A", "E")

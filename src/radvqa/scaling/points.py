"""The points that a law is fitted to, and which of their variables the law can tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from radvqa.errors import DataError
from radvqa.scaling.words import number

FloatArray = npt.NDArray[np.float64]

SYMBOLS = {"x": "X", "d": "D", "t": "t"}
"""How each variable is written in a law: ``x`` the size of what is trained, ``d`` the data, ``t`` time."""

_ALIKE = 0.05  # of the logarithms: a twentieth more or less, such as a head for a few more answers, tells no exponent
_TOGETHER = 1e-6  # smallest share of the logarithms' spread that two variables must have of their own


@dataclass(frozen=True, eq=False)
class Points:
    """Measured losses.

    Letters: ``n`` points, ``k`` variables.

    Attributes:
        names: the variables, of ``SYMBOLS``; ``k`` of them.
        variables: what was varied, above 0, ``(n, k)``.
        loss: what was measured, above 0, ``(n,)``.
        labels: what each point is called, ``n``.
    """

    names: tuple[str, ...]
    variables: FloatArray
    loss: FloatArray
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        numbers = np.concatenate([self.variables.ravel(), self.loss])
        if not (np.isfinite(numbers).all() and (numbers > 0).all()):
            raise ValueError("variables and losses are numbers above 0")

    @property
    def symbols(self) -> tuple[str, ...]:
        """The variables as they are written in a law."""
        return tuple(SYMBOLS[name] for name in self.names)

    def kept(self, rows: npt.NDArray[np.intp]) -> "Points":
        """Return some of the points."""
        labels = tuple(self.labels[row] for row in rows)
        return replace(self, variables=self.variables[rows], loss=self.loss[rows], labels=labels)

    def in_order(self) -> "Points":
        """Return the points by their last variable, those of equal place in the order in which they came."""
        return self.kept(np.argsort(self.variables[:, -1], kind="stable"))

    def to_lowest(self) -> "Points":
        """Return the points in order, up to the one with the lowest loss."""
        ordered = self.in_order()
        return ordered.kept(np.arange(int(np.argmin(ordered.loss)) + 1))


def told_apart(points: Points) -> tuple[Points, list[str]]:
    """Leave out variables that all points share, and refuse points that cannot tell a law's constants apart.

    Returns:
        The points with the variables that were varied, and a sentence for each one that was left out.

    Raises:
        DataError: when nothing was varied, the variables were only varied together, or the points are too few.
    """
    if len(points.loss) == 0:
        raise DataError("There are no points to fit a law to.")
    logs = np.log(points.variables)
    varied = [j for j in range(len(points.names)) if np.ptp(logs[:, j]) > _ALIKE]
    if not varied:
        raise DataError(
            f"All points have the same {' and '.join(points.symbols)}; measure the loss at other values, four at least."
        )
    left_out = [
        f"The exponent of {points.symbols[j]} cannot be told: all points have {_same(logs[:, j])} "
        f"{points.symbols[j]} = {number(points.variables[0, j], 6)}. "
        f"The law is fitted in {points.symbols[varied[0]]} alone."
        for j in range(len(points.names))
        if j not in varied
    ]
    kept = Points(tuple(points.names[j] for j in varied), points.variables[:, varied], points.loss, points.labels)
    _refuse_together(kept)
    _refuse_few(kept)
    return kept, left_out


def _same(logs: FloatArray) -> str:
    return "the same" if np.ptp(logs) < _TOGETHER else "nearly the same"


def _refuse_together(points: Points) -> None:
    logs = np.log(points.variables)
    spread = np.linalg.svd((logs - logs.mean(axis=0)) / logs.std(axis=0), compute_uv=False)
    if spread[-1] < _TOGETHER * spread[0]:
        raise DataError(
            "α cannot be told apart from β: X and D grow together in all points; "
            "measure points with one X and several D, or fit in one of them with --by d or --by x."
        )


def _refuse_few(points: Points) -> None:
    needed = len(points.names) + 3
    if len(points.loss) < needed:
        raise DataError(
            f"A law in {' and '.join(points.symbols)} has {needed - 1} constants and needs {needed} points at least, "
            f"so that one is left to judge it by; found {len(points.loss)}."
        )
    places = len(np.unique(points.variables, axis=0))
    if places < needed - 1:
        raise DataError(
            f"A law in {' and '.join(points.symbols)} has {needed - 1} constants and needs points at as many "
            f"places; found {places}."
        )
    for symbol, column in zip(points.symbols, points.variables.T, strict=True):
        if len(points.names) == 1 and len(np.unique(column)) < 3:
            raise DataError(f"A law with a floor needs three different {symbol} at least.")


def make(names: Sequence[str], rows: Sequence[Sequence[float]], loss: Sequence[float], labels: Sequence[str]) -> Points:
    """Make points of plain numbers: a row of variables, a loss and a label for each."""
    variables = np.array(rows, np.float64).reshape(-1, len(names))
    return Points(tuple(names), variables, np.array(loss, np.float64), tuple(labels))

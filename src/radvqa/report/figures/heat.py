"""What is answered in place of what: the confusion matrix of the most frequent answers."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radvqa.report.figures.style import INK, blank, look, plain
from radvqa.report.scored import Scored
from radvqa.text import NORMALISERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 20
OTHER = "other answer"
_SHOWN = 0.05  # share from which a cell has its number
_DARK = 0.6  # share from which the number is white
_LETTERS = 22  # of a label
_FEWEST = 2  # answers; one alone cannot be confused


@dataclass(frozen=True)
class Confusion:
    """Counts of given answers by gold answer.

    Attributes:
        answers: the gold answers as most often written, most frequent first.
        counts: ``(len(answers), len(answers) + 1)``; the last column counts every other answer.
        questions: of the whole split.
    """

    answers: tuple[str, ...]
    counts: NDArray[np.int64]
    questions: int

    @property
    def shares(self) -> NDArray[np.float64]:
        """Counts divided by the questions of their row."""
        shares: NDArray[np.float64] = self.counts / self.counts.sum(axis=1, keepdims=True)
        return shares


def count_confusion(run: Scored, most: int = MOST) -> Confusion:
    """Count which answers are given to the questions of the ``most`` frequent gold answers.

    Answers are compared after the normalisation of the scores, as the accuracy does, so that the diagonal is right.
    """
    normalise = NORMALISERS[run.scores["normaliser"]]
    written: dict[str, Counter[str]] = defaultdict(Counter)
    given: dict[str, Counter[str]] = defaultdict(Counter)
    for prediction in run.predictions.values():
        gold = normalise(prediction.answer)
        written[gold][" ".join(prediction.answer.split())] += 1
        # an answer that was not given is not the answer with the empty text
        given[gold]["\0" if prediction.missing else normalise(prediction.prediction)] += 1
    ordered = sorted(given, key=lambda gold: (-given[gold].total(), gold))[:most]
    counts = np.zeros((len(ordered), len(ordered) + 1), dtype=np.int64)
    for row, gold in enumerate(ordered):
        counts[row, :-1] = [given[gold][answer] for answer in ordered]
        counts[row, -1] = given[gold].total() - counts[row, :-1].sum()
    # of equally frequent spellings the first in the alphabet, so that the order of a file does not matter
    names = tuple(min(written[gold], key=lambda text: (-written[gold][text], text)) for gold in ordered)
    return Confusion(names, counts, sum(row.total() for row in given.values()))


def confusion(run: Scored, most: int = MOST) -> "Figure | None":
    """Draw the confusion matrix in percent of each row, with numbers from 5 % on.

    Returns:
        The figure, or None when there are fewer than two gold answers.
    """
    found = count_confusion(run, most)
    if len(found.answers) < _FEWEST:
        return None
    shares, number = found.shares, len(found.answers)
    with look():
        figure = blank(1.9 + 0.19 * number)
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in zip(*np.nonzero(shares >= _SHOWN), strict=True):
            share = float(shares[row, column])
            axes.text(
                float(column),
                float(row),
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                fontsize=9 if number <= MOST // 2 else 6.8 if share > 0.995 else 7.5,
                color="white" if share >= _DARK else INK,
            )
        totals = found.counts.sum(axis=1)
        labels = [plain(answer, _LETTERS) or "(empty)" for answer in found.answers]
        rows = [f"{label} ({total})" for label, total in zip(labels, totals, strict=True)]
        axes.set_yticks(range(number), rows, fontsize=8)
        axes.set_xticks(range(number + 1), [*labels, OTHER], fontsize=8, rotation=90)
        axes.tick_params(length=0)
        axes.axvline(number - 0.5, color=INK, linewidth=1)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_ylabel("Gold answer (questions)")
        axes.set_xlabel("Answer given")
        figure.suptitle("What is answered, % of each gold answer", x=0.01, ha="left", fontsize=11, weight="bold")
        axes.set_title(
            f"The {number} most frequent gold answers: {totals.sum():,} of {found.questions:,} questions",
            fontsize=9,
            weight="normal",
            loc="right",
        )
    return figure

"""Where the first run is weakest: its worst slices, with the other runs beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.marks import dodge, legend, legend_height, marks, whisker
from radvqa.report.figures.style import MUTED, blank, look, plain, zoomed
from radvqa.report.scored import Scored
from radvqa.report.slices import FEWEST, Part, parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 15
_LETTERS = 30  # of one line of a label


def slices(runs: Sequence[Scored], most: int = MOST, fewest: int = FEWEST) -> "Figure | None":
    """Draw the worst slices of the first run with intervals, the other runs' accuracy beside it.

    The dotted line is the first run's accuracy on all questions.

    Returns:
        The figure, or None when the first run has no slice with ``fewest`` questions.
    """
    worst = [part for part in parts(runs[:1]) if part.n >= fewest][:most] if runs else []
    if not worst:
        return None
    with look():
        labels = [_label(part) for part in worst]
        lines = sum(label.count("\n") + 1 for label in labels)
        figure = blank(0.13 * lines + (0.11 + 0.03 * len(runs)) * len(worst) + 1.1 + legend_height(runs))
        axes = figure.subplots()
        shown: list[float] = []
        places = dodge(len(runs), 0.6 if len(runs) > 1 else 0.0)
        for number, (run, mark, place) in enumerate(zip(runs, marks(runs), places, strict=True)):
            known = [(row + place, values) for row, part in enumerate(worst) if (values := _values(run, part))]
            if number == 0:
                for row, values in known:
                    whisker(axes, row, values.get("accuracy_interval"), colour=mark.colour)
                    shown += [100 * limit for limit in values.get("accuracy_interval") or ()]
            accuracies = [100 * values["accuracy"] for _, values in known]
            axes.plot(
                accuracies, [row for row, _ in known], mark.shape, color=mark.colour, markersize=6, label=run.name
            )
            shown += accuracies
        own = runs[0].value("overall", "accuracy")
        if own is not None:
            axes.axvline(100 * own, color=MUTED, linestyle=":", linewidth=1.3)
            shown.append(100 * own)
        axes.set_xlim(*zoomed(shown))
        axes.set_yticks(range(len(worst)), labels, fontsize=9)
        axes.set_ylim(len(worst) - 0.4, -0.6)
        axes.set_xlabel("Accuracy, %; dotted: all questions")
        figure.suptitle(f"Weakest parts (questions, at least {fewest})", x=0.01, ha="left", fontsize=11, weight="bold")
        legend(figure, runs)
    return figure


def _label(part: Part) -> str:
    """Name a part with its number of questions, in two lines where one is too long."""
    dimension, _, label = part.title.partition(": ")
    one = f"{part.title} ({part.n:,})"
    return one if len(one) <= _LETTERS else f"{plain(dimension, _LETTERS)}:\n{plain(label, _LETTERS)} ({part.n:,})"


def _values(run: Scored, part: Part) -> dict[str, Any]:
    """Return a run's values of a part; nothing where it has no accuracy there."""
    values: dict[str, Any] = (run.scores.get("slices") or {}).get(part.dimension, {}).get(part.label, {})
    return values if values.get("accuracy") is not None else {}

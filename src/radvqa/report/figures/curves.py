"""How training went: loss and the selection metric by epoch, with the epoch that was kept; alone and run by run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.labels import Label, place_labels
from radvqa.report.figures.marks import legend, legend_height, marks
from radvqa.report.figures.style import MUTED, RUNS, blank, in_percent, look, plain, zoomed
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST = 2  # runs of an overlay
_SAME = 4.0  # percent, within which two marks of one epoch share its number


def training_curves(run: Scored) -> "Figure | None":
    """Draw loss above and metric below, training and validation, the best epoch marked.

    Returns:
        The figure, or None when the run has no history.
    """
    from matplotlib.ticker import MaxNLocator

    history = run.history
    if not history:
        return None
    metric = run.select_by or "accuracy"
    if "loss" in metric or not _has(history, f"val_{metric}"):
        metric = "accuracy"
    with look():
        figure = blank(4.9)
        upper, lower = figure.subplots(2, 1, sharex=True)
        best = _best(run)
        _curves(upper, history, "loss", 1.0, best)
        upper.set_title("Loss")
        upper.set_ylim(bottom=0)
        _curves(lower, history, metric, 100.0, best)
        lower.set_title(f"{metric.replace('_', ' ').capitalize()}, %")
        in_percent(lower, "y")
        lower.set_xlabel("Epoch")
        lower.xaxis.set_major_locator(MaxNLocator(integer=True))
        upper.legend(loc="best")
        figure.suptitle(plain(f"Training of {run.name}"), x=0.01, ha="left", fontsize=10, color=MUTED)
    return figure


def overlay(runs: Sequence[Scored]) -> "Figure | None":
    """Draw the validation accuracy of several runs by epoch; a mark with its number is the epoch that was kept.

    Returns:
        The figure, or None when fewer than two runs have a history with it.
    """
    from matplotlib.ticker import MaxNLocator

    key = "val_accuracy"
    known = [run for run in runs if _has(run.history, key)]
    if len(known) < _FEWEST:
        return None
    with look():
        figure = blank(3.2 + legend_height(known))
        axes = figure.subplots()
        kept: list[Label] = []
        shown: list[tuple[float, float]] = []
        for run, mark in zip(known, marks(known), strict=True):
            rows = [(int(row["epoch"]), 100 * row[key]) for row in run.history if row.get(key) is not None]
            axes.plot([x for x, _ in rows], [y for _, y in rows], color=mark.colour, label=run.name, linewidth=1.5)
            shown += rows
            best = _best(run)
            for epoch, value in rows:
                if epoch == best:
                    axes.plot([epoch], [value], mark.shape, color=mark.colour, markersize=8, markeredgecolor="white")
                    if not any(label.x == epoch and abs(label.y - value) < _SAME for label in kept):
                        kept.append(Label(epoch, value, str(epoch), mark.colour))
        low, high = zoomed(y for _, y in shown)
        axes.set_ylim(low, high)
        axes.margins(x=0.03)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Epoch")
        axes.set_title("Validation accuracy, % (marked: epoch kept)")
        legend(figure, known, lines=True)
        place_labels(axes, kept, shown)
    return figure


def _best(run: Scored) -> int | None:
    marked = [int(row["epoch"]) for row in run.history if row.get("best")]
    found = run.facts.get("best_epoch", marked[-1] if marked else None)
    return None if found is None else int(found)


def _has(history: list[dict[str, Any]], key: str) -> bool:
    return any(row.get(key) is not None for row in history)


def _curves(axes: "Axes", history: list[dict[str, Any]], metric: str, factor: float, best: int | None) -> None:
    for key, label, colour, style in (
        (f"train_{metric}", "training", MUTED, "--"),
        (f"val_{metric}", "validation", RUNS[0], "-"),
    ):
        rows = [row for row in history if row.get(key) is not None]
        # One epoch makes no line, so a short history shows its points.
        marker = "o" if len(rows) <= 3 else ""
        values = [factor * row[key] for row in rows]
        if rows:
            axes.plot([r["epoch"] for r in rows], values, style, color=colour, label=label, marker=marker)
        kept = [(r["epoch"], v) for r, v in zip(rows, values, strict=True) if r["epoch"] == best]
        if kept and key.startswith("val_"):
            epoch, value = kept[0]
            axes.axvline(epoch, color=RUNS[1], linewidth=1, linestyle=":")
            axes.plot([epoch], [value], "o", color=RUNS[1], markersize=6, label=f"kept: epoch {epoch}", zorder=5)

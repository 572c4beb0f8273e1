"""How training went: loss and the metric that chose, with the look that was kept; alone and run by run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.curriculum import by_epoch, stages_of
from radvqa.report.figures import over_steps
from radvqa.report.figures.curriculum import curriculum_curves
from radvqa.report.figures.marks import LINE
from radvqa.report.figures.style import MUTED, RUNS, blank, in_percent, look, plain
from radvqa.report.scored import Scored
from radvqa.report.selection import LOSS, chosen_by, metric_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SMALL = 1.35  # inches that a small panel adds
_FEW = 3  # looks that are shown as points, because they make no line

Row = dict[str, Any]


def training_curves(run: Scored) -> "Figure | None":
    """Draw loss above and metric below, training and validation, the kept look marked; by stage in a curriculum.

    Learning rates and the mix stand below where they change.

    Returns:
        The figure, or None when the run learned nothing or has no history.
    """
    history = [row for row in run.history if row["epoch"]]
    if not history:
        return None
    stages = stages_of(run)
    if len(stages) > 1:
        return curriculum_curves(run, stages)
    from matplotlib.ticker import MaxNLocator

    key, said = _metric(run, history)
    place = _place(run, history)
    rates, mix = over_steps.rates_tell(stages), over_steps.shares_tell(stages)
    heights = [2.0, 2.0, *([0.95] if rates else []), *([0.95] if mix else [])]
    legend = LINE * over_steps.share_rows(stages) + 0.05 if mix else 0.0
    with look():
        figure = blank(4.9 + _SMALL * (rates + mix) + legend)
        cells = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
        upper, lower = cells[:2]
        best = _best(run)
        _curves(upper, history, ("train_loss", "val_loss"), 1.0, best, place)
        upper.set_title("Loss")
        upper.set_ylim(bottom=0)
        _curves(lower, history, key, 100.0, best, place)
        lower.set_title(f"{said[0].upper()}{said[1:]}, %")
        in_percent(lower, "y")
        if rates:
            over_steps.draw_rates(cells[2], stages, place.of_step)
        if mix:
            over_steps.draw_shares(cells[-1], stages, place.of_step)
        cells[-1].set_xlabel(place.name)
        cells[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        upper.legend(loc="best")
        figure.suptitle(plain(f"Training of {run.name}"), x=0.01, ha="left", fontsize=10, color=MUTED)
    return figure


class _Place:
    """The horizontal axis: epochs where every look is one, else steps.

    Args:
        name: of the axis.
        key: of the history that holds it.
        per_epoch: steps of an epoch; 1 where the axis is of steps.
    """

    def __init__(self, name: str, key: str, per_epoch: float = 1.0) -> None:
        self.name, self.key, self.per_epoch = name, key, per_epoch

    def of_row(self, row: Row) -> float:
        """Return the place of a look."""
        return float(row[self.key])

    def of_step(self, step: float) -> float:
        """Return the place of a step."""
        return step / self.per_epoch


def _place(run: Scored, history: Sequence[Row]) -> _Place:
    if by_epoch(run) or "step" not in history[0]:
        return _Place("Epoch", "epoch", history[0].get("step", 1) / history[0]["epoch"])
    return _Place("Step", "step")


def _metric(run: Scored, history: Sequence[Row]) -> tuple[tuple[str, str], str]:
    """Return the keys of training and validation of what chose, and its name; accuracy where that is no fraction."""
    metric = run.select_by or "accuracy"
    plan = run.stages[-1] if run.stages else run.recipe.get("training", {})
    if plan.get("select_where") and LOSS not in metric and _has(history, "selected"):
        return ("", "selected"), chosen_by(metric, plan["select_where"])
    if LOSS in metric or not _has(history, f"val_{metric}"):
        metric = "accuracy"
    return (f"train_{metric}", f"val_{metric}"), metric_words(metric)


def _best(run: Scored) -> int | None:
    marked = [int(row["epoch"]) for row in run.history if row.get("best")]
    found = run.facts.get("best_epoch", marked[-1] if marked else None)
    return None if found is None else int(found)


def _has(history: Sequence[Row], key: str) -> bool:
    return any(row.get(key) is not None for row in history)


def _curves(
    axes: "Axes", history: Sequence[Row], keys: tuple[str, str], factor: float, best: int | None, place: _Place
) -> None:
    for key, label, colour, style in (
        (keys[0], "training", MUTED, "--"),
        (keys[1], "validation", RUNS[0], "-"),
    ):
        rows = [row for row in history if row.get(key) is not None]
        values = [factor * row[key] for row in rows]
        marker = "o" if len(rows) <= _FEW else ""
        if rows:
            axes.plot([place.of_row(row) for row in rows], values, style, color=colour, label=label, marker=marker)
        kept = [(row, value) for row, value in zip(rows, values, strict=True) if row["epoch"] == best]
        if kept and label == "validation":
            row, value = kept[0]
            at = place.of_row(row)
            axes.axvline(at, color=RUNS[1], linewidth=1, linestyle=":")
            said = f"kept: {place.name.lower()} {at:,.0f}"
            axes.plot([at], [value], "o", color=RUNS[1], markersize=6, label=said, zorder=5)

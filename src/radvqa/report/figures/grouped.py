"""Accuracy, top-5 and macro-F1 as grouped bars: all, open and closed questions, one bar for each run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radvqa.report.figures.marks import dodge, legend, legend_height, marks, to_show, whisker
from radvqa.report.figures.style import MUTED, blank, look
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS = (("accuracy", "Accuracy"), ("top5", "Top-5 accuracy"), ("macro_f1", "Macro-F1"))

_GROUP = 0.84  # of the distance between two groups
_FLAT, _UPRIGHT = 4, 10  # bars of a group whose numbers fit side by side, or turned


def metric_bars(runs: Sequence[Scored]) -> "Figure | None":
    """Draw a panel for each metric, with intervals and a line at 100 %.

    Returns:
        The figure, or None when no run has one of the metrics.
    """
    subsets, metrics = to_show(runs, METRICS)
    if not metrics:
        return None
    with look():
        figure = blank(1.85 * len(metrics) + 0.3 + legend_height(runs))
        panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (key, title) in zip(panels, metrics, strict=True):
            _draw(axes, runs, subsets, key)
            axes.set_title(f"{title}, %")
        panels[-1].set_xticks(range(len(subsets)), [_label(runs, subset) for subset in subsets])
        legend(figure, runs, bars=True)
    return figure


def _label(runs: Sequence[Scored], subset: str) -> str:
    number = next(run.scores["subsets"][subset]["n"] for run in runs if subset in run.scores["subsets"])
    return f"{subset.capitalize()} (n = {number:,})"


def _draw(axes: "Axes", runs: Sequence[Scored], subsets: Sequence[str], metric: str) -> None:
    places = dodge(len(runs), _GROUP)
    upright = len(runs) > _FLAT
    axes.axhline(100, color=MUTED, linewidth=1)
    for run, mark, place in zip(runs, marks(runs), places, strict=True):
        for group, subset in enumerate(subsets):
            value = run.value(subset, metric)
            if value is None:
                continue
            axes.bar(group + place, 100 * value, width=_GROUP / len(runs) * 0.88, color=mark.colour)
            interval = run.scores["subsets"][subset].get(f"{metric}_interval")
            top = whisker(axes, group + place, interval, upright=True)
            if len(runs) <= _UPRIGHT:
                axes.annotate(
                    f"{100 * value:.1f}",
                    (group + place, max(100 * value, top or 0.0)),
                    xytext=(0, 3),
                    textcoords="offset points",
                    ha="center",
                    va="bottom",
                    fontsize=8.5,
                    rotation=90 if upright else 0,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},  # over the line at 100
                )
    axes.set_ylim(0, 138 if upright else 122)  # room for the number of a bar that reaches 100
    axes.set_yticks(range(0, 101, 25))
    axes.set_xlim(-0.55, len(subsets) - 0.45)
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)

"""Exact match and token-F1 over all, open and closed questions, a line for each run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radvqa.report.figures.marks import dodge, legend, legend_height, marks, to_show, whisker
from radvqa.report.figures.style import blank, look, zoomed
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS = (("exact_match", "Exact match, %"), ("token_f1", "Token-F1, %"))


def em_f1_lines(runs: Sequence[Scored]) -> "Figure | None":
    """Draw a panel for each of the two metrics, with intervals; both share one scale.

    Returns:
        The figure, or None when no run has one of the metrics.
    """
    subsets, metrics = to_show(runs, METRICS)
    if not metrics:
        return None
    with look():
        figure = blank(2.0 * len(metrics) + 0.3 + legend_height(runs))
        panels = figure.subplots(len(metrics), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        drawn: list[float] = []
        for axes, (key, title) in zip(panels, metrics, strict=True):
            for run, mark, place in zip(runs, marks(runs), dodge(len(runs), 0.3), strict=True):
                columns, values = [], []
                for column, subset in enumerate(subsets):
                    value = run.value(subset, key)
                    if value is not None:
                        interval = run.scores["subsets"][subset].get(f"{key}_interval")
                        whisker(axes, column + place, interval, upright=True, colour=mark.colour)
                        columns.append(column + place)
                        values.append(100 * value)
                        drawn += [100 * value, *(100 * limit for limit in interval or ())]
                axes.plot(columns, values, marker=mark.shape, color=mark.colour, label=run.name, markersize=6)
            axes.set_title(title)
        panels[0].set_ylim(*zoomed(drawn))
        panels[-1].set_xticks(range(len(subsets)), [subset.capitalize() for subset in subsets])
        panels[-1].set_xlim(-0.4, len(subsets) - 0.6)
        legend(figure, runs, lines=True)
    return figure

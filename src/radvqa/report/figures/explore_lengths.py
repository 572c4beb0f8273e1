"""How long questions and answers are: histograms of one split, and shares of several data sets."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import INK, RUNS, blank, look, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (("question_length", "Question"), ("answer_length", "Answer"))

_MOST = 40  # bars that can be told apart; longer lengths share a bar


def length_histograms(counts: Mapping[str, Any]) -> "Figure | None":
    """Draw how many rows have questions and answers of each length, with a line at the mean.

    Args:
        counts: the numbers of a split.

    Returns:
        The figure, or None when the split has no rows.
    """
    kinds = [(key, title) for key, title in KINDS if counts[key]["max"] > 0]
    if not kinds or not counts["rows"]:
        return None
    with look():
        figure = blank(1.95 * len(kinds) + 0.1)
        panels = figure.subplots(len(kinds), 1, squeeze=False)[:, 0]
        for axes, (key, title), colour in zip(panels, kinds, RUNS, strict=False):
            _histogram(axes, counts[key], colour)
            axes.set_title(f"{title} length")
        panels[-1].set_xlabel("Tokens after normalisation")
        figure.supylabel("Rows", fontsize=10)
    return figure


def _histogram(axes: "Axes", length: Mapping[str, Any], colour: str) -> None:
    step = bar_step(length["max"])
    heights = binned(length["histogram"], step)
    axes.bar([i * step for i in range(len(heights))], heights, width=step * 0.86, align="edge", color=colour)
    if step == 1:  # a bar stands on its number
        for patch in axes.patches:
            patch.set_x(patch.get_x() - 0.43)  # type: ignore[attr-defined]
    axes.set_xlim((-0.8, length["max"] + 0.8) if step == 1 else (-step / 3, len(heights) * step + step / 3))
    mean = length["mean"]
    axes.axvline(mean, color=INK, linestyle="--", linewidth=1)
    left = mean < length["max"] / 2
    axes.annotate(
        f"mean {mean:.2f}, longest {length['max']:,}",
        (mean, 1.0),
        xytext=(5 if left else -5, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if left else "right",
        va="top",
        fontsize=9,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
    )
    axes.set_ylim(0, 1.12 * max(heights))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", integer=True)
    axes.grid(visible=False, axis="x")


def bar_step(longest: int) -> int:
    """Return how many lengths share a bar: one where the bars can be told apart, else a round number."""
    tens = (1, 10, 100, 1000, 10_000)
    rounds = (step for ten in tens for step in (ten, 2 * ten, 5 * ten))
    return next((step for step in rounds if longest < _MOST * step), longest)


def binned(histogram: Sequence[int], step: int) -> list[int]:
    """Add up neighbouring lengths."""
    return [sum(histogram[start : start + step]) for start in range(0, len(histogram), step)]


def lengths_beside(data_sets: Sequence[Mapping[str, Any]]) -> "Figure | None":
    """Draw the share of rows by length, a line for each data set.

    Returns:
        The figure, or None when no data set has rows.
    """
    found = [data_set for data_set in data_sets if data_set["all"]["rows"]][: len(RUNS)]
    if not found:
        return None
    with look():
        figure = blank(4.0 + 0.2 * len(found))
        panels = figure.subplots(2, 1)
        for axes, (key, title) in zip(panels, KINDS, strict=True):
            longest = max(_common(data_set["all"][key]["histogram"]) for data_set in found)
            for data_set, colour in zip(found, RUNS, strict=False):
                histogram, rows = data_set["all"][key]["histogram"], data_set["all"]["rows"]
                shares = [100 * number / rows for number in histogram[: longest + 1]]
                axes.plot(
                    range(len(shares)),
                    shares,
                    color=colour,
                    marker="o",
                    markersize=3.2,
                    label=plain(data_set["name"], 40),
                )
            axes.set_title(f"{title} length")
            axes.set_ylim(bottom=0)
            axes.set_xlim(-0.3, longest + 0.3)
            axes.locator_params(axis="x", integer=True)
        panels[-1].set_xlabel("Tokens after normalisation")
        figure.supylabel("Share of rows, %", fontsize=10)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=1, borderpad=0.1, labelspacing=0.35)
    return figure


def _common(histogram: Sequence[int]) -> int:
    """Return the length that 99.5 % of the rows do not exceed, so that a few long ones do not flatten the rest."""
    wanted, seen = 0.995 * sum(histogram), 0
    for length, number in enumerate(histogram):
        seen += number
        if seen >= wanted:
            return max(1, length)
    return 1

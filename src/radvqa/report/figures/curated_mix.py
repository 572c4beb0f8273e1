"""What is in a curated mix, before and after mixing: a bar for each category and source (seed 002, figure 5)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import INK, RUNS, blank, look, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 14  # categories; the rest is one bar
_LETTERS = 26


def before_and_after(before: Mapping[str, Any], after: Mapping[str, Any], by: str) -> "Figure":
    """Draw two panels over the same categories.

    Args:
        before: ``totals`` (name and rows of each source) and ``rows``: label, and rows of each source.
        after: the same of the mix.
        by: what the categories are.
    """
    wanted = [entry["label"] for entry in after["rows"]] or [entry["label"] for entry in before["rows"]]
    wanted += [entry["label"] for entry in before["rows"] if entry["label"] not in wanted]
    shown = wanted[:_MOST]
    names = [total["name"] for total in before["totals"]]
    rows = len(shown) + (len(wanted) > _MOST)
    with look():
        figure = blank(2 * (0.24 * rows + 0.7) + 0.22 * len(names))
        panels = figure.subplots(2, 1)
        for axes, counts, title in zip(panels, (before, after), ("Before mixing", "After mixing"), strict=True):
            _draw(axes, counts, shown, wanted[_MOST:])
            axes.set_title(f"{title}, pairs by {by}")
        if len(names) > 1:
            handles = [figure.axes[0].barh(0, 0, color=RUNS[n % len(RUNS)], label=name) for n, name in enumerate(names)]
            figure.legend(handles=handles, loc="outside lower left", ncols=min(3, len(names)))
    return figure


def _draw(axes: "Axes", counts: Mapping[str, Any], shown: list[str], rest: list[str]) -> None:
    known = {entry["label"]: entry["rows"] for entry in counts["rows"]}
    sources = len(counts["totals"])
    bars = [(label or "(none)", known.get(label, [0] * sources)) for label in shown]
    if rest:
        others = [sum(known.get(label, [0] * sources)[place] for label in rest) for place in range(sources)]
        bars.append((f"({len(rest)} others)", others))
    most = max((sum(values) for _, values in bars), default=0) or 1
    for row, (_, values) in enumerate(bars):
        left = 0
        for place, value in enumerate(values):
            axes.barh(row, value, left=left, height=0.72, color=RUNS[place % len(RUNS)])
            left += value
        axes.text(left + most / 80, row, f"{left:,}", va="center", ha="left", fontsize=9, color=INK)
    axes.set_yticks(range(len(bars)), [plain(label, _LETTERS) for label, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1.2 * most)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")

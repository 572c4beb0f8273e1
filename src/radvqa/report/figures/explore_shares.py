"""Shares of one data set: closed and open by split, and rows by kind of question, modality and organ."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.explore_answers import TYPES
from radvqa.report.figures.style import BASELINES, RUNS, blank, look, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 14  # labels in one panel; the rest is one bar
_LETTERS = 24
_NARROW = 9  # percent; a part that is smaller has no room for its number

KINDS = (("question_types", "Kind of question"), ("modalities", "Modality"), ("organs", "Body part"))


def answer_types(data_set: Mapping[str, Any]) -> "Figure | None":
    """Draw the shares of closed and open questions, a bar for each split.

    Returns:
        The figure, or None when no split has rows.
    """
    splits = [(name, counts) for name, counts in data_set["splits"].items() if counts["rows"]]
    if not splits:
        return None
    with look():
        figure = blank(0.42 * len(splits) + 1.0)
        axes = figure.subplots()
        for row, (_, counts) in enumerate(splits):
            left = 0.0
            for kind, colour in TYPES.items():
                number = counts["answer_types"][kind]["rows"]
                width = 100 * number / counts["rows"]
                axes.barh(row, width, left=left, height=0.7, color=colour, label=kind if row == 0 else None)
                if width >= _NARROW:
                    said = f"{width:.1f} %" if width < 2.4 * _NARROW else f"{number:,} · {width:.1f} %"
                    axes.text(left + width / 2, row, said, va="center", ha="center", fontsize=9, color="white")
                left += width
        axes.set_yticks(range(len(splits)), [plain(name, _LETTERS) for name, _ in splits])
        axes.set_ylim(len(splits) - 0.45, -0.55)
        axes.set_xlim(0, 100)
        axes.grid(visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("Share of rows, %")
        handles, _ = axes.get_legend_handles_labels()
        names = [kind.capitalize() for kind in TYPES]
        figure.legend(handles, names, loc="outside upper left", ncols=2, borderpad=0.1, handlelength=1.2)
    return figure


def kinds_of_rows(counts: Mapping[str, Any]) -> "Figure | None":
    """Draw rows by kind of question, modality and body part; a panel for each that has two labels.

    Returns:
        The figure, or None when the data set labels none of them.
    """
    panels = [(title, _bars(counts[key])) for key, title in KINDS if len(counts[key]) > 1]
    if not panels:
        return None
    with look():
        heights = [len(bars) + 0.9 for _, bars in panels]
        figure = blank(0.24 * sum(heights) + 0.38 * len(panels) + 0.3)
        grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        most = max(number for _, bars in panels for _, number in bars)
        for place, (axes, (title, bars)) in enumerate(zip(grid, panels, strict=True)):
            for row, (label, number) in enumerate(bars):
                rest = label == "" or label.startswith("(")
                axes.barh(row, number, height=0.7, color=BASELINES[1] if rest else RUNS[(0, 2, 3)[place]])
                share = 100 * number / counts["rows"]
                axes.text(number + most / 80, row, f"{number:,} · {share:.1f} %", va="center", ha="left", fontsize=9)
            names = [plain(label.replace("_", " "), _LETTERS) or "(not labelled)" for label, _ in bars]
            axes.set_yticks(range(len(bars)), names)
            axes.set_ylim(len(bars) - 0.4, -0.6)
            axes.set_xlim(0, 1.32 * most)
            axes.grid(visible=False, axis="y")
            axes.tick_params(axis="y", length=0)
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.locator_params(axis="x", nbins=5)
            axes.set_title(title)
        grid[-1].set_xlabel("Rows")
    return figure


def _bars(labels: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Return the labels most frequent first, what is not labelled last, and many small ones as one."""
    named = [(label, number) for label, number in labels.items() if label]
    bars = named if len(named) <= _SHOWN else named[: _SHOWN - 1]
    rest = named[len(bars) :]
    if rest:
        bars = [*bars, (f"({len(rest)} others)", sum(number for _, number in rest))]
    return [*bars, *((label, number) for label, number in labels.items() if not label)]

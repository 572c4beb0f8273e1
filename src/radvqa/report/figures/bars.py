"""Accuracy as bars with interval whiskers: beside the baselines, and by question type."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.marks import legend, legend_height, marks, whisker
from radvqa.report.figures.style import BASELINES, blank, in_percent, look, plain
from radvqa.report.scored import SUBSETS, Scored
from radvqa.report.tables import baseline_name
from radvqa.scoring.baselines import ECHO

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Bar = tuple[str, dict[str, Any], str]  # label, values with accuracy and interval, colour

SUBSET_TITLES = {"overall": "All questions", "open": "Open questions", "closed": "Closed questions"}


def by_subset(runs: Sequence[Scored]) -> "Figure | None":
    """Draw accuracy of runs and baselines, one panel each for all, open and closed questions.

    Returns:
        The figure, or None when no run has an accuracy.
    """
    numbers = {s: run.scores["subsets"][s]["n"] for run in runs for s in SUBSETS if s in run.scores["subsets"]}
    bars = {subset: found for subset in SUBSETS if subset in numbers and (found := _bars(runs, subset))}
    if not bars:
        return None
    with look():
        rows = sum(len(b) for b in bars.values())
        figure = blank(0.31 * rows + 0.42 * len(bars) + 0.5)
        panels = figure.subplots(
            len(bars), 1, sharex=True, squeeze=False, height_ratios=[len(b) for b in bars.values()]
        )
        for axes, (subset, found) in zip(panels[:, 0], bars.items(), strict=True):
            _draw(axes, found)
            axes.set_title(f"{SUBSET_TITLES[subset].split()[0]} (n = {numbers[subset]:,})")
        panels[-1, 0].set_xlabel("Accuracy, %")
    return figure


def _bars(runs: Sequence[Scored], subset: str) -> list[Bar]:
    bars: list[Bar] = [
        (run.name, run.scores["subsets"].get(subset, {}), mark.colour)
        for run, mark in zip(runs, marks(runs), strict=True)
    ]
    baselines = dict(runs[0].scores.get("baselines", {})) if runs else {}
    baselines.pop(ECHO, None)  # belongs beside overlap metrics; nobody's accuracy is near it
    for i, (name, values) in enumerate(baselines.items()):
        bars.append((baseline_name(name), values.get(subset, {}), BASELINES[i % len(BASELINES)]))
    return [bar for bar in bars if bar[1].get("accuracy") is not None]


def by_question_type(runs: Sequence[Scored]) -> "Figure | None":
    """Draw accuracy by question type, most frequent first; None when the data set names no types."""
    found = [run.scores.get("slices", {}).get("question_type", {}) for run in runs]
    kinds = {kind: values["n"] for types in found for kind, values in types.items()}
    if not kinds:
        return None
    ordered = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
    with look():
        height = 0.16 + 0.17 * len(runs)
        figure = blank(len(ordered) * height + 0.9 + legend_height(runs))
        axes = figure.subplots()
        step = 0.8 / len(runs)
        for i, (types, mark) in enumerate(zip(found, marks(runs), strict=True)):
            known = [(row, types[kind]) for row, kind in enumerate(ordered) if kind in types]
            centres = [row - 0.4 + step * (i + 0.5) for row, _ in known]
            values = [100 * (v["accuracy"] or 0.0) for _, v in known]
            axes.barh(centres, values, height=step * 0.86, color=mark.colour, alpha=0.85)
            for centre, (_, value) in zip(centres, known, strict=True):
                whisker(axes, centre, value.get("accuracy_interval"))
        axes.set_yticks(range(len(ordered)), [plain(f"{kind} ({kinds[kind]:,})", 30) for kind in ordered])
        axes.set_ylim(len(ordered) - 0.45, -0.55)
        axes.grid(visible=False, axis="y")
        in_percent(axes)
        axes.set_xlabel("Accuracy, %")
        axes.set_title("By question type (number of questions)")
        legend(figure, runs, bars=True)
    return figure


def _draw(axes: "Axes", bars: Sequence[Bar]) -> None:
    for row, (_, values, colour) in enumerate(bars):
        value = 100 * values["accuracy"]
        axes.barh(row, value, height=0.68, color=colour)
        right = max(value, whisker(axes, row, values.get("accuracy_interval")) or 0.0)
        axes.text(right + 2, row, f"{value:.1f}", va="center", ha="left", fontsize=9.5)
    axes.set_yticks(range(len(bars)), [plain(label, 34) for label, _, _ in bars])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 118)  # room for the number of a bar that reaches 100
    axes.set_xticks(range(0, 101, 20))

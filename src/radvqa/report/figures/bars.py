"""Accuracy as bars with interval whiskers: beside the baselines, and by question type."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import BASELINES, INK, RUNS, blank, in_percent, look, plain
from radvqa.report.scored import SUBSETS, Scored, groups
from radvqa.report.tables import baseline_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Bar = tuple[str, dict[str, Any], str]  # label, values with accuracy and interval, colour


def by_subset(runs: Sequence[Scored]) -> "Figure":
    """Draw accuracy of runs and baselines, one panel each for all, open and closed questions."""
    first = runs[0].scores
    subsets = [subset for subset in SUBSETS if subset in first["subsets"]]
    bars = {subset: _bars(runs, subset) for subset in subsets}
    with look():
        rows = sum(len(b) for b in bars.values())
        figure = blank(0.31 * rows + 0.42 * len(subsets) + 0.5)
        panels = figure.subplots(
            len(subsets), 1, sharex=True, squeeze=False, height_ratios=[len(bars[s]) for s in subsets]
        )
        titles = {"overall": "All questions", "open": "Open questions", "closed": "Closed questions"}
        for axes, subset in zip(panels[:, 0], subsets, strict=True):
            _draw(axes, bars[subset])
            axes.set_title(f"{titles[subset]} (n = {first['subsets'][subset]['n']:,})")
        panels[-1, 0].set_xlabel("Accuracy, %")
    return figure


def _bars(runs: Sequence[Scored], subset: str) -> list[Bar]:
    bars: list[Bar] = [
        (run.name, run.scores["subsets"].get(subset, {}), colour)
        for run, colour in zip(runs, _colours(runs), strict=True)
    ]
    for i, (name, values) in enumerate(runs[0].scores.get("baselines", {}).items()):
        bars.append((baseline_name(name), values.get(subset, {}), BASELINES[i % len(BASELINES)]))
    return [bar for bar in bars if bar[1].get("accuracy") is not None]


def _colours(runs: Sequence[Scored]) -> list[str]:
    """Give each recipe a colour; runs that differ in the seed alone share it."""
    members = groups(runs)
    return [RUNS[next(i for i, g in enumerate(members) if run in g.runs) % len(RUNS)] for run in runs]


def by_question_type(runs: Sequence[Scored]) -> "Figure | None":
    """Draw accuracy by question type, most frequent first; None when the data set names no types."""
    kinds = {k: v["n"] for run in runs for k, v in run.scores.get("question_types", {}).items()}
    if not kinds:
        return None
    ordered = sorted(kinds, key=lambda kind: (-kinds[kind], kind))
    with look():
        height = 0.16 + 0.17 * len(runs)
        figure = blank(len(ordered) * height + 0.9 + 0.2 * (len(runs) if len(runs) > 1 else 0))
        axes = figure.subplots()
        step = 0.8 / len(runs)
        for i, (run, colour) in enumerate(zip(runs, _colours(runs), strict=True)):
            found = run.scores.get("question_types", {})
            known = [(row, found[kind]) for row, kind in enumerate(ordered) if kind in found]
            centres = [row - 0.4 + step * (i + 0.5) for row, _ in known]
            values = [100 * (v["accuracy"] or 0.0) for _, v in known]
            axes.barh(centres, values, height=step * 0.86, color=colour, alpha=0.85, label=plain(run.name, 40))
            for centre, (_, value) in zip(centres, known, strict=True):
                _whisker(axes, centre, value)
        axes.set_yticks(range(len(ordered)), [plain(f"{kind} ({kinds[kind]:,})", 30) for kind in ordered])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        in_percent(axes)
        axes.set_xlabel("Accuracy, %")
        axes.set_title("By question type (number of questions)")
        if len(runs) > 1:
            figure.legend(loc="outside lower left", ncols=1)
    return figure


def _draw(axes: "Axes", bars: Sequence[Bar]) -> None:
    for row, (_, values, colour) in enumerate(bars):
        value = 100 * values["accuracy"]
        axes.barh(row, value, height=0.68, color=colour)
        right = max(value, _whisker(axes, row, values))
        axes.text(right + 2, row, f"{value:.1f}", va="center", ha="left", fontsize=9.5)
    axes.set_yticks(range(len(bars)), [plain(label, 34) for label, _, _ in bars])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 118)  # room for the number of a bar that reaches 100
    axes.set_xticks(range(0, 101, 20))


def _whisker(axes: "Axes", row: float, values: dict[str, Any]) -> float:
    """Draw an interval and return its upper end in percent; 0 without an interval."""
    interval = values.get("accuracy_interval")
    if interval is None:
        return 0.0
    low, high = (100 * limit for limit in interval)
    axes.plot([low, high], [row, row], color=INK, linewidth=1.2, marker="|", markersize=5, solid_capstyle="butt")
    return float(high)

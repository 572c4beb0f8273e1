"""What a sweep found: settings by their mean over seeds, and how their training went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.marks import LINE, dodge
from radvqa.report.figures.style import RUNS, blank, look, plain, zoomed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Found = Mapping[str, Any]  # what sweep.json holds

MOST_ROWS = 30  # settings in one figure
_COLOURED = len(RUNS)  # settings that can be told apart
_SHAPES = ("o", "s", "^", "D", "v", "P")
OTHER = "#b6c0cb"
_LETTERS = 34
_BELOW = 0.3  # of a row's height, where single seeds stand
_TITLES = {"exact_match": "Exact match", "token_f1": "Token-F1", "macro_f1": "Macro-F1", "top5": "Top-5 accuracy"}


@dataclass(frozen=True)
class Course:
    """How one run went.

    Attributes:
        setting: that the run belongs to.
        rows: of its history.
        kept: the row whose weights were kept; None when none is marked.
    """

    setting: str
    rows: Sequence[Mapping[str, Any]]
    kept: Mapping[str, Any] | None


@dataclass(frozen=True)
class Tone:
    """How a setting is drawn.

    Attributes:
        colour: of its lines.
        shape: of its points.
    """

    colour: str
    shape: str


def metric_title(metric: str) -> str:
    """Name a metric in a heading."""
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())


def scale(found: Found) -> float:
    """Return the factor to the unit that the selection metric is shown in: percent, or nats as they are."""
    return 1.0 if found["smaller_is_better"] else 100.0


def unit(found: Found) -> str:
    """Return what follows the metric's name on an axis."""
    return "" if found["smaller_is_better"] else ", %"


def ranked(found: Found) -> list[Mapping[str, Any]]:
    """Return the settings with a value, best first; equal ones in the grid's order."""
    sign = 1 if found["smaller_is_better"] else -1
    known = [setting for setting in found["settings"] if setting["selection"] is not None]
    return sorted(known, key=lambda setting: sign * setting["selection"]["mean"])


def tones(found: Found) -> dict[str, Tone]:
    """Give a colour and a shape to each setting; where there are too many, to the best ones."""
    shown = found["settings"] if len(found["settings"]) <= _COLOURED else ranked(found)[:_COLOURED]
    return {setting["name"]: Tone(RUNS[i], _SHAPES[i]) for i, setting in enumerate(shown)}


def setting_points(found: Found) -> "Figure | None":
    """Draw each setting's mean and sd over seeds, with the single seeds as small points; the chosen one is named bold.

    Returns:
        The figure, or None when no setting has a value.
    """
    known = ranked(found)[:MOST_ROWS]
    order = [setting for setting in found["settings"] if setting in known]
    if not order:
        return None
    selected = {run["name"]: run["selected"] for run in found["runs"]}
    factor = scale(found)
    with look():
        figure = blank(0.32 * len(order) + 0.95)
        axes = figure.subplots()
        for row, setting in enumerate(order):
            colour = RUNS[1] if setting["chosen"] else RUNS[0]
            singles = [factor * selected[name] for name in setting["runs"] if selected[name] is not None]
            below = [row + _BELOW] * len(singles)
            axes.plot(singles, below, "o", color=colour, alpha=0.45, markersize=4, markeredgewidth=0)
            mean, sd = factor * setting["selection"]["mean"], setting["selection"]["sd"]
            if sd is not None:
                axes.plot([mean - factor * sd, mean + factor * sd], [row, row], color=colour, linewidth=1.6, marker="|")
            axes.plot([mean], [row], "D" if setting["chosen"] else "o", color=colour, markersize=7.5)
        axes.set_yticks(range(len(order)), [plain(setting["name"], _LETTERS) for setting in order])
        for label, setting in zip(axes.get_yticklabels(), order, strict=True):
            label.set_fontweight("bold" if setting["chosen"] else "normal")
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.06)
        axes.set_xlabel(f"{metric_title(found['metric'])}{unit(found)}")
        axes.set_title("Settings on the selection split")
    return figure


def subset_lines(found: Found, which: str = "selection_subsets") -> "Figure | None":
    """Draw exact match and token-F1 over all, open and closed questions: a line for each setting, mean ± sd.

    Args:
        found: what was found.
        which: ``selection_subsets`` or ``test_subsets``.

    Returns:
        The figure, or None when no setting was scored so.
    """
    settings = [setting for setting in found["settings"] if setting[which]]
    style = {name: tone for name, tone in tones(found).items() if any(s["name"] == name for s in settings)}
    metrics = [m for m in ("exact_match", "token_f1") if any(m in s[which].get("overall", {}) for s in settings)]
    subsets = [s for s in ("overall", "open", "closed") if any(s in setting[which] for setting in settings)]
    if not metrics or not style:
        return None
    places = dict(zip(style, dodge(len(style), 0.3), strict=True))
    with look():
        figure = blank(2.0 * len(metrics) + 0.35 + LINE * (len(style) + 1))
        panels = figure.subplots(len(metrics), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        drawn: list[float] = []
        for axes, metric in zip(panels, metrics, strict=True):
            for setting in sorted(settings, key=lambda setting: setting["name"] in style):
                tone = style.get(setting["name"])
                drawn += _line(axes, setting[which], subsets, metric, tone, places.get(setting["name"], 0.0))
            axes.set_title(f"{metric_title(metric)}, %")
        panels[0].set_ylim(*zoomed(min(100.0, max(0.0, value)) for value in drawn))
        panels[-1].set_xticks(range(len(subsets)), [subset.capitalize() for subset in subsets])
        panels[-1].set_xlim(-0.4, len(subsets) - 0.6)
        _legend(figure, style, others=len(settings) > len(style))
    return figure


def _line(
    axes: "Axes",
    values: Mapping[str, Any],
    subsets: Sequence[str],
    metric: str,
    tone: Tone | None,
    place: float,
) -> list[float]:
    """Draw one setting's line with its spread, thin and grey where it has no colour; returns the ends, in percent."""
    xs, ys, ends = list[float](), list[float](), list[float]()
    for column, subset in enumerate(subsets):
        value = values.get(subset, {}).get(metric)
        if value is None:
            continue
        x, y, sd = column + place, 100 * value["mean"], 100 * (value["sd"] or 0.0)
        if sd and tone is not None:
            axes.plot([x, x], [y - sd, y + sd], color=tone.colour, linewidth=1.2, marker="_", markersize=5)
        xs.append(x)
        ys.append(y)
        ends += [y - sd, y + sd]
    if tone is None:
        axes.plot(xs, ys, color=OTHER, linewidth=1)
    else:
        axes.plot(xs, ys, color=tone.colour, marker=tone.shape, markersize=6)
    return ends


def validation_curves(found: Found, courses: Sequence[Course]) -> "Figure | None":
    """Draw the selection metric and the loss on the selection split by epoch, a line for each run; marks: kept epochs.

    Runs with several stages, or evaluated within epochs, are drawn by optimiser step.

    Returns:
        The figure, or None when no run has a history.
    """
    from matplotlib.ticker import MaxNLocator

    style = tones(found)
    by = "step" if any(_needs_steps(course) for course in courses) else "epoch"
    keys = [f"val_{found['metric']}", "val_loss"]
    keys = [key for key in dict.fromkeys(keys) if any(row.get(key) is not None for c in courses for row in c.rows)]
    if not keys:
        return None
    with look():
        figure = blank(2.2 * len(keys) + 0.35 + LINE * (len(style) + 1))
        panels = figure.subplots(len(keys), 1, sharex=True, squeeze=False)[:, 0]
        for axes, key in zip(panels, keys, strict=True):
            factor = 1.0 if key.endswith("loss") else 100.0
            for course in sorted(courses, key=lambda course: course.setting in style):
                _course(axes, course, by, key, factor, style.get(course.setting))
            name = metric_title(key.removeprefix("val_"))
            axes.set_title(f"{name}{'' if factor == 1.0 else ', %'} on the selection split")
            axes.margins(x=0.03)
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        panels[-1].set_xlabel("Optimiser step" if by == "step" else "Epoch (marked: the one kept)")
        _legend(figure, style, others=any(course.setting not in style for course in courses))
    return figure


def _course(axes: "Axes", course: Course, by: str, key: str, factor: float, tone: Tone | None) -> None:
    rows = [row for row in course.rows if row.get(key) is not None and row.get(by) is not None]
    points = [(row[by], factor * row[key]) for row in rows]
    if not points:
        return
    few = "." if len(points) <= 3 else ""  # one point makes no line
    colour = OTHER if tone is None else tone.colour
    axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.2, marker=few, alpha=0.9)
    kept = course.kept
    if tone is not None and kept is not None and kept.get(key) is not None and kept.get(by) is not None:
        x, y = kept[by], factor * kept[key]
        axes.plot([x], [y], tone.shape, color=colour, markersize=7.5, markeredgecolor="white", zorder=5)


def _needs_steps(course: Course) -> bool:
    stages = {row["stage"] for row in course.rows if row.get("stage") is not None}
    return len(stages) > 1 and all(row.get("step") is not None for row in course.rows)


def _legend(figure: "Figure", style: Mapping[str, Tone], *, others: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=tone.colour, marker=tone.shape, markersize=6, label=plain(name, _LETTERS))
        for name, tone in style.items()
    ]
    if others:
        handles.append(Line2D([], [], color=OTHER, label="other settings"))
    figure.legend(handles=handles, loc="outside lower left", ncols=1, borderpad=0.1, labelspacing=0.35)

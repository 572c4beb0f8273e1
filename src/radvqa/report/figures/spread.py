"""The same answers under every published rule: how much of a score is the rule."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.bars import SUBSET_TITLES
from radvqa.report.figures.marks import dodge, legend, legend_height, marks
from radvqa.report.figures.style import INK, blank, look, plain, zoomed
from radvqa.report.scored import SUBSETS, Scored
from radvqa.scoring.rule import RULES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.21  # inches
_STRIP = 0.17  # inches, of one run's strip
_LETTERS = 28  # of a rule's title


def rule_spread(runs: Sequence[Scored]) -> "Figure | None":
    """Draw, for all, open and closed questions, a strip for each run from its lowest to its highest rule.

    The run's own accuracy is the upright stroke in its strip; below, each rule has a row with its value.

    Returns:
        The figure, or None when no run was scored under published rules.
    """
    subsets = [subset for subset in SUBSETS if any(_values(run, subset) for run in runs)]
    if not subsets:
        return None
    rules = _ordered(runs)
    with look():
        rows = _STRIP * len(runs) + _ROW * len(rules) + 0.1
        figure = blank((rows + 0.55) * len(subsets) + 0.3 + legend_height(runs))
        panels = figure.subplots(len(subsets), 1, sharex=True, squeeze=False)[:, 0]
        shown: list[float] = []
        for axes, subset in zip(panels, subsets, strict=True):
            shown += _draw(axes, runs, subset, rules)
            axes.set_title(SUBSET_TITLES[subset])
        low, high = zoomed(shown)
        panels[0].set_xlim(low, high + 0.34 * (high - low))  # room for the numbers of the strips
        panels[0].set_xticks([tick for tick in panels[0].get_xticks() if low <= tick <= high])
        panels[-1].set_xlabel("Accuracy, %; stroke: our own rule")
        legend(figure, runs)
    return figure


def _values(run: Scored, subset: str) -> dict[str, float]:
    """Return the rules' values in percent."""
    rules: dict[str, Any] = run.scores.get("rules") or {}
    found = {rule: subsets.get(subset, {}).get("value") for rule, subsets in rules.items()}
    return {rule: 100 * value for rule, value in found.items() if value is not None}


def _ordered(runs: Sequence[Scored]) -> list[str]:
    """Return the rules, the mildest to the first run first."""
    rules = list(dict.fromkeys(rule for run in runs for rule in run.scores.get("rules") or {}))
    first = _values(runs[0], "overall")
    return sorted(rules, key=lambda rule: (-first.get(rule, -1.0), rule))


def rule_title(rule: str) -> str:
    """Name a rule for people; scores of another version may know rules that this one does not."""
    return RULES[rule].title if rule in RULES else rule.replace("_", " ")


def _draw(axes: "Axes", runs: Sequence[Scored], subset: str, rules: Sequence[str]) -> list[float]:
    """Draw one panel and return what it shows."""
    shown: list[float] = []
    first_row = _STRIP * len(runs) / _ROW  # rows are as wide as those of rules; strips lie above row 0
    for run, mark, place, small in zip(
        runs, marks(runs), dodge(len(runs), first_row), dodge(len(runs), 0.4), strict=True
    ):
        values, own = _values(run, subset), run.value(subset, "accuracy")
        if not values:
            continue
        strip = place - first_row / 2 - 0.75
        low, high = min(values.values()), max(values.values())
        axes.plot([low, high], [strip, strip], color=mark.colour, linewidth=6, alpha=0.35, solid_capstyle="butt")
        right = high
        if own is not None:
            axes.plot([100 * own], [strip], marker="|", color=mark.colour, markersize=10, markeredgewidth=2.5)
            right = max(high, 100 * own)
            shown.append(100 * own)
        said = f"{low:.1f} to {high:.1f}" if f"{low:.1f}" != f"{high:.1f}" else f"{low:.1f}"
        axes.annotate(
            said, (right, strip), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK
        )
        points = [(value, rules.index(rule) + small) for rule, value in values.items()]
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            mark.shape,
            color=mark.colour,
            markersize=5.5,
            label=run.name,
        )
        if len(runs) == 1:
            for x, y in points:
                axes.annotate(f"{x:.1f}", (x, y), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8.5)
        shown += values.values()
    labels = [plain(rule_title(rule), _LETTERS) for rule in rules]
    axes.set_yticks([-first_row / 2 - 0.75, *range(len(rules))], ["Lowest to highest", *labels])
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.axhline(-0.65, color=INK, linewidth=0.6)
    axes.set_ylim(len(rules) - 0.4, -first_row - 0.95)
    return shown

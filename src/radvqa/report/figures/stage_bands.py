"""The stages of a curriculum behind a figure: light bands with their names in a strip above."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radvqa.report.curriculum import Stage
from radvqa.report.figures.style import INK, MUTED, WIDTH, plain
from radvqa.report.figures.wrapping import letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAND = "#f3f5f8"  # behind every second stage
HEAD = ("#dfe5ec", "#eaeef3")  # of the strip
STRIP = 0.22  # inches of height of the strip
_MARGIN = 0.75  # inches of a figure's width that are not panel
_LETTER = 0.078  # inches of width of a letter of the strip
_NAME = 40  # letters of a stage's name


def fit(stages: Sequence[Stage], texts: Sequence[str]) -> bool:
    """Tell whether each text fits over its stage's band."""
    return all(fit_one(stage, text, stages[-1].ends) for stage, text in zip(stages, texts, strict=True))


def fit_one(stage: Stage, text: str, steps: int) -> bool:
    """Tell whether a text fits over a stage's band in a panel of so many steps."""
    return letters(text) + 1 <= (stage.ends - stage.begins) / max(1, steps) * (WIDTH - _MARGIN) / _LETTER


def names(stages: Sequence[Stage]) -> list[str]:
    """Return the stages' numbers and names as figures write them."""
    return [f"{stage.number} {plain(stage.name, _NAME)}" for stage in stages]


def strip(axes: "Axes", stages: Sequence[Stage]) -> None:
    """Write each stage's number and name over its band; the number alone where the name has no room."""
    steps = stages[-1].ends
    axes.set_ylim(0, 1)
    axes.grid(visible=False)
    axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
    for side in axes.spines.values():
        side.set_visible(False)
    for stage, name in zip(stages, names(stages), strict=True):
        axes.axvspan(stage.begins, stage.ends, color=HEAD[stage.number % 2], linewidth=0)
        text = name if fit_one(stage, name, steps) else str(stage.number)
        if fit_one(stage, text, steps):
            middle = (stage.begins + stage.ends) / 2
            axes.text(middle, 0.46, text, ha="center", va="center", fontsize=9, color=INK)


def bands(axes: "Axes", stages: Sequence[Stage]) -> None:
    """Draw the bands of a panel, and a thin line where a stage begins."""
    for stage in stages:
        if stage.number % 2 == 0:
            axes.axvspan(stage.begins, stage.ends, color=BAND, linewidth=0, zorder=0)
        if stage.number > 1:
            axes.axvline(stage.begins, color=MUTED, linewidth=0.6, alpha=0.6, zorder=1)

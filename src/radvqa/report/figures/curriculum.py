"""How a curriculum went: loss, the metric that chose, learning rates and the mix, stage by stage over the steps."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from radvqa.report.curriculum import Stage
from radvqa.report.figures import over_steps
from radvqa.report.figures.labels import Label, place_labels
from radvqa.report.figures.marks import LINE
from radvqa.report.figures.stage_bands import STRIP, bands, fit, names, strip
from radvqa.report.figures.style import MUTED, RUNS, blank, in_percent, look, plain
from radvqa.report.figures.wrapping import wrap
from radvqa.report.scored import Scored
from radvqa.report.selection import chosen_by, value_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LARGE, _SMALL = 1.75, 0.95  # inches of a panel's height
_BETWEEN = 0.4  # inches that a panel's title and the gap to the next take
_LETTERS = 62  # of a line above the panels
_BOLD = 44  # of a line of a title
_PAD = 17  # points between a panel and its title where a line stands between them
_PLACES = 60  # on a curve that labels keep away from
_RIM = 0.012  # of the width, so that a mark at the last step is whole
_FEW = 3  # looks that are shown as points, because they make no line


def curriculum_curves(run: Scored, stages: Sequence[Stage]) -> "Figure":
    """Draw the stages side by side over the steps of the run; in each, the look that was kept is marked.

    Above the loss, then what chose where that is a fraction, then learning rates and the mix where they change.

    Args:
        run: the run.
        stages: its stages, at least one.
    """
    chosen = any(not stage.by_loss for stage in stages)
    panels = [("loss", _LARGE), *([("chosen", _LARGE)] if chosen else [])]
    panels += [("rates", _SMALL)] if over_steps.rates_tell(stages) else []
    panels += [("shares", _SMALL)] if over_steps.shares_tell(stages) else []
    told = _told(run, stages)
    height = STRIP + sum(height + _BETWEEN for _, height in panels) + LINE * len(told.splitlines()) + 0.3
    if panels[-1][0] == "shares":
        height += LINE * over_steps.share_rows(stages) + 0.05
    with look():
        figure = blank(height)
        cells = figure.subplots(
            len(panels) + 1, 1, sharex=True, squeeze=False, height_ratios=[STRIP, *(height for _, height in panels)]
        )[:, 0]
        strip(cells[0], stages)
        labels: list[tuple[Axes, Label]] = []
        for axes, (what, _) in zip(cells[1:], panels, strict=True):
            if what == "loss":
                labels += _losses(axes, stages)
            elif what == "chosen":
                labels += _chosen(axes, stages)
            elif what == "rates":
                bands(axes, stages)
                over_steps.draw_rates(axes, stages)
            else:
                over_steps.draw_shares(axes, stages)
        cells[-1].set_xlabel("Step")
        cells[-1].set_xlim(0, stages[-1].ends * (1 + _RIM))
        figure.suptitle(told, x=0.01, ha="left", fontsize=10, color=MUTED)
        _place(labels)
    return figure


def _told(run: Scored, stages: Sequence[Stage]) -> str:
    """What stands above the panels: whose training it is, and the stages' names where they do not fit over them."""
    lines = [plain(f"Training of {run.name}", _LETTERS)]
    if not fit(stages, names(stages)):
        lines += wrap(" · ".join(names(stages)), _LETTERS)
    return "\n".join(lines)


def _losses(axes: "Axes", stages: Sequence[Stage]) -> list[tuple["Axes", Label]]:
    bands(axes, stages)
    labels = []
    for stage in stages:
        _line(axes, stage, "train_loss", 1.0, first=stage is stages[0])
        _line(axes, stage, "val_loss", 1.0, first=stage is stages[0])
        label = _kept(axes, stage, "val_loss", 1.0, first=stage is stages[0])
        if label is not None and stage.by_loss:
            labels.append((axes, label))
    axes.set_title("Loss")
    axes.set_ylim(bottom=0)
    axes.legend(loc="best")
    return labels


def _chosen(axes: "Axes", stages: Sequence[Stage]) -> list[tuple["Axes", Label]]:
    """Draw the value that chose in each stage; a stage that the loss chose has none here."""
    bands(axes, stages)
    labels = []
    for stage in stages:
        if not stage.by_loss:
            if not stage.where:  # training is measured over all questions
                _line(axes, stage, f"train_{stage.metric}", 100.0)
            _line(axes, stage, "selected", 100.0)
            label = _kept(axes, stage, "selected", 100.0)
            labels += [] if label is None else [(axes, label)]
    in_percent(axes, "y")
    said = [chosen_by(stage.metric, stage.where) for stage in stages]
    if len(set(said)) == 1:
        axes.set_title("\n".join(wrap(f"{said[0][0].upper()}{said[0][1:]}, %", _BOLD)))
    elif fit(stages, said):
        axes.set_title("Metric that chose, %", pad=_PAD)
        for stage, text in zip(stages, said, strict=True):
            _above(axes, (stage.begins + stage.ends) / 2, text, "center")
    else:
        listed = wrap(
            " · ".join(
                f"{s.number} {text}{' (above)' if s.by_loss else ''}" for s, text in zip(stages, said, strict=True)
            ),
            _LETTERS,
        )
        axes.set_title("Metric that chose, %", pad=_PAD + 11 * (len(listed) - 1))
        _above(axes, 0, "\n".join(listed), "left")
    return labels


def _above(axes: "Axes", x: float, text: str, side: Literal["left", "center"]) -> None:
    place = axes.get_xaxis_transform()
    said = axes.text(x, 1.02, text, transform=place, ha=side, va="bottom", fontsize=9, color=MUTED)
    said.set_in_layout(False)  # it is as wide as the panel, and has its room below the title


def _line(axes: "Axes", stage: Stage, key: str, factor: float, *, first: bool = False) -> None:
    rows = [row for row in stage.rows if row.get(key) is not None]
    training = key.startswith("train_")
    axes.plot(
        [row["step"] for row in rows],
        [factor * row[key] for row in rows],
        "--" if training else "-",
        color=MUTED if training else RUNS[0],
        marker="o" if len(rows) <= _FEW else "",
        markersize=4,
        label=("training" if training else "validation") if first else "_",
    )


def _kept(axes: "Axes", stage: Stage, key: str, factor: float, *, first: bool = False) -> Label | None:
    """Mark the look whose weights were kept; return a label with the value that chose."""
    row = stage.kept
    if row is None or row.get(key) is None:
        return None
    axes.axvline(row["step"], color=RUNS[1], linewidth=1, linestyle=":")
    value = factor * row[key]
    axes.plot([row["step"]], [value], "o", color=RUNS[1], markersize=6, label="kept" if first else "_", zorder=5)
    return Label(row["step"], value, value_words(stage.metric, stage.value), RUNS[1])


def _place(labels: Sequence[tuple["Axes", Label]]) -> None:
    for axes in dict.fromkeys(axes for axes, _ in labels):
        place_labels(axes, [label for where, label in labels if where is axes], list(_along_the_lines(axes)))


def _along_the_lines(axes: "Axes") -> Iterator[tuple[float, float]]:
    """Yield places close to each other on the curves, so that no number is written across one."""
    for line in axes.lines:
        xs, ys = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
        if len(xs) > 1 and xs[0] < xs[-1]:
            between = np.linspace(xs[0], xs[-1], _PLACES)
            yield from zip(between.tolist(), np.interp(between, xs, ys).tolist(), strict=True)

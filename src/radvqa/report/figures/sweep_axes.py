"""What a sweep's axes do: their main effects, two of them as a map, and what each setting cost."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.labels import Label, place_labels
from radvqa.report.figures.style import INK, MUTED, RUNS, blank, look, plain
from radvqa.report.figures.sweep import OTHER, Found, metric_title, ranked, scale, tones, unit
from radvqa.sweeping.choosing import main_effects

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST = 2
_DARK = 0.55  # of a map's range, from which its numbers are white


def effects(found: Found) -> "Figure | None":
    """Draw the mean of all settings with one value of an axis, axis by axis.

    Returns:
        The figure, or None with fewer than two axes beside the seed, where the settings themselves say it.
    """
    settings = [(s["values"], s["selection"]["mean"]) for s in found["settings"] if s["selection"] is not None]
    axes_ = {axis["key"]: axis["values"] for axis in _setting_axes(found)}
    if len(axes_) < _FEWEST or not settings:
        return None
    averaged = main_effects(axes_, settings)
    factor = scale(found)
    with look():
        figure = blank(1.75 * len(averaged) + 0.3)
        panels = figure.subplots(len(averaged), 1, sharey=True, squeeze=False)[:, 0]
        for panel, (key, values) in zip(panels, averaged.items(), strict=True):
            columns = range(len(values))
            for column, value in zip(columns, values, strict=True):
                singles = [factor * mean for chosen, mean in settings if chosen.get(key) == value]
                panel.plot([column] * len(singles), singles, "o", color=MUTED, alpha=0.35, markersize=4)
            means = [factor * summary["mean"] for summary in values.values()]
            panel.plot(columns, means, marker="o", color=RUNS[0], markersize=7)
            panel.set_xticks(columns, [plain(value, 18) for value in values])
            panel.set_xlim(-0.5, len(values) - 0.5)
            panel.set_title(plain(key, 44))
            panel.set_ylabel(f"{metric_title(found['metric'])}{unit(found)}", fontsize=9)
    return figure


def pairs(found: Found) -> "Figure | None":
    """Draw the means of two axes as a map, the chosen setting framed.

    Returns:
        The figure, or None unless there are exactly two axes beside the seed.
    """
    import numpy as np
    from matplotlib.patches import Rectangle

    axes_ = _setting_axes(found)
    if len(axes_) != 2:
        return None
    down, across = axes_
    grid = np.full((len(down["values"]), len(across["values"])), np.nan)
    chosen: tuple[int, int] | None = None
    for setting in found["settings"]:
        row = down["values"].index(setting["values"][down["key"]])
        column = across["values"].index(setting["values"][across["key"]])
        if setting["selection"] is not None:
            grid[row, column] = scale(found) * setting["selection"]["mean"]
        if setting["chosen"]:
            chosen = row, column
    if np.isnan(grid).all():
        return None
    low, high = float(np.nanmin(grid)), float(np.nanmax(grid))
    with look():
        figure = blank(0.42 * len(grid) + 1.35)
        panel = figure.subplots()
        panel.imshow(grid, cmap="Blues_r" if found["smaller_is_better"] else "Blues", aspect="auto")
        for row, column in np.ndindex(*grid.shape):
            value = float(grid[row, column])
            share = (value - low) / (high - low) if high > low else 0.0
            dark = (1 - share if found["smaller_is_better"] else share) >= _DARK
            said = "–" if math.isnan(value) else f"{value:.3g}" if found["smaller_is_better"] else f"{value:.1f}"
            panel.text(
                float(column), float(row), said, ha="center", va="center", fontsize=9.5, color="white" if dark else INK
            )
        if chosen is not None:
            frame = Rectangle((chosen[1] - 0.5, chosen[0] - 0.5), 1, 1, fill=False, edgecolor=RUNS[1], linewidth=2.5)
            frame.set_clip_on(False)
            panel.add_patch(frame)
        panel.set_xticks(range(len(across["values"])), [plain(value, 14) for value in across["values"]])
        panel.set_yticks(range(len(down["values"])), [plain(value, 18) for value in down["values"]])
        panel.set_xlabel(plain(across["key"], 44))
        panel.set_ylabel(plain(down["key"], 24))
        panel.set_title(f"{metric_title(found['metric'])}{unit(found)}, mean over seeds")
        panel.grid(visible=False)
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
    return figure


def costs(found: Found) -> "Figure | None":
    """Draw the selection metric against trained parameters and training time, a point for each setting.

    Returns:
        The figure, or None when fewer than two settings are known.
    """
    known = ranked(found)
    if len(known) < _FEWEST:
        return None
    with look():
        figure = blank(4.1)
        panels = figure.subplots(2, 1, sharey=True)
        labels = [_cost(panel, found, known, title, read) for panel, (title, read) in zip(panels, _COSTS, strict=True)]
        for panel, placed in zip(panels, labels, strict=True):
            place_labels(panel, placed)
    return figure


def _cost(
    panel: "Axes",
    found: Found,
    known: Sequence[Mapping[str, Any]],
    title: str,
    read: Callable[[Mapping[str, Any]], float | None],
) -> list[Label]:
    style, factor = tones(found), scale(found)
    labels = []
    for setting in known:
        x, tone = read(setting), style.get(setting["name"])
        if x is None:
            continue
        y, sd = factor * setting["selection"]["mean"], factor * (setting["selection"]["sd"] or 0.0)
        colour, shape = (OTHER, "o") if tone is None else (tone.colour, tone.shape)
        panel.plot([x, x], [y - sd, y + sd], color=colour, linewidth=1.2)
        panel.plot([x], [y], shape, color=colour, markersize=7)
        if tone is not None:
            labels.append(Label(x, y, plain(setting["name"], 22), colour))
    panel.set_xlabel(title)
    panel.set_ylabel(f"{metric_title(found['metric'])}{unit(found)}")
    panel.margins(x=0.16, y=0.18)
    panel.ticklabel_format(axis="x", style="plain", useOffset=False)
    return labels


def _millions(setting: Mapping[str, Any]) -> float | None:
    trainable = setting["trainable"]
    return None if trainable is None else float(trainable) / 1e6


def _minutes(setting: Mapping[str, Any]) -> float | None:
    seconds = setting["seconds"]
    return None if seconds is None else float(seconds["mean"]) / 60


_COSTS = (("Trained parameters, millions", _millions), ("Training time of one run, minutes", _minutes))


def _setting_axes(found: Found) -> list[Mapping[str, Any]]:
    keys = {key for setting in found["settings"] for key in setting["values"]}
    return [axis for axis in found["axes"] if axis["key"] in keys]

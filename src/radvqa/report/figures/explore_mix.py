"""Several data sets as one mix: shares as stacked bars, and everything at once as a map of tiles."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import BASELINES, INK, RUNS, blank, look, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {"categories": "Kind of question", "modalities": "Modality", "regions": "Body region"}

_LABELS = 12  # in one panel; the rest is one bar
_LETTERS = 24
_POINTS = 72
_MAP_HEIGHT = 3.9
_GAP = 0.35  # percent of the map's side between two data sets

Box = tuple[float, float, float, float]  # left, top, width, height


def mix_bars(mix: Mapping[str, Any], kind: str) -> "Figure | None":
    """Draw rows by label, each bar in parts by data set.

    Args:
        mix: several data sets side by side.
        kind: of ``KINDS``.

    Returns:
        The figure, or None when no data set has such labels.
    """
    labelled = [entry for entry in mix[kind] if entry["label"]]
    if not labelled:
        return None
    bars = [(entry["label"].replace("_", " "), entry["rows"]) for entry in labelled]
    if len(bars) > _LABELS:
        rest = [sum(rows) for rows in zip(*(rows for _, rows in bars[_LABELS - 1 :]), strict=True)]
        bars = [*bars[: _LABELS - 1], (f"({len(bars) - _LABELS + 1} others)", rest)]
    bars += [("(not labelled)", entry["rows"]) for entry in mix[kind] if not entry["label"]]
    names = [total["name"] for total in mix["totals"]]
    everything = sum(total["rows"] for total in mix["totals"])
    most = max(sum(rows) for _, rows in bars)
    with look():
        figure = blank(0.26 * len(bars) + 0.75 + 0.2 * len(names))
        axes = figure.subplots()
        for row, (_, rows) in enumerate(bars):
            left = 0
            for place, number in enumerate(rows):
                axes.barh(row, number, left=left, height=0.72, color=RUNS[place % len(RUNS)])
                left += number
            said = f"{left:,} · {100 * left / everything:.1f} %"
            axes.text(left + most / 80, row, said, va="center", ha="left", fontsize=9)
        axes.set_yticks(range(len(bars)), [plain(label, _LETTERS) for label, _ in bars])
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.set_xlim(0, 1.3 * most)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("Rows")
        axes.set_title(KINDS[kind])
        _legend(figure, names)
    return figure


def mix_map(mix: Mapping[str, Any], kind: str) -> "Figure | None":
    """Draw every data set as a tile of the map and its labels as tiles within, areas in proportion to rows.

    Returns:
        The figure, or None when there are no rows.
    """
    totals = [(place, total["rows"]) for place, total in enumerate(mix["totals"]) if total["rows"]]
    if not totals:
        return None
    order = sorted(totals, key=lambda item: -item[1])
    with look():
        figure = blank(_MAP_HEIGHT + 0.2 * len(totals) + 0.3)
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlim(0, 100)
        axes.set_ylim(100, 0)
        axes.set_title(f"{KINDS[kind]}, every data set a field")
        for (place, _), box in zip(order, squarified([rows for _, rows in order], (0, 0, 100, 100)), strict=True):
            inner = (box[0] + _GAP, box[1] + _GAP, box[2] - 2 * _GAP, box[3] - 2 * _GAP)
            parts = [(entry["label"], entry["rows"][place]) for entry in mix[kind] if entry["rows"][place]]
            parts.sort(key=lambda part: -part[1])
            tiles = squarified([rows for _, rows in parts], inner)
            for (label, rows), tile in zip(parts, tiles, strict=True):
                _tile(axes, tile, label, rows, RUNS[place % len(RUNS)])
        _legend(figure, [total["name"] for total in mix["totals"]])
    return figure


def _tile(axes: "Axes", box: Box, label: str, rows: int, colour: str) -> None:
    from matplotlib.patches import Rectangle

    left, top, width, height = box
    known = bool(label)
    axes.add_patch(
        Rectangle(
            (left, top), width, height, facecolor=colour if known else BASELINES[0], edgecolor="white", linewidth=1.2
        )
    )
    name = plain(label.replace("_", " "), 18) or "not labelled"
    across, down = 5.0 * _POINTS * width / 100, _MAP_HEIGHT * 0.9 * _POINTS * height / 100  # points
    size = min(9.5, across / (0.68 * max(len(name), 4)), down / 1.5)
    if size < 6.5:
        return  # no room that could be read
    number = f"\n{rows:,}" if down > 3.1 * size else ""
    axes.text(
        left + width / 2,
        top + height / 2,
        name + number,
        ha="center",
        va="center",
        fontsize=size,
        color="white" if known else INK,
        linespacing=1.2,
    )


def squarified(sizes: Sequence[float], box: Box) -> list[Box]:
    """Divide a box into tiles as square as can be, areas in proportion to some sizes.

    Source: Bruls, Huizing and van Wijk, "Squarified treemaps", 2000.

    Args:
        sizes: above 0, largest first.
        box: ``(left, top, width, height)``.

    Returns:
        A tile for each size, in their order.
    """
    tiles: list[Box] = []
    left, top, width, height = box
    rest = list(sizes)
    while rest:
        scale = width * height / sum(rest)
        short = min(width, height)
        taken = 1
        while taken < len(rest) and _worst(rest[: taken + 1], short, scale) <= _worst(rest[:taken], short, scale):
            taken += 1
        strip = sum(rest[:taken]) * scale / short  # how deep the tiles of this strip reach
        place = 0.0
        for size in rest[:taken]:
            side = size * scale / strip
            tiles.append((left, top + place, strip, side) if width >= height else (left + place, top, side, strip))
            place += side
        if width >= height:
            left, width = left + strip, width - strip
        else:
            top, height = top + strip, height - strip
        rest = rest[taken:]
    return tiles


def _worst(sizes: Sequence[float], short: float, scale: float) -> float:
    """Return the largest ratio of sides among tiles laid along the short side."""
    area = sum(sizes) * scale
    return max(
        max(short**2 * size * scale / area**2, area**2 / (short**2 * size * scale)) for size in (sizes[0], sizes[-1])
    )


def _legend(figure: "Figure", names: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=RUNS[i % len(RUNS)], label=plain(name, 46)) for i, name in enumerate(names)]
    figure.legend(
        handles=handles, loc="outside lower left", ncols=1, borderpad=0.1, labelspacing=0.35, handlelength=1.2
    )

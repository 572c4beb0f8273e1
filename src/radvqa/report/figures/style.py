"""One look for all figures, and the two ways in which they leave: a PNG file and a data address for HTML."""

import base64
import io
import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import files
from radvqa.report.figures.glyphs import font_families, missing_note, quiet_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 5.2  # inches: at a phone's 370 pixels the 10 point text below is still 10 pixels high
DPI = 150
_COLOURS = 96  # of a written PNG; drawings need no more, and a page of many figures stays light

INK = "#1c2430"
MUTED = "#5f6b7a"
GRID = "#e3e7ec"
RIGHT = "#1a7f5a"
WRONG = "#b3361b"
RUNS = ("#1f5fa8", "#c8611a", "#1a7f5a", "#8a4fa3", "#a8861f", "#3a8fa3")  # told apart also by the colour-blind
BASELINES = ("#d3d9e0", "#bcc5cf", "#a3aebb", "#8793a3")

_STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,  # a dollar sign in a question is a dollar sign, not a formula
}


@contextmanager
def look() -> Iterator[None]:
    """Apply the look while a figure is drawn; nothing global is changed."""
    from matplotlib import rc_context

    settings: Any = {**_STYLE, "font.family": list(font_families())}  # matplotlib types the names of its settings
    with rc_context(settings), quiet_fonts():
        yield


def blank(height: float, width: float = WIDTH) -> "Figure":
    """Make an empty figure, outside pyplot's global state, so that it needs no display and is freed with its last use.

    Args:
        height: in inches.
        width: in inches.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def in_percent(axes: "Axes", side: str = "x") -> None:
    """Let an axis of percentages run from 0 to 100."""
    if side == "x":
        axes.set_xlim(0, 100)
    else:
        axes.set_ylim(0, 100)


def plain(text: str, limit: int = 200) -> str:
    """Prepare a foreign text for a figure: one line, and not endless."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def zoomed(values: Iterable[float], step: int = 10) -> tuple[float, float]:
    """Return limits of an axis of percentages that show all values, in whole steps and within 0 and 100.

    For points and lines only; bars start at 0.
    """
    known = list(values)
    low = max(0, step * math.floor((min(known) - step / 4) / step))
    high = min(100, step * math.ceil((max(known) + step / 4) / step))
    margin = (high - low) / 25  # a point at 0 or 100 is not cut in half
    return low - margin, high + margin


def png(figure: "Figure", dpi: int = DPI, *, true_colours: bool = False) -> bytes:
    """Render a figure; the same figure gives the same bytes.

    Drawings are brought to few colours, which makes them light; pictures with maps over them keep ``true_colours``.
    Signs that no installed font has are drawn as boxes, and a line below the figure says so.
    """
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    texts = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text) and text.get_visible()]
    note = missing_note(texts)
    width, height = figure.get_size_inches()
    room = 0.2 * note.count("\n") + 0.25 if note else 0.0
    # below the figure's own area, so that its layout does not change
    said = figure.text(0.08 / width, -0.03 / height, note, fontsize=8.5, color=WRONG, va="top", in_layout=False)
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(), quiet_fonts():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            area = Bbox([[0, -room], [width, height]])
            figure.savefig(buffer, format="png", dpi=dpi, bbox_inches=area, metadata={"Software": None})
    finally:
        said.remove()
    return buffer.getvalue() if true_colours else _with_palette(buffer.getvalue())


def _with_palette(content: bytes) -> bytes:
    from PIL import Image

    from radvqa.data.image import decode

    buffer = io.BytesIO()
    drawn = Image.fromarray(decode(content)).convert("RGB")
    # kmeans: without it a thin line may get the colour of its neighbours
    small = drawn.quantize(_COLOURS, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    small.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def save_png(figure: "Figure", path: Path, *, true_colours: bool = False) -> None:
    """Write a figure as PNG, whole or not at all."""
    files.write_bytes(path, png(figure, true_colours=true_colours))


def to_data_uri(figure: "Figure", dpi: int = DPI) -> str:
    """Return a figure as an address that holds the picture itself."""
    return as_data_uri(png(figure, dpi))


def as_data_uri(content: bytes) -> str:
    """Return PNG bytes as an address that holds the picture itself."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")

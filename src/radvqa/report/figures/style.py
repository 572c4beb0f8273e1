"""One look for all figures, and the two ways in which they leave: a PNG file and a data address for HTML."""

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 5.2  # inches: at a phone's 370 pixels the 10 point text below is still 10 pixels high
DPI = 200

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

# Fonts with Chinese and Japanese signs, tried after the one that comes with matplotlib.
_MORE_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "PingFang SC", "Microsoft YaHei", "SimHei")


@contextmanager
def look() -> Iterator[None]:
    """Apply the look while a figure is drawn; nothing global is changed."""
    from matplotlib import font_manager, rc_context

    known = {font.name for font in font_manager.fontManager.ttflist}
    family = ["DejaVu Sans", *(name for name in _MORE_FONTS if name in known)]
    settings: Any = {**_STYLE, "font.family": family}  # matplotlib types the names of all its settings
    with rc_context(settings):
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


def png(figure: "Figure") -> bytes:
    """Render a figure; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Signs that no installed font has are drawn as boxes; that is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def save_png(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    files.write_bytes(path, png(figure))


def to_data_uri(figure: "Figure") -> str:
    """Return a figure as an address that holds the picture itself."""
    return as_data_uri(png(figure))


def as_data_uri(content: bytes) -> str:
    """Return PNG bytes as an address that holds the picture itself."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")

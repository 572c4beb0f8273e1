"""Which signs the installed fonts can draw, and the sentence about those that they cannot."""

import logging
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

FIRST = "DejaVu Sans"  # comes with matplotlib, and has the tick and the cross

# Fonts with Chinese and Japanese signs, tried after the first.
_MORE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)


def font_families() -> tuple[str, ...]:
    """Return the fonts to draw with, best first: matplotlib's own and the installed ones with Chinese signs."""
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return (FIRST, *(name for name in _MORE if name in known))


@cache
def _signs(family: str) -> frozenset[int]:
    """Return the code points that a font has."""
    from matplotlib import font_manager

    path = font_manager.findfont(font_manager.FontProperties(family=[family]))
    return frozenset(font_manager.get_font(path).get_charmap())


def missing_signs(texts: Iterable[str]) -> list[str]:
    """Return the signs, sorted, that no font of ``font_families`` has."""
    used = {sign for text in texts for sign in text if not sign.isspace()}
    lacking = {sign for sign in used if not sign.isascii()}
    for family in font_families():
        lacking -= {sign for sign in lacking if ord(sign) in _signs(family)}
    return sorted(lacking)


def missing_note(texts: Iterable[str]) -> str:
    """Say how many signs are drawn as boxes, of which scripts, and what to install; empty when all can be drawn."""
    lacking = missing_signs(texts)
    if not lacking:
        return ""
    scripts = sorted({_script(sign) for sign in lacking})
    number = "1 sign" if len(lacking) == 1 else f"{len(lacking)} signs"
    font = "Noto Sans CJK SC" if "Chinese" in scripts else "one that has them"
    said = f"Boxes stand for {number} ({', '.join(scripts[:3])}) that no font on this machine has; install {font}."
    return "\n".join(textwrap.wrap(said, 76))


_CHINESE = ("CJK", "FULLWIDTH", "IDEOGRAPHIC")


def _script(sign: str) -> str:
    """Name the script of a sign by the first word of its name: ARABIC, HANGUL."""
    first = unicodedata.name(sign, "OTHER").split()[0]
    return "Chinese" if first.startswith(_CHINESE) else first.title()


@contextmanager
def quiet_fonts() -> Iterator[None]:
    """Keep matplotlib from reporting that a font with Chinese signs has no bold face; its regular one is used."""
    log = logging.getLogger("matplotlib.font_manager")

    def keep(record: logging.LogRecord) -> bool:
        return "Failed to find font weight" not in record.getMessage()

    log.addFilter(keep)
    try:
        yield
    finally:
        log.removeFilter(keep)

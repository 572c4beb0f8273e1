"""Text written into a picture, in the font that Pillow brings along."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from radvqa.data.image import Pixels

_LARGEST, _SMALLEST = 0.08, 9  # height of letters: share of the shorter side, pixels
_BAND = 0.35  # of the picture's height that the text may cover
_MARGIN = 0.03  # of the width, on either side

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def can_be_written(text: str) -> bool:
    """Whether the font has every letter; only ASCII is sure."""
    return text.isascii() and text.isprintable()


def with_caption(pixels: Pixels, text: str) -> Pixels:
    """Write white text on a black band over the bottom of a picture; its size is kept.

    Letters are as high as 8 % of the shorter side, less where the text would cover more than a third of the picture.

    Args:
        pixels: ``(h, w)`` or ``(h, w, 3)``.
        text: one line; it is broken into as many as it needs.
    """
    canvas = Image.fromarray(pixels)
    draw = ImageDraw.Draw(canvas)
    width, height = canvas.size
    size = max(_SMALLEST, round(_LARGEST * min(width, height)))
    while True:
        font = ImageFont.load_default(size)
        lines = _broken(text, font, (1 - 2 * _MARGIN) * width)
        line_height = round(1.3 * size)
        if size <= _SMALLEST or len(lines) * line_height <= _BAND * height:
            break
        size = max(_SMALLEST, round(0.9 * size) if round(0.9 * size) < size else size - 1)
    top = height - len(lines) * line_height - line_height // 4
    draw.rectangle((0, top, width, height), fill="black")
    for number, line in enumerate(lines):
        draw.text((_MARGIN * width, top + number * line_height), line, fill="white", font=font)
    return np.asarray(canvas)


def _broken(text: str, font: Font, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines

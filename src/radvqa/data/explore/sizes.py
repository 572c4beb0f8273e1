"""Width, height and colours of pictures, from the headers of their files; no pixel is decoded where a header tells."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radvqa import console
from radvqa.data import image
from radvqa.errors import ImageError

TOP = 10
"""So many of the most frequent sizes are listed."""

_HEADS = (4096, 65536)  # bytes tried before the whole file; the first suffices for most
_ORIENTATION = 0x0112  # EXIF
_TURNED = range(5, 9)  # orientations that swap width and height
_GREY = {"1", "L", "LA", "La", "I", "F"}  # and I;16 with its variants
_BINS = 40  # on each side of the distribution


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture's file says of itself.

    Attributes:
        width: in pixels, turned upright.
        height: in pixels.
        colour: stored with colours; grey pictures often are.
    """

    width: int
    height: int
    colour: bool


Headers = Mapping[Path, Header | ImageError]
"""What is known of each file: its header, or why it cannot be read."""


def read_headers(paths: Iterable[Path]) -> Headers:
    """Read the header of each picture once; one that cannot be read gives the reason instead."""
    distinct = list(dict.fromkeys(paths))
    found: dict[Path, Header | ImageError] = {}
    with console.progress("reading picture headers", len(distinct)) as advance:
        for path in distinct:
            try:
                found[path] = _header(path)
            except ImageError as error:
                found[path] = error
            advance(1)
    return found


def count_sizes(paths: Iterable[Path], headers: Headers) -> dict[str, Any]:
    """Count the sizes of distinct pictures.

    Returns:
        ``pictures`` read, of which ``grey`` and ``colour``; ``unreadable`` with the first reason; smallest, median and
        largest width and height; ``sizes``, the number of distinct ones; the most frequent as ``[width, height,
        pictures]``; and the distribution as ``cells`` of ``step`` pixels: ``[column, row, pictures]``.
    """
    distinct = [headers[path] for path in dict.fromkeys(paths)]
    read = [header for header in distinct if isinstance(header, Header)]
    errors = [header for header in distinct if isinstance(header, ImageError)]
    sizes = Counter((header.width, header.height) for header in read)
    step = _step(max((max(size) for size in sizes), default=1))
    cells = Counter((header.width // step, header.height // step) for header in read)
    return {
        "pictures": len(read),
        "colour": sum(header.colour for header in read),
        "grey": sum(not header.colour for header in read),
        "unreadable": len(errors),
        "why": str(errors[0]) if errors else "",
        "width": _span([header.width for header in read]),
        "height": _span([header.height for header in read]),
        "sizes": len(sizes),
        "top": [[*size, n] for size, n in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:TOP]],
        "step": step,
        "cells": [[*cell, n] for cell, n in sorted(cells.items())],
    }


def _header(path: Path) -> Header:
    for most in _HEADS:
        try:
            with path.open("rb") as file:
                head = file.read(most)
        except OSError:
            break  # decoding says what is wrong
        try:
            with image.open_picture(head) as opened:
                return _told(opened)
        except Exception:  # noqa: S112 - a cut header makes the readers raise a dozen kinds; more bytes are tried next
            continue
    height, width, *colours = image.decode(path).shape
    return Header(width, height, bool(colours))


def _told(opened: Image.Image) -> Header:
    width, height = opened.size
    if "exif" in opened.info and opened.getexif().get(_ORIENTATION) in _TURNED:
        width, height = height, width
    return Header(width, height, opened.mode.partition(";")[0] not in _GREY)


def _span(values: list[int]) -> list[float] | None:
    return [min(values), float(np.median(values)), max(values)] if values else None


def _step(longest: int) -> int:
    step = 1
    while longest // step >= _BINS:
        step *= 2
    return step

"""The pictures that the starter model's gate is tried on: radiology that should pass, and what should not."""

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from radvqa.data import image, registry
from radvqa.errors import DataError

HOME = "slake:en"
"""What the model learned from."""

_DRAWN = 20
_SIDE = 256
_BT601 = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Pictures:
    """Pictures that the gate is tried on.

    Attributes:
        name: of the set.
        title: what they show.
        wanted: whether they should pass.
        read: returns the pictures of a sample of this size.
    """

    name: str
    title: str
    wanted: bool
    read: Callable[[int], Iterator[image.Pixels]]


def held_out(path: Path) -> bool:
    """Tell whether a picture is of the half that the gate was not developed on."""
    return zlib.crc32(path.name.encode()) % 2 == 1


def sampled(paths: Iterable[Path], pictures: int) -> list[Path]:
    """Draw pictures of the held-out half; the same names give the same draw.

    Raises:
        DataError: when there are none of that half.
    """
    kept = sorted((path for path in paths if held_out(path)), key=lambda path: path.as_posix())
    if not kept:
        raise DataError("None of the pictures is of the half that the gate was not developed on.")
    return sorted(Random(0).sample(kept, min(pictures, len(kept))))


def _of_data_set(name: str) -> Callable[[int], Iterator[image.Pixels]]:
    def read(pictures: int) -> Iterator[image.Pixels]:
        for path in sampled({sample.image_path for sample in registry.load(name)}, pictures):
            yield image.decode(path)

    return read


def _known(pictures: int) -> Iterator[image.Pixels]:
    paths = sorted({sample.image_path for sample in registry.load_split(HOME, "validate")})
    for path in Random(0).sample(paths, min(pictures, len(paths))):
        yield image.decode(path)


def _grey(read: Callable[[int], Iterator[image.Pixels]]) -> Callable[[int], Iterator[image.Pixels]]:
    return lambda pictures: (in_grey(pixels) for pixels in read(pictures))


def in_grey(pixels: image.Pixels) -> image.Pixels:
    """Take the colours out of a picture, as ITU-R BT.601 weighs them."""
    return pixels if pixels.ndim == 2 else np.round(pixels @ _BT601).astype(np.uint8)


def _mednist(pictures: int) -> Iterator[image.Pixels]:
    folder = Path(os.environ.get("RADVQA_DATA", "")) / "mednist"
    if not folder.is_dir():
        raise DataError("mednist is read from the folder mednist/ below RADVQA_DATA, which does not exist.")
    for path in sampled(folder.glob("*/*.jpeg"), pictures):
        yield image.decode(path)


def _blank(pictures: int) -> Iterator[image.Pixels]:
    for level in np.linspace(0, 255, min(pictures, _DRAWN)):
        yield np.full((_SIDE, _SIDE), round(level), np.uint8)


def _noise(pictures: int) -> Iterator[image.Pixels]:
    random = np.random.default_rng(0)
    for _ in range(min(pictures, _DRAWN)):
        yield random.integers(0, 256, (_SIDE, _SIDE), dtype=np.uint8)


def _text(pictures: int) -> Iterator[image.Pixels]:
    """Pages of words that mean nothing, black on white."""
    from PIL import Image, ImageDraw

    dice = Random(0)
    for _ in range(min(pictures, _DRAWN)):
        page = Image.new("L", (600, 800), 255)
        draw = ImageDraw.Draw(page)
        for top in range(30, 760, 16):
            words = ("".join(dice.choices("abcdefghijklmnoprstuvw", k=dice.randint(2, 9))) for _ in range(12))
            draw.text((30, top), " ".join(words), fill=0)
        yield np.asarray(page)


def _phantoms(pictures: int) -> Iterator[image.Pixels]:
    from radvqa.phantom import plan, study

    for case in plan.plan(min(pictures, _DRAWN) * 2, 0)[: min(pictures, _DRAWN)]:
        yield study.make(case, 0)[0].pixels


SETS = (
    Pictures("slake", "SLAKE, validation: the limit was set with these", True, _known),
    Pictures("vqa_rad", "VQA-RAD: radiographs, CT and MRI of another source", True, _of_data_set("vqa_rad")),
    Pictures("medpix2", "MedPix 2.0: CT and MRI of teaching cases", True, _of_data_set("medpix2")),
    Pictures("mednist", "MedNIST: 64 pixels; hands and breasts are new to the model", True, _mednist),
    Pictures("phantom", "Phantoms: drawn CT, MRI and radiographs", True, _phantoms),
    Pictures("daquar", "DAQUAR: rooms, in colour", False, _of_data_set("daquar")),
    Pictures("daquar in grey", "DAQUAR without its colours", False, _grey(_of_data_set("daquar"))),
    Pictures("path_vqa", "PathVQA: microscopy and specimens", False, _of_data_set("path_vqa")),
    Pictures("path_vqa in grey", "PathVQA without its colours", False, _grey(_of_data_set("path_vqa"))),
    Pictures("blank", "Drawn: one grey level", False, _blank),
    Pictures("noise", "Drawn: noise", False, _noise),
    Pictures("text", "Drawn: a page of text", False, _text),
)
"""The first is what the others are compared with."""

OTHER_HOSPITALS = ("vqa_rad", "medpix2")

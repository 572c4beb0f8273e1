"""Which picture of a file is meant: ``scan.dcm#frame=3``, ``ct.dcm#window=lung``, ``brain.nii.gz#slice=40``."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from radvqa import fingerprint
from radvqa.data.medical.window import PERCENTILES, PRESETS, Window
from radvqa.errors import ImageError, nearest

Axis = Literal["axial", "coronal", "sagittal"]
AXES: tuple[Axis, ...] = get_args(Axis)


@dataclass(frozen=True, slots=True)
class View:
    """One picture out of a file that holds several; what is None is left to the file's format.

    Attributes:
        frame: of a DICOM file, counted from 1 as DICOM counts.
        slice: of a NIfTI volume, counted from 0 as voxels are: axial from the feet up, coronal from the back to the
            front, sagittal from the patient's left to the right.
        axis: across which a NIfTI volume is cut.
        window: the name of a preset, ``percentiles``, or centre and width.
    """

    frame: int | None = None
    slice: int | None = None
    axis: Axis | None = None
    window: str | Window | None = None

    @property
    def asked(self) -> list[str]:
        """What is asked for, by key."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


@dataclass(frozen=True, slots=True)
class Address:
    """A file, and which picture of it.

    Attributes:
        path: the file.
        view: the picture.
    """

    path: Path
    view: View


def parse_address(path: Path) -> Address:
    """Split a path that ends in a fragment; a file that has the whole as its name is taken as it is.

    Args:
        path: ``FILE`` or ``FILE#key=value&key=value``; the keys are ``frame``, ``slice``, ``axis`` and ``window``.

    Raises:
        ImageError: names the key or value that is not known.
    """
    file, fragment = fingerprint.split_fragment(path)
    view = View()
    for part in filter(None, fragment.split("&")):
        key, equals, value = part.partition("=")
        if not equals or key not in _READERS:
            known = nearest(key, list(_READERS))
            raise ImageError(f"{path}: {key!r} is no key of an address such as 'scan.dcm#frame=3'; {known}")
        if getattr(view, key) is not None:
            raise ImageError(f"{path} gives {key} twice.")
        try:
            view = replace(view, **{key: _READERS[key](value)})
        except ValueError as error:
            raise ImageError(f"{path}: {error}") from None
    return Address(file, view)


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError(f"{value!r} is not a number of a frame or slice.")
    return int(value)


def _axis(value: str) -> Axis:
    for axis in AXES:
        if value == axis:
            return axis
    raise ValueError(f"{value!r} is not an axis; {nearest(value, list(AXES))}")


def _window(value: str) -> str | Window:
    name = value.lower().replace("-", "_").replace(" ", "_")
    if name in PRESETS or name == PERCENTILES:
        return name
    try:
        centre, width = (float(number) for number in value.split(","))
        return Window(centre, width)
    except ValueError:
        known = nearest(name, [*PRESETS, PERCENTILES])
        raise ValueError(f"{value!r} is no window, nor centre and width such as 40,400; {known}") from None


_READERS: dict[str, Callable[[str], Any]] = {"frame": _number, "slice": _number, "axis": _axis, "window": _window}

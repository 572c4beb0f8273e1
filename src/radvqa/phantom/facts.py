"""What is true of a picture, as plain values: all that questions are asked from."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from radvqa.phantom.canvas import ORGANS, Film, Slice
from radvqa.phantom.findings import Finding, boxes, organ_boxes
from radvqa.phantom.plan import Case

Box = tuple[int, int, int, int]

_VISIBLE = 90  # pixels that an organ must cover before somebody may be asked about it


@dataclass(frozen=True)
class FindingFacts:
    """A finding as the picture shows it.

    Attributes:
        kind: what it is.
        organ: where it is.
        size: ``Small`` or ``Large``.
        shape: ``Round``, ``Oval``, ``Irregular`` or ``Crescent``.
        centre: middle of its mask in pixels (x, y).
        area: of its mask in pixels.
        contrast: ``Brighter`` or ``Darker`` than the tissue in whose place it is.
        grey: mean grey level of its pixels.
        box: left, top, width and height in pixels.
    """

    kind: str
    organ: str
    size: str
    shape: str
    centre: tuple[float, float]
    area: int
    contrast: str
    grey: float
    box: Box


@dataclass(frozen=True)
class Facts:
    """A picture's truth.

    Attributes:
        number: of the image.
        case: the patient's name.
        split: the split.
        modality: ``CT``, ``MRI`` or ``X-Ray``.
        region: ``Head``, ``Chest`` or ``Abdomen``.
        plane: the plane as an answer.
        contrast: of an MRI, else ``CT`` or ``film``.
        window: of a CT, else empty.
        twin: how the case's pictures differ; empty for a single picture.
        enlarged: whether the heart is enlarged.
        organs: visible organs with their boxes.
        found: the findings.
    """

    number: int
    case: str
    split: str
    modality: str
    region: str
    plane: str
    contrast: str
    window: str
    twin: str
    enlarged: bool
    organs: tuple[tuple[str, Box], ...]
    found: tuple[FindingFacts, ...]

    @property
    def image(self) -> str:
        """The image's name in the data set."""
        return image_name(self.number)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "image": self.image}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Facts":
        """Read what ``as_json`` wrote, before or after it went through JSON."""
        plain = {key: value for key, value in values.items() if key != "image"}
        plain["organs"] = tuple((name, tuple(box)) for name, box in values["organs"])
        plain["found"] = tuple(
            FindingFacts(**{**one, "centre": tuple(one["centre"]), "box": tuple(one["box"])}) for one in values["found"]
        )
        return cls(**plain)


def image_name(number: int) -> str:
    """Return an image's name in the data set."""
    return f"images/{number:06d}.png"


def of_picture(
    case: Case,
    number: int,
    pixels: np.ndarray[Any, np.dtype[np.uint8]],
    organs: np.ndarray[Any, np.dtype[np.uint8]],
    marks: np.ndarray[Any, np.dtype[np.uint8]],
    found: tuple[Finding, ...],
    change: np.ndarray[Any, Any],
) -> Facts:
    """Collect the facts of one picture.

    Args:
        case: its case.
        number: of the image.
        pixels: grey levels.
        organs: map of organs.
        marks: map of findings.
        found: the findings, in the order of their marks.
        change: what the findings changed in the signal, per pixel.
    """
    areas = np.bincount(organs.ravel(), minlength=len(ORGANS))
    seen = tuple((name, box) for name, box in organ_boxes(organs) if areas[ORGANS.index(name)] >= _VISIBLE)
    spots = dict(boxes(marks, ["", *(str(place) for place in range(1, len(found) + 1))]))
    described = []
    for place, finding in enumerate(found, start=1):
        inside = marks == place
        y, x = np.argwhere(inside).mean(axis=0)
        described.append(
            FindingFacts(
                kind=finding.kind,
                organ=finding.organ,
                size=finding.size,
                shape=finding.shape,
                centre=(round(float(x), 1), round(float(y), 1)),
                area=int(inside.sum()),
                contrast="Brighter" if float(change[inside].mean()) > 0 else "Darker",
                grey=round(float(pixels[inside].mean()), 1),
                box=spots[str(place)],
            )
        )
    return Facts(
        number=number,
        case=case.name,
        split=case.split,
        modality=case.modality,
        region=case.region,
        plane=case.plane,
        contrast=case.contrast,
        window=case.window,
        twin=case.twin,
        enlarged=case.enlarged,
        organs=seen,
        found=tuple(described),
    )


def signal_of(body: Slice | Film) -> np.ndarray[Any, Any]:
    """Return the values that a body's picture is taken from."""
    return np.asarray(body.signal if isinstance(body, Slice) else body.integral)

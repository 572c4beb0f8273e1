"""A picture that was handed to the service, and which part of it is meant."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from radvqa.data.medical.reading import Kind


class View(BaseModel):
    """Which picture of a file is meant, and how its greys are shown.

    A window of an ordinary picture works on its 8-bit greys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame: int | None = Field(None, ge=1, le=100_000, description="Of a DICOM file, counted from 1.")
    slice: int | None = Field(None, ge=0, le=100_000, description="Of a NIfTI volume, counted from 0.")
    axis: Literal["axial", "coronal", "sagittal"] | None = Field(None, description="Across which a volume is cut.")
    window: tuple[float, float] | None = Field(None, description="Centre and width, in the picture's unit.")


@dataclass(frozen=True)
class Truth:
    """What a data set says about a picture.

    Attributes:
        data: name of the data set.
        split: the sample's.
        id: of the sample.
        question: as put.
        answer: as stored.
        answer_type: ``OPEN`` or ``CLOSED``.
        image: name of the picture in the data set.
    """

    data: str
    split: str
    id: str
    question: str
    answer: str
    answer_type: str
    image: str


@dataclass(frozen=True)
class Picture:
    """A picture in memory.

    Attributes:
        id: by which askers name it; cannot be guessed.
        name: of the file, without folders; for people.
        kind: by its content.
        content: the file.
        width: of the first view, in pixels.
        height: of the first view, in pixels.
        frames: of a DICOM file; 1 otherwise.
        axes: slices by axis of a volume; empty otherwise.
        unit: of the greys, ``HU`` where it is known.
        window: centre and width that show it first; None for colours, and where a table of the file shows it.
        ct: whether windows for CT fit.
        digest: of the file.
        has_text: whether text was found in the picture; None when nobody looked.
        truth: what the data set says, of a sample.
    """

    id: str
    name: str
    kind: Kind
    content: bytes
    width: int
    height: int
    frames: int = 1
    axes: tuple[tuple[str, int], ...] = ()
    unit: str = ""
    window: tuple[float, float] | None = None
    ct: bool = False
    digest: str = ""
    has_text: bool | None = None
    truth: Truth | None = None

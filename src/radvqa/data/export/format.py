"""The seam for formats: what a file of ``formats/`` must offer to be one name away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from radvqa.data import image
from radvqa.data.export.pictures import Pictures
from radvqa.registry import Registry
from radvqa.sample import Sample


@dataclass(frozen=True, slots=True)
class Exported:
    """A row that was read back.

    Attributes:
        sample: as it was written, but for ``image_path``: where the copy lies, or would lie if it were a file.
        content: the picture's bytes where they are inside the file of rows; None where the picture is a file.
    """

    sample: Sample
    content: bytes | None = None

    def picture(self) -> bytes:
        """Return the picture's bytes.

        Raises:
            ImageError: when its file is gone.
        """
        return image.read_bytes(self.sample.image_path) if self.content is None else self.content


class Format(Protocol):
    """One way in which a data set is written."""

    about: str
    """A sentence for the card."""

    suffix: str
    """Of a split's file, with the folder before its name where there is one: ``data/{}.parquet``."""

    inside: bool
    """Whether copies of the pictures are kept inside the file of rows instead of beside it."""

    def write(self, path: Path, samples: Sequence[Sample], pictures: Pictures) -> None:
        """Write the rows of one split; memory does not grow with their number.

        Raises:
            DataError: when a row cannot be written; names it.
        """
        ...

    def read(self, path: Path, folder: Path) -> Iterator[Exported]:
        """Yield the rows of one split in order.

        Args:
            path: the split's file.
            folder: of the whole export, that pictures are found below.

        Raises:
            DataError: when the file is not what ``write`` writes; names file and row.
        """
        ...

    def card(self, files: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return what the head of the card says about (split, file), for tools that look there."""
        ...


FORMATS: Registry[Format] = Registry("radvqa.data.export.formats", "FORMAT")

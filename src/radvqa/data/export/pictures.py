"""The pictures of an export: copied under names that are safe, or referred to where they lie."""

import re
import shutil
from pathlib import Path, PurePosixPath
from typing import Literal

from radvqa import fingerprint
from radvqa.data import image
from radvqa.sample import Sample

Images = Literal["copy", "reference"]

FOLDER = "images"

_PLAIN = re.compile(r"\w[\w .-]*(/\w[\w .-]*)*")
_LONGEST = 120  # characters of a name that is kept
_SUFFIX = re.compile(r"\.\w{1,8}")


class Pictures:
    """Names for the pictures of an export; one picture has one name however many rows show it.

    Args:
        folder: of the export.
        images: ``copy``, or ``reference`` for the absolute path on this machine.
        inside: whether copies are kept inside the file of rows.
    """

    def __init__(self, folder: Path, images: Images, *, inside: bool) -> None:
        self.folder, self.images, self.inside = folder, images, inside
        self._names: dict[Path, str] = {}
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._last: tuple[Path, bytes] | None = None

    def __len__(self) -> int:
        return len(self._names)

    def name(self, sample: Sample) -> str:
        """Return how rows name a picture: below the export's folder, or its absolute path; copy it the first time."""
        path = sample.image_path
        if path not in self._names:
            self._names[path] = str(path.absolute()) if self.images == "reference" else self._new_name(sample)
            if self.images == "copy" and not self.inside:
                target = self.folder / self._names[path]
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        return self._names[path]

    def content(self, sample: Sample) -> bytes | None:
        """Return a picture's bytes where they belong inside the file of rows; rows about one picture share them.

        Raises:
            ImageError: when it cannot be read.
        """
        if self.images == "reference" or not self.inside:
            return None
        if self._last is None or self._last[0] != sample.image_path:
            self._last = (sample.image_path, image.read_bytes(sample.image_path))
        return self._last[1]

    def _new_name(self, sample: Sample) -> str:
        """Keep the data set's own name where it is a plain one and free; else make one of its digest."""
        name = sample.image
        above = {str(parent) for parent in PurePosixPath(name).parents}
        free = name not in self._files | self._folders and not above & self._files
        if not (free and len(name) <= _LONGEST and name.isascii() and _PLAIN.fullmatch(name)):
            suffix = sample.image_path.suffix
            digest = fingerprint.of_value([name, str(sample.image_path)])[:32]
            name = digest + (suffix if _SUFFIX.fullmatch(suffix) and suffix.isascii() else "")
            above = set()
        self._files.add(name)
        self._folders |= above
        return f"{FOLDER}/{name}"

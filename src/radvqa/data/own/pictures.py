"""From a cell of the image column to a picture: a file of the folder, or bytes that are kept in the cache."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radvqa import files, fingerprint
from radvqa.data.pictures_by_stem import PicturesByStem

_MARKS = {b"\x89PNG": ".png", b"\xff\xd8": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"II*\0": ".tif", b"MM\0*": ".tif"}


class Pictures:
    """The pictures of one table.

    Args:
        folder: where named pictures lie; None when the table holds them all.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._by_stem = PicturesByStem(folder) if folder is not None else None
        self._known: dict[str, tuple[str, Path]] = {}

    def find(self, cell: Any) -> tuple[str, Path]:
        """Return a picture's name, equal for equal files, and the file.

        Args:
            cell: a file name, the bytes of a picture, or ``{"bytes": …, "path": …}`` as ``datasets`` writes it.

        Raises:
            ValueError: says what is wrong with the cell, without its place.
        """
        if isinstance(cell, Mapping) and ("bytes" in cell or "path" in cell):
            cell = cell.get("bytes") or cell.get("path")
        if isinstance(cell, bytes | bytearray):
            return _kept(bytes(cell))
        if not isinstance(cell, str) or not cell.strip():
            found = "nothing" if cell is None or cell == "" else type(cell).__name__
            raise ValueError(f"there is no picture: expected a file name, found {found}.")
        name = cell.strip()
        if name not in self._known:
            self._known[name] = self._named(name)
        return self._known[name]

    def _named(self, name: str) -> tuple[str, Path]:
        if self._folder is None or self._by_stem is None:
            raise ValueError(f"the picture {name!r} is a file name, but `images` names no folder; add it.")
        root = os.path.abspath(self._folder)  # noqa: PTH100 - resolve() would follow links out of the folder
        inside = os.path.relpath(os.path.join(root, name.replace("\\", "/")), root)  # noqa: PTH118
        if inside.startswith(os.pardir):
            raise ValueError(
                f"the picture {Path(name).name!r} lies outside the folder {self._folder}; "
                f"put it there, and name it relative to that folder."
            )
        # `scan.dcm#frame=3` is a part of a file: the file is looked for, the part stays in the name
        file, part = fingerprint.split_fragment(self._folder / inside)
        path = self._by_stem.path(file.relative_to(self._folder).as_posix())
        if not path.is_file():
            raise ValueError(f"the picture {Path(inside).as_posix()!r} is not in the folder {self._folder}.")
        path = path.with_name(f"{path.name}#{part}") if part else path
        return path.relative_to(self._folder).as_posix(), path


def _kept(content: bytes) -> tuple[str, Path]:
    """Write a picture once, under the name of its content."""
    digest = fingerprint.of_bytes(content)
    suffix = next((suffix for mark, suffix in _MARKS.items() if content.startswith(mark)), "")
    name = digest[:32] + suffix
    path = files.cache_folder() / "pictures" / digest[:2] / name
    if not path.is_file():
        files.write_bytes(path, content)
    return name, path

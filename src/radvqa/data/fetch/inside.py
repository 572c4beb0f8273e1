"""Names that a source gives to files: only those that stay inside the folder are used."""

import os
import re
import unicodedata
from pathlib import Path

from radvqa.errors import DataError

_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST = 255  # bytes of one name, the limit of common file systems


def inside(folder: Path, name: str, where: str) -> Path:
    """Return the path of a member below a folder.

    Args:
        folder: that it must stay in.
        name: as the source gives it, with ``/`` between folders.
        where: the archive or table that gives the name, for the message.

    Raises:
        DataError: when the name is absolute, leads out with ``..``, or cannot be the name of a file.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in parts or "\\" in name:
        raise DataError(f"{where} holds {name!r}, which leads out of its folder; nothing of it was unpacked.")
    if any(_cannot_be_a_name(part) for part in parts):
        raise DataError(f"{where} holds {name!r}, which cannot be the name of a file; nothing of it was unpacked.")
    return folder.joinpath(*parts)


def _cannot_be_a_name(part: str) -> bool:
    try:
        too_long = len(os.fsencode(part)) > _LONGEST
    except UnicodeEncodeError:
        return True
    return too_long or any(unicodedata.category(character) == "Cc" for character in part)

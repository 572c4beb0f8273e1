"""Archives unpack in more than one way; find the folder that is there."""

from collections.abc import Sequence
from pathlib import Path


def first_folder(folder: Path, places: Sequence[str]) -> Path:
    """Return the first of these sub-folders that exists, else the first, so that an error names it.

    Args:
        folder: the data set's.
        places: sub-folders, the most likely first; a folder inside another of the list before that other.
    """
    return next((folder / place for place in places if (folder / place).is_dir()), folder / places[0])

"""Room on the disk: asked for before it is needed, and named in bytes when it is not there."""

import shutil
from pathlib import Path

from radvqa.errors import DataError


def free_bytes(place: Path) -> int:
    """Return what is free where ``place`` lies or will lie."""
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def require(place: Path, needed: int, what: str) -> None:
    """Make sure that there is room.

    Args:
        place: a file or folder on the disk in question.
        needed: bytes that are still to be written.
        what: what they are for, for the message.

    Raises:
        DataError: when fewer bytes are free.
    """
    free = free_bytes(place)
    if needed > free:
        raise DataError(
            f"{what} needs {needed:,} bytes in {place}, and {free:,} are free; make room, or name another place "
            f"with --out."
        )


def cannot_write(place: Path, needed: int, error: OSError, what: str) -> DataError:
    """Say that writing failed half-way, as on a full disk.

    Args:
        place: what was written.
        needed: bytes that were still to come.
        error: what the operating system says.
        what: what the bytes are for.
    """
    return DataError(
        f"{what} cannot be written to {place} ({error.strerror}): {needed:,} bytes more are needed and "
        f"{free_bytes(place):,} are free; make room and fetch again, it goes on where it stopped."
    )

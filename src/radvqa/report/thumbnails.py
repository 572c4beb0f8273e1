"""Small pictures for the page, from what ``radvqa predict`` keeps in the run folders; each is embedded once."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from radvqa.errors import DataError
from radvqa.report.examples import listed_files
from radvqa.report.scored import Scored

MOST = 12_000_000  # characters of all pictures of a page
_LARGEST = 200_000  # bytes of one picture; those that predict writes have a few thousand


@dataclass(frozen=True)
class Thumbnails:
    """Pictures for a page.

    Attributes:
        pictures: image name → address that holds the picture itself.
        left_out: how many are there but did not fit.
        known: whether any run keeps small pictures at all.
    """

    pictures: dict[str, str]
    left_out: int
    known: bool


def thumbnails(runs: Sequence[Scored], wanted: Iterable[str], most: int = MOST) -> Thumbnails:
    """Gather small pictures until the page has enough.

    Args:
        runs: whose folders to look into; the first that has a picture gives it.
        wanted: image names, the most important first.
        most: characters for all of them.

    Raises:
        DataError: when a run's list of pictures names anything but a WebP file beside it.
    """
    paths: dict[str, Path] = {}
    for run in runs:
        if run.run is not None:
            for name, path in listed_files(run.run.thumbnails(run.answers) / "index.json").items():
                paths.setdefault(name, path)
    taken: dict[str, str] = {}
    room, left_out = most, 0
    for name in dict.fromkeys(wanted):
        if name not in paths:
            continue
        address = _embedded(paths[name]) if room > 0 else ""
        if not address or len(address) > room:
            room, left_out = 0, left_out + 1
        else:
            taken[name] = address
            room -= len(address)
    return Thumbnails(taken, left_out, bool(paths))


def _embedded(path: Path) -> str:
    return "data:image/webp;base64," + base64.b64encode(small_picture(path)).decode("ascii")


def small_picture(path: Path) -> bytes:
    """Read a small picture as ``radvqa predict`` writes it.

    Raises:
        DataError: when it cannot be read, or is anything else.
    """
    try:
        with path.open("rb") as handle:
            content = handle.read(_LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; `radvqa predict` makes the pictures anew.") from None
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) > _LARGEST:
        raise DataError(f"{path} is not a small WebP picture; `radvqa predict` makes the pictures anew.")
    return content

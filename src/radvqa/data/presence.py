"""What of a data set lies on this machine, told from names of files alone: nothing is opened."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from radvqa.data.dataset import Facts, Version

State = Literal["here", "partly", "not here"]


@dataclass(frozen=True)
class Presence:
    """What is there.

    Attributes:
        state: ``here``, ``partly`` or ``not here``.
        missing: what a version is read from and is not there, below the data set's folder.
    """

    state: State
    missing: tuple[str, ...] = ()


def of_version(facts: Facts, version: Version) -> Presence:
    """Look for the files of a version; where it names none, its folder counts."""
    if not facts.folder:
        return Presence("here")
    root = os.environ.get("RADVQA_DATA")
    folder = Path(root) / facts.folder if root else None
    if folder is None or not folder.is_dir():
        return Presence("not here", (f"{facts.folder}/",))
    missing = tuple(name for name in version.files if not _is_there(folder, name))
    if not missing:
        return Presence("here")
    return Presence("not here" if missing[0] == version.files[0] else "partly", missing)


def of_all(presences: Iterable[Presence]) -> State:
    """Sum up the versions of a data set: ``here`` when every one is, ``not here`` when none is."""
    states = {presence.state for presence in presences}
    return states.pop() if len(states) == 1 else "partly"


def _is_there(folder: Path, name: str) -> bool:
    """Look for a file or folder; ``*`` stands for the number of a part."""
    return any(folder.glob(name)) if "*" in name else (folder / name).exists()

"""Maps of a whole test set with what was measured of them, as files in the run folder.

explained{suffix}/METHOD.jsonl   a row for each question: id and the numbers of ``Measured``
explained{suffix}/METHOD.npz     ``maps``, ``(questions, r, c)``: the maps, coarse, in the order of the rows
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radvqa import files
from radvqa.errors import RunError

SIDE = 24
"""Rows and columns of a map that is kept."""


@dataclass(frozen=True)
class Measured:
    """What was measured of one map; None where it could not be.

    Attributes:
        id: of the question.
        hit: whether its highest place lies in what the question is about.
        energy: share of it inside.
        overlap: best intersection over union.
        area: share of the picture that the place takes, which chance gives for ``hit`` and ``energy``.
        deletion: area under the answer's probability while the most important pixels go; small is good.
        insertion: the same while they come; large is good.
        outside_body: share of the map on black background outside the body.
        on_text: share of it on burned-in letters and markers.
    """

    id: str
    hit: float | None = None
    energy: float | None = None
    overlap: float | None = None
    area: float | None = None
    deletion: float | None = None
    insertion: float | None = None
    outside_body: float | None = None
    on_text: float | None = None


@dataclass(frozen=True)
class KeptMaps:
    """All maps of one method.

    Attributes:
        method: its name.
        measured: of each map.
        maps: ``(questions, r, c)``, half precision; each is scaled so that its largest value is 1, or is zeros.
    """

    method: str
    measured: Sequence[Measured]
    maps: NDArray[np.float16]


def write(folder: Path, kept: KeptMaps) -> None:
    """Write what a method found; the rows come last, so that a table that is there is whole."""
    files.write_arrays(folder / f"{kept.method}.npz", maps=kept.maps.astype(np.float16))
    files.write_jsonl(folder / f"{kept.method}.jsonl", [asdict(one) for one in kept.measured])


def methods(folder: Path) -> list[str]:
    """Names of the methods that a folder holds."""
    return sorted(path.stem for path in folder.glob("*.jsonl"))


def read(folder: Path, method: str) -> KeptMaps:
    """Read what a method found.

    Raises:
        RunError: when there is no such table, or its two files do not belong together.
    """
    rows, maps = folder / f"{method}.jsonl", folder / f"{method}.npz"
    if not rows.is_file() or not maps.is_file():
        raise RunError(
            f"{folder} holds no maps by {method}; `radvqa explain RUN --data NAME --split SPLIT` makes them."
        )
    measured = [Measured(**row) for row in files.read_jsonl(rows)]
    with np.load(maps, allow_pickle=False) as held:
        found = KeptMaps(method, measured, held["maps"])
    if len(found.maps) != len(measured):
        raise RunError(f"{maps} holds {len(found.maps)} maps and {rows} {len(measured)} rows; make them again.")
    return found

"""Near-duplicate pictures within and between splits, as counts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from radvqa.data.dataset import Problems
from radvqa.data.leaks.looks import SIDE, look_at
from radvqa.data.leaks.near import LEAST_CORRELATION, MOST_BITS, near_pairs

_EXAMPLES = 5

Group = tuple[str, Mapping[str, Path]]  # name of a split, its pictures' files by the picture's name


def count_near(groups: Sequence[Group], used_by: Mapping[Path, str], problems: Problems) -> dict[str, Any]:
    """Count pictures that are the same or nearly so.

    Args:
        groups: the splits.
        used_by: what uses a picture, for messages, by its path.
        problems: where pictures that cannot be decoded are reported.

    Returns:
        The thresholds; and ``pairs`` of splits that have some in common, a split with itself included: ``same``, how
        many pictures of the second are in the first with equal pixels (within a split: that were there before);
        ``near``, how many pairs look nearly the same; ``touched``, how many pictures of each are in such a pair; and
        the most similar pairs.

    Raises:
        DataError: for a picture that cannot be decoded, unless bad ones are skipped.
    """
    looks = look_at(used_by, problems)
    homes: dict[int, list[tuple[int, str]]] = defaultdict(list)  # of distinct pictures: (group, name)
    for number, (_, pictures) in enumerate(groups):
        for name, path in pictures.items():
            if path in looks.row:
                homes[looks.row[path]].append((number, name))
    found: dict[tuple[int, int], dict[str, Any]] = {
        (first, second): {"same": 0, "near": 0, "touched": (set(), set()), "examples": []}
        for first in range(len(groups))
        for second in range(first, len(groups))
    }
    for members in homes.values():
        held: dict[int, int] = defaultdict(int)
        for number, _ in members:
            held[number] += 1
        for (first, second), entry in found.items():
            if first == second:
                entry["same"] += max(0, held[first] - 1) if first in held else 0
            elif first in held and second in held:
                entry["same"] += held[second]
    pairs, correlations = near_pairs(looks.thumbnails, np.full(len(looks.thumbnails), -1))
    for place in np.argsort(-correlations, kind="stable").tolist():
        left, right = pairs[place].tolist()
        for one in homes[left]:
            for other in homes[right]:
                (first, mine), (second, theirs) = sorted((one, other), key=lambda home: home[0])
                entry = found[first, second]
                entry["near"] += 1
                entry["touched"][0].add(mine)
                entry["touched"][1].add(theirs)
                if first == second:  # one split has one set of pictures
                    entry["touched"][0].add(theirs)
                    entry["touched"][1].add(mine)
                if len(entry["examples"]) < _EXAMPLES:
                    entry["examples"].append([mine, theirs, round(float(correlations[place]), 4)])
    return {
        "thumbnail": SIDE,
        "most_bits": MOST_BITS,
        "least_correlation": LEAST_CORRELATION,
        "pairs": [
            {
                "first": groups[first][0],
                "second": groups[second][0],
                **entry,
                "pictures": [len(groups[first][1]), len(groups[second][1])],
                "touched": [len(side) for side in entry["touched"]],
            }
            for (first, second), entry in found.items()
            if entry["same"] or entry["near"]
        ],
    }

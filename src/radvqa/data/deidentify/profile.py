"""The Basic Application Level Confidentiality Profile as data: what is done with each attribute that it names.

Source: DICOM PS3.15, Table E.1-1, column "Basic Prof."; actions as in Table E.1-1a. The table is ``profile.csv``.
"""

import csv
from functools import cache
from importlib import resources
from typing import Literal

Action = Literal["D", "Z", "X", "K", "C", "U"]
ACTIONS = ("D", "Z", "X", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*")
"""The single actions and their combinations that the column holds; K and C stand in the columns of options only."""


@cache
def table() -> dict[str, str]:
    """Return the action for each tag: eight hexadecimal digits, of which X stands for any (``50XXXXXX``)."""
    with resources.files("radvqa.data.deidentify").joinpath("profile.csv").open(encoding="utf-8") as rows:
        return {row["tag"]: row["action"] for row in csv.DictReader(rows)}


def action(tag: int) -> Action | None:
    """Return what is done with an attribute, or None where the profile does not name it.

    Of a combination the last is taken. Which one the standard wants depends on whether the kind of image requires
    the attribute; the last is the one that is allowed in every kind: emptied rather than removed, a dummy rather
    than empty, sequences of references kept with their UIDs replaced.
    """
    name = f"{tag:08X}"
    found = table().get(name) or table().get(f"{name[:2]}XXXXXX")
    if found is None:
        return None
    last = found.rstrip("*").split("/")[-1]
    single: dict[str, Action] = {"D": "D", "Z": "Z", "X": "X", "K": "K", "C": "C", "U": "U"}
    return single[last]

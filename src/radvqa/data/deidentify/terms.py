"""Words of the standard that may stay: an attribute's text is kept only where it is one of them.

The profile names the attributes that are known to identify; free text elsewhere can hold a name as well. So text is
never copied because its attribute seems harmless, but only because the text itself is known.

Sources: defined terms and enumerated values of DICOM PS3.3 and PS3.16 Annex L (``terms.csv``); the coded concepts of
PS3.16 as pydicom lists them.
"""

import csv
from functools import cache
from importlib import resources
from itertools import permutations, product


@cache
def terms() -> dict[str, frozenset[str]]:
    """Return, by attribute, the values that stay."""
    with resources.files("radvqa.data.deidentify").joinpath("terms.csv").open(encoding="utf-8") as rows:
        known = {row["attribute"]: frozenset(filter(None, row["terms"].split("|"))) for row in csv.DictReader(rows)}
    return known | {"PatientOrientation": _directions()}


def _directions() -> frozenset[str]:
    """Anatomical directions as in PS3.3 C.7.6.1.1.1: of each of the three axes at most one end."""
    found = set()
    for ends in product(("A", "P", ""), ("L", "R", ""), ("H", "F", "")):
        found |= {"".join(order) for order in permutations(ends)}
    return frozenset(found - {""})


@cache
def meanings() -> dict[tuple[str, str], str]:
    """Return the meaning of each known code, by coding scheme and code, in ASCII and at most 64 characters."""
    from pydicom.sr import _concepts_dict
    from pydicom.sr._snomed_dict import mapping

    concepts: dict[str, dict[str, dict[str, tuple[str, list[int]]]]] = _concepts_dict.concepts
    known = {
        (scheme, code): meaning.encode("ascii", "ignore").decode()[:64]
        for scheme, names in concepts.items()
        for codes in names.values()
        for code, (meaning, _) in codes.items()
    }
    older = {
        (scheme, code): known["SCT", newer]
        for scheme in ("SRT", "SNM3", "99SDM")
        for code, newer in mapping["SRT"].items()
        if ("SCT", newer) in known
    }
    return known | older

"""Headers: a new data set is built from what may stay; nothing is deleted from the old one, so nothing is forgotten."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from radvqa.data.deidentify.profile import action
from radvqa.data.deidentify.terms import meanings, terms
from radvqa.data.deidentify.uids import Pseudonyms

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

REMOVED, EMPTIED, REPLACED = "removed", "emptied", "replaced"

PATIENT_ID = 0x00100020
PIXEL_GROUP = 0x7FE0
_RECORD = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})  # written anew from what was done
_TABLES = {0x00281201: 0x00281101, 0x00281202: 0x00281102, 0x00281203: 0x00281103, 0x00283006: 0x00283002}
"""Look-up tables and the attribute that says how long each is."""

_NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"})
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_AMBIGUOUS = {
    "US or SS": {"US", "SS"},
    "OB or OW": {"OB", "OW"},
    "US or OW": {"US", "OW"},
    "US or SS or OW": {"US", "SS", "OW"},
}
_DUMMIES = {
    "AE": "REMOVED",
    "AS": "000Y",
    "CS": "REMOVED",
    "DA": "19000101",
    "DT": "19000101000000",
    "LO": "REMOVED",
    "LT": "REMOVED",
    "PN": "REMOVED",
    "SH": "REMOVED",
    "ST": "REMOVED",
    "TM": "000000",
    "UC": "REMOVED",
    "UT": "REMOVED",
}
_LEAST_NUMBER = 5  # digits from which on a number that stood in a removed text is taken for an identifier
_PRIVATE, _UNKNOWN = "private attributes", "unknown attributes"


@dataclass
class Header:
    """A header without what identifies.

    Attributes:
        dataset: the new data set, without pixel data.
        changes: how often each attribute was removed, emptied or replaced, by its name and the effect. Names are
            those of the standard; private ones are counted together.
    """

    dataset: "Dataset"
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)


def clean(old: "Dataset", names: Pseudonyms) -> Header:
    """Apply the basic profile to a data set and its sequences, and keep of the rest only what is known to be harmless.

    What the profile does not name stays if it is a number, a UID of the standard, one of the words in ``terms.csv``,
    or a coded concept of PS3.16. Other UIDs are replaced, other text is emptied, other bytes are removed; so are
    private and unknown attributes, curves and overlays. Pixel data is left to ``pixels``.

    Args:
        old: what was read; it is not changed.
        names: what UIDs and patient numbers become.
    """
    return _Cleaner(names, frozenset(_digits(old))).clean(old)


def _digits(old: "Dataset") -> Iterator[str]:
    """Every long number that stands as text; as a number elsewhere it is the same identifier."""
    for tag in list(old.keys()):
        if tag.is_private:
            continue
        try:
            element = old[tag]
            if element.VR == "SQ":
                for item in element.value:
                    yield from _digits(item)
            elif element.VR in _DUMMIES:
                for value in _values(element):
                    text = str(value).strip()
                    if text.isdigit() and len(text) >= _LEAST_NUMBER:
                        yield text.lstrip("0")
        except Exception:  # noqa: S112 - what cannot be read is not kept either
            continue


class _Cleaner:
    """Cleans data sets within data sets, with one list of what was done."""

    def __init__(self, names: Pseudonyms, identifiers: frozenset[str]) -> None:
        self.names = names
        self.identifiers = identifiers
        self.changes: Counter[tuple[str, str]] = Counter()

    def clean(self, old: "Dataset") -> Header:
        return Header(self._dataset(old), self.changes)

    def _dataset(self, old: "Dataset") -> "Dataset":
        from pydicom._dicom_dict import DicomDictionary
        from pydicom.dataset import Dataset

        new = Dataset()
        for tag in list(old.keys()):
            if tag in _RECORD or tag.group == PIXEL_GROUP:
                continue
            if tag.is_private:
                self.changes[_PRIVATE, REMOVED] += 1
            elif tag not in DicomDictionary:
                self.changes[_UNKNOWN, REMOVED] += action(tag) is None
                self.changes["curves and overlays", REMOVED] += action(tag) is not None
            else:
                self._attribute(old, int(tag), new)
        return new

    def _attribute(self, old: "Dataset", tag: int, new: "Dataset") -> None:
        from pydicom.datadict import keyword_for_tag

        keyword = keyword_for_tag(tag) or "attributes without a name"
        try:
            effect = self._put(old, tag, keyword, new)
        except Exception:  # the reader quotes values of every kind in errors of every kind
            if tag in new:
                del new[tag]
            effect = REMOVED
        if effect:
            self.changes[keyword, effect] += 1

    def _put(self, old: "Dataset", tag: int, keyword: str, new: "Dataset") -> str:
        """Put the attribute's clean form into the new data set and return the effect, empty when nothing changed."""
        from pydicom.datadict import dictionary_VR

        what = action(tag)
        if what == "X" or tag == 0x00080005:  # what stays is ASCII, so no character set is named
            return REMOVED
        element = old[tag]
        expected = dictionary_VR(tag)
        if element.VR not in _AMBIGUOUS.get(expected, {expected}):
            return REMOVED
        if element.VR == "SQ":
            return self._sequence(element, what, new)
        if element.is_empty:
            new.add_new(tag, element.VR, None)
            return ""
        if tag == PATIENT_ID:
            # one subject stays one subject, so that splits by patient remain possible
            subject = self.names.subject(str(element.value).strip())
            new.add_new(tag, element.VR, subject)
            return REPLACED if subject != element.value else ""
        if what in ("Z", "D"):
            dummy = _DUMMIES.get(element.VR) if what == "D" else None
            if element.VR == "UI":
                return self._each(element, new, self.names.uid, REPLACED)
            new.add_new(tag, element.VR, dummy)
            return "" if dummy == element.value else (REPLACED if dummy else EMPTIED)
        return self._unnamed(old, element, keyword, new)

    def _unnamed(self, old: "Dataset", element: "DataElement", keyword: str, new: "Dataset") -> str:
        """Keep what is known to be harmless of an attribute that the profile does not name (or that holds UIDs)."""
        from pydicom._dicom_dict import DicomDictionary
        from pydicom._uid_dict import UID_dictionary

        tag, vr = int(element.tag), element.VR
        if vr == "UI":
            return self._each(element, new, lambda uid: uid if uid in UID_dictionary else self.names.uid(uid), REPLACED)
        if keyword in terms():
            return self._each(element, new, lambda text: text if text in terms()[keyword] else "", EMPTIED)
        if vr in ("DS", "IS") and _fits(element):
            return self._each(element, new, self._number, EMPTIED)
        if vr == "AT":
            return self._each(element, new, lambda named: named if named in DicomDictionary else None, EMPTIED)
        if vr in _NUMBERS and _fits(element) and all(isinstance(value, int | float) for value in _values(element)):
            new.add_new(tag, vr, element.value)
            return ""
        if tag in _TABLES and vr == "OW":
            new.add_new(tag, vr, bytes(element.value)[: 2 * (int(old[_TABLES[tag]].value[0]) or 65536)])
            return ""
        if vr in _DUMMIES or vr in ("DS", "IS"):
            new.add_new(tag, vr, None)
            return EMPTIED
        return REMOVED

    def _number(self, value: Any) -> Any:
        text = str(value).strip()
        known = text.isascii() and len(text) <= 16 and _DECIMAL.fullmatch(text)
        return value if known and text.lstrip("+-0") not in self.identifiers else ""

    def _each(self, element: "DataElement", new: "Dataset", change: Callable[[Any], Any], effect: str) -> str:
        before = _values(element)
        after = [change(value) for value in before]
        kept = [value for value in after if value is not None]
        new.add_new(element.tag, element.VR, (kept if any(kept) or element.VR == "AT" else None) or None)
        return effect if after != before else ""

    def _sequence(self, element: "DataElement", what: str | None, new: "Dataset") -> str:
        if what in ("Z", "D"):
            new.add_new(element.tag, "SQ", [])
            return EMPTIED if element.value else ""
        items = []
        for item in element.value:
            coded = any(code in item for code in ("CodeValue", "LongCodeValue", "URNCodeValue"))
            clean = _concept(item) if coded else self._dataset(item)
            if clean is not None:
                items.append(clean)
        new.add_new(element.tag, "SQ", items)
        return REPLACED if len(items) < len(element.value) else ""


def _concept(item: "Dataset") -> "Dataset | None":
    """A coded concept in the standard's own words, or None for one that is not known."""
    scheme, code = str(item.get("CodingSchemeDesignator", "")), str(item.get("CodeValue", ""))
    meaning = meanings().get((scheme, code))
    return concept(scheme, code, meaning) if meaning else None


def concept(scheme: str, code: str, meaning: str) -> "Dataset":
    """Return a code sequence item as in PS3.3 Table 8.8-1."""
    from pydicom.dataset import Dataset

    new = Dataset()
    new.CodeValue, new.CodingSchemeDesignator, new.CodeMeaning = code, scheme, meaning
    return new


def _values(element: "DataElement") -> list[Any]:
    from pydicom.multival import MultiValue

    return list(element.value) if isinstance(element.value, MultiValue | list) else [element.value]


def _fits(element: "DataElement") -> bool:
    """Whether there are as many values as the standard allows; text stored as numbers seldom has."""
    from pydicom.datadict import dictionary_VM

    allowed = dictionary_VM(element.tag).split("-")
    count = len(_values(element))
    if not allowed[-1].isdigit():
        return True
    return int(allowed[0]) <= count <= int(allowed[-1])

"""One DICOM file in, one without what identifies out; or a sentence that says why not, and quotes nothing of it."""

import hashlib
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from radvqa import files
from radvqa.data.deidentify import pixels
from radvqa.data.deidentify.actions import clean, concept
from radvqa.data.deidentify.quiet import quiet
from radvqa.data.deidentify.terms import terms
from radvqa.data.deidentify.text_regions import Box
from radvqa.data.deidentify.uids import Pseudonyms
from radvqa.errors import DataError, ImageError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileMetaDataset

IMPLEMENTATION_UID = "2.25.313429301584137466190218305526110137001"
IMPLEMENTATION = "RADVQA"
METHOD = "PS3.15 basic profile; text and UIDs not of the standard removed"
MASKED = "text regions that a heuristic found masked"

BURNED_MODALITIES = frozenset({"US", "IVUS", "ES", "SC", "OT", "XC"})
"""Modalities whose pictures usually have text burned in."""

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_BURNED_TYPES = frozenset({"SCREEN SAVE", "DOSE_INFO", "REPORT"})
_CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113102": "Clean Recognizable Visual Features Option",
}

_REFUSED_CLASSES = (  # SOP classes by the start of their UID, with what they are
    ("1.2.840.10008.1.3.10", "It is a DICOMDIR, a directory of other files."),
    ("1.2.840.10008.5.1.4.1.1.104", "It is an encapsulated document, whose text cannot be made safe by rule."),
    ("1.2.840.10008.5.1.4.1.1.88", "It is a structured report, whose free text cannot be made safe by rule."),
    ("1.2.840.10008.5.1.4.1.1.11", "It is a presentation state, whose free text cannot be made safe by rule."),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What is done with text burned into pictures.

    Attributes:
        mask_text: mask the regions that the heuristic finds in pictures that probably have text.
        refuse_text: leave such pictures out when they are not masked.
    """

    mask_text: bool = False
    refuse_text: bool = True


@dataclass(slots=True)
class Outcome:
    """What became of one file.

    Attributes:
        number: of the input file.
        uid: new SOP Instance UID, empty where nothing was written.
        why_not: the sentence for a file that was refused.
        is_dicom: whether it is a DICOM file at all.
        boxes: masked regions.
        suspected: whether text is probably burned in.
        changes: attributes by name and effect.
        source: digest of the file's bytes.
    """

    number: int
    uid: str = ""
    why_not: str = ""
    is_dicom: bool = True
    boxes: list[Box] = field(default_factory=list)
    suspected: bool = False
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    source: str = ""


def require_pydicom() -> None:
    """Check that DICOM can be read.

    Raises:
        DataError: says how to install what is missing.
    """
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise DataError("De-identification needs pydicom: pip install 'radvqa[medical]'.") from None


def deidentify_file(number: int, source: Path, target: Path, names: Pseudonyms, options: Options) -> Outcome:
    """De-identify one file; every mishap is an outcome with a sentence, so that none can quote the file.

    Args:
        number: what the file is called in reports, because its name may hold a patient's.
        source: the file.
        target: where to write.
        names: what UIDs and patient numbers become.
        options: what is done with burned-in text.
    """
    with quiet():
        try:
            content = source.read_bytes()
        except OSError:
            return Outcome(number, why_not="It cannot be read.")
        if content[128:132] != b"DICM":
            return Outcome(number, is_dicom=False)
        outcome = Outcome(number, source=hashlib.sha256(content).hexdigest())
        try:
            written = _deidentify(content, names, options, outcome)
        except ImageError as error:
            return Outcome(number, why_not=str(error))
        except MemoryError:
            return Outcome(number, why_not="It does not fit into memory.")
        except Exception:  # pydicom raises errors of every kind, most of which quote the file
            return Outcome(number, why_not="It is broken, or not as the standard says.")
        files.write_bytes(target, written)
        return outcome


def _deidentify(content: bytes, names: Pseudonyms, options: Options, outcome: Outcome) -> bytes:
    import pydicom

    try:
        old = pydicom.dcmread(io.BytesIO(content))
    except Exception:
        raise ImageError("Its header is broken or cut off.") from None
    sop_class = _sop_class(old)
    outcome.suspected = _probably_has_text(old, sop_class)
    if outcome.suspected and options.refuse_text and not options.mask_text:
        raise ImageError(
            "Text is probably burned into its picture; `--mask-text` masks what a heuristic finds, which must be "
            "looked at afterwards."
        )
    picture = pixels.decode(old)
    if outcome.suspected and options.mask_text:
        outcome.boxes = pixels.find_text(picture, old)
        if not outcome.boxes and _says(old, "BurnedInAnnotation", "YES"):
            raise ImageError("Its header says that text is burned in, but the heuristic found none to mask.")
        pixels.mask(picture, outcome.boxes)
    header = clean(old, names)
    new = header.dataset
    outcome.changes = header.changes
    outcome.uid = _instance(new, names, content)
    new.SOPClassUID, new.SOPInstanceUID = sop_class, outcome.uid
    pixels.put(picture, old, new)
    _record(old, new, masked=bool(outcome.boxes))
    new.file_meta = _file_meta(sop_class, outcome.uid)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, new, enforce_file_format=True)
    return buffer.getvalue()


def _sop_class(old: "Dataset") -> str:
    """Return the SOP class of a picture, or refuse what is none."""
    from pydicom._uid_dict import UID_dictionary

    stated = str(old.get("SOPClassUID") or old.file_meta.get("MediaStorageSOPClassUID") or "")
    for start, why in _REFUSED_CLASSES:
        if stated == start or stated.startswith(f"{start}."):
            raise ImageError(why)
    if any(keyword in old for keyword in ("EncapsulatedDocument", "ContentSequence")):
        raise ImageError("It holds a document or report, whose free text cannot be made safe by rule.")
    if not any(keyword in old for keyword in pixels.KEYWORDS):
        raise ImageError("It holds no picture.")
    if stated not in UID_dictionary or UID_dictionary[stated][1] != "SOP Class":
        raise ImageError("It is of a private or unknown kind (SOP class).")
    return stated


def _probably_has_text(old: "Dataset", sop_class: str) -> bool:
    secondary = sop_class == _SECONDARY_CAPTURE or sop_class.startswith(f"{_SECONDARY_CAPTURE}.")
    modality = _texts(old, "Modality")
    usually = bool(BURNED_MODALITIES & modality) or not modality & terms()["Modality"]
    screen = bool(_BURNED_TYPES & _texts(old, "ImageType"))
    return _says(old, "BurnedInAnnotation", "YES") or secondary or usually or screen


def _says(old: "Dataset", keyword: str, value: str) -> bool:
    return value in _texts(old, keyword)


def _texts(old: "Dataset", keyword: str) -> set[str]:
    """Values of an attribute, in capitals; none where it cannot be read."""
    try:
        value = old.get(keyword) or []
    except Exception:
        return set()
    return {str(one).strip().upper() for one in ([value] if isinstance(value, str) else value)} - {""}


def _instance(new: "Dataset", names: Pseudonyms, content: bytes) -> str:
    uid = new.get("SOPInstanceUID")
    return uid if isinstance(uid, str) and uid else names.uid_of_content(content)


def _record(old: "Dataset", new: "Dataset", *, masked: bool) -> None:
    """Say in the file what was done, and what was done before; PS3.15 E.1.1 and E.3.1."""
    done = {"113100"} | ({"113101"} if masked else set()) | _done_before(old)
    new.PatientIdentityRemoved = "YES"
    new.DeidentificationMethod = (
        [METHOD, MASKED] if masked or _says(old, "DeidentificationMethod", MASKED.upper()) else METHOD
    )
    new.DeidentificationMethodCodeSequence = [concept("DCM", code, _CODES[code]) for code in sorted(done)]
    new.LongitudinalTemporalInformationModified = "REMOVED"
    if masked:
        new.BurnedInAnnotation = "NO"


def _done_before(old: "Dataset") -> set[str]:
    try:
        items = old.get("DeidentificationMethodCodeSequence") or []
        return {str(item.get("CodeValue")) for item in items if item.get("CodingSchemeDesignator") == "DCM"} & set(
            _CODES
        )
    except Exception:
        return set()


def _file_meta(sop_class: str, uid: str) -> "FileMetaDataset":
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(IMPLEMENTATION_UID), IMPLEMENTATION
    return meta

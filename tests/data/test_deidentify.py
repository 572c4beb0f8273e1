"""De-identification on the real files that pydicom ships, seeded with names wherever a DICOM file can hold one."""

import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pydicom._dicom_dict import DicomDictionary
from pydicom.charset import encode_string
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from radvqa.commands.deidentify import deidentify, require_some
from radvqa.data.deidentify.files import IMPLEMENTATION_UID, METHOD
from radvqa.data.deidentify.profile import ACTIONS, action, table
from radvqa.data.deidentify.terms import meanings, terms
from radvqa.data.deidentify.text_regions import text_boxes
from radvqa.data.deidentify.uids import Pseudonyms, new_key
from radvqa.errors import DataError
from radvqa.report.deidentify import show_deidentified

KEY = "a key that is long enough for tests"
NAME = "QUENTIN"
"""The word that every seeded text holds, in capitals, so that it fits every kind of text."""

TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT")
TEXT_TAGS = sorted(tag for tag, entry in DicomDictionary.items() if entry[0] in TEXTS and tag >> 16 not in (0, 2))


def _read(name: str) -> Dataset:
    return pydicom.dcmread(str(get_testdata_file(name, download=False)))


def _save(dataset: Dataset, path: Path, *, preamble: bytes = b"\0" * 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    dataset.preamble = preamble
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(buffer, dataset)
    path.write_bytes(buffer.getvalue())
    return path


def _outputs(folder: Path) -> list[Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


def _one(folder: Path) -> Dataset:
    (only,) = _outputs(folder)
    return only


def _run(dataset: Dataset, folder: Path, **options: Any) -> Dataset:
    _save(dataset, folder / "in" / "1.dcm")
    report = deidentify(folder / "in", folder / "out", key=KEY, **options)
    assert report["written"] == 1, report["refused"]
    return _one(folder / "out")


# ------------------------------------------------------------------------------------------------ no name survives


def _seed(dataset: Dataset, word: str, depth: int = 2) -> None:
    """Put the word into every text attribute of the standard, into private ones, and into sequences."""
    for tag in TEXT_TAGS:
        if dictionary_VR(tag) == "CS" and tag == 0x00080060:
            continue  # a picture of no known modality is refused
        if tag in (0x00280004, 0x00080005):
            continue  # without these nothing can be decoded
        vr = dictionary_VR(tag)
        value = f"{word}^{word}=={word}" if vr == "PN" else word
        dataset.add_new(tag, vr, [value, value] if vr in ("PN", "LO", "SH") else value)
    block = dataset.private_block(0x0009, f"{word} PRIVATE", create=True)
    block.add_new(0x01, "LO", word)
    block.add_new(0x02, "OB", f"{word} in bytes.".encode())
    block.add_new(0x03, "UN", f"{word} in unknown.".encode())
    if depth:
        for keyword in ("ReferencedImageSequence", "SourceImageSequence", "AnatomicRegionSequence", "VOILUTSequence"):
            item = Dataset()
            _seed(item, word, depth - 1)
            setattr(dataset, keyword, [item])
        inner = Dataset()
        _seed(inner, word, 0)
        block.add_new(0x04, "SQ", [inner])


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"])
def test_no_seeded_name_survives_anywhere(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dataset = _read(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _seed(dataset, NAME)
    dataset.file_meta.SourceApplicationEntityTitle = NAME
    dataset.file_meta.ImplementationVersionName = NAME
    dataset.file_meta.PrivateInformationCreatorUID = UID("1.2.3")
    dataset.file_meta.PrivateInformation = f"{NAME} ".encode()
    dataset.DataSetTrailingPadding = f"{NAME}{NAME}".encode()
    dataset.PixelData += f"{NAME}{NAME}".encode()
    dataset.ICCProfile = f"{NAME} ".encode()
    path = _save(dataset, tmp_path / NAME / f"{NAME}.dcm", preamble=NAME.encode().ljust(128, b"\0"))
    path.write_bytes(path.read_bytes())
    assert path.read_bytes().count(NAME.encode()) > 1000
    (path.parent / f"{NAME}.txt").write_text(NAME)
    (path.parent / "cut off.dcm").write_bytes(path.read_bytes()[:3000])
    report = deidentify(tmp_path / NAME, tmp_path / "out", key=KEY)
    show_deidentified(report)
    captured = capfd.readouterr()
    (written,) = (tmp_path / "out").iterdir()
    everything = written.read_bytes() + written.name.encode() + json.dumps(report).encode()
    everything += (captured.out + captured.err + caplog.text).encode()
    assert NAME.encode() not in everything.upper()
    assert NAME.encode("utf-16-le") not in everything.upper()
    assert (report["written"], report["not_dicom"], len(report["refused"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Größe^Žofie=李^明=이^명"),
        ("ISO_IR 100", "Buc^Jérôme"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_in_other_alphabets_do_not_survive(charset: Any, name: str, tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    dataset.SpecificCharacterSet = charset
    dataset.PatientName = name
    dataset.OperatorsName = [name, name]
    dataset.Manufacturer = name.partition("=")[0]
    path = _save(dataset, tmp_path / "in" / "1.dcm")
    encodings = pydicom.charset.convert_encodings(charset)
    parts = [part for group in name.split("=") for part in group.split("^")]
    raw = [encode_string(part, encodings) for part in parts] + [part.encode() for part in parts]
    assert sum(one in path.read_bytes() for one in raw) >= len(parts) // 2
    deidentify(tmp_path / "in", tmp_path / "out", key=KEY)
    (written,) = (tmp_path / "out").iterdir()
    header = written.read_bytes()[: -len(_read("CT_small.dcm").PixelData)]
    assert not [one for one in raw if one in header]
    assert "SpecificCharacterSet" not in _one(tmp_path / "out")


_WORDS = st.text("BCDFGHJKQVWXZ", min_size=6, max_size=16)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tags=st.lists(st.sampled_from(TEXT_TAGS), max_size=12),
    nested=st.lists(st.sampled_from(TEXT_TAGS), max_size=12),
    private=st.lists(st.tuples(st.integers(0x10, 0xFF), st.sampled_from([*TEXTS, "OB", "UN"])), max_size=4),
    word=_WORDS,
    syntax=st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]),
)
def test_random_attributes_do_not_carry_a_word_through(
    tags: list[int], nested: list[int], private: list[tuple[int, str]], word: str, syntax: UID, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("random")
    dataset = _read("MR_small.dcm")
    dataset.file_meta.TransferSyntaxUID = syntax
    item = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for into, chosen in ((dataset, tags), (item, nested)):
            for tag in chosen:
                if tag not in (0x00080060, 0x00280004, 0x00080005):
                    into.add_new(tag, dictionary_VR(tag), word)
        block = dataset.private_block(0x0013, word, create=True)
        for element, vr in private:
            block.add_new(element, vr, word.encode() if vr in ("OB", "UN") else word)
        dataset.ReferencedImageSequence = [item]
    _save(dataset, folder / "in" / "a")
    report = deidentify(folder / "in", folder / "out", key=KEY)
    assert report["written"] == 1
    (written,) = (folder / "out").iterdir()
    assert word.encode() not in written.read_bytes()
    assert word not in json.dumps(report)


@pytest.mark.parametrize("vr", ["US", "IS", "OB", "UI", "UN"])
def test_a_name_under_a_wrong_representation_does_not_survive(vr: str, tmp_path: Path) -> None:
    path = _save(_read("CT_small.dcm"), tmp_path / "in" / "1.dcm")
    content = path.read_bytes()
    name_at = content.index(b"\x10\0\x10\0PN")
    length = int.from_bytes(content[name_at + 6 : name_at + 8], "little")
    long = vr in ("OB", "UN")
    head = (
        content[name_at : name_at + 4]
        + vr.encode()
        + (b"\0\0" + length.to_bytes(4, "little") if long else content[name_at + 6 : name_at + 8])
    )
    path.write_bytes(content[:name_at] + head + NAME.ljust(length).encode() + content[name_at + 8 + length :])
    deidentify(tmp_path / "in", tmp_path / "out", key=KEY)
    assert NAME.encode() not in next((tmp_path / "out").iterdir()).read_bytes()


def test_a_patients_number_stored_as_a_number_elsewhere_goes(tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    dataset.PatientID = "0083715529"
    dataset.AcquisitionNumber = 83715529
    dataset.InstanceNumber = 7
    out = _run(dataset, tmp_path)
    assert (out.AcquisitionNumber, out.InstanceNumber) == (None, 7)
    assert b"83715529" not in next((tmp_path / "out").iterdir()).read_bytes()


def test_comments_and_bytes_after_a_compressed_picture_go(tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    pixels = np.tile(np.arange(128, dtype=np.uint8), (128, 1))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, comment=NAME.encode())
    assert NAME.encode() in buffer.getvalue()
    dataset.PixelData = encapsulate([buffer.getvalue() + NAME.encode()])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    out = _run(dataset, tmp_path)
    assert NAME.encode() not in next((tmp_path / "out").iterdir()).read_bytes()
    assert out.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert np.abs(out.pixel_array.astype(int) - pixels).max() <= 3
    assert out.LossyImageCompression == "01"


def test_an_overlay_in_the_unused_bits_goes(tmp_path: Path) -> None:
    dataset = _read("MR_small.dcm")
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) % 4096
    dataset.PixelData = (values | 0x5000).tobytes()
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
    out = _run(dataset, tmp_path)
    assert np.array_equal(np.frombuffer(out.PixelData, "<u2").reshape(64, 64), values)


def test_curves_and_overlays_go(tmp_path: Path) -> None:
    out = _run(_read("examples_overlay.dcm"), tmp_path)
    assert not [element.tag for element in out if element.tag.group >> 8 in (0x50, 0x60)]


# ------------------------------------------------------------------------------------------------- what the file says


def test_the_file_says_what_was_done(tmp_path: Path) -> None:
    out = _run(_read("CT_small.dcm"), tmp_path)
    assert (out.PatientIdentityRemoved, out.DeidentificationMethod) == ("YES", METHOD)
    assert [(item.CodeValue, item.CodingSchemeDesignator) for item in out.DeidentificationMethodCodeSequence] == [
        ("113100", "DCM")
    ]
    assert out.LongitudinalTemporalInformationModified == "REMOVED"
    meta = out.file_meta
    assert out.preamble == b"\0" * 128
    assert (meta.MediaStorageSOPInstanceUID, meta.MediaStorageSOPClassUID) == (out.SOPInstanceUID, out.SOPClassUID)
    assert (meta.ImplementationClassUID, meta.ImplementationVersionName) == (IMPLEMENTATION_UID, "RADVQA")
    assert "SourceApplicationEntityTitle" not in meta
    assert next((tmp_path / "out").iterdir()).name == f"{out.SOPInstanceUID}.dcm"


def test_what_describes_the_picture_stays(tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    dataset.BodyPartExamined, dataset.PatientOrientation = "CHEST", ["L", "P"]
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "51185008", "SCT", f"Chest of {NAME}"
    unknown = Dataset()
    unknown.CodeValue, unknown.CodingSchemeDesignator, unknown.CodeMeaning = NAME, "99LOCAL", NAME
    dataset.AnatomicRegionSequence = [region, unknown]
    out = _run(dataset, tmp_path)
    kept = [
        "Modality",
        "BodyPartExamined",
        "Rows",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
        "SliceThickness",
    ]
    kept += ["ImageOrientationPatient", "ImagePositionPatient", "KVP", "PatientOrientation", "SOPClassUID", "ImageType"]
    for keyword in kept:
        assert out[keyword].value == dataset[keyword].value
    assert np.array_equal(out.pixel_array, dataset.pixel_array)
    (item,) = out.AnatomicRegionSequence
    assert (item.CodeValue, item.CodeMeaning) == ("51185008", meanings()["SCT", "51185008"])


def test_dates_are_gone_or_a_dummy(tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    assert dataset.StudyDate == "20040119"
    out = _run(dataset, tmp_path)
    dates = {str(element.value) for element in out.iterall() if element.VR in ("DA", "DT", "TM")}
    assert dates <= {"", "None", "19000101", "19000101000000", "000000"}
    assert b"2004" not in next((tmp_path / "out").iterdir()).read_bytes()[:1500]


@pytest.mark.parametrize(
    "name",
    [
        "693_J2KI.dcm",
        "JPEG2000.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_padded.dcm",
        "examples_palette.dcm",
        "examples_ybr_color.dcm",
        "SC_rgb_rle_16bit_2frame.dcm",
        "SC_rgb_small_odd_big_endian.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
    ],
)
def test_pixels_are_those_of_the_input(name: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = _read(name)
        before = dataset.pixel_array
    out = _run(dataset, tmp_path, refuse_text=False)
    assert np.array_equal(out.pixel_array, before)
    assert out.pixel_array.dtype == before.dtype


def test_the_table_is_that_of_the_standard() -> None:
    # read off PS3.15 Table E.1-1 by hand, one or more for each action
    read = {
        0x00100010: "Z",
        0x00100020: "Z/D",
        0x00080050: "Z",
        0x00080080: "X/Z/D",
        0x0008103E: "X",
        0x00080018: "U",
        0x0020000D: "U",
        0x00080021: "X/D",
        0x00080022: "X/Z",
        0x00080023: "Z/D",
        0x00081140: "X/Z/U*",
        0x00181000: "X/Z/D",
        0x00200052: "U",
        0x0040A730: "D",
        0x00120020: "D",
        0x00204000: "X",
        0xFFFCFFFC: "X",
        0x00880140: "U",
        0x00101010: "X",
        0x00100040: "Z",
    }
    assert {tag: table()[f"{tag:08X}"] for tag in read} == read
    assert len(table()) == 619
    assert set(table().values()) == set(ACTIONS)
    assert [action(tag) for tag in (0x50020010, 0x60003000, 0x00280010, 0x00081140)] == ["X", "X", None, "U"]


def test_every_kept_word_belongs_to_an_attribute_of_words() -> None:
    by_name = {entry[4]: entry[0] for entry in DicomDictionary.values()}
    assert {by_name[keyword] for keyword in terms()} <= {"CS", "LO", "SH"}
    assert all(re.fullmatch(r"[A-Z0-9_ ]{1,16}", term) for words in terms().values() for term in words)
    assert not [
        keyword
        for keyword in terms()
        if any(action(tag) for tag in DicomDictionary if DicomDictionary[tag][4] == keyword)
    ]


# ------------------------------------------------------------------------------------------------------ many files


def _series(folder: Path) -> Iterator[Dataset]:
    for number, path in enumerate(
        sorted(Path(str(get_testdata_file("DICOMDIR", download=False))).parent.glob("98892003/MR*/*"))
    ):
        dataset = pydicom.dcmread(path)
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        _save(dataset, folder / f"{number}.dcm")
        yield dataset


def test_series_studies_and_patients_stay_together(tmp_path: Path) -> None:
    before = list(_series(tmp_path / "in"))
    report = deidentify(tmp_path / "in", tmp_path / "out", key=KEY)
    after = _outputs(tmp_path / "out")
    assert report["written"] == len(before) == 17
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID"):
        sizes = [
            sorted(sum(one[keyword].value == x for one in them) for x in {o[keyword].value for o in them})
            for them in (before, after)
        ]
        assert sizes[0] == sizes[1]
        assert not {one[keyword].value for one in before} & {one[keyword].value for one in after}
    assert all(UID(one.SOPInstanceUID).is_valid and len(one.SOPInstanceUID) <= 64 for one in after)


def test_references_follow_what_they_refer_to(tmp_path: Path) -> None:
    first, second = _read("CT_small.dcm"), _read("CT_small.dcm")
    second.SOPInstanceUID = "1.2.3.4.5"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = first.SOPClassUID, first.SOPInstanceUID
    second.ReferencedImageSequence = [reference]
    _save(first, tmp_path / "in" / "1")
    _save(second, tmp_path / "in" / "2")
    deidentify(tmp_path / "in", tmp_path / "out", key=KEY)
    out = {"ReferencedImageSequence" in one: one for one in _outputs(tmp_path / "out")}
    (item,) = out[True].ReferencedImageSequence
    assert item.ReferencedSOPInstanceUID == out[False].SOPInstanceUID
    assert item.ReferencedSOPClassUID == first.SOPClassUID


def test_another_key_gives_other_numbers_and_none_makes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = _save(_read("CT_small.dcm"), tmp_path / "1.dcm")
    reports = [deidentify(source, tmp_path / out, key=key) for out, key in (("a", KEY), ("b", None), ("c", None))]
    assert len({_one(tmp_path / out).SOPInstanceUID for out in "abc"}) == 3
    assert reports[0]["key"] is None
    made = reports[1]["key"]
    assert made is not None
    again = deidentify(source, tmp_path / "d", key=made)
    assert again["key"] is None
    assert _one(tmp_path / "b") == _one(tmp_path / "d")
    assert made.encode() not in next((tmp_path / "b").iterdir()).read_bytes()
    show_deidentified(reports[1])
    assert capsys.readouterr().out.count(made) == 1


def test_a_second_run_under_the_same_key_changes_nothing(tmp_path: Path) -> None:
    for number, name in enumerate(["CT_small.dcm", "MR_small_RLE.dcm", "examples_palette.dcm", "JPEG2000.dcm"]):
        _save(_read(name), tmp_path / "in" / str(number))
    options: dict[str, Any] = {"key": KEY, "refuse_text": False}
    assert deidentify(tmp_path / "in", tmp_path / "first", **options)["written"] == 4
    second = deidentify(tmp_path / "first", tmp_path / "second", **options)
    contents = [{path.name: path.read_bytes() for path in (tmp_path / run).iterdir()} for run in ("first", "second")]
    assert contents[0] == contents[1]
    assert second["attributes"] == []


def test_processes_and_the_order_of_the_files_change_nothing(tmp_path: Path) -> None:
    list(_series(tmp_path / "in"))
    one = deidentify(tmp_path / "in", tmp_path / "one", key=KEY)
    two = deidentify(tmp_path / "in", tmp_path / "two", key=KEY, jobs=2)
    assert one == two
    contents = [{path.name: path.read_bytes() for path in (tmp_path / run).iterdir()} for run in ("one", "two")]
    assert contents[0] == contents[1]


def test_two_files_with_one_uid_are_one_and_said_so(tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    _save(dataset, tmp_path / "in" / "a")
    _save(dataset, tmp_path / "in" / "b")
    dataset.InstanceNumber = 99
    _save(dataset, tmp_path / "in" / "c")
    report = deidentify(tmp_path / "in", tmp_path / "out", key=KEY)
    assert report["same"] == [
        {"file": 2, "reason": "It is the same as file 1."},
        {"file": 3, "reason": "It has the SOP Instance UID of another, file 1."},
    ]
    assert (report["written"], _one(tmp_path / "out").InstanceNumber) == (1, 1)


# ---------------------------------------------------------------------------------------------------- what is refused


def _with_class(uid: str) -> Dataset:
    dataset = _read("CT_small.dcm")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(uid)
    return dataset


def _without_picture() -> Dataset:
    dataset = _read("CT_small.dcm")
    del dataset.PixelData
    return dataset


def _odd_bits() -> Dataset:
    dataset = _read("CT_small.dcm")
    dataset.BitsStored, dataset.HighBit = 12, 15
    return dataset


def _huge() -> Dataset:
    dataset = _read("CT_small.dcm")
    dataset.Rows = dataset.Columns = 65535
    return dataset


def _strange_colours() -> Dataset:
    dataset = _read("CT_small.dcm")
    dataset.PhotometricInterpretation = NAME
    return dataset


def _short() -> Dataset:
    dataset = _read("CT_small.dcm")
    dataset.PixelData = dataset.PixelData[:1000]
    return dataset


@pytest.mark.parametrize(
    ("dataset", "why"),
    [
        (_with_class("1.2.840.10008.5.1.4.1.1.104.1"), "encapsulated document"),
        (_with_class("1.2.840.10008.5.1.4.1.1.88.11"), "structured report"),
        (_with_class("1.2.840.10008.5.1.4.1.1.11.1"), "presentation state"),
        (_with_class("1.2.3.4"), "private or unknown kind"),
        (_with_class("1.2.840.10008.5.1.4.1.1.7.2"), "Text is probably burned"),
        (_without_picture(), "holds no picture"),
        (_odd_bits(), "retired layout"),
        (_huge(), "80,000,000 pixels"),
        (_strange_colours(), "colours are stored in a way"),
        (_short(), "broken, cut off"),
        (_read("badVR.dcm"), "does not say how large"),
        (_read("examples_rgb_color.dcm"), "Text is probably burned"),
    ],
)
def test_what_cannot_be_made_safe_is_left_out_with_a_sentence(dataset: Dataset, why: str, tmp_path: Path) -> None:
    _save(dataset, tmp_path / "in" / "1.dcm")
    report = deidentify(tmp_path / "in", tmp_path / "out", key=KEY)
    (refused,) = report["refused"]
    assert refused["file"] == 1
    assert why in refused["reason"]
    assert NAME not in refused["reason"]
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(DataError, match="Nothing was written: 0 of 1 files are not DICOM, and 1 were refused"):
        require_some(report)


def test_a_compression_without_a_decoder_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _save(_read("MR_small_jpeg_ls_lossless.dcm"), tmp_path / "in" / "1.dcm")
    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", property(lambda _: False))
    (refused,) = deidentify(tmp_path / "in", tmp_path / "out", key=KEY)["refused"]
    assert "JPEG-LS Lossless Image Compression, for which no decoder is installed" in refused["reason"]
    assert "radvqa[medical]" in refused["reason"]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BurnedInAnnotation", "YES"),
        ("Modality", "US"),
        ("Modality", "XC"),
        ("Modality", ""),
        ("Modality", NAME),
        ("Modality", "ot"),
        ("ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE"]),
    ],
)
def test_pictures_that_usually_have_text_are_refused_unless_asked(keyword: str, value: Any, tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setattr(dataset, keyword, value)
    source = _save(dataset, tmp_path / "1.dcm")
    refused = deidentify(source, tmp_path / "refused", key=KEY)
    assert "Text is probably burned" in refused["refused"][0]["reason"]
    kept = deidentify(source, tmp_path / "kept", key=KEY, refuse_text=False)
    assert (kept["written"], kept["burned_in_text_kept"]) == (1, 1)


def test_burned_in_text_that_the_heuristic_does_not_find_is_refused(tmp_path: Path) -> None:
    dataset = _read("CT_small.dcm")
    dataset.BurnedInAnnotation = "YES"
    dataset.PixelData = bytes(len(dataset.PixelData))
    report = deidentify(_save(dataset, tmp_path / "1.dcm"), tmp_path / "out", key=KEY, mask_text=True)
    assert "found none to mask" in report["refused"][0]["reason"]


# ---------------------------------------------------------------------------------------------------- burned-in text


def _ultrasound(lines: list[tuple[int, int, str]], seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A speckled fan on black with text, as ultrasound devices draw them: ``(480, 640)``."""
    y, x = np.mgrid[:480, :640]
    radius, angle = np.hypot(y - 40, x - 320), np.abs(np.arctan2(x - 320, y - 40))
    speckle = np.random.default_rng(seed).rayleigh(35, (480, 640)).clip(0, 160)
    picture = Image.fromarray(np.where((radius > 60) & (radius < 400) & (angle < 0.6), speckle, 0).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for left, top, text in lines:
        draw.text((left, top), text, fill=255, font_size=16)
    return np.asarray(picture)


_LINES = [(8, 6, "QUENTIN^MARIA 1957-03-12"), (430, 6, "ST ELSEWHERE HOSPITAL"), (8, 455, "MRN 0083715529")]


def _inside(lines: list[tuple[int, int, str]], boxes: list[Any]) -> bool:
    plain = Image.new("L", (640, 480))
    for left, top, text in lines:
        ImageDraw.Draw(plain).text((left, top), text, fill=255, font_size=16)
    ink = np.asarray(plain) > 64
    for left, top, width, height in boxes:
        ink[top : top + height, left : left + width] = False
    return not ink.any()


@pytest.mark.parametrize("seed", range(5))
def test_text_along_the_borders_is_found_and_the_fan_is_not(seed: int) -> None:
    picture = _ultrasound(_LINES, seed)
    boxes = text_boxes(picture.astype(np.float32))
    assert _inside(_LINES, boxes)
    assert sum(width * height for _, _, width, height in boxes) < 0.08 * picture.size
    assert text_boxes(_ultrasound([], seed).astype(np.float32)) == []


def test_dark_text_on_a_bright_ground_is_found() -> None:
    assert _inside(_LINES, text_boxes(255 - _ultrasound(_LINES).astype(np.float32)))


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (64, 64)])
def test_small_and_flat_pictures_have_no_text(shape: tuple[int, int]) -> None:
    assert text_boxes(np.zeros(shape, np.float32)) == []


def _capture(frames: np.ndarray[Any, np.dtype[np.uint8]]) -> Dataset:
    """An ultrasound file with these frames; ``(n, 480, 640)``."""
    dataset = _read("examples_rgb_color.dcm")
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 480, 640, len(frames)
    dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.PixelData = np.repeat(frames[..., None], 3, axis=-1).tobytes()
    return dataset


def test_masking_removes_the_text_in_every_frame_and_says_so(tmp_path: Path) -> None:
    frames = np.stack([_ultrasound(_LINES), _ultrasound([(400, 455, "DR WHO 12 MAR")], 1)])
    dataset = _capture(frames)
    dataset.BurnedInAnnotation = "YES"
    _save(dataset, tmp_path / "in" / "1.dcm")
    report = deidentify(tmp_path / "in", tmp_path / "out", key=KEY, mask_text=True)
    out = _one(tmp_path / "out")
    (masked,) = report["masked"]
    assert masked["name"] == f"{out.SOPInstanceUID}.dcm"
    assert _inside([*_LINES, (400, 455, "DR WHO 12 MAR")], masked["boxes"])
    for frame in out.pixel_array:
        assert text_boxes(frame.mean(axis=2)) == []
        for left, top, width, height in masked["boxes"]:
            assert np.ptp(frame[top : top + height, left : left + width]) == 0
    untouched = np.ones((480, 640), bool)
    for left, top, width, height in masked["boxes"]:
        untouched[top : top + height, left : left + width] = False
    assert np.array_equal(out.pixel_array[..., 0][:, untouched], frames[:, untouched])
    assert out.BurnedInAnnotation == "NO"
    assert [item.CodeValue for item in out.DeidentificationMethodCodeSequence] == ["113100", "113101"]
    again = deidentify(tmp_path / "out", tmp_path / "again", key=KEY, mask_text=True)
    assert again["masked"] == []
    names = [next((tmp_path / run).iterdir()) for run in ("out", "again")]
    assert names[0].read_bytes() == names[1].read_bytes()


def test_masks_are_printed_with_a_warning_to_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _save(_capture(_ultrasound(_LINES)[None]), tmp_path / "in" / "1.dcm")
    show_deidentified(deidentify(tmp_path / "in", tmp_path / "out", key=KEY, mask_text=True))
    printed = capsys.readouterr().out
    assert "1 of 1 file de-identified." in printed
    assert "Masked text regions" in printed
    assert "Look at every picture before you pass it on." in printed


# ------------------------------------------------------------------------------------------------ folders, keys, faults


def test_places_that_would_mix_are_refused_without_naming_them(tmp_path: Path) -> None:
    source = tmp_path / NAME
    _save(_read("CT_small.dcm"), source / "1.dcm")
    full = tmp_path / f"{NAME} out"
    full.mkdir()
    (full / "old").write_text("old")
    for arguments, sentence in (
        ((source, full), "not empty"),
        ((source, source / "new"), "within the source"),
        ((source, source / "1.dcm"), "must be a folder"),
        ((tmp_path / f"{NAME} absent", full), "does not exist"),
    ):
        with pytest.raises(DataError, match=sentence) as error:
            deidentify(*arguments, key=KEY)
        assert NAME not in str(error.value)
    assert [path.name for path in full.iterdir()] == ["old"]
    (tmp_path / "empty").mkdir()
    assert deidentify(source, tmp_path / "empty", key=KEY)["written"] == 1


def test_a_fault_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _save(_read("CT_small.dcm"), tmp_path / "in" / f"{NAME}.dcm")

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("radvqa.files.write_bytes", full)
    with pytest.raises(DataError, match="cannot be written: No space left on device") as error:
        deidentify(source, tmp_path / "out", key=KEY)
    assert str(tmp_path) not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_warnings_and_logs_of_the_reader_are_not_let_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dataset = _read("CT_small.dcm")
    content = _save(dataset, tmp_path / "in" / "1.dcm").read_bytes()
    birth = dataset.StudyDate.encode()
    (tmp_path / "in" / "1.dcm").write_bytes(content.replace(birth, NAME.encode() + b"!"))
    report = deidentify(tmp_path / "in", tmp_path / "out", key=KEY)
    assert report["written"] == 1
    captured = capfd.readouterr()
    assert NAME not in captured.out + captured.err + caplog.text
    assert logging.root.manager.disable == 0


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="The key has 6 characters; take at least 16"):
        deidentify(_save(_read("CT_small.dcm"), tmp_path / "1"), tmp_path / "out", key="secret")


@given(old=st.text(max_size=80), key=st.text(min_size=16, max_size=40))
def test_new_uids_are_valid_stable_and_recognised(old: str, key: str) -> None:
    names = Pseudonyms(key)
    new = names.uid(old)
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", new)
    assert (int(new[5:]) >> 76 & 15, int(new[5:]) >> 62 & 3) == (8, 2)  # version and variant of RFC 9562
    assert new == names.uid(old) == names.uid(new) == Pseudonyms(key).uid(old)
    assert Pseudonyms(key + "x").uid(old) != new
    assert names.subject(old) == names.subject(names.subject(old))
    assert len(names.subject(old)) <= 64


def test_keys_are_long_and_never_the_same() -> None:
    assert len({new_key() for _ in range(100)}) == 100
    assert all(re.fullmatch(r"[0-9a-f]{64}", new_key()) for _ in range(10))


def test_big_endian_files_are_read(tmp_path: Path) -> None:
    dataset = _read("MR_small_bigendian.dcm")
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    assert np.array_equal(_run(dataset, tmp_path).pixel_array, dataset.pixel_array)

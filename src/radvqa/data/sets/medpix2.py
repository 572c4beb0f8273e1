"""MedPix 2.0: teaching cases of CT and MRI with a caption for every picture (Siragusa et al., 2025)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from radvqa import files
from radvqa.data.dataset import Facts, Problems, Split, Version
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_ROWS = "Descriptions.json"
_CASES = "Case_topic.json"
_SPLITS = "splitted_dataset/uid_list.json"
_FILES = (_ROWS, _CASES, _SPLITS, "images")
_MODALITIES = {"CT": "CT", "MR": "MRI"}
_CONTEXT = (  # name in the context, section and key of the case
    ("Title", "Case", "Title"),
    ("History", "Case", "History"),
    ("Exam", "Case", "Exam"),
    ("Findings", "Case", "Findings"),
    ("Diagnosis", "Case", "Case Diagnosis"),
    ("Disease discussion", "Topic", "Disease Discussion"),
)
_NOTHING = ("", "N/A")

Known = TypeVar("Known")


class MedPix2:
    """A caption for each of 2,050 pictures, with the text of its case beside it.

    A sample's organ is the published location category, its case the ``U_id``. Its context holds one field a line:
    modality, plane and location of the picture, then title, history, exam, findings, diagnosis and disease discussion
    of the case, as far as they are given.
    """

    name = "medpix2"
    facts = Facts(
        title="MedPix 2.0: pictures, captions and case texts of CT and MRI teaching cases",
        source="Siragusa et al., Data Science and Engineering, 2025",
        licence="none found; research use only",
        folder="medpix2",
        default="captions",
        task="caption",
        versions={
            "captions": Version(
                "A caption for each picture; 671 cases, none in two splits.",
                {
                    "train": Split(1653, 1653, "628cf34cf38fee82ec87303c60bfe9f31d428a1089e3a1d4d5a2109fbbd0e9f4"),
                    "dev": Split(197, 197, "f22b42bc0582808363962c740a95b7847617053b8bf19b8ca472878f89bf282c"),
                    "test": Split(200, 200, "b398662c5de11a1c507a287ec0cd0fc11c9494915024123c19fceef26b070ef4"),
                },
                files=_FILES,
            ),
            "halves": Version(
                "The same with the training cases in the two published halves.",
                {
                    "train_1": Split(810, 810, "b5f15d4abd9cdc6f44bec636003939eceb7a46b33db46de76947723ca2b18912"),
                    "train_2": Split(843, 843, "92db85c15fdf9fca200bee086b64a148b5c7c46cfd2f0333f4279612d2dd366a"),
                    "dev": Split(197, 197, "2648893cab24ae525a7d946d43cb10333ab1e827f977efb467ce03e022ba8bb1"),
                    "test": Split(200, 200, "7bd55c4759c5a5dc06b7e26d6c421cb9194958b9b05936cd0a7ef0c4bda45fbb"),
                },
                files=_FILES,
            ),
        },
        notes=(
            "The case text gives much away: 466 captions (50 of the 200 in the test split) stand word for word in the "
            "title, history, exam, findings, diagnoses or discussion of their case.",
            "21 captions are a placeholder that nobody filled in (“Replace this - DESCRIPTION OF THE IMAGE OR "
            "FINDINGS.”): 15 in train, 6 in dev, none in test.",
            "962 pictures share their caption with another picture of the same case.",
            "13 of the 69 test cases are about a topic that a training case is about too.",
            "19 pictures are also in VQA-RAD, 10 of them in its test split; `radvqa data leaks` finds them.",
            "medpix_clinqa asks about the same pictures with another split: 63 of the 69 test cases here are training "
            "cases there.",
        ),
        citation="I. Siragusa, S. Contino, M. La Ciura, R. Alicata and R. Pirrone: MedPix 2.0: A Comprehensive "
        "Multimodal Biomedical Data set for Advanced AI Applications with Retrieval Augmented Generation and Knowledge "
        "Graphs. Data Science and Engineering, 2025, doi 10.1007/s41019-025-00297-8",
        address="https://github.com/CHILab1/MedPix-2.0",
        terms="No licence was found. Use it for research only, and do not pass pictures or texts on.",
        how_to_get="Clone the repository and put Descriptions.json, Case_topic.json, splitted_dataset/ and images/ of "
        "its folder MedPix-2-0 into medpix2/ below RADVQA_DATA.",
        altered="Copies for development may hold the pictures as JPEG with a longest side of 256 px (published: PNG).",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the captions of every split, in the order of ``Descriptions.json``."""
        cases = {row.text("U_id"): row for row in read_rows(folder / _CASES)}
        splits = _splits(folder / _SPLITS, tuple(self.facts.versions[version].splits))
        pictures = PicturesByStem(folder / "images")
        samples: dict[str, list[Sample]] = {split: [] for split in self.facts.versions[version].splits}
        for row in read_rows(folder / _ROWS):
            try:
                case = _of_case(row, cases, folder / _CASES)
                split = _of_case(row, splits, folder / _SPLITS)
                samples[split].append(_sample(row, case, version, split, pictures))
            except BadRowError as error:
                problems.report(str(error))
        return [sample for split in samples.values() for sample in split]

    def regions(self, folder: Path, image: str) -> list[Region]:
        """MedPix 2.0 has no labelled regions."""
        return []


def _of_case(row: Row, known: Mapping[str, Known], path: Path) -> Known:
    case = row.text("U_id")
    if case not in known:
        raise BadRowError(f"{row.where}: the case {case!r} is not in {path}.")
    return known[case]


def _sample(row: Row, case: Row, version: str, split: str, pictures: PicturesByStem) -> Sample:
    key = row.text("image")
    described = Row(_section(row, "Description"), row.path, row.number)
    published = f"{key}.png"
    return Sample(
        id=f"medpix2/{version}/{split}/{key}",
        dataset=f"medpix2:{version}",
        split=split,
        image=published,
        image_path=pictures.path(published),
        question="",
        answer=described.text("Caption"),
        answer_type="OPEN",
        case=row.text("U_id"),
        organ=row.text("Location Category"),
        modality=_modality(row),
        task="caption",
        context="\n".join(f"{name}: {text}" for name, text in _context(row, described, case)),
        source=row.where,
    )


def _modality(row: Row) -> str:
    kind = row.text("Type")
    if kind not in _MODALITIES:
        raise BadRowError(f"{row.where}: 'Type' must be CT or MR, found {kind!r}.")
    return _MODALITIES[kind]


def _context(row: Row, described: Row, case: Row) -> Iterator[tuple[str, str]]:
    """Yield name and text of each field that says something."""
    fields: list[tuple[str, Any]] = [
        ("Modality", described.values.get("Modality")),
        ("Plane", described.values.get("Plane")),
        ("Location", row.values.get("Location")),
        *((name, _section(case, section).get(key)) for name, section, key in _CONTEXT),
    ]
    for name, value in fields:
        text = value.strip() if isinstance(value, str) else ""
        if text not in _NOTHING:
            yield name, text


def _section(row: Row, key: str) -> Mapping[str, Any]:
    section = row.values.get(key)
    if not isinstance(section, dict):
        raise BadRowError(f"{row.where}: {key!r} must be a JSON object, found {section!r}.")
    return section


def _splits(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the split of each case.

    Raises:
        DataError: when a split is missing, or a case is in two.
    """
    content = files.read_json(path)
    split_of: dict[str, str] = {}
    for split in names:
        cases = content.get(split) if isinstance(content, dict) else None
        if not isinstance(cases, list) or not all(isinstance(case, str) for case in cases):
            raise DataError(f"{path}: {split!r} must be a list of cases; get the file anew.")
        for case in cases:
            if split_of.setdefault(case, split) != split:
                raise DataError(f"{path}: the case {case} is in {split_of[case]!r} and in {split!r}; get it anew.")
    return split_of


DATA_SET = MedPix2()

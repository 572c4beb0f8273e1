"""MEDPIX-ClinQA: questions that a language model wrote about the cases of MedPix 2.0 (Shourya et al., 2025)."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.rows import BadRowError, Row
from radvqa.errors import DataError
from radvqa.prediction_files import delimited
from radvqa.sample import Region, Sample

_ROWS = "dataset_sa.csv"
_FILES = (_ROWS, "../medpix2/images")
_MODES = ("alignment", "pre_training")
_YES_NO = ("yes", "no")


class MedPixClinQa:
    """The rows of ``dataset_sa.csv``: five generated questions for each picture, and templated ones.

    The rows name no type of answer: one that is yes or no and nothing else is CLOSED, every other one OPEN. The content
    type is the published mode. A row's key is its number in the file, counted from 1 below the header.
    """

    name = "medpix_clinqa"
    facts = Facts(
        title="MEDPIX-ClinQA: generated questions about the cases of MedPix 2.0",
        source="Shourya, Dumontier and Sun, arXiv 2506.14451, 2025; repository adishourya/MedM",
        licence="MIT (the repository with the rows); none found for the pictures and case texts beneath them, research "
        "use only",
        folder="medpix_clinqa",
        default="all",
        versions={
            "all": Version(
                "Both modes together; 671 cases, none in two splits.",
                {
                    "Train": Split(11574, 1798, "0d90ada9db1a64feecff20cf1d7b12a2f8a7b0e1ce1aa58ce83381e4bf7795c4"),
                    "Valid": Split(671, 101, "78c54511b9d1a2c4f7b3144f7191174e53934c4e4444aa27983112c3342c6e88"),
                    "Test": Split(980, 151, "d6b12ebf541199f5cf0dbeee1227e89752be16395f98d7ee52ae57b7eac92006"),
                },
                files=_FILES,
            ),
            "alignment": Version(
                "Five open questions for each of the 2,050 pictures, written by a model from caption and case text.",
                {
                    "Train": Split(8990, 1798, "0fb9c8be0eb33a10ff09d827bc8a6111342410a4245b7e25aae0e2454aa125d2"),
                    "Valid": Split(505, 101, "77841f2782ae304a961cb0d7c678fb4d5836749da2e177c35026c67a8122c9d5"),
                    "Test": Split(755, 151, "95d816ac1d5381db3bc2a92b2196b45a18b80c7abd2f97aa8d2dd2f5e3e85ba4"),
                },
                files=_FILES,
            ),
            "pre_training": Version(
                "12 fixed questions about 1,998 pictures, with answers put together from fields of the case.",
                {
                    "Train": Split(2584, 1755, "807b97d22e4719e7f1eb128f9c87d2ee4c1360d6d020bd5db4732173083e164f"),
                    "Valid": Split(166, 98, "b514d65381383aa5b78fe6fc23451d7669f313e8c44553712689ce642fb1d815"),
                    "Test": Split(225, 145, "0633b2db8349fc2cad534ee7616c0fba47a1716fb4eaccde337d9547203afeca"),
                },
                files=_FILES,
            ),
        },
        notes=(
            "Questions and answers of the mode alignment were written by a language model from caption and case "
            "text; some can be answered from the text only, not from the picture.",
            "The split is not that of MedPix 2.0: 63 of the 69 test cases of medpix2 are training cases here, and 36 "
            "of the 43 test cases here are training cases there. Training on one and testing on the other leaks.",
            "The copy on the Hugging Face hub (adishourya/MEDPIX-ShortQA) splits as many rows into 10,362, 1,303 and "
            "1,560: its scores are not comparable with those on this split.",
            "Only one answer is a bare yes or no, so accuracy by exact match says little; mean answer 21.7 words.",
        ),
        citation="A. Shourya, M. Dumontier and C. Sun: arXiv 2506.14451, 2025. The pictures: I. Siragusa et al.: "
        "MedPix 2.0, Data Science and Engineering, 2025, doi 10.1007/s41019-025-00297-8",
        address="https://github.com/adishourya/MedM/tree/19b6141baf08f7170feda3639f3bc796d6471dff/MEDPIX-ClinQA",
        terms="No licence was found for MedPix 2.0, whose texts the rows quote. Use them for research only.",
        downloads=(
            Download(
                "https://raw.githubusercontent.com/adishourya/MedM/19b6141baf08f7170feda3639f3bc796d6471dff/"
                "MEDPIX-ClinQA/dataset_sa.csv",
                _ROWS,
                sha256="95063f3035c4769ce494e2ae18da2ee1f590cecc5945688f3ff713e5a3f719c0",
                size=3_819_349,
            ),
        ),
        how_to_get="The pictures are those of medpix2: get that data set too, and they are found there.",
        pictures_apart="The pictures are those of MedPix 2.0 and are taken from medpix2/images/ beside this folder, or "
        "from sample/ in it.",
        altered="The pictures are those of the copy of medpix2, which may be made smaller.",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the rows of one mode or of both, split by split."""
        samples: dict[str, list[Sample]] = {split: [] for split in self.facts.versions[version].splits}
        find = _finder(folder)
        path = folder / _ROWS
        if not path.is_file():
            raise DataError(f"{path} does not exist; `radvqa data explain medpix_clinqa` says how to get it.")
        for number, (_, values) in enumerate(delimited.rows(path), start=1):
            row = Row(values, path, number)
            try:
                mode = _one_of(row, "mode", _MODES)
                split = _one_of(row, "split", tuple(samples))
                if version in (mode, "all"):
                    samples[split].append(_sample(row, version, split, mode, find))
            except BadRowError as error:
                problems.report(str(error))
        return [sample for split in samples.values() for sample in split]

    def regions(self, folder: Path, image: str) -> list[Region]:
        """MEDPIX-ClinQA has no labelled regions."""
        return []


def _sample(row: Row, version: str, split: str, mode: str, find: Callable[[str], Path]) -> Sample:
    image, answer = row.text("image_id"), row.text("answer")
    return Sample(
        id=f"medpix_clinqa/{version}/{split}/{row.number}",
        dataset=f"medpix_clinqa:{version}",
        split=split,
        image=image,
        image_path=find(image),
        question=row.text("question"),
        answer=answer,
        answer_type="CLOSED" if answer.lower().rstrip(".") in _YES_NO else "OPEN",
        question_type=mode,
        case=row.text("case_id"),
        source=row.where,
    )


def _one_of(row: Row, key: str, known: tuple[str, ...]) -> str:
    value = row.text(key)
    if value not in known:
        raise BadRowError(f"{row.where}: {key!r} must be one of {', '.join(known)}, found {value!r}.")
    return value


def _finder(folder: Path) -> Callable[[str], Path]:
    """Look for ``sample/NAME.png`` where it was published, then among the pictures of MedPix 2.0."""
    here, medpix2 = PicturesByStem(folder), PicturesByStem(folder.parent / "medpix2" / "images")

    @cache
    def find(image: str) -> Path:
        path = here.path(image)
        return path if path.is_file() else medpix2.path(image.rpartition("/")[2])

    return find


DATA_SET = MedPixClinQa()

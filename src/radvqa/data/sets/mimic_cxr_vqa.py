"""MIMIC-CXR-VQA: templated questions about chest radiographs (Bae et al., EHRXQA, NeurIPS 2023).

PhysioNet gives access to named persons only; this file reads what such a person has, and fetches nothing.
"""

from pathlib import Path

from radvqa.data.dataset import Facts, Problems, Split, Version
from radvqa.data.places import first_folder
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError
from radvqa.sample import AnswerType, Region, Sample

_QUESTIONS = ("mimiccxrvqa/dataset", "dataset", ".")
_PICTURES = ("files", "mimic-cxr-jpg/2.0.0/files", "physionet.org/files/mimic-cxr-jpg/2.0.0/files")
_ANSWER_TYPES: dict[str, AnswerType] = {"verify": "CLOSED", "choose": "CLOSED", "query": "OPEN"}
_NOTHING = "none"


class MimicCxrVqa:
    """MIMIC-CXR-VQA as its repository builds it: ``train/valid/test.json`` and images by their MIMIC-CXR-JPG path."""

    name = "mimic_cxr_vqa"
    facts = Facts(
        title="MIMIC-CXR-VQA: complex, diverse and large-scale questions about chest radiographs",
        source="Bae et al., EHRXQA, NeurIPS 2023 Datasets and Benchmarks, arXiv 2310.18652",
        licence="PhysioNet Credentialed Health Data License",
        folder="mimic_cxr_vqa",
        default="official",
        versions={
            "official": Version(
                "377,391 questions of 48 templates about 142,797 radiographs.",
                {"train": Split(290_031, 0), "valid": Split(73_567, 0), "test": Split(13_793, 0)},
            )
        },
        notes=(
            "Train and valid share patients; test shares none with either.",
            "An answer is a list: several are joined by ', ', and an empty one is written 'none'.",
            "Questions to verify or to choose are CLOSED, queries are OPEN; the repository's own baselines call all "
            "of them CLOSED.",
            "The data use agreement forbids to pass the data on. Runs keep questions and thumbnails: do not pass those "
            "on either, and do not send pictures or questions to an online service.",
        ),
        citation="Bae S, Kyung D, Ryu J, et al. EHRXQA: A Multi-Modal Question Answering Dataset for Electronic Health "
        "Records with Chest X-ray Images. NeurIPS 2023 Datasets and Benchmarks Track.",
        address="https://github.com/baeseongsu/mimic-cxr-vqa",
        terms="PhysioNet gives access to credentialed persons who have finished its training in research on human "
        "subjects and signed the data use agreement, each for oneself.",
        how_to_get="With your own PhysioNet account, credentialed for MIMIC-CXR-JPG, Chest ImaGenome and MIMIC-IV, run "
        "the repository's build_dataset.sh. Put train.json, valid.json and test.json into mimic_cxr_vqa/dataset/ and "
        "the pXX folders of MIMIC-CXR-JPG into mimic_cxr_vqa/files/; radvqa does not fetch any of it.",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the questions of the three splits.

        Raises:
            DataError: also when only the published part without answers is there.
        """
        questions, pictures = first_folder(folder, _QUESTIONS), first_folder(folder, _PICTURES)
        paths: dict[str, Path] = {}
        samples: list[Sample] = []
        for split in self.facts.versions[version].splits:
            path = questions / f"{split}.json"
            if not path.is_file() and (questions / f"_{split}.json").is_file():
                raise DataError(
                    f"{questions / f'_{split}.json'} is the part that is published without answers; the repository's "
                    f"build_dataset.sh makes {split}.json of it, with your own credentialed PhysioNet account."
                )
            for row in read_rows(path):
                try:
                    name = row.text("image_path")
                    image_path = paths.get(name) or paths.setdefault(name, _inside(pictures, name, row))
                    samples.append(_sample(row, name, image_path, split, version))
                except BadRowError as error:
                    problems.report(str(error))
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """The questions come without regions."""
        return []


def _sample(row: Row, name: str, image_path: Path, split: str, version: str) -> Sample:
    kind = row.text("semantic_type")
    if kind not in _ANSWER_TYPES:
        raise BadRowError(f"{row.where}: 'semantic_type' must be one of {', '.join(_ANSWER_TYPES)}, found {kind!r}.")
    return Sample(
        id=f"mimic_cxr_vqa/{version}/{split}/{row.text('idx')}",
        dataset=f"mimic_cxr_vqa:{version}",
        split=split,
        image=name,
        image_path=image_path,
        question=row.text("question"),
        answer=_answer(row),
        answer_type=_ANSWER_TYPES[kind],
        question_type=row.text("content_type"),
        case=row.text("subject_id"),
        organ="Chest",
        modality="X-Ray",
        source=row.where,
    )


def _answer(row: Row) -> str:
    answer = row.values.get("answer")
    if not isinstance(answer, list):
        return row.text("answer")
    if not all(isinstance(part, str) for part in answer):
        raise BadRowError(f"{row.where}: 'answer' must be a list of texts, found {answer!r}.")
    return ", ".join(part.strip() for part in answer) or _NOTHING


def _inside(pictures: Path, name: str, row: Row) -> Path:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise BadRowError(f"{row.where}: 'image_path' must lie below the folder of the images, found {name!r}.")
    return pictures / name


DATA_SET = MimicCxrVqa()

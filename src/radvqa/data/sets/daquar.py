"""DAQUAR: questions about indoor scenes, not medicine (Malinowski and Fritz, NIPS 2014); pictures of NYU Depth v2."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radvqa import files
from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.rows import BadRowError, Row
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_IMAGE: Final = re.compile(r"\bimage\d+\b")
_ALL: Final = "all_qa_pairs.txt"
_LISTS: Final = {"train": "train_images_list.txt", "test": "test_images_list.txt"}
_REDUCED: Final = {"train": "qa.37.raw.train.txt", "test": "qa.37.raw.reduced.test.txt"}
_CSV: Final = {"train": "data_train.csv", "eval": "data_eval.csv"}
_LAYOUTS: Final = {
    "all": f"{_ALL}, {_LISTS['train']} and {_LISTS['test']}",
    "reduced": f"{_REDUCED['train']} and {_REDUCED['test']}",
    "csv": f"{_CSV['train']} and {_CSV['eval']}",
}
_FOLDERS: Final = ("images", "nyu_depth_images")
_NOT_PUBLISHED: Final = 0
_SITE: Final = "http://datasets.d2.mpi-inf.mpg.de/mateusz14visual-turing/"


class Daquar:
    """DAQUAR in full, reduced to 37 object classes, and in the widely copied CSV files."""

    name = "daquar"
    facts = Facts(
        title="DAQUAR: a data set for question answering on real-world images",
        source="Malinowski and Fritz, A Multi-World Approach to Question Answering about Real-World Scenes, NIPS 2014",
        licence="not stated (the pictures are those of NYU Depth v2)",
        folder="daquar",
        medical=False,
        default="all",
        versions={
            "all": Version(
                "The full set, 6,795 training and 5,673 test questions, split by the official lists of images.",
                {
                    "train": Split(6795, 794, "a01a755500e114add814d9e0cc3b3ded9b8149b240e3dcb24248c1065fa53c30"),
                    "test": Split(5673, 653, "3f47019e694a991dbc66268aa73979e5fd6ef5a846c7406bbc933a8e438335a2"),
                },
                files=(_ALL, *_LISTS.values()),
            ),
            "reduced": Version(
                "Questions whose answers are among 37 object classes, tested on 25 images.",
                {"train": Split(3876, _NOT_PUBLISHED), "test": Split(297, 25)},
                files=tuple(_REDUCED.values()),
            ),
            "csv": Version(
                "The same 12,468 questions in two CSV files, divided at random question by question.",
                {
                    "train": Split(9974, 1442, "33218fb11f6511e067d4e0f1c7bea2378b7867c2fdd583b457202f5074d93131"),
                    "eval": Split(2494, 1129, "08b06dc44ac6a73d43d736a6c6be247efe84a855cc7b622c9fbdd6e409994219"),
                },
                files=tuple(_CSV.values()),
                warning="1,124 of the 1,129 evaluation images are also training images, and 69 triplets of picture, "
                "question and answer are in both files; use daquar:all for a number about new images.",
            ),
        },
        notes=(
            "It is not medical: indoor scenes of homes and offices. It is here because older methods were measured on "
            "it, with WUPS beside accuracy.",
            "Every published question names its image ('in the image3 ?'). The number is left out of the question, "
            "because it would tell training pictures apart without looking; daquar:csv never had it.",
            "An answer may be several, joined by commas (1,243 of 12,468 rows); they stay as published.",
            "No answer is yes or no, so every row is OPEN.",
            "The lists name 795 and 654 images; questions are asked about 794 and 653 of them.",
            "208 rows repeat the question and answer of an earlier row about the same image.",
            "Published results differ in which questions they keep: many leave out those with several answers.",
        ),
        citation="M. Malinowski, M. Fritz: A Multi-World Approach to Question Answering about Real-World Scenes based "
        "on Uncertain Input, NIPS 2014.",
        address="https://www.mpi-inf.mpg.de/departments/computer-vision-and-machine-learning/research/"
        "vision-and-language/visual-turing-challenge/",
        terms="The publishers state no licence; the pictures come from NYU Depth v2 and follow its terms.",
        downloads=(
            Download(f"{_SITE}qa.894.raw.txt", _ALL),
            Download(f"{_SITE}train.txt", _LISTS["train"]),
            Download(f"{_SITE}test.txt", _LISTS["test"]),
            Download(f"{_SITE}nyu_depth_images.tar", ".", unpack=True),
        ),
        how_to_get="The files of daquar:reduced are on the authors' page; those of daquar:csv circulate as copies and "
        "go beside them.",
        altered="Copies for development may hold the pictures as JPEG with a longest side of 256 px.",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read every split of one version, in the order of the files.

        Raises:
            DataError: when a file of the version's layout is absent or damaged.
        """
        pictures = PicturesByStem(next((folder / name for name in _FOLDERS if (folder / name).is_dir()), folder))
        samples: list[Sample] = []
        for split, row in _rows(folder, version, problems):
            try:
                samples.append(self._sample(row, pictures, version, split))
            except BadRowError as error:
                problems.report(str(error))
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """DAQUAR has no labelled regions."""
        return []

    @staticmethod
    def _sample(row: Row, pictures: PicturesByStem, version: str, split: str) -> Sample:
        image = row.text("image_id")
        return Sample(
            id=f"daquar/{version}/{split}/{row.number}",
            dataset=f"daquar:{version}",
            split=split,
            image=image,
            image_path=pictures.path(image),
            question=row.text("question"),
            answer=row.text("answer"),
            answer_type="OPEN",
            source=row.where,
        )


def _rows(folder: Path, version: str, problems: Problems) -> Iterator[tuple[str, Row]]:
    if version == "all":
        split_of = _official_split(folder)
        for row in _pairs(folder, _ALL, version, problems):
            image = row.text("image_id")
            if image in split_of:
                yield split_of[image], row
            else:
                problems.report(f"{row.where}: {image} is in none of the lists of training and test images.")
    elif version == "reduced":
        for split, name in _REDUCED.items():
            yield from ((split, row) for row in _pairs(folder, name, version, problems))
    else:
        for split, name in _CSV.items():
            yield from ((split, row) for row in _table(folder, name, version))


def _pairs(folder: Path, name: str, version: str, problems: Problems) -> Iterator[Row]:
    """Read lines that alternate between a question and its answer; a pair is numbered from 1."""
    lines = [line.strip() for line in _text(folder, name, version).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) % 2:
        raise DataError(f"{folder / name}: its {len(lines):,} lines are no pairs of question and answer.")
    for number, (question, answer) in enumerate(zip(lines[::2], lines[1::2], strict=True), start=1):
        images = _IMAGE.findall(question)
        if not images or not answer:
            lacking = "answer" if images else "image in the question"
            problems.report(f"{folder / name}, lines {2 * number - 1} and {2 * number}: there is no {lacking}.")
            continue
        asked = _IMAGE.sub("image", question)
        yield Row({"question": asked, "answer": answer, "image_id": images[-1]}, folder / name, number)


def _table(folder: Path, name: str, version: str) -> Iterator[Row]:
    table = csv.DictReader(io.StringIO(_text(folder, name, version), newline=""))
    for number, values in enumerate(table, start=1):
        yield Row({key: value for key, value in values.items() if isinstance(value, str)}, folder / name, number)


def _official_split(folder: Path) -> dict[str, str]:
    return {image: split for split, name in _LISTS.items() for image in _text(folder, name, "all").split()}


def _text(folder: Path, name: str, version: str) -> str:
    if not (folder / name).is_file():
        raise DataError(f"daquar:{version} expects {_LAYOUTS[version]} in {folder}, and {name} is not there.")
    return files.read_text(folder / name)


DATA_SET = Daquar()

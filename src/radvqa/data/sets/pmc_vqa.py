"""PMC-VQA: multiple-choice questions about figures of biomedical articles (Zhang et al., arXiv 2305.10415)."""

import re
from pathlib import Path

from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.places import first_folder
from radvqa.data.rows import BadRowError
from radvqa.data.table_rows import Cells, column_names, read_table
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_FILES = {
    "v1": {"train": "train.csv", "test_unverified": "test.csv", "test": "test_clean.csv"},
    "v2": {"train": "train_2.csv", "test": "test_2.csv"},
}
_PICTURES = {"v1": ("images/images", "images"), "v2": ("images_2/figures", "figures", "images_2")}
_SPLITS = {
    "v1": {"train": Split(176_948, 0), "test_unverified": Split(50_000, 0), "test": Split(2_000, 0)},
    "v2": {"train": Split(152_603, 0), "test": Split(33_430, 0)},
}
_COLUMNS = ("Figure_path", "Question", "Choice A", "Choice B", "Choice C", "Choice D")
_LABELS = ("Answer_label", "Answer", "Anwser")
_PLACES = {text: place for place, letter in enumerate("ABCD") for text in (letter, f"{letter}:")}
"""Place of the right choice; the first release wrote ``B:Focal uptake pattern`` where the others have ``B``."""

_ARTICLE = re.compile(r"PMC\d+")
_SOURCE = "https://huggingface.co/datasets/xmcmic/PMC-VQA/resolve/main/"


def _version(summary: str, release: str) -> Version:
    return Version(summary, _SPLITS[release], files=tuple(_FILES[release].values()))


class PmcVqa:
    """PMC-VQA in its published layout: CSV files beside the unpacked ``images.zip`` and ``images_2.zip``.

    Version 1 names the right choice in ``Answer_label``; version 2 has no such column and names it in ``Answer``.
    """

    name = "pmc_vqa"
    facts = Facts(
        title="PMC-VQA: visual instruction tuning for medical visual question answering",
        source="Zhang et al., PMC-VQA, arXiv 2305.10415",
        licence="CC BY-SA (the articles are CC0 or CC BY)",
        folder="pmc_vqa",
        default="v1",
        versions={
            "v1": _version("Multiple choice, 227,000 pairs on 149,000 figures; 2,000 verified to test.", "v1"),
            "v2": _version("Multiple choice, compound figures removed; the test rows are not verified.", "v2"),
            "v1_blank": _version("The questions of v1 without the choices; the answer is open.", "v1"),
            "v2_blank": _version("The questions of v2 without the choices; the answer is open.", "v2"),
        },
        notes=(
            "The test of the paper is the file test_clean.csv: 2,000 rows that people verified, here the split 'test'. "
            "The file test.csv is another thing: 50,000 rows that nobody verified, here 'test_unverified'. A score "
            "that does not say which of the two it is on cannot be compared.",
            "test_2.csv (33,430 rows, the test of v2) is not verified either, and is a third test set.",
            "A language model wrote questions, choices and answers from the captions. The caption column of v2 often "
            "holds the answer and is therefore not given as context.",
            "Figures of one article are not independent; the article's number (PMC…) is taken as the case.",
        ),
        citation="Zhang X, Wu C, Zhao Z, Lin W, Zhang Y, Wang Y, Xie W. PMC-VQA: Visual Instruction Tuning for Medical "
        "Visual Question Answering. arXiv:2305.10415, 2023.",
        address="https://huggingface.co/datasets/xmcmic/PMC-VQA",
        downloads=(
            *(Download(_SOURCE + file, file) for files in _FILES.values() for file in files.values()),
            Download(f"{_SOURCE}images.zip", "images", unpack=True),
            Download(f"{_SOURCE}images_2.zip", "images_2", unpack=True),
        ),
        task="choice",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read every split of one version; a blank version has the rows of the other without the choices."""
        release, _, blank = version.partition("_")
        pictures = _Pictures(first_folder(folder, _PICTURES[release]))
        dataset = f"pmc_vqa:{version}"
        samples: list[Sample] = []
        for split, file in _FILES[release].items():
            path = folder / file
            prefix, where = f"pmc_vqa/{version}/{split}/", f"{path}, row "
            for number, cells in read_table(path, (*_COLUMNS, _label_column(path)), problems):
                try:
                    options, right = _options(cells, where, number)
                except BadRowError as error:
                    problems.report(str(error))
                    continue
                image, image_path, article = pictures.of(cells[0])
                samples.append(
                    Sample(
                        id=f"{prefix}{number}",
                        dataset=dataset,
                        split=split,
                        image=image,
                        image_path=image_path,
                        question=cells[1],
                        answer=right,
                        answer_type="OPEN" if blank else "CLOSED",
                        case=article,
                        task="vqa" if blank else "choice",
                        options=() if blank else options,
                        source=f"{where}{number}",
                    )
                )
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """PMC-VQA has no labelled regions."""
        return []


class _Pictures:
    """Name, path and article of each figure, made once however many questions ask about it."""

    def __init__(self, folder: Path) -> None:
        self._found = PicturesByStem(folder)
        self._known: dict[str, tuple[str, Path, str]] = {}

    def of(self, name: str) -> tuple[str, Path, str]:
        known = self._known.get(name)
        if known is None:
            article = _ARTICLE.match(name)
            known = self._known[name] = (name, self._found.path(name), article[0] if article else "")
        return known


def _label_column(path: Path) -> str:
    """Return the column that names the right choice."""
    known = column_names(path)
    named = [name for name in _LABELS if name in known]
    if not named:
        raise DataError(f"{path} names the right choice neither in {_LABELS[0]!r} nor in {_LABELS[1]!r}.")
    return named[0]


def _options(cells: Cells, where: str, number: int) -> tuple[tuple[str, ...], str]:
    """Return the choices without their letters, and the right one.

    Raises:
        BadRowError: when a text that is needed is empty, or the right choice is not one of A, B, C and D.
    """
    figure, question, a, b, c, d, label = cells
    options = (  # written out, because 227,000 rows pass here
        a[2:].lstrip() if a[:2] == "A:" else a,
        b[2:].lstrip() if b[:2] == "B:" else b,
        c[2:].lstrip() if c[:2] == "C:" else c,
        d[2:].lstrip() if d[:2] == "D:" else d,
    )
    place = _PLACES.get(label[:2])
    if place is None:
        raise BadRowError(f"{where}{number}: the right choice must be A, B, C or D, found {label!r}.")
    if not (figure and question and options[place]):
        empty = "figure" if not figure else "right choice" if question else "question"
        raise BadRowError(f"{where}{number}: the {empty} is empty.")
    return options, options[place]


DATA_SET = PmcVqa()

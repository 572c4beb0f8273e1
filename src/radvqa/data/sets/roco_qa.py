"""ROCO-QA: a question that a language model wrote for each caption of ROCO (Shourya et al., arXiv 2506.14451)."""

from collections.abc import Iterator
from pathlib import Path

from radvqa import files
from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.own.arrow import open_arrow
from radvqa.data.own.pictures import Pictures
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_QUESTIONS = "test_qa_generated.json"
_CAPTIONS = "test_captions.txt"
_HUB = {"hf": "ROCO-QA/data", "hf_train": "ROCO-QA-Train/data"}
"""Folder of the Parquet files by version, as the two data sets of the hub hold them."""


class RocoQa:
    """The test questions as they were generated, the captions that they were made from, and the hub's Parquet files.

    Every answer is a whole caption, hence OPEN.
    """

    name = "roco_qa"
    facts = Facts(
        title="ROCO-QA: one generated question for each caption of ROCO",
        source="Shourya, Dumontier and Sun, arXiv 2506.14451, 2025; captions: Pelka et al., LABELS 2018",
        licence="MIT (repository) and Apache-2.0 (hub) for the questions; captions and pictures are from articles of "
        "PubMed Central Open Access, whose own licences hold; research use only",
        folder="roco_qa",
        default="questions",
        versions={
            "questions": Version(
                "The generated questions about ROCO's test captions, each with its caption as the answer.",
                {"test": Split(8179, 8179, "9c5ff46c27610dd30a080adfab9a48e86bf0b0603d517e59149c5ba7ddca7cf7")},
                files=(_QUESTIONS, "images"),
            ),
            "captions": Version(
                "The same captions without the questions.",
                {"test": Split(8179, 8179, "ed80c0f8e1d0c24fa8bf6cebac8a5253559faf5238fc08d78cdd5d76d522ac4e")},
                files=(_CAPTIONS, "images"),
            ),
            "hf": Version(
                "The hub's Parquet files with pictures; the first split is named “Vaild” as published.",
                {"Vaild": Split(8175, 0), "Test": Split(8176, 0)},
                files=(f"{_HUB['hf']}/Vaild-*.parquet", f"{_HUB['hf']}/Test-*.parquet"),
            ),
            "hf_train": Version(
                "The hub's training rows with pictures, about 65,400; no exact number is published.",
                {"Train": Split(0, 0)},
                files=(f"{_HUB['hf_train']}/Train-*.parquet",),
            ),
        },
        notes=(
            "The answer is the caption that the question was made from: the question itself, given as the answer, has "
            "a ROUGE-1 of 0.367. A model must do better than this echo.",
            "The questions are as the model gave them: 4 of 8,179 have no question mark, and 554 ask for yes or no "
            "although the answer is a caption.",
            "The hub has 8,176 test rows, the generated file 8,179; the two are not the same version.",
            "The names are ROCO's numbers, not those of its successor ROCOv2.",
        ),
        citation="A. Shourya, M. Dumontier and C. Sun: arXiv 2506.14451, 2025. O. Pelka, S. Koitka, J. Rückert, F. "
        "Nensa and C. M. Friedrich: Radiology Objects in COntext (ROCO), LABELS 2018, doi 10.1007/978-3-030-01364-6_20",
        address="https://github.com/adishourya/MedM/tree/b536a5ed4ee1b2a2eb5790fc6db71226fb08b38d/datasets/autogq/roco",
        terms="Each picture keeps the licence of its article; use them for research only.",
        downloads=(
            Download(
                "https://raw.githubusercontent.com/adishourya/MedM/b536a5ed4ee1b2a2eb5790fc6db71226fb08b38d/datasets/"
                "autogq/roco/results/test_captions_qa_pairs_output.json",
                _QUESTIONS,
                sha256="5bea74382aff648d191d597eb937a77a55e662fec4e291e057813beca598b109",
                size=2_612_651,
            ),
        ),
        how_to_get="`radvqa data fetch roco_qa` gets the questions; the captions are their answers. "
        "Pictures come with roco_qa:hf and roco_qa:hf_train: put the data sets adishourya/ROCO-QA and "
        "adishourya/ROCO-QA-Train of the Hugging Face hub into roco_qa/ROCO-QA/ and roco_qa/ROCO-QA-Train/. Those of "
        "the other versions are ROCO's, by scripts/fetch.py of razorx89/roco-dataset; put them into roco_qa/images/.",
        pictures_apart="The pictures of roco_qa:questions and roco_qa:captions are ROCO's and are taken from images/ "
        "in this folder.",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the generated questions, the captions, or the Parquet files of the hub."""
        if version in _HUB:
            return _from_the_hub(folder / _HUB[version], version, tuple(self.facts.versions[version].splits), problems)
        pictures = PicturesByStem(folder / "images")
        samples = []
        rows = read_rows(folder / _QUESTIONS) if version == "questions" else _captions(folder / _CAPTIONS)
        for row in rows:
            try:
                image = f"{row.text('image_id')}.jpg"
                samples.append(_sample(row, version, "test", image, pictures.path(image)))
            except BadRowError as error:
                problems.report(str(error))
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """ROCO-QA has no labelled regions."""
        return []


def _sample(row: Row, version: str, split: str, image: str, path: Path) -> Sample:
    captions = version == "captions"
    return Sample(
        id=f"roco_qa/{version}/{split}/{row.text('image_id')}",
        dataset=f"roco_qa:{version}",
        split=split,
        image=image,
        image_path=path,
        question="" if captions else row.text("question"),
        answer=row.text("answer"),
        answer_type="OPEN",
        task="caption" if captions else "vqa",
        source=row.where,
    )


def _captions(path: Path) -> Iterator[Row]:
    """Read ``NAME<tab>caption`` lines."""
    for number, line in enumerate(files.read_text(path).split("\n"), start=1):
        name, tab, caption = line.partition("\t")
        if tab:
            yield Row({"image_id": name, "answer": caption}, path, number)
        elif line.strip():
            yield Row({"image_id": name}, path, number)


def _from_the_hub(folder: Path, version: str, splits: tuple[str, ...], problems: Problems) -> list[Sample]:
    """Read ``SPLIT-00000-of-0000N.parquet``; the pictures in them are kept in the cache.

    Raises:
        DataError: when a split has no file, or a file cannot be read.
    """
    pictures = Pictures(None)
    samples = []
    for split in splits:
        shards = sorted(folder.glob(f"{split}-*.parquet"))
        if not shards:
            raise DataError(
                f"There is no {split}-*.parquet in {folder}; `radvqa data explain roco_qa` says how to get it."
            )
        for shard in shards:
            for number, values in enumerate(open_arrow(shard).rows(), start=1):
                row = Row(values, shard, number)
                try:
                    _, path = pictures.find(values.get("image"))
                    image = f"{row.text('image_id')}{path.suffix}"
                    samples.append(_sample(row, version, split, image, path))
                except BadRowError as error:
                    problems.report(str(error))
                except ValueError as error:
                    problems.report(f"{row.where}: {error}")
    return samples


DATA_SET = RocoQa()

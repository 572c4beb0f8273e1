"""PathVQA: questions about pathology pictures from two textbooks and a library (He et al., arXiv 2003.10286)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radvqa import files
from radvqa.data import parquet_pictures, plain_pickle
from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_NOT_PUBLISHED: Final = 0
_LAYOUTS: Final = {
    "json": "{split}_qa.json and images/",
    "hf": "data/{split}-*.parquet",
    "original": "pvqa/qas/{split}/{split}_qa.pkl and pvqa/images/{split}/",
}
_HUB: Final = "https://huggingface.co/datasets/flaviagiammarino/path-vqa/resolve/main/"
_SHARDS: Final = {
    "data/train-00000-of-00007-f2d0e9ef9f022d38.parquet": (
        "fa75b76f6498a22223f2fe081529cb835042047259519e509f46c91d49731c1b"
    ),
    "data/train-00001-of-00007-47d8e0220bf6c933.parquet": "",
    "data/train-00002-of-00007-7fb5037c4c5da7be.parquet": "",
    "data/train-00003-of-00007-74b9b7b81cc55f90.parquet": "",
    "data/train-00004-of-00007-77eea90af4a55dce.parquet": "",
    "data/train-00005-of-00007-5332ec423be520bd.parquet": (
        "72c19236d378815270cb0fd55d8a1a9be74a3a032048e8090f563662265f30b4"
    ),
    "data/train-00006-of-00007-637a58c700b604af.parquet": "",
    "data/validation-00000-of-00003-90a5518d26493b67.parquet": "",
    "data/validation-00001-of-00003-cbfe947a3418595c.parquet": "",
    "data/validation-00002-of-00003-9ec816895bd3bc20.parquet": "",
    "data/test-00000-of-00003-e9adadb4799f44d3.parquet": "",
    "data/test-00001-of-00003-7ea98873fc919813.parquet": "",
    "data/test-00002-of-00003-1628308435019820.parquet": "",
}


class PathVqa:
    """PathVQA in three layouts: the authors' pickles, the Parquet files of the hub, and JSON beside small pictures."""

    name = "path_vqa"
    facts = Facts(
        title="PathVQA: 30,000+ questions for medical visual question answering",
        source="He et al., PathVQA, 2020, arXiv 2003.10286",
        licence="MIT as the Hugging Face card states; the images remain their publishers'",
        folder="path_vqa",
        default="json",
        versions={
            "json": Version(
                "JSON files: 9,926 training rows on half of the training images, and the complete test split; "
                "the pictures are re-encoded, longest side 256 px.",
                {
                    "train": Split(9926, 1300, "ca30214f03d81f01a32a372e39cc14d92a73a767656144c996bba3418699220e"),
                    "test": Split(6719, 858, "1d915a962ff7378d8dd2a597a4d3f5080f13b300a56e6b77f95d10ad54b346a2"),
                },
                files=("train_qa.json", "test_qa.json", "images"),
            ),
            "hf": Version(
                "The Parquet files of the Hugging Face copy: 32,632 rows, repeated triplets dropped, in lower case.",
                {
                    "train": Split(19654, _NOT_PUBLISHED),
                    "validation": Split(6259, _NOT_PUBLISHED),
                    "test": Split(6719, _NOT_PUBLISHED),
                },
                files=("data",),
            ),
            "original": Version(
                "The authors' pickles, read without running them: 32,799 rows as the paper counts them, 32,795 in the "
                "files that have been shared since February 2023.",
                {
                    "train": Split(_NOT_PUBLISHED, _NOT_PUBLISHED),
                    "val": Split(6279, _NOT_PUBLISHED),
                    "test": Split(_NOT_PUBLISHED, _NOT_PUBLISHED),
                },
                files=("pvqa",),
            ),
        },
        notes=(
            "It is pathology (stained tissue, gross specimens, drawings), not radiology.",
            "An answer is CLOSED when it is yes or no, else OPEN; the files of the hub and the pickles label no types.",
            "Questions and answers of path_vqa:json and path_vqa:hf are in lower case; the pickles keep theirs.",
            "Rows repeat: 850 of the 9,926 training rows and 608 of the 6,719 test rows of path_vqa:json have the "
            "picture, question and answer of an earlier row.",
            "Copies differ in their questions, and few published numbers say which copy they were measured on.",
        ),
        citation="X. He, Y. Zhang, L. Mou, E. Xing, P. Xie: PathVQA: 30000+ Questions for Medical Visual Question "
        "Answering, arXiv 2003.10286, 2020.",
        address="https://github.com/UCSD-AI4H/PathVQA",
        terms="The copyright of the images and captions belongs to the publishers and authors of the Textbook of "
        "Pathology and Basic Pathology, and to the owners of the PEIR digital library.",
        downloads=tuple(Download(_HUB + path, path, sha256) for path, sha256 in _SHARDS.items()),
        how_to_get="radvqa data fetch path_vqa gets the files of path_vqa:hf; the pickles of path_vqa:original are "
        "linked from the authors' page, and their folder pvqa/ goes into path_vqa/.",
        altered="path_vqa:json: the pictures are re-encoded with a longest side of 256 px, and the training split "
        "holds half of the training images; the test rows are complete.",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read every split of one version.

        Raises:
            DataError: when a file of the version's layout is absent; the message says which layout was expected.
        """
        samples: list[Sample] = []
        for split in self.facts.versions[version].splits:
            pictures = PicturesByStem(_pictures(folder, version, split))
            for row in _rows(folder, version, split):
                try:
                    samples.append(self._sample(row, pictures, version, split))
                except BadRowError as error:
                    problems.report(str(error))
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """PathVQA has no labelled regions."""
        return []

    @staticmethod
    def _sample(row: Row, pictures: PicturesByStem, version: str, split: str) -> Sample:
        image, answer = row.text("image"), row.text("answer")
        place = row.values.get("place", row.number)
        return Sample(
            id=f"path_vqa/{version}/{split}/{place}",
            dataset=f"path_vqa:{version}",
            split=split,
            image=image,
            image_path=pictures.path(image),
            question=row.text("question"),
            answer=answer,
            answer_type="CLOSED" if answer.lower() in ("yes", "no") else "OPEN",
            source=row.where,
        )


def _rows(folder: Path, version: str, split: str) -> Iterator[Row]:
    if version == "json":
        yield from read_rows(_expected(folder / f"{split}_qa.json", folder, version, split))
    elif version == "original":
        path = _expected(folder / "pvqa" / "qas" / split / f"{split}_qa.pkl", folder, version, split)
        content = plain_pickle.read(path)
        if not isinstance(content, list) or not all(isinstance(values, dict) for values in content):
            raise DataError(f"{path}: expected a list of dictionaries with image, question and answer.")
        yield from (Row(values, path, number) for number, values in enumerate(content, start=1))
    else:
        paths = sorted((folder / "data").glob(f"{split}-*.parquet")) or [folder / "data" / f"{split}-*.parquet"]
        place = 0
        for path in paths:
            _expected(path, folder, version, split)
            for row in parquet_pictures.read(path, ("question", "answer"), _unpacked()):
                place += 1
                yield Row({**row.values, "place": place}, row.path, row.number)


def _pictures(folder: Path, version: str, split: str) -> Path:
    if version == "hf":
        return _unpacked() / "pictures"
    return folder / "pvqa" / "images" / split if version == "original" else folder / "images"


def _unpacked() -> Path:
    return files.cache_folder() / "path_vqa"


def _expected(path: Path, folder: Path, version: str, split: str) -> Path:
    if path.is_file():
        return path
    layout = _LAYOUTS[version].format(split=split)
    others = " and ".join(f"path_vqa:{other}" for other in _LAYOUTS if other != version)
    raise DataError(
        f"path_vqa:{version} expects {layout} in {folder}, and {path} does not exist; {others} have other layouts."
    )


DATA_SET = PathVqa()

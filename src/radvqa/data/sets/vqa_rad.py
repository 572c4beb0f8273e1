"""VQA-RAD: questions that clinicians asked about radiology images (Lau et al., Scientific Data 2018)."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_ORGANS = {"HEAD": "Head", "CHEST": "Chest", "ABD": "Abdomen"}
_OFFICIAL = "VQA_RAD Dataset Public.json"
_IMAGES = "VQA_RAD Image Folder"
_MEVF = {"train": "mevf_split/trainset.json", "test": "mevf_split/testset.json"}
_FRAME = "frame"  # phrase type of the rows that only the MEVF files have
_TESTED = 0.2  # share of the groups of images that the image-disjoint split tests on; of the rows in the random one
_DRAWN = "seed 0"  # stands before each number in what is hashed to draw rows


class VqaRad:
    """The official 2,248 rows, three other divisions of them, and the MEVF repository's rows with and without leak.

    The MEVF files number the rows of both splits together, in the order of the official file; behind the row of an
    official record follows, where the record has one, its ``question_frame`` as a training row of its own, also
    where the record itself is a test row.
    """

    name = "vqa_rad"
    facts = Facts(
        title="VQA-RAD: clinically generated visual questions and answers about radiology images",
        source="Lau et al., Scientific Data 5:180251, 2018; OSF 89kps",
        licence="CC0 1.0",
        folder="vqa_rad",
        default="official",
        versions={
            "official": Version(
                "The official file: 1,797 training and 451 test rows on 314 images.",
                {
                    "train": Split(1797, 313, "99f68b4e2294f072125602d2cbf2ba4d4605e8679cd08ec0cb6fe522c130c395"),
                    "test": Split(451, 203, "9ca881fc5f61394542663bcbc4fb60f15dbe48bb22e4dee04b91b96790acc16b"),
                },
                files=(_OFFICIAL, _IMAGES),
            ),
            "mevf": Version(
                "The files of the MEVF repository: the same test rows, and 1,267 rephrasings more to train on.",
                {
                    "train": Split(3064, 314, "33ea9367048c86091afb786973e36f4380f54c9ec36ad305915fe680f461a050"),
                    "test": Split(451, 203, "43689f1d61ec64cca630cf9ea30c001376fefd0064e6a48497630f24f0871a84"),
                },
                files=(_OFFICIAL, _IMAGES, *_MEVF.values()),
                warning="284 of the 3,064 training rows rephrase test rows about the same image with the same answer; "
                "vqa_rad:clean is the same without them.",
            ),
            "clean": Version(
                "The MEVF files without the 284 training rows that rephrase test rows.",
                {
                    "train": Split(2780, 313, "a5c0f0827ba092319b48408d9e6972e6ee0ca5ce03d478a7e180e2f5e14653ec"),
                    "test": Split(451, 203, "1c908a8250110696a03c6c175a8aa5597b7abf3eb7610c8ee789796cb7bf40f1"),
                },
                files=(_OFFICIAL, _IMAGES, *_MEVF.values()),
            ),
            "hf": Version(
                "The rows of the Hugging Face copy: the official ones without 3 training rows that repeat another and "
                "1 that is also a test row.",
                {
                    "train": Split(1793, 313, "f1a7057dd7260b8036e7c9afb10622955a494b8423b8aad619c554222a468211"),
                    "test": Split(451, 203, "7a7d7d3e0fbfa3b9dda67d23a3f95c67e5c0fba1535538ee7472cb4ea6ebad8f"),
                },
                files=(_OFFICIAL, _IMAGES),
            ),
            "image_disjoint": Version(
                "A division of the official rows of our own: no image and no case is on both sides.",
                {
                    "train": Split(1808, 254, "e70b49535dcac7c3439caf1887e17a1f7c946bbf27e3e74004c3f82c7b3fc4c5"),
                    "test": Split(440, 60, "60f2bb55ff24dc0851f60006d63c2954cef3e99f3458ff5d538abf49ea05ae51"),
                },
                files=(_OFFICIAL, _IMAGES),
            ),
            "random": Version(
                "A random division of the official rows, question by question: 450 of the 2,248 are tested on.",
                {
                    "train": Split(1798, 314, "0055c442e661b19a599df6e16c9999c173b0d2c6fa18b421ccc73e03d1103b46"),
                    "test": Split(450, 246, "d1c02da08ba404b951b8c1fa3a126fa86f17da9b165889124632913b8e69ac80"),
                },
                files=(_OFFICIAL, _IMAGES),
                warning="rows were drawn at random, so all 246 test images are training images too, and 256 of the "
                "450 test rows put a record into words that a training row does too, 214 of them with the same answer; "
                "a number from it says what such a division is worth, not what a model knows.",
            ),
        },
        notes=(
            "202 of the 203 test images are also training images (all 203 in the MEVF files): a score here says little "
            "about new patients.",
            "The widely used 3,064-row training file (vqa_rad:mevf) adds 284 rephrasings of test rows; numbers trained "
            "on it are not comparable with the official version. vqa_rad:clean leaves those out.",
            "The test rows are the same in all versions but vqa_rad:image_disjoint and vqa_rad:random; their ids "
            "differ, because the MEVF files number anew.",
            "vqa_rad:hf is taken from the official file. The Hugging Face copy itself has no answer types; those of "
            "the official file are kept: 272 test rows are CLOSED by them, while 251 are answered by yes or no.",
            "vqa_rad:image_disjoint is a division of ours, for a number about new images; nothing published was "
            "measured on it. Images of one case stay together, and SHA-256 of the first image's name decides the side "
            "of a group: the lowest fifth of the hashes is tested on.",
            "vqa_rad:random is the protocol of seed 001, as its numbers tell: its accuracies are shares of 450, a "
            "fifth of the 2,248 rows. Its draw is not published; here the 450 rows with the lowest SHA-256 of “seed "
            "0 ” and their number are tested on.",
            "The official file gives some images several case addresses: 320 addresses for 314 images.",
            "There is no validation split; recipes hold out training images to choose on.",
        ),
        citation="J. J. Lau, S. Gayen, A. Ben Abacha, D. Demner-Fushman: A dataset of clinically generated visual "
        "questions and answers about radiology images, Scientific Data 5:180251, 2018.",
        address="https://osf.io/89kps/",
        downloads=(
            Download("https://osf.io/download/6qdas/", _OFFICIAL),
            Download(
                "https://files.osf.io/v1/resources/89kps/providers/osfstorage/5b21453986d8510011c277bc/?zip=",
                _IMAGES,
                unpack=True,
            ),
        ),
        how_to_get="trainset.json and testset.json of vqa_rad:mevf and vqa_rad:clean come with the data of the MEVF "
        "repository, https://github.com/aioz-ai/MICCAI19-MedVQA, and go into vqa_rad/mevf_split/.",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the official JSON, or the two files of the MEVF repository."""
        samples: list[Sample] = []
        for asked in _asked(folder, version, problems):
            try:
                samples.append(self._sample(asked, folder, version))
            except BadRowError as error:
                problems.report(str(error))
        return samples

    def links(self, folder: Path, version: str) -> Mapping[str, str]:
        """Return the ``qid_linked_id`` of the official record that each row puts into words."""
        links = {}
        for asked in _asked(folder, version, Problems(skip=True)):
            with suppress(BadRowError):  # reported when the row is loaded
                id_ = f"vqa_rad/{version}/{asked.split}/{asked.row.text('qid')}"
                links[id_] = asked.record.text("qid_linked_id")
        return links

    def regions(self, folder: Path, image: str) -> list[Region]:
        """VQA-RAD has no labelled regions."""
        return []

    @staticmethod
    def _sample(asked: "_Asked", folder: Path, version: str) -> Sample:
        row = asked.row
        image_name = row.text("image_name")
        return Sample(
            id=f"vqa_rad/{version}/{asked.split}/{row.text('qid')}",
            dataset=f"vqa_rad:{version}",
            split=asked.split,
            image=image_name,
            image_path=folder / _IMAGES / image_name,
            question=row.text("question"),
            answer=row.text("answer"),
            answer_type=row.answer_type(),
            question_type=row.text("question_type"),
            case=asked.record.text("image_case_url"),
            organ=_ORGANS.get(row.text("image_organ"), row.text("image_organ")),
            source=row.where,
        )


@dataclass(frozen=True)
class _Asked:
    """A row, the official record that it puts into words (itself, but for the MEVF files), and its split."""

    row: Row
    record: Row
    split: str
    rephrases_a_test_row: bool = False


def _asked(folder: Path, version: str, problems: Problems) -> list[_Asked]:
    if version in ("mevf", "clean"):
        return [asked for asked in _mevf_rows(folder) if version == "mevf" or not asked.rephrases_a_test_row]
    asked = []
    for row in read_rows(folder / _OFFICIAL):
        try:
            asked.append(_Asked(row, row, _official_split(row)))
        except BadRowError as error:
            problems.report(str(error))
    if version == "hf":
        return _without_repeated(asked, problems)
    if version == "random":
        return _random(asked, problems)
    return _image_disjoint(asked, problems) if version == "image_disjoint" else asked


def _official_split(row: Row) -> str:
    return "test" if row.text("phrase_type").startswith("test") else "train"


def _without_repeated(rows: Sequence[_Asked], problems: Problems) -> list[_Asked]:
    """Drop training rows whose image, question and answer an earlier training row or a test row has."""
    triplets = _values(rows, ("image_name", "question", "answer"), problems)
    seen = {triplet for asked, triplet in triplets if asked.split == "test"}
    kept = []
    for asked, triplet in triplets:
        if asked.split == "test" or triplet not in seen:
            kept.append(asked)
        seen.add(triplet)
    return kept


def _random(rows: Sequence[_Asked], problems: Problems) -> list[_Asked]:
    """Divide rows anew one by one; those with the lowest hashes of their numbers are tested on, a fifth, rounded up."""
    numbered = [(f"{_DRAWN} {number}", asked) for asked, (number,) in _values(rows, ("qid",), problems)]
    drawn = sorted(hashlib.sha256(number.encode()).digest() for number, _ in numbered)[: ceil(_TESTED * len(numbered))]
    tested = set(drawn)
    return [
        _Asked(asked.row, asked.record, "test" if hashlib.sha256(number.encode()).digest() in tested else "train")
        for number, asked in numbered
    ]


def _image_disjoint(rows: Sequence[_Asked], problems: Problems) -> list[_Asked]:
    """Divide rows anew, so that images which a case joins, and cases which an image joins, are on one side."""
    known = _values(rows, ("image_name", "image_case_url"), problems)
    images_of: dict[str, set[str]] = {}
    for _, pair in known:
        joined = set().union({pair[0]}, *(images_of.get(name, set()) for name in pair))
        for name in (*pair, *(other for other, images in images_of.items() if images & joined)):
            images_of[name] = joined
    return [_Asked(asked.row, asked.record, _side(min(images_of[image]))) for asked, (image, _) in known]


def _side(name: str) -> str:
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64
    return "test" if place < _TESTED else "train"


def _values(rows: Sequence[_Asked], keys: Sequence[str], problems: Problems) -> list[tuple[_Asked, tuple[str, ...]]]:
    """Read some keys of every row; rows that lack one are reported and left out."""
    values = []
    for asked in rows:
        try:
            values.append((asked, tuple(asked.row.text(key) for key in keys)))
        except BadRowError as error:
            problems.report(str(error))
    return values


def _mevf_rows(folder: Path) -> list[_Asked]:
    """Read both files, training rows first, and find each row's official record by its number.

    Raises:
        DataError: when a file is absent, or the files and the official one do not belong together.
    """
    rows = {split: read_rows(folder / path) for split, path in _MEVF.items()}
    numbered = sorted(((split, row) for split in rows for row in rows[split]), key=lambda of: _number(of[1]))
    official = iter(read_rows(folder / _OFFICIAL))
    asked: dict[str, list[_Asked]] = {split: [] for split in rows}
    record, record_split = None, ""
    for split, row in numbered:
        rephrases = row.text("phrase_type") == _FRAME
        if not rephrases:
            record, record_split = next(official, None), split
        if record is None or record.text("image_name") != row.text("image_name"):
            raise DataError(f"{row.where}: the row does not fit the records of {folder / _OFFICIAL}.")
        asked[split].append(_Asked(row, record, split, rephrases and record_split == "test" != split))
    return [*asked["train"], *asked["test"]]


def _number(row: Row) -> int:
    number = row.text("qid")
    if not number.isdigit():
        raise BadRowError(f"{row.where}: 'qid' must be a number, found {number!r}.")
    return int(number)


DATA_SET = VqaRad()

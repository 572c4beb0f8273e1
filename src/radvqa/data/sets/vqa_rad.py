"""VQA-RAD: questions that clinicians asked about radiology images (Lau et al., Scientific Data 2018)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from radvqa.data.dataset import Facts, Problems, Split, Version
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_ORGANS = {"HEAD": "Head", "CHEST": "Chest", "ABD": "Abdomen"}
_OFFICIAL = "VQA_RAD Dataset Public.json"
_MEVF = {"train": "mevf_split/trainset.json", "test": "mevf_split/testset.json"}
_FRAME = "frame"  # phrase type of the rows that only the MEVF files have


class VqaRad:
    """The official 2,248 rows, and the 3,064/451 rows of the MEVF repository with and without their leak.

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
            ),
            "mevf": Version(
                "The files of the MEVF repository: the same test rows, and 1,267 rephrasings more to train on.",
                {
                    "train": Split(3064, 314, "33ea9367048c86091afb786973e36f4380f54c9ec36ad305915fe680f461a050"),
                    "test": Split(451, 203, "43689f1d61ec64cca630cf9ea30c001376fefd0064e6a48497630f24f0871a84"),
                },
                warning="284 of the 3,064 training rows rephrase test rows about the same image with the same answer; "
                "vqa_rad:clean is the same without them.",
            ),
            "clean": Version(
                "The MEVF files without the 284 training rows that rephrase test rows.",
                {
                    "train": Split(2780, 313, "a5c0f0827ba092319b48408d9e6972e6ee0ca5ce03d478a7e180e2f5e14653ec"),
                    "test": Split(451, 203, "1c908a8250110696a03c6c175a8aa5597b7abf3eb7610c8ee789796cb7bf40f1"),
                },
            ),
        },
        notes=(
            "202 of the 203 test images are also training images (all 203 in the MEVF files): a score here says little "
            "about new patients.",
            "The widely used 3,064-row training file (vqa_rad:mevf) adds 284 rephrasings of test rows; numbers trained "
            "on it are not comparable with the official version. vqa_rad:clean leaves those out.",
            "The test rows are the same in all three versions; their ids differ, because the MEVF files number anew.",
            "There is no validation split; recipes hold out training images to choose on.",
        ),
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the official JSON, or the two files of the MEVF repository."""
        samples: list[Sample] = []
        if version == "official":
            for row in read_rows(folder / _OFFICIAL):
                try:
                    samples.append(self._sample(row, row, folder, version, _official_split(row)))
                except BadRowError as error:
                    problems.report(str(error))
            return samples
        for asked in _mevf_rows(folder):
            if version == "clean" and asked.rephrases_a_test_row:
                continue
            try:
                samples.append(self._sample(asked.row, asked.record, folder, version, asked.split))
            except BadRowError as error:
                problems.report(str(error))
        return samples

    def links(self, folder: Path, version: str) -> Mapping[str, str]:
        """Return the ``qid_linked_id`` of the official record that each row puts into words."""
        if version == "official":
            asked = [(row, row, "") for row in read_rows(folder / _OFFICIAL)]
        else:
            asked = [(asked.row, asked.record, asked.split) for asked in _mevf_rows(folder)]
        links = {}
        for row, record, split in asked:
            with suppress(BadRowError):  # reported when the row is loaded
                id_ = f"vqa_rad/{version}/{split or _official_split(row)}/{row.text('qid')}"
                links[id_] = record.text("qid_linked_id")
        return links

    def regions(self, folder: Path, image: str) -> list[Region]:
        """VQA-RAD has no labelled regions."""
        return []

    @staticmethod
    def _sample(row: Row, record: Row, folder: Path, version: str, split: str) -> Sample:
        image_name = row.text("image_name")
        return Sample(
            id=f"vqa_rad/{version}/{split}/{row.text('qid')}",
            dataset=f"vqa_rad:{version}",
            split=split,
            image=image_name,
            image_path=folder / "VQA_RAD Image Folder" / image_name,
            question=row.text("question"),
            answer=row.text("answer"),
            answer_type=row.answer_type(),
            question_type=row.text("question_type"),
            case=record.text("image_case_url"),
            organ=_ORGANS.get(row.text("image_organ"), row.text("image_organ")),
            source=row.where,
        )


@dataclass(frozen=True)
class _Asked:
    """A row of the MEVF files and the official record that it puts into words."""

    row: Row
    record: Row
    split: str
    rephrases_a_test_row: bool


def _official_split(row: Row) -> str:
    return "test" if row.text("phrase_type").startswith("test") else "train"


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

"""VQA-RAD: questions that clinicians asked about radiology images (Lau et al., Scientific Data 2018)."""

from pathlib import Path

from radvqa.data.dataset import Facts, Problems, Split, Version
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.sample import Region, Sample

_ORGANS = {"HEAD": "Head", "CHEST": "Chest", "ABD": "Abdomen"}


class VqaRad:
    """The official 2,248 rows; the test split is marked by a phrase type that begins with ``test``."""

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
        },
        notes=(
            "202 of the 203 test images are also training images: a score here says little about new patients.",
            "The widely used 3,064-row training file adds 284 rephrasings of test rows; numbers trained on it are "
            "not comparable with this version.",
            "There is no validation split; recipes hold out training images to choose on.",
        ),
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the official JSON."""
        samples: list[Sample] = []
        for row in read_rows(folder / "VQA_RAD Dataset Public.json"):
            try:
                samples.append(self._sample(row, folder, version))
            except BadRowError as error:
                problems.report(str(error))
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """VQA-RAD has no labelled regions."""
        return []

    @staticmethod
    def _sample(row: Row, folder: Path, version: str) -> Sample:
        split = "test" if row.text("phrase_type").startswith("test") else "train"
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
            case=row.text("image_case_url"),
            organ=_ORGANS.get(row.text("image_organ"), row.text("image_organ")),
            source=row.where,
        )


DATA_SET = VqaRad()

"""SLAKE: radiology images with masks, boxes and questions in English and Chinese (Liu et al., ISBI 2021)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radvqa import files
from radvqa.data import image
from radvqa.data.dataset import Download, Facts, Problems, Split, Version
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError
from radvqa.sample import Region, Sample

_FINDINGS = (
    *("Edema", "Tumor", "Cancer", "Mass", "Nodule", "Pneumonia", "Effusion", "Atelectasis", "Pneumothorax"),
    *("Infiltrate", "Infiltration", "Cardiomegaly"),
)
_HUB = "https://huggingface.co/datasets/BoKelvin/SLAKE/resolve/main/"
_SMALLEST_SHARE = 0.0005  # of the picture; a mask code with fewer pixels is an edge artefact, not an organ


class Slake:
    """SLAKE 1.0 in its published layout: ``train/validate/test.json`` and ``imgs/xmlabN/``."""

    name = "slake"
    facts = Facts(
        title="SLAKE 1.0: semantically labelled, knowledge-enhanced medical VQA",
        source="Liu et al., SLAKE, ISBI 2021, arXiv 2102.09542",
        licence="CC BY 4.0",
        folder="slake",
        default="en",
        versions={
            "en": Version(
                "English questions; the three splits share no image.",
                {
                    "train": Split(4919, 450, "0ba859f10c2ce652052ad3374782cba4273ecec4901de2ba8933dbcef2beb8fc"),
                    "validate": Split(1053, 96, "cce114033740ef77ec4d67e5f9a3eabf336655c6243ebe29069234c0579127fa"),
                    "test": Split(1061, 96, "474bc2a1ceaa5b97e76c39e7825a61d4d3c18e502dbfcee499a9d89526abfa3a"),
                },
            ),
            "zh": Version(
                "Chinese questions; image-disjoint too, but by another partition of the images than the English.",
                {
                    "train": Split(4916, 450, "3e338de44c0fcb42360ea96d71fce9fe09c55348eae72d314dec44732cc3dd11"),
                    "validate": Split(1046, 96, "d2d0c9f7c60afc33eff11e2424da7c87473c4bbca4c26c491c95b6dc7e2d3063"),
                    "test": Split(1033, 96, "4f73dc478348c9daac37f5d30c8efae3b95e57903ee17da2bce0097919ca05ef"),
                },
                language="zh",
            ),
            "both": Version(
                "English and Chinese questions together; the splits share images.",
                {
                    "train": Split(9835, 586, "2a92d92c327dd3e55f81549819a959c526128f7a33153d40867ba09f63331367"),
                    "validate": Split(2099, 174, "b9a0f411223471fbfa48a3c7526aee2f006138b2318e3e383c581028988738f6"),
                    "test": Split(2094, 180, "29f3b91df3236026eda62ec1727c53f16e4fa989cebdc4ecf61cdc803b2a01b8"),
                },
                language="mul",
                warning="English and Chinese split the images differently, so 142 of the 180 test images are also "
                "training images; use slake:en or slake:zh for a number about new images.",
            ),
        },
        notes=(
            "English and Chinese split the images differently: training on one language and testing on the other, "
            "or mixing both, shows 142 of the 180 test images during training.",
            "27 pairs of train and test images are near-duplicate slices even within English.",
            "580 of the 642 images have boxes (1,622 in all); a label with a code in mask.txt has a mask too, unless "
            "it covers less than 0.05 % of the picture. Edge pixels of mask.png carry values that are no code and are "
            "moved to the nearest one.",
            "mask.png of the 179 chest X-rays is no mask: it is the picture with its boxes drawn in. Those findings "
            "have boxes only, and the file must never be shown to a model.",
            "Rows of the content type KG ask for knowledge beside the picture; KG/ holds it as triples, 2,600 in "
            "English and 2,626 in Chinese.",
        ),
        citation="B. Liu, L.-M. Zhan, L. Xu, L. Ma, Y. Yang, X.-M. Wu: SLAKE: A Semantically-Labeled "
        "Knowledge-Enhanced Dataset for Medical Visual Question Answering, ISBI 2021.",
        address="https://www.med-vqa.com/slake/",
        downloads=(
            Download(f"{_HUB}train.json", "train.json"),
            Download(f"{_HUB}validation.json", "validate.json"),
            Download(f"{_HUB}test.json", "test.json"),
            Download(f"{_HUB}mask.txt", "mask.txt"),
            Download(f"{_HUB}imgs.zip", ".", unpack=True),
            Download(f"{_HUB}KG.zip", ".", unpack=True),
        ),
        how_to_get="What the authors' page offers is unpacked into slake/, so that slake/train.json is there.",
        altered="Copies for development may hold mask.png of 149 chest X-rays outside the test split at 256 px, and no "
        "question.json, which nothing reads.",
    )

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read the questions of one language, or of both, from the three splits."""
        samples: list[Sample] = []
        for split in self.facts.versions[version].splits:
            for row in read_rows(folder / f"{split}.json"):
                try:
                    language = row.text("q_lang").lower()
                    if version in (language, "both"):
                        samples.append(self._sample(row, folder, split, version, language))
                except BadRowError as error:
                    problems.report(str(error))
        return samples

    def regions(self, folder: Path, image: str) -> list[Region]:
        """Return organs and findings of one image: boxes of ``detection.json``, masks of ``mask.png``.

        A label that has a code in ``mask.txt`` and pixels of that code gets its mask; the others (findings such
        as cardiomegaly) have a box only.

        Raises:
            DataError: when a file is missing or not of the published form.
        """
        place = folder / "imgs" / Path(image).parent
        detections = files.read_json(place / "detection.json")
        if not isinstance(detections, list):
            raise DataError(f"{place / 'detection.json'}: expected a JSON list.")
        height, width = _size(place / "source.jpg")
        codes, mask = _mask_codes(folder), _snapped_mask(place / "mask.png", set(_mask_codes(folder).values()))
        regions = []
        for number, entry in enumerate(detections, start=1):
            try:
                ((label, (left, top, box_width, box_height)),) = entry.items()
                box = (left / width, top / height, box_width / width, box_height / height)
            except (AttributeError, ValueError, TypeError):
                raise DataError(
                    f"{place / 'detection.json'}, row {number}: expected {{label: [x, y, w, h]}}."
                ) from None
            pixels = mask == codes[label] if label in codes else None
            if pixels is not None and pixels.mean() < _SMALLEST_SHARE:
                pixels = None
            regions.append(Region(label, box, "finding" if label.endswith(_FINDINGS) else "organ", pixels))
        return regions

    @staticmethod
    def _sample(row: Row, folder: Path, split: str, version: str, language: str) -> Sample:
        image_name = row.text("img_name")
        return Sample(
            id=f"slake/{version}/{split}/{row.text('qid')}",
            dataset=f"slake:{version}",
            split=split,
            image=image_name,
            image_path=folder / "imgs" / image_name,
            question=row.text("question"),
            answer=row.text("answer"),
            answer_type=row.answer_type(),
            question_type=row.text("content_type"),
            language=language,
            organ=row.text("location"),
            modality=row.text("modality"),
            source=row.where,
        )


def _mask_codes(folder: Path) -> dict[str, int]:
    """Read ``mask.txt``: label → grey value in ``mask.png``."""
    codes = {}
    for line in files.read_text(folder / "mask.txt").splitlines():
        code, colon, label = line.partition(":")
        if colon and code.strip().isdigit():
            codes[label.strip()] = int(code)
    return codes


def _snapped_mask(path: Path, known: set[int]) -> NDArray[np.int16]:
    """Decode a mask and move values that are no organ code (blurred edges) to the nearest code in quantity."""
    pixels = image.decode(path)
    values = pixels if pixels.ndim == 2 else pixels[..., 0]
    counts = np.bincount(values.ravel(), minlength=256)
    present = [code for code in sorted(known | {0}) if counts[max(0, code - 1) : code + 2].sum() > 0]
    quantity = [code for code in present if counts[code] >= _SMALLEST_SHARE * values.size] or [0]
    table = np.array([min(quantity, key=lambda code: abs(code - value)) for value in range(256)], np.int16)
    return table[values]


def _size(path: Path) -> tuple[int, int]:
    height, width = image.decode(path).shape[:2]
    return height, width


DATA_SET = Slake()

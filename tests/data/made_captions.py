"""Made-up miniatures of published layouts: PMC-VQA, ROCOv2, PMC-OA and MIMIC-CXR-VQA; no text or picture is real."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

V1 = ("Figure_path", "Question", "Answer", "Choice A", "Choice B", "Choice C", "Choice D", "Answer_label")
V2 = ("index", "Figure_path", "Caption", "Question", "Choice A", "Choice B", "Choice C", "Choice D", "Answer", "split")


def table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def lines(path: Path, rows: Iterable[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def picture(path: Path, grey: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (24, 16), grey).save(path)


def pmc_vqa(folder: Path) -> Path:
    """Two training rows about one figure, one unverified, one verified; and version 2 beside it."""
    table(
        folder / "train.csv",
        V1,
        [
            (
                "PMC101_F1.jpg",
                "What is shown?",
                "A mass",
                " A:A mass ",
                " B:A cyst",
                "C: A: b",
                "D:Nothing, at all",
                "A",
            ),
            ("PMC101_F1.jpg", "Which side?", "Left", "A:Right", "B:Left", "C:Both", "D:", " B "),
        ],
    )
    table(folder / "test.csv", V1, [("PMC102_F3.jpg", "Which?", "CT", "A:CT", "B:MRI", "C:PET", "D:US", "A")])
    table(folder / "test_clean.csv", V1, [("PMC103_F1.jpg", "Why?", "Age", "A:Sex", "B:Diet", "C:Age", "D:Job", "C")])
    for split, figure in (("train", "PMC201_Fig2_7.jpg"), ("test", "PMC202_Fig1_2.jpg")):
        row = (5, figure, "The caption says it.", "What?", "One", " two", "B:x", "four", "D", split)
        table(folder / f"{split}_2.csv", V2, [row])
        picture(folder / "images_2" / "figures" / figure)
    for number, name in enumerate(("PMC101_F1.jpg", "PMC102_F3.jpg", "PMC103_F1.jpg")):
        picture(folder / "images" / "images" / name, 20 * number)
    return folder


def rocov2(folder: Path) -> Path:
    """One image a split, two in train; every file of the record that is read."""
    names = {"train": ["train_000001", "train_000002"], "valid": ["valid_000001"], "test": ["test_000001"]}
    for split, images in names.items():
        images = [f"ROCOv2_2023_{name}" for name in images]
        table(folder / f"{split}_captions.csv", ("ID", "Caption"), [(name, f"Caption of {name}.\n") for name in images])
        table(folder / f"{split}_concepts.csv", ("ID", "CUIs"), [(name, "C0000001;C0000002") for name in images])
        manual = [(name, "C0000002;C0040405" if "_000001" in name else "C0000003") for name in images]
        table(folder / f"{split}_concepts_manual.csv", ("ID", "CUIs"), manual)
        for name in images:
            picture(folder / f"{split}_images" / split / f"{name}.jpg")
    table(
        folder / "cui_mapping.csv",
        ("CUI", "Canonical name"),
        [("C0000001", "Lobe"), ("C0000002", "Chest"), ("C0040405", "X-Ray Computed Tomography")],
    )
    return folder


def pmc_oa(folder: Path) -> Path:
    """Two subfigures of one article."""
    images = ("PMC301_Fig1_1.jpg", "PMC301_Fig1_2.jpg")
    aligned = [
        {"image": image, "caption": f"Part {place}.", "alignment_type": "a", "alignment_score": 0.5}
        for place, image in enumerate(images)
    ]
    lines(folder / "pmc_oa.jsonl", aligned)
    lines(folder / "pmc_oa_beta.jsonl", [{"image": image, "caption": "The whole."} for image in images])
    for split in ("train", "valid", "test"):
        row = {"image": images[0], "caption": f"In {split}.", "pmcid": "PMC301", "url_name": "a-1.jpg"}
        lines(folder / f"{split}.jsonl", [row])
    for image in images:
        picture(folder / "images" / "caption_T060_filtered_top4_sep_v0_subfigures" / image)
    return folder


def mimic_row(number: int, split: str, **values: Any) -> dict[str, Any]:
    name = f"{number:08x}-made-up"
    return {
        "subject_id": 10000000 + number,
        "study_id": 50000000 + number,
        "image_path": f"p10/p{10000000 + number}/s{50000000 + number}/{name}.jpg",
        "answer": ["yes"],
        "split": split,
        "idx": number,
        "image_id": name,
        "question": "Is there a made-up finding?",
        "content_type": "presence",
        "semantic_type": "verify",
        "template": "Is there ${attribute}?",
        "template_program": "program_1",
        "template_arguments": {"object": {}, "attribute": {"0": "made-up finding"}},
        **values,
    }


def mimic_cxr_vqa(folder: Path) -> Path:
    """Three questions to train on, of the three semantic types, and one in each other split."""
    rows = {
        "train": [
            mimic_row(1, "train"),
            mimic_row(2, "train", semantic_type="query", answer=["left lung ", "heart"], content_type="anatomy"),
            mimic_row(3, "train", semantic_type="choose", answer=[]),
        ],
        "valid": [mimic_row(1, "valid")],
        "test": [mimic_row(1, "test", answer=["no"])],
    }
    for split, found in rows.items():
        path = folder / "dataset" / f"{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found), encoding="utf-8")
        for row in found:
            picture(folder / "files" / row["image_path"])
    return folder

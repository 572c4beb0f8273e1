"""Made-up miniatures of MedPix 2.0, MEDPIX-ClinQA and ROCO-QA in their published layouts."""

import csv
import io
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SPLITS = {"train": ["MPX1", "MPX2"], "dev": ["MPX3"], "test": ["MPX4"], "train_1": ["MPX1"], "train_2": ["MPX2"]}
PICTURES = {"MPX1": ("a", "b"), "MPX2": ("a",), "MPX3": ("a",), "MPX4": ("a",)}
HEADER = ("image_id", "case_id", "question", "answer", "ans_len", "mode", "split", "new_lines")


def medpix2(folder: Path) -> Path:
    """Write 5 pictures of 4 cases; the pictures are JPEG, as in copies that were made smaller."""
    (folder / "images").mkdir(parents=True)
    (folder / "splitted_dataset").mkdir()
    rows: list[dict[str, Any]] = []
    cases: list[dict[str, Any]] = []
    for number, (case, letters) in enumerate(PICTURES.items()):
        for letter in letters:
            image = f"{case}_{letter}"
            picture(folder / "images" / f"{image}.jpg", 40 * number)
            rows.append(
                {
                    "Type": "MR" if number % 2 else "CT",
                    "U_id": case,
                    "image": image,
                    "Description": {
                        "ACR Codes": "8.-1",
                        "Age": "73",
                        "Caption": f"Caption of {image}. ",
                        "Figure Part": None,
                        "Modality": "CT - noncontrast",
                        "Plane": None if number == 1 else "Axial",
                        "Sex": "male",
                    },
                    "Location": "Chest, Pulmonary",
                    "Location Category": "Thorax",
                }
            )
        cases.append(
            {
                "U_id": case,
                "TAC": [],
                "MRI": [],
                "Case": {
                    "Title": f"Title {case}",
                    "History": "A cough.",
                    **({} if number == 1 else {"Exam": "N/A"}),
                    "Findings": None if number == 1 else "A mass\nin the lung.",
                    "Case Diagnosis": "Cancer",
                },
                "Topic": {
                    "Title": "Lung",
                    "Disease Discussion": "It is rare.",
                    "ACR Code": "6",
                    "Category": "Neoplasm",
                },
            }
        )
    write(folder / "Descriptions.json", rows[::-1])
    write(folder / "Case_topic.json", cases)
    write(folder / "splitted_dataset" / "uid_list.json", SPLITS)
    return folder


def medpix_clinqa(folder: Path) -> Path:
    """Write seven rows about the pictures of ``medpix2``; answers hold commas, quotation marks and line breaks."""
    folder.mkdir(parents=True)
    rows = [
        (
            "MPX1_a",
            "What might the diagnosis be?",
            "The possible diagnosis includes:\n• Cancer,\n• Cyst.",
            "pre_training",
        ),
        ("MPX1_a", " What is shown?", 'A "mass", large.', "alignment"),
        ("MPX1_b", "Is there a mass?", "Yes.", "alignment"),
        ("MPX4_a", "What is shown?", "Yes, a mass.", "alignment"),
        ("MPX2_a", "What is shown?", "Nothing.", "alignment"),
        ("MPX3_a", "What is shown?", "A node.", "alignment"),
        ("MPX3_a", "Describe the condition in detail:", "It is rare.", "pre_training"),
    ]
    splits = {"MPX1": "Train", "MPX2": "Train", "MPX3": "Valid", "MPX4": "Test"}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(HEADER)
    for image, question, answer, mode in rows:
        case = image.partition("_")[0]
        length, breaks = len(answer.split()), answer.count("\n")
        writer.writerow((f"sample/{image}.png", case, question, answer, length, mode, splits[case], breaks))
    (folder / "dataset_sa.csv").write_text(table.getvalue(), encoding="utf-8")
    return folder


def roco_qa(folder: Path) -> Path:
    """Write three generated questions and their captions, without pictures."""
    folder.mkdir(parents=True)
    captions = {
        "ROCO_00001": "Axial MRI.",
        "ROCO_00006": "Tumeur à gauche; vue coronale",
        "ROCO_00016": "A cyst\u2028here.",
    }
    rows = [{"image_id": name, "answer": text, "question": f"What is in {name}?"} for name, text in captions.items()]
    write(folder / "test_qa_generated.json", rows)
    lines = "".join(f"{name}\t {text}\n" for name, text in captions.items())
    (folder / "test_captions.txt").write_text(lines, encoding="utf-8")
    return folder


def roco_qa_of_the_hub(folder: Path, *, splits: dict[str, int], repository: str = "ROCO-QA") -> Path:
    """Write Parquet files as ``datasets`` pushes them: two shards a split, the pictures inside."""
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    data = folder / repository / "data"
    data.mkdir(parents=True)
    for split, count in splits.items():
        rows = [
            {
                "image_id": f"ROCO_{number:05}",
                "image": {"bytes": png(number), "path": None},
                "question": f"Question {number}?",
                "answer": f"Answer {number}.",
            }
            for number in range(count)
        ]
        for shard, part in enumerate((rows[:1], rows[1:])):
            parquet.write_table(pyarrow.Table.from_pylist(part), data / f"{split}-0000{shard}-of-00002.parquet")
    return data


def png(grey: int) -> bytes:
    """Return a small picture."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((6, 8), grey, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def picture(path: Path, grey: int) -> None:
    """Write a picture of 32 × 24 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((24, 32), grey, np.uint8)).save(path)


def write(path: Path, content: Any) -> None:
    """Write JSON as the publishers do."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=4), encoding="utf-8")

"""Made-up data sets in the published layouts, a recipe small enough for seconds, and processes to be killed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 40, 30
MASK_TXT = "70:Liver\n215:Left Lung\n230:Spleen"
SPLITS = {"train": range(6), "validate": range(6, 9), "test": range(9, 12)}
"""Which pictures each split of the miniature SLAKE shows."""


def slake(folder: Path) -> Path:
    """Write 12 pictures with masks and boxes, and four English and two Chinese questions about each.

    Even pictures are bright and show a liver in a CT, odd ones are dark and show a lung in an X-ray.
    """
    folder.mkdir(parents=True)
    (folder / "mask.txt").write_text(MASK_TXT, encoding="utf-8")
    for number in range(12):
        place = folder / "imgs" / f"xmlab{number}"
        place.mkdir(parents=True)
        liver = number % 2 == 0
        pixels = np.full((HEIGHT, WIDTH), 200 if liver else 40, np.uint8)
        pixels[number : number + 6, 10:30] = 120  # so that no two pictures are the same
        Image.fromarray(pixels).convert("RGB").save(place / "source.jpg", quality=95)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[6:15, 4:14] = 70 if liver else 215
        Image.fromarray(mask).convert("RGB").save(place / "mask.png")
        boxes = [{"Liver" if liver else "Left Lung": [4.0, 6.0, 10.0, 9.0]}]
        if not liver:
            boxes.append({"Cardiomegaly": [20.0, 15.0, 8.0, 3.0]})
        (place / "detection.json").write_text(json.dumps(boxes), encoding="utf-8")
    qid = 0
    for split, pictures in SPLITS.items():
        rows = []
        for number in pictures:
            for row in _slake_rows(number):
                rows.append({**row, "qid": qid})
                qid += 1
        write(folder / f"{split}.json", rows)
    return folder


def _slake_rows(number: int) -> list[dict[str, Any]]:
    liver = number % 2 == 0
    organ, modality, body = ("Liver", "CT", "Abdomen") if liver else ("Lung", "X-Ray", "Chest")
    asked = [
        ("en", "What modality is used?", modality, "OPEN", "Modality"),
        ("en", "Which organ is shown?", organ, "OPEN", "Organ"),
        ("en", "Does the picture contain a liver?", "Yes" if liver else "No", "CLOSED", "Organ"),
        ("en", "Is this an X-Ray?", "No" if liver else "Yes", "CLOSED", "Modality"),
        ("zh", "图中是什么器官?", "肝脏" if liver else "肺", "OPEN", "Organ"),
        ("zh", "图中有肝脏吗?", "有" if liver else "没有", "CLOSED", "Organ"),
    ]
    return [
        {
            "img_id": number,
            "img_name": f"xmlab{number}/source.jpg",
            "question": question,
            "answer": answer,
            "q_lang": language,
            "location": body,
            "modality": modality,
            "answer_type": answer_type,
            "base_type": "vqa",
            "content_type": content_type,
            "triple": ["vhead", "_", "_"],
        }
        for language, question, answer, answer_type, content_type in asked
    ]


def vqa_rad(folder: Path) -> Path:
    """Write 6 pictures with three questions each: 12 training and 6 test rows, one answer a number."""
    pictures = folder / "VQA_RAD Image Folder"
    pictures.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for number in range(6):
        name = f"synpic{number}.jpg"
        pixels = np.full((HEIGHT, WIDTH), 30 * number, np.uint8)
        Image.fromarray(pixels).save(pictures / name)
        asked: list[tuple[str, str | int, str]] = [
            ("Is there a mass?", "Yes" if number % 2 else "No", "CLOSED " if number == 3 else "CLOSED"),
            ("How many kidneys are seen?", 2 if number == 1 else "two", "OPEN"),
            ("Where is it?", "left", "OPEN"),
        ]
        for place, (question, answer, answer_type) in enumerate(asked):
            rows.append(
                {
                    "qid": str(len(rows)) if number else len(rows),
                    "phrase_type": ("test_freeform" if number == 5 else "test_para") if place == 2 else "freeform",
                    "qid_linked_id": f"link-{len(rows)}",
                    "image_case_url": f"https://example.org/case?id={number // 2}",
                    "image_name": name,
                    "image_organ": ("HEAD", "CHEST", "ABD")[number % 3],
                    "evaluation": "not evaluated",
                    "question": question,
                    "question_type": "PRES",
                    "answer": answer,
                    "answer_type": answer_type,
                }
            )
    write(folder / "VQA_RAD Dataset Public.json", rows)
    return folder


def write(path: Path, rows: Any) -> None:
    """Write JSON as the publishers do."""
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def change(path: Path, edit: Callable[[Any], Any]) -> None:
    """Read JSON, change it in place, and write it back."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    edit(rows)
    write(path, rows)


def recipe(path: Path, **changes: Any) -> Path:
    """Write the smallest recipe that learns something; ``changes`` are ``section__key=value``."""
    values: dict[str, Any] = {
        "name": "tiny",
        "title": "A tiny CNN-LSTM on made-up pictures",
        "data": {"name": "slake:en", "train": "train", "select": "validate", "test": "test"},
        "model": {
            "family": "cnn_lstm",
            "backbone": "microsoft/resnet-18",
            "pretrained": False,
            "backbone_config": {"embedding_size": 16, "hidden_sizes": [16, 16], "depths": [1, 1]},
            "frozen": True,
            "image_size": 32,
            "question_length": 8,
            "embedding_size": 12,
            "image_vector_size": 12,
            "hidden_size": 16,
        },
        "training": {
            "epochs": 3,
            "batch_size": 8,
            "learning_rate": 0.01,
            "select_by": "accuracy",
            "seed": 1,
            "device": "cpu",
            "threads": 1,
        },
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        values[section][name] = value
    path.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    return path


def python(code: str, *arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})


def radvqa(*arguments: object, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "radvqa", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **(env or {})}
    )


def starting(command: Sequence[object], cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start Python without waiting for its end."""
    return subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd
    )

"""Published parts of random weights, made-up teaching cases, and specifications small enough for a test."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

import miniature
from radvqa.models import random_checkpoints

SIDE = 42
CASES = 12
LEAKING = "MPX3"
"""The training case with a picture that VQA-RAD shows too."""

TEXTS = ["caption of a case", "bright dark stripe", "ct mri axial coronal head thorax"]


def dinov2(folder: Path) -> Path:
    """Save a DINOv2 of three layers that makes nine patches of 14 pixels."""
    from transformers import Dinov2Config, Dinov2Model

    with torch.random.fork_rng():
        torch.manual_seed(5)
        config = Dinov2Config(
            hidden_size=24,
            num_attention_heads=2,
            num_hidden_layers=3,
            image_size=SIDE,
            patch_size=14,
            mlp_ratio=2,
            initializer_range=0.2,
        )
        Dinov2Model(config).save_pretrained(folder)
    return folder


def language_model(folder: Path) -> Path:
    """Save a Llama of two layers, with its tokeniser."""
    return Path(random_checkpoints.write("linear_llm", "tiny", folder, TEXTS)["language_model"])


def sentence_encoder(folder: Path) -> Path:
    """Save a BERT of two layers, with its tokeniser."""
    return Path(random_checkpoints.write("cnn_bert", "tiny", folder, TEXTS)["text"])


def data(root: Path) -> Path:
    """Write teaching cases in the layout of MedPix 2.0, a miniature VQA-RAD, and folders of two classes.

    Odd cases are dark MRI of the head, even ones bright CT of the thorax; each has two pictures. Cases 0 to 7 train,
    8 to 11 are for validation, and one more is the test split.
    """
    miniature.vqa_rad(root / "vqa_rad")
    names = [f"MPX{number}" for number in range(CASES + 1)]
    splits = {"train": names[:8], "dev": names[8:12], "test": names[12:], "train_1": names[:4], "train_2": names[4:8]}
    described, cases = [], []
    for number, case in enumerate(names):
        odd = number % 2
        for plane in ("Axial", "Coronal"):
            image = f"{case}_{plane}"
            picture(root / "medpix2" / "images" / f"{image}.png", 60 if odd else 180, number * 2 + (plane == "Axial"))
            told = {"Caption": f"{plane} {'dark' if odd else 'bright'} {case}.", "Modality": "any", "Plane": plane}
            kind, organ = ("MR", "Head") if odd else ("CT", "Thorax")
            described.append(
                {"Type": kind, "U_id": case, "image": image, "Description": told, "Location Category": organ}
            )
        text = {"Title": f"Title {case}", "History": "A cough.", "Case Diagnosis": "Cancer"}
        cases.append({"U_id": case, "Case": text, "Topic": {"Disease Discussion": "It is rare."}})
    for name, rows in (("Descriptions", described), ("Case_topic", cases), ("splitted_dataset/uid_list", splits)):
        path = root / "medpix2" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows), encoding="utf-8")
    shown = root / "vqa_rad" / "VQA_RAD Image Folder" / "synpic3.jpg"
    leaking = root / "medpix2" / "images" / f"{LEAKING}_Axial"
    leaking.with_suffix(".png").unlink()
    shutil.copyfile(shown, leaking.with_suffix(".jpg"))
    for place, name in enumerate(("Foot", "Hand")):
        for number in range(6):
            picture(root / "limbs" / name / f"{number}.png", 30 + 150 * place, 100 + number)
    return root


def picture(path: Path, grey: int, number: int) -> None:
    """Write blobs that no two numbers share."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(number).uniform(-40, 40, (6, 6)).astype(np.float32)
    smooth = np.asarray(Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC))
    Image.fromarray((grey + smooth).clip(0, 255).astype(np.uint8)).save(path)


def page(path: Path, values: dict[str, Any]) -> Path:
    """Write a specification."""
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def language_values(checkpoint: Path, **changes: Any) -> dict[str, Any]:
    """A specification of ``radvqa adapt language``."""
    texts = [{"data": "medpix2", "split": "train", "text": text} for text in ("context", "answer")]
    training = {"steps": 6, "batch_size": 2, "learning_rate": 0.01, "seed": 1, "threads": 1}
    values = {"name": "tiny", "checkpoint": str(checkpoint), "texts": texts, "block_tokens": 16, "held_out": 0.3}
    return {**values, "training": training, **changes}


def vision_values(checkpoint: Path, text: Path, **changes: Any) -> dict[str, Any]:
    """A specification of ``radvqa adapt vision``."""
    pictures = {"data": "medpix2", "labels": ["modality", "context.Plane"], "without_pictures_of": ["vqa_rad"]}
    training = {"epochs": 2, "head_epochs": 2, "batch_size": 6, "learning_rate": 0.003, "seed": 1, "threads": 1}
    return {
        "name": "tiny",
        "checkpoint": str(checkpoint),
        "image_size": SIDE,
        "blocks": 1,
        "text": str(text),
        "learn": {**pictures, "split": "train"},
        "select": {**pictures, "split": "dev"},
        "classes": [{"folder": "limbs", "held_out": 0.3}],
        "least": 2,
        "shared_size": 8,
        "training": training,
        **changes,
    }

"""Run folders as training, predicting and scoring leave them, small and always the same."""

import io
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radvqa import files
from radvqa.prediction import Prediction, from_sample
from radvqa.run import Run
from radvqa.sample import Sample
from radvqa.scoring.baselines import fit_baselines
from radvqa.scoring.scorer import score
from radvqa.text import seed000

KINDS = {
    "Organ": ("What organ is shown?", "OPEN"),
    "Modality": ("Which modality is this?", "OPEN"),
    "Abnormality": ("Is the picture normal?", "CLOSED"),
    "Position": ("Where is the nodule?", "OPEN"),
    "Size": ("Is the heart enlarged?", "CLOSED"),
}
ORGANS = ("Lung", "Liver", "Brain", "Heart")
PLACES = ("Upper Left", "Upper Right", "Lower Left", "Lower Right")
MODALITIES = ("CT", "MRI", "X-Ray")


def samples(split: str, images: int, dataset: str = "slake:en") -> list[Sample]:
    """Ask five questions about each of some images."""
    draw = random.Random(f"{dataset} {split}")
    asked = []
    for number in range(images):
        organ, modality = draw.choice(ORGANS), draw.choice(MODALITIES)
        answers = {
            "Organ": organ,
            "Modality": modality,
            "Abnormality": draw.choice(("Yes", "No")),
            "Position": draw.choice(PLACES),
            "Size": draw.choice(("Yes", "No", "No")),
        }
        for kind, (question, answer_type) in KINDS.items():
            asked.append(
                Sample(
                    id=f"{split}-{number}-{kind}",
                    dataset=dataset,
                    split=split,
                    image=f"img{number}.png",
                    image_path=Path(f"img{number}.png"),
                    question=question,
                    answer=answers[kind],
                    answer_type="OPEN" if answer_type == "OPEN" else "CLOSED",
                    question_type=kind,
                    organ=organ,
                    modality=modality,
                )
            )
    return asked


def answered(asked: Sequence[Sample], skill: float, seed: int) -> list[Prediction]:
    """Answer as a model does that is right with probability ``skill`` and else gives another question's answer."""
    draw = random.Random(seed)
    given = []
    for sample in asked:
        right = draw.random() < skill
        answer = sample.answer if right else draw.choice(asked).answer
        others = [other for other in ("Yes", "No", *ORGANS) if other != answer][:5]
        candidates = ((answer, 0.7), *((other, 0.05) for other in others))
        given.append(from_sample(sample, answer, answer_seen=True, confidence=0.7, candidates=candidates))
    return given


def history(epochs: int, seed: int) -> list[dict[str, Any]]:
    """A training that overfits a little."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for epoch in range(1, epochs + 1):
        rows.append(
            {
                "epoch": epoch,
                "train_loss": round(2.6 * 0.9**epoch + 0.03, 4),
                "train_accuracy": round(1 - 0.7 * 0.88**epoch, 4),
                "val_loss": round(2.2 * 0.86**epoch + 0.55 + 0.006 * epoch + draw.uniform(0, 0.03), 4),
                "val_accuracy": round(0.82 - 0.5 * 0.85**epoch + draw.uniform(-0.012, 0.012), 4),
                "val_token_f1": round(0.85 - 0.5 * 0.85**epoch + draw.uniform(-0.012, 0.012), 4),
                "seconds": 13.4,
                "best": False,
            }
        )
    best = max(rows, key=lambda row: float(row["val_accuracy"]))
    best["best"] = True
    return rows


@lru_cache
def picture(number: int) -> bytes:
    """A body with two bright spots: not a patient, but something to see."""
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    body = 70.0 * ((x / 0.85) ** 2 + (y / 0.7) ** 2 < 1) + 60.0 * ((x / 0.8) ** 2 + (y / 0.64) ** 2 < 1)
    for side in (-1, 1):
        body -= 90.0 * (((x - side * 0.38) / 0.27) ** 2 + (y / 0.42) ** 2 < 1)
    place = 0.38 * (-1 if number % 2 else 1)
    body += 120.0 * np.exp(-(((x - place) ** 2 + (y - 0.15 * (number % 3 - 1)) ** 2) / 0.008))
    noise = np.random.default_rng(number).normal(0, 6, body.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(body + noise, 0, 255).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


@lru_cache
def thumbnail(number: int) -> bytes:
    """The same, as ``radvqa predict`` keeps it for every picture."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture(number))).resize((96, 96)).save(buffer, "WEBP", quality=60)
    return buffer.getvalue()


def write_thumbnails(run: Run, images: Sequence[str]) -> None:
    """Keep a small picture of each image, as ``radvqa predict`` does."""
    folder = run.thumbnails(run.answers())
    names = {image: f"{number:04d}.webp" for number, image in enumerate(dict.fromkeys(images))}
    for number, name in enumerate(names.values()):
        files.write_bytes(folder / name, thumbnail(number % 6))
    files.write_json(folder / "index.json", names)


def recipe(name: str, *, epochs: int, seed: int, dataset: str = "slake:en") -> dict[str, Any]:
    """A resolved recipe."""
    return {
        "name": name,
        "title": f"{name.upper()} on SLAKE",
        "data": {"name": dataset, "train": "train", "select": "validate", "test": "test"},
        "model": {"family": "cnn_lstm", "backbone": "resnet18", "frozen": True},
        "training": {"epochs": epochs, "batch_size": 128, "select_by": "accuracy", "seed": seed},
    }


def make_run(
    folder: Path,
    *,
    name: str = "cnn_lstm",
    seed: int = 0,
    skill: float = 0.75,
    epochs: int = 12,
    images: int = 16,
    dataset: str = "slake:en",
    strange: str = "",
    resamples: int = 200,
    scored: bool = True,
    thumbnails: bool = True,
) -> Run:
    """Make a finished run folder.

    Args:
        folder: where.
        name: of the recipe.
        seed: of the recipe and of the model's luck.
        skill: probability of a right answer.
        epochs: of training.
        images: of the test split, five questions each.
        dataset: ``name:version``.
        strange: a prediction to put in place of the first, for instance something that looks like HTML.
        resamples: of the bootstrap.
        scored: whether to score it.
        thumbnails: whether it keeps small pictures of the test split.
    """
    plan = recipe(name, epochs=epochs, seed=seed, dataset=dataset)
    run = Run.create(
        folder,
        plan,
        {
            "radvqa": "0.1.0",
            "python": "3.11.9",
            "torch": "2.9.1",
            "transformers": "5.0.0",
            "git_commit": "0123abc",
            "seed": seed,
            "device": "NVIDIA H100 80GB",
            "cpu": "16 cores",
            "data": {
                "name": dataset,
                "fingerprint": "fa57d1ce" * 4,
                "folder": str(folder.parent / "secret" / "Slake1.0"),
            },
            "weights": {"resnet18": "IMAGENET1K_V1"},
        },
    )
    run.write_history(history(epochs, seed))
    asked = samples("test", images, dataset)
    given = answered(asked, skill, seed)
    if strange:
        given[0] = replace(given[0], prediction=strange)
    answers = run.answers()
    baselines = fit_baselines(samples("train", 60, dataset), seed000)
    given = baselines.familiar(given)
    run.write_answers(answers, given, baselines.predict(asked))
    if thumbnails:
        write_thumbnails(run, [sample.image for sample in asked])
    listed = {}
    for number in range(6):
        prediction = given[number * 6]
        (run.folder / "examples").mkdir(exist_ok=True)
        files.write_bytes(run.examples / f"{number}.png", picture(number))
        listed[prediction.id] = f"{number}.png"
    files.write_json(run.examples / "examples.json", listed)
    best = next(row for row in run.history if row["best"])
    run.finish(
        {
            "seconds": 673.8 + seed,
            "parameters": {"total": 12943901, "trainable": 1767389},
            "best_epoch": best["epoch"],
            "peak_memory_bytes": 3 << 30,
            "selected": {"metric": "accuracy", "value": best["val_accuracy"]},
            "answering": {f"{dataset} test": {"seconds_per_question": 0.012, "questions": 16, "device": "cuda"}},
        }
    )
    if scored:
        run.write_scores(
            answers,
            score(
                run.predictions(answers),
                baselines=run.baselines(answers),
                dataset=dataset,
                split="test",
                resamples=resamples,
            ),
        )
    return run

"""Tiny runs that are interrupted: a curriculum of three stages, and everything that a run comes to."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import miniature
from radvqa.commands.predict import predict
from radvqa.commands.train import train
from radvqa.run import Run
from radvqa.training.stage_run import StageRun

STAGES: list[dict[str, Any]] = [
    {  # a mix with groups of pictures that moves to one source, averaged weights; 8 steps
        "name": "mixed",
        "data": [{"name": "slake:en", "weight": 1}, {"name": "vqa_rad:official", "label": "rad", "weight": 2}],
        "anneal": {"over": 0.5, "to": {"slake:en": 1}, "learning_rate": 0.2},
        "temperature": 2,
        "steps": 8,
        "evaluate_every": 3,
        "images_per_batch": 4,
        "average_decay": 0.9,
        "clip_norm": 1.0,
    },
    {  # whole epochs, one source twice, that stop early
        "name": "until_it_stops",
        "data": [{"name": "slake:en", "repeat": 2, "where": {"answer_type": "CLOSED"}}, {"name": "vqa_rad:official"}],
        "epochs": 9,
        "evaluate_every": 2,
        "patience": 2,
        "min_improvement": 0.5,
        "select_by": "loss",
        "carry": {"weights": "last", "optimizer": True},
    },
    {  # one source, a head that learns on its own
        "name": "last",
        "steps": 7,
        "evaluate_every": 2,
        "schedule": "cosine",
        "warmup_steps": 2,
        "label_smoothing": 0.1,
        "carry": {"parts": ["vision", "question", "image_vector"]},
    },
]


def recipe(path: Path, stages: Sequence[dict[str, Any]] | None = tuple(STAGES), **changes: Any) -> Path:
    """Write a recipe of these stages; the backbone learns, with dropout and batch norm."""
    miniature.recipe(
        path,
        **{
            "model__frozen": False,
            "training__trackers": [],
            "training__log_every": 1,
            "training__checkpoint_seconds": 0,
            "training__optimizer": "adamw",
            "training__weight_decay": 0.01,
            **changes,
        },
    )
    page = json.loads(path.read_text(encoding="utf-8"))
    if stages:
        page["stages"] = list(stages)
        del page["training"]["epochs"]
    path.write_text(json.dumps(page), encoding="utf-8")
    return path


class Interrupted(Exception):  # noqa: N818 - it is none of the program's
    """Stands for a kill."""


@contextmanager
def interrupted_before(step: int) -> Iterator[None]:
    """Interrupt a training before a step, counted from 1 over the whole run."""
    go = StageRun.step

    def deadly(stage: StageRun) -> None:
        if stage.shared.position.step + 1 == step:
            raise Interrupted
        go(stage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StageRun, "step", deadly)
        yield


def interrupt(path: Path, folder: Path, step: int, *overrides: str) -> None:
    """Train until just before a step."""
    with pytest.raises(Interrupted), interrupted_before(step):
        train(path, overrides, out=folder, doctor=False)


def facts(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says that no clock decides."""
    found = Run(folder).facts
    kept = ("state", "stages", "epochs", "best_epoch", "selected", "left_out", "gold_answers_over_the_limit")
    return {key: found.get(key) for key in kept}


def outcome(folder: Path) -> dict[str, Any]:
    """All that must be the same, bit by bit: files by name, and facts."""
    predict(folder)
    paths = [*folder.rglob("*.safetensors"), folder / "history.jsonl", *(folder / "log").glob("steps.*")]
    content = {str(path.relative_to(folder)): path.read_bytes() for path in [*paths, folder / "predictions.jsonl"]}
    return {**content, **facts(folder)}


def differences(folder: Path, expected: dict[str, Any]) -> list[str]:
    """Names of what is not the same."""
    ours = outcome(folder)
    return sorted(key for key in {**ours, **expected} if ours.get(key) != expected.get(key))


def torn(folder: Path) -> list[str]:
    """What a finished run must not hold."""
    return [path.name for path in folder.rglob("*") if path.name.endswith(".part") or path.name == "resume"]

"""``radvqa bench engine`` on tiny random weights: both ways learn the same, or it says so. No test asserts a time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.optim.lr_scheduler import LambdaLR

from radvqa.commands import bench_engine as command
from radvqa.commands.bench_engine import bench_engine
from radvqa.data import image, registry
from radvqa.data.image import Pixels
from radvqa.errors import DataError, RadvqaError
from radvqa.models import plain_trainer, random_checkpoints
from radvqa.report.bench import show_engine_bench

FIGURES = (
    "speedup_ratio",
    "speedup_ratio_when_prepared",
    "memory_ratio",
    "ours_samples_per_second",
    "trainer_samples_per_second",
    "ours_tokens_per_second",
    "trainer_tokens_per_second",
    "ours_peak_memory_bytes",
    "trainer_peak_memory_bytes",
)


def bench(**changes: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"size": "tiny", "images": 3, "questions_per_image": 4, "batch": 5, "steps": 4}
    return bench_engine(**{**asked, "device_name": "cpu", **changes})


@pytest.fixture
def _without_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is measured in processes of its own, which start slowly; one test does it. No time is looked at."""
    monkeypatch.setattr(command, "_memory", lambda *_: 1)
    monkeypatch.setattr(command, "_warm_up", lambda work: None)


def recipe(folder: Path, **training: Any) -> Path:
    """A recipe of a tiny linear_llm."""
    texts = [
        text for sample in registry.load_split("phantom:mini", "train") for text in (sample.question, sample.answer)
    ]
    values = {
        "name": "tiny",
        "title": "Tiny.",
        "data": {"name": "phantom:mini", "select": "validate"},
        "model": random_checkpoints.write("linear_llm", "tiny", folder / "weights", texts),
        "training": {"epochs": 3, "learning_rate": 1e-3, **training},
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.slow
def test_memory_is_that_of_a_process_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    found = bench()
    assert found["same"] is True
    assert min(found["ours_peak_memory_bytes"], found["trainer_peak_memory_bytes"]) > 50_000_000
    show_engine_bench(found)
    out = capsys.readouterr().out
    assert "The same was learned: losses of the steps differ by at most" in out


@pytest.mark.usefixtures("_without_children")
@pytest.mark.parametrize("family", sorted(plain_trainer.WAYS))
def test_both_ways_learn_the_same(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = bench(family=family)
    assert found["same"] is True
    assert found["loss_difference"] < 1e-4
    assert found["weight_difference"] < command.WEIGHT_TOLERANCE
    assert found["first_loss"] != found["last_loss"]
    assert all(found[figure] > 0 for figure in FIGURES)
    assert (found["steps"], found["samples"]) == (4, 5 + 5 + 2 + 5)  # an epoch has twelve questions
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert capsys.readouterr().out == ""  # Trainer prints nothing where a program reads


@pytest.mark.usefixtures("_without_children")
@pytest.mark.parametrize(
    "training",
    [
        {"label_smoothing": 0.1, "clip_norm": 0.5, "optimizer": "adamw", "weight_decay": 0.1},
        {"micro_batch_size": 2, "images_per_batch": 2, "schedule": "linear", "warmup_steps": 2},
        {"average_decay": 0.9, "learning_rates": {"fusion": 1e-2}, "compile": "on", "trackers": ["tensorboard"]},
    ],
)
def test_whatever_way_of_learning_a_recipe_asks_for(training: dict[str, Any], tmp_path: Path) -> None:
    found = bench(recipe=recipe(tmp_path, **training), batch=None, overrides=["batch_size=6"])
    assert found["same"] is True
    assert (found["batch"], found["steps"], found["size"]) == (6, 4, "recipe")


def _prompts_are_learned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    collate = plain_trainer.PlainPictureLlm.collate

    def learned(self: Any, rows: Any) -> Any:
        batch = collate(self, rows)
        labels = torch.where(batch["attention_mask"] == 1, batch["input_ids"], batch["labels"])
        return {**batch, "labels": labels}

    monkeypatch.setattr(plain_trainer.PlainPictureLlm, "collate", learned)


def _padding_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    collate = plain_trainer.PlainPictureLlm.collate

    def padded(self: Any, rows: Any) -> Any:
        batch = collate(self, rows)
        width = batch["input_ids"].shape[1]
        order = [(column - 1) % width for column in range(width)]  # the last column, often padding, comes first
        return {name: value if name == "pixels" else value[:, order] for name, value in batch.items()} | {
            "attention_mask": torch.ones_like(batch["attention_mask"])
        }

    monkeypatch.setattr(plain_trainer.PlainPictureLlm, "collate", padded)


def _pictures_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read = plain_trainer.PlainPictureLlm.read

    def mirrored(self: Any, sample: Any) -> Any:
        found = read(self, sample)
        return {**found, "pixels": found["pixels"][:, ::-1].copy()}

    monkeypatch.setattr(plain_trainer.PlainPictureLlm, "read", mirrored)


def _batches_come_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    train = plain_trainer.train

    def other(way: Any, samples: Any, batches: Any, *others: Any, **more: Any) -> Any:
        return train(way, samples, batches[::-1], *others, **more)

    monkeypatch.setattr(plain_trainer, "train", other)


def _the_rate_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LambdaLR", lambda inner, rate: LambdaLR(inner, lambda step: 1.1 * rate(step)))


def _units_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_trainer, "without_dropout", lambda module: None)


@pytest.mark.usefixtures("_without_children")
@pytest.mark.parametrize(
    "sabotage",
    [
        _prompts_are_learned_too,
        _padding_is_seen,
        _pictures_are_others,
        _batches_come_in_another_order,
        _the_rate_is_another,
        _units_are_dropped,
    ],
)
def test_a_difference_is_told(
    sabotage: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sabotage(monkeypatch)
    found = bench(family="qformer_llm")
    assert found["same"] is False
    show_engine_bench(found)
    assert "NOT THE SAME was learned" in capsys.readouterr().out


@pytest.mark.usefixtures("_without_children")
def test_the_plain_way_decodes_for_every_question_and_ours_once_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: dict[str, int] = {"ours": 0, "trainer": 0}
    way = ["ours"]
    original, trainers = image.decode, command._trainers

    def decode(*values: Any, **more: Any) -> Pixels:
        decoded[way[0]] += 1
        return original(*values, **more)

    def switched(work: Any) -> Any:
        way[0] = "trainer"
        try:
            return trainers(work)
        finally:
            way[0] = "ours"

    monkeypatch.setattr(image, "decode", decode)
    monkeypatch.setattr(command, "_trainers", switched)
    found = bench()
    assert decoded == {"ours": 3, "trainer": found["samples"]}


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RadvqaError, match="no plain Trainer to compare paligemma with; use blip, linear_llm"):
        bench(family="paligemma")
    with pytest.raises(RadvqaError, match="no size 'smal'; did you mean 'small'"):
        bench(size="smal")
    with pytest.raises(RadvqaError, match="is a recipe of the family linear_llm"):
        bench(family="blip", recipe=recipe(tmp_path))
    with pytest.raises(DataError, match="42 pictures"):
        bench(images=43)

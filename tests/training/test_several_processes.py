"""Training and answering by two real processes, which gloo connects over the loopback: as one process does it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_curriculum
from safetensors.torch import load_file
from two_processes import TORCHRUN, data, left_behind, run, well

import miniature
from radvqa.commands.predict import predict
from radvqa.commands.train import train
from radvqa.models import random_checkpoints
from radvqa.run import Run

pytestmark = pytest.mark.slow

ROUNDING = 2e-5  # sums of a batch in two parts, over some thirty steps of Adam
WORDS = ["what modality is used ? which organ is shown does the picture contain a liver", "x - ray yes no ct lung"]
FSDP = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "ACCELERATE_USE_CPU": "true"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with data sets and recipes; commands run in it."""
    folder = tmp_path_factory.mktemp("several")
    data(folder)
    tiny_curriculum.recipe(folder / "frozen.yaml", model__frozen=True, model__dropout=0.0, training__micro_batch_size=3)
    _generator(folder)
    yield folder
    assert left_behind(folder) == []


def _generator(folder: Path) -> None:
    """Write a recipe of a LoRA generator with ragged batches (23 and 1 of 24 questions) and parts of them."""
    made = random_checkpoints.write("linear_llm", "tiny", folder / "checkpoint", WORDS)
    lora = {"r": 2, "alpha": 4, "dropout": 0.0, "targets": ["q_proj", "v_proj"]}
    modes = {"vision": "frozen", "fusion": "full", "language_model": "lora"}
    path = miniature.recipe(folder / "writes.yaml", training__trackers=[], training__log_every=1)
    page = json.loads(path.read_text(encoding="utf-8"))
    page["model"] = {**made, "train": modes, "lora": lora}
    page["training"].update(batch_size=23, micro_batch_size=5, clip_norm=0.5, learning_rate=0.003, select_by="token_f1")
    miniature.write(path, page)


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(home / "data"))
    return home


def require_alike(one: Path, other: Path) -> None:
    """Histories, logs and weights differ by rounding only."""
    for name in ("history.jsonl", "log/steps.jsonl"):
        ours, theirs = (_rows(folder / name) for folder in (one, other))
        assert len(ours) == len(theirs) > 0
        for row, expected in zip(ours, theirs, strict=True):
            assert row == {key: _about(value) for key, value in expected.items()}
    for path in (one / "checkpoints").rglob("*.safetensors"):
        ours, theirs = load_file(path), load_file(other / path.relative_to(one))
        assert set(ours) == set(theirs)
        for key, tensor in ours.items():
            assert (tensor.double() - theirs[key].double()).abs().max().item() < ROUNDING, key
    assert tiny_curriculum.facts(one)["best_epoch"] == tiny_curriculum.facts(other)["best_epoch"]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _about(value: Any) -> Any:
    return pytest.approx(value, abs=ROUNDING, rel=ROUNDING) if isinstance(value, float) else value


def test_a_curriculum_of_a_classifier_comes_to_what_one_process_comes_to(here: Path) -> None:
    one = train(here / "frozen.yaml", out=here / "frozen-1", doctor=False)
    printed = well(run("radvqa", "train", "frozen.yaml", "--out", "frozen-2", "--processes", 2, "--json", cwd=here))
    facts = json.loads(printed)  # one object: only the main process prints
    assert facts["processes"] == 2
    assert facts["cost"]["samples"] == one.facts["cost"]["samples"]
    require_alike(here / "frozen-2", here / "frozen-1")

    predict(here / "frozen-1")
    alone = (here / "frozen-1" / "predictions.jsonl").read_bytes()
    well(run(*TORCHRUN, "radvqa", "predict", "frozen-1", cwd=here, env={"OMP_NUM_THREADS": "1"}))
    assert (here / "frozen-1" / "predictions.jsonl").read_bytes() == alone


def test_a_lora_generator_comes_to_what_one_process_comes_to_and_its_answers_too(here: Path) -> None:
    train(here / "writes.yaml", out=here / "writes-1", doctor=False)
    well(run(*TORCHRUN, "radvqa", "train", "writes.yaml", "--out", "writes-2", cwd=here))
    require_alike(here / "writes-2", here / "writes-1")

    predict(here / "writes-1")
    alone = {name: (here / "writes-1" / name).read_bytes() for name in ("predictions.jsonl", "baselines.jsonl")}
    notes = Run(here / "writes-1").facts["answering"]
    well(run("radvqa", "predict", "writes-1", "--processes", 2, cwd=here))
    assert {name: (here / "writes-1" / name).read_bytes() for name in alone} == alone
    again = Run(here / "writes-1").facts["answering"]
    (name,) = notes
    assert again[name]["answers_cut_at_the_limit"] == notes[name]["answers_cut_at_the_limit"]


def test_weights_that_fsdp_spreads_come_to_the_same(here: Path) -> None:
    train(here / "writes.yaml", out=here / "spread-1", doctor=False)
    launcher = ("accelerate.commands.launch", "--cpu", "--num_processes", 2, "--num_machines", 1, "-m")
    well(run(*launcher, "radvqa", "train", "writes.yaml", "--out", "spread-2", cwd=here, env=FSDP))
    require_alike(here / "spread-2", here / "spread-1")
    assert (here / "spread-2" / "checkpoints" / "adapter" / "adapter_model.safetensors").is_file()

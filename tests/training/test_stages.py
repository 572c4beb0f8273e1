"""Stages: what each learns, takes over, is chosen by and costs in steps; and what is refused before the first step."""

import importlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tiny_curriculum as tiny
import torch
from torch import Tensor

import miniature
from radvqa import files
from radvqa.answering import answer_prepared
from radvqa.commands.train import train
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RadvqaError, RecipeError
from radvqa.models.checkpoint import load_model, read_weights
from radvqa.prediction import Prediction
from radvqa.run import Run
from radvqa.training import selection
from radvqa.training.stage_run import StageRun

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data that no test changes, and a cache."""
    made = tmp_path_factory.mktemp("made")
    miniature.slake(made / "data" / "slake")
    miniature.vqa_rad(made / "data" / "vqa_rad")
    return made


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and data."""
    monkeypatch.setenv("RADVQA_DATA", str(made / "data"))
    monkeypatch.setenv("RADVQA_CACHE", str(made / "cache"))
    return tmp_path


@dataclass
class Watched:
    """What stages began and ended with: everything in the module, and the optimiser's moments."""

    begin: dict[str, State] = field(default_factory=dict)
    end: dict[str, State] = field(default_factory=dict)
    moments_at_begin: dict[str, State] = field(default_factory=dict)
    moments_at_end: dict[str, State] = field(default_factory=dict)
    steps: int = 0

    def moved(self, stage: str) -> set[str]:
        """Names of what the stage changed."""
        return {name for name, tensor in self.end[stage].items() if not torch.equal(tensor, self.begin[stage][name])}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    seen = Watched()
    step, ended = StageRun.step, StageRun.ended

    def weights(stage: StageRun) -> State:
        return {name: tensor.clone() for name, tensor in stage.shared.model.module.state_dict().items()}

    def noted_step(stage: StageRun) -> None:
        if not stage.shared.position.stage_step:
            seen.begin[stage.stage.name] = weights(stage)
            seen.moments_at_begin[stage.stage.name] = dict(stage.optimizer.state().tensors)
        step(stage)
        seen.steps += 1

    def noted_end(stage: StageRun) -> dict[str, Any]:
        seen.end[stage.stage.name] = weights(stage)
        seen.moments_at_end[stage.stage.name] = dict(stage.optimizer.state().tensors)
        return ended(stage)

    monkeypatch.setattr(StageRun, "step", noted_step)
    monkeypatch.setattr(StageRun, "ended", noted_end)
    return seen


def trained(folder: Path, stages: Sequence[dict[str, Any]] | None, *overrides: str, **changes: Any) -> Run:
    path = tiny.recipe(folder / "tiny.yaml", stages, **{"training__checkpoint_seconds": 1e6, **changes})
    return train(path, overrides, out=folder / "run", doctor=False)


def writing(folder: Path, stages: Sequence[dict[str, Any]], *overrides: str, **options: Any) -> Run:
    """Train the tiny linear LLM, which writes."""
    section = importlib.import_module("tiny_linear_llm").section(folder / "weights")
    path = tiny.recipe(folder / "tiny.yaml", stages, training__select_by="token_f1", training__batch_size=6)
    page = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**page, "model": {**section, **options}}), encoding="utf-8")
    return train(path, overrides, out=folder / "run", doctor=False)


def values_are(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """What looks find, one after the other; questions about what can be measured find what they want."""
    found = iter(values)

    def measure(predictions: Any, names: Sequence[str], *, undefined: float | None = None) -> dict[str, float]:
        value = 0.0 if undefined is None else next(found)
        return dict.fromkeys([*names, *selection.REPORTED], value)

    monkeypatch.setattr(selection, "measure", measure)


def of_part(names: Iterable[str], part: str) -> set[str]:
    return {name for name in names if name.startswith(part)}


def same(ours: State, expected: State, names: set[str] | None = None) -> bool:
    return all(torch.equal(ours[name], expected[name]) for name in (names or set(expected)))


# what is taken over


@pytest.mark.parametrize("which", ["best", "last"])
def test_a_stage_begins_with_the_best_or_the_last_weights(
    folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    values_are(monkeypatch, 0.9, 0.1, 0.5, 0.6)
    stages = [
        {"name": "one", "steps": 4, "evaluate_every": 2},
        {"name": "two", "steps": 2, "evaluate_every": 1, "carry": {"weights": which}},
    ]
    run = trained(folder, stages)
    best = read_weights(run.checkpoints / "stages" / "1-one.safetensors")
    assert same(watched.begin["two"], best if which == "best" else watched.end["one"])
    assert not same(watched.begin["two"], watched.end["one"] if which == "best" else best)
    assert [row["best"] for row in run.history] == [True, False, True, True]  # each stage chooses anew
    assert same(read_weights(run.checkpoints / "best.safetensors"), watched.end["two"])
    assert [stage["best_step"] for stage in run.facts["stages"]] == [2, 6]
    assert (run.facts["epochs"], run.facts["best_epoch"], run.facts["selected"]["value"]) == (2, 2, 0.6)


def test_a_stage_ends_with_its_average(folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    values_are(monkeypatch, 0.1, 0.2, 0.3)
    stages = [
        {"name": "one", "steps": 4, "evaluate_every": 2, "average_decay": 0.9},
        {"name": "two", "steps": 1, "carry": {"weights": "last"}},
    ]
    run = trained(folder, stages)
    kept = read_weights(run.checkpoints / "stages" / "1-one.safetensors")  # of the last look, which was the best
    assert same(watched.begin["two"], kept)
    assert same(watched.end["one"], kept)


def test_parts_that_are_not_taken_over_begin_as_at_the_start(folder: Path, watched: Watched) -> None:
    parts = ["vision", "question"]
    stages = [
        {"name": "one", "steps": 3},
        {"name": "two", "steps": 1, "carry": {"parts": parts, "weights": "last"}},
    ]
    trained(folder, stages)
    start, end, begin = watched.begin["one"], watched.end["one"], watched.begin["two"]
    for part in ("vision", "question", "image", "classifier"):
        names = of_part(set(start), part)
        assert same(begin, end if part in parts else start, names)
        assert not same(begin, start if part in parts else end, names)


@pytest.mark.parametrize("optimizer", [True, False])
def test_moments_are_taken_over_where_a_part_learns_in_both(folder: Path, watched: Watched, optimizer: bool) -> None:
    stages = [
        {"name": "one", "steps": 3, "train": {"vision": "frozen"}},
        {"name": "two", "steps": 1, "train": {"vision": "full"}, "carry": {"weights": "last", "optimizer": optimizer}},
    ]
    trained(folder, stages)
    taken, before = watched.moments_at_begin["two"], watched.moments_at_end["one"]
    assert bool(taken) == optimizer
    assert before
    assert not of_part(before, "vision")
    if optimizer:
        assert same(taken, before)
        assert set(taken) == set(before)
    after = watched.moments_at_end["two"]
    assert of_part(after, "vision")
    counts = {name: int(tensor) for name, tensor in after.items() if name.endswith("|step")}
    assert set(counts.values()) == ({4, 1} if optimizer else {1})


# what learns


def test_a_frozen_part_stays_to_the_last_statistic_and_learns_in_another_stage(folder: Path, watched: Watched) -> None:
    stages = [
        {"name": "head", "steps": 3, "train": {"vision": "frozen", "question": "frozen"}},
        {"name": "all", "steps": 3, "train": {"vision": "full", "question": "full"}},
        {"name": "vision", "steps": 3, "train": {"vision": "full", "question": "frozen"}},
    ]
    trained(folder, stages)
    moved = {stage["name"]: watched.moved(str(stage["name"])) for stage in stages}
    assert not of_part(moved["head"], "vision")
    assert not of_part(moved["head"], "question")
    assert of_part(moved["head"], "classifier")
    statistics = {name for name in watched.end["all"] if "running_" in name or "num_batches" in name}
    assert statistics
    assert statistics <= moved["all"]
    assert statistics <= moved["vision"]
    assert of_part(moved["all"], "question")
    assert of_part(moved["vision"], "vision")
    assert not of_part(moved["vision"], "question")


def test_parts_of_a_model_that_writes_learn_in_their_stage(folder: Path, watched: Watched) -> None:
    stages = [
        {"name": "projector", "steps": 2, "train": {"fusion": "full", "language_model": "frozen"}},
        {"name": "language", "steps": 2, "train": {"fusion": "frozen", "language_model": "lora"}},
    ]
    run = writing(folder, stages)
    first, second = watched.moved("projector"), watched.moved("language")
    assert first
    assert all("fusion" in name for name in first)
    assert second
    assert all("lora" in name for name in second)
    last = load_model(run.checkpoints, torch.device("cpu"), which="last").state()
    assert same(watched.end["language"], last)
    rates = [set(row) for row in files.read_jsonl(run.folder / "log" / "steps.jsonl") if "loss" in row]
    assert "learning_rate/fusion" in rates[0]
    assert "learning_rate/language_model" not in rates[0]
    assert "learning_rate/language_model" in rates[2]
    assert "learning_rate/fusion" not in rates[2]


@pytest.mark.parametrize("which", ["best", "last"])
def test_the_kept_model_answers_as_at_the_look(folder: Path, which: str) -> None:
    run = trained(folder, [*tiny.STAGES[:1], {"name": "end", "steps": 6, "evaluate_every": 2, "average_decay": 0.8}])
    model = load_model(run.checkpoints, torch.device("cpu"), which=which)
    chosen = model.prepare(registry.load_split("slake:en", "validate"), Problems())
    predictions, loss = answer_prepared(model, chosen)
    rows = [row for row in run.history if row["stage"] == "end"]
    row = rows[-1] if which == "last" else next(row for row in reversed(rows) if row["best"])
    assert loss == pytest.approx(row["val_loss"], abs=1e-6)
    assert selection.measure(predictions, ["accuracy"])["accuracy"] == row["val_accuracy"]


# how it is chosen, and when it ends


def test_the_loss_may_choose(folder: Path) -> None:
    run = trained(folder, [{"name": "one", "steps": 8, "evaluate_every": 2, "select_by": "loss"}])
    losses = [row["val_loss"] for row in run.history]
    assert [row["selected"] for row in run.history] == losses
    assert "val_accuracy" not in run.history[0]
    facts = run.facts
    assert facts["selected"] == {"metric": "loss", "value": min(losses)}
    assert facts["best_epoch"] == losses.index(min(losses)) + 1
    model = load_model(run.checkpoints, torch.device("cpu"))
    chosen = model.prepare(registry.load_split("slake:en", "validate"), Problems())
    assert answer_prepared(model, chosen)[1] == pytest.approx(min(losses), abs=1e-6)


def test_some_questions_may_choose(folder: Path) -> None:
    stages = [{"name": "one", "steps": 9, "evaluate_every": 3, "select_where": {"answer_type": "OPEN"}}]
    run = trained(folder, stages, training__learning_rate=0.02)
    model = load_model(run.checkpoints, torch.device("cpu"))
    chosen = model.prepare(registry.load_split("slake:en", "validate"), Problems())
    predictions, _ = answer_prepared(model, chosen)
    asked = [prediction for prediction in predictions if prediction.answer_type == "OPEN"]
    assert 0 < len(asked) < len(predictions)
    best = next(row for row in reversed(run.history) if row["best"])
    assert best["selected"] == selection.measure(asked, ["accuracy"])["accuracy"]
    assert best["val_accuracy"] == selection.measure(predictions, ["accuracy"])["accuracy"]
    assert best["selected"] == max(row["selected"] for row in run.history)


@pytest.mark.parametrize(
    ("values", "learning", "looks", "best"),
    [
        ([0.5, 0.4, 0.6, 0.6, 0.5], {"patience": 2}, 5, 3),
        ([0.5, 0.4], {"patience": 1}, 2, 1),
        ([0.5, 0.4, 0.3, 0.2, 0.1, 0.0], {}, 6, 1),
        ([0.5, 0.55, 0.58, 0.7, 0.75, 0.76], {"patience": 3, "min_improvement": 0.1}, 6, 4),
        ([0.5, 0.55, 0.58], {"patience": 2, "min_improvement": 0.1}, 3, 1),
        ([0.5, 0.5], {"patience": 1}, 2, 1),  # of equal ones the first
    ],
)
def test_a_stage_ends_when_patience_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, values: list[float], learning: dict[str, Any], looks: int, best: int
) -> None:
    values_are(monkeypatch, *values)
    run = trained(folder, [{"name": "one", "steps": 12, "evaluate_every": 2, **learning}])
    (stage,) = run.facts["stages"]
    assert (stage["looks"], stage["best_look"], stage["best_step"]) == (looks, best, 2 * best)
    assert (stage["steps"], stage["of"], stage["stopped_early"]) == (2 * looks, 12, looks < 6)
    assert [row["step"] for row in run.history] == [2 * n for n in range(1, looks + 1)]


def test_the_last_step_is_looked_at_whatever_the_interval(folder: Path) -> None:
    run = trained(folder, [{"name": "one", "steps": 7, "evaluate_every": 3}, {"name": "two", "steps": 2}])
    assert [(row["stage"], row["step"], row["epoch"]) for row in run.history] == [
        ("one", 3, 1),
        ("one", 6, 2),
        ("one", 7, 3),
        ("two", 9, 1),
    ]


def test_lengths_in_epochs_steps_and_tokens(folder: Path) -> None:
    stages = [
        {"name": "epochs", "epochs": 2, "data": [{"name": "vqa_rad:official", "repeat": 2}, {"name": "slake:en"}]},
        {"name": "steps", "steps": 3},
        {"name": "tokens", "tokens": 2000, "data": [{"name": "slake:en", "cap": 8}]},
    ]
    run = writing(folder, stages)
    epochs, steps, tokens = run.facts["stages"]
    assert epochs["steps"] == 2 * 8  # 12 questions twice, and 24, are 48; 6 a step
    assert steps["steps"] == 3
    rows = {row["stage"]: row for row in run.history}
    assert rows["epochs"]["samples"] == 96
    assert rows["steps"]["samples"] == 96 + 18
    read = rows["tokens"]["tokens"] - rows["steps"]["tokens"]
    seen = rows["tokens"]["samples"] - rows["steps"]["samples"]
    each = read / seen  # 8 questions of like length: about 2000 tokens, in whole steps
    assert tokens["steps"] == pytest.approx(2000 / each / 6, abs=1.5)
    assert rows["epochs"]["tokens"] > 0


def test_rates_of_parts_and_of_annealing_are_those_of_the_log(folder: Path) -> None:
    anneal = {"over": 0.5, "to": {"rad": 3, "slake:en": 1}, "learning_rate": 0.1}
    data = [{"name": "slake:en", "weight": 3}, {"name": "vqa_rad:official", "label": "rad", "weight": 1}]
    one = {"name": "one", "steps": 8, "anneal": anneal, "data": data, "learning_rates": {"vision": 0.001}}
    run = trained(folder, [one])
    rows = [row for row in files.read_jsonl(run.folder / "log" / "steps.jsonl") if "loss" in row]
    expected = [1, 1, 1, 1, 1, 0.7, 0.4, 0.1]
    assert [row["learning_rate/vision"] for row in rows] == pytest.approx([0.001 * share for share in expected])
    assert [row["learning_rate/question"] for row in rows] == pytest.approx([0.01 * share for share in expected])
    assert [row["share/rad"] for row in rows] == pytest.approx([0.25] * 5 + [0.25 + n / 6 for n in (1, 2, 3)])
    assert run.facts["stages"][0]["shares"] == {
        "begin": {"slake:en": 0.75, "rad": 0.25},
        "end": {"slake:en": 0.25, "rad": 0.75},
    }


def test_two_sources_of_one_data_set_are_told_apart(folder: Path) -> None:
    data = [{"name": "slake:en", "label": "a", "weight": 1}, {"name": "slake:en", "label": "b", "weight": 1}]
    run = trained(folder, [{"name": "one", "steps": 3, "data": data}])
    assert run.history[-1]["samples"] == 24


# what is refused, before anything is learned


def refused(watched: Watched, work: Callable[[], object], message: str, error: type[RadvqaError] = RecipeError) -> None:
    with pytest.raises(error, match=message):
        work()
    assert not watched.steps


LATER: list[tuple[dict[str, Any], str]] = [
    ({"train": {"visoin": "frozen"}}, r"stages\.1 \(one\): .*visoin|there is no part 'visoin'"),
    ({"learning_rates": {"visoin": 1e-3}}, r"stages\.2 \(two\): learning_rates: the part 'visoin' does not learn here"),
    ({"carry": {"parts": ["visoin"]}}, r"stages\.2 \(two\): carry\.parts: there is no part 'visoin'; .*'vision'"),
    (
        {"select_by": "bleu4"},
        r"stages\.2 \(two\): The metric bleu4 cannot choose an epoch here: no gold answer has 4 words",
    ),
    (
        {"data": [{"name": "slake:en", "samples": 25}]},
        "stage two: slake:en train: 25 samples are asked for, and there are 24; ask for fewer, use `cap`",
    ),
    ({"data": [{"name": "slake:en", "where": {"modality": "PET"}}]}, "stage two: slake:en train: none of its 24"),
    ({"data": [{"name": "slake:en", "weight": 0}]}, "the weights sum to 0, so nothing would be drawn"),
    ({"data": [{"name": "slake:en", "weight": -1}]}, r"weight: .*greater than or equal to 0"),
    ({"select_by": "acuracy"}, "there is no metric 'acuracy'; .*'accuracy'"),
]


@pytest.mark.parametrize(("second", "message"), LATER)
def test_what_a_later_stage_cannot_do_is_told_before_the_first_step(
    folder: Path, watched: Watched, second: dict[str, Any], message: str
) -> None:
    stages = [{"name": "one", "steps": 1}, {"name": "two", "steps": 1, **second}]
    if "train" in second:
        stages[0]["train"] = {"visoin": "full"}
    refused(watched, lambda: trained(folder, stages), message, RadvqaError)


def test_a_stage_that_trains_nothing_is_refused(folder: Path, watched: Watched) -> None:
    parts = ("vision", "question", "image_vector", "classifier")
    stages = [
        {"name": "one", "steps": 1, "train": dict.fromkeys(parts, "full")},
        {"name": "two", "steps": 1, "train": dict.fromkeys(parts, "frozen")},
    ]
    message = r"stages\.2 \(two\): (nothing is learned in this stage|every part is frozen)"
    refused(watched, lambda: trained(folder, stages), message)
    frozen = {"vision": "frozen", "fusion": "frozen", "language_model": "frozen"}
    stages = [{"name": "one", "steps": 1}, {"name": "two", "steps": 1, "train": frozen}]
    stages[0]["train"] = {**frozen, "fusion": "full"}
    (folder / "other").mkdir()
    refused(watched, lambda: writing(folder / "other", stages), message)


def test_a_rate_of_a_part_that_another_stage_learns_is_refused(folder: Path, watched: Watched) -> None:
    stages = [
        {"name": "one", "steps": 1, "train": {"vision": "full"}},
        {"name": "two", "steps": 1, "train": {"vision": "frozen"}, "learning_rates": {"vision": 1e-4}},
    ]
    refused(watched, lambda: trained(folder, stages), r"stages\.2 \(two\): .*'vision' does not learn here")


@pytest.mark.parametrize(
    ("by", "where", "message"),
    [
        ("generate", {}, "no candidates: the model ranks no answers"),
        ("rank_closed", {}, "6 of 12 predictions have no candidates"),
        ("rank_closed", {"answer_type": "CLOSED"}, None),
        ("rank", {}, None),
    ],
)
def test_a_metric_that_the_family_cannot_give_is_refused(
    folder: Path, watched: Watched, by: str, where: dict[str, str], message: str | None
) -> None:
    stages = [{"name": "one", "steps": 1}, {"name": "two", "steps": 1, "select_by": "top5", "select_where": where}]
    answering = {"tokens": 24, "by": by}
    if message is None and where:  # over all questions it is reported too, where some have no candidates
        assert writing(folder, stages, answering=answering).finished
    elif message is None:
        assert writing(folder, stages, answering=answering).history[-1]["val_top5"] >= 0
    else:
        what = rf"stages\.2 \(two\): The metric top5 cannot choose an epoch here: {message}"
        refused(watched, lambda: writing(folder, stages, answering=answering), what)


def test_a_metric_that_lacks_words_for_now_is_zero_for_now() -> None:
    """Single words are written so far, and the gold answers are longer."""
    gold = "a small mass in the left lung"
    predictions = [Prediction(str(n), "?", gold, "mass", "OPEN") for n in range(3)]
    with pytest.raises(RecipeError, match="The metric bleu4 cannot choose an epoch here: no prediction has 4 words"):
        selection.measure(predictions[:1], ["bleu4"])
    assert selection.measure(predictions[:1], ["bleu4"], undefined=0.0) == {"bleu4": 0.0}


def test_nothing_that_a_look_ahead_did_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With or without the rehearsal a run comes to the same."""
    trained(folder, tiny.STAGES[:1])
    expected = tiny.outcome(folder / "run")
    monkeypatch.setattr("radvqa.training.loop.rehearse", lambda *_: None)
    train(folder / "tiny.yaml", out=folder / "without", doctor=False)
    assert not tiny.differences(folder / "without", expected)


def test_bad_pictures_of_the_selection_split_are_told_as_ever(mini_slake: Path, tmp_path: Path) -> None:
    for number in range(6, 9):  # all of its pictures
        (mini_slake / f"imgs/xmlab{number}/source.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"xmlab6/source.jpg is empty"):
        trained(tmp_path, [{"name": "one", "steps": 1}])

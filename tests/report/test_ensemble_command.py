"""``radvqa ensemble``: run folders in, a run folder out that scores and compares as any other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import miniature
import report_runs
from miniature import radvqa
from radvqa import files, fingerprint
from radvqa.asking import last_run
from radvqa.commands.compare import compare
from radvqa.commands.ensemble import ensemble
from radvqa.commands.merge import merge
from radvqa.commands.predict import predict
from radvqa.commands.probe import probe
from radvqa.commands.score import score
from radvqa.commands.train import train
from radvqa.errors import RunError
from radvqa.report.card import model_card
from radvqa.run import Run


def member(folder: Path, *, skill: float = 0.7, **changes: Any) -> Run:
    """A finished run that answered its selection split too, and says what it cost."""
    run = report_runs.make_run(folder, skill=skill, resamples=50, images=8, **changes)
    asked = report_runs.samples("validate", 8)
    seed = int(changes.get("seed", 0))
    answered = report_runs.answered(asked, skill, 100 + seed)
    answers = run.answers(split="validate")
    run.write_answers(answers, answered, {"always_yes": [replace(p, prediction="yes") for p in answered]})
    cost = {"wall_seconds": 100.0 + seed, "evaluation_seconds": 10.0, "samples": 500, "tokens": None, "flops": 10**12}
    parts = {"net": {"total": 700, "trainable": 60}}
    run.finish({"cost": {**cost, "parameters": {"total": 700, "trainable": 60, "by_part": parts}}})
    return run


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    members = [member(tmp_path / name, name=name, seed=seed) for name, seed in (("first", 0), ("second", 3))]
    return members[0].folder, members[1].folder


def test_an_ensemble_scores_and_compares_as_any_run(pair: tuple[Path, Path], tmp_path: Path) -> None:
    found = ensemble(pair, tmp_path / "both")
    scored = score(tmp_path / "both", rules=["seed000"])
    alone = [Run(path).scores(Run(path).answers())["subsets"]["overall"]["accuracy"] for path in pair]
    assert scored["questions"] == 40
    assert scored["baselines"]["question_lookup"]["overall"]["accuracy"] is not None
    assert min(alone) <= scored["subsets"]["overall"]["accuracy"] <= 1
    assert found["selected"]["value"] >= max(one["accuracy"] for one in found["members"])
    compared = compare([tmp_path / "both", *pair], html=tmp_path / "page.html", markdown=tmp_path / "page.md")
    rows = {row["name"]: row for row in compared["datasets"][0]["runs"]}
    assert list(rows) == ["both", "first", "second"]
    assert len(compared["datasets"][0]["paired"]) == 2
    assert (tmp_path / "both" / "thumbnails" / "index.json").is_file()
    assert (tmp_path / "both" / "examples" / "examples.json").is_file()
    card = model_card(tmp_path / "both")
    assert "A vote of first and second, which were trained on slake:en in 22 m 31 s" in card
    assert any("different length, that of its members (both)" in note for note in compared["datasets"][0]["notes"])
    assert str(tmp_path) not in card


def test_the_selection_answers_of_the_vote_are_kept_and_come_to_what_was_said(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    found = ensemble(pair, tmp_path / "both")
    scored = score(tmp_path / "both", split="validate", rules=["seed000"])
    assert scored["subsets"]["overall"]["accuracy"] == pytest.approx(found["selected"]["value"])
    assert found["selected"]["questions"] == scored["questions"] == 40


def test_the_costs_are_those_of_all_members(pair: tuple[Path, Path], tmp_path: Path) -> None:
    ensemble(pair, tmp_path / "both")
    facts = Run(tmp_path / "both").facts
    assert facts["cost"]["wall_seconds"] == 100 + 103
    assert (facts["cost"]["flops"], facts["cost"]["tokens"]) == (2 * 10**12, None)
    assert facts["cost"]["parameters"] == {
        "total": 1400,
        "trainable": 120,
        "by_part": {"first: net": {"total": 700, "trainable": 60}, "second: net": {"total": 700, "trainable": 60}},
    }
    assert facts["answering"]["slake:en test"] == {"seconds_per_question": 0.024, "device": "cuda"}
    assert facts["seconds"] == pytest.approx(673.8 + 676.8)
    assert facts["peak_memory_bytes"] == 3 << 30


def test_the_members_are_named_with_their_digests(pair: tuple[Path, Path], tmp_path: Path) -> None:
    files.write_bytes(pair[0] / "checkpoints" / "best.safetensors", b"weights")
    found = ensemble(pair, tmp_path / "both")
    run = Run(tmp_path / "both")
    told = run.provenance["members"]
    assert [(one["run"], one["seed"]) for one in told] == [("first", 0), ("second", 3)]
    assert [one["weight"] for one in told] == [one["weight"] for one in found["members"]]
    assert told[0]["weights_sha256"] == fingerprint.of_bytes(b"weights")
    assert told[1]["weights_sha256"] is None
    assert told[1]["predictions_sha256"] == fingerprint.of_bytes((pair[1] / "predictions.jsonl").read_bytes())
    assert [one["recipe"] for one in run.recipe["model"]["members"]] == ["first", "second"]


def test_the_test_split_has_no_say_in_the_weights(pair: tuple[Path, Path], tmp_path: Path) -> None:
    before = ensemble(pair, tmp_path / "before")
    for path in pair:
        answers = Run(path).answers()
        Run(path).write_answers(answers, [replace(p, answer="nothing") for p in Run(path).predictions(answers)], {})
    after = ensemble(pair, tmp_path / "after")
    assert after["members"] == before["members"]


def test_ensembles_of_other_seeds_are_one_group(tmp_path: Path) -> None:
    for seed in (0, 1):
        pair = [member(tmp_path / f"{name}-{seed}", name=name, seed=seed).folder for name in ("one", "two")]
        ensemble(pair, tmp_path / f"both-{seed}")
        score(tmp_path / f"both-{seed}", rules=["seed000"])
    compared = compare([tmp_path / "both-0", tmp_path / "both-1"])
    assert [group["seeds"] for group in compared["datasets"][0]["groups"]] == [[0, 1]]


def _other_split(one: Run, other: Run) -> None:
    recipe = {**other.recipe, "data": {**other.recipe["data"], "select": "dev"}}
    files.write_text(other.folder / "recipe.yaml", str(recipe))


def _other_data(one: Run, other: Run) -> None:
    files.write_text(other.folder / "recipe.yaml", (one.folder / "recipe.yaml").read_text(encoding="utf-8"))
    files.write_json(other.folder / "provenance.json", {"data": {"train": {"digest": "else"}}})


def _unfinished(one: Run, other: Run) -> None:
    files.write_json(other.folder / "run.json", {**other.facts, "state": "training"})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_other_split, "data.select is 'validate' in the one and 'dev' in the other"),
        (_other_data, "are seeds of one recipe, but learned from different data"),
        (_unfinished, "was not trained to its end"),
    ],
)
def test_members_that_cannot_vote_together(
    pair: tuple[Path, Path], tmp_path: Path, spoil: Callable[[Run, Run], None], said: str
) -> None:
    spoil(Run(pair[0]), Run(pair[1]))
    with pytest.raises(RunError, match=said):
        ensemble(pair, tmp_path / "both")
    assert not (tmp_path / "both" / "run.json").exists()


def test_one_run_twice_or_alone_or_in_place_of_another_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="at least two"):
        ensemble(pair[:1], tmp_path / "both")
    with pytest.raises(RunError, match="first is given twice"):
        ensemble([pair[0], pair[0]], tmp_path / "both")
    with pytest.raises(RunError, match="first exists already"):
        ensemble(pair, pair[0])


def test_an_ensemble_is_no_model(pair: tuple[Path, Path], tmp_path: Path) -> None:
    ensemble(pair, tmp_path / "both")
    for use in (predict, probe, lambda run: merge(run, tmp_path / "merged")):
        with pytest.raises(RunError, match="is an ensemble: it holds answers and no model"):
            use(tmp_path / "both")
    assert last_run(tmp_path).name in ("first", "second")


def test_an_ensemble_is_whole_or_not_there(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Run, "finish", lambda run, measured: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ensemble(pair, tmp_path / "both")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]
    ensemble(pair, tmp_path / "both")
    assert Run(tmp_path / "both").finished


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_members_that_have_not_answered_yet_do_so(tmp_path: Path) -> None:
    recipe = miniature.recipe(tmp_path / "tiny.yaml", training__epochs=1)
    runs = [train(recipe, [f"seed={seed}"], out=tmp_path / f"seed{seed}").folder for seed in (0, 1)]
    done = radvqa("ensemble", *runs, "--out", tmp_path / "both", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert "Equal weights" in done.stdout
    for run in runs:
        assert (run / "predictions.jsonl").is_file()
        assert (run / "predictions-slake_en-validate.jsonl").is_file()
    scored = score(tmp_path / "both", rules=["seed000"])
    assert scored["questions"] == 12
    facts = Run(tmp_path / "both").facts
    one = Run(runs[0]).facts["cost"]
    assert facts["cost"]["samples"] == 2 * one["samples"]
    assert set(Run(tmp_path / "both").provenance["data"]) == {"train", "select"}


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_where_training_pictures_are_held_out_only_their_questions_choose(tmp_path: Path) -> None:
    recipe = miniature.recipe(
        tmp_path / "tiny.yaml", training__epochs=1, data__select="train", data__select_fraction=0.34
    )
    runs = [train(recipe, [f"seed={seed}"], out=tmp_path / f"seed{seed}").folder for seed in (0, 1)]
    found = ensemble(runs, tmp_path / "both")
    assert found["selected"]["questions"] == 8  # two of the six training pictures, four questions each
    assert not list((tmp_path / "both").glob("predictions-*"))

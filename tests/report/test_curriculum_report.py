"""Stages, what chose in each and what a run cost: in tables, sentences, on the card and at the end of ``train``."""

from dataclasses import replace
from pathlib import Path

import pytest
from curriculum_runs import COST, change, make_curriculum

from radvqa.report import sentences
from radvqa.report.budget import budget_table
from radvqa.report.card import model_card
from radvqa.report.comparison import compare_runs
from radvqa.report.curriculum import by_epoch, learned, stages_of, stages_table
from radvqa.report.differing import differing_table
from radvqa.report.parts import parts
from radvqa.report.scored import Scored, differences, groups, load
from radvqa.report.selection import chosen_by, value_words
from radvqa.report.trained import trained_lines
from report_runs import make_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a curriculum (``cur``), and a run of epochs by an older version (``old``)."""
    place = tmp_path_factory.mktemp("runs")
    make_curriculum(place / "cur")
    make_run(place / "old", images=8, resamples=20, thumbnails=False)
    return place


@pytest.fixture
def run(folder: Path) -> Scored:
    return load([folder / "cur"])[0]


@pytest.fixture
def old(folder: Path) -> Scored:
    return load([folder / "old"])[0]


def test_stages_follow_each_other_and_know_their_looks(run: Scored) -> None:
    assert [(stage.name, stage.begins, stage.ends) for stage in stages_of(run)] == [
        ("captions", 0, 20),
        ("general", 20, 50),
        ("radiology", 50, 60),
    ]
    assert [[row["step"] for row in stage.rows] for stage in stages_of(run)] == [[10, 20], [30, 40, 50], [55, 60]]
    assert [(stage.kept or {})["step"] for stage in stages_of(run)] == [20, 30, 60]
    assert [stage.chosen_on_own_data for stage in stages_of(run)] == [False, True, True]


def test_the_table_of_stages_says_what_was_learned_from_and_kept(run: Scored) -> None:
    table = stages_table(run)
    assert table is not None
    assert table.columns == (
        "Stage",
        "Learned from",
        "Learned",
        "Steps",
        "Looks",
        "Kept look",
        "Chosen by",
        "Value",
        "Ended",
    )
    assert [row.cells for row in table.rows] == [
        (
            "1 captions",
            "medpix2:captions, 1,653 samples, modality CT or MRI",
            "fusion 4,000; frozen: vision, language_model",
            "20",
            "2",
            "2",
            "loss",
            "1.500",
            "as planned",
        ),
        (
            "2 general",
            "slake:en, 4,919 samples",
            "vision 9,000, fusion 4,000, language_model by LoRA 500",
            "30",
            "3",
            "1",
            "accuracy",
            "60.0 %",
            "early, of 60 steps",
        ),
        (
            "3 radiology",
            "path, 75 → 0 %, 9,926 samples; slake, 25 → 100 %, 4,919 samples",
            "vision 9,000, fusion 4,000, language_model by LoRA 500",
            "10",
            "2",
            "2",
            "token-F1 of answer type OPEN",
            "70.0 %",
            "as planned",
        ),
    ]
    moved = "its mix moves to what stands behind the arrow and its learning rate moves to 0.1 of what it was"
    assert f"radiology: over the last 50 % of its steps {moved}." in table.notes


def test_what_another_beginning_than_the_best_weights_was_is_noted(run: Scored) -> None:
    plan = run.recipe["stages"]
    plan[2]["carry"] = {"weights": "last", "parts": ["fusion"], "optimizer": True}
    table = stages_table(run)
    assert table is not None
    assert (
        "radiology: began with the last weights of the stage before, not with its best; took over fusion only, the "
        "rest began anew; went on with the optimiser's moments." in table.notes
    )


def test_runs_that_did_not_count_say_what_the_recipe_says(run: Scored) -> None:
    uncounted = [{key: value for key, value in stage.items() if key != "trained"} for stage in run.facts["stages"]]
    silent = replace(run, facts={**run.facts, "stages": uncounted})
    assert [learned(stage) for stage in stages_of(silent)] == [
        "vision frozen, fusion full, language_model frozen",
        "vision full, fusion full, language_model lora",
        "vision full, fusion full, language_model lora",
    ]


def test_runs_without_stages_have_no_such_table(old: Scored) -> None:
    assert stages_of(old) == ()
    assert stages_table(old) is None
    assert by_epoch(old)


def test_the_last_stage_says_what_chose_the_weights(run: Scored, old: Scored) -> None:
    assert run.select_by == "token_f1"
    assert old.select_by == "accuracy"
    table = budget_table([run, old])
    assert table is not None
    cells = [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows]
    assert [(c["Length"], c["Kept look"], c["Selected by"]) for c in cells] == [
        ("60 steps in 3 stages", "2", "token-F1 70.0"),
        ("12 epochs", str(old.facts["best_epoch"]), f"accuracy {100 * old.facts['selected']['value']:.1f}"),
    ]


@pytest.mark.parametrize(
    ("metric", "where", "value", "said", "written"),
    [
        ("loss", {}, 0.12345, "loss", "0.123"),
        ("exact_match", {}, 0.5, "exact match", "50.0 %"),
        ("macro_f1", {"modality": ["CT", "MRI"], "open": True}, None, "macro-F1 of modality CT or MRI, open True", "–"),
    ],
)
def test_what_chose_is_written_for_people(
    metric: str, where: dict[str, object], value: float | None, said: str, written: str
) -> None:
    assert chosen_by(metric, where) == said
    assert value_words(metric, value) == written


def test_other_lengths_and_data_make_an_unequal_comparison(run: Scored, old: Scored) -> None:
    assert differences([run, old]) == [
        "Not an equal comparison: different length, 60 steps in 3 stages (cur); 12 epochs (old).",
        "Not an equal comparison: different training data set, medpix2:captions and slake:en and path_vqa:json (cur); "
        "slake:en (old).",
        "Not an equal comparison: different selection metric, token_f1 (cur); accuracy (old).",
    ]


def test_equal_names_of_other_samples_are_told_apart_by_their_digests(old: Scored) -> None:
    train = {"questions": 9, "images": 3, "digest": "a" * 32}
    one = replace(old, name="one", provenance={"data": {"train": train, "select": {**train, "digest": "s"}}})
    select = replace(old, name="select", provenance={"data": {"train": train, "select": {**train, "digest": "t"}}})
    capped = replace(old, name="capped", provenance={"data": {"train": {**train, "digest": "b" * 32}}})
    unknown = replace(old, name="unknown", provenance={})
    assert differences([one, select, unknown]) == []
    (said,) = [note for note in differences([one, capped]) if "fingerprint" in note]
    assert "aaaaaaaaaaaa" in said
    assert "bbbbbbbbbbbb" in said


def test_the_recipes_table_shows_what_differs_and_nothing_else(run: Scored, old: Scored) -> None:
    again = replace(run, name="again", recipe={**run.recipe, "name": "again"})
    stages = [dict(stage) for stage in run.recipe["stages"]]
    stages[1]["learning_rate"] = 0.5
    stages[2]["anneal"] = {**stages[2]["anneal"], "over": 0.9}
    stages[0]["temperature"] = 2.0
    again.recipe["stages"] = stages
    again.recipe["training"] = {**run.recipe["training"], "batch_size": 64, "seed": 7, "checkpoint_seconds": 1}
    table = differing_table(groups([run, again]))
    assert table is not None
    assert table.columns == ("Key", "cur", "again")
    assert [row.cells for row in table.rows] == [
        ("training.batch_size", "32", "64"),
        ("stages.1.temperature", "–", "2.0"),
        ("stages.2.learning_rate", "–", "0.5"),
        ("stages.3.anneal", "over 0.5, to slake 1, learning_rate 0.1", "over 0.9, to slake 1, learning_rate 0.1"),
    ]
    beside = differing_table(groups([run, old]))
    assert beside is not None
    rows = {row.cells[0]: row.cells[1:] for row in beside.rows}
    assert rows["stages.1.data.1"] == ("name medpix2:captions, split train, where modality CT, MRI", "–")
    assert rows["stages.3.data.2"] == ("name slake:en, label slake, split train, weight 1", "–")
    assert "stages.2.learning_rate" not in rows, "it is what training says"


def test_equal_recipes_and_files_make_no_table(run: Scored) -> None:
    assert differing_table(groups([run])) is None
    assert differing_table(groups([run, replace(run, name="again", recipe={**run.recipe, "name": "again"})])) is None
    assert differing_table(groups([run, replace(run, name="file", recipe={})])) is None


def test_costs_are_told_in_words_where_they_were_measured(run: Scored, old: Scored) -> None:
    assert sentences.cost(run) == [
        "Its steps took 1 m 35 s, at 20.2 samples/s, 1.2 % of the time waiting for data; looking at the selection "
        "split took 12 s.",
        "It took at most 3.0 GiB of memory.",
        "Its steps were about 4.20 TFLOP, 4.4 % of what the device could have done in that time.",
        "The device took 36.0 kJ of energy.",
        "It was interrupted and went on 2 times.",
    ]
    assert sentences.cost(old) == []
    told = {**COST, "tokens_per_second": 5120.0, "peak_gpu_memory_bytes": 2 << 30, "energy_joules": None}
    on_gpu = sentences.cost(replace(run, facts={**run.facts, "cost": told}))
    assert "at 20.2 samples/s and 5,120 tokens/s, 1.2 %" in on_gpu[0]
    assert on_gpu[1] == "It took at most 2.0 GiB of GPU memory."
    assert not any("energy" in sentence for sentence in on_gpu)


def test_how_a_curriculum_was_made(run: Scored, old: Scored) -> None:
    said = sentences.made(run)
    assert (
        "Trained in 3 stages (1 captions, medpix2:captions, 2 epochs; 2 general, 60 steps; 3 radiology, path + " in said
    )
    assert (
        "Its weights are those of look 2 of 2 of the stage radiology, chosen by token-F1 of answer type OPEN (70.0 %)."
        in said
    )
    assert "960 of 2,900 parameters were trained." in said
    before = sentences.made(old)
    assert "Trained on slake:en, train split for 12 epochs in" in before
    assert f"Epoch {old.facts['best_epoch']} was kept, chosen by accuracy on the validate split." in before


def test_the_card_has_stages_costs_and_all_data_sets(folder: Path) -> None:
    card = model_card(folder / "cur")
    assert [line for line in card.split("\n") if line.startswith("## ")] == [
        "## What it is",
        "## Data",
        "## Stages",
        "## Scores",
        "## Limits",
        "## Budget",
        "## What training took",
        "## Parameters by part",
    ]
    assert "- trained on: medpix2:captions, slake:en, path_vqa:json" in card
    assert "It was trained on medpix2:captions and slake:en and path_vqa:json alone;" in card
    assert "9,926 questions, 9 images, digest 0000000000000000" in card
    assert "| 2 general " in card


def test_the_page_has_the_stages_and_the_recipes_beside_the_costs(folder: Path) -> None:
    (comparison,) = compare_runs([folder / "cur", folder / "old"])
    (part,) = [part for part in parts(comparison) if part.key == "cost"]
    assert [table.title for table in part.tables] == ["Stages of cur", "Budget", "What training took"]
    assert [table.title for table in part.folded] == ["What differs between the recipes", "Parameters by part"]
    assert [figure["alt"] for figure in part.figures][1:] == [
        "Validation accuracy over the training, all runs",
        "Training curves of cur",
        "Training curves of old",
    ]


def test_the_end_of_train_tells_of_each_stage_and_of_the_cost(tmp_path: Path) -> None:
    run = make_curriculum(tmp_path / "cur", scored=False)
    assert trained_lines(run) == [
        f"{tmp_path / 'cur'}: 3 stages, 60 steps",
        "  1 captions   20 steps  look 2 of 2 chosen by loss, 1.500",
        "  2 general    30 steps  look 1 of 3 chosen by accuracy, 60.0 %; ended early, of 60 steps",
        "  3 radiology  10 steps  look 2 of 2 chosen by token-F1 of answer type OPEN, 70.0 %",
        "  960 of 2,900 parameters trained: vision 800, fusion 100, language_model 60 of 2,000",
        "  11 m 14 s in all; 1 m 35 s in steps at 20.2 samples/s",
        "  waiting for data 1.2 % of the steps' time; about 4.20 TFLOP, 4.4 % of the device's speed; at most 3.0 GiB "
        "of memory; 36.0 kJ of energy; interrupted 2 times",
    ]


def test_the_end_of_train_of_a_run_of_epochs(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", images=8, scored=False, thumbnails=False)
    change(run, epochs=12, best_epoch=9, selected={"metric": "accuracy", "value": 0.75}, seconds=59.6)
    assert trained_lines(run) == [
        f"{tmp_path / 'a'}: epoch 9 of 12 chosen by accuracy, 75.0 % on the selection split",
        "  1,767,389 of 12,943,901 parameters trained",
        "  1 m 00 s in all",
        "  at most 3.0 GiB of memory",
    ]
    change(run, selected={"metric": "loss", "value": 0.5})
    assert "chosen by loss, 0.500 on the selection split" in trained_lines(run)[0]
    change(run, best_epoch=None, epochs=0, parameters={"total": 5, "trainable": 0}, cost={"wall_seconds": 0.0})
    assert trained_lines(run)[:2] == [
        f"{tmp_path / 'a'}: nothing is trained; loss 0.500 on the selection split",
        "  0 of 5 parameters trained",
    ]

"""Tables hold the numbers of scores.json, group seeds, and refuse what cannot be compared."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from report_runs import make_run

from radvqa import files
from radvqa.errors import RunError
from radvqa.report import tables
from radvqa.report.grid import Row, Table
from radvqa.report.scored import groups, load, require_same_test


def change_scores(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    scores = files.read_json(folder / "scores.json")
    change(scores)
    files.write_json(folder / "scores.json", scores)


def with_accuracy(folder: Path, value: float) -> None:
    change_scores(folder, lambda scores: scores["subsets"]["overall"].update(accuracy=value))


def row(table: Table, name: str) -> Row:
    return next(row for row in table.rows if row.cells[0] == name)


def notes(table: Table) -> str:
    return "\n".join(table.notes)


def test_cells_are_the_numbers_of_the_scores(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    table = tables.scores_table(load([tmp_path / "a"]))
    scores = files.read_json(tmp_path / "a" / "scores.json")["subsets"]
    expected = []
    for subset, metric in (
        ("overall", "accuracy"),
        ("open", "accuracy"),
        ("closed", "accuracy"),
        ("overall", "top5"),
        ("overall", "macro_f1"),
        ("overall", "exact_match"),
        ("overall", "token_f1"),
    ):
        low, high = scores[subset][f"{metric}_interval"]
        expected.append(f"{100 * scores[subset][metric]:.1f} [{100 * low:.1f}, {100 * high:.1f}]")
    assert row(table, "a").cells == ("a", *expected)
    assert row(table, "a").kind == "run"


def test_baselines_follow_the_runs_and_published_rows_the_baselines(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    table = tables.scores_table(load([tmp_path / "a"]))
    kinds = [row.kind for row in table.rows]
    assert kinds == sorted(kinds, key=["run", "baseline", "published"].index)
    assert kinds.count("baseline") == 4
    value = files.read_json(tmp_path / "a" / "scores.json")["baselines"]["question_lookup"]["overall"]["accuracy"]
    assert row(table, "Question lookup, no image").cells[1].startswith(f"{100 * value:.1f} [")


def test_only_comparable_published_rows_share_the_table(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    entry = {"protocol": "p", "source": "s", "subset": "overall"}
    change_scores(
        tmp_path / "a",
        lambda scores: scores.update(
            published=[
                {**entry, "method": "Fair", "value_percent": 80.05, "comparable": True, "why": "same"},
                {**entry, "method": "Fair", "subset": "open", "value_percent": 77, "comparable": True, "why": "same"},
                {**entry, "method": "Loose", "value_percent": 99.0, "comparable": False, "why": "loose match"},
            ]
        ),
    )
    runs = load([tmp_path / "a"])
    table = tables.scores_table(runs)
    fair = "Fair (published)"
    assert row(table, fair).cells == (fair, "80.1", "77.0", "–", "–", "–", "–", "–")
    assert "Loose" not in [row.cells[0] for row in table.rows]
    comparable, other = tables.published_tables(runs)
    assert (comparable.title, other.title) == ("Published, comparable", "Published, not comparable")
    assert other.rows[0].cells[0] == "Loose"
    assert "99.0" in other.rows[0].cells
    assert "loose match" in other.rows[0].cells


def test_seeds_are_gathered_into_mean_and_sd(tmp_path: Path) -> None:
    for seed, value in ((2, 0.81), (0, 0.79), (1, 0.80)):
        make_run(tmp_path / f"s{seed}", seed=seed)
        with_accuracy(tmp_path / f"s{seed}", value)
    make_run(tmp_path / "other", name="blip")
    runs = load([tmp_path / name for name in ("s2", "other", "s0", "s1")])
    table = tables.scores_table(runs)
    assert [(row.cells[0], row.kind) for row in table.rows][:5] == [
        ("cnn_lstm, mean ± sd (3 seeds)", "mean"),
        ("s0 (seed 0)", "seed"),
        ("s1 (seed 1)", "seed"),
        ("s2 (seed 2)", "seed"),
        ("other", "run"),
    ]
    assert table.rows[0].cells[1] == "80.0 ± 1.0"  # 79, 80, 81: mean 80, sd 1
    assert "over training seeds" in notes(table)


def test_two_runs_of_one_seed_are_not_two_seeds(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_run(tmp_path / name, seed=7)
    assert groups(load([tmp_path / "a", tmp_path / "b"]))[0].size == "2 runs, 1 seed(s)"


def test_a_recipe_that_differs_in_more_than_the_seed_is_another_group(tmp_path: Path) -> None:
    make_run(tmp_path / "a", seed=0)
    make_run(tmp_path / "b", seed=1, epochs=11)
    assert [group.label for group in groups(load([tmp_path / "a", tmp_path / "b"]))] == ["a", "b"]


def test_a_value_undefined_for_one_seed_has_no_mean(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"s{seed}", seed=seed)
    change_scores(
        tmp_path / "s1",
        lambda scores: (
            scores["subsets"]["overall"].update(top5=None, top5_interval=None),
            scores["undefined"].update(top5="the model ranks no answers"),
        )[0],
    )
    table = tables.scores_table(load([tmp_path / "s0", tmp_path / "s1"]))
    assert table.rows[0].cells[4] == "–"
    assert row(table, "s1 (seed 1)").cells[4] == "–"
    assert "s1: Top-5 is undefined (–): the model ranks no answers." in table.notes


def test_unseen_answers_and_twins_are_noted(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    change_scores(
        tmp_path / "a",
        lambda scores: scores.update(
            unseen_answers={"overall": 2, "open": 2, "closed": 0, "ceiling": 0.975},
            twins={"pairs": 12, "both_right": 0.41, "both_right_interval": [0.3, 0.5]},
        ),
    )
    said = notes(tables.scores_table(load([tmp_path / "a"])))
    assert "2 of 80 gold answers (2 open, 0 closed) never occur in training" in said
    assert "at most 97.5" in said
    assert "both right in 41.0 [30.0, 50.0] % of 12 pairs" in said


def test_unequal_budgets_are_noted(tmp_path: Path) -> None:
    make_run(tmp_path / "long", epochs=12)
    make_run(tmp_path / "short", name="blip", epochs=5)
    runs = load([tmp_path / "long", tmp_path / "short"])
    said = "Not an equal comparison: different epochs, 12 (long); 5 (short)."
    assert said in tables.scores_table(runs).notes
    assert said in tables.budget_table(runs).notes


def test_equal_budgets_are_not_noted(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="blip")
    assert "Not an equal comparison" not in notes(tables.scores_table(load([tmp_path / "a", tmp_path / "b"])))


def test_budget_shows_what_a_run_cost(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", seed=3, epochs=12)
    best = run.facts["best_epoch"]
    value = run.facts["selected"]["value"]
    assert tables.budget_table(load([tmp_path / "a"])).rows[0].cells == (
        "a",
        "3",
        "resnet18",
        "12",
        str(best),
        f"accuracy {100 * value:.1f}",
        "1,767,389",
        "12,943,901",
        "11 m 17 s",
        "3.0 GiB",
        "NVIDIA H100 80GB",
    )


def test_question_types_are_ordered_by_size_and_show_seeds_as_spread(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"s{seed}", seed=seed)
    change_scores(tmp_path / "s0", lambda scores: scores["question_types"]["Size"].update(n=99))
    runs = load([tmp_path / "s0", tmp_path / "s1"])
    change = [run.scores["question_types"]["Organ"]["accuracy"] for run in runs]
    table = tables.types_table(runs[:1])
    assert table is not None
    assert table.rows[0].cells[:2] == ("Size", "99")
    spread = tables.types_table(runs)
    assert spread is not None
    expected = f"{100 * statistics.mean(change):.1f} ± {100 * statistics.stdev(change):.1f}"
    assert row(spread, "Organ").cells[2] == expected


def test_a_data_set_without_types_has_no_table_of_types(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    change_scores(tmp_path / "a", lambda scores: scores.update(question_types={}))
    assert tables.types_table(load([tmp_path / "a"])) is None


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("dataset", "vqa_rad", "data set differs: slake:en and vqa_rad"),
        ("split", "validate", "split differs: test and validate"),
        ("normaliser", "unicode", "normaliser differs: seed000 and unicode"),
        ("questions", 79, "number of questions differs: 80 and 79"),
    ],
)
def test_scores_of_different_tests_are_not_mixed(tmp_path: Path, key: str, value: Any, named: str) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", seed=1)
    change_scores(tmp_path / "b", lambda scores: scores.update({key: value}))
    runs = load([tmp_path / "a", tmp_path / "b"])
    with pytest.raises(RunError, match=named):
        require_same_test(runs)
    with pytest.raises(RunError, match=named):
        tables.scores_table(runs)


def test_a_run_without_scores_is_refused_with_the_way_out(tmp_path: Path) -> None:
    make_run(tmp_path / "a", scored=False)
    with pytest.raises(RunError, match="is not scored on slake:en test; `radvqa score` does it"):
        load([tmp_path / "a"])


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    files.write_json(run.folder / "run.json", {**run.facts, "state": "training"})
    with pytest.raises(RunError, match="was not trained to its end"):
        load([tmp_path / "a"])


def test_a_run_given_twice_or_none_is_refused(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    with pytest.raises(RunError, match="a is given twice"):
        load([tmp_path / "a", tmp_path / "x" / ".." / "a"])
    with pytest.raises(RunError, match="No run was given"):
        load([])


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    make_run(tmp_path / "one" / "run")
    make_run(tmp_path / "two" / "run", seed=1)
    assert [run.name for run in load([tmp_path / "one" / "run", tmp_path / "two" / "run"])] == ["one/run", "two/run"]

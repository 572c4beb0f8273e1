"""Tables hold the numbers of scores.json, group seeds, and refuse what cannot be compared."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from radvqa import files
from radvqa.errors import RunError
from radvqa.report import tables
from radvqa.report.budget import budget_table
from radvqa.report.calibration import calibration_table
from radvqa.report.choices import other_tables
from radvqa.report.comparison import compare_runs
from radvqa.report.grid import Row, Table
from radvqa.report.paired import p_value, paired_table
from radvqa.report.published import published_tables
from radvqa.report.rules import rules_table, spread_sentence
from radvqa.report.scored import groups, load, require_same_test
from radvqa.report.slices import slices_table, small_slices_table, types_table
from report_runs import make_run


def change_scores(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    scores = files.read_json(folder / "scores.json")
    change(scores)
    files.write_json(folder / "scores.json", scores)


def with_accuracy(folder: Path, value: float) -> None:
    change_scores(folder, lambda scores: scores["subsets"]["overall"].update(accuracy=value))


def row(table: Table, name: str) -> Row:
    return next(row for row in table.rows if row.cells[0] == name)


def shown(table: Table | None) -> Table:
    assert table is not None
    return table


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
    comparable, other = published_tables(runs)
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
    assert said in shown(budget_table(runs)).notes


def test_equal_budgets_are_not_noted(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="blip")
    assert "Not an equal comparison" not in notes(tables.scores_table(load([tmp_path / "a", tmp_path / "b"])))


def test_budget_shows_what_a_run_cost(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", seed=3, epochs=12)
    best = run.facts["best_epoch"]
    value = run.facts["selected"]["value"]
    assert shown(budget_table(load([tmp_path / "a"]))).rows[0].cells == (
        "a",
        "3",
        "resnet18",
        "12",
        str(best),
        f"accuracy {100 * value:.1f}",
        "1,767,389",
        "12,943,901",
        "11 m 17 s",
        "12 ms",
        "3.0 GiB",
        "NVIDIA H100 80GB",
    )


def test_question_types_are_ordered_by_size_and_show_seeds_as_spread(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"s{seed}", seed=seed)
    change_scores(tmp_path / "s0", lambda scores: scores["slices"]["question_type"]["Size"].update(n=99))
    runs = load([tmp_path / "s0", tmp_path / "s1"])
    change = [run.scores["slices"]["question_type"]["Organ"]["accuracy"] for run in runs]
    table = types_table(runs[:1])
    assert table is not None
    assert table.rows[0].cells[:2] == ("Size", "99")
    spread = types_table(runs)
    assert spread is not None
    expected = f"{100 * statistics.mean(change):.1f} ± {100 * statistics.stdev(change):.1f}"
    assert row(spread, "Organ").cells[2] == expected


def test_a_data_set_without_types_has_no_table_of_types(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    change_scores(tmp_path / "a", lambda scores: scores.update(slices={}))
    assert types_table(load([tmp_path / "a"])) is None


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


def test_scores_of_another_format_are_refused_with_the_way_out(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    change_scores(tmp_path / "a", lambda scores: scores.update(format=1))
    with pytest.raises(RunError, match=r"scores of another version; run `radvqa score .*a` again"):
        load([tmp_path / "a"])


def test_overlap_has_the_echoed_question_and_says_what_is_undefined(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    change_scores(
        tmp_path / "a",
        lambda scores: (
            scores["subsets"]["overall"].update(bleu4=None, bleu4_interval=None, rouge2_n=32),
            scores["undefined"].update(bleu4="no gold answer has four words", bleu3="not shown anyway"),
        )[0],
    )
    table = shown(tables.text_table(load([tmp_path / "a"])))
    assert "BLEU-4" not in table.columns
    assert table.rows[-1].cells[0] == "The question itself as the answer"
    echoed = files.read_json(tmp_path / "a" / "scores.json")["baselines"]["echo_question"]["overall"]["token_recall"]
    assert table.rows[-1].cells[1] == f"{100 * echoed:.1f}"
    assert "BLEU-4 is undefined (–): no gold answer has four words." in table.notes
    assert "ROUGE-2: over the 32 questions of 80 for which it is defined." in table.notes
    assert "not shown anyway" not in notes(table)
    names = [row.cells[0] for row in tables.scores_table(load([tmp_path / "a"])).rows]
    assert "The question itself as the answer" not in names


def test_rules_lie_side_by_side_with_their_spread(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"s{seed}", seed=seed)
        rules = {
            name: {"overall": {"n": 80, "value": value + 0.02 * seed, "value_interval": [0.5, 0.9]}}
            for name, value in (("seed000", 0.7), ("llava_med", 0.8), ("somebodys", 0.6))
        }
        change_scores(tmp_path / f"s{seed}", lambda scores, rules=rules: scores.update(rules=rules))  # type: ignore[misc]
        with_accuracy(tmp_path / f"s{seed}", 0.7 + 0.02 * seed)
    runs = load([tmp_path / "s0", tmp_path / "s1"])
    table = shown(rules_table(runs))
    assert table.columns == ("Answered by", "Our accuracy", "seed 000", "LLaVA-Med", "somebodys")
    assert table.rows[0].cells[2:] == ("71.0 ± 1.4", "81.0 ± 1.4", "61.0 ± 1.4")  # 70 and 72: sd = sqrt(2)
    assert row(table, "s0 (seed 0)").cells[2:] == ("70.0 [50.0, 90.0]", "80.0 [50.0, 90.0]", "60.0 [50.0, 90.0]")
    assert spread_sentence(groups(runs)[0]) == "cnn_lstm: 71.0 by our rule is 61.0 to 81.0 by others."
    assert any(note.startswith("LLaVA-Med: ") and "Source: " in note for note in table.notes)


def test_without_rules_there_is_no_such_table(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    change_scores(tmp_path / "a", lambda scores: scores.update(rules={}))
    runs = load([tmp_path / "a"])
    assert rules_table(runs) is None
    assert spread_sentence(groups(runs)[0]) is None


def test_calibration_is_shown_for_runs_with_confidence(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="blip")
    found = {"n": 80, "ece": 0.0512, "brier": 0.1234, "at_coverage": {"0.5": 0.9, "0.8": 0.85, "0.9": 0.8, "1.0": 0.75}}
    change_scores(tmp_path / "a", lambda scores: scores.update(calibration=found))
    change_scores(tmp_path / "b", lambda scores: scores.update(calibration=None))
    table = shown(calibration_table(load([tmp_path / "a", tmp_path / "b"])))
    assert [row.cells for row in table.rows] == [("a", "5.1", "0.123", "75.0", "80.0", "85.0", "90.0")]
    assert "Without a confidence for every answer: b." in table.notes
    assert calibration_table(load([tmp_path / "b"])) is None


def test_slices_are_ordered_by_weakness_and_small_ones_stand_apart(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    slices = {
        "question_type": {
            "Organ": {"n": 40, "accuracy": 0.9, "accuracy_interval": [0.8, 1.0]},
            "Size": {"n": 31, "accuracy": 0.4, "accuracy_interval": None},
            "Odd": {"n": 9, "accuracy": 0.1, "accuracy_interval": [0.0, 0.2]},
        },
        "modality": {"CT": {"n": 80, "accuracy": 0.6, "accuracy_interval": [0.5, 0.7]}},
    }
    change_scores(tmp_path / "a", lambda scores: scores.update(slices=slices))
    runs = load([tmp_path / "a"])
    assert [row.cells for row in shown(slices_table(runs)).rows] == [
        ("Question type: Size", "31", "40.0"),
        ("Modality: CT", "80", "60.0 [50.0, 70.0]"),
        ("Question type: Organ", "40", "90.0 [80.0, 100.0]"),
    ]
    assert [row.cells[0] for row in shown(small_slices_table(runs)).rows] == ["Question type: Odd"]
    assert [row.cells[0] for row in shown(slices_table(runs, most=1)).rows] == ["Question type: Size"]
    assert "The 1 weakest part of 3." in shown(slices_table(runs, most=1)).notes


def test_seeds_are_averaged_before_groups_are_compared(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"s{seed}", seed=seed, skill=0.9)
    make_run(tmp_path / "weak", name="weak", skill=0.3)
    make_run(tmp_path / "copy", name="copy", skill=0.3)
    (comparison,) = compare_runs([tmp_path / name for name in ("s0", "weak", "s1", "copy")])
    assert [(pair.name, pair.against) for pair in comparison.paired] == [("weak", "cnn_lstm"), ("copy", "cnn_lstm")]
    values = [run.value("overall", "accuracy") or 0.0 for run in comparison.runs]
    pair = comparison.paired[0]
    assert pair.difference == pytest.approx(values[1] - (values[0] + values[2]) / 2, abs=1e-6)
    gained = pair.test.only_first - pair.test.only_second
    assert gained == pytest.approx(80 * pair.difference)
    assert pair.mcnemar_p is None  # means over seeds are neither right nor wrong
    assert pair.test.bootstrap_p is not None
    assert pair.holm_p == pytest.approx(2 * pair.test.bootstrap_p)  # Holm: twice the smaller of two
    assert pair.sure
    table = shown(paired_table(comparison.paired))
    assert "McNemar p" not in table.columns
    assert "Holm p" in table.columns


def test_one_comparison_of_two_runs_has_mcnemar_and_needs_no_holm(tmp_path: Path) -> None:
    make_run(tmp_path / "good", skill=0.95)
    make_run(tmp_path / "bad", name="bad", skill=0.3)
    (comparison,) = compare_runs([tmp_path / "good", tmp_path / "bad"])
    table = shown(paired_table(comparison.paired))
    assert table.columns[:4] == ("Compared", "Points", "McNemar p", "Bootstrap p")
    assert table.rows[0].cells[2] == "< 0.001"
    assert table.notes[0].startswith("bad is worse than good: −")


@pytest.mark.parametrize(
    ("p", "written"), [(None, "–"), (0.0004, "< 0.001"), (0.0312, "0.031"), (0.0996, "0.10"), (1.0, "1.00")]
)
def test_p_values(p: float | None, written: str) -> None:
    assert p_value(p) == written


def test_tables_of_rare_scores_appear_with_them(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    assert other_tables(load([tmp_path / "a"])) == []
    choice = {
        "n": 40,
        "accuracy": 0.5,
        "accuracy_interval": [0.4, 0.6],
        "chance": 0.25,
        "unparsed": 3,
        "letters": {"A": {"gold": 10, "chosen": 30}, "B": {"gold": 30, "chosen": 7}},
    }
    repeated = {
        "runs": 5,
        "n": 40,
        "mean_accuracy": 0.5,
        "sd_accuracy": 0.02,
        "majority_accuracy": 0.55,
        "agreement": 0.8,
        "docked": 4,
        "penalised_score": 0.45,
        "all_same": 0.6,
    }
    similar = {"sbert": {"model": "MiniLM", "overall": {"value": 0.83, "value_interval": [0.8, 0.86]}}}
    similar["sbert"]["overall"]["random_pair_floor"] = 0.41  # type: ignore[index]
    judge = {
        "model": "SmolLM2",
        "template": "verdict",
        "items": {"x": "correct"},
        "subsets": {
            "overall": {
                "score": 0.7,
                "score_interval": [0.6, 0.8],
                "score_counting_unparsed_wrong": 0.68,
                "score_counting_unparsed_wrong_interval": [0.58, 0.78],
                "judged": 78,
                "unparsed": 2,
                "agreement": {"n": 78, "agreement": 0.9, "kappa": 0.756},
            }
        },
    }
    change_scores(
        tmp_path / "a",
        lambda scores: scores.update(multiple_choice=choice, consistency=repeated, similarity=similar, judge=judge),
    )
    (comparison,) = compare_runs([tmp_path / "a"])
    multiple, consistency, similarity, judged = other_tables(comparison.runs)
    assert multiple.rows[0].cells == ("a", "40", "50.0 [40.0, 60.0]", "25.0", "3", "30 / 10", "7 / 30")
    assert consistency.rows[0].cells == ("a", "5", "40", "50.0 ± 2.0", "55.0", "80.0", "60.0", "4", "45.0")
    assert similarity.rows[0].cells == ("a", "sbert", "83.0 [80.0, 86.0]", "41.0", "MiniLM")
    cells = ("a", "SmolLM2", "verdict", "70.0 [60.0, 80.0]", "68.0 [58.0, 78.0]", "78", "2", "90.0", "0.76")
    assert judged.rows[0].cells == cells
    assert "items" not in comparison.as_json()["runs"][0]["judge"]

"""The report of a sweep: every number from the run folders, every figure legible, every choice told."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figure_checks import cut_off, overlaps, said

from radvqa import files
from radvqa.report import sweep as page
from radvqa.report.figures import sweep as drawing
from radvqa.report.figures import sweep_axes
from radvqa.run import Run
from radvqa.scoring.scorer import score
from radvqa.sweeping.grid import parse_grid
from radvqa.sweeping.plan import Plan
from radvqa.sweeping.summary import summarise
from report_runs import answered, make_run, samples

KEYS = {"r": "model.lora.r", "lr": "training.learning_rate", "seed": "training.seed"}


def planned(folder: Path, *arguments: str, **changes: Any) -> Plan:
    grid = parse_grid(arguments, lambda key: KEYS[key])
    plan = Plan(
        folder, "blip", "BLIP with LoRA", "slake:en", "validate", False, "test", "accuracy", questions="", grid=grid
    )
    return replace(plan, **changes)


def run_all(plan: Plan, values: Sequence[float], *, tested: Sequence[str] = (), scored: bool = False) -> list[Run]:
    """Make every run of a plan, with the given values of its metric on the selection split.

    Args:
        plan: the sweep.
        values: of each run.
        tested: settings that are scored on the test split.
        scored: whether the answers on the selection split are really scored; else only their place is taken.
    """
    made = []
    for place, (member, value) in enumerate(zip(plan.grid.combinations, values, strict=True)):
        seed = int(member.values.get("training.seed", 0))
        name = f"blip-{member.setting}" if member.setting else "blip"
        in_test = member.setting in tested
        run = make_run(
            plan.run_folder(member),
            name=name,
            seed=seed,
            skill=value,
            images=7,
            epochs=4,
            resamples=10,
            scored=in_test,
            thumbnails=False,
        )
        answers = run.answers(None, "validate")
        run.write_answers(answers, answered(samples("validate", 4), value, place), {})
        found: dict[str, Any] = {"subsets": {}}
        if scored:
            found = score(run.predictions(answers), dataset="slake:en", split="validate", resamples=10)
        run.write_scores(answers, found)
        files.write_json(
            run.folder / "run.json",
            {
                **run.facts,
                "epochs": 4,
                "seconds": 100.0 + place,
                "selected": {"metric": plan.metric, "value": value},
                "parameters": {"total": 1000, "trainable": 10 * int(member.values.get("model.lora.r", 1))},
            },
        )
        made.append(run)
    return made


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """r 8, 16, 32 with three seeds each, as seed 000's sweep; r 16 is best, and answered the test split."""
    plan = planned(tmp_path_factory.mktemp("sweep") / "blip", "r=8,16,32", "seed=0,1,2")
    run_all(plan, [0.50, 0.52, 0.54, 0.70, 0.72, 0.71, 0.60, 0.61, 0.65], tested=("r16",), scored=True)
    return plan


def test_mean_and_sd_over_seeds_are_those_of_the_run_folders(swept: Plan) -> None:
    found = summarise(swept, mode="chosen", failures={})
    assert (found["chosen"], found["notes"]) == ("r16", [])
    by_name = {setting["name"]: setting for setting in found["settings"]}
    for name, setting in by_name.items():
        runs = [Run(swept.folder / run) for run in setting["runs"]]
        values = [run.facts["selected"]["value"] for run in runs]
        assert setting["selection"]["mean"] == pytest.approx(np.mean(values))
        assert setting["selection"]["sd"] == pytest.approx(np.std(values, ddof=1))
        scores = [run.scores(run.answers(None, "validate"))["subsets"]["open"]["token_f1"] for run in runs]
        assert setting["selection_subsets"]["open"]["token_f1"]["mean"] == pytest.approx(np.mean(scores))
        assert setting["selection_subsets"]["open"]["token_f1"]["sd"] == pytest.approx(np.std(scores, ddof=1))
        assert setting["trainable"] == 10 * int(name[1:])
        assert (setting["test_subsets"] is not None) == (name == "r16")
    tests = [Run(swept.folder / f"r16-seed{seed}") for seed in (0, 1, 2)]
    values = [run.scores(run.answers())["subsets"]["overall"]["accuracy"] for run in tests]
    assert by_name["r16"]["test_subsets"]["overall"]["accuracy"]["mean"] == pytest.approx(np.mean(values))


def test_the_page_tells_the_choice_and_its_test_number(swept: Plan) -> None:
    found = summarise(swept, mode="chosen", failures={})
    page.write_report(swept, {**found, "pages": {"selection": "selection.html"}}, swept.folder / "report.html")
    html = (swept.folder / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", " ", html)
    assert "Accuracy 71.0 ± 1.0 % on the validate split, 3 seeds." in text
    test = next(s for s in found["settings"] if s["chosen"])["test_subsets"]["overall"]["accuracy"]
    assert f"{100 * test['mean']:.1f} %" in text
    assert "Only then did its runs answer the test split, once." in text
    assert 'href="selection.html"' in html
    assert str(swept.folder.parent) not in html
    assert "<script" not in html
    assert not re.findall(r'(?:src|href)="(?!data:|#|selection\.html)', html)
    for part in ("Settings", "How training went", "The test split", "Every run"):
        assert f"<h2>{part}" in html
    assert "What each axis does" not in html, "one axis beside the seed is told by its settings"


def test_the_terminal_has_a_table_with_the_number_of_seeds(swept: Plan) -> None:
    stream = io.StringIO()
    page.show_sweep(summarise(swept, mode="chosen", failures={}), stream)
    shown = [row.split() for row in stream.getvalue().splitlines()]
    assert ["r8", "3", "52.0", "±", "2.0"] in [row[:5] for row in shown]
    assert ["r16", "(chosen)", "3", "71.0", "±", "1.0"] in [row[:6] for row in shown]


def test_a_missing_run_stops_the_choice_and_a_failed_one_is_told(tmp_path: Path) -> None:
    plan = planned(tmp_path, "r=8,16", "seed=0,1")
    run_all(planned(tmp_path, "r=8,16", "seed=0,1"), [0.5, 0.6, 0.7, 0.8])
    (tmp_path / "r16-seed1" / "run.json").unlink()
    found = summarise(plan, mode="chosen", failures={"r16-seed1": "The file /secret/place/x.png is absent."})
    assert found["chosen"] is None
    assert [setting["finished"] for setting in found["settings"]] == [2, 1]
    assert [run["state"] for run in found["runs"]] == ["finished"] * 3 + ["failed"]
    html = page.page(found, page.courses(plan))
    assert "r16-seed1 failed: The file …/x.png is absent." in html
    assert "Nothing is chosen, because 1 of 4 runs are missing" in html
    assert "Nothing is chosen yet." in html
    assert page.settings_table(found).rows[1].cells[1] == "1 of 2"
    assert page.test_table(found) is None


def test_what_makes_a_choice_weak_is_said(tmp_path: Path) -> None:
    close = planned(tmp_path / "close", "r=8,16", "seed=0,1")
    run_all(close, [0.70, 0.74, 0.71, 0.72], tested=("r8", "r16"))
    notes = summarise(close, mode="chosen", failures={})["notes"]
    assert notes[0].startswith("The lead of r8 over r16, 0.5 points, is no larger than the spread over seeds (sd 2.8)")
    assert notes[1].startswith("The test split was answered for 2 settings by now (r8, r16)")
    assert "a number that is too good" in summarise(close, mode="all", failures={})["notes"][1]
    single = planned(tmp_path / "single", "r=8,16")
    run_all(single, [0.7, 0.7])
    notes = summarise(single, mode="none", failures={})["notes"]
    assert notes[0] == "r8 is as good as r16 on the validate split; the first in the grid's order was taken."
    assert notes[1].startswith("Every setting has one seed")


def test_a_loss_is_better_when_it_is_smaller_and_is_no_percentage(tmp_path: Path) -> None:
    plan = planned(tmp_path, "r=8,16", "seed=0,1", metric="loss")
    run_all(plan, [0.5, 0.6, 0.7, 0.8])
    found = summarise(plan, mode="none", failures={})
    assert found["chosen"] == "r8"
    assert page.settings_table(found).rows[0].cells[2] == "0.5500 ± 0.0707"
    figure = drawing.setting_points(found)
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "Loss"


def test_without_answers_on_the_selection_split_the_page_still_ranks(tmp_path: Path) -> None:
    plan = planned(tmp_path, "r=8,16", held_out=True)
    for run in run_all(plan, [0.5, 0.6]):
        (run.folder / run.answers(None, "validate").file("scores", "json")).unlink()
    found = summarise(plan, mode="none", failures={})
    assert (found["chosen"], found["settings"][0]["selection_subsets"]) == ("r16", None)
    assert "the part of it that was held out" in page.page(found, page.courses(plan))


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    plan = planned(tmp_path_factory.mktemp("crossed"), "r=4,8,16,32", "lr=1e-4,2e-4")
    run_all(plan, [0.1, 0.3, 0.2, 0.4, 0.5, 0.7, 0.6, 0.9], scored=True)
    return plan


def test_axes_are_drawn_by_their_means_and_as_a_map(crossed: Plan) -> None:
    found = summarise(crossed, mode="none", failures={})
    effects, pairs = sweep_axes.effects(found), sweep_axes.pairs(found)
    assert effects is not None
    assert pairs is not None
    means = [np.asarray(one.get_ydata()).tolist() for one in effects.axes[1].lines if one.get_linestyle() == "-"]
    assert means == [pytest.approx([35.0, 57.5])]
    drawn: Any = pairs.axes[0].images[0].get_array()
    assert np.asarray(drawn) == pytest.approx(np.array([[10, 30], [20, 40], [50, 70], [60, 90]]))
    assert "90.0" in said(pairs)
    assert "What each axis does" in page.page(found, page.courses(crossed))


def test_curves_mark_the_epoch_that_was_kept(swept: Plan) -> None:
    found = summarise(swept, mode="none", failures={})
    courses = page.courses(swept)
    figure = drawing.validation_curves(found, courses)
    assert figure is not None
    upper, lower = figure.axes[:2]
    assert (upper.get_title(loc="left"), lower.get_title(loc="left")) == (
        "Accuracy, % on the selection split",
        "Loss on the selection split",
    )
    history = Run(swept.folder / "r8-seed0").history
    best = next(row for row in history if row["best"])
    points = [(one.get_xdata(), one.get_ydata()) for one in upper.lines]
    marks = [(float(np.asarray(x)[0]), float(np.asarray(y)[0])) for x, y in points if len(np.asarray(x)) == 1]
    assert len(marks) == 9
    assert marks[0] == pytest.approx((best["epoch"], 100 * best["val_accuracy"]))


def test_stages_are_drawn_by_step(swept: Plan) -> None:
    found = summarise(swept, mode="none", failures={})
    rows = [{"stage": s, "step": 10 * i, "epoch": 1, "val_accuracy": 0.1 * i} for i, s in enumerate("aab", start=1)]
    figure = drawing.validation_curves(found, [drawing.Course("r8", rows, rows[-1])])
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "Optimiser step"
    assert [float(x) for x in np.asarray(figure.axes[0].lines[0].get_xdata())] == [10, 20, 30]


def test_every_text_of_every_figure_can_be_read(swept: Plan, crossed: Plan) -> None:
    for plan in (swept, crossed):
        found = summarise(plan, mode="chosen", failures={})
        figures = {
            "points": drawing.setting_points(found),
            "subsets": drawing.subset_lines(found),
            "curves": drawing.validation_curves(found, page.courses(plan)),
            "effects": sweep_axes.effects(found),
            "pairs": sweep_axes.pairs(found),
            "costs": sweep_axes.costs(found),
        }
        for name, figure in figures.items():
            if figure is not None:
                assert (name, overlaps(figure), cut_off(figure)) == (name, [], [])
    assert figures["subsets"] is not None
    assert "other settings" in said(figures["subsets"])


def test_an_empty_sweep_has_a_page(tmp_path: Path) -> None:
    found = summarise(planned(tmp_path, "r=8,16", "seed=0,1"), mode="chosen", failures={})
    html = page.page(found, [])
    assert "Nothing is chosen, because 4 of 4 runs are missing" in html
    assert "<img" not in html

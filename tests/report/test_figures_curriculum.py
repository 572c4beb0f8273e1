"""Training curves of curricula show their stages, what was kept in each, learning rates and the mix."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from curriculum_runs import make_curriculum
from figure_checks import cut_off, line, overlaps, said

from radvqa.report import figures
from radvqa.report.curriculum import stages_of
from radvqa.report.figures import over_steps
from radvqa.report.figures.stage_bands import fit, names
from radvqa.report.scored import Scored, load
from report_runs import make_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
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


def drawn(run: Scored) -> "tuple[Figure, dict[str, Axes]]":
    """Return the training curves, and their panels by the first word of the title."""
    figure = figures.training_curves(run)
    assert figure is not None
    assert overlaps(figure) == []
    assert cut_off(figure) == []
    return figure, {axes.get_title("left").split(" ")[0]: axes for axes in figure.axes if axes.get_title("left")}


def curves(axes: "Axes") -> list[tuple[list[float], list[float]]]:
    """Return every line of more than a point that is not upright."""
    found = [(np.asarray(one.get_xdata(), float), np.asarray(one.get_ydata(), float)) for one in axes.lines]
    return [(xs.tolist(), np.round(ys, 6).tolist()) for xs, ys in found if len(xs) > 1 and xs[0] < xs[-1]]


def points(axes: "Axes") -> list[tuple[float, float]]:
    """Return the marks."""
    found = [(np.asarray(one.get_xdata(), float), np.asarray(one.get_ydata(), float)) for one in axes.lines]
    return [(float(xs[0]), round(float(ys[0]), 6)) for xs, ys in found if len(xs) == 1]


def test_each_stage_has_its_own_lines_and_its_kept_look(run: Scored) -> None:
    figure, panels = drawn(run)
    assert list(panels) == ["Loss", "Metric", "Learning", "Drawn"]
    losses = curves(panels["Loss"])
    assert losses[1::2] == [([10, 20], [2.0, 1.5]), ([30, 40, 50], [1.2, 1.3, 1.4]), ([55, 60], [1.0, 0.9])]
    assert losses[0] == ([10.0, 20.0], [2.1, 1.6])
    assert points(panels["Loss"]) == [(20, 1.5), (30, 1.2), (60, 0.9)]
    # the first stage was chosen by loss; the training of the third is not measured over open questions alone
    assert curves(panels["Metric"]) == [
        ([30, 40, 50], [50, 50, 50]),
        ([30, 40, 50], [60, 50, 55]),
        ([55, 60], [40, 70]),
    ]
    assert points(panels["Metric"]) == [(30, 60), (60, 70)]
    assert {text.get_text() for text in panels["Loss"].texts} == {"1.500"}
    assert {"60.0 %", "70.0 %"} <= {text.get_text() for text in panels["Metric"].texts}
    assert "3 token-F1 of answer type OPEN" in said(figure)


def test_stages_are_named_over_their_bands_or_above(run: Scored) -> None:
    figure, _ = drawn(run)
    assert [text.get_text() for text in figure.axes[0].texts] == ["1 captions", "2 general", "3"]
    assert "1 captions · 2 general · 3 radiology" in said(figure)
    facts = {**run.facts, "stages": [{**stage, "name": "s" + stage["name"][0]} for stage in run.facts["stages"]]}
    short = replace(run, facts=facts, history=[{**row, "stage": "s" + row["stage"][0]} for row in run.history])
    stages = stages_of(short)
    assert fit(stages, names(stages))
    again = figures.training_curves(short)
    assert again is not None
    assert [text.get_text() for text in again.axes[0].texts] == ["1 sc", "2 sg", "3 sr"]
    assert "·" not in again.get_suptitle()


def test_a_stage_of_hardly_any_steps_among_long_ones_is_drawn(run: Scored) -> None:
    stages = [dict(stage) for stage in run.facts["stages"]]
    stages[1] |= {"steps": 100_000, "of": 100_000}
    rows = [dict(row) for row in run.history]
    for row, step in zip(rows, (10, 20, 30_000, 60_000, 100_020, 100_025, 100_030), strict=True):
        row["step"] = step
    figure = figures.training_curves(replace(run, facts={**run.facts, "stages": stages}, history=rows))
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].texts] == ["2 general"]
    assert overlaps(figure) == []


def test_stages_that_the_loss_chose_have_no_panel_of_metrics(run: Scored) -> None:
    selected = {"metric": "loss", "value": 1.0}
    stages = [{**stage, "selected": selected} for stage in run.facts["stages"]]
    _, panels = drawn(replace(run, facts={**run.facts, "stages": stages}))
    assert "Metric" not in panels


def test_stages_of_one_metric_name_it_once(run: Scored) -> None:
    stages = [{**stage, "selected": {"metric": "token_f1", "value": 0.5}} for stage in run.facts["stages"]]
    recipe = {**run.recipe, "stages": [{**stage, "select_where": {}} for stage in run.recipe["stages"]]}
    history = [{**row, "selected": 0.5} for row in run.history]
    _, panels = drawn(replace(run, facts={**run.facts, "stages": stages}, recipe=recipe, history=history))
    assert panels["Token-F1,"].get_title("left") == "Token-F1, %"


def test_parts_of_one_rate_share_a_line(run: Scored) -> None:
    lines = over_steps.rate_lines(stages_of(run))
    assert list(lines) == ["fusion", "vision", "language_model"]
    assert lines["vision"] == [[], [(step, 1e-5) for step in range(22, 51, 2)], [(s, 2e-4) for s in range(52, 61, 2)]]
    assert lines["fusion"][0] == [(step, 1e-3) for step in range(2, 21, 2)]
    for row in run.log:
        row.pop("learning_rate/vision", None)
        if row["stage"] == "captions" and "loss" in row:
            row["learning_rate/language_model"] = row["learning_rate/question"] = 1e-3
        elif "learning_rate/fusion" in row:
            row["learning_rate/question"] = row["learning_rate/fusion"]
    assert list(over_steps.rate_lines(stages_of(run))) == ["fusion, language_model and 1 more"]


def test_rates_that_are_far_apart_have_a_log_axis(run: Scored) -> None:
    _, panels = drawn(run)
    assert panels["Learning"].get_yscale() == "log"
    assert [label.get_text() for label in panels["Learning"].get_yticklabels()] == ["1e-6", "1e-5", "1e-4", "1e-3"]
    for row in run.log:
        row.pop("learning_rate/vision", None)
        if "learning_rate/fusion" in row:
            row["learning_rate/fusion"] = row["learning_rate/language_model"] = 1e-3 + 1e-5 * row["step"]
    _, panels = drawn(run)
    assert panels["Learning"].get_yscale() == "linear"


def test_the_mix_reaches_from_the_first_step_of_a_stage_to_its_last(run: Scored) -> None:
    first, second, third = over_steps.share_areas(stages_of(run))
    assert first == {"medpix2:captions": [(0, 1.0), (20, 1.0)]}
    assert second == {"slake:en": [(20, 1.0), (50, 1.0)]}
    assert third["path"] == [(50, 0.75), (52, 0.75), (54, 0.75), (56, 0.75), (58, 0.375), (60, 0), (60, 0)]
    assert [sum(share for _, share in at) for at in zip(*third.values(), strict=True)] == pytest.approx([1.0] * 7)


def test_a_mix_that_ended_early_stays_where_it_was(run: Scored) -> None:
    stages = [dict(stage) for stage in run.facts["stages"]]
    stages[2]["stopped_early"] = True
    run.log[:] = [row for row in run.log if row["step"] < 59]
    ended = replace(run, facts={**run.facts, "stages": stages})
    ended.__dict__["log"] = run.log
    third = over_steps.share_areas(stages_of(ended))[2]
    assert third["slake"][-1] == (60, 0.625), "as logged at step 58, not as planned"


def single(old: Scored, **training: Any) -> Scored:
    """A run without stages as it is now: looks with steps, and what the stage came to."""
    rows = [
        {"stage": "training", **row, "step": 4 * row["epoch"], "samples": 128 * row["epoch"], "selected": 0.25}
        for row in old.history
    ]
    recipe = {**old.recipe, "training": {**old.recipe["training"], **training}}
    best = old.facts["best_epoch"]
    stage = {"name": "training", "steps": 48, "of": 48, "stopped_early": False, "looks": 12, "best_look": best}
    stage |= {"selected": {"metric": "accuracy", "value": 0.5}, "shares": {"begin": {"a": 1.0}, "end": {"a": 1.0}}}
    return replace(old, recipe=recipe, history=rows, facts={**old.facts, "stages": [stage]})


def test_a_run_of_epochs_is_drawn_over_epochs_and_one_of_looks_over_steps(old: Scored) -> None:
    best = old.facts["best_epoch"]
    figure, panels = drawn(single(old))
    assert figure.axes[-1].get_xlabel() == "Epoch"
    assert line(panels["Loss"], "validation")[0] == list(range(1, 13))
    figure, panels = drawn(single(old, evaluate_every=4))
    assert figure.axes[-1].get_xlabel() == "Step"
    assert line(panels["Loss"], "validation")[0] == [4 * epoch for epoch in range(1, 13)]
    assert f"kept: step {4 * best}" in said(figure)


def test_what_chose_among_some_questions_is_what_is_drawn(old: Scored) -> None:
    _, panels = drawn(single(old, select_where={"answer_type": ["OPEN"]}))
    assert panels["Accuracy"].get_title("left") == "Accuracy of answer type OPEN, %"
    assert line(panels["Accuracy"], "validation")[1] == [25.0] * 12


def test_rates_of_a_run_of_epochs_stand_below_at_their_epochs(old: Scored) -> None:
    run = single(old)
    run.__dict__["log"] = [
        {"stage": "training", "step": step, "loss": 1.0, "learning_rate/all": 1e-3 / step} for step in (2, 4, 6)
    ]
    figure, panels = drawn(run)
    assert figure.axes[-1].get_xlabel() == "Epoch"
    assert curves(panels["Learning"])[0][0] == [0.5, 1.0, 1.5]


def test_a_model_that_learned_nothing_has_no_curves(old: Scored) -> None:
    row = {"stage": "training", "step": 0, "epoch": 0, "val_loss": 1.0, "val_accuracy": 0.5, "best": True}
    nothing = replace(old, history=[row])
    assert figures.training_curves(nothing) is None
    assert figures.overlay([nothing, replace(nothing, name="b")]) is None


def test_an_overlay_with_a_curriculum_is_over_samples(run: Scored, old: Scored) -> None:
    single_run = single(old)
    figure = figures.overlay([run, single_run])
    assert figure is not None
    axes = figure.axes[0]
    assert axes.get_xlabel() == "Samples seen"
    assert line(axes, "old")[0] == [128 * epoch for epoch in range(1, 13)]
    assert [xs for xs, _ in curves(axes)][:2] == [[960, 1280, 1600], [1760, 1920]]
    assert (1920, 60) in points(axes), "the last stage's weights are the run's"
    assert overlaps(figure) == []


def test_an_overlay_leaves_out_looks_at_other_data(run: Scored, old: Scored) -> None:
    plans = [{**plan, "select": {"name": "path_vqa:json"}} for plan in run.recipe["stages"]]
    elsewhere = replace(run, recipe={**run.recipe, "stages": plans})
    assert figures.overlay([elsewhere, single(old)]) is None


def test_an_overlay_of_other_sizes_is_over_samples_and_else_over_the_share(run: Scored, old: Scored) -> None:
    half = single(old)
    half = replace(half, name="half", history=[{**row, "samples": row["samples"] // 2} for row in half.history])
    by_samples = figures.overlay([single(old), half])
    assert by_samples is not None
    assert by_samples.axes[0].get_xlabel() == "Samples seen"
    by_epochs = figures.overlay([old, replace(single(old), name="new")])
    assert by_epochs is not None
    assert by_epochs.axes[0].get_xlabel() == "Epoch"
    by_share = figures.overlay([run, old])  # the older run does not tell its samples
    assert by_share is not None
    assert by_share.axes[0].get_xlabel() == "Share of the training, %"
    assert line(by_share.axes[0], "old")[0][-1] == 100
    older = replace(old, provenance={"data": {"train": {"questions": 200}}})
    again = figures.overlay([run, older])
    assert again is not None
    assert line(again.axes[0], "old")[0] == [200 * epoch for epoch in range(1, 13)]

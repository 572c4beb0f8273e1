"""Figures of scores draw the numbers of the scores, with their intervals, and nothing on top of each other."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from figure_checks import bars, cut_off, line, overlaps, said, segments

from radvqa.report import costs, figures
from radvqa.report.figures.spread import rule_title
from radvqa.report.figures.style import plain
from radvqa.report.scored import SUBSETS, Scored, load
from report_runs import make_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: tuple[Callable[[Sequence[Scored]], "Figure | None"], ...] = (
    figures.by_subset,
    figures.by_question_type,
    figures.metric_bars,
    figures.em_f1_lines,
    figures.rule_spread,
    figures.accuracy_against_cost,
    figures.slices,
    figures.overlay,
    figures.reliability,
    figures.risk_coverage,
)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Scored]:
    folder = tmp_path_factory.mktemp("runs")
    for i, (name, skill) in enumerate(
        (("cnn_lstm", 0.75), ("blip", 0.9), ("a_name_as_long_as_recipes_have_them", 0.4))
    ):
        run = make_run(folder / f"{name}-seed0", name=name, skill=skill, epochs=8 + 4 * i)
        run.finish(
            {
                **run.facts,
                "seconds": 100.0 * 3**i + 20,
                "training_seconds": 100.0 * 3**i,
                "parameters": {"total": 10**8, "trainable": 2_000_000 * 5**i},
                "answering": {"slake:en test": {"seconds_per_question": 0.004 * 2**i}},
            }
        )
    return load(sorted(folder.iterdir(), key=lambda path: path.name != "cnn_lstm-seed0"))


def bare(run: Scored) -> Scored:
    """A run of which only the accuracy is known, as from a predictions file."""
    overall = {"n": 80, "clusters": 16, "accuracy": 0.5}
    return replace(
        run, scores={"subsets": {"overall": overall}, "normaliser": "seed000"}, recipe={}, facts={}, history=[]
    )


@pytest.mark.parametrize("draw", FIGURES, ids=lambda draw: str(draw.__name__))
@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_text_lies_on_another_or_reaches_over_the_edge(
    three: list[Scored], draw: Callable[[Sequence[Scored]], "Figure | None"], number: int
) -> None:
    figure = draw(three[:number])
    if figure is None:
        assert (draw, number) in {(figures.accuracy_against_cost, 1), (figures.overlay, 1)}
        return
    assert overlaps(figure) == []
    assert cut_off(figure) == []
    assert number < 3 or len(figures.to_data_uri(figure)) < 75_000


@pytest.mark.parametrize("draw", FIGURES, ids=lambda draw: str(draw.__name__))
def test_what_has_nothing_to_show_is_none(
    three: list[Scored], draw: Callable[[Sequence[Scored]], "Figure | None"]
) -> None:
    nothing = replace(bare(three[0]), scores={"subsets": {}, "normaliser": "seed000"})
    assert draw([]) is None
    assert draw([nothing]) is None
    assert draw([nothing, replace(nothing, name="other")]) is None


@pytest.mark.parametrize("draw", FIGURES, ids=lambda draw: str(draw.__name__))
def test_a_predictions_file_beside_a_run_does_not_spoil_the_figure(
    three: list[Scored], draw: Callable[[Sequence[Scored]], "Figure | None"]
) -> None:
    figure = draw([*three[:2], replace(bare(three[2]), name="file")])
    assert figure is not None
    assert overlaps(figure) == []


def test_grouped_bars_have_a_panel_for_each_metric_and_a_bar_for_each_run_and_subset(three: list[Scored]) -> None:
    figure = figures.metric_bars(three)
    assert figure is not None
    assert [axes.get_title("left") for axes in figure.axes] == ["Accuracy, %", "Top-5 accuracy, %", "Macro-F1, %"]
    for axes, metric in zip(figure.axes, ("accuracy", "top5", "macro_f1"), strict=True):
        expected = [run.scores["subsets"][subset][metric] for run in three for subset in SUBSETS]
        assert bars(axes, upright=True) == pytest.approx([100 * value for value in expected])
        drawn = sorted(ys for xs, ys in segments(axes) if xs[0] == xs[1])
        intervals = [run.scores["subsets"][s][f"{metric}_interval"] for run in three for s in SUBSETS]
        assert drawn == sorted((round(100 * low, 4), round(100 * high, 4)) for low, high in intervals)
        assert [one for one in axes.lines if list(np.asarray(one.get_ydata())) == [100, 100]], "the line at 100 %"
    assert "Overall (n = 80)" in said(figure)


def test_an_undefined_metric_has_no_panel_and_an_undefined_value_no_bar(three: list[Scored]) -> None:
    run = bare(three[0])
    run.scores["subsets"]["open"] = {"n": 3, "clusters": 1, "accuracy": None, "macro_f1": 0.25}
    figure = figures.metric_bars([run])
    assert figure is not None
    assert [bars(axes, upright=True) for axes in figure.axes] == [[50.0], [25.0]]


def test_the_lines_of_exact_match_and_token_f1_are_those_of_the_scores(three: list[Scored]) -> None:
    figure = figures.em_f1_lines(three)
    assert figure is not None
    for axes, metric in zip(figure.axes, ("exact_match", "token_f1"), strict=True):
        for run in three:
            expected = [100 * run.scores["subsets"][subset][metric] for subset in SUBSETS]
            assert line(axes, run.name)[1] == pytest.approx(expected)
        low, high = axes.get_ylim()
        assert all(low <= y <= high for _, ys in segments(axes) for y in ys), "whiskers within the panel"


def with_rules(run: Scored, values: dict[str, float]) -> Scored:
    rules = {rule: {s: {"n": 80, "value": v, "value_interval": None} for s in SUBSETS} for rule, v in values.items()}
    return replace(run, scores={**run.scores, "rules": rules})


def test_a_strip_reaches_from_the_lowest_rule_to_the_highest_and_marks_the_own_accuracy(three: list[Scored]) -> None:
    first = with_rules(three[0], {"mild": 0.91, "seed000": 0.72, "strict_one": 0.5})
    second = with_rules(three[1], {"mild": 0.6, "seed000": 0.6, "strict_one": 0.6})
    figure = figures.rule_spread([first, second])
    assert figure is not None
    for axes, subset in zip(figure.axes, SUBSETS, strict=True):
        strips = {xs: ys for xs, ys in segments(axes) if xs[0] >= 50}
        assert set(strips) >= {(50.0, 91.0), (60.0, 60.0)}
        own = [float(np.asarray(one.get_xdata())[0]) for one in axes.lines if one.get_marker() == "|"]
        assert own == pytest.approx([100 * run.scores["subsets"][subset]["accuracy"] for run in (first, second)])
        assert sorted(line(axes, first.name)[0]) == pytest.approx([50, 72, 91])
        # the rows are in the order of the first run, and each point lies in the row of its rule
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == ["Lowest to highest", "mild", rule_title("seed000"), "strict one"]
        rows = dict(zip(*line(axes, first.name), strict=True))
        assert [round(rows[x]) for x in (91.0, 72.0, 50.0)] == [0, 1, 2]
    assert "50.0 to 91.0" in said(figure)


def test_rules_of_a_subset_that_is_empty_are_left_out(three: list[Scored]) -> None:
    run = with_rules(three[0], {"mild": 0.9, "strict": 0.7})
    for rule in run.scores["rules"].values():
        rule["closed"] = {"n": 0, "value": None}
    figure = figures.rule_spread([run])
    assert figure is not None
    assert len(figure.axes) == 2


def drawn_points(axes: Any) -> set[tuple[float, float]]:
    return {
        (float(np.asarray(one.get_xdata())[0]), float(np.asarray(one.get_ydata())[0]))
        for one in axes.lines
        if len(np.asarray(one.get_xdata())) == 1
    }


def test_costs_are_drawn_where_they_are_and_unknown_ones_have_no_panel(three: list[Scored]) -> None:
    figure = figures.accuracy_against_cost([measured(run, i) for i, run in enumerate(three)])
    assert figure is not None
    runs = [measured(run, i) for i, run in enumerate(three)]
    panels = {
        "Trained parameters": costs.trained_parameters,
        "All parameters": costs.all_parameters,
        "Training time": costs.training_seconds,
        "Training operations (FLOP)": costs.training_flops,
        "Peak GPU memory": costs.gpu_memory,
        "Time per question": costs.seconds_per_question,
    }
    assert [axes.get_xlabel() for axes in figure.axes] == list(panels)
    for axes, cost in zip(figure.axes, panels.values(), strict=True):
        assert drawn_points(axes) == {(cost(run), 100 * run.scores["subsets"]["overall"]["accuracy"]) for run in runs}
        assert axes.get_xscale() == "log"
        assert len(axes.get_xticks()) >= 2
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [plain(run.name, 46) for run in runs]
    assert overlaps(figure) == []
    assert cut_off(figure) == []
    # an older run does not know its operations, and GPU memory is no main memory
    mixed = figures.accuracy_against_cost([runs[0], three[1]])
    assert mixed is not None
    titles = ["Trained parameters", "All parameters", "Training time", "Peak memory", "Time per question"]
    assert [axes.get_xlabel() for axes in mixed.axes] == titles
    without = [replace(run, facts={"training_seconds": run.facts["training_seconds"]}) for run in three]
    figure = figures.accuracy_against_cost(without)
    assert figure is not None
    assert [axes.get_xlabel() for axes in figure.axes] == ["Training time"]
    assert overlaps(figure) == []


def measured(run: Scored, i: int) -> Scored:
    """The run as one that measured its cost, on a GPU."""
    cost = {
        "wall_seconds": 90.0 * 4**i,
        "evaluation_seconds": 11.0 * 2**i,
        "flops": 3 * 10 ** (13 + 2 * i),
        "peak_memory_bytes": 2 << 30,
        "peak_gpu_memory_bytes": (1 << 30) * 3**i,
        "parameters": {"total": 3 * 10**8, "trainable": 4_000_000 * 5**i},
    }
    return replace(run, facts={**run.facts, "cost": cost})


@pytest.mark.parametrize("ratio", [1.0, 1.0001, 3.0, 1e6])
def test_costs_that_are_alike_or_far_apart_have_ticks_that_can_be_read(three: list[Scored], ratio: float) -> None:
    runs = [
        replace(run, facts={"parameters": {"trainable": round(10**6 * ratio**i)}, "training_seconds": 0.5 * ratio**i})
        for i, run in enumerate(three[:2])
    ]
    figure = figures.accuracy_against_cost(runs)
    assert figure is not None
    assert overlaps(figure) == []
    for axes in figure.axes:
        assert 2 <= sum(bool(label.get_text()) for label in axes.get_xticklabels()) <= 4


def with_slices(run: Scored, slices: dict[str, dict[str, tuple[int, float | None]]]) -> Scored:
    cut: dict[str, Any] = {
        dimension: {
            label: {"n": n, "clusters": 3, "accuracy": accuracy, "accuracy_interval": [0.1, 0.9]}
            for label, (n, accuracy) in labels.items()
        }
        for dimension, labels in slices.items()
    }
    return replace(run, scores={**run.scores, "slices": cut})


def test_the_worst_slices_of_the_first_run_come_first_and_small_ones_are_left_out(three: list[Scored]) -> None:
    first = with_slices(
        three[0],
        {
            "organ": {"Lung": (40, 0.5), "Toe": (9, 0.0), "Liver": (10, 0.75), "None": (30, None)},
            "modality": {"CT": (50, 0.25), "MRI": (60, 0.9)},
        },
    )
    second = with_slices(three[1], {"organ": {"Lung": (40, 0.8)}, "modality": {"CT": (50, 0.2), "MRI": (60, None)}})
    figure = figures.slices([first, second], most=3)
    assert figure is not None
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["Modality: CT (50)", "Organ: Lung (40)", "Organ: Liver (10)"]
    values, rows = line(axes, first.name)
    assert values == pytest.approx([25, 50, 75])
    assert [round(row) for row in rows] == [0, 1, 2]
    values, rows = line(axes, second.name)
    assert dict(zip([round(row) for row in rows], values, strict=True)) == pytest.approx({0: 20, 1: 80})
    whiskers = [xs for xs, ys in segments(axes) if ys[0] == ys[1] and xs == (10.0, 90.0)]
    assert len(whiskers) == 3, "intervals of the first run only"
    assert math.isclose(
        100 * (first.value("overall", "accuracy") or 0.0), float(np.asarray(axes.lines[-1].get_xdata())[0])
    )


def test_question_types_are_read_from_the_slices(three: list[Scored]) -> None:
    run = with_slices(three[0], {"question_type": {"Organ": (20, 0.5), "Size": (30, 0.25)}})
    figure = figures.by_question_type([run])
    assert figure is not None
    assert bars(figure.axes[0], upright=False) == pytest.approx([25, 50])
    assert figures.by_question_type([with_slices(run, {"question_type": {}})]) is None


def test_probes_show_before_and_after_with_the_interval_of_the_drop(three: list[Scored]) -> None:
    blank = {
        "name": "blank",
        "title": "Blank picture",
        "n": 80,
        "accuracy_before": 0.75,
        "accuracy": 0.5,
        "drop": 0.25,
        "drop_interval": [0.2, 0.35],
        "changed": 0.4,
    }
    typo = {**blank, "title": "", "name": "typo", "accuracy": 0.75, "drop": 0.0, "drop_interval": None, "changed": None}
    broken = {**blank, "accuracy": None}
    figure = figures.probe_bars(three[0], {"probes": [blank, broken, typo]})
    assert figure is not None
    axes = figure.axes[0]
    assert bars(axes, upright=False) == pytest.approx([75, 50, 75, 75])
    assert {xs for xs, _ in segments(axes)} == {(40.0, 55.0)}
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "Blank picture\nn = 80, 40 % answered differently",
        "typo\nn = 80",
    ]
    assert overlaps(figure) == []
    assert cut_off(figure) == []
    assert figures.probe_bars(three[0], {"probes": [broken]}) is None
    assert figures.probe_bars(three[0], {}) is None


def test_an_overlay_has_the_validation_accuracy_of_each_run_and_its_kept_epoch(three: list[Scored]) -> None:
    figure = figures.overlay([*three, replace(three[0], name="none", history=[])])
    assert figure is not None
    axes = figure.axes[0]
    for run in three:
        xs, ys = line(axes, run.name)
        assert xs == [row["epoch"] for row in run.history]
        assert ys == pytest.approx([100 * row["val_accuracy"] for row in run.history])
    marked = {
        (float(np.asarray(one.get_xdata())[0]), round(float(np.asarray(one.get_ydata())[0]), 4))
        for one in axes.lines
        if len(np.asarray(one.get_xdata())) == 1
    }
    kept = {
        (run.facts["best_epoch"], round(100 * row["val_accuracy"], 4))
        for run in three
        for row in run.history
        if row["epoch"] == run.facts["best_epoch"]
    }
    assert marked == kept
    assert {text.get_text() for text in axes.texts} == {str(run.facts["best_epoch"]) for run in three}


def test_runs_of_one_recipe_share_a_colour_and_one_line_of_the_legend(tmp_path: Path) -> None:
    for seed in (0, 1):
        make_run(tmp_path / f"s{seed}", seed=seed)
    make_run(tmp_path / "other", name="blip")
    runs = load([tmp_path / "s0", tmp_path / "other", tmp_path / "s1"])
    figure = figures.em_f1_lines(runs)
    assert figure is not None
    colours = {one.get_label(): one.get_color() for one in figure.axes[0].lines}
    assert colours["s0"] == colours["s1"] != colours["other"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cnn_lstm (2 seeds)", "other"]

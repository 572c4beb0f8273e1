"""Reliability and risk–coverage draw the calibration of the scores."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from figure_checks import line, overlaps

from radvqa.report import figures
from radvqa.report.scored import Scored, load
from report_runs import make_run

BINS = [
    {"low": 0.2, "high": 0.3, "n": 10, "confidence": 0.25, "accuracy": 0.3},
    {"low": 0.9, "high": 1.0, "n": 30, "confidence": 0.97, "accuracy": 0.8},
]
CALIBRATION: dict[str, Any] = {
    "n": 40,
    "ece": 0.14,
    "brier": 0.2,
    "bins": BINS,
    "risk_coverage": [[0.5, 0.95, 0.99], [0.75, 0.9, 0.9], [1.0, 0.675, 0.2]],
    "at_coverage": {"0.5": 0.95, "1.0": 0.675},
}


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    folder = tmp_path_factory.mktemp("runs") / "a"
    made = make_run(folder)
    assert made.finished
    loaded = load([folder])[0]
    return replace(loaded, scores={**loaded.scores, "calibration": CALIBRATION})


def test_bins_are_drawn_at_their_mean_confidence_with_their_share_below(run: Scored) -> None:
    figure = figures.reliability([run])
    assert figure is not None
    upper, lower = figure.axes
    confidence, accuracy = line(upper, run.name)
    assert confidence == pytest.approx([25, 97])
    assert accuracy == pytest.approx([30, 80])
    (steps,) = lower.patches
    values, edges, _ = steps.get_data()  # type: ignore[attr-defined]
    assert list(edges) == pytest.approx(range(0, 101, 10))
    assert list(values) == pytest.approx([0, 0, 25, 0, 0, 0, 0, 0, 0, 75])
    assert upper.get_title("left") == "Reliability, ECE 14.0 % (dashed: perfect)"
    assert overlaps(figure) == []


def test_risk_is_what_is_wrong_among_the_answers_kept(run: Scored) -> None:
    figure = figures.risk_coverage([run])
    assert figure is not None
    axes = figure.axes[0]
    coverage, risk = line(axes, run.name)
    assert coverage == pytest.approx([50, 75, 100])
    assert risk == pytest.approx([5, 10, 32.5])
    assert axes.get_ylim()[1] > 32.5
    ends = [np.asarray(one.get_xydata()) for one in axes.lines if one.get_marker() == "o"]
    assert ends[0].tolist() == [[100, pytest.approx(32.5)]]


def test_runs_without_confidence_are_left_out_and_keep_the_colours_of_the_others(run: Scored) -> None:
    silent = replace(run, name="silent", recipe={"name": "other"}, scores={**run.scores, "calibration": None})
    for draw in (figures.reliability, figures.risk_coverage):
        assert draw([silent]) is None
        figure = draw([silent, run])
        assert figure is not None
        assert "silent" not in {one.get_label() for one in figure.axes[0].lines}
        assert not figure.legends
    both = figures.em_f1_lines([silent, run])
    alone = figures.risk_coverage([silent, run])
    assert both is not None
    assert alone is not None
    colour = {one.get_label(): one.get_color() for one in both.axes[0].lines}
    assert colour[run.name] in {one.get_color() for one in alone.axes[0].lines}


def test_a_perfect_model_has_no_risk(run: Scored) -> None:
    perfect = {**CALIBRATION, "risk_coverage": [[0.5, 1.0, 0.9], [1.0, 1.0, 0.5]]}
    figure = figures.risk_coverage([replace(run, scores={**run.scores, "calibration": perfect})])
    assert figure is not None
    assert figure.axes[0].get_ylim() == (0, 5)

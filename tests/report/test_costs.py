"""Costs in reports are those that were measured; older runs show what they know."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radvqa.commands import compare as command
from radvqa.report import costs
from radvqa.report.card import model_card
from radvqa.report.comparison import compare_runs
from radvqa.report.grid import Table
from radvqa.report.html import report
from radvqa.report.scored import Scored, load
from radvqa.run import Run
from report_runs import make_run

COST: dict[str, Any] = {
    "wall_seconds": 600.0,
    "evaluation_seconds": 33.0,
    "samples": 59_028,
    "samples_per_second": 98.38,
    "tokens": None,
    "tokens_per_second": None,
    "data_waiting_share": 0.0123,
    "peak_memory_bytes": 3 << 30,
    "peak_gpu_memory_bytes": None,
    "parameters": {
        "total": 12_943_901,
        "trainable": 1_767_389,
        "by_part": {
            "vision": {"total": 11_176_512, "trainable": 0},
            "question": {"total": 1_127_424, "trainable": 1_127_424},
        },
    },
    "flops": 123_456_000_000_000,
    "flops_per_sample": 2.0915e9,
    "flops_how": "estimated: on 128 samples",
    "peak_flops_per_second": 1.4e12,
    "peak_flops_how": "measured: the best of some",
    "utilisation": 0.147,
    "energy_joules": 36_000.0,
    "energy_how": "RAPL: 1 processor package(s)",
    "interruptions": 2,
}


def with_cost(folder: Path, cost: dict[str, Any]) -> Run:
    run = make_run(folder, name=folder.name, resamples=50, thumbnails=False)
    run.finish({**run.facts, "cost": cost})
    return run


def shown(table: Table | None) -> Table:
    assert table is not None
    return table


def test_what_training_took_stands_in_a_table_without_empty_columns(tmp_path: Path) -> None:
    with_cost(tmp_path / "a", COST)
    table = shown(costs.cost_table(load([tmp_path / "a"])))
    assert dict(zip(table.columns, table.rows[0].cells, strict=True)) == {
        "Run": "a",
        "Time in steps": "10 m 00 s",
        "Time in evaluations": "33 s",
        "Samples per second": "98.4",
        "Waiting for data, %": "1.2",
        "Peak memory": "3.0 GiB",
        "Operations": "123 TFLOP",
        "Operations per sample": "2.09 GFLOP",
        "Utilisation, %": "14.7",
        "Energy": "36.0 kJ",
        "Interruptions": "2",
    }
    assert "Operations: estimated: on 128 samples." in table.notes
    assert any(note.startswith("Utilisation") and "the best of some" in note for note in table.notes)
    assert "Energy: RAPL: 1 processor package(s)." in table.notes


def test_runs_that_were_measured_in_other_ways_are_named(tmp_path: Path) -> None:
    with_cost(tmp_path / "a", COST)
    with_cost(tmp_path / "b", {**COST, "energy_joules": None, "energy_how": "unknown: no counter"})
    make_run(tmp_path / "old", name="old", resamples=50)
    table = shown(costs.cost_table(load([tmp_path / name for name in ("a", "b", "old")])))
    assert [row.cells[0] for row in table.rows] == ["a", "b"]
    assert [note for note in table.notes if note.startswith("Energy")] == [
        "Energy (a): RAPL: 1 processor package(s).",
        "Energy (b): unknown: no counter.",
    ]


def test_parameters_are_shown_by_part(tmp_path: Path) -> None:
    with_cost(tmp_path / "a", COST)
    table = shown(costs.parameters_table(load([tmp_path / "a"])))
    assert [row.cells for row in table.rows] == [
        ("a", "vision", "11,176,512", "0", "0.0"),
        ("a", "question", "1,127,424", "1,127,424", "100.0"),
    ]


def test_older_runs_are_read_by_what_they_say(tmp_path: Path) -> None:
    make_run(tmp_path / "old", resamples=50)
    (old,) = load([tmp_path / "old"])
    assert costs.cost_table([old]) is costs.parameters_table([old]) is None
    assert (costs.trained_parameters(old), costs.all_parameters(old)) == (1_767_389, 12_943_901)
    assert (costs.training_seconds(old), costs.main_memory(old)) == (673.8, 3 << 30)
    assert costs.training_flops(old) is costs.gpu_memory(old) is None
    apart = replace(old, facts={**old.facts, "training_seconds": 600.0})
    assert costs.training_seconds(apart) == 600.0
    new = replace(apart, facts={**apart.facts, "cost": COST})
    assert costs.training_seconds(new) == 633.0  # steps and evaluations, as in training_seconds
    file = Scored("file", old.answers, old.scores)
    assert costs.cost_of(file) == costs.parameters(file) == {}


def test_every_rendering_of_a_comparison_has_the_costs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with_cost(tmp_path / name, COST)
    runs = [tmp_path / "a", tmp_path / "b"]
    comparisons = compare_runs(runs)
    page = report(comparisons)
    assert "What training took" in page
    assert "Parameters by part" in page
    assert comparisons[0].as_json()["runs"][0]["cost"] == COST
    printed = io.StringIO()
    command.show(runs, stream=printed)
    assert "What training took" in printed.getvalue()
    assert "123 TFLOP" in model_card(tmp_path / "a")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (0.0, "0 J"),
        (7.25, "7.25 J"),
        (999.4, "999 J"),
        (999.6, "1.00 kJ"),
        (1000.0, "1.00 kJ"),
        (123_456.0, "123 kJ"),
        (999_600.0, "1.00 MJ"),
        (5.6e21, "5,600 EJ"),
    ],
)
def test_quantities_have_three_digits_and_a_prefix(value: float | None, written: str) -> None:
    assert costs.quantity(value, "J") == written


@pytest.mark.parametrize(
    ("value", "written"), [(None, "–"), (0.03412, "0.0341"), (12.34, "12.3"), (99.97, "100"), (12345.6, "12,346")]
)
def test_rates_are_short(value: float | None, written: str) -> None:
    assert costs.rate(value) == written

"""The programs that use everything: quickstart on a small phantom, and the benchmark on a miniature."""

import json
from pathlib import Path

import pytest

import miniature
from radvqa.commands.bench import bench_cnn_lstm
from radvqa.errors import RadvqaError
from radvqa.run import Run


@pytest.mark.slow
def test_quickstart_makes_trains_scores_and_shows(tmp_path: Path) -> None:
    shown = miniature.radvqa("quickstart", "data.name=phantom:mini", "epochs=2", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    run = Run(tmp_path / "runs" / "quickstart-phantom")
    scores = run.scores(run.answers())
    overall = scores["subsets"]["overall"]
    assert f"{100 * overall['accuracy']:.1f}" in shown.stdout
    for baseline in ("Always “yes”", "Most frequent answer per type", "Question lookup", "Question + labels lookup"):
        assert baseline in shown.stdout
    next_steps = shown.stdout.partition("Next:")[2]
    for command in ("radvqa ask", "radvqa compare", "report.html"):
        assert command in next_steps
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert f"{100 * overall['accuracy']:.1f}" in page
    assert "http://" not in page.replace("http://www.w3.org", "")

    # a second one does not touch the first, and prints one object
    again = miniature.radvqa("quickstart", "data.name=phantom:mini", "epochs=1", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    printed = json.loads(again.stdout)
    assert printed["run"] == "runs/quickstart-phantom-2"
    accuracy, (low, high) = (printed["scores"]["subsets"]["overall"][k] for k in ("accuracy", "accuracy_interval"))
    assert low <= accuracy <= high


@pytest.mark.slow
def test_the_benchmark_runs_both_ways_and_prints_a_ratio(mini_slake: Path, tmp_path: Path) -> None:
    recipe = miniature.recipe(tmp_path / "tiny.yaml", model__frozen=True)
    result = bench_cnn_lstm(recipe, [], naive_steps=1)
    assert result["speedup_ratio"] > 0
    assert result["naive_seconds"] >= 0
    assert result["epochs"] == 3
    assert result["naive_is_scaled"] is True
    assert result["ours_peak_memory_bytes"] > 0
    assert 0 <= result["test"]["overall"]["accuracy"] <= 1


def test_the_benchmark_refuses_a_trained_backbone(mini_slake: Path, tmp_path: Path) -> None:
    recipe = miniature.recipe(tmp_path / "tiny.yaml", model__frozen=False)
    with pytest.raises(RadvqaError, match=r"model\.frozen=true"):
        bench_cnn_lstm(recipe, [], naive_steps=1)

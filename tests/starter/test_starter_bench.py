"""The benchmark of an answer runs both ways, and its ratios are those of its times."""

from pathlib import Path

import pytest
from tiny_starter import tiny

from radvqa.commands import bench_ask as command
from radvqa.commands.bench_ask import QUESTION, bench_ask
from radvqa.errors import RadvqaError
from radvqa.report.bench import show_ask_bench


@pytest.fixture(scope="module")
def tiny_starter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return tiny(tmp_path_factory)


@pytest.mark.slow
def test_both_ways_are_timed(tiny_starter: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    found = bench_ask(tiny_starter[2], repeats=1, threads=1)
    assert (found["question"], found["repeats"], found["threads"]) == (QUESTION, 1, 1)
    for kind in ("cold", "warm"):
        ours, naive = found[f"ours_{kind}"], found[f"naive_{kind}"]
        assert min(ours, naive) > 0
        assert found[f"{kind}_ratio"] == round(naive / ours, 1)
    assert found["ours_peak_memory_bytes"] > 0
    assert found["naive_peak_memory_bytes"] > 0
    show_ask_bench(found)
    assert f"{found['cold_ratio']:.1f} ×" in capsys.readouterr().out


def test_without_a_run_ours_alone_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    ours = {"cold": 0.5, "warm": 0.1, "further_question": 0.003, "peak_memory_bytes": 3 << 20}
    show_ask_bench({"threads": 2, "repeats": 5, **{f"ours_{key}": value for key, value in ours.items()}})
    out = capsys.readouterr().out
    assert "3 MiB" in out
    assert "torch" not in out


def test_an_answer_that_fails_is_not_timed(tmp_path: Path) -> None:
    with pytest.raises(RadvqaError, match=r"failed and was not timed: radvqa: The picture .*gone\.png does not exist"):
        command._cold(tmp_path / "gone.png", ["--model", "starter"], 1)

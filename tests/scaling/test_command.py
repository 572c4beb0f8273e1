"""``radvqa scaling``: from runs, a history or a table to an answer; and the points made by training."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published import curve
from run_folders import run_folder

from radvqa import cli
from radvqa.commands import scaling as command
from radvqa.commands import train as training
from radvqa.errors import RadvqaError
from radvqa.run import Run


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["radvqa", "scaling", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def table(path: Path, series: str) -> Path:
    t, loss = curve(series)
    rows = "".join(f"{a},{b}\n" for a, b in zip(t, loss, strict=True))
    path.write_text(f"t,loss\n{rows}", encoding="utf-8")
    return path


def grown(folder: Path, sizes: Sequence[int], trainable: Sequence[int] = (5000,)) -> list[Path]:
    return [
        run_folder(folder / f"{x}-{d}", [4.0, 30 * x**-0.1 * d**-0.3 + 0.5 + 0.002 * (-1) ** i], samples=d, trainable=x)
        for i, (x, d) in enumerate((x, d) for x in trainable for d in sizes)
    ]


def test_a_table_is_fitted_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert (
        call(
            monkeypatch, "--points", table(tmp_path / "roco.csv", "roco"), "--target", 2.05, "--predict", "t=20",
            "--out", out,
        )
        == 0
    )  # fmt: skip
    printed, errors = capsys.readouterr()
    assert errors == ""
    assert "L(t) = a·t^−b + c, fitted to 10 points of loss" in printed
    assert "[2.001, 2.039]" in printed
    assert "Warning: The loss rises again" in printed
    assert {path.name for path in out.iterdir()} == {"scaling.json", "scaling.png", "scaling.html"}
    assert json.loads((out / "scaling.json").read_text())["targets"][0]["target"] == 2.05


def test_json_is_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--points", table(tmp_path / "p.csv", "medpix"), "--json", "--bootstrap", 100) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["constants"][1]["interval"] == [0.0, None]
    assert len(result["points"]) == 10


def test_several_runs_are_a_point_each(tmp_path: Path) -> None:
    result = command.scaling(
        grown(tmp_path, (500, 1000, 2000, 4000, 8000)), targets=[1.5], predict=["d=16000"], resamples=100
    )
    assert result["law"] == "L(D) = A·D^−β + E"
    assert result["variables"][0]["means"] == "distinct training samples"
    assert result["warnings"][0].startswith("The exponent of X cannot be told: all points have the same X = 5,000.")
    assert result["predictions"][0]["beyond"] == {"d": 2.0}
    assert result["constants"][1]["value"] == pytest.approx(0.3, abs=0.03)


def test_runs_of_several_sizes_make_the_law_in_both(tmp_path: Path) -> None:
    runs = grown(tmp_path, (500, 1000, 2000, 4000), (5000, 20_000))
    result = command.scaling(runs, resamples=100)
    assert result["law"] == "L(X, D) = A·X^−α·D^−β + E"
    assert result["constants"][1]["value"] == pytest.approx(0.1, abs=0.03)
    assert command.scaling(runs, by="d", resamples=100)["law"] == "L(D) = A·D^−β + E"


def test_one_run_is_its_history_and_its_points_are_not_independent(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", list(np.arange(1.0, 9) ** -0.7 + 1))
    result = command.scaling([folder], resamples=100)
    assert result["law"] == "L(t) = a·t^−b + c"
    assert result["variables"][0]["means"] == "epochs"
    assert "The points are evaluations of one run and not independent" in result["warnings"][-1]


def test_growing_lists_of_answers_are_warned_of(tmp_path: Path) -> None:
    runs = [run_folder(tmp_path / str(d), [30 * d**-0.3], samples=d, answers=d // 100) for d in (500, 1000, 2000, 4000)]
    assert "choose among 5 to 40 answers" in command.scaling(runs, resamples=100)["warnings"][-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name run folders, or --points FILE.csv"),
        (["gone"], "gone is not a run folder"),
        (["--points", "gone.csv"], "gone.csv does not exist"),
        (
            ["--points", "roco.csv", "--target", "2.0"],
            "The target 2 is not above the fitted floor c = 2.026 [2.001, 2.0",
        ),
        (["--points", "roco.csv", "--predict", "t=x"], "--predict t=x: expected"),
        (["--points", "roco.csv", "--predict", "d=5"], "predicted at t=…; given: d=5"),
        (["--points", "roco.csv", "--by", "d"], "--by d: these points have t, not 'd'"),
        (["--points", "roco.csv", "--at", "first"], "--at first: "),
        (["--points", "roco.csv", "--sizes", "1,2"], "name it with --run RECIPE"),
        (["--run", "phantom_cnn_lstm"], "needs --sizes"),
        (["--run", "phantom_cnn_lstm", "--sizes", "1,b"], "--sizes: 'b' is no whole number"),
        (["--run", "phantom_cnn_lstm", "--sizes", "10,20,40"], "3 runs on 3 sizes are too few"),
        (["--run", "phantom_cnn_lstm", "--sizes", "0,20,40,80"], "0 samples teach nothing"),
        (["--run", "phantom_cnn_lstm", "--sizes", "1,2,3,4", "--x-values", "seed"], "--x-values seed: expected"),
        (["--run", "no_such", "--sizes", "1,2,3,4"], "There is no recipe no_such"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "roco.csv", "roco")
    assert call(monkeypatch, *arguments) == 1
    out, errors = capsys.readouterr()
    assert out == ""
    assert message in errors
    assert errors.count("\n") == 1


def test_training_is_asked_for_every_size_with_every_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def train(recipe: Path, overrides: Sequence[str], *, out: Path, **_: Any) -> Run:
        asked.append([str(recipe), *overrides])
        size, rank = int(overrides[1].split("=")[1]), int(overrides[2].split("=")[1])
        return Run(run_folder(out, [9.0 * size**-0.3 + 1], samples=size, trainable=rank, rank=rank))

    monkeypatch.setattr(training, "train", train)
    folders = command.grow(
        Path("a_recipe"), [100, 200, 400], x_values=["lora.r=4,8"], overrides=["seed=1"], out=tmp_path / "grown"
    )
    assert asked == [
        ["a_recipe", "seed=1", f"data.cap={size}", f"lora.r={rank}"] for rank in (4, 8) for size in (100, 200, 400)
    ]
    assert [folder.name for folder in folders[:2]] == ["cap=100-lora.r=4", "cap=200-lora.r=4"]


SMALL = (
    "data.name=phantom:mini",
    "image_size=32",
    "backbone_config={embedding_size: 16, hidden_sizes: [16, 16], depths: [1, 1]}",
    "embedding_size=12",
    "image_vector_size=12",
    "hidden_size=16",
    "epochs=1",
    "warmup_epochs=0",
    "threads=1",
    "device=cpu",
)


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_cache")
def test_a_recipe_is_trained_on_nested_subsets_and_not_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ("--run", "phantom_cnn_lstm", "--sizes", "30,60,120,240", *SMALL, "--json", "--bootstrap", 100)
    assert call(monkeypatch, *arguments) == 0
    first = json.loads(capsys.readouterr().out)
    assert [point["d"] for point in first["points"]] == [30, 60, 120, 240]
    assert [point["name"] for point in first["points"]] == ["cap=30", "cap=60", "cap=120", "cap=240"]
    place = Path("scaling") / "phantom_cnn_lstm"
    assert (place / "scaling.html").is_file()
    weights = {path: path.stat().st_mtime_ns for path in place.rglob("*.safetensors")}
    assert len(weights) >= 4
    assert call(monkeypatch, *arguments) == 0  # what is finished is taken as it is
    assert json.loads(capsys.readouterr().out)["points"] == first["points"]
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*.safetensors")} == weights


def test_too_few_runs_are_refused_before_any_is_trained(tmp_path: Path) -> None:
    with pytest.raises(RadvqaError, match="4 runs on 2 sizes are too few to fit a law to; give 3 --sizes and 5 runs"):
        command.grow(Path("phantom_cnn_lstm"), [10, 20], x_values=["seed=1,2"], out=tmp_path)

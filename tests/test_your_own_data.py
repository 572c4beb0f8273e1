"""The page about one's own data, followed to the letter on a made-up folder of pictures and a table."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import miniature
import own_data
from radvqa.commands.predict import predict
from radvqa.commands.probe import probe
from radvqa.commands.score import score
from radvqa.commands.train import train
from radvqa.data.own.description import Columns, Description
from radvqa.errors import DataError, RecipeError, RunError
from radvqa.report.html import write_report
from radvqa.run import Run

PAGE = (Path(__file__).parents[1] / "docs" / "your-own-data.md").read_text(encoding="utf-8")
(SHOWN_TABLE,) = re.findall(r"```csv\n(.*?)```", PAGE, flags=re.DOTALL)
(SHOWN_YAML,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [
    shlex.split(line) for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()
]
PICTURES = 40


@pytest.mark.slow
def test_the_page_is_followed_to_a_trained_and_scored_model(tmp_path: Path) -> None:
    own_data.pictures(tmp_path / "pictures", PICTURES)
    rows = [(image, question, answer, case) for image, question, answer, _, case in own_data.rows(PICTURES)]
    own_data.table(tmp_path / "questions.csv", rows, ("image", "question", "answer", "patient"))
    assert (tmp_path / "questions.csv").read_text(encoding="utf-8").startswith(SHOWN_TABLE)
    (tmp_path / "mine.yaml").write_text(SHOWN_YAML, encoding="utf-8")
    said = {}
    for words in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ
        )
        assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
        said[" ".join(words[1:3])] = done.stdout
    assert list(said) == [
        "data check",
        "data leaks",
        "train phantom_cnn_lstm",
        "predict runs/mine",
        "score runs/mine",
        "probe runs/mine",
        "compare runs/mine",
        "ask pictures/scan00.png",
    ]
    run = Run(tmp_path / "runs" / "mine")
    assert (run.recipe["data"]["name"], run.recipe["data"]["file"]) == ("mine:table", "mine.yaml")
    scores = run.scores(run.answers())
    # both questions have either answer equally often, so that who does not see the picture gets a half at best
    assert scores["subsets"]["overall"]["accuracy"] > 0.75
    assert "mine:table" in said["score runs/mine"]
    assert (tmp_path / "mine.html").stat().st_size > 10_000
    told = [path for path in [*run.folder.rglob("*"), tmp_path / "mine.html"] if path.is_file()]
    assert [path for path in told if str(tmp_path).encode() in path.read_bytes()] == []


def test_the_page_names_every_key() -> None:
    tables = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|"))
    named = re.findall(r"`(\w+)`", tables)
    assert sorted(named) == sorted([*Description.model_fields, *Columns.model_fields])


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with data of one's own below it, and a run that was trained on an absolute path."""
    monkeypatch.chdir(tmp_path)
    own_data.made(tmp_path / "data", 12)
    recipe = miniature.recipe(tmp_path / "tiny.yaml", data__name=str(tmp_path / "data" / "mine.yaml"))
    train(recipe, out=Path("run"))
    return tmp_path


@pytest.mark.slow
def test_a_run_finds_its_data_again_and_tells_nothing_of_the_machine(trained: Path) -> None:
    run = Run(Path("run"))
    assert run.recipe["data"]["file"] == "data/mine.yaml"
    assert predict(Path("run")).name == "predictions.jsonl"
    assert score(Path("run"))["dataset"] == "mine:table"
    assert score(Path("run"), data="data/mine.yaml")["dataset"] == "mine:table"
    assert probe(Path("run"), only=["blank"], data="data/mine.yaml")["dataset"] == "mine:table"
    assert (Path("run") / "probes.json").is_file()
    write_report([Path("run")], trained / "report.html")
    written = [path for path in [*Path("run").rglob("*"), trained / "report.html"] if path.is_file()]
    assert [path for path in written if str(trained).encode() in path.read_bytes()] == []
    again = train(Path("run") / "recipe.yaml", out=Path("again"))
    assert {**again.recipe, "name": ""} == {**run.recipe, "name": ""}
    assert again.provenance["data"] == run.provenance["data"]


@pytest.mark.slow
def test_data_that_moved_are_named_anew(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.move(trained / "data", trained / "moved")
    with pytest.raises(DataError, match=r"was trained on mine:table, described by data/mine.yaml, which is not found"):
        predict(Path("run"))
    assert predict(Path("run"), data="moved/mine.yaml").name == "predictions.jsonl"
    own_data.describe(trained / "moved" / "other.yaml", name="other")
    with pytest.raises(DataError, match=r"which is not found from here; call from the folder where it was trained"):
        predict(Path("run"), data="moved/other.yaml")  # the baselines learn from what the run was trained on
    shutil.move(trained / "moved", trained / "data")
    assert predict(Path("run"), data="data/other.yaml").name == "predictions-other_table-test.jsonl"
    with pytest.raises(RecipeError, match=r"data.name is 'slake:en', but data.file describes mine:table"):
        train(Path("run") / "recipe.yaml", ["data.name=slake:en"], out=Path("third"))
    with pytest.raises(RunError, match=r"is not scored|no predictions"):
        score(Path("run"), data="data/mine.yaml", split="train")


def test_gold_answers_of_ones_own_data_score_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own_data.made(tmp_path)
    answers = [{"id": f"mine/table/test/{number}", "prediction": "Yes"} for number in range(13, 17)]
    Path("answers.jsonl").write_text("\n".join(map(json.dumps, answers)), encoding="utf-8")
    scores = score(Path("answers.jsonl"), gold="mine.yaml", data="mine.yaml", split="test")
    # pictures 6 (bright) and 7 (dark), two questions each: "Yes" is right for "Is this a CT?" about picture 6 only
    assert (scores["dataset"], scores["questions"]) == ("mine:table", 4)
    assert scores["subsets"]["overall"]["accuracy"] == 0.25

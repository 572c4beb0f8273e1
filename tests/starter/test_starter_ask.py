"""Asking without naming a model: the starter answers or says why it does not, and torch is not needed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_starter import tiny

from radvqa import cli, files
from radvqa.commands.ask import ask, ask_several
from radvqa.commands.quickstart import first_look
from radvqa.errors import RadvqaError
from radvqa.report.asked import show_answers
from radvqa.starter import model
from radvqa.starter.model import Starter
from radvqa.starter.net import Net

QUESTION = "Which organ is shown?"


@pytest.fixture(scope="module")
def tiny_starter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return tiny(tmp_path_factory)


@pytest.fixture(autouse=True)
def ships(tiny_starter: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model stands where the real one ships."""
    monkeypatch.setattr(model, "FILE", tiny_starter[0])
    return tiny_starter[0]


@pytest.fixture
def radiograph(tiny_starter: tuple[Path, Path, Path]) -> Path:
    return tiny_starter[1] / "slake" / "imgs" / "xmlab1" / "source.jpg"


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "photograph.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
    return path


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    monkeypatch.setattr(sys, "argv", ["radvqa", "ask", *map(str, arguments)])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    return capsys.readouterr().out


def test_an_answer_is_what_the_model_says(radiograph: Path, ships: Path) -> None:
    asked, answer = ask(radiograph, QUESTION), Starter.load(ships).answer(radiograph, QUESTION)
    assert answer.abstained is None
    assert asked == {
        "question": QUESTION,
        "answer": answer.answer,
        "abstained": None,
        "confidence": answer.confidence,
        "candidates": [{"answer": text, "probability": p} for text, p in answer.candidates],
        "model": "starter",
        "notice": "For research only, not for diagnosis.",
    }
    assert asked == ask(radiograph, QUESTION, model="starter")


def test_a_photograph_gets_no_answer_and_the_guess_is_not_shown(
    photograph: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ask(photograph, QUESTION)
    assert asked["answer"] is None
    shown = said(monkeypatch, capsys, photograph, QUESTION)
    assert shown.splitlines() == [f"No answer (the starter model): {asked['abstained']}", asked["notice"]]
    assert "does not look like" in asked["abstained"]


def test_a_question_in_unknown_words_gets_no_answer(radiograph: Path) -> None:
    asked = ask(radiograph, "Fracture of the distal radius?")
    assert asked["answer"] is None
    assert "'fracture'" in asked["abstained"]


def test_too_little_confidence_gets_no_answer(radiograph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shy = Starter.load()
    shy.confidence = type(shy.confidence)(1.0, 1.01, 1.0, 1.0, 0.0)
    monkeypatch.setattr(Starter, "load", classmethod(lambda cls, path=None: shy))
    asked = ask(radiograph, QUESTION)
    assert asked["answer"] is None
    assert f"{asked['confidence']:.2f}" in asked["abstained"]


def test_several_questions_look_at_the_picture_once(radiograph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    look = Net.look

    def counted(net: Net, pixels: Any) -> Any:
        looks.append(pixels.shape)
        return look(net, pixels)

    monkeypatch.setattr(Net, "look", counted)
    questions = [QUESTION, "What modality is used?", "Does the picture contain a liver?"]
    answers = ask_several(radiograph, questions)
    assert [asked["question"] for asked in answers] == questions
    assert len(looks) == 1
    monkeypatch.undo()


def test_one_question_is_one_object_and_several_are_a_list(
    radiograph: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = json.loads(said(monkeypatch, capsys, radiograph, QUESTION, "--json"))
    two = json.loads(said(monkeypatch, capsys, radiograph, QUESTION, "Is this an X-Ray?", "--json"))
    assert list(two) == ["answers"]
    assert two["answers"][0] == one
    shown = said(monkeypatch, capsys, radiograph, QUESTION, "Is this an X-Ray?")
    assert [line for line in shown.splitlines() if line.endswith("?")] == [QUESTION, "Is this an X-Ray?"]
    assert shown.count("For research only") == 1


@pytest.mark.parametrize("named", ["./starter", Path("starter")])
def test_a_run_may_have_the_name_of_the_starter_model(
    radiograph: Path, named: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RadvqaError, match="starter is not a run folder"):
        ask(radiograph, QUESTION, model=named)


def test_answers_are_printed_with_confidence_and_alternatives(capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"question": QUESTION, "abstained": None, "model": "mine", "notice": "Careful."}
    likely = [{"answer": "Lung", "probability": 0.8}, {"answer": "Liver", "probability": 0.15}]
    likely.append({"answer": "Brain", "probability": 0.004})
    show_answers([{**asked, "answer": "Lung", "confidence": 0.8, "candidates": likely}])
    assert capsys.readouterr().out == "Lung  (80 %, mine)\nelse: Liver 15 %\nCareful.\n"
    show_answers([{**asked, "answer": "Lung", "confidence": None, "candidates": []}])
    assert capsys.readouterr().out == "Lung  (mine)\nCareful.\n"


def test_quickstart_shows_the_truth_beside_what_the_starter_says() -> None:
    lines = first_look()
    assert "phantom" in lines[0]
    assert [line.rpartition("; true: ")[2] for line in lines[1:-1]] == ["X-Ray", "Chest", "Yes", "No"]
    assert all("the starter model" in line for line in lines[1:-1])
    assert lines[-1] == "For research only, not for diagnosis."


def test_asking_the_starter_imports_neither_torch_nor_transformers(radiograph: Path, ships: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from radvqa import cli\n"
        "from radvqa.starter import model\n"
        f"model.FILE = Path({str(ships)!r})\n"
        f"sys.argv = ['radvqa', 'ask', {str(radiograph)!r}, {QUESTION!r}]\n"
        "try:\n"
        "    cli.main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = ('torch', 'transformers', 'scipy', 'sklearn', 'matplotlib')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    answer, *_, heavy = done.stdout.splitlines()
    assert "the starter model" in answer
    assert heavy == "[]"


def test_without_the_file_that_ships_the_message_says_what_to_do(
    radiograph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "FILE", tmp_path / "gone.safetensors")
    with pytest.raises(RadvqaError, match=r"gone\.safetensors does not exist"):
        ask(radiograph, QUESTION)


def test_an_answer_changes_no_file(radiograph: Path, ships: Path) -> None:
    before = files.cache_folder().exists(), ships.stat().st_mtime_ns
    ask(radiograph, QUESTION)
    assert (files.cache_folder().exists(), ships.stat().st_mtime_ns) == before

"""The command line: help for everything, one paragraph for a user's mistake, one object for a program."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import radvqa as package
from miniature import radvqa, recipe
from radvqa import cli
from radvqa.run import Run


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Call the command line in this process; returns the exit status."""
    monkeypatch.setattr(sys, "argv", ["radvqa", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


COMMANDS = sorted(commands(typer.main.get_command(cli.app)))


def test_the_commands_are_these() -> None:
    assert [" ".join(command) for command in COMMANDS] == [
        "",
        "adapt",
        "adapt language",
        "adapt vision",
        "ask",
        "bench",
        "bench ask",
        "bench blip",
        "bench clip_bert",
        "bench cnn-lstm",
        "bench cnn_bert",
        "bench curate",
        "bench data",
        "bench engine",
        "bench explain",
        "bench linear_llm",
        "bench paligemma",
        "bench qformer_llm",
        "bench qwen2_vl",
        "bench scaling",
        "bench scoring",
        "bench serve",
        "bench vilt",
        "compare",
        "curate",
        "curate collect",
        "curate filter",
        "curate from-label-studio",
        "curate generate",
        "curate mix",
        "curate plan",
        "curate review",
        "curate to-label-studio",
        "curate verify",
        "data",
        "data check",
        "data deidentify",
        "data explain",
        "data explore",
        "data export",
        "data fetch",
        "data leaks",
        "data list",
        "data prepare",
        "diagnose",
        "doctor",
        "ensemble",
        "explain",
        "export",
        "judgements",
        "merge",
        "metrics",
        "models",
        "predict",
        "probe",
        "quickstart",
        "recipes",
        "results",
        "scaling",
        "score",
        "serve",
        "starter",
        "starter backbone",
        "starter build",
        "starter check",
        "sweep",
        "train",
    ]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *command, "--help") == 0
    out, err = capsys.readouterr()
    usage = out.splitlines()[0]
    assert usage.startswith("Usage: ")
    assert f"{' '.join(['radvqa', *command])} [OPTIONS]" in usage
    assert err == ""


def test_json_is_one_object_and_nothing_else_on_stdout(
    mini_slake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "data", "list", "--json") == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)["data_sets"]}
    assert (listed["slake:en"]["present"], listed["vqa_rad:official"]["present"]) == (True, False)
    assert listed["slake:en"]["splits"] == {"train": 4919, "validate": 1053, "test": 1061}
    assert run(monkeypatch, "data", "check", "slake", "--json") == 1  # the miniature is not what was published
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["name"], report["ok"], report["pictures_decoded"]) == ("slake:en", False, 12)
    assert "slake:en is not as published" in err


@pytest.mark.usefixtures("fresh_cache")
def test_preparing_and_checking_report_what_was_left_out(
    mini_slake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (mini_slake / "imgs/xmlab0/source.jpg").unlink()
    assert run(monkeypatch, "data", "prepare", "slake", "--size", 16, "--skip-bad", "--json") == 0
    prepared = json.loads(capsys.readouterr().out)
    assert (prepared["questions"], prepared["pictures"], len(prepared["left_out"])) == (44, 11, 1)
    assert run(monkeypatch, "data", "check", "slake", "--skip-bad", "--json") == 1
    checked = json.loads(capsys.readouterr().out)
    assert (checked["pictures_decoded"], len(checked["left_out"])) == (11, 1)


MISTAKES: list[tuple[list[str], str]] = [
    (["data", "check", "slaek"], "There is no data set 'slaek'; did you mean 'slake'?"),
    (["data", "check", "slake:fr"], "slake has no version 'fr'"),
    (["data", "prepare", "vqa_rad"], "there is no folder vqa_rad/ in it"),
    (["train", "no_such_recipe"], "There is no recipe no_such_recipe"),
    (["train", "tiny.yaml", "training.sede=1"], "unknown key 'training.sede'; did you mean 'seed'?"),
    (["train", "tiny.yaml", "seed"], "'seed' is no override; write key=value"),
    (["train", "tiny.yaml", "frozn=true"], "unknown key 'frozn'; did you mean 'frozen'?"),
    (["train", "tiny.yaml", "family=transformer"], "there is no family 'transformer'"),
    (["train", "tiny.yaml", "select_by=acc"], "there is no metric 'acc'; did you mean 'accuracy'?"),
    (["train", "tiny.yaml", "data.name=slaek:en"], "There is no data set 'slaek'"),
    (["train", "tiny.yaml", "data.select=val"], "has no split 'val'; did you mean 'validate'?"),
    (["train", "tiny.yaml", "--out", "data"], "exists and is not a run folder"),
    (["predict", "data"], "data is not a run folder (it has no run.json); `radvqa train RECIPE` makes one."),
    (["predict", "gone"], "gone is not a run folder"),
    (["predict", "begun"], "begun was not trained to its end"),
    (["score", "gone"], "gone does not exist; name a run folder or a predictions file."),
    (["score", "begun"], "begun was not trained to its end"),
    (["compare", "begun"], "begun was not trained to its end"),
    (["compare", "gone"], "gone is not a run folder"),
    (["ask", "gone.png", "Which organ?"], "The picture gone.png does not exist."),
    (["ask", "tiny.yaml", "Which organ?"], "tiny.yaml is not a picture in a known format"),
    (
        ["ask", "data/slake/imgs/xmlab0/source.jpg", "Which organ?", "--model", "last"],
        "There is no finished run in runs/",
    ),
    (["ask", "data/slake/imgs/xmlab0/source.jpg", "Which?", " "], "The question is empty"),
    (["starter", "check", "--test"], "The test split is answered once; name the file that keeps the result with --out"),
    (["ask", "data/slake/imgs/xmlab0/source.jpg", "  "], "The question is empty"),
    (["ask", "data/slake/imgs/xmlab0/source.jpg", "Which?", "--model", "begun"], "begun was not trained to its end"),
    (["quickstart", "--data", "slaek"], "quickstart has no recipe for 'slaek'; did you mean 'slake'?"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(a) for a, _ in MISTAKES])
def test_a_mistake_is_one_paragraph_and_no_traceback(
    arguments: list[str],
    message: str,
    mini_slake: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe(tmp_path / "tiny.yaml")
    Run.create(tmp_path / "begun", {"name": "tiny", "data": {"name": "slake:en", "test": "test"}}, {})
    assert run(monkeypatch, *arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("radvqa: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_missing_data_says_which_variable_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "data", "check", "slake") == 1
    assert "RADVQA_DATA, which is not set" in capsys.readouterr().err


def test_a_mistake_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = radvqa("score", "gone", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "radvqa: gone does not exist; name a run folder or a predictions file.\n"


@pytest.mark.parametrize(
    "arguments", [["trian"], ["score"], ["score", "x", "--jsn"], ["data", "prepare", "x", "--size", "0"]]
)
def test_what_the_parser_refuses_ends_with_two(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert err


def test_an_interrupt_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert run(monkeypatch) == 130
    assert capsys.readouterr().err == "radvqa: stopped.\n"


def test_the_verbs_are_functions_of_the_package() -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = package.trian


def test_the_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert package.__version__ == version("radvqa")

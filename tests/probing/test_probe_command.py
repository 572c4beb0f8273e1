"""``radvqa.commands.probe`` on a real, tiny run."""

from pathlib import Path

import pytest

import miniature
from radvqa import files
from radvqa.commands.probe import probe
from radvqa.commands.train import train
from radvqa.errors import DataError, RadvqaError, RunError
from radvqa.prediction import read_predictions
from radvqa.probing.probe import in_order
from radvqa.run import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CNN-LSTM that saw the miniature phantom for two epochs."""
    folder = tmp_path_factory.mktemp("probe")
    data = {"name": "phantom:mini", "train": "train", "select": "validate", "test": "test"}
    changes = {f"data__{key}": value for key, value in data.items()}
    recipe = miniature.recipe(folder / "tiny.yaml", training__epochs=2, **changes)
    return train(recipe, out=folder / "run").folder


def test_a_run_is_probed_as_a_whole(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = probe(run)
    assert [one["name"] for one in result["probes"]] == in_order()
    assert (result["dataset"], result["split"]) == ("phantom:mini", "test")
    assert (result["questions"], result["images"]) == (81, 9)
    assert result["left_out"] == []
    assert result["twins"]["pairs"] > 0
    written = files.read_json(run / "probes.json")
    assert written["probes"][0]["accuracy"] == result["probes"][0]["accuracy"]
    assert written["warnings"] == result["warnings"]
    for one in result["probes"]:
        answers = read_predictions(run / "probes" / f"{one['name']}.jsonl")
        right = sum(a.answer.lower() == a.prediction.lower() for a in answers)
        assert len(answers) == one["n"]
        if one["name"] in ("markers_covered", "borders_cut"):
            continue  # the phantom's pictures may have none
        assert answers
        assert right / len(answers) == pytest.approx(one["accuracy"], abs=0.02)  # but for punctuation
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "probe 1 of 16: blank picture" in shown.err

    # another data set's result lies beside it; asking less replaces what was asked before
    probe(run, split="validate", only=["typos"], limit=2)
    assert [p.name for p in (run / "probes-phantom_mini-validate").iterdir()] == ["typos.jsonl"]
    assert files.read_json(run / "probes-phantom_mini-validate.json")["images"] == 2
    assert len(list((run / "probes").iterdir())) == 16
    probe(run, only=["blank"])
    assert [p.name for p in (run / "probes").iterdir()] == ["blank.jsonl"]


def test_the_same_twice(run: Path) -> None:
    assert probe(run, only=["noise", "injected_text"]) == probe(run, only=["noise", "injected_text"])


def test_an_unreadable_picture_stops_or_is_left_out(mini_slake: Path, fresh_cache: Path, tmp_path: Path) -> None:
    folder = train(miniature.recipe(tmp_path / "tiny.yaml", training__epochs=1), out=tmp_path / "run").folder
    (mini_slake / "imgs" / "xmlab9" / "source.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match="xmlab9"):
        probe(folder, only=["blank"])
    assert not (folder / "probes.json").exists()
    result = probe(folder, skip_bad=True)
    assert (result["questions"], result["images"]) == (8, 2)
    assert all("xmlab9" in sentence for sentence in result["left_out"])
    assert result["left_out"]


def test_what_cannot_be_probed(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        probe(tmp_path)
    with pytest.raises(RadvqaError, match="no probe 'blak'; did you mean 'blank'"):
        probe(run, only=["blak"])
    with Run.held(run), pytest.raises(RadvqaError, match="in use by another process"):
        probe(run, only=["blank"])

"""A trained run is diagnosed, judged in a real browser, and the filled sheet is read back."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import miniature
from headless import Tab, tab
from radvqa import cli, files
from radvqa.commands.diagnose import diagnose, take_in
from radvqa.commands.predict import predict
from radvqa.commands.score import score
from radvqa.commands.train import train
from radvqa.diagnosing.sheet_file import read
from radvqa.errors import RadvqaError, RunError
from radvqa.explaining.evidence.kept import SIDE, KeptMaps, Measured, write
from radvqa.report.comparison import compare_runs
from radvqa.report.html import report
from radvqa.run import Run

EVIL = "<script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diagnose")
    data = {"name": "phantom:mini", "train": "train", "select": "validate", "test": "test"}
    recipe = miniature.recipe(folder / "tiny.yaml", training__epochs=2, **{f"data__{k}": v for k, v in data.items()})
    run = train(recipe, out=folder / "run").folder
    predict(run)
    score(run)
    return run


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def make_maps(run: Path) -> None:
    """Maps as ``radvqa explain`` keeps them, half of them on target."""
    opened = Run(run)
    measured, maps = [], []
    for number, p in enumerate(opened.predictions(opened.answers())):
        grid = np.zeros((SIDE, SIDE), np.float16)
        grid[number % SIDE, 5:9] = 1
        on = float(number % 2)
        measured.append(
            Measured(p.id, hit=on, energy=0.1 + 0.5 * on, overlap=0.1, area=0.3, outside_body=0.2, on_text=0)
        )
        maps.append(grid)
    write(run / "explained", KeptMaps("occlusion", measured, np.array(maps)))


def called(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["radvqa", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def test_the_command_writes_everything_and_prints_one_object(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_maps(run)
    assert called(monkeypatch, "diagnose", run, "--fewest", 8, "--rows", 12, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    scored = files.read_json(run / "scores.json")
    assert found["accuracy"] == scored["subsets"]["overall"]["accuracy"]
    assert found["questions"] == 81
    assert found["groups"]["tested"] > 5
    assert found["maps"]["method"] == "occlusion"
    assert found["right_off_target"]["number"] + found["wrong_on_target"]["number"] > 0
    assert found["notes"] == []
    assert {one["cue"] for one in found["shortcuts"]["cues"]} == {"text", "marker", "letter_l", "letter_r", "border"}
    written = files.read_json(run / "diagnosis.json")
    assert written == {key: value for key, value in found.items() if key not in ("page", "sheet")}
    page = (run / "diagnosis" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "occlusion" in page
    assert str(run) not in page
    assert len((run / "diagnosis" / "sheet.csv").read_text(encoding="utf-8-sig").splitlines()) >= 13

    assert called(monkeypatch, "diagnose", run, "--no-pairs", "--fewest", 8) == 0
    told = capsys.readouterr().out
    assert "Groups of questions that fail, the surest first" in told
    assert "To be judged by an expert" in told
    assert all(len(one["parts"]) == 1 for one in files.read_json(run / "diagnosis.json")["groups"]["failing"])


def test_without_maps_the_page_says_which_command_makes_them(run: Path, tmp_path: Path) -> None:
    found = diagnose(run, fewest=8, out=tmp_path / "page")
    assert found["maps"] is None
    assert "radvqa explain RUN --data phantom:mini --split test" in found["notes"][0]
    assert "Right for the right reason" not in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert not (run / "diagnosis").exists()


def test_a_report_of_the_run_says_where_it_fails(run: Path) -> None:
    before = report(compare_runs([run]))
    diagnose(run, fewest=8)
    after = report(compare_runs([run]))
    assert "Where it fails" not in before
    assert "Where it fails" in after
    assert "Groups of questions that fail" in after


def test_covering_markers_asks_the_run_again(run: Path) -> None:
    found = diagnose(run, fewest=8, intervene=True)
    changes = {one["name"]: one for one in found["shortcuts"]["intervention"]}
    assert set(changes) == {"markers_covered", "borders_cut"}
    for one in changes.values():
        assert (one["p"] is None) == (one["n"] == 0 or one["clusters"] < 2)
    assert "Asked again without markers and margins" in (run / "diagnosis" / "index.html").read_text(encoding="utf-8")


def test_without_the_data_set_the_run_folder_must_do(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from radvqa.data import registry
    from radvqa.errors import DataError

    def absent(*_: Any) -> Any:
        raise DataError("The data set is not here.")

    monkeypatch.setattr(registry, "load", absent)
    found = diagnose(run, fewest=8)
    assert found["notes"][0] == "There were only the small copies in the run folder at hand: The data set is not here."
    assert found["shortcuts"]["cues"][0]["pictures"] == 0
    assert "data:image/webp" in (run / "diagnosis" / "index.html").read_text(encoding="utf-8")
    with pytest.raises(DataError, match="not here"):
        diagnose(run, data="phantom:mini")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "zebra"}, "holds no maps by zebra"),
        ({"fewest": 1}, "needs at least 2 questions"),
        ({"split": "validate"}, "has no predictions on phantom:mini validate"),
    ],
)
def test_mistakes(run: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RadvqaError, match=message):
        diagnose(run, **options)


def test_a_sheet_needs_a_diagnosis_first(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no diagnosis of this version; `radvqa diagnose"):
        take_in(run, [tmp_path / "filled.csv"])


def test_an_empty_sheet_is_refused(run: Path) -> None:
    diagnose(run, fewest=8)
    with pytest.raises(RadvqaError, match="has a verdict; fill the column verdict first"):
        take_in(run, [run / "diagnosis" / "sheet.csv"])
    assert not (run / "judged.jsonl").exists()


def test_hostile_texts_stay_texts(run: Path) -> None:
    opened = Run(run)
    answers = opened.answers()
    lines = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    for line in lines:
        line["question"] = f"{line['question']} {EVIL}"
        line["prediction"] = EVIL
    files.write_jsonl(run / answers.file("predictions", "jsonl"), lines)
    diagnose(run, fewest=8)
    for name in ("index.html", "sheet.html"):
        assert EVIL not in (run / "diagnosis" / name).read_text(encoding="utf-8")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Tab]:
    (tmp_path / "browser").mkdir()
    with tab(tmp_path / "browser" / "profile") as opened:
        opened.view(1200, 900)
        yield opened


def opened_sheet(page: Tab, run: Path) -> None:
    page.open(run / "diagnosis" / "sheet.html")
    page.wait("document.body.dataset.question")


SAVED = """(async () => {
  const held = URL.createObjectURL; let blob = null;
  URL.createObjectURL = (made) => { blob = made; return held.call(URL, made); };
  document.querySelector('#save').click();
  URL.createObjectURL = held;
  window.saved = blob === null ? '' : await blob.text();
})()"""


@pytest.mark.slow
def test_an_expert_fills_the_sheet_in_and_it_is_read_back(
    run: Path,
    page: Tab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_maps(run)
    found = diagnose(run, fewest=8, rows=8)
    opened_sheet(page, run)
    assert page.run("document.querySelector('#image').naturalWidth") > 0
    first = page.run("document.body.dataset.question")
    page.click("input[value=gold-wrong]")
    comment = '=1+1, "quoted"\nsecond line – ü'
    page.run("document.querySelector('#comment').focus()")
    page.write(comment)
    assert page.run("document.querySelector('#count').textContent") == "Question 1 of 8, 1 judged"
    page.run("document.activeElement.blur()")
    page.press("ArrowRight")
    page.press("1")
    second = page.run("document.body.dataset.question")
    assert second != first
    page.press("m")
    assert "with the map" in page.run("document.querySelector('#image').alt")

    opened_sheet(page, run)  # a reload keeps what was filled in
    assert page.run("document.body.dataset.question") == second
    assert page.run("document.querySelector('input[value=model-wrong]').checked")
    page.press("k")
    assert page.run("document.querySelector('#comment').value") == comment

    page.click("#save")  # without a name nothing is saved
    assert "name or initials first" in page.run("document.querySelector('#notice').textContent")
    assert page.run("document.activeElement.id") == "reviewer"
    page.write("Dr. Ann")
    page.run(SAVED)
    page.wait("window.saved")
    filled = tmp_path / "filled.csv"
    filled.write_bytes(str(page.run("window.saved")).encode("utf-8"))
    assert page.console == []
    assert [address for address in page.asked_for if not address.startswith(("file:", "blob:"))] == []

    back = {one.id: one for one in read(filled)}
    assert set(back) == {first, second}
    assert (back[first].verdict, back[first].comment, back[first].reviewer) == ("gold-wrong", comment, "Dr. Ann")
    assert back[second].verdict == "model-wrong"

    assert called(monkeypatch, "diagnose", run, "--import", filled, "--json") == 0
    judged = json.loads(capsys.readouterr().out)["judged"]
    right = round(found["accuracy"] * found["questions"])
    assert judged["verdicts"] == {"model-wrong": 1, "gold-wrong": 1}
    assert judged["corrected"] in [round(n / 80, 6) for n in (right, right - 1)]
    assert "Dr. Ann" in (run / "diagnosis" / "index.html").read_text(encoding="utf-8")
    assert len((run / "judged.jsonl").read_text().splitlines()) == 2

    other = tmp_path / "other.csv"
    other.write_text(filled.read_text(encoding="utf-8").replace("Dr. Ann", "Ben"), encoding="utf-8")
    assert called(monkeypatch, "diagnose", run, "--import", filled, "--import", other) == 0
    told = capsys.readouterr().out
    assert "Ben and Dr. Ann gave the same verdict on 100.0 % of 2 questions (Cohen's kappa 1.00)." in told
    assert diagnose(run, fewest=8)["judged"]["judged"] == 2  # a new diagnosis knows what was judged


@pytest.mark.slow
def test_the_page_shows_pictures_and_fits_a_phone(run: Path, page: Tab) -> None:
    make_maps(run)
    diagnose(run, fewest=8)
    page.view(390, 800, touch=True)
    page.open(run / "diagnosis" / "index.html")
    assert page.run("[...document.images].length") > 0
    assert page.run("[...document.images].every((picture) => picture.naturalWidth > 0 && picture.alt)")
    assert page.run("document.documentElement.scrollWidth") <= 390
    opened_sheet(page, run)
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert page.console == []

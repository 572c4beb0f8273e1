"""The report is one safe file that a real browser shows."""

import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from report_runs import make_run

from radvqa import files
from radvqa.data.image import decode
from radvqa.errors import RunError
from radvqa.report.html import write_report

STRANGE = "<script>alert('x')</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would find: tags, addresses that it would load, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "srcset", "data", "action", "poster"}:
                self.loaded.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())


def written(tmp_path: Path, *names: str) -> tuple[str, Page]:
    write_report([tmp_path / name for name in names], tmp_path / "out" / "report.html")
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    return text, Page(text)


def test_nothing_is_loaded_and_no_script_runs(tmp_path: Path) -> None:
    make_run(tmp_path / "a", strange=STRANGE)
    text, page = written(tmp_path, "a")
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert not page.handlers
    assert page.loaded
    assert all(address.startswith("data:image/png;base64,") for address in page.loaded)
    assert not re.search(r"url\(|@import", text)
    assert "default-src 'none'" in text


def test_strange_answers_are_text(tmp_path: Path) -> None:
    make_run(tmp_path / "a", strange=STRANGE)
    text, page = written(tmp_path, "a")
    assert "<script" not in text
    assert STRANGE in page.text


def test_strange_names_and_question_types_are_text(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a<b>&")
    scores = run.scores(run.answers())
    scores["question_types"]["<i>Organ</i>"] = scores["question_types"].pop("Organ")
    run.write_scores(run.answers(), scores)
    text, page = written(tmp_path, "a<b>&")
    assert "<i>" not in text
    assert "<i>Organ</i>" in page.text
    assert "a<b>& answers" in page.text


def test_the_headline_has_number_interval_and_verdict(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", skill=0.95)
    overall = run.scores(run.answers())["subsets"]["overall"]
    _, page = written(tmp_path, "a")
    low, high = overall["accuracy_interval"]
    assert (
        f"a answers {100 * overall['accuracy']:.1f} % of 80 questions about 16 images correctly "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f}). It beats a lookup table"
    ) in page.text


@pytest.mark.parametrize(("skill", "verdict"), [(0.0, "It is worse than a lookup"), (0.95, "It beats a lookup")])
def test_the_verdict_follows_the_paired_difference(tmp_path: Path, skill: float, verdict: str) -> None:
    make_run(tmp_path / "a", skill=skill)
    assert verdict in written(tmp_path, "a")[1].text


def test_a_model_that_copies_the_lookup_is_not_said_to_beat_it(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    looked_up = run.baselines(run.answers())["question_lookup"]
    rows = [
        {**row, "prediction": looked_up[row["id"]]} for row in files.read_jsonl(tmp_path / "a" / "predictions.jsonl")
    ]
    files.write_jsonl(tmp_path / "a" / "predictions.jsonl", rows)
    assert "not clearly different from a lookup table" in written(tmp_path, "a")[1].text


def test_without_baselines_the_page_says_what_is_not_shown(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    (run.folder / "baselines.jsonl").unlink()
    assert "was not compared with a question lookup" in written(tmp_path, "a")[1].text


def test_all_sections_are_there(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    text, page = written(tmp_path, "a")
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", text)
    assert headings == [
        "Scores",
        "Figures",
        "Examples",
        "By question type",
        "What others published",
        "How it was made",
    ]
    assert "Research only, not for diagnosis." in page.text
    assert "Trained on slake:en, train split for 12 epochs in 11 m 14 s on NVIDIA H100 80GB." in page.text
    assert text.count('<article class="card example">') == 6
    assert "<title>CNN_LSTM on SLAKE</title>" in text


def test_no_folder_of_this_machine_is_told(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    text, page = written(tmp_path, "a")
    assert "…/Slake1.0" in page.text
    assert str(tmp_path) not in text
    assert "secret" not in text


def test_data_sets_have_sections_of_their_own(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", dataset="vqa_rad")
    text, _ = written(tmp_path, "a", "b")
    assert re.findall(r'<h2 class="test">([^<]+)</h2>', text) == ["slake:en, test split", "vqa_rad, test split"]


def test_the_same_runs_give_the_same_page(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    assert written(tmp_path, "a")[0] == written(tmp_path, "a")[0]


def test_a_run_without_scores_writes_no_page(tmp_path: Path) -> None:
    make_run(tmp_path / "a", scored=False)
    with pytest.raises(RunError, match="radvqa score"):
        written(tmp_path, "a")
    assert not (tmp_path / "out").exists()


def browser() -> str:
    found = os.environ.get("RADVQA_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.fail("This test needs a real browser: install chromium, or set RADVQA_CHROMIUM to its program.")
    return found


OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


def browse(tmp_path: Path, *arguments: str) -> str:
    page = (tmp_path / "out" / "report.html").as_uri()
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [browser(), *OPTIONS, profile, *arguments, page]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.slow
def test_a_browser_finds_the_headline_and_no_script_of_an_answer(tmp_path: Path) -> None:
    make_run(tmp_path / "a", strange="<script>document.title='taken'</script>")
    written(tmp_path, "a")
    page = Page(browse(tmp_path, "--dump-dom"))
    assert "a answers " in page.text
    assert "script" not in page.tags
    assert page.tags.count("h1") == 1
    assert "taken" not in "".join(page.said[: page.said.index("CNN_LSTM on SLAKE") + 1])


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_paints_the_page(tmp_path: Path, width: int) -> None:
    make_run(tmp_path / "a")
    written(tmp_path, "a")
    browse(tmp_path, f"--window-size={width},3000", f"--screenshot={tmp_path / 'shot.png'}")
    shot = decode(tmp_path / "shot.png")
    assert shot.shape[:2] == (3000, width)
    background = shot[5, 5]
    painted = (np.abs(shot.astype(int) - background.astype(int)).max(axis=-1) > 8).reshape(10, -1).mean(axis=1)
    assert painted.min() > 0.05, "a tenth of the page is blank"
    assert len(np.unique(shot.reshape(-1, 3), axis=0)) > 100

"""The report is one safe file that a real browser shows."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from headless import tab
from radvqa import files
from radvqa.data.image import decode
from radvqa.errors import RunError
from radvqa.report.html import write_report
from report_runs import make_run

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


def scripts(text: str) -> list[tuple[str, str]]:
    return re.findall(r"<script([^>]*)>(.*?)</script>", text, flags=re.DOTALL)


def test_nothing_is_loaded_and_only_the_one_script_may_run(tmp_path: Path) -> None:
    make_run(tmp_path / "a", strange=STRANGE)
    text, page = written(tmp_path, "a")
    assert "link" not in page.tags
    assert not page.handlers
    assert all(re.match(r"data:image/(png|webp);base64,|#s1-", address) for address in page.loaded)
    assert not re.search(r"url\(|@import", text)
    assert [attributes for attributes, _ in scripts(text)] == [
        ' type="application/json" class="data"',
        ' type="application/json" class="pictures"',
        "",
    ]
    digest = base64.b64encode(hashlib.sha256(scripts(text)[-1][1].encode()).digest()).decode()
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy == [
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]


def test_strange_answers_are_text(tmp_path: Path) -> None:
    make_run(tmp_path / "a", strange=STRANGE)
    text, page = written(tmp_path, "a")
    assert all("<" not in content for attributes, content in scripts(text) if attributes)
    assert "img src=x" not in re.sub(r"&lt;img src=x|\\u003cimg src=x", "", text)
    assert STRANGE in page.text  # among the examples
    data = json.loads(scripts(text)[0][1])
    assert STRANGE in data["texts"]


def test_an_answer_that_no_file_can_hold_and_an_endless_one(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    rows = list(files.read_jsonl(tmp_path / "a" / "predictions.jsonl"))
    rows[0]["prediction"], rows[1]["prediction"] = "half a pair \ud83d here", "long " * 200_000
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a" / "predictions.jsonl").write_text(lines, encoding="utf-8")
    text, _ = written(tmp_path, "a")
    texts = json.loads(scripts(text)[0][1])["texts"]
    assert "half a pair ? here" in texts
    assert max(map(len, texts)) < 2100
    assert any(found.endswith("… (1,000,000 characters)") for found in texts)


def test_strange_names_and_question_types_are_text(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a<b>&")
    scores = run.scores(run.answers())
    types = scores["slices"]["question_type"]
    types["<i>Organ</i>"] = types.pop("Organ")
    run.write_scores(run.answers(), scores)
    text, page = written(tmp_path, "a<b>&")
    assert "<i>" not in text
    assert "Question type: <i>Organ</i>" in page.text
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
        "Weakest parts",
        "The same answers under other rules",
        "Overlap of words",
        "Confidence",
        "Rare and confused answers",
        "Training and cost",
        "What others published",
        "Examples",
        "Question by question",
        "How it was made",
    ]
    contents = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', text)
    assert [title for _, title in contents] == headings
    assert all(f'id="{key}"' in text for key, _ in contents)
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


def test_warnings_stand_before_the_first_table(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="blip", epochs=5)
    text, page = written(tmp_path, "a", "b")
    said = "Not an equal comparison: different epochs, 12 (a); 5 (b)."
    assert text.index('class="number"') < text.index("Read this first") < text.index(said) < text.index("<table")
    assert "Is the difference real?" in page.text


def test_an_equal_comparison_has_no_box_of_warnings(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="blip")
    assert "Read this first" not in written(tmp_path, "a", "b")[0]


def test_a_model_that_does_not_look_is_flagged_in_the_first_lines(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    assert "Nobody has tested yet whether this model looks at the picture" in written(tmp_path, "a")[1].text
    blank = {
        "name": "blank",
        "title": "Blank picture",
        "group": "no picture",
        "n": 80,
        "accuracy_before": 0.75,
        "accuracy": 0.74,
        "drop": 0.01,
        "drop_interval": [-0.01, 0.03],
        "changed": 0.02,
    }
    files.write_json(
        run.folder / "probes.json",
        {
            "dataset": "slake:en",
            "split": "test",
            "questions": 80,
            "images": 16,
            "original": {"accuracy": 0.75, "interval": [0.7, 0.8]},
            "probes": [blank],
            "looks_at_image": False,
            "twins": None,
            "limit": None,
            "left_out": [],
            "warnings": [],
        },
    )
    text, page = written(tmp_path, "a")
    assert "Nobody has tested yet" not in page.text
    flagged = text.index("This model is not shown to look at the image")
    assert text.index('class="number"') < flagged < text.index("<table")
    assert "Blank picture" in page.text


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_paints_the_page(tmp_path: Path, width: int) -> None:
    make_run(tmp_path / "a")
    written(tmp_path, "a")
    with tab(tmp_path / "profile") as page:
        page.view(width, 3000)
        page.open(tmp_path / "out" / "report.html")
        assert page.run("document.documentElement.scrollWidth") == width, "nothing sticks out to the side"
        shot = decode(page.shot())
    assert shot.shape[:2] == (3000, width)
    background = shot[5, 5]
    painted = (np.abs(shot.astype(int) - background.astype(int)).max(axis=-1) > 8).reshape(10, -1).mean(axis=1)
    assert painted.min() > 0.05, "a tenth of the page is blank"
    assert len(np.unique(shot.reshape(-1, 3), axis=0)) > 100

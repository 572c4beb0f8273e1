"""Question by question, in a real browser: filters, keys, strange texts, and ten thousand questions."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headless import Tab, tab
from radvqa.prediction import Prediction, write_predictions
from radvqa.report.comparison import compare_runs
from radvqa.report.html import report, write_report
from report_runs import answered, make_run, samples

pytestmark = pytest.mark.slow

EVIL = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"></script><b>bold</b>"
ARABIC = "الرئة اليسرى"
EMOJI = "🫁 left 👩🏽‍⚕️"


class Questions:
    """The part of the page under test, as a person meets it."""

    def __init__(self, page: Tab, section: int = 1) -> None:
        self.page, self.root = page, f"document.querySelector('#s{section}-questions')"

    def read(self, script: str) -> Any:
        return json.loads(self.page.run(f"JSON.stringify((() => {{ const root = {self.root}; return {script}; }})())"))

    @property
    def status(self) -> str:
        return str(self.read("root.querySelector('.status').textContent"))

    @property
    def labels(self) -> list[str]:
        return list(self.read("[...root.querySelectorAll('label span')].map(e => e.textContent)"))

    def options(self, label: str) -> list[str]:
        return list(self.read(f"[...({self._control(label)}).options].map(e => e.textContent)"))

    def _control(self, label: str) -> str:
        return f"[...root.querySelectorAll('label')].find(e => e.firstChild.textContent === {label!r}).lastChild"

    def choose(self, label: str, option: str) -> None:
        """Choose the option that begins so."""
        self.read(
            f"(() => {{ const c = {self._control(label)};"
            f"c.value = [...c.options].find(o => o.textContent.startsWith({json.dumps(option)})).value;"
            "c.dispatchEvent(new Event('change', {bubbles: true})); return 0; })()"
        )

    def search(self, text: str) -> None:
        self.read(
            f"(() => {{ const c = {self._control('Search')}; c.value = {json.dumps(text)};"
            "c.dispatchEvent(new Event('input', {bubbles: true})); return 0; })()"
        )

    def click(self, text: str) -> None:
        self.read(f"[...root.querySelectorAll('button')].find(e => e.textContent.includes({text!r})).click() ?? 0")

    @property
    def cards(self) -> list[str]:
        """The ids of the questions shown."""
        return list(self.read("[...root.querySelectorAll('article .kind span')].map(e => e.textContent)"))

    @property
    def focused(self) -> str:
        found = self.page.run("document.activeElement.querySelector('.kind span')?.textContent ?? ''")
        return str(found)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Questions]]:
    with tab(tmp_path / "profile") as page:

        def open_report(*names: str) -> Questions:
            write_report([tmp_path / name for name in names], tmp_path / "report.html")
            page.view(1280, 1000)
            page.open(tmp_path / "report.html")
            return Questions(page)

        yield open_report
        assert page.console == [], "no error, and no violation of the content policy"
        assert {address.rpartition("/")[2] for address in page.asked_for} <= {"report.html"}


def two(tmp_path: Path, images: int = 16) -> tuple[list[Prediction], list[Prediction]]:
    """Write two models that answer differently and return their answers."""
    found = []
    for name, skill in (("first", 0.8), ("second", 0.5)):
        run = make_run(tmp_path / name, name=name, skill=skill, images=images)
        found.append(run.predictions(run.answers()))
    return found[0], found[1]


def right(prediction: Prediction) -> bool:
    return prediction.prediction.lower() == prediction.answer.lower()


def test_filters_show_what_a_count_by_hand_finds(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    one, other = two(tmp_path)
    shown = opened("first", "second")
    differ = [a.id for a, b in zip(one, other, strict=True) if right(a) != right(b)]
    assert shown.cards == differ[:24]
    assert shown.status.startswith(f"{len(differ)} of 80 questions")
    neither = [a.id for a, b in zip(one, other, strict=True) if not right(a) and not right(b)]
    shown.choose("Show", "All wrong")
    assert shown.cards == neither[:24]
    shown.choose("Show", "All questions")
    assert shown.status == "80 of 80 questions, 1 to 24 shown"
    shown.choose("Right", "first")
    shown.choose("Wrong", "second")
    mine = [a for a, b in zip(one, other, strict=True) if right(a) and not right(b)]
    assert shown.cards == [p.id for p in mine][:24]
    shown.choose("Question type", "Position")
    assert shown.cards == [p.id for p in mine if p.question_type == "Position"]
    shown.choose("Question type", "any")
    shown.choose("Organ", "Lung")
    shown.choose("Modality", "CT")
    shown.choose("Answer type", "open")
    expected = [p.id for p in mine if (p.organ, p.modality, p.answer_type) == ("Lung", "CT", "OPEN")]
    assert shown.cards == expected
    shown.click("Reset")
    shown.page.run("new Promise(done => setTimeout(done, 50))")
    assert shown.cards == differ[:24]
    shown.choose("Show", "All questions")
    shown.search("NODULE")
    assert shown.status.startswith(f"{sum('nodule' in p.question for p in one)} of 80 questions")
    shown.search("no such words")
    assert shown.cards == []
    assert "No question matches" in shown.status


def test_confidence_orders_the_questions(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    for name in ("first", "second"):
        run = make_run(tmp_path / name, name=name, skill=0.6)
        given = run.predictions(run.answers())
        levels = [((i * 37) % 80) / 100 for i in range(80)]
        changed = [replace(p, confidence=level) for p, level in zip(given, levels, strict=True)]
        write_predictions(tmp_path / name / "predictions.jsonl", changed)
    shown = opened("first", "second")
    shown.choose("Show", "All questions")
    shown.choose("Order", "least confident first")
    assert shown.cards == [changed[i].id for i in sorted(range(80), key=lambda i: levels[i])][:24]
    shown.choose("Show", "All wrong")
    shown.choose("Order", "most confident mistake first")
    sure = shown.read("[...root.querySelectorAll('article')].map(e => e.querySelector('.wrong .sure').textContent)")
    assert sure == sorted(sure, reverse=True)


def test_keys_walk_over_cards_and_pages(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    one, _ = two(tmp_path)
    shown = opened("first", "second")
    shown.choose("Show", "All questions")
    ids = [p.id for p in one]
    shown.read("root.querySelector('article').focus() ?? 0")
    assert shown.focused == ids[0]
    shown.page.press("ArrowRight")
    assert shown.focused == ids[1]
    shown.page.press("k")
    shown.page.press("ArrowLeft")  # there is nothing before the first
    assert shown.focused == ids[0]
    for _ in range(24):
        shown.page.press("j")
    assert shown.focused == ids[24]
    assert shown.cards == ids[24:48]
    assert shown.status == "80 of 80 questions, 25 to 48 shown"
    shown.page.press("ArrowLeft")
    assert (shown.focused, shown.cards) == (ids[23], ids[:24])
    assert shown.read("root.querySelectorAll('article[tabindex=\"0\"]').length") == 1
    shown.click("Next page")
    shown.click("Next page")
    shown.click("Next page")
    assert shown.cards == ids[72:]
    # in a box of text, letters and arrows are the box's
    shown.read("root.querySelector('input').focus() ?? 0")
    for key in "jkj":
        shown.page.press(key)
    assert shown.read("root.querySelector('input').value") == "jkj"


def test_answers_that_look_like_html_are_text(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    for name in ("a</script>b", "<i>c"):
        run = make_run(tmp_path / name.replace("/", "_"), name=name, skill=1.0)
        given = run.predictions(run.answers())
        texts = [EVIL, ARABIC, EMOJI, "", "\u202edrow", "</script><!--<script>"]
        changed = [replace(p, prediction=text) for p, text in zip(given, texts, strict=False)]
        write_predictions(run.folder / "predictions.jsonl", changed + given[len(changed) :])
    shown = opened("a<_script>b", "<i>c")
    shown.choose("Show", "All wrong")
    said = shown.read("[...root.querySelectorAll('article')].map(e => e.querySelector('.wrong .answer').textContent)")
    assert said == [EVIL, ARABIC, EMOJI, "(nothing)", "\u202edrow", "</script><!--<script>"]
    assert shown.read("document.title") != "taken"
    assert shown.read("root.querySelectorAll('article b, article script, article i').length") == 0
    assert shown.read("document.scripts.length") == 3
    direction = "getComputedStyle(root.querySelectorAll('article')[1].querySelector('.wrong .answer')).direction"
    assert shown.read(direction) == "rtl"
    shown.search(ARABIC[:5])
    assert len(shown.cards) == 1
    shown.search("👩🏽‍⚕️")
    assert len(shown.cards) == 1


def test_marks_follow_the_rule_of_the_accuracy_and_are_read_aloud(
    tmp_path: Path, opened: Callable[..., Questions]
) -> None:
    run = make_run(tmp_path / "a", skill=1.0)
    given = run.predictions(run.answers())
    changed = [replace(given[0], prediction=f" {given[0].answer.upper()}. "), replace(given[1], prediction="no idea")]
    write_predictions(tmp_path / "a" / "predictions.jsonl", changed + given[2:])
    shown = opened("a")
    assert shown.options("Show") == ["Wrong (1)", "Right (79)", "All questions (80)"]
    assert "Right" not in shown.labels
    assert shown.read("root.querySelector('.wrong dd').innerText.replace(/\\s+/g, ' ')") == "no idea (wrong) p 0.70"
    shown.choose("Show", "All questions")
    assert shown.read("root.querySelector('article .mark').textContent") == "✓"
    tree = shown.page.call("Accessibility.getFullAXTree")["nodes"]
    named = [(n["role"]["value"], n.get("name", {}).get("value")) for n in tree if not n.get("ignored")]
    assert ("article", given[0].question) in named
    assert ("search", "Choose questions") in named
    assert ("combobox", "Question type") in named
    assert ("searchbox", "Search") in named
    assert ("image", f"Picture {given[0].image}") in named
    assert not any(role == "StaticText" and name == "✓" for role, name in named)


def test_seeds_that_answer_alike_share_a_line(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    asked = samples("test", 16)
    for seed in (0, 1, 2):
        run = make_run(tmp_path / f"s{seed}", seed=seed)
        write_predictions(run.folder / "predictions.jsonl", answered(asked, 1.0, 0))
    make_run(tmp_path / "other", name="other", skill=0.0)
    shown = opened("s0", "s1", "s2", "other")
    assert shown.options("Right")[:2] == ["anyone", "cnn_lstm (all 3 seeds)"]
    shown.choose("Right", "cnn_lstm (all")
    lines = shown.read("[...root.querySelector('article').querySelectorAll('dt')].map(e => e.innerText)")
    assert [line.replace("\u200b", "").replace("\n", " ") for line in lines] == [
        "Truth",
        "cnn_lstm 3 of 3 seeds",
        "other",
    ]


def test_pictures_are_shown_where_the_page_has_them(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    two(tmp_path)
    shown = opened("first", "second")
    loaded = "Promise.all([...root.querySelectorAll('article img')].map(e => e.decode().then(() => e.naturalWidth)))"
    script = f"(async () => {{ const root = {shown.root}; return JSON.stringify(await {loaded}); }})()"
    answer = shown.page.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
    assert set(json.loads(answer["result"]["value"])) == {96}
    for name in ("first", "second"):
        (tmp_path / name / "thumbnails" / "index.json").unlink()
    bare = opened("first", "second")
    assert bare.read("root.querySelectorAll('article img').length") == 0
    assert "radvqa predict RUN puts them there" in bare.read("root.innerText")


def test_without_scripts_the_page_says_what_is_missing(tmp_path: Path) -> None:
    two(tmp_path)
    write_report([tmp_path / "first", tmp_path / "second"], tmp_path / "report.html")
    with tab(tmp_path / "profile") as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.open(tmp_path / "report.html")
        document = page.call("DOM.getDocument")["root"]["nodeId"]
        found = page.call("DOM.querySelector", nodeId=document, selector="noscript p")["nodeId"]
        text = page.call("DOM.getOuterHTML", nodeId=found)["outerHTML"]
        tables = page.call("DOM.querySelectorAll", nodeId=document, selector="table")["nodeIds"]
    assert "needs JavaScript, which is switched off here" in text
    assert len(tables) > 5


def test_each_data_set_has_questions_of_its_own(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    make_run(tmp_path / "a", skill=0.5)
    make_run(tmp_path / "b", dataset="vqa_rad", skill=1.0)
    shown = opened("a", "b")
    other = Questions(shown.page, 2)
    assert other.status == "No question matches; “Reset” shows them again."
    assert shown.status != other.status
    other.choose("Show", "All questions")
    assert other.status == "80 of 80 questions, 1 to 24 shown"


def test_ten_thousand_questions_are_a_page_that_opens(tmp_path: Path, opened: Callable[..., Questions]) -> None:
    make_run(tmp_path / "a", images=2000, skill=0.7, resamples=20)
    make_run(tmp_path / "b", name="b", images=2000, skill=0.6, resamples=20)
    shown = opened("a", "b")
    assert len(shown.cards) == 24
    shown.choose("Show", "All questions")
    assert shown.status == "10,000 of 10,000 questions, 1 to 24 shown"
    shown.search("test-1999-")
    assert len(shown.cards) == 5
    assert len(report(compare_runs([tmp_path / "a", tmp_path / "b"]))) < 20_000_000


def test_another_script_than_ours_is_refused(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    write_report([tmp_path / "a"], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    added = "<script>document.title='taken'</script><img src='https://example.org/x.png'>"
    (tmp_path / "report.html").write_text(text.replace("</footer>", f"{added}</footer>"), encoding="utf-8")
    with tab(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        assert page.run("document.title") != "taken"
        assert sum("Content Security Policy" in said for said in page.console) >= 2
        assert len(Questions(page).cards) > 0

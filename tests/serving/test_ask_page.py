"""The Ask view in a real browser: a picture, a question, an answer, where the model looked, a judgement."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import browsing
import tiny_run
from radvqa.data import registry
from radvqa.starter.model import Starter
from service import Service, service

QUESTION = "What modality is used to take this image?"


@pytest.fixture(scope="module")
def phantom() -> Path:
    return registry.load_split("phantom:mini", "test")[0].image_path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("asked")
    run = tiny_run.trained("qwen2_vl", folder).folder
    with service(folder, "--model", "starter", "--model", run, "--device", "cpu") as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as one:
        yield one


@pytest.fixture
def ask(browser: Browser, served: Service) -> Iterator[Page]:
    with browsing.page(browser, served.address) as opened:
        yield opened


def take(page: Page, picture: Path) -> None:
    page.set_input_files("input[type=file]", picture)
    expect(page.locator(".stage canvas").first).to_be_visible()


def test_a_picture_a_question_and_the_answer_with_all_that_belongs_to_it(ask: Page, phantom: Path) -> None:
    said = Starter.load().answer(phantom, QUESTION)
    expect(ask.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
    take(ask, phantom)
    ask.get_by_label("Question", exact=True).fill(QUESTION)
    ask.keyboard.press("Enter")
    card = ask.get_by_role("article", name="Answer of starter")
    expect(card.locator(".answer-text")).to_have_text(said.answer)
    expect(card).to_contain_text(f"{100 * said.confidence:.1f} %")
    expect(card).to_contain_text(said.candidates[1][0])
    expect(card).to_contain_text("For research only, not for diagnosis.")
    expect(card).to_contain_text("s ·")


def test_an_unsure_model_abstains_and_says_why(ask: Page, phantom: Path) -> None:
    take(ask, phantom)
    ask.get_by_label("Question", exact=True).fill("What color is the abnormality?")
    ask.get_by_role("button", name="Ask", exact=True).click()
    card = ask.get_by_role("article", name="Answer of starter")
    expect(card.locator(".answer-text")).to_have_text("No answer")
    expect(card).to_contain_text("not sure enough")
    expect(card).to_contain_text("best guess, not to be relied on")


def test_a_suggestion_is_asked_with_one_click_and_two_models_answer_side_by_side(ask: Page, phantom: Path) -> None:
    take(ask, phantom)
    ask.get_by_label("qwen2_vl").check()
    suggestion = ask.get_by_role("group", name="Suggested questions").get_by_role("button").first
    text = suggestion.inner_text()
    suggestion.click()
    expect(ask.get_by_label("Question", exact=True)).to_have_value(text)
    for name in ("starter", "qwen2_vl"):
        expect(ask.get_by_role("article", name=f"Answer of {name}").locator(".answer-text")).to_be_visible(
            timeout=60_000
        )
        expect(ask.get_by_role("article", name=f"Answer of {name}")).to_contain_text("s ·", timeout=60_000)


def test_cancel_stops_and_the_next_question_is_answered(ask: Page, phantom: Path) -> None:
    take(ask, phantom)
    ask.route("**/api/answers", lambda route: None)  # an answer that never comes
    ask.get_by_label("Question", exact=True).fill(QUESTION)
    ask.keyboard.press("Enter")
    expect(ask.get_by_role("article", name="Answer of starter")).to_contain_text("asking")
    ask.get_by_role("button", name="Cancel").click()
    expect(ask.get_by_role("article", name="Answer of starter")).to_contain_text("Stopped")
    ask.unroute("**/api/answers")
    ask.get_by_role("button", name="Ask", exact=True).click()
    expect(ask.locator(".answer-text")).to_be_visible()


def test_model_output_and_names_are_text_never_markup(
    browser: Browser, served: Service, phantom: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "<img src=x onerror=alert(1)>.png"
    odd.write_bytes(phantom.read_bytes())
    with browsing.page(browser, served.address) as ask:
        take(ask, odd)
        body = (
            'event: answer\ndata: {"model": "starter", "answer": "<b id=evil>x</b>", "abstained": null, "confidence": '
            '0.5, "candidates": [], "tokens": [], "seconds": 0.1, "notice": "n"}\n\nevent: end\ndata: {}\n\n'
        )
        ask.route(
            "**/api/answers", lambda route: route.fulfill(status=200, content_type="text/event-stream", body=body)
        )
        ask.get_by_label("Question", exact=True).fill(QUESTION)
        ask.keyboard.press("Enter")
        expect(ask.locator(".answer-text")).to_have_text("<b id=evil>x</b>")
        assert ask.locator("#evil").count() == 0
        assert ask.locator("main img[src=x]").count() == 0


def test_where_it_looked_lies_over_the_picture_and_a_judgement_is_kept(
    ask: Page, served: Service, phantom: Path
) -> None:
    take(ask, phantom)
    ask.get_by_label("starter").uncheck()
    ask.get_by_label("qwen2_vl").check()
    ask.get_by_label("Question", exact=True).fill("Which organ is shown?")
    ask.keyboard.press("Enter")
    card = ask.get_by_role("article", name="Answer of qwen2_vl")
    expect(card).to_contain_text("s ·", timeout=60_000)
    card.get_by_role("button", name="Where did it look?").click()
    expect(ask.get_by_text("A map says what moved the model, not what is in the picture.")).to_be_visible()
    card.get_by_role("button", name="Wrong").click()
    card.get_by_label("Your name or initials").fill("Dr. Reader")
    card.get_by_label("Your name or initials").press("Enter")
    expect(card).to_contain_text("Kept as Dr. Reader: wrong.")
    with served.client() as http:
        kept = http.get("/api/judgements").json()["judgements"]
    assert [(one["reader"], one["verdict"], one["model"], one["question"]) for one in kept] == [
        ("Dr. Reader", "wrong", "qwen2_vl", "Which organ is shown?")
    ]


def test_the_page_can_be_used_by_keyboard_alone(ask: Page, phantom: Path) -> None:
    take(ask, phantom)
    ask.keyboard.press("Home")
    ask.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        ask.keyboard.press("Tab")
        reached.add(
            ask.evaluate(
                "(() => { const e = document.activeElement; return e.id || e.textContent.trim().slice(0, 20) || e.type"
                " || e.tagName; })()"
            )
        )
    assert {"Skip to the content", "Compare", "question"} <= reached
    unnamed = ask.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea, canvas[tabindex]')]"
        ".filter((e) => e.offsetParent && !e.textContent.trim() && !e.labels?.length && !e.ariaLabel"
        " && !e.getAttribute('aria-labelledby')).map((e) => e.outerHTML)"
    )
    assert unnamed == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window_and_the_first_view_is_small(
    browser: Browser, served: Service, phantom: Path, width: int
) -> None:
    with browsing.page(browser, "about:blank", size=(width, 844)) as opened:
        sizes: list[int] = []
        opened.on(
            "requestfinished",
            lambda request: sizes.append(request.sizes()["responseBodySize"] + request.sizes()["responseHeadersSize"]),
        )
        opened.goto(served.address)
        expect(opened.get_by_label("Question", exact=True)).to_be_visible()
        opened.wait_for_load_state("networkidle")
        assert len(sizes) > 5
        assert sum(sizes) <= 300_000
        take(opened, phantom)
        opened.get_by_label("Question", exact=True).fill(QUESTION)
        opened.keyboard.press("Enter")
        expect(opened.locator(".answer-text")).to_be_visible()
        wide = opened.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0

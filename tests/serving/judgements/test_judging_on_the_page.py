"""An answer is judged by keyboard in a real browser, and what was said is seen on the Judge view."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from radvqa.serving.judgements.records import Records
from records_server import Server, page_of, running

pytestmark = pytest.mark.slow

SHOWN = """async ([picture, answer]) => {
    const { mountJudging } = await import("/page/js/judge/judging.js");
    const main = document.getElementById("main");
    const place = document.createElement("div");
    main.replaceChildren(place);
    mountJudging(place, { picture: { id: picture }, answer, question: "Which modality is it?", model: "starter" });
}"""
"""As the Ask view shows it under an answer."""


def show(page: Page, server: Server, picture: int = 0) -> None:
    said = {"answer": "CT", "confidence": 0.8, "candidates": [], "tokens": []}
    page.evaluate(SHOWN, [server.pictures[picture], said])


def test_an_answer_is_judged_by_keyboard(tmp_path: Path) -> None:
    with running(tmp_path) as server, page_of(f"{server.address}#/judge") as page:
        expect(page.get_by_text("Nobody has judged an answer yet")).to_be_visible()
        show(page, server, 1)
        page.keyboard.press("w")
        page.keyboard.type("  Ann   Smith ")  # the first judgement asks for a name, where w, r and u are letters
        page.keyboard.press("Enter")
        expect(page.get_by_text("Kept as Ann Smith: wrong.")).to_be_visible()
        page.get_by_label("Better answer").fill("MRI")
        page.get_by_label("Comment").fill("right side, u r w")
        page.get_by_role("button", name="Keep these too").press("Enter")
        expect(page.get_by_text("Kept as Ann Smith: wrong.")).to_be_visible()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("u")
        expect(page.get_by_text("Kept as Ann Smith: unsure.")).to_be_visible()
        expect(page.get_by_role("button", name="Unsure")).to_have_attribute("aria-pressed", "true")
        page.goto(f"{server.address}#/ask")
        page.goto(f"{server.address}#/judge")
        row = page.locator(".said li")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("Unsure")
        expect(row).to_contain_text("right side, u r w")
        page.get_by_label("with replaced ones").check()
        expect(row).to_have_count(3)
        page.get_by_label("All verdicts").select_option("wrong")
        expect(row).to_have_count(2)
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save as JSON lines").click()
        lines = saved.value.path().read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["better"] for line in lines] == ["", "MRI"]
    kept = Records(tmp_path / "judgements.sqlite").all()
    assert [(one.verdict, one.better, one.reader, one.gold) for one in kept] == [
        ("wrong", "", "Ann Smith", "CT"),
        ("wrong", "MRI", "Ann Smith", "CT"),
        ("unsure", "MRI", "Ann Smith", "CT"),
    ]


def test_two_readers_are_compared_on_the_page(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for who, verdicts in {"Ann": "rrw", "Bob": "rww"}.items():
            for number, letter in enumerate(verdicts):
                server.post(
                    "/api/judgements",
                    201,
                    token=f"token-{who}-{number}",
                    reader=who,
                    verdict={"r": "right", "w": "wrong"}[letter],
                    model="starter",
                    picture=server.pictures[0],
                    question=f"<b>Q{number}</b>?",
                    answer="CT",
                )
        with page_of(f"{server.address}#/judge", viewport={"width": 390, "height": 800}) as page:
            table = page.locator("table", has_text="Kappa")
            expect(table).to_contain_text("Ann and Bob")
            expect(table).to_contain_text("66.7 %")
            expect(page.locator(".said li").first).to_contain_text("<b>Q2</b>?")
            assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_what_the_service_does_not_answer_is_sent_again_and_counts_once(tmp_path: Path) -> None:
    with running(tmp_path) as server, page_of(f"{server.address}#/judge", lost=2) as page:
        page.evaluate("localStorage.setItem('radvqa.reader', 'Ann')")
        show(page, server)
        lost = 0

        def lose(route: Route) -> None:
            nonlocal lost
            lost += 1
            if lost == 1:  # it came and was kept, and the reply was lost
                server.post("/api/judgements", 201, **json.loads(route.request.post_data or ""))
            if lost < 3:
                route.abort()
            else:
                route.continue_()

        page.route("**/api/judgements", lose)
        page.keyboard.press("r")
        expect(page.get_by_text("The service does not answer")).to_be_visible()
        expect(page.get_by_text("Kept as Ann: right.")).to_be_visible(timeout=15_000)
        page.unroute("**/api/judgements")
    assert len(Records(tmp_path / "judgements.sqlite").all()) == 1

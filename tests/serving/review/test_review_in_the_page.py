"""The review queue inside the page: the same script, the same decisions, doors of its own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from radvqa import files
from radvqa.curating.pair import Pair
from radvqa.data.image import encode_png
from radvqa.errors import RadvqaError
from radvqa.reviewing.queue import ReviewQueue
from radvqa.serving.app import application
from radvqa.serving.service import Service
from radvqa.serving.settings import Settings
from records_server import Server, page_of, running, until


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    made = [Pair(f"p{n}", f"Q{n}?", f"A{n}", "open", caption=f"Caption {n}") for n in range(3)]
    files.write_bytes(tmp_path / "a.png", encode_png(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)))
    made[0] = replace(made[0], image_path=str(tmp_path / "a.png"))
    ReviewQueue(tmp_path / "pairs.review.sqlite").add(made, 0.0)
    return tmp_path / "pairs.review.sqlite"


@pytest.fixture
def server(queue: Path, tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, queue=queue) as opened:
        yield opened


def test_the_doors_are_those_of_the_command(server: Server) -> None:
    assert server.get("/api/review")["progress"]["pairs"] == 3
    found = server.post("/api/review/next", reviewer="Ann", count=2)
    assert [pair["id"] for pair in found["pairs"]] == ["p0", "p1"]
    status, headers, _ = server.ask("GET", "/" + found["pairs"][0]["picture"])
    assert (status, headers["content-type"]) == (200, "image/png")
    said = {"pair": "p0", "reviewer": "Ann", "verdict": "pass", "token": "token-0001"}
    assert server.post("/api/review/decide", 200, **said) == {"new": True}
    assert server.post("/api/review/undo", reviewer="Ann")["pair"]["id"] == "p0"
    assert (
        "no pair"
        in server.post("/api/review/decide", 422, pair="x", reviewer="Ann", verdict="pass", token="token-0002")[
            "detail"
        ]
    )


@pytest.mark.slow
def test_pairs_are_reviewed_in_the_page(server: Server, queue: Path) -> None:
    with page_of(f"{server.address}#/review") as page:
        page.get_by_label("Name").fill("Ann")
        page.keyboard.press("Enter")
        expect(page.locator("#question")).to_have_text("Q0?")
        until(page, "document.querySelector('#image').naturalWidth === 64")
        page.keyboard.press("p")
        expect(page.locator("#question")).to_have_text("Q1?")
        page.keyboard.press("1")
        page.keyboard.press("d")
        expect(page.locator("#question")).to_have_text("Q2?")
        until(page, "localStorage.getItem('radvqa-review-waiting') === '[]'")
        page.goto(f"{server.address}#/judge")  # another view takes no verdicts
        expect(page.get_by_role("heading", name="Review sheets")).to_be_visible()
        page.keyboard.press("p")
        page.goto(f"{server.address}#/review")
        expect(page.locator("#question")).to_have_text("Q2?")
        page.keyboard.press("s")
        expect(page.get_by_text("Nothing is left for you")).to_be_visible()
        until(page, "localStorage.getItem('radvqa-review-waiting') === '[]'")
    made = ReviewQueue(queue).decisions()
    assert [(one.pair, one.verdict, one.reasons) for one in made] == [
        ("p0", "pass", ()),
        ("p1", "discard", ("wrong",)),
        ("p2", "skip", ()),
    ]


@pytest.mark.slow
def test_without_a_queue_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", "/api/review/next", {"reviewer": "Ann"})[0] in (404, 405)
        with page_of(f"{server.address}#/review") as page:
            expect(page.get_by_text("radvqa curate review")).to_be_visible()


def test_a_queue_that_is_not_there_is_told_when_the_service_starts(tmp_path: Path) -> None:
    service = Service.open(Settings(records=tmp_path / "j.sqlite", queue=tmp_path / "absent.sqlite"))
    with pytest.raises(RadvqaError, match="There is no review queue"):
        application(service)

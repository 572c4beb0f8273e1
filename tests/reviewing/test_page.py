"""The review page in a real browser: keys, clicks, edits, a reload, a killed server, two reviewers, hostile texts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_reviews import pairs
from review_server import Server, running

from headless import Tab, tab
from radvqa import files
from radvqa.curating.pair_table import write_pairs
from radvqa.data.image import encode_png
from radvqa.reviewing.queue import ReviewQueue

pytestmark = pytest.mark.slow


@pytest.fixture
def table(tmp_path: Path) -> Path:
    made = pairs(6)
    for number in range(6):
        picture = tmp_path / f"{number}.png"
        shown = np.zeros((48, 64), np.uint8)
        shown[:, : 8 * (number + 1)] = 200
        files.write_bytes(picture, encode_png(shown))
        made[number] = replace(made[number], image_path=str(picture), facts=(("Plane", "Axial"),))
    hostile = "<img src=x onerror=document.title='hacked'> ${1}"
    made[2] = replace(made[2], answer=hostile, caption=hostile, flags=("commands",))
    write_pairs(tmp_path / "pairs.jsonl", made)
    return tmp_path / "pairs.jsonl"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Tab]:
    (tmp_path / "browser").mkdir()
    with tab(tmp_path / "browser" / "profile") as opened:
        opened.view(1200, 800)
        yield opened


def begin(page: Tab, server: Server, name: str = "Ann") -> None:
    page.open(server.address)
    page.wait("document.querySelector('#hello').open")
    page.write(name)
    page.press("Enter")
    page.wait("document.body.dataset.pair === 'p0'")


def shown(page: Tab, pair: str) -> None:
    page.wait(f"document.body.dataset.pair === {pair!r}")


def sent(page: Tab) -> None:
    page.wait("localStorage.getItem('radvqa-review-waiting') === '[]'")


def said(table: Path) -> list[tuple[str, str, str]]:
    return [(m.pair, m.reviewer, m.verdict) for m in ReviewQueue(table.with_suffix(".review.sqlite")).decisions()]


def test_a_review_by_keys_and_clicks(page: Tab, table: Path) -> None:
    with running(table, "--overlap", "0") as server:
        begin(page, server)
        assert page.run("document.querySelector('#question').textContent") == "Q0?"
        page.wait("document.querySelector('#image').naturalWidth === 64")
        page.press("p")
        shown(page, "p1")
        page.press("1")
        page.press("3")
        page.press("d")
        shown(page, "p2")
        assert page.run("document.querySelectorAll('#reasons input:checked').length") == 0
        page.press("s")
        shown(page, "p3")
        page.press("e")
        page.wait("!document.querySelector('#edit').hidden")
        page.run("document.querySelector('#edit-answer').select(), document.querySelector('#edit-answer').focus()")
        page.write("Spleen, p d s u")  # keys of verdicts are letters here
        page.press("Enter", control=True)
        shown(page, "p4")
        sent(page)
        page.click("button.discard", times=2)
        shown(page, "p5")  # the second click judges nothing
        sent(page)
    decided = ["pass", "discard", "skip", "pass", "discard"]
    assert said(table) == [(f"p{n}", "Ann", verdict) for n, verdict in enumerate(decided)]
    made = ReviewQueue(table.with_suffix(".review.sqlite")).decisions()
    assert made[1].reasons == ("wrong", "unclear")
    assert (made[3].question, made[3].answer) == (None, "Spleen, p d s u")
    assert page.console == []


def test_undo_zoom_and_help(page: Tab, table: Path) -> None:
    with running(table, "--overlap", "0") as server:
        begin(page, server)
        page.press("d")
        shown(page, "p1")
        sent(page)
        page.press("u")
        shown(page, "p0")
        page.press("+")
        page.press("+")
        assert "scale(1.5625)" in page.run("document.querySelector('#image').style.transform")
        page.press("0")
        assert "scale(1)" in page.run("document.querySelector('#image').style.transform")
        page.press("?")
        page.wait("document.querySelector('#keys').open")
        page.press("p")  # a dialogue takes no verdicts
        page.click("#keys button")
        page.wait("!document.querySelector('#keys').open")
        page.press("p")
        shown(page, "p1")
        sent(page)
    assert said(table) == [("p0", "Ann", "pass")]


def test_a_reload_and_a_killed_server_lose_nothing(page: Tab, table: Path) -> None:
    with running(table, "--overlap", "0") as server:
        begin(page, server)
        page.press("p")
        shown(page, "p1")
        sent(page)
        page.open(server.address)
        shown(page, "p1")
        server.process.kill()
        server.process.wait()
        page.press("d")
        shown(page, "p2")
        page.press("p")
        shown(page, "p3")
        page.wait("document.querySelector('#notice').textContent.includes('kept here')")
        page.call("Page.reload")
    with running(table, "--overlap", "0", port=server.port):
        page.open(server.address)
        sent(page)
        shown(page, "p3")
    assert said(table) == [("p0", "Ann", "pass"), ("p1", "Ann", "discard"), ("p2", "Ann", "pass")]


def test_texts_of_others_stay_texts_and_the_end_is_told(page: Tab, table: Path) -> None:
    with running(table, "--overlap", "0") as server:
        begin(page, server)
        for number in range(1, 6):
            page.press("p")
            shown(page, f"p{number}")
            if number == 2:
                assert page.run("document.querySelector('#answer').textContent").startswith("<img src=x")
                assert page.run("document.querySelector('#kind').textContent").endswith("commands")
                assert page.run("document.querySelectorAll('#answer *').length") == 0
        page.press("p")
        page.wait("!document.querySelector('#end').hidden")
        sent(page)
        assert page.run("document.title") == "radvqa · review"
        assert {address.split("/")[2] for address in page.asked_for} == {f"127.0.0.1:{server.port}"}
    assert len(said(table)) == 6


def test_two_reviewers_see_different_pairs(page: Tab, table: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with running(table, "--overlap", "0") as server, tab(tmp_path / "other" / "profile") as other:
        begin(page, server)
        other.open(server.address)
        other.wait("document.querySelector('#hello').open")
        other.write("Bob")
        other.press("Enter")
        shown(other, "p5")  # Ann's page holds the first five ready
        other.press("d")
        other.wait("!document.querySelector('#end').hidden")
        page.press("p")
        shown(page, "p1")
        sent(page)
    assert sorted(said(table)) == [("p0", "Ann", "pass"), ("p5", "Bob", "discard")]

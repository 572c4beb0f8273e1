"""A review sheet is worked through on the page, and counts as the filled file does."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import expect

from radvqa import files
from radvqa.commands.diagnose import diagnose, take_in
from radvqa.diagnosing import judgements
from radvqa.diagnosing.sheet_file import asked
from records_server import Server, page_of, running, until
from report_runs import make_run

ON = {"run": "group/mine", "data": "slake:en", "split": "test"}


@pytest.fixture(scope="module")
def diagnosed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheets")
    run = make_run(folder / "runs" / "group" / "mine", skill=0.6, strange="=<b>bold</b>")
    make_run(folder / "runs" / "other", scored=False)
    diagnose(run.folder, fewest=8, rows=6, backbone="grey", pairs=False)
    return folder


@pytest.fixture
def place(diagnosed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(diagnosed, tmp_path / "served"))


@pytest.fixture
def server(place: Path) -> Iterator[Server]:
    with running(place) as opened:
        yield opened


def sheet_of(place: Path) -> Path:
    return place / "runs" / "group" / "mine" / "diagnosis" / "sheet.csv"


def judged(place: Path) -> list[tuple[str, str, str]]:
    kept = judgements.kept(place / "runs" / "group" / "mine" / "judged.jsonl")
    return [(one.id, one.reviewer, one.verdict) for one in kept]


def mark(row: str, verdict: str, reviewer: str = "Ann", **more: str) -> dict[str, Any]:
    return {**ON, "id": row, "reviewer": reviewer, "verdict": verdict, **more}


def test_marks_count_as_a_filled_sheet_does(server: Server, place: Path) -> None:
    rows = server.get("/api/sheets/rows", **ON, reviewer="Ann")["rows"]
    assert [row["id"] for row in rows] == [row.id for row in asked(sheet_of(place))]
    verdicts = ["model-wrong", "gold-wrong", "both-acceptable", "question-unclear", "image-unclear"]
    said = {
        who: {row["id"]: (verdicts[(place + shift) % 5], f"word {place % 2}") for place, row in enumerate(rows)}
        for shift, who in enumerate(("Ann", "Bob"))
    }
    for who, marks in said.items():
        for row, (verdict, failure) in marks.items():
            summary = server.post("/api/sheets/marks", **mark(row, verdict, who, failure=failure, comment='-1, "so"'))
    # the same as a file, read back by the command into a copy that nobody touched
    table = list(csv.DictReader(io.StringIO(sheet_of(place).read_text(encoding="utf-8-sig"), newline="")))
    run, other = place / "runs" / "group" / "mine", place / "runs" / "copy"
    shutil.copytree(run, other, ignore=shutil.ignore_patterns("judged.jsonl"))
    sheets = []
    for who, marks in said.items():
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, table[0].keys())
        writer.writeheader()
        for cells in table:
            verdict, failure = marks[cells["id"]]
            filled = {"verdict": verdict, "failure": failure, "comment": '\'-1, "so"', "reviewer": who}
            writer.writerow({**cells, **filled})
        sheets.append(place / f"{who}.csv")
        files.write_text(sheets[-1], buffer.getvalue())
    found = json.loads(json.dumps(take_in(other, sheets)))
    assert summary["summary"] == found["judged"]
    assert judgements.kept(run / "judged.jsonl") == judgements.kept(other / "judged.jsonl")
    assert files.read_json(run / "diagnosis.json")["judged"] == found["judged"]
    again = diagnose(run, fewest=8, rows=6, backbone="grey", pairs=False)
    assert json.loads(json.dumps(again["judged"])) == found["judged"]
    (listed,) = [one for one in server.get("/api/sheets")["sheets"] if one["run"] == ON["run"]]
    assert (listed["rows"], listed["judged"], listed["reviewers"]) == (6, 6, {"Ann": 6, "Bob": 6})


def test_a_killed_server_loses_no_mark_and_one_is_taken_back(place: Path) -> None:
    with running(place) as server:
        rows = [row["id"] for row in server.get("/api/sheets/rows", **ON)["rows"]]
        server.post("/api/sheets/marks", **mark(rows[0], "model-wrong"))
        server.post("/api/sheets/marks", **mark(rows[1], "gold-wrong"))
        server.process.kill()
    assert judged(place) == sorted([(rows[0], "Ann", "model-wrong"), (rows[1], "Ann", "gold-wrong")])
    with running(place) as server:
        marks = server.get("/api/sheets/rows", **ON, reviewer="Ann")["marks"]
        assert {row: one["verdict"] for row, one in marks.items()} == {rows[0]: "model-wrong", rows[1]: "gold-wrong"}
        assert server.get("/api/sheets/rows", **ON, reviewer="Bob")["marks"] == {}
        server.post("/api/sheets/marks", **mark(rows[0], "image-unclear"))
        server.post("/api/sheets/marks", **mark(rows[1], ""))
    assert judged(place) == [(rows[0], "Ann", "image-unclear")]


def test_two_servers_on_one_sheet_lose_nothing(place: Path) -> None:
    with running(place) as one, running(place) as other:
        rows = [row["id"] for row in one.get("/api/sheets/rows", **ON)["rows"]]

        def say(server: Server, who: str) -> None:
            for row in rows:
                server.post("/api/sheets/marks", **mark(row, "model-wrong", who))

        threads = [Thread(target=say, args=pair) for pair in ((one, "Ann"), (other, "Bob"), (one, "Cid"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert judged(place) == sorted((row, who, "model-wrong") for row in rows for who in ("Ann", "Bob", "Cid"))


def test_what_does_not_fit_is_refused(server: Server, place: Path) -> None:
    row = server.get("/api/sheets/rows", **ON)["rows"][0]["id"]
    for wrong, told in (
        (mark(row, "maybe"), "verdict"),
        (mark("absent", "model-wrong"), "absent"),
        (mark(row, "model-wrong", " "), "name"),
        ({**mark(row, "model-wrong"), "run": "other"}, "no review sheet"),
        ({**mark(row, "model-wrong"), "run": "../group/mine"}, "no run"),
    ):
        status, _, content = server.ask("POST", "/api/sheets/marks", wrong)
        assert status in (404, 422)
        assert told in content.decode()
        assert str(place) not in content.decode()
    run = place / "runs" / "group" / "mine"
    files.write_jsonl(
        run / "predictions.jsonl",
        ({**row, "prediction": "another"} for row in files.read_jsonl(run / "predictions.jsonl")),
    )
    detail = server.post("/api/sheets/marks", 422, **mark(row, "model-wrong"))["detail"]
    assert "make the sheet anew" in detail
    assert str(place) not in detail
    assert judged(place) == []


def test_pictures_are_the_small_copies_where_the_data_set_is_not_at_hand(server: Server) -> None:
    row = server.get("/api/sheets/rows", **ON)["rows"][0]
    query = "&".join(f"{key}={value}" for key, value in ON.items())
    status, headers, content = server.ask("GET", f"/api/sheets/picture?{query}&id={row['id']}")
    assert (status, headers["content-type"], content[8:12]) == (200, "image/webp", b"WEBP")
    assert server.ask("GET", f"/api/sheets/picture?{query}&id=absent")[0] == 422
    assert "map" in server.refused(f"/api/sheets/picture?{query}&id={row['id']}&map=true")


@pytest.mark.slow
def test_a_sheet_is_worked_through_by_keyboard(place: Path) -> None:
    with running(place) as server, page_of(f"{server.address}#/judge") as page:
        page.get_by_role("link", name="group/mine").click()
        expect(page.get_by_text("Question 1 of 6, 0 judged")).to_be_visible()
        until(page, "document.querySelector('.sheet img').naturalWidth > 0")
        page.keyboard.press("2")
        expect(page.get_by_text("Write your name or initials first")).to_be_visible()
        page.keyboard.type("Ann")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Kept as Ann.")).to_be_visible()
        page.evaluate("document.activeElement.blur()")
        for number, key in enumerate("13455", start=2):
            page.keyboard.press("ArrowRight" if number % 2 else "j")
            expect(page.get_by_text(f"Question {number} of 6, {number - 1} judged")).to_be_visible()
            page.keyboard.press(key)
            expect(page.get_by_text("Kept as Ann.")).to_be_visible()
        page.get_by_label("What went wrong").fill("side 1 2 3")  # digits are letters here
        page.get_by_label("Comment").fill("right lung")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Kept as Ann.")).to_be_visible()
        page.get_by_role("button", name="Question 3, judged").click()
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text("Taken back.")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Question 3 of 6, 5 judged")).to_be_visible()  # goes on where something is left
        page.get_by_role("button", name="Question 6, judged").click()
        expect(page.get_by_label("What went wrong")).to_have_value("side 1 2 3")
        page.get_by_role("link", name="← Judge").click()
        expect(page.locator(".sheets")).to_contain_text("5 of 6 judged")
    rows = [row.id for row in asked(sheet_of(place))]
    verdicts = ["gold-wrong", "model-wrong", "both-acceptable", "question-unclear", "image-unclear", "image-unclear"]
    expected = [
        (row, "Ann", verdict) for place_, (row, verdict) in enumerate(zip(rows, verdicts, strict=True)) if place_ != 2
    ]
    assert judged(place) == sorted(expected)
    kept = {one.id: one for one in judgements.kept(place / "runs" / "group" / "mine" / "judged.jsonl")}
    assert (kept[rows[5]].failure, kept[rows[5]].comment) == ("side 1 2 3", "right lung")

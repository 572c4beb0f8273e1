"""Runs in a real browser: a training that grows while it is watched, and two runs side by side."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from radvqa.run import Run
from records_server import page_of, running, until
from report_runs import make_run, recipe

pytestmark = pytest.mark.slow


def look(epoch: int) -> dict[str, float | bool]:
    return {
        "epoch": epoch,
        "train_loss": 2.0 / epoch,
        "val_loss": 1.5 / epoch,
        "val_accuracy": 0.1 * epoch,
        "best": True,
    }


def test_the_curve_grows_while_a_run_trains(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs" / "mine", recipe("cnn_lstm", epochs=5, seed=0), {"data": {}})
    run.write_history([look(1), look(2)])
    with running(tmp_path) as server, page_of(f"{server.address}#/runs") as page:
        expect(page.locator("table.runs")).to_contain_text("training")
        page.get_by_role("link", name="mine").click()
        expect(page.locator(".curves")).to_have_attribute("data-looks", "2")
        with (run.folder / "history.jsonl").open("a", encoding="utf-8") as growing:
            whole = json.dumps(look(3)) + "\n" + json.dumps(look(4))
            growing.write(whole[:-5])  # as a reader may find it while it is written
            growing.flush()
            expect(page.locator(".curves")).to_have_attribute("data-looks", "3", timeout=15_000)
            growing.write(whole[-5:] + "\n")
        expect(page.locator(".curves")).to_have_attribute("data-looks", "4", timeout=15_000)
        expect(page.get_by_role("img", name="Accuracy selection split: last 40.0 %")).to_be_visible()
        page.get_by_text("The same as a table, 4 looks").click()
        expect(page.get_by_role("row", name="4 0.5000 0.3750 40.0 % ✓")).to_be_visible()
        run.finish({})
        expect(page.locator(".run-head")).to_contain_text("finished", timeout=15_000)


@pytest.mark.parametrize("width", [1280, 390])
def test_two_runs_are_picked_and_compared(tmp_path: Path, width: int) -> None:
    make_run(tmp_path / "runs" / "weak", skill=0.5, strange="<img src=x onerror=alert(1)>")
    make_run(tmp_path / "runs" / "group" / "strong", name="clip_bert", seed=3, skill=0.9)
    view = {"width": width, "height": 900}
    with running(tmp_path) as server, page_of(f"{server.address}#/runs", viewport=view) as page:
        button = page.get_by_role("button", name="Compare two runs")
        expect(button).to_be_disabled()
        page.get_by_label("Compare weak").check()
        page.get_by_label("Compare group/strong").press("Space")
        button.click()
        expect(page.get_by_text("strong is better than weak: +")).to_have_count(2)
        expect(page.get_by_role("region", name="Paired difference in accuracy")).to_be_visible()
        chip = page.get_by_role("button", name="Only strong right")
        chip.click()
        expect(chip).to_have_attribute("aria-pressed", "true")
        many = int(chip.locator(".number").inner_text())
        expect(page.locator(".questions li")).to_have_count(min(25, many))
        page.get_by_role("button", name="All").click()
        page.get_by_role("button", name="Later →").click()
        expect(page.get_by_text("26–50 of 80")).to_be_visible()
        page.get_by_label("Search questions").fill("onerror")
        expect(page.locator(".questions li")).to_have_count(1)
        expect(page.locator(".questions li")).to_contain_text("<img src=x")
        until(page, "document.querySelector('.questions img').naturalWidth > 0")
        assert page.evaluate("document.documentElement.scrollWidth") == width

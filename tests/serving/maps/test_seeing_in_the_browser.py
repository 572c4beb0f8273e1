"""Where the model looked, in a real browser: the map over the picture, sliders, words, patches, evidence, Cancel."""

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import browsing
import tiny_run
from radvqa.data import image, registry
from radvqa.sample import Sample
from service import Service, service

PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("seen")
    runs = [tiny_run.trained(family, folder).folder for family in ("vilt", "linear_llm", "cnn_lstm")]
    models = [part for run in (*runs, "starter") for part in ("--model", run)]
    with service(folder, *models, "--device", "cpu") as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as one:
        yield one


@pytest.fixture
def page(browser: Browser, served: Service) -> Iterator[Page]:
    with browsing.page(browser, served.address) as opened:
        yield opened


@pytest.fixture(scope="module")
def sample() -> Sample:
    return registry.load_split("phantom:mini", "test")[0]


def asked(page: Page, sample: Sample, model: str, question: str = "") -> Locator:
    """Ask a model, and open where it looked."""
    page.set_input_files("input[type=file]", sample.image_path)
    expect(page.locator(".viewer .seen")).to_be_visible()
    for box in page.locator(".models input:checked").all():
        box.uncheck()
    page.get_by_label(model).check()
    page.get_by_label("Question", exact=True).fill(question or sample.question)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Where did it look?").click(timeout=PATIENCE)
    see = page.locator(".see")
    expect(see.get_by_text("A map says what moved the model, not what is in the picture.")).to_be_visible()
    return see


def made(see: Locator) -> None:
    """Wait until a map is there."""
    expect(see.locator(".job-busy").first).to_be_hidden(timeout=PATIENCE)
    expect(see.get_by_label("Opacity")).to_be_visible(timeout=PATIENCE)


def pixels(page: Page) -> image.Pixels:
    """The viewer as it is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    address = page.locator(".viewer .seen").evaluate("(canvas) => canvas.toDataURL()")
    return image.decode(base64.b64decode(address.split(",")[1]))


def differ(one: image.Pixels, other: image.Pixels) -> bool:
    return one.shape != other.shape or bool((np.abs(one.astype(int) - other.astype(int)) > 8).any())


def test_the_map_lies_over_the_picture_and_follows_its_sliders(page: Page, sample: Sample) -> None:
    page.set_input_files("input[type=file]", sample.image_path)
    expect(page.locator(".viewer .seen")).to_be_visible()
    bare = pixels(page)
    see = asked(page, sample, "vilt")
    made(see)
    laid = pixels(page)
    assert differ(bare, laid)
    see.get_by_label("Threshold").fill("90")
    expect(see.get_by_text("90 %")).to_be_visible()
    cut = pixels(page)
    assert differ(laid, cut)
    see.get_by_label("Threshold").fill("0")
    see.get_by_label("Opacity").fill("0")
    assert not differ(bare, pixels(page))
    see.get_by_label("Opacity").fill("100")
    assert differ(laid, pixels(page))


def test_layers_and_heads_are_chosen_where_a_method_has_them(page: Page, sample: Sample) -> None:
    see = asked(page, sample, "vilt")
    made(see)
    expect(see.get_by_label("Layer", exact=True)).to_have_count(0)
    see.get_by_label("Method").select_option("raw")
    expect(see.get_by_label("Layer", exact=True)).to_be_visible(timeout=PATIENCE)
    mean = pixels(page)
    see.get_by_label("Layer", exact=True).select_option("0")
    made(see)
    see.get_by_label("Head", exact=True).select_option("1")
    made(see)
    expect(see.get_by_label("Head", exact=True)).to_have_value("1")
    assert differ(mean, pixels(page))
    see.get_by_text("How much each head looks at the picture").click()
    see.locator("canvas.heads").click(position={"x": 2, "y": 2})
    expect(see.get_by_label("Head", exact=True)).to_have_value("0", timeout=PATIENCE)


def written(served: Service, sample: Sample) -> str:
    """A question that the tiny language model answers with several tokens."""
    picture = served.hand_in(sample.image_path.read_bytes())["id"]
    for one in registry.load_split("phantom:mini", "test"):
        asking = {"picture": picture, "question": one.question, "models": ["linear_llm"]}
        answer = served.events("/api/answers", asking)[-2][1]
        if len((answer["answer"] or "").split()) > 0 and len(answer["tokens"]) > 2:
            return one.question
    raise AssertionError("the tiny model never writes two tokens")


def test_each_word_of_a_written_answer_is_chosen_for_its_own_map(page: Page, served: Service, sample: Sample) -> None:
    see = asked(page, sample, "linear_llm", written(served, sample))
    made(see)
    strip = see.get_by_role("group", name="Map of the whole answer, or of one of its words")
    expect(strip.get_by_role("button", name="The whole answer")).to_have_attribute("aria-pressed", "true")
    whole = pixels(page)
    strip.get_by_role("button", name="Word 1:").click()
    made(see)
    expect(strip.get_by_role("button", name="Word 1:")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    assert differ(whole, pixels(page))


def test_a_click_on_the_picture_says_which_words_the_patch_moved(page: Page, sample: Sample) -> None:
    see = asked(page, sample, "vilt")
    made(see)
    seen = page.locator(".viewer .seen")
    box = seen.bounding_box()
    assert box is not None
    seen.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    patch = see.locator(".patch")
    expect(patch.get_by_text("How probable each word is with the patch")).to_be_visible(timeout=PATIENCE)
    expect(patch.get_by_text("How much of each word's attention lies on this patch")).to_be_visible()
    answer = page.locator(".answer-text").inner_text()
    expect(patch.locator(".moved-word").first).to_have_text(answer)
    assert "→" in patch.locator("li").last.inner_text()
    expect(page.locator(".viewer .mark")).to_have_text("patch")


def test_words_and_evidence_come_when_asked_for(page: Page, sample: Sample) -> None:
    see = asked(page, sample, "cnn_lstm")
    made(see)
    see.get_by_role("button", name="Leave each word out").click()
    expect(see.locator(".word")).to_have_count(len(sample.question.split()), timeout=PATIENCE)
    see.get_by_role("button", name="Test this map").click()
    table = see.locator(".evidence")
    expect(table.get_by_role("row", name="Deletion")).to_be_visible(timeout=PATIENCE)
    for row in (table.get_by_role("row", name="Deletion"), table.get_by_role("row", name="Insertion")):
        good = "✓" in row.inner_text()
        value, random = (float(row.locator("td").nth(at).inner_text().split()[0]) for at in (0, 1))
        if value != random:
            assert good == ((value < random) if "Deletion" in row.inner_text() else (value > random))
    none_applies = see.get_by_role("option", name="Attention rollout (does not apply)")
    expect(none_applies).to_be_disabled()


def test_a_slow_map_is_cancelled_and_made_again(page: Page, sample: Sample) -> None:
    see = asked(page, sample, "starter", "What modality is used to take this image?")
    see.get_by_role("button", name="Make the map").click()
    expect(see.get_by_text("Occlusion: ")).to_be_visible(timeout=PATIENCE)
    see.get_by_role("button", name="Cancel").first.click()
    expect(see.get_by_text("Stopped.")).to_be_visible()
    expect(see.locator(".job-busy").first).to_be_hidden()
    see.get_by_role("button", name="Make the map").click()
    expect(see.get_by_text("Occlusion: ")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Question", exact=True).fill("Is this an X-ray?")
    page.keyboard.press("Enter")  # another question ends the work and takes everything away
    expect(page.locator(".see")).to_have_count(0)


def test_truth_of_a_sample_is_drawn_and_measured(page: Page, served: Service) -> None:
    page.get_by_role("button", name="Choose a sample").click()
    shown = next(
        one
        for one in registry.load_split("phantom:mini", "test")
        if any(region.label.lower() in one.question.lower() for region in registry.regions("phantom:mini", one.image))
    )
    with served.client() as http:
        body = {"data": "phantom:mini", "split": "test", "id": shown.id}
        facts = http.post("/api/samples", json=body).json()
    page.evaluate(
        "async (picture) => { const { state } = await import('/page/js/state.js');"
        " state.set({ picture, view: {}, question: picture.truth.question }); location.hash = '#/runs'; }",
        facts,
    )
    page.evaluate("location.hash = '#/ask'")
    expect(page.locator(".viewer .seen")).to_be_visible()
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Where did it look?").click(timeout=PATIENCE)
    see = page.locator(".see")
    made(see)
    labels = see.get_by_label("Show where the data set's labels lie")
    labels.check()
    expect(page.locator(".viewer .mark").first).to_be_visible()
    assert any("asked about" in text for text in page.locator(".viewer .mark").all_inner_texts())
    expect(see.get_by_role("row", name="Energy inside")).to_be_visible()
    labels.uncheck()
    expect(page.locator(".viewer .mark")).to_have_count(0)


def test_models_are_compared_and_the_panel_is_kept(page: Page, sample: Sample, tmp_path: Path) -> None:
    page.goto(page.url.split("#")[0] + "#/compare")
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
    page.set_input_files("input[type=file]", sample.image_path)
    expect(page.locator(".viewer .seen")).to_be_visible()
    page.get_by_label("Question", exact=True).fill(sample.question)
    page.get_by_role("button", name="Compare", exact=True).click()
    sentence = page.locator(".agreement")
    expect(sentence).to_be_visible(timeout=PATIENCE)
    texts = page.locator(".answer-text").all_inner_texts()
    given = {text.lower() for text in texts if text != "No answer"}
    assert ("agree:" in sentence.inner_text()) == (len(given) == 1)
    assert page.get_by_role("article").count() == 4
    card = page.get_by_role("article", name="Answer of vilt")
    card.get_by_role("button", name="Where did it look?").click()
    expect(card.get_by_role("img", name="Where vilt looked")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Make the panel").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the PNG").click(timeout=PATIENCE)
    download.value.save_as(tmp_path / "panel.png")
    kept = image.decode((tmp_path / "panel.png").read_bytes())
    assert kept.shape[1] == 540
    expect(page.get_by_role("link", name="Runs").last).to_have_attribute("href", "#/runs")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(
    browser: Browser, served: Service, sample: Sample, scheme: str, width: int
) -> None:
    kind = "dark" if scheme == "dark" else "light"
    with browsing.page(browser, served.address, size=(width, 844), scheme=kind) as page:  # type: ignore[arg-type]
        see = asked(page, sample, "vilt")
        made(see)
        see.get_by_text("How much each head looks at the picture").click()
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0

"""The panel of one question: a PNG of a good size, with ticks and crosses only where the truth is known."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from maps_service import Here, running

import tiny_run
from radvqa.data import image, registry
from radvqa.report.figures.style import RIGHT, WRONG
from radvqa.sample import Sample
from radvqa.serving.pictures.picture import Truth


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("panel")
    with running(folder, "starter", tiny_run.trained("cnn_lstm", folder).folder) as service:
        yield service


@pytest.fixture(scope="module")
def sample() -> Sample:
    return registry.load_split("phantom:mini", "test")[0]


def drawn(here: Here, sample: Sample, truth: str | None, models: list[str]) -> image.Pixels:
    known = None
    if truth is not None:
        known = Truth("phantom:mini", "test", sample.id, sample.question, truth, sample.answer_type, sample.image)
    picture = here.hand_in(sample.image_path.read_bytes(), known)
    with here.client() as http:
        reply = http.post("/api/panel", json={"picture": picture.id, "question": sample.question, "models": models})
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "image/png"
    return image.decode(reply.content)


def has(pixels: image.Pixels, colour: str) -> bool:
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return pixels.ndim == 3 and bool((np.abs(pixels.astype(int) - wanted).max(2) <= 2).any())


def answer(here: Here, sample: Sample, model: str) -> str:
    picture = here.hand_in(sample.image_path.read_bytes())
    said: dict[str, Any] = here.event("/api/answers", picture=picture.id, question=sample.question, models=[model])
    return str(said["answer"])


def test_a_panel_is_a_picture_that_grows_with_its_answers(here: Here, sample: Sample) -> None:
    one = drawn(here, sample, None, ["cnn_lstm"])
    two = drawn(here, sample, None, ["cnn_lstm", "starter"])
    assert one.shape[1] == two.shape[1] == 540  # 2.7 inches of 200 pixels
    assert two.shape[0] > one.shape[0] > 540
    assert not has(two, RIGHT)
    assert not has(two, WRONG)


def test_right_and_wrong_are_marked_where_the_truth_is_known(here: Here, sample: Sample) -> None:
    right = drawn(here, sample, answer(here, sample, "cnn_lstm").upper(), ["cnn_lstm"])
    wrong = drawn(here, sample, "nothing of the kind", ["cnn_lstm"])
    assert has(right, RIGHT)
    assert not has(right, WRONG)
    assert has(wrong, WRONG)
    assert not has(wrong, RIGHT)


def test_a_panel_of_nobody_is_refused(here: Here, sample: Sample) -> None:
    picture = here.hand_in(sample.image_path.read_bytes())
    said = here.refusal("/api/panel", picture=picture.id, question=sample.question, models=["nobody"])
    assert "no model 'nobody'" in said

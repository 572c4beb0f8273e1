"""Models that can only be asked: an endpoint that sees, behind a real server on loopback."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from chat_server import serving
from radvqa.data import image
from radvqa.errors import RadvqaError
from radvqa.explaining.asking import Asked, Reply, asking
from radvqa.explaining.evidence.localisation import localised
from radvqa.explaining.explain import Asking, explain
from radvqa.models import zoo
from radvqa.models.family import Context
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

SIDE = 56


def bright_corner(body: dict[str, Any], _: int) -> str:
    """A model that sees one thing: whether the upper left corner is bright."""
    parts = body["messages"][-1]["content"]
    uri = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as shown:
        pixels = np.asarray(shown.convert("L"))
    corner = pixels[: pixels.shape[0] // 3, : pixels.shape[1] // 3]
    return "Yes" if corner.mean() > 180 else "No"


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    pixels = np.full((SIDE, SIDE), 30, np.uint8)
    pixels[4:16, 4:16] = 250
    pixels[:18, :18] = np.maximum(pixels[:18, :18], 140)
    path = tmp_path / "picture.png"
    path.write_bytes(image.encode_png(pixels))
    return Sample("one", "d", "test", "picture.png", path, "Is there a light?", "Yes", "CLOSED", source="row 1")


def test_occlusion_finds_what_an_endpoint_looks_at(sample: Sample) -> None:
    with serving(bright_corner) as server:
        section = {"family": "endpoint", "base_url": server.url, "model": "eye", "retries": 0, "max_tokens": 8}
        model = zoo.build(ModelSection.model_validate(section), Context(training=[sample]))
        picture = image.decode(sample.image_path)
        place = np.zeros((SIDE, SIDE), bool)
        place[: SIDE // 3 + 4, : SIDE // 3 + 4] = True
        found = explain(model, "endpoint", sample, Asking(picture, ("occlusion", "grad-cam"), proof=False, place=place))
        assert found.said.text == "Yes"
        against = localised(found.maps["occlusion"].heat, place)
        assert against is not None
        assert against.energy > 0.9
        assert "can only be asked" in found.refused["grad-cam"]
        again = Asked(asking(model, sample), picture)
        assert again.scores([picture, np.zeros_like(picture)]).tolist() == [1.0, 0.0]


def test_other_answers_count_with_what_the_model_tells_of_them() -> None:
    reply = Reply("lung", 0.6, {"liver": 0.3})
    assert [reply.sure_of(one) for one in ("lung", "liver", "heart")] == [0.6, 0.3, 0.0]
    assert Reply("lung", None, {}).sure_of("lung") == 1.0


def test_a_model_that_says_nothing_has_nothing_to_explain() -> None:
    with pytest.raises(RadvqaError, match="says nothing"):
        Asked(lambda pictures: [Reply("", None, {}) for _ in pictures], np.zeros((4, 4), np.uint8))

"""Maps behind the service are those of ``radvqa.explaining``; slow ones tell how far they are, and can be stopped."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from maps_service import Here, body, running

import tiny_run
from radvqa.data import image, registry
from radvqa.explaining.asking import Asked, Reply
from radvqa.explaining.attention.raw import on_picture
from radvqa.explaining.black_box.covering import covered
from radvqa.explaining.evidence.baselines import in_the_centre
from radvqa.explaining.evidence.localisation import localised
from radvqa.explaining.evidence.target import target
from radvqa.explaining.explain import Asking, Explanation, explain, explain_black_box
from radvqa.explaining.heat import averaged
from radvqa.explaining.methods import METHODS, Wishes
from radvqa.sample import Sample
from radvqa.serving.maps.looking import SIDE
from radvqa.serving.pictures.picture import Picture, Truth
from radvqa.starter.model import Starter

LOOKS, JOINS, WRITES = "vilt", "cnn_lstm", "qwen2_vl"
FAMILIES = (LOOKS, JOINS, WRITES)
ATTENTION = {name for name, one in METHODS.items() if one.kind == "attention"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("maps")
    runs = [tiny_run.trained(family, folder).folder for family in FAMILIES]
    with running(folder, "starter", *runs) as service:
        yield service


@pytest.fixture(scope="module")
def sample() -> Sample:
    """A question about a labelled region."""
    for one in registry.load_split("phantom:mini", "test"):
        found = target(one.question, one.answer, registry.regions("phantom:mini", one.image), 64, 64)
        if found is not None and not found.all():
            return one
    raise AssertionError("no question of the phantom is about a region")


@pytest.fixture(scope="module")
def picture(here: Here, sample: Sample) -> Picture:
    truth = Truth("phantom:mini", "test", sample.id, sample.question, sample.answer, sample.answer_type, sample.image)
    return here.hand_in(sample.image_path.read_bytes(), truth)


@pytest.fixture(scope="module")
def explained(here: Here, sample: Sample) -> dict[str, Explanation]:
    """What ``radvqa explain`` computes for the same picture, question and weights."""
    pixels = image.decode(sample.image_path)
    found = {}
    for family in FAMILIES:
        asking = Asking(pixels, proof=family == LOOKS)
        found[family] = explain(here.answerer(family).model, family, sample, asking)
    return found


def values(event: dict[str, Any]) -> np.ndarray[Any, Any]:
    drawn = event["map"]
    scaled = np.frombuffer(base64.b64decode(drawn["data"]), np.uint8).reshape(drawn["rows"], drawn["columns"])
    found: np.ndarray[Any, Any] = scaled / 255 * float(drawn["high"])
    return found


def shrunk(heat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shrink = max(1.0, max(heat.shape) / SIDE)
    return averaged(heat, round(heat.shape[0] / shrink), round(heat.shape[1] / shrink))


def assert_same_map(event: dict[str, Any], heat: np.ndarray[Any, Any]) -> None:
    expected = shrunk(heat)
    assert values(event) == pytest.approx(expected, abs=max(1e-9, 0.01 * float(expected.max())))


@contextmanager
def counted() -> Iterator[list[int]]:
    """How often a module of any model runs meanwhile, in ``[0]``."""
    passes = [0]

    def count(*_: object) -> None:
        passes[0] += 1

    handle = torch.nn.modules.module.register_module_forward_pre_hook(count)
    try:
        yield passes
    finally:
        handle.remove()


@pytest.mark.parametrize("family", FAMILIES)
def test_cheap_maps_are_those_of_explain(
    family: str, here: Here, picture: Picture, sample: Sample, explained: dict[str, Explanation]
) -> None:
    for name, expected in explained[family].maps.items():
        event = here.event("/api/maps", **body(picture, sample.question, family, method=name))
        assert_same_map(event, expected.heat)
        assert event["answer"] == explained[family].said.text
        assert event["flat"] == bool(np.ptp(expected.heat) <= 1e-12)
        assert [token["text"] for token in event["tokens"]] == list(explained[family].said.spelled)
        if expected.words is None:
            assert event["words"] is None
        else:
            assert [word["text"] for word in event["words"]] == list(explained[family].asked)
            assert [word["weight"] for word in event["words"]] == pytest.approx(expected.words.tolist(), rel=1e-3)


def test_heads_and_patches_are_those_of_explain(
    here: Here, picture: Picture, sample: Sample, explained: dict[str, Explanation]
) -> None:
    looks = explained[LOOKS].looks
    assert looks is not None
    event = here.event("/api/maps", **body(picture, sample.question, LOOKS, method="rollout"))
    assert np.array(event["heads"]) == pytest.approx(on_picture(looks), abs=1e-4)
    assert [layer["heads"] for layer in event["layers"]] == [len(layer) for layer in looks.told]
    patches = event["patches"]
    assert (patches["rows"], patches["columns"]) == explained[LOOKS].grid
    told = np.frombuffer(base64.b64decode(patches["data"]), "<f4").reshape(patches["tokens"], -1)
    assert told == pytest.approx(torch.stack([layer.mean(0) for layer in looks.told]).mean(0).numpy(), abs=1e-5)


def test_a_layer_and_a_head_may_be_chosen(here: Here, picture: Picture, sample: Sample) -> None:
    pixels = image.decode(sample.image_path)
    asking = Asking(pixels, ("raw",), wishes=Wishes(layer=1, head=0), proof=False)
    expected = explain(here.answerer(LOOKS).model, LOOKS, sample, asking).maps["raw"]
    event = here.event("/api/maps", **body(picture, sample.question, LOOKS, method="raw", layer=1, head=0))
    assert_same_map(event, expected.heat)
    mean = here.event("/api/maps", **body(picture, sample.question, LOOKS, method="raw"))
    assert values(mean) != pytest.approx(values(event), abs=1e-6)


def test_each_word_of_a_written_answer_has_a_map(here: Here, picture: Picture, sample: Sample) -> None:
    pixels = image.decode(sample.image_path)
    asking = Asking(pixels, ("relevancy",), token=1, proof=False)
    expected = explain(here.answerer(WRITES).model, WRITES, sample, asking).maps["relevancy"]
    event = here.event("/api/maps", **body(picture, sample.question, WRITES, method="relevancy", token=1))
    assert event["token"] == 1
    assert_same_map(event, expected.heat)


def test_the_same_answer_is_opened_once(here: Here, picture: Picture, sample: Sample) -> None:
    asked = body(picture, sample.question, LOOKS, method="grad-cam")
    here.event("/api/maps", **asked)
    with counted() as passes:
        here.event("/api/maps", **asked)
        here.event("/api/maps", **body(picture, sample.question, LOOKS, method="relevancy"))
    assert passes[0] == 0
    with counted() as passes:
        here.event("/api/maps", **body(picture, f"{sample.question} Really?", LOOKS, method="grad-cam"))
    assert passes[0] > 0


def test_the_starter_is_explained_from_outside(here: Here, picture: Picture) -> None:
    question = "What modality is used to take this image?"
    pixels = image.decode(picture.content)
    starter = Starter.load()
    events = here.events("/api/maps", **body(picture, question, "starter", method="occlusion"))

    def ask(pictures: Any) -> list[Reply]:
        said = [starter.answer(one, question) for one in pictures]
        return [Reply(one.answer, one.confidence, dict(one.candidates)) for one in said]

    expected = explain_black_box(Asked(ask, pixels), Asking(pixels, ("occlusion",), proof=False)).maps["occlusion"]
    assert_same_map(events[-2][1], expected.heat)
    told = [data for name, data in events if name == "progress" and data["total"]]
    assert {data["total"] for data in told} == {14 * 14 + 1}
    assert [data["done"] for data in told] == sorted({data["done"] for data in told})


@pytest.mark.parametrize("method", ["occlusion", "rise", "integrated-gradients", "smooth-grad"])
def test_slow_maps_tell_every_pass(method: str, here: Here, picture: Picture, sample: Sample) -> None:
    events = here.events("/api/maps", **body(picture, sample.question, JOINS, method=method))
    told = [data for name, data in events if name == "progress" and data["total"]]
    assert told[0]["done"] == 0
    assert told[-1]["done"] < told[-1]["total"]
    assert len(told) >= 4
    assert events[-2][0] == "map"


def test_a_map_that_nobody_waits_for_is_not_made(here: Here, picture: Picture, sample: Sample) -> None:
    question = f"{sample.question} Again?"
    here.event("/api/maps", **body(picture, question, WRITES, method="grad-cam"))
    with counted() as passes, here.client() as http:
        with http.stream("POST", "/api/maps", json=body(picture, question, WRITES, method="rise")) as reply:
            for line in reply.iter_lines():
                if line.startswith("data:") and '"done": 16,' in line:
                    break
        settled, before = 0, -1
        while settled < 10:  # half a second without a pass
            settled = settled + 1 if passes[0] == before else 0
            before = passes[0]
            time.sleep(0.05)
        stopped_at = passes[0]
        whole = counted_passes_of_rise(here, picture, question)
    assert stopped_at < whole / 2


def counted_passes_of_rise(here: Here, picture: Picture, question: str) -> int:
    with counted() as passes:
        here.event("/api/maps", **body(picture, question, WRITES, method="rise"))
    return passes[0]


def test_questions_are_answered_while_a_map_is_made(here: Here, picture: Picture, sample: Sample) -> None:
    events: list[str] = []
    begun = threading.Event()

    def make() -> None:
        asked = body(picture, sample.question, WRITES, method="rise", token=0)
        with here.client() as http, http.stream("POST", "/api/maps", json=asked) as reply:
            for line in reply.iter_lines():
                if '"done": 16,' in line:
                    begun.set()
                if line.startswith("event: map"):
                    events.append("map")

    thread = threading.Thread(target=make)
    thread.start()
    assert begun.wait(60)
    said = here.event("/api/answers", picture=picture.id, question=sample.question, models=[WRITES])
    events.append("answer")
    thread.join(120)
    assert said["answer"] is not None
    assert events == ["answer", "map"]


def test_proof_and_place_are_those_of_explain(
    here: Here, picture: Picture, sample: Sample, explained: dict[str, Explanation]
) -> None:
    expected = explained[LOOKS].maps["rollout"]
    assert expected.proof is not None
    event = here.event("/api/maps", **body(picture, sample.question, LOOKS, method="rollout", proof=True))
    for name in ("deletion", "insertion", "random_deletion", "random_insertion"):
        assert event["proof"][name] == pytest.approx(getattr(expected.proof, name), abs=1e-3)
    assert event["proof"]["deletion_holds"] == (expected.proof.deletion < expected.proof.random_deletion)
    regions = registry.regions("phantom:mini", sample.image)
    pixels = image.decode(sample.image_path)
    place = target(sample.question, sample.answer, regions, *pixels.shape[:2])
    assert place is not None
    mine, centre = localised(expected.heat, place), localised(in_the_centre(pixels, ""), place)
    assert mine is not None
    assert centre is not None
    for name in ("hit", "energy", "overlap", "area"):
        assert event["place"][name] == pytest.approx(getattr(mine, name), abs=1e-3)
        assert event["place"]["centre"][name] == pytest.approx(getattr(centre, name), abs=1e-3)
    assert here.event("/api/maps", **body(picture, sample.question, LOOKS, method="rollout"))["proof"] is None


def test_words_left_out_are_those_of_explain(
    here: Here, picture: Picture, sample: Sample, explained: dict[str, Explanation]
) -> None:
    for family in FAMILIES:
        expected = explained[family].words
        assert expected is not None
        event = here.event("/api/words", **body(picture, sample.question, family))
        assert [word["text"] for word in event["words"]] == list(expected[0])
        assert [word["weight"] for word in event["words"]] == pytest.approx(expected[1].tolist(), abs=1e-4)
    event = here.event("/api/words", **body(picture, sample.question, "starter"))
    assert [word["text"] for word in event["words"]] == sample.question.split()


@pytest.mark.parametrize("model", ["starter", *FAMILIES])
def test_a_covered_patch_says_what_it_moved(model: str, here: Here, picture: Picture, sample: Sample) -> None:
    event = here.event("/api/patches", **body(picture, sample.question, model, box=[0.25, 0.25, 0.5, 0.5]))
    assert all(0 <= token[key] <= 1.0001 for token in event["tokens"] for key in ("before", "after"))
    if model != "starter":
        return
    pixels = image.decode(picture.content)
    starter = Starter.load()
    before = starter.answer(pixels, sample.question)
    after = starter.answer(covered(pixels, (0.25, 0.25, 0.5, 0.5)), sample.question)
    token = event["tokens"][0]
    assert token["text"] == before.answer
    assert token["before"] == pytest.approx(before.confidence)
    assert token["after"] == pytest.approx(dict(after.candidates).get(before.answer, 0.0))


def test_methods_say_whether_they_apply(here: Here) -> None:
    looks, joins, starter = (here.get("/api/methods", model=name) for name in (LOOKS, JOINS, "starter"))
    assert {one["name"] for one in looks["methods"]} == set(METHODS)
    assert all(one["applies"] for one in looks["methods"])
    assert looks["layers"]
    assert all(layer["heads"] > 0 for layer in looks["layers"])
    assert {one["name"] for one in joins["methods"] if not one["applies"]} == ATTENTION
    assert all("no attention" in one["why"] for one in joins["methods"] if not one["applies"])
    assert joins["layers"] is None
    assert {one["name"] for one in starter["methods"] if one["applies"]} == {"occlusion", "rise"}
    assert {one["name"] for one in looks["methods"] if one["layered"]} == {"raw", "raw-question"}


def test_a_model_that_is_not_loaded_says_what_its_family_allows(here: Here, tmp_path: Path) -> None:
    folder = here.service.settings.runs / JOINS
    with running(tmp_path, "starter", folder) as fresh:
        told = fresh.get("/api/methods", model=JOINS)
        assert fresh.service.shelf.offer(JOINS).state == "waiting"
    assert told["layers"] is None
    assert all(one["applies"] for one in told["methods"] if one["kind"] != "attention")


def test_regions_are_those_of_the_data_set(here: Here, picture: Picture, sample: Sample) -> None:
    expected = registry.regions("phantom:mini", sample.image)
    told = here.get(f"/api/pictures/{picture.id}/regions", question=sample.question)["regions"]
    assert [one["label"] for one in told] == [one.label for one in expected]
    assert [one["box"] for one in told] == [pytest.approx(one.box) for one in expected]
    assert any(one["about"] for one in told)
    assert here.get(f"/api/pictures/{picture.id}/regions")["regions"] == told
    other = here.get(f"/api/pictures/{picture.id}/regions", question="What modality is used?")["regions"]
    assert not any(one["about"] for one in other)
    alone = here.hand_in(sample.image_path.read_bytes())
    assert here.get(f"/api/pictures/{alone.id}/regions", question=sample.question)["regions"] == []


@pytest.mark.parametrize(
    ("model", "wish", "why"),
    [
        (LOOKS, {"method": "grad-cm"}, "did you mean 'grad-cam'"),
        (LOOKS, {"method": "raw", "layer": 99}, "There is no layer 99"),
        (LOOKS, {"method": "raw", "head": 99}, "There is no head 99"),
        (LOOKS, {"method": "grad-cam", "layer": 0}, "has no layer or head"),
        (WRITES, {"method": "relevancy", "token": 99}, "no token 99"),
        (JOINS, {"method": "rollout"}, "no attention"),
        ("starter", {"method": "grad-cam"}, "can only be asked"),
        ("starter", {"method": "occlusion", "token": 3}, "one piece"),
        ("nobody", {"method": "grad-cam"}, "no model 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    model: str, wish: dict[str, Any], why: str, here: Here, picture: Picture, sample: Sample
) -> None:
    assert why.lower() in here.refusal("/api/maps", **body(picture, sample.question, model, **wish)).lower()


def test_a_patch_lies_in_the_picture(here: Here, picture: Picture, sample: Sample) -> None:
    here.refusal("/api/patches", **body(picture, sample.question, JOINS, box=[0.2, -1, 0.5, 0.5]))
    said = here.refusal("/api/patches", picture="gone", question="What?", model=JOINS, box=[0, 0, 1, 1])
    assert "choose it again" in said

"""Asking over HTTP: what comes back event by event, of one model and of several, and what stopping does."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import tiny_run
from radvqa.data import image, registry
from radvqa.starter.model import Starter
from service import Service, service

QUESTION = "What modality is used to take this image?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serving")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Service]:
    runs = [tiny_run.trained(family, folder).folder for family in ("qwen2_vl", "cnn_lstm")]
    with service(folder, *(part for run in ("starter", *runs) for part in ("--model", run)), "--device", "cpu") as one:
        yield one


@pytest.fixture(scope="module")
def phantom() -> Path:
    return registry.load_split("phantom:mini", "test")[0].image_path


@pytest.fixture(scope="module")
def picture(served: Service, phantom: Path) -> dict[str, Any]:
    return served.hand_in(phantom.read_bytes(), "phantom.png")


def asking(picture: dict[str, Any], *models: str, question: str = QUESTION) -> dict[str, Any]:
    return {"picture": picture["id"], "question": question, "models": list(models)}


def test_models_are_listed_and_the_first_is_asked(served: Service, picture: dict[str, Any], phantom: Path) -> None:
    with served.client() as http:
        told = http.get("/api/models").json()
    assert [one["name"] for one in told["models"]] == ["starter", "qwen2_vl", "cnn_lstm"]
    events = served.events("/api/answers", asking(picture))
    assert [name for name, _ in events][-2:] == ["answer", "end"]
    answer = events[-2][1]
    said = Starter.load().answer(phantom, QUESTION)
    assert answer["model"] == "starter"
    assert answer["answer"] == (None if said.abstained else said.answer)
    assert answer["abstained"] == said.abstained
    assert answer["confidence"] == pytest.approx(said.confidence, abs=1e-4)
    assert [one["answer"] for one in answer["candidates"]] == [text for text, _ in said.candidates]
    assert answer["notice"] == "For research only, not for diagnosis."
    with served.client() as http:
        assert http.get("/api/models").json()["models"][0]["state"] == "ready"


def test_several_models_answer_and_one_that_writes_is_heard(served: Service, picture: dict[str, Any]) -> None:
    events = served.events("/api/answers", asking(picture, "qwen2_vl", "cnn_lstm"))
    answers = {data["model"]: data for name, data in events if name == "answer"}
    assert set(answers) == {"qwen2_vl", "cnn_lstm"}
    tokens = [data["text"] for name, data in events if name == "token"]
    assert tokens
    assert {data["model"] for name, data in events if name == "token"} == {"qwen2_vl"}
    assert tokens[-1].lower().split() == answers["qwen2_vl"]["answer"].lower().split()
    again = served.events("/api/answers", asking(picture, "qwen2_vl"))
    assert ("answer", answers["qwen2_vl"]["answer"]) in [(name, data.get("answer")) for name, data in again]


def test_32_askers_at_a_time_hear_their_own_answers(served: Service, phantom: Path) -> None:
    starter = Starter.load()
    pixels = image.decode(phantom)
    pictures = [np.roll(pixels, 3 * number, 1) for number in range(8)]
    ids = [served.hand_in(image.encode_png(one)) for one in pictures]
    heard: dict[int, float] = {}

    def ask(number: int) -> None:
        events = served.events("/api/answers", asking(ids[number % 8]))
        heard[number] = next(data["confidence"] for name, data in events if name == "answer")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [starter.answer(one, QUESTION).confidence for one in pictures]
    assert len(set(expected)) > 4
    assert [heard[number] for number in range(32)] == pytest.approx([expected[n % 8] for n in range(32)], abs=1e-4)


def test_mistakes_are_told_in_a_sentence(served: Service, picture: dict[str, Any]) -> None:
    with served.client() as http:
        gone = http.post("/api/answers", json={**asking(picture), "picture": "nobody"})
        assert gone.status_code == 404
        assert "not kept" in gone.json()["detail"]
        unknown = http.post("/api/answers", json=asking(picture, "startr"))
        assert unknown.status_code == 422
        assert "'starter'" in unknown.json()["detail"]
        assert http.post("/api/answers", json={**asking(picture), "more": 1}).status_code == 422
        assert http.post("/api/answers", json=asking(picture, question="   ")).status_code == 422


def test_who_leaves_stops_the_writing(served: Service, picture: dict[str, Any]) -> None:
    with (
        served.client() as http,
        http.stream("POST", "/api/answers", json=asking(picture, "qwen2_vl")) as reply,
    ):
        for line in reply.iter_lines():
            if line.startswith("event: token"):
                break
    assert served.events("/api/answers", asking(picture, "qwen2_vl"))[-1][0] == "end"  # it is free again


def test_a_stopped_service_finishes_what_is_running(folder: Path, phantom: Path) -> None:
    with service(folder) as one:
        picture = one.hand_in(phantom.read_bytes())
        one.events("/api/answers", asking(picture))
        with one.client() as http, http.stream("POST", "/api/answers", json=asking(picture, question="Is it CT?")) as r:
            lines = r.iter_lines()
            first = next(lines)
            one.process.terminate()
            rest = list(lines)
        assert first.startswith("event: ")
        assert any(line.startswith("event: end") for line in rest)
        assert one.process.wait(60) in (0, -signal.SIGTERM)  # by its own end, or by the signal it had waited with
        with pytest.raises(httpx.ConnectError):
            one.events("/api/answers", asking(picture))

"""A trained run behind the service answers as elsewhere, keeps nothing on disk, and can be heard and stopped."""

import itertools
import math
import os
from pathlib import Path

import pytest

import tiny_run
from radvqa.answering import answer_prepared
from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.prediction import Prediction
from radvqa.sample import Sample
from radvqa.serving.answerers.answerer import Asked
from radvqa.serving.answerers.trained import TrainedAnswerer
from radvqa.serving.pictures.pictures import digest_of

FAMILIES = ("cnn_lstm", "vilt", "qwen2_vl", "blip")
WRITERS = ("qwen2_vl", "blip")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", params=FAMILIES)
def answerer(request: pytest.FixtureRequest, folder: Path) -> TrainedAnswerer:
    return TrainedAnswerer(tiny_run.trained(request.param, folder), "cpu")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "test")[:12]


@pytest.fixture(scope="module")
def expected(answerer: TrainedAnswerer, samples: list[Sample]) -> list[Prediction]:
    return answer_prepared(answerer.model, answerer.model.prepare(samples, Problems()), with_loss=False)[0]


def asked(sample: Sample) -> Asked:
    pixels = image.decode(sample.image_path)
    return Asked(pixels, digest_of(pixels), sample.question)


def files_in(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_answers_are_those_of_predict(
    answerer: TrainedAnswerer, samples: list[Sample], expected: list[Prediction]
) -> None:
    replies = answerer.answer([asked(sample) for sample in samples])
    assert [one.answer for one in replies] == [one.prediction for one in expected]
    assert [one.confidence for one in replies] == pytest.approx([one.confidence for one in expected], abs=1e-4)


def test_nothing_of_a_picture_reaches_the_cache_on_disk(
    answerer: TrainedAnswerer, samples: list[Sample], expected: list[Prediction]
) -> None:
    cache = Path(os.environ["RADVQA_CACHE"])
    before = files_in(cache)
    answerer.answer([asked(samples[0])])
    assert files_in(cache) == before
    room = answerer.room.cache().parent
    assert list(room.glob("*.png"))
    answerer.room.clear()
    assert not room.exists()
    assert answerer.answer([asked(samples[0])])[0].answer == expected[0].prediction


def test_the_room_is_emptied_when_it_is_full(
    answerer: TrainedAnswerer, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radvqa.serving.answerers.trained._PICTURES", 1)
    answerer.answer([asked(samples[0])])
    first = answerer.room.cache().parent
    answerer.answer([asked(samples[-1])])
    assert not first.exists()
    assert answerer.room.cache().is_dir()


def test_what_is_written_is_heard_token_by_token(
    answerer: TrainedAnswerer, samples: list[Sample], expected: list[Prediction]
) -> None:
    said: list[str] = []
    reply = answerer.speak(asked(samples[0]), said.append)
    assert reply.answer == expected[0].prediction
    total = sum(token.log_probability for token in reply.tokens)
    assert reply.confidence == pytest.approx(math.exp(total), abs=1e-4)
    assert all(
        token.others[0][1] == pytest.approx(token.log_probability, abs=1e-6) for token in reply.tokens if token.others
    )
    if answerer.run.name in WRITERS:
        assert answerer.writes
        assert said
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(said))
        assert said[-1].lower().split() == str(reply.answer).lower().split()
    else:
        assert not answerer.writes
        assert said == []
        assert len(reply.tokens) == 1


def test_what_the_listener_raises_stops_the_writing(
    answerer: TrainedAnswerer, samples: list[Sample], expected: list[Prediction]
) -> None:
    class EnoughError(Exception):
        pass

    heard: list[str] = []

    def stop(text: str) -> None:
        heard.append(text)
        raise EnoughError

    if answerer.writes:
        with pytest.raises(EnoughError):
            answerer.speak(asked(samples[0]), stop)
        assert len(heard) == 1
    assert answerer.answer([asked(samples[0])])[0].answer == expected[0].prediction

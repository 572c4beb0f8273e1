"""OpenAI's own client, and this package's, against a real service."""

import base64
import json
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import tiny_run
from radvqa import files
from radvqa.commands.predict import predict
from radvqa.commands.train import train
from radvqa.data import registry
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.exchange import ChatRequest
from radvqa.run import Run
from radvqa.sample import Sample
from radvqa.starter.model import Starter
from service import Service, service

FAMILIES = ("cnn_lstm", "paligemma", "blip")
GREY = "data:image/gif;base64,R0lGODlhAQABAIAAAHd3dwAAACwAAAAAAQABAAACAkQBADs="


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("openai")
    return {family: tiny_run.trained(family, folder, epochs=2) for family in FAMILIES}


@pytest.fixture(scope="module")
def served(runs: dict[str, Run]) -> Iterator[Service]:
    named = [part for run in ("starter", *(run.folder for run in runs.values())) for part in ("--model", run)]
    with service(runs["blip"].folder.parent, *named, "--device", "cpu") as one:
        yield one


@pytest.fixture(scope="module")
def client(served: Service) -> Iterator[openai.OpenAI]:
    with client_of(served) as one:
        yield one


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "test")


def client_of(served: Service) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.address}/v1", api_key="none", max_retries=0, timeout=120)


def uri(sample: Sample) -> str:
    return f"data:image/png;base64,{base64.b64encode(sample.image_path.read_bytes()).decode()}"


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def asked(client: openai.OpenAI, model: str, sample: Sample, **more: Any) -> Any:
    messages: Any = [user(picture(uri(sample)), text(sample.question))]
    return client.chat.completions.create(model=model, messages=messages, **more)


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["starter", *FAMILIES]
    assert client.models.retrieve("blip").owned_by == "radvqa blip"
    with pytest.raises(openai.NotFoundError, match="did you mean 'blip'"):
        client.models.retrieve("blib")


def test_an_abstention_says_why_and_a_guess_is_given_on_request(client: openai.OpenAI, samples: list[Sample]) -> None:
    starter = Starter.load()
    said = {sample.id: starter.answer(sample.image_path, sample.question) for sample in samples[:12]}
    unsure = next(sample for sample in samples if said[sample.id].abstained)
    expected = said[unsure.id]
    reply = asked(client, "starter", unsure, logprobs=True)
    assert reply.choices[0].message.content == expected.abstained == reply.radvqa["abstained"]
    assert reply.choices[0].logprobs is None
    assert reply.radvqa["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
    assert reply.radvqa["notice"] == "For research only, not for diagnosis."
    best = expected.candidates[0][0]
    ways: list[tuple[str, dict[str, Any]]] = [
        ("starter", {"extra_headers": {"X-Radvqa-Guess": "1"}}),
        ("starter", {"extra_body": {"radvqa": {"guess": True}}}),
        ("starter:guess", {}),
    ]
    for model, way in ways:
        guessed = asked(client, model, unsure, **way)
        assert (guessed.choices[0].message.content, guessed.radvqa["abstained"]) == (best, None)


@pytest.mark.parametrize("wishes", [{}, {"max_tokens": 2}, {"stop": ["o", "c0"]}])
@pytest.mark.parametrize("model", ["starter", *FAMILIES])
def test_a_stream_says_the_same(
    client: openai.OpenAI, samples: list[Sample], model: str, wishes: dict[str, Any]
) -> None:
    pieces = 0
    for sample in samples[:16]:
        whole = asked(client, model, sample, logprobs=True, **wishes)
        stream = asked(
            client, model, sample, logprobs=True, stream=True, stream_options={"include_usage": True}, **wishes
        )
        chunks = list(stream)
        choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
        said = [choice.delta.content for choice in choices if choice.delta.content]
        pieces = max(pieces, len(said))
        assert "".join(said) == whole.choices[0].message.content
        assert [c.finish_reason for c in choices if c.finish_reason] == [whole.choices[0].finish_reason]
        likely = whole.choices[0].logprobs
        told = [choice.logprobs.model_dump() for choice in choices if choice.logprobs]
        assert told == ([likely.model_dump()] if likely else [])
        assert chunks[-1].usage == whole.usage
        assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    if not wishes:
        assert (pieces > 2) == (model == "paligemma")


@pytest.mark.parametrize("model", FAMILIES)
def test_likelihoods_of_tokens_make_up_the_confidence(client: openai.OpenAI, samples: list[Sample], model: str) -> None:
    for sample in samples[:8]:
        reply = asked(client, model, sample, logprobs=True, top_logprobs=3)
        tokens = reply.choices[0].logprobs.content
        total = sum(token.logprob for token in tokens)
        assert reply.radvqa["confidence"] == pytest.approx(math.exp(total), abs=2e-5)
        assert reply.usage.completion_tokens == len(tokens)
        for token in tokens:
            assert token.top_logprobs[0].logprob == pytest.approx(token.logprob)
            assert len(token.top_logprobs) <= 3


def test_a_short_limit_cuts_and_says_so(client: openai.OpenAI, samples: list[Sample]) -> None:
    replies = [(asked(client, "paligemma", one), asked(client, "paligemma", one, max_tokens=1)) for one in samples[:8]]
    cut = [(whole, short) for whole, short in replies if short.choices[0].finish_reason == "length"]
    assert cut
    for whole, short in cut:
        assert whole.choices[0].message.content.startswith(short.choices[0].message.content)
        assert short.usage.completion_tokens == 1


def test_of_a_conversation_the_last_question_is_asked_about_the_last_picture(
    client: openai.OpenAI, samples: list[Sample]
) -> None:
    first, last = samples[0], next(one for one in samples if one.image_path != samples[0].image_path)
    conversation: list[Any] = [
        {"role": "system", "content": "Answer in French."},
        user(picture(uri(first)), text("Where is it?")),
        {"role": "assistant", "content": "There."},
        user(text("And here?"), picture(uri(last))),
        {"role": "assistant", "content": "Here."},
        {"role": "user", "content": last.question},
    ]
    long: Any = client.chat.completions.create(
        model="cnn_lstm", messages=conversation, temperature=0.7, top_p=0.1, seed=4
    )
    short = asked(client, "cnn_lstm", last)
    assert long.choices == short.choices
    assert long.radvqa == short.radvqa


def test_32_clients_at_a_time_hear_their_own_answers(served: Service, samples: list[Sample], runs: Any) -> None:
    starter = Starter.load()
    mine = samples[:32]
    heard: dict[int, float] = {}

    def ask(number: int) -> None:
        stream = bool(number % 2)
        with client_of(served) as one:
            reply = asked(one, "starter", mine[number], stream=stream)
            told = list(reply)[-1].radvqa if stream else reply.radvqa
        heard[number] = told["confidence"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [starter.answer(one.image_path, one.question).confidence for one in mine]
    assert len(set(expected)) > 16
    assert [heard[number] for number in range(32)] == pytest.approx(expected, abs=1e-3)


def test_the_endpoint_family_gets_the_answers_of_the_run_itself(
    served: Service, runs: dict[str, Run], tmp_path: Path
) -> None:
    predict(runs["cnn_lstm"].folder)
    page = files.read_json(runs["cnn_lstm"].folder.parent / "cnn_lstm.yaml")
    page["model"] = {
        "family": "endpoint",
        "base_url": f"{served.address}/v1",
        "model": "cnn_lstm",
        "prompts": {"vqa": "{question}"},
        "confidence": True,
    }
    recipe = tmp_path / "endpoint.yaml"
    files.write_json(recipe, page)
    run = train(recipe, out=tmp_path / "endpoint")
    predict(run.folder)
    here, there = (list(files.read_jsonl(one.folder / "predictions.jsonl")) for one in (runs["cnn_lstm"], run))
    assert [row["prediction"].lower() for row in here] == [row["prediction"].lower() for row in there]
    assert [row["confidence"] for row in here] == pytest.approx([row["confidence"] for row in there], abs=1e-4)
    with service(tmp_path, "--model", run.folder) as behind, client_of(behind) as client:  # a service that asks one
        said = asked(client, "endpoint", registry.load_split("phantom:mini", "test")[0], logprobs=True)
    assert said.choices[0].message.content == there[0]["prediction"]
    assert said.choices[0].logprobs is None


def test_who_asks_for_json_is_refused_so_that_it_falls_back(served: Service, samples: list[Sample]) -> None:
    endpoint = ChatEndpoint(f"{served.address}/v1", "cnn_lstm")
    message: Any = user(picture(uri(samples[0])), text(samples[0].question))
    replies = endpoint.ask_many([ChatRequest([message], {"type": "object"})])
    assert (replies.requests, replies.replies[0].refused) == (3, "")
    assert replies.replies[0].text


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"n": 2}, 400, "n: one answer"),
    ({"tools": [{"type": "function", "function": {"name": "look"}}]}, 400, "tools"),
    ({"response_format": {"type": "json_object"}}, 400, "response_format"),
    ({"logit_bias": {"5": 100}}, 400, "logit_bias"),
    ({"top_logprobs": 2}, 400, "top_logprobs"),
    ({"max_tokens": 0}, 400, "max_tokens"),
    ({"model": "gpt-4o"}, 404, "There is no model"),
    ({"model": "\ud800"}, 400, "model"),
    ({"messages": []}, 400, "messages"),
    ({"messages": "hello"}, 400, "messages"),
    ({"messages": [{"role": "user", "content": "hello"}]}, 400, "no picture"),
    ({"messages": [user(picture(GREY))]}, 400, "no question"),
    ({"messages": [user(picture(GREY), picture(GREY), text("a"))]}, 400, "2 pictures"),
    ({"messages": [user(picture(GREY), text("a" * 3000))]}, 400, "3000 letters"),
    ({"messages": [user(picture(GREY), text("a"), {"type": "input_audio"})]}, 400, "input_audio"),
    ({"messages": [user(picture("data:image/png;base64,"), text("a"))]}, 400, "cut off"),
    ({"messages": [user(picture("data:image/png;base64,***"), text("a"))]}, 400, "base64"),
    ({"messages": [user(picture("data:,hello"), text("a"))]}, 400, "not a picture"),
    ({"messages": [user(picture("file:///etc/passwd"), text("a"))]}, 400, "data URI"),
    ({"messages": [user(picture("http://169.254.169.254/latest"), text("a"))]}, 400, "fetches no pictures"),
    ({"messages": [user(picture("\ud800"), text("a"))]}, 400, "data URI"),
    ({"messages": [[[[]]]]}, 400, "messages"),
]


@pytest.mark.parametrize(("changes", "status", "why"), REFUSED, ids=[repr(row[0])[:60] for row in REFUSED])
def test_what_cannot_be_answered_is_refused_with_a_sentence(
    served: Service, changes: dict[str, Any], status: int, why: str
) -> None:
    body = {"model": "starter", "messages": [user(picture(GREY), text("What is it?"))], **changes}
    with served.client() as http:
        reply = http.post(
            "/v1/chat/completions", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
    error = reply.json()["error"]
    assert (reply.status_code, set(error)) == (status, {"message", "type", "param", "code"})
    assert why in error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[1]", b'"a"', b"\xff\xfe", b"{" * 5000, b"[" * 100_000])
def test_bodies_that_are_no_requests_are_refused(served: Service, content: bytes) -> None:
    with served.client() as http:
        reply = http.post("/v1/chat/completions", content=content, headers={"Content-Type": "application/json"})
        assert 400 <= reply.status_code < 500
        assert reply.json()["error"]["message"]


def test_other_doors_do_not_exist(served: Service) -> None:
    with served.client() as http:
        assert http.post("/v1/embeddings").json()["error"]["message"] == "There is no door POST /v1/embeddings."
        assert http.get("/v1/chat/completions").status_code == 405
        assert "detail" in http.get("/api/nothing").json()

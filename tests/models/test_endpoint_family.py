"""The family ``endpoint`` against servers on loopback: one that does as told, and a real one with a tiny LLaVA."""

import base64
import io
import json
import math
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_endpoint
import torch
import yaml
from PIL import Image

from chat_server import Says, completion, serving
from model_server import serving_model
from radvqa import cli, files
from radvqa.commands import predict, score, train
from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.endpoint import retry
from radvqa.endpoint.error import EndpointError
from radvqa.errors import DataError, RadvqaError, RecipeError, WeightsError
from radvqa.models import zoo
from radvqa.models.family import Context, ModelAnswer, Noted, VqaModel
from radvqa.models.replies import clean
from radvqa.models.shots import choose_shots
from radvqa.recipe import ModelSection, load_recipe
from radvqa.run import Run
from radvqa.sample import Sample

Body = dict[str, Any]
NOWHERE = "http://127.0.0.1:1/v1"


@pytest.fixture(autouse=True)
def _alone(fresh_cache: Path, mini_slake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.001)
    monkeypatch.delenv("RADVQA_API_KEY", raising=False)


def split(name: str) -> list[Sample]:
    return registry.load_split("slake:en", name)


def built(url: str, training: Sequence[Sample] | None = None, seed: int = 0, **changes: Any) -> VqaModel:
    section = ModelSection.model_validate(tiny_endpoint.section(url, **changes))
    return zoo.build(section, Context(training=split("train") if training is None else training, seed=seed))


def rebuilt(model: VqaModel) -> VqaModel:
    """The model as it comes out of a run folder."""
    spec = json.loads(json.dumps({"family": "endpoint", **model.spec()}))
    again = zoo.rebuild(spec, torch.device("cpu"))
    again.load_state(model.state())
    return again


def answers(model: VqaModel, samples: Sequence[Sample]) -> list[ModelAnswer]:
    return model.answer(model.prepare(samples, Problems()), torch.arange(len(samples))).answers


def texts(model: VqaModel, samples: Sequence[Sample]) -> list[str]:
    return [answer.text for answer in answers(model, samples)]


def notes(model: VqaModel) -> dict[str, Any]:
    assert isinstance(model, Noted)
    return model.notes()


def parts(message: Body) -> tuple[bytes, str]:
    """The picture's file and the text of a message that holds both."""
    seen, told = message["content"]
    header, _, content = seen["image_url"]["url"].partition(",")
    assert header in ("data:image/png;base64", "data:image/jpeg;base64")
    return base64.b64decode(content, validate=True), told["text"]


def pixels(body: Body) -> image.Pixels:
    return np.asarray(Image.open(io.BytesIO(parts(body["messages"][-1])[0])))


def sees(body: Body, _number: int) -> str:
    """Answer the miniature SLAKE by looking: bright pictures show a liver in a CT, dark ones a lung in an X-ray."""
    bright = pixels(body).mean() > 120
    question = parts(body["messages"][-1])[1]
    if "modality" in question:
        return "CT" if bright else "X-Ray"
    if "organ" in question:
        return "Answer: Liver" if bright else "**Answer:** Lung"
    return "Yes" if bright == ("liver" in question) else "No"


def test_answers_come_from_the_pictures_and_stand_in_the_order_of_the_rows() -> None:
    samples = split("test")
    with serving(sees) as server:
        model = built(server.url)
        assert texts(model, samples) == [sample.answer for sample in samples]
    rows = torch.tensor([7, 2, 11, 2])
    prepared = model.prepare(samples, Problems())
    some = model.answer(prepared, rows)
    assert [answer.text for answer in some.answers] == [samples[row].answer for row in rows.tolist()]
    assert (some.loss_sum, {answer.confidence for answer in some.answers}) == (0.0, {None})
    assert prepared.image_rows.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_a_request_holds_system_prompt_and_the_decoded_picture() -> None:
    sample = split("test")[0]
    with serving("CT") as server:
        texts(built(server.url, system="Be brief.", prompts={"vqa": "Q: {question}"}), [sample])
    (body,) = server.bodies
    assert server.paths == ["/v1/chat/completions"]
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("tiny", 16, 0.0, 0)
    assert "logprobs" not in body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert parts(body["messages"][1])[1] == f"Q: {sample.question}"
    np.testing.assert_array_equal(pixels(body), image.decode(sample.image_path))


def test_sixteen_bit_pictures_are_sent_as_our_decoder_shows_them(tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray(np.arange(0, 4000, 10, dtype=np.uint16).reshape(20, 20)).save(deep)
    sample = with_picture(split("test")[0], deep)
    with serving("CT") as server:
        texts(built(server.url), [sample])
    sent = pixels(server.bodies[0])
    assert sent.dtype == np.uint8
    assert (sent.min(), sent.max()) == (0, round(3990 * 255 / 4095))
    np.testing.assert_array_equal(sent, image.decode(deep))


@pytest.mark.parametrize(("format_", "begins"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8\xff")])
def test_the_longer_side_is_limited_and_the_aspect_kept(format_: str, begins: bytes) -> None:
    with serving("CT") as server:
        texts(built(server.url, image_side=20, image_format=format_), split("test")[:1])
    assert parts(server.bodies[0]["messages"][0])[0].startswith(begins)
    assert pixels(server.bodies[0]).shape == (15, 20)


def test_each_distinct_picture_is_encoded_once_for_all_questions_and_models(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    encode = image.encode_png

    def counted(pixels: image.Pixels) -> bytes:
        encoded.append(1)
        return encode(pixels)

    monkeypatch.setattr(image, "encode_png", counted)
    with serving(sees) as server:
        model = built(server.url)
        texts(model, split("test"))
        assert len(encoded) == 3
        texts(rebuilt(model), split("test"))
    assert len(encoded) == 3


def test_one_question_about_two_pictures_is_two_requests() -> None:
    samples = split("test")
    with serving(sees) as server:
        told = texts(built(server.url), [samples[0], samples[4]])
    assert samples[0].question == samples[4].question
    assert told == [samples[0].answer, samples[4].answer]
    first, second = (parts(body["messages"][0]) for body in server.bodies)
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_no_more_requests_are_under_way_than_allowed() -> None:
    with serving(sees) as server:
        texts(built(server.url, concurrency=1), split("test"))
        assert server.most_at_once == 1
    together = threading.Barrier(4)

    def waits(body: Body, _number: int) -> Says:
        return Says("CT", after=lambda: together.wait(30))  # answers nobody until four ask

    with serving(waits) as server:
        texts(built(server.url, concurrency=4), split("test"))
        assert server.most_at_once == 4


def test_what_was_answered_once_is_not_asked_again() -> None:
    samples = split("test")
    with serving(sees) as server:
        first = built(server.url)
        told = texts(first, samples)
        assert len(server.bodies) == 12
        again = rebuilt(first)
        assert texts(again, samples) == told
        assert len(server.bodies) == 12
        counted = notes(first)
        assert (counted["requests"], counted["cached"], notes(again)["requests"], notes(again)["cached"]) == (
            12,
            0,
            0,
            12,
        )
        assert notes(again)["prompt_tokens"] == counted["prompt_tokens"] == 12 * 11
        assert texts(built(server.url, temperature=0.5), samples) == told  # another way of sampling is another question
        assert len(server.bodies) == 24


def test_servers_and_models_have_caches_of_their_own_below_the_cache_folder() -> None:
    with serving("one") as one, serving("another") as another:
        assert texts(built(one.url), split("test")[:1]) == ["one"]
        assert texts(built(another.url), split("test")[:1]) == ["another"]
        assert texts(built(one.url, model="org/b"), split("test")[:1]) == ["one"]
    kept = sorted(path.name for path in (files.cache_folder() / "replies").glob("*.sqlite"))
    assert [name.rsplit("-", 1)[0] for name in kept] == ["org-b", "tiny", "tiny"]


def test_after_a_server_died_half_way_another_goes_on(tmp_path: Path) -> None:
    samples = split("test")

    def dies(body: Body, number: int) -> Says | str:
        return sees(body, number) if number <= 5 else Says(status=500, body="out of memory")

    replies = str(tmp_path / "replies.sqlite")
    with serving(dies) as server, pytest.raises(EndpointError, match="5 of 12 replies came before and are kept"):
        texts(built(server.url, concurrency=1, cache=replies), samples)
    with serving(sees) as server:
        model = built(server.url, cache=replies)
        assert texts(model, samples) == [sample.answer for sample in samples]
    assert len(server.bodies) == 7
    assert (notes(model)["requests"], notes(model)["cached"]) == (7, 5)


def test_refused_and_silent_replies_are_empty_answers_and_are_counted() -> None:
    samples = split("test")

    def prim(body: Body, number: int) -> Says | str:
        question = parts(body["messages"][0])[1]
        if "liver" in question:
            return Says(status=400, body='{"error": {"message": "not that"}}')
        return Says(body=json.dumps({"choices": [{"message": {}}]})) if "organ" in question else sees(body, number)

    with serving(prim) as server:
        model = built(server.url)
        told = answers(model, samples)
        assert [answer.text for answer in told] == [
            "" if "liver" in sample.question or "organ" in sample.question else sample.answer for sample in samples
        ]
        assert [a.confidence for a in told] == [None] * 12
        counted = notes(model)
        assert (counted["refused"], counted["empty"], counted["prompt_tokens"]) == (3, 6, 6 * 11)
        texts(rebuilt(model), samples)
        assert len(server.bodies) == 12 + 3  # a refusal is not kept


def test_a_server_that_refuses_everything_is_told() -> None:
    with (
        serving(lambda _body, _number: Says(status=400, body="no such model")) as server,
        pytest.raises(EndpointError, match=r"refuses the request .*no such model"),
    ):
        texts(built(server.url), split("test"))


def test_the_cost_counts_each_distinct_reply_once() -> None:
    prices: dict[str, Any] = {"price_per_million_prompt_tokens": 2.5, "price_per_million_completion_tokens": 10}
    with serving(sees) as server:
        model = built(server.url, **prices)
        prepared = model.prepare(split("test"), Problems())
        assert notes(model)["cost"] == 0.0
        for rows in (torch.arange(8), torch.tensor([0, 1, 1])):
            model.answer(prepared, rows)
        counted = notes(model)
        free = built(server.url)
        texts(free, split("test")[:1])
    assert (counted["requests"], counted["cached"]) == (8, 2)
    assert (counted["prompt_tokens"], counted["completion_tokens"]) == (8 * 11, 8 * 3)
    assert counted["cost"] == pytest.approx(8 * (11 * 2.5 + 3 * 10) / 1e6)
    assert notes(free)["cost"] is None


def test_answers_cut_at_the_limit_are_counted() -> None:
    cut = json.loads(completion("The picture shows"))
    cut["choices"][0]["finish_reason"] = "length"
    with serving(lambda _body, number: Says(body=json.dumps(cut)) if number == 1 else "CT") as server:
        model = built(server.url, concurrency=1)
        texts(model, split("test"))
    assert notes(model)["answers_cut_at_the_limit"] == 1


def test_the_answer_never_contains_the_prompt() -> None:
    def parrot(body: Body, number: int) -> str:
        return f"{parts(body['messages'][-1])[1]} {sees(body, number)}"

    samples = split("test")
    with serving(parrot) as server:
        assert texts(built(server.url), samples) == [sample.answer for sample in samples]


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("  Liver.\n", "Liver."),
        ("Answer: Liver", "Liver"),
        ("**Answer:** Liver", "Liver"),
        ("Answer:\nLiver", "Liver"),
        ("The final answer is: **Liver", "Liver"),
        ("the answer is : yes", "yes"),
        ("答案：肝脏", "肝脏"),
        ("Answering this is hard", "Answering this is hard"),
        ("The response to treatment: good", "The response to treatment: good"),
        ("<think>Bright, so\nAnswer: lung?</think>\n\nAnswer: Liver", "Liver"),
        ("so it is a liver</think>Liver", "Liver"),
        ("<think>It may be", ""),
        ("", ""),
    ],
)
def test_what_stands_around_an_answer_is_dropped(reply: str, answer: str) -> None:
    assert clean(reply) == answer


def test_the_first_line_is_kept_on_request() -> None:
    reply = "\nAnswer:\n\nLiver\n\nIt is bright."
    assert clean(reply) == "Liver\n\nIt is bright."
    assert clean(reply, first_line=True) == "Liver"
    with serving("No.\nThere is none.") as server:
        assert texts(built(server.url, first_line=True), split("test")[:1]) == ["No."]


def with_picture(sample: Sample, path: Path) -> Sample:
    return replace(sample, image=path.name, image_path=path)


def logged(text: str, *values: float) -> Says:
    body = json.loads(completion(text))
    body["choices"][0]["logprobs"] = {"content": [{"token": "x", "logprob": value} for value in values]}
    return Says(body=json.dumps(body))


def test_confidence_is_the_probability_of_the_whole_reply_where_the_server_tells_it() -> None:
    says = {1: logged("CT", -0.25, -0.5), 2: Says("CT"), 3: logged("CT", math.nan), 4: logged("CT")}
    samples = split("test")[:4]
    with serving(lambda _body, number: says[number]) as server:
        model = built(server.url, confidence=True, concurrency=1)
        told = answers(model, samples)
        assert answers(rebuilt(model), samples) == told
    assert [body["logprobs"] for body in server.bodies] == [True] * 4
    assert told[0] == ModelAnswer("CT", round(math.exp(-0.75), 6))
    assert told[1:] == [ModelAnswer("CT", None)] * 3


def test_examples_are_earlier_turns_and_need_no_training_data_when_rebuilt() -> None:
    training, sample = split("train"), split("test")[0]
    with serving("CT") as server:
        model = built(server.url, shots=4, system="Be brief.", prompts={"vqa": "Q: {question}"})
        texts(model, [sample])
        again = rebuilt(model)
        assert again.spec() == model.spec()
        texts(again, [sample])
    (body,) = server.bodies
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", *["user", "assistant"] * 4, "user"]
    chosen = choose_shots(training, 4, 0)
    shown = [message["content"] for message in body["messages"][1:-1]]
    assert shown == [text for shot in chosen for text in (f"Q: {shot.question}", shot.answer)]
    assert parts(body["messages"][-1])[1] == f"Q: {sample.question}"


def test_examples_may_bring_their_pictures() -> None:
    with serving("CT") as server:
        model = built(server.url, shots=2, shot_pictures=True)
        for sample in split("train"):
            sample.image_path.unlink(missing_ok=True)
        texts(rebuilt(model), split("test")[:1])
    shown = [message for message in server.bodies[0]["messages"] if message["role"] == "user"]
    assert len({parts(message)[0] for message in shown}) == 3
    assert len(json.dumps(model.spec()["shots"])) < 10_000  # of 40 × 30 pixels


def test_the_choice_of_examples_depends_on_seed_and_ids_alone() -> None:
    training = split("train")
    chosen = choose_shots(training, 4, 7)
    assert choose_shots(training[::-1], 4, 7) == chosen
    assert {tuple(s.id for s in choose_shots(training, 4, seed)) for seed in range(9)} != {tuple(s.id for s in chosen)}
    assert len({sample.image for sample in chosen}) == 4
    for seed in range(9):
        assert [sample.answer_type for sample in choose_shots(training, 4, seed)] == ["CLOSED", "OPEN"] * 2
    only_open = [sample for sample in training if sample.answer_type == "OPEN"]
    assert {sample.answer_type for sample in choose_shots(only_open, 3, 7)} == {"OPEN"}
    with pytest.raises(DataError, match=r"7 examples are wanted.* only 6; set model.shots"):
        choose_shots(training, 7, 0)


def test_pictures_that_cannot_be_read_are_reported_and_left_out() -> None:
    samples = split("test")
    samples[0].image_path.write_bytes(b"no picture")
    problems = Problems(skip=True)
    prepared = built(NOWHERE).prepare(samples, problems)
    assert list(prepared.samples) == samples[4:]
    assert len(problems.found) == 1
    with pytest.raises(DataError, match="None of the 4 samples can be used"):
        built(NOWHERE).prepare(samples[:4], Problems(skip=True))


def test_nothing_is_trained_and_nothing_is_kept() -> None:
    model = built(NOWHERE)
    prepared = model.prepare(split("train"), Problems())
    with pytest.raises(RadvqaError, match="The family endpoint trains nothing"):
        model.loss(prepared, torch.arange(2))
    assert (model.state(), dict(model.parts), zoo.count_parameters(model)) == ({}, {}, {"total": 0, "trainable": 0})
    with pytest.raises(WeightsError, match="has no weights; found w"):
        model.load_state({"w": torch.zeros(1)})
    assert model.answer_is_known(" liver")
    assert not model.answer_is_known("spleen")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price_per_million_prompt_tokens": 1.0}, "give both prices, or none"),
        ({"concurency": 3}, "did you mean 'concurrency'"),
        ({"prompts": {"vqa": "{answer}"}}, r"a prompt may hold \{question\}"),
    ],
)
def test_a_wrong_option_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        built(NOWHERE, **changes)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(EndpointError, match="without a user") as caught:
        built("http://user:hunter2@127.0.0.1:1/v1")
    assert "hunter2" not in str(caught.value)


def recipe(folder: Path, url: str, **changes: Any) -> Path:
    """A recipe of the family on the miniature SLAKE."""
    values = {
        "name": "asked",
        "title": "An endpoint, no example",
        "data": {"name": "slake:en", "select": "validate"},
        "model": tiny_endpoint.section(url, **changes),
        "training": {"epochs": 1},
    }
    path = folder / "asked.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def holding(folder: Path, secret: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_run_is_trained_predicted_scored_and_asked_and_the_key_is_nowhere(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = "sk-not-to-be-kept"
    monkeypatch.setenv("RADVQA_API_KEY", secret)
    monkeypatch.chdir(tmp_path)
    caplog.set_level(0)
    with serving(sees) as server:
        run = train.train(recipe(tmp_path, server.url, shots=2))
        assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {secret}"}
        assert len(server.bodies) == 12  # the selection split; no training sample is asked about
        predict.predict(run.folder)
        assert len(server.bodies) == 24
        sample = next(sample for sample in split("test") if "organ" in sample.question)
        asked = ["radvqa", "ask", str(sample.image_path), sample.question, "--model", "last"]
        monkeypatch.setattr(sys, "argv", asked)
        with pytest.raises(SystemExit, match="0"):
            cli.main()
    shown = capsys.readouterr()
    assert shown.out.startswith(f"{sample.answer}  (asked)\n")
    assert score.score(run.folder)["subsets"]["overall"]["accuracy"] == 1.0
    assert Run(run.folder).finished
    kept = yaml.safe_load((run.folder / "recipe.yaml").read_text())["model"]
    assert (kept["base_url"], kept["model"]) == (server.url, "tiny")
    assert holding(run.folder, server.url)  # the search finds what is there
    assert holding(tmp_path, secret) == []
    assert secret not in shown.out + shown.err + caplog.text


@pytest.mark.parametrize("name", ["vqa_rad_endpoint", "slake_endpoint"])
def test_the_recipes_are_those_of_this_family(name: str) -> None:
    parsed = load_recipe(Path(name))
    family, options = zoo.validate(parsed.model)
    assert parsed.model.family == "endpoint"
    assert isinstance(options, family.options)


@pytest.mark.slow
def test_a_real_server_answers_as_the_model_itself_does(tmp_path: Path) -> None:
    folder = tiny_endpoint.llava(tmp_path / "tiny")
    samples = split("test")
    with serving_model(tmp_path, "tiny", tmp_path / "log.txt") as url:
        model = built(url, system="Be brief.", concurrency=2)
        told = texts(model, samples)
        assert told == own_answers(folder, samples)
        assert len(set(told)) > 6
        assert told[0] != told[4]  # one question, two pictures
        counted = notes(model)
        assert (counted["requests"], counted["refused"], counted["answers_cut_at_the_limit"]) == (12, 0, 12)
        assert counted["completion_tokens"] == 12 * 16
        again = rebuilt(model)
        assert texts(again, samples) == told
        assert notes(again)["requests"] == 0
        prompt = f"Question: {samples[0].question} Answer:"
        assert not any(prompt in text for text in told)

        shown = built(url, shots=2, shot_pictures=True)
        assert texts(shown, samples[:2]) != told[:2]
        assert notes(shown)["prompt_tokens"] > 2 * 3 * len(prompt)  # a token is a byte, and three turns are shown

        unsure = built(url, confidence=True, system="Be brief.")  # this server does not tell, and overlooks the wish
        assert answers(unsure, samples[:1]) == [ModelAnswer(told[0], None)]
        with pytest.raises(EndpointError, match="Server is pinned to 'tiny'"):
            texts(built(url, model="another"), samples[:1])


def own_answers(folder: Path, samples: Sequence[Sample]) -> list[str]:
    """What transformers writes in this process, without our code: its own processor and generate."""
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    processor, model = AutoProcessor.from_pretrained(folder), LlavaForConditionalGeneration.from_pretrained(folder)
    written = []
    for sample in samples:
        asked = f"system: Be brief.\nuser: <image>Question: {sample.question} Answer:\nassistant:"
        inputs = processor(images=Image.open(sample.image_path).convert("RGB"), text=asked, return_tensors="pt")
        with torch.no_grad():
            tokens = model.generate(**inputs, max_new_tokens=16, do_sample=False, pad_token_id=1)
        answer = processor.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        written.append(answer.strip())
    return written

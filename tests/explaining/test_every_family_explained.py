"""What holds for every family that can be looked into, on tiny checkpoints."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError
from radvqa.explaining.inside.opened import Opened
from radvqa.explaining.inside.opening import FAMILIES, asked_differently, can_open, opened
from radvqa.explaining.methods import METHODS, Wishes
from radvqa.explaining.session import Session
from radvqa.models import zoo
from radvqa.models.family import Context, VqaModel
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

TINY = [*(name for name in FAMILIES if name != "coattention"), "question_queries", "coattention"]
JOINS = ("cnn_lstm", "cnn_bert", "clip_bert")  # two vectors side by side: no attention between question and picture
ATTENTION = [name for name, one in METHODS.items() if one.kind == "attention"]


def section(name: str, folder: Path) -> dict[str, Any]:
    if name == "coattention":
        told = importlib.import_module("tiny_coattention_llm").section(folder)
        return {"family": "coattention", **told["sight"], "members": 2, "views": 0}
    values: dict[str, Any] = importlib.import_module(f"tiny_{name}").section(folder)
    return values


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "train")[:24]


@pytest.fixture(scope="module", params=TINY)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def family(kind: str) -> str:
    return "qformer_llm" if kind == "question_queries" else kind


@pytest.fixture(scope="module")
def model(kind: str, samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> VqaModel:
    """After a few steps, so that what LoRA adds is not nothing."""
    values = ModelSection.model_validate(section(kind, tmp_path_factory.mktemp(kind)))
    context = Context(samples, lambda sample: registry.regions("phantom:mini", sample.image), seed=3)
    built = zoo.build(values, context)
    prepared = built.prepare(samples, Problems())
    learned = [parameter for parameter in built.module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, 1e-2)
    built.module.train()
    for _ in range(4):
        optimizer.zero_grad()
        built.loss(prepared, torch.arange(len(samples))).loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    built.module.eval()
    return built


@pytest.fixture(scope="module")
def looked(model: VqaModel, family: str, samples: list[Sample]) -> Opened:
    return opened(model, family, samples[0])


@pytest.fixture(scope="module")
def picture(samples: list[Sample]) -> image.Pixels:
    return image.decode(samples[0].image_path)


def test_the_answer_explained_is_the_answer_given(
    model: VqaModel, looked: Opened, samples: list[Sample], picture: image.Pixels
) -> None:
    prepared = model.prepare(samples[:1], Problems())
    given = model.answer(prepared, torch.zeros(1, dtype=torch.long)).answers[0]
    session = Session(looked, picture)
    assert looked.said.text == given.text
    with torch.no_grad():
        told = float(session.log_probability(session.values)[0].exp())
    ended = looked.said.spelled[-1] == "⏎" or len(looked.said.tokens) == 1
    if ended:  # an answer cut at the limit has a probability that counts whether it would have ended
        assert told == pytest.approx(given.confidence, rel=0.02, abs=1e-4)  # what is stored is in half precision


def test_copies_of_a_picture_are_scored_as_the_picture_alone(looked: Opened, picture: image.Pixels) -> None:
    session = Session(looked, picture)
    dark = np.zeros_like(picture)
    together = session.scores([picture, dark, picture])
    assert together[0] == pytest.approx(together[2], rel=1e-4)
    assert together == pytest.approx([session.scores([one])[0] for one in (picture, dark, picture)], rel=1e-3)


@pytest.mark.parametrize("method", [name for name, one in METHODS.items() if one.kind != "black box"])
def test_every_method_that_applies_makes_a_map_of_the_picture(
    method: str, kind: str, looked: Opened, picture: image.Pixels
) -> None:
    session = Session(looked, picture)
    refused = kind in JOINS and method in ATTENTION
    refused |= method == "raw-question" and kind in ("coattention", *JOINS)
    if kind == "blip" and method == "raw-question":
        refused = True  # its questions look in a tower of their own, below the one that answers
    if refused:
        with pytest.raises(RadvqaError):
            METHODS[method].run(session, Wishes())
        return
    found = METHODS[method].run(session, Wishes())
    assert found.heat.shape == picture.shape[:2]
    assert np.isfinite(found.heat).all()
    assert found.heat.min() >= 0
    if found.words is not None:
        assert len(found.words) == len(looked.asked)


def test_attention_is_captured_whole_and_left_as_it_was(kind: str, looked: Opened, picture: image.Pixels) -> None:
    if looked.mixing() is None:
        assert kind in JOINS
        return
    session = Session(looked, picture)
    with torch.no_grad():
        before = looked.log_probabilities(session.values)
    carriers, steps = session.steps()
    assert steps
    for step in steps:
        rows = step.weights.sum(-1)
        torch.testing.assert_close(rows, torch.ones_like(rows), atol=1e-4, rtol=0)
        assert step.weights.shape[1:] == (len(step.looking), len(step.looked_at))
        assert max(int(step.looking.max()), int(step.looked_at.max())) < carriers.count
    with torch.no_grad():
        torch.testing.assert_close(looked.log_probabilities(session.values), before)
    hooks = [hook for part in looked.module.modules() for hook in part._forward_pre_hooks.values()]
    assert not any(getattr(hook, "__name__", "") == "<lambda>" for hook in hooks)


def test_a_rollout_says_where_all_of_the_answer_comes_from(kind: str, looked: Opened, picture: image.Pixels) -> None:
    if kind in JOINS:
        return
    session = Session(looked, picture)
    row = session.rolled(Wishes().rollout)
    assert float(row.sum()) == pytest.approx(1, abs=1e-4)
    assert float(row[session.mixing().carriers.patches].sum()) > 0


@pytest.mark.parametrize("method", ["raw", "rollout", "relevancy"])
def test_another_question_makes_another_map(
    method: str, kind: str, model: VqaModel, family: str, looked: Opened, samples: list[Sample], picture: image.Pixels
) -> None:
    """Also where pictures come before questions: the row of the answer's token is what is read."""
    if kind in JOINS:
        return
    other = next(one.question for one in samples if len(one.question) != len(samples[0].question))
    asked = asked_differently(model, family, samples[0], other, looked.said)
    ours = METHODS[method].run(Session(looked, picture), Wishes()).heat
    theirs = METHODS[method].run(Session(asked, picture), Wishes()).heat
    assert np.abs(ours / max(ours.max(), 1e-12) - theirs / max(theirs.max(), 1e-12)).max() > 1e-4


def test_a_token_that_the_answer_has_not_is_refused(looked: Opened, picture: image.Pixels) -> None:
    with pytest.raises(RadvqaError, match=r"no token 999: it is .*, counted from 0 to"):
        Session(looked, picture, 999)


def test_endpoints_can_only_be_asked() -> None:
    assert not can_open("endpoint")
    assert all(can_open(name) for name in ("cnn_lstm", "paligemma"))

"""A model that writes can first learn to choose among the training answers, without its language model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_question_queries
import torch
import torch.nn.functional as F

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import RecipeError
from radvqa.models import zoo
from radvqa.models.family import Context
from radvqa.models.generator_net import IGNORED
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

ROWS = torch.arange(12)


def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "train")[: len(ROWS)]


def built(folder: Path, **changes: Any) -> Any:
    values = {**tiny_question_queries.section(folder), "train": {"chooser": "full"}, **changes}
    model: Any = zoo.build(ModelSection.model_validate(values), Context(training=samples(), seed=1))
    model.module.eval()
    return model


def only(model: Any, *learned: str) -> Any:
    """Let these parts alone learn, as a stage does."""
    for name, part in model.parts.items():
        part.requires_grad_(name in learned)
    return model


def no_reading(*args: object) -> None:
    raise AssertionError("the language model was run")


def test_what_is_taught_follows_from_what_learns(tmp_path: Path) -> None:
    model = built(tmp_path)
    assert model.net.teaching == "both"
    assert only(model, "fusion", "chooser").net.teaching == "choosing"
    assert only(model, "fusion", "language_model").net.teaching == "writing"
    assert only(model).net.teaching == "writing"


def test_the_choice_is_a_softmax_over_training_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = only(built(tmp_path), "fusion", "chooser")
    monkeypatch.setattr(model.net.decoder, "read", no_reading)
    prepared = model.prepare(samples(), Problems())
    scores = model.net.choices(prepared.inputs, ROWS)
    gold = model.known.encode([sample.answer for sample in samples()])
    assert scores.shape == (len(ROWS), len(model.known))
    step = model.loss(prepared, ROWS)
    torch.testing.assert_close(step.loss, F.cross_entropy(scores, gold))
    assert int(step.correct) == int((scores.argmax(1) == gold).sum())
    answered = model.answer(prepared, ROWS)
    assert answered.loss_sum == pytest.approx(float(F.cross_entropy(scores, gold, reduction="sum").detach()), rel=1e-5)
    for row, answer in enumerate(answered.answers):
        best = scores[row, :-1].softmax(0)
        assert answer.text == model.known.spell(int(best.argmax()))
        assert answer.confidence == pytest.approx(float(best.max().detach()), abs=1e-5)
        assert [p for _, p in answer.candidates] == sorted((p for _, p in answer.candidates), reverse=True)


def test_an_answer_that_training_has_not_teaches_no_choice(tmp_path: Path) -> None:
    model = only(built(tmp_path), "fusion", "chooser")
    first, *others = samples()
    prepared = model.prepare([replace(first, answer="never heard"), *others], Problems())
    assert int(prepared.classes[0]) == IGNORED
    assert float(model.loss(prepared, ROWS[:1]).loss.detach()) == 0
    scores = model.net.choices(prepared.inputs, ROWS)
    expected = F.cross_entropy(scores, prepared.classes, reduction="sum", ignore_index=IGNORED) / len(ROWS)
    torch.testing.assert_close(model.loss(prepared, ROWS).loss, expected)


def test_gradients_reach_what_learns_and_nothing_else(tmp_path: Path) -> None:
    model = only(built(tmp_path), "fusion", "chooser")
    prepared = model.prepare(samples(), Problems())
    model.loss(prepared, ROWS).loss.backward()
    got = {name.partition(".")[0] for name, p in model.module.named_parameters() if p.grad is not None}
    assert got == {"fusion", "chooser"}


def test_where_both_learn_both_losses_count(tmp_path: Path) -> None:
    model = built(tmp_path)
    prepared = model.prepare(samples(), Problems())
    both = float(model.loss(prepared, ROWS).loss.detach())
    choosing = float(only(model, "fusion", "chooser").loss(prepared, ROWS).loss.detach())
    writing = float(only(model, "fusion", "language_model").loss(prepared, ROWS).loss.detach())
    assert both == pytest.approx(choosing + writing, rel=1e-5)


def test_a_model_that_is_built_again_writes(tmp_path: Path) -> None:
    model = built(tmp_path)
    again: Any = zoo.rebuild({"family": "qformer_llm", **model.spec()}, torch.device("cpu"))
    again.load_state(model.state())
    assert any(name.startswith("chooser.") for name in model.state())
    prepared = again.prepare(samples(), Problems())
    written = again.net.write(prepared.inputs, ROWS[:2], 24)
    given = again.answer(prepared, ROWS[:2], with_loss=False).answers
    assert [answer.candidates for answer in given] == [(), ()]
    assert [round(answer.confidence, 4) for answer in given] == [
        round(min(1.0, float(torch.tensor(one.log_probability).exp())), 4) for one in written
    ]


def test_a_chooser_learns_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"model.train.chooser may be frozen or full"):
        built(tmp_path, train={"chooser": "lora"})


def test_word_vectors_can_be_kept_while_the_language_model_learns(tmp_path: Path) -> None:
    values: dict[str, Any] = {"lora": None, "train": {"language_model": "full"}}
    for learned in (True, False):
        model = built(tmp_path, **values, learn_embeddings=learned)
        language_model = model.net.wrapped
        assert language_model.get_input_embeddings().weight.requires_grad == learned
        assert all(p.requires_grad for p in language_model.model.layers.parameters())

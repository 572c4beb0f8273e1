"""Questions that are computed side by side, or share what they look at, learn what each of them learns alone."""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.models import zoo
from radvqa.models.family import Context
from radvqa.models.packing import NOBODY, Packed, additive, pack, same
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

WRITES = ("blip", "linear_llm", "paligemma", "qformer_llm", "qwen2_vl")
LENGTHS = (1, 12, 3, 7, 1, 20, 5)  # words of the questions


@cache
def asked() -> tuple[Sample, ...]:
    """Questions and answers of very different lengths about three pictures; the last one is asked twice."""
    data = registry.load_split("phantom:mini", "train")
    pictures = list({sample.image: sample for sample in data}.values())[:3]
    words = " ".join(sample.question for sample in data[:40]).split()
    samples = [
        replace(
            pictures[number % 3],
            id=f"q{number}",
            question=" ".join(words[number : number + length]),
            answer=" ".join(words[2 * number : 2 * number + 1 + number % 4]),
            answer_type="OPEN",
        )
        for number, length in enumerate(LENGTHS)
    ]
    return (*samples, replace(samples[-1], id="again"))


@pytest.fixture(scope="module", params=WRITES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    values = importlib.import_module(f"tiny_{request.param}").section(tmp_path_factory.mktemp("weights"))
    built: Any = zoo.build(ModelSection.model_validate(values), Context(training=asked(), seed=1))
    torch.manual_seed(2)
    for name, parameter in built.module.named_parameters():
        if "lora_B" in name:  # zero at first, which would hide the gradients of lora_A
            torch.nn.init.normal_(parameter, std=0.1)
    return built.module.eval() and built  # no unit is dropped


def gradients(model: Any, groups: Sequence[Sequence[int]]) -> tuple[float, dict[str, Tensor]]:
    """Loss of all questions, a mean, and its gradients, computed group by group."""
    model.module.zero_grad(set_to_none=True)
    prepared = model.prepare(asked(), Problems())
    total = 0.0
    for group in groups:
        part = model.loss(prepared, torch.tensor(group)).loss * (len(group) / len(asked()))
        part.backward()
        total += part.item()
    learned = {name: p.grad for name, p in model.module.named_parameters() if p.requires_grad and p.grad is not None}
    return total, {name: gradient.clone() for name, gradient in learned.items()}


def test_loss_and_gradients_are_those_of_one_question_at_a_time(model: Any) -> None:
    loss, together = gradients(model, [[5, 2, 7, 0, 4, 1, 6, 3]])
    expected, alone = gradients(model, [[row] for row in range(len(asked()))])
    assert loss == pytest.approx(expected, rel=1e-5)
    assert together.keys() == alone.keys()
    largest = max(gradient.norm().item() for gradient in alone.values())
    assert largest > 1e-3
    for name, gradient in alone.items():
        assert (together[name] - gradient).norm() <= 1e-4 * gradient.norm() + 1e-6 * largest, name


def test_a_question_weighs_the_same_however_long_it_is_and_whatever_stands_beside_it(model: Any) -> None:
    prepared = model.prepare(asked(), Problems())
    with torch.no_grad():
        alone = torch.stack([model.loss(prepared, torch.tensor([row])).loss for row in range(len(asked()))])
        for group in ([0, 5], [5, 6, 7], [3, 1, 4], list(range(len(asked())))):
            together = model.loss(prepared, torch.tensor(group)).loss
            torch.testing.assert_close(together, alone[group].mean(), rtol=1e-5, atol=1e-6)


texts_in_rows = st.lists(
    st.tuples(st.lists(st.integers(1, 99), min_size=1, max_size=6), st.integers(0, 3)), min_size=1, max_size=8
)


@given(texts_in_rows)
def test_every_text_lies_whole_in_its_row_and_is_found_again(laid: list[tuple[list[int], int]]) -> None:
    texts, rows = [text for text, _ in laid], [row for _, row in laid]
    packed = pack(texts, rows, 4, 0, torch.device("cpu"))
    assert packed.tokens.flatten()[packed.places].tolist() == [token for text in texts for token in text]
    filled = [sum(len(text) for text, home in laid if home == row) for row in range(4)]
    assert packed.tokens.shape == (4, max(filled))
    for number, (text, row) in enumerate(laid):
        own = packed.owner == number
        assert packed.tokens[own].tolist() == text
        assert packed.positions[own].tolist() == list(range(len(text)))
        assert set(own.nonzero()[:, 0].tolist()) == {row}
    padding = packed.owner == NOBODY
    assert int(padding.sum()) == 4 * max(filled) - sum(filled)
    assert packed.tokens[padding].eq(0).all()


def attention(states: Tensor, visible: Tensor) -> Tensor:
    """Plain attention of one head over states that are queries, keys and values at once, ``(m, w, d)``."""
    found: Tensor = torch.nn.functional.scaled_dot_product_attention(
        states[:, None], states[:, None], states[:, None], attn_mask=additive(visible)
    )
    return found[:, 0]


@given(texts_in_rows)
def test_texts_in_one_row_are_blind_to_each_other(laid: list[tuple[list[int], int]]) -> None:
    texts, rows = [text for text, _ in laid], [row for _, row in laid]
    table = torch.randn(100, 8, generator=torch.Generator().manual_seed(0))

    def read(packed: Packed, *, causal: bool) -> Tensor:
        visible = same(packed.owner, packed.owner)
        if causal:
            visible = visible & (packed.positions[:, :, None] >= packed.positions[:, None, :])
        return attention(table[packed.tokens], visible).flatten(0, 1)[packed.places]

    for causal in (False, True):
        together = read(pack(texts, rows, 4, 0, torch.device("cpu")), causal=causal)
        alone = torch.cat([read(pack([text], [0], 1, 0, torch.device("cpu")), causal=causal) for text in texts])
        torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)

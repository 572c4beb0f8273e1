"""Rollout, relevancy and flow against numbers worked out by hand, and against networkx."""

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from radvqa.errors import RadvqaError
from radvqa.explaining.attention.flow import attention_flow
from radvqa.explaining.attention.raw import Looking, chosen
from radvqa.explaining.attention.relevancy import relevancy
from radvqa.explaining.attention.rollout import RolloutOptions, rollout
from radvqa.explaining.attention.step import Carriers, Step, fused, renewed


def carriers(count: int, patches: list[int], words: list[int], told: list[int]) -> Carriers:
    return Carriers(count, torch.tensor(patches), torch.tensor(words, dtype=torch.long), torch.tensor(told), (1, 2))


def whole(weights: list[list[list[float]]], name: str = "layer", stack: str = "language") -> Step:
    """Self-attention over all carriers."""
    tensor = torch.tensor(weights)
    every = torch.arange(tensor.shape[1])
    return Step(name, stack, tensor, every, every)


FIRST = [[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]]
SECOND = [[[1.0, 0.0, 0.0], [0.25, 0.75, 0.0], [0.6, 0.2, 0.2]]]
AXIS = carriers(3, [0, 1], [2], [2])


def test_rollout_of_two_layers_by_hand() -> None:
    """R₁ = ½(I + A₁), R₂ = ½(R₁ + A₂ R₁), as Abnar and Zuidema multiply; the last row is the answer's."""
    first = 0.5 * (np.eye(3) + np.array(FIRST[0]))
    second = 0.5 * (first + np.array(SECOND[0]) @ first)
    row = rollout([whole(FIRST), whole(SECOND)], AXIS, AXIS.told)
    assert row.tolist() == pytest.approx(second[2].tolist())
    # by hand: R₁ = [[1,0,0],[.25,.75,0],[.1,.15,.75]]; ½(R₁[2] + .6 R₁[0] + .2 R₁[1] + .2 R₁[2])
    assert row.tolist() == pytest.approx([0.385, 0.165, 0.45])


def test_rollout_leaves_out_the_encoder_unless_it_is_asked_for() -> None:
    encoder = whole([[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]], stack="vision")
    steps = [encoder, whole(FIRST)]
    assert rollout(steps, AXIS, AXIS.told).tolist() == pytest.approx([0.1, 0.15, 0.75])
    through = rollout(steps, AXIS, AXIS.told, RolloutOptions(encoder=True))
    assert through.tolist() == pytest.approx([0.125, 0.125, 0.75])
    later = rollout(steps, AXIS, AXIS.told, RolloutOptions(encoder=True, start=1))
    assert later.tolist() == pytest.approx([0.1, 0.15, 0.75])


def test_what_is_made_anew_keeps_nothing_of_its_own() -> None:
    axis = Carriers(4, torch.tensor([0, 1]), torch.tensor([], dtype=torch.long), torch.tensor([3]), (1, 2))
    made = renewed("pool", "fusion", torch.tensor([[0.3, 0.7]]), torch.tensor([2]), torch.tensor([0, 1]))
    look = Step("l", "language", torch.tensor([[[1.0, 0.0]]]), torch.tensor([3]), torch.tensor([2, 3]))
    assert rollout([made, look], axis, axis.told).tolist() == pytest.approx([0.15, 0.35, 0.0, 0.5])
    row = relevancy([made, look], [None, torch.tensor([[[2.0, 0.0]]])], axis, axis.told)
    assert row.tolist() == pytest.approx([0.6, 1.4, 0.0, 0.0])  # 2 · 1 arrives at what was made, and is handed on


def test_relevancy_of_two_layers_by_hand() -> None:
    """Chefer et al. 2021, equations 5 and 6, worked out with whole matrices."""
    gradients = [
        torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, -1.0, 2.0]]]),
        torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, 3.0, -1.0]]]),
    ]
    relevance = torch.eye(3)
    for weights, gradient in zip((FIRST, SECOND), gradients, strict=True):
        joined = (torch.tensor(weights) * gradient).clamp(min=0).mean(0)
        relevance = relevance + joined @ relevance
    row = relevancy([whole(FIRST), whole(SECOND)], gradients, AXIS, AXIS.told)
    expected = relevance[2].clone()
    expected[2] -= 1
    assert row.tolist() == pytest.approx(expected.tolist())
    # by hand: Ā₁[2] = [.2, 0, 1], Ā₂[2] = [.3, .6, 0]; row = Ā₁[2] + Ā₂[2] (Ā₁ is 0 elsewhere)
    assert row.tolist() == pytest.approx([0.5, 0.6, 1.0])


def test_heads_are_joined_as_they_are_named() -> None:
    weights = torch.tensor([[[0.2, 0.8]], [[0.6, 0.4]]])
    assert fused(weights, "mean").tolist() == [pytest.approx([0.4, 0.6])]
    assert fused(weights, "min").tolist() == [pytest.approx([0.2, 0.4])]
    assert fused(weights, "max").tolist() == [pytest.approx([0.6, 0.8])]
    with pytest.raises(ValueError, match="mean, min or max"):
        fused(weights, "median")


def test_discarded_attention_counts_for_nothing_but_each_row_keeps_its_largest() -> None:
    step = whole([[[0.6, 0.4, 0.0], [0.5, 0.3, 0.2], [0.4, 0.35, 0.25]]])
    row = rollout([step], AXIS, AXIS.told, RolloutOptions(discard=0.9))
    assert row.tolist() == pytest.approx([0.5, 0, 0.5])
    with pytest.raises(ValueError, match="share"):
        rollout([step], AXIS, AXIS.told, RolloutOptions(discard=1.0))


@st.composite
def stacks(draw: st.DrawFn) -> tuple[list[Step], Carriers]:
    count, layers = draw(st.integers(3, 5)), draw(st.integers(1, 3))
    steps = []
    for layer in range(layers):
        numbers = draw(st.lists(st.integers(0, 4), min_size=count * count, max_size=count * count))
        weights = torch.tensor(numbers, dtype=torch.float32).view(1, count, count) + torch.eye(count) * 0.5
        every = torch.arange(count)
        steps.append(Step(f"{layer}", "language", weights / weights.sum(-1, keepdim=True), every, every))
    return steps, carriers(count, [0, 1], [], [count - 1])


@settings(max_examples=25, deadline=None)
@given(stacks())
def test_flow_is_the_maximum_flow_of_networkx(built: tuple[list[Step], Carriers]) -> None:
    steps, axis = built
    graph = networkx.DiGraph()
    for layer, step in enumerate(steps):
        for row in range(axis.count):
            for column in range(axis.count):
                size = 0.5 * float(step.weights[0, row, column]) + 0.5 * (row == column)
                if size > 0:
                    graph.add_edge((layer + 1, row), (layer, column), capacity=size)
    found = attention_flow(steps, axis, axis.told, axis.patches)
    for place, patch in enumerate(axis.patches.tolist()):
        graph.add_node((0, patch))
        expected = networkx.maximum_flow_value(graph, (len(steps), axis.count - 1), (0, patch))
        assert float(found[place]) == pytest.approx(expected, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(stacks())
def test_rollout_shares_sum_to_one(built: tuple[list[Step], Carriers]) -> None:
    steps, axis = built
    row = rollout(steps, axis, axis.told)
    assert float(row.sum()) == pytest.approx(1, abs=1e-5)
    assert float(row.min()) >= 0


def test_flow_refuses_a_large_model() -> None:
    every = torch.arange(700)
    step = Step("l", "language", torch.full((1, 700, 700), 1 / 700), every, every)
    with pytest.raises(RadvqaError, match="Use rollout"):
        attention_flow([step], carriers(700, [0, 1], [], [699]), torch.tensor([699]), torch.tensor([0]))


def test_queries_are_traced_back_to_the_patches_that_they_looked_at() -> None:
    """Two patches, one query that looked at the second, a language model that looks at the query."""
    axis = Carriers(4, torch.tensor([0, 1]), torch.tensor([], dtype=torch.long), torch.tensor([3]), (1, 2))
    query = Step("fusion", "fusion", torch.tensor([[[0.0, 1.0]]]), torch.tensor([2]), torch.tensor([0, 1]))
    answer = Step("top", "language", torch.tensor([[[0.8, 0.2]]]), torch.tensor([3]), torch.tensor([2, 3]))
    looking = Looking(axis, "language")
    for step in (query, answer):
        looking.add(step)
    assert looking.looks.told[0][0, 0].tolist() == pytest.approx([0.0, 0.4])  # half of the query is its own


def test_rows_of_one_layer_may_come_in_parts() -> None:
    axis = Carriers(4, torch.tensor([0, 1]), torch.tensor([], dtype=torch.long), torch.tensor([2, 3]), (1, 2))
    looking = Looking(axis, "language")
    for place, weights in ((2, [0.7, 0.3]), (3, [0.1, 0.9])):
        part: Tensor = torch.tensor([[weights]])
        looking.add(Step("top", "language", part, torch.tensor([place]), torch.tensor([0, 1])))
    assert len(looking.looks.told) == 1
    assert looking.looks.told[0][0].flatten().tolist() == pytest.approx([0.7, 0.3, 0.1, 0.9])


def test_a_layer_or_head_that_is_not_there_is_named() -> None:
    layers = [torch.zeros(2, 1, 4), torch.ones(2, 1, 4)]
    assert chosen(layers, ["a", "b"], -1, 1).tolist() == [[1.0] * 4]
    with pytest.raises(RadvqaError, match="has 2, 0 to 1"):
        chosen(layers, ["a", "b"], 2, None)
    with pytest.raises(RadvqaError, match="no head 5"):
        chosen(layers, ["a", "b"], None, 5)
    with pytest.raises(RadvqaError, match="No layer"):
        chosen([], [], None, None)

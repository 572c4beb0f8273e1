"""A meter adds up what it is told, over stages and interruptions."""

import json
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from radvqa.costs import meter as meters
from radvqa.costs.energy import Energy
from radvqa.costs.meter import Meter
from radvqa.costs.peaks import Peak

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def known_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "peak", lambda device, precision: Peak(1e6, "for the test"))


def model() -> nn.ModuleDict:
    return nn.ModuleDict({"vision": nn.Linear(4, 4, bias=False), "head": nn.Linear(4, 2, bias=False)})


def learn(net: nn.ModuleDict, samples: int) -> None:
    net["head"](net["vision"](torch.ones(samples, 4))).sum().backward()


def test_the_summary_is_the_sum_of_all_steps() -> None:
    net = model()
    found = Meter(dict(net), CPU, whole=net)
    with found.counting():
        learn(net, 3)
    found.counted(3)
    found.step(3, 30, 2.0, 0.5)
    found.step(5, 42, 2.0, 0.1)
    found.evaluation(1.5)
    cost = found.summary()
    # a row: forward and weights of both layers, and the gradient between them
    per_row = 2 * (2 * 4 * 4 + 2 * 4 * 2) + 2 * 4 * 2
    assert cost["flops"] == 8 * per_row
    assert cost["flops_per_sample"] == per_row
    assert cost["utilisation"] == pytest.approx(8 * per_row / 4.0 / 1e6)
    assert (cost["wall_seconds"], cost["evaluation_seconds"], cost["interruptions"]) == (4.0, 1.5, 0)
    assert (cost["samples"], cost["samples_per_second"], cost["tokens"], cost["tokens_per_second"]) == (8, 2.0, 72, 18)
    assert cost["data_waiting_share"] == pytest.approx(0.6 / 4)
    assert cost["parameters"]["by_part"]["head"] == {"total": 8, "trainable": 8}
    assert cost["peak_gpu_memory_bytes"] is None
    assert cost["peak_memory_bytes"] > 10_000_000
    assert json.loads(json.dumps(cost, allow_nan=False)) == cost


def test_stages_that_train_different_parts_count_by_their_samples() -> None:
    net = model()
    found = Meter(dict(net), CPU)
    per_row = []
    for stage, samples in (("all", 10), ("head", 7)):
        net["vision"].requires_grad_(stage == "all")
        with found.counting(stage):
            learn(net, 2)
        found.counted(2)
        per_row.append(found.stages[stage]["flops"] / 2)
        for _ in range(samples):
            found.step(1, None, 0.1, 0.0)
    assert per_row[0] == per_row[1] + 2 * 4 * 4 + 2 * 4 * 2
    cost = found.summary()
    assert cost["flops"] == 10 * per_row[0] + 7 * per_row[1]
    assert cost["tokens"] is cost["tokens_per_second"] is None


def test_several_devices_share_the_samples_and_are_faster_together() -> None:
    net = model()
    one, four = Meter(dict(net), CPU), Meter(dict(net), CPU, devices=4)
    for found, samples in ((one, 2), (four, 8)):
        with found.counting():
            learn(net, 2)
        found.counted(2)  # on this device
        found.step(samples, None, 1.0, 0.0)
    costs = [one.summary(), four.summary()]
    assert costs[1]["flops"] == 4 * costs[0]["flops"]
    assert costs[1]["utilisation"] == pytest.approx(costs[0]["utilisation"])
    assert "4 devices" in costs[1]["peak_flops_how"]


def test_what_was_not_counted_or_did_not_happen_is_unknown() -> None:
    idle = Meter({}, CPU).summary()
    assert (idle["flops"], idle["flops_per_sample"], idle["utilisation"]) == (0, None, None)
    assert (idle["samples_per_second"], idle["data_waiting_share"]) == (None, None)
    uncounted = Meter({}, CPU)
    uncounted.step(4, None, 1.0, 0.0)
    cost = uncounted.summary()
    assert (cost["flops"], cost["flops_per_sample"], cost["utilisation"]) == (None, None, None)
    assert cost["flops_how"].startswith("unknown")


def numbers(cost: dict[str, Any]) -> dict[str, Any]:
    left_out = ("peak_memory_bytes", "interruptions", "energy_joules", "energy_how")
    return {key: value for key, value in cost.items() if key not in left_out}


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(1, 11)))
def test_interruptions_change_nothing_but_their_number(cuts: set[int]) -> None:
    net = model()

    def run(start: int, end: int, state: dict[str, Any] | None) -> Meter:
        found = Meter(dict(net), CPU)
        if state is not None:
            found.load(json.loads(json.dumps(state)))
            found.interrupted()
        for step in range(start, end):
            if step in (0, 5):
                with found.counting(f"stage {step}"):
                    learn(net, 1 + step % 3)
                found.counted(1 + step % 3)
            found.step(1 + step % 3, step, 0.25, 0.125)
        return found

    whole = run(0, 12, None).summary()
    state: dict[str, Any] | None = None
    for start, end in pairwise(sorted({0, 12, *cuts})):
        last = run(start, end, state)
        state = last.state()
    cost = last.summary()
    assert numbers(cost) == numbers(whole)
    assert cost["interruptions"] == len(cuts)


def test_energy_adds_up_over_interruptions_and_one_gap_makes_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def counter(start: float) -> Energy:
        counts = iter(start + 10.0 * i for i in range(10))
        return Energy(lambda: next(counts), "counted")

    energies = [counter(0.0), counter(500.0), Energy(None, "unknown: no"), counter(7.0)]
    monkeypatch.setattr(Energy, "of", classmethod(lambda cls, device: energies.pop(0)))
    first, second = Meter({}, CPU), Meter({}, CPU)
    second.load(first.state())
    assert second.summary()["energy_joules"] == 20.0
    third, fourth = Meter({}, CPU), Meter({}, CPU)
    third.load(second.state())
    fourth.load(third.state())
    cost = fourth.summary()
    assert cost["energy_joules"] is None
    assert "interruption" in cost["energy_how"]

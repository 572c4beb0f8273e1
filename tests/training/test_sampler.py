"""Samplers: what was promised is drawn, every row in its turn, and a sampler goes on anywhere."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from radvqa.recipe import LearningSection, SourceSection
from radvqa.recipe.curriculum import Stage
from radvqa.recipe.stages import AnnealSection, CarrySection
from radvqa.training import mix
from radvqa.training.sampler import Mixture, Sampler, WholeEpochs
from radvqa.training.state import State


@dataclass(frozen=True)
class Sources:
    """Rows of some sources, and which picture each row shows."""

    rows: dict[str, Tensor]
    pictures: Tensor


@st.composite
def sources(draw: st.DrawFn, most: int = 4) -> Sources:
    sizes = draw(st.lists(st.integers(1, 30), min_size=1, max_size=most))
    pictures = draw(st.lists(st.integers(0, 9), min_size=sum(sizes), max_size=sum(sizes)))
    parts = torch.split(torch.arange(sum(sizes)), sizes)
    return Sources({f"s{n}": part for n, part in enumerate(parts)}, torch.tensor(pictures))


def normalised(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[Sources, Mixture, int]:
    given_sources = draw(sources())
    names, steps = list(given_sources.rows), draw(st.integers(1, 40))
    weights = st.lists(st.floats(0.05, 5), min_size=len(names), max_size=len(names)).map(normalised)
    begin, end = draw(weights), draw(weights)
    size = draw(st.integers(1, 24))
    mixture = Mixture(
        given_sources.rows,
        dict(zip(names, begin, strict=True)),
        dict(zip(names, end, strict=True)),
        draw(st.floats(0, 1)) * steps,
        steps,
        given_sources.pictures,
        size,
        draw(st.none() | st.integers(1, size)),
        draw(st.integers(0, 2**63 - 1)),
    )
    return given_sources, mixture, steps


def source_of(given_sources: Sources, row: int) -> str:
    return next(name for name, rows in given_sources.rows.items() if row in rows.tolist())


@given(sources(), st.lists(st.integers(1, 3), min_size=4, max_size=4), st.integers(1, 40), st.integers(0, 9), st.data())
def test_an_epoch_has_every_row_as_often_as_it_is_repeated(
    given_sources: Sources, repeats: list[int], size: int, seed: int, data: st.DataObject
) -> None:
    repeated = {name: rows.repeat(n) for (name, rows), n in zip(given_sources.rows.items(), repeats, strict=False)}
    images = data.draw(st.none() | st.integers(1, size))
    sampler = WholeEpochs(repeated, given_sources.pictures, size, images, seed)
    expected = Counter(row for rows in repeated.values() for row in rows.tolist())
    assert sampler.epoch_steps == -(-sum(expected.values()) // size)
    orders = []
    for epoch in range(2):
        drawn = [sampler.next(epoch * sampler.epoch_steps + step) for step in range(sampler.epoch_steps)]
        assert all(len(rows) == size for rows in drawn[:-1])
        assert Counter(torch.cat(drawn).tolist()) == expected
        orders.append(torch.cat(drawn).tolist())
    if len(expected) > 8 and images is None:
        assert orders[0] != orders[1]  # shuffled anew (8! orders and more)


@given(mixtures())
def test_a_mixture_keeps_its_promise_at_every_step(drawn: tuple[Sources, Mixture, int]) -> None:
    """No source is ahead by a group, or behind by a group of each other source."""
    given_sources, mixture, steps = drawn
    promised, given_rows = dict.fromkeys(given_sources.rows, 0.0), Counter[str]()
    for step in range(steps):
        rows = mixture.next(step)
        assert len(rows) == mixture._size
        for name, share in mixture.shares(step).items():
            promised[name] += share * mixture._size
        given_rows.update(source_of(given_sources, row) for row in rows.tolist())
        group = mixture._orders[0]._group
        for name in given_sources.rows:
            ahead = given_rows[name] - promised[name]
            assert ahead < group + 1e-6
            assert -ahead < group * (len(given_sources.rows) - 1) + 1e-6


@given(mixtures())
def test_a_source_gives_every_row_before_any_comes_again(drawn: tuple[Sources, Mixture, int]) -> None:
    given_sources, mixture, steps = drawn
    counts: Counter[int] = Counter()
    for step in range(steps):
        counts.update(mixture.next(step).tolist())
    for rows in given_sources.rows.values():
        times = [counts[row] for row in rows.tolist()]
        assert max(times) - min(times) <= 1


@given(mixtures())
def test_shares_sum_to_one_and_end_where_annealing_ends(drawn: tuple[Sources, Mixture, int]) -> None:
    _, mixture, steps = drawn
    for step in range(steps):
        assert sum(mixture.shares(step).values()) == pytest.approx(1)
    before = [step for step in range(steps) if step < mixture._from]
    assert all(list(mixture.shares(step).values()) == mixture._begin for step in before)
    if mixture._from <= steps - 2:  # a line needs two points
        assert list(mixture.shares(steps - 1).values()) == pytest.approx(mixture._end)


def both_ways(first: Sampler, again: Sampler, cut: int, more: int) -> None:
    """A state taken after some steps goes on in another sampler; what the other did before does not matter."""
    for step in range(cut):
        first.next(step)
    state = first.state()
    plain = State({name: tensor.clone() for name, tensor in state.tensors.items()}, state.plain)
    expected = [first.next(step).tolist() for step in range(cut, cut + more)]
    again.next(0)
    again.load(plain)
    assert [again.next(step).tolist() for step in range(cut, cut + more)] == expected


@given(sources(), st.integers(1, 12), st.none() | st.integers(1, 4), st.integers(0, 30))
def test_whole_epochs_go_on_anywhere(given_sources: Sources, size: int, images: int | None, cut: int) -> None:
    def made() -> WholeEpochs:
        return WholeEpochs(given_sources.rows, given_sources.pictures, size, images, 5)

    both_ways(made(), made(), cut, 25)


@settings(max_examples=60)
@given(sources(), st.integers(1, 12), st.none() | st.integers(1, 4), st.integers(0, 30))
def test_a_mixture_goes_on_anywhere(given_sources: Sources, size: int, images: int | None, cut: int) -> None:
    names = list(given_sources.rows)
    begin = dict(zip(names, normalised([1.0 + n for n in range(len(names))]), strict=True))
    end = dict.fromkeys(names, 1 / len(names))

    def made() -> Mixture:
        return Mixture(given_sources.rows, begin, end, 20, 55, given_sources.pictures, size, images, 5)

    both_ways(made(), made(), cut, 25)


def stage(
    *weights: float | None, temperature: float = 1.0, anneal: AnnealSection | None = None, **learning: object
) -> Stage:
    named = tuple(SourceSection(name=f"s{n}", weight=weight) for n, weight in enumerate(weights))
    section = LearningSection.model_validate({"steps": 9, "batch_size": 4, **learning})
    return Stage(1, "one", section, named, temperature, {}, anneal, None, CarrySection())


def test_shares_are_weights_or_sizes() -> None:
    sizes = {"s0": 10, "s1": 30}
    assert mix.shares_at_the_beginning(stage(None, None), sizes) == {"s0": 0.25, "s1": 0.75}
    assert mix.shares_at_the_beginning(stage(3, 1), sizes) == {"s0": 0.75, "s1": 0.25}


def test_temperature_by_hand() -> None:
    # 16^(1/2) = 4 and 81^(1/2) = 9; 16^(1/4) = 2 and 81^(1/4) = 3
    sizes = {"s0": 16, "s1": 81}
    shares = mix.shares_at_the_beginning(stage(None, None, temperature=2), sizes)
    assert shares == {"s0": pytest.approx(4 / 13), "s1": pytest.approx(9 / 13)}
    shares = mix.shares_at_the_beginning(stage(16, 81, temperature=4), {"s0": 1, "s1": 1})
    assert shares == {"s0": pytest.approx(2 / 5), "s1": pytest.approx(3 / 5)}
    # a source of weight 0 has none, at any temperature (0^0 would be 1)
    assert mix.shares_at_the_beginning(stage(0, 1, temperature=1e9), {"s0": 1, "s1": 1}) == {"s0": 0.0, "s1": 1.0}


def rows_of(sizes: Mapping[str, int]) -> dict[str, Tensor]:
    parts = torch.split(torch.arange(sum(sizes.values())), list(sizes.values()))
    return dict(zip(sizes, parts, strict=True))


def test_annealed_shares_by_hand() -> None:
    """Nine steps, annealed over the last third of them: from step 6 on, and at step 8 the end is reached."""
    anneal = AnnealSection(over=1 / 3, to={"s1": 1.0})
    rows = rows_of({"s0": 40, "s1": 40})
    sampler = mix.sampler_of(stage(3, 1, anneal=anneal), rows, torch.arange(80), 9, 0)
    assert [round(sampler.shares(step)["s1"], 6) for step in range(9)] == [0.25] * 7 + [0.625, 1]
    drawn = [sampler.next(step) for step in range(9)]
    # promised of s1 after each step, four rows a step: 1, 2, … 7, then + 2.5 and + 4
    given_rows = torch.stack([(some >= 40).sum() for some in drawn]).cumsum(0).tolist()
    assert given_rows[:7] == [1, 2, 3, 4, 5, 6, 7]
    assert given_rows[7] in (9, 10)
    assert given_rows[8] == given_rows[7] + 4  # s0 has no share any more


def test_a_source_without_a_share_is_never_drawn() -> None:
    rows = rows_of({"s0": 2, "s1": 50})
    sampler = mix.sampler_of(stage(1, 0), rows, torch.arange(52), 9, 0)
    assert set(torch.cat([sampler.next(step) for step in range(9)]).tolist()) == {0, 1}


def test_groups_of_a_mixture_keep_a_pictures_questions_together() -> None:
    pictures = torch.arange(20).repeat_interleave(8)
    rows = rows_of({"s0": 80, "s1": 80})
    sampler = mix.sampler_of(stage(1, 1, batch_size=16, images_per_batch=4), rows, pictures, 9, 0)
    drawn = [sampler.next(step) for step in range(9)]
    assert all(len(torch.unique(pictures[some])) <= 4 for some in drawn)


def test_stages_sources_passes_and_seeds_have_orders_of_their_own() -> None:
    def order(number: int, seed: int, *, mixed: bool) -> list[int]:
        one = stage(*((1, 1) if mixed else (None, None)))
        numbered = Stage(number, one.name, one.learning, one.sources, 1.0, {}, None, None, CarrySection())
        rows = rows_of({"s0": 30, "s1": 30})
        sampler = mix.sampler_of(numbered, rows, torch.arange(60), 30, seed)
        return torch.cat([sampler.next(step) for step in range(30)]).tolist()

    for mixed in (False, True):
        orders = [order(number, seed, mixed=mixed) for number in (1, 2, 3) for seed in (0, 42, 2**31)]
        assert len({tuple(one) for one in orders}) == 9
        assert order(2, 42, mixed=mixed) == orders[4]
    passes = order(1, 42, mixed=True)
    first, second = ([row for row in passes if row < 30][n * 30 : n * 30 + 30] for n in (0, 1))
    assert sorted(first) == sorted(second) == list(range(30))
    assert first != second
    assert [row - 30 for row in passes if row >= 30][:30] != first

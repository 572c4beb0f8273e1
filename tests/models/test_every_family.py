"""What holds for every model family, on tiny checkpoints in the hub's own layout."""

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.models import zoo
from radvqa.models.family import Context, ModelAnswer, Portable, VqaModel
from radvqa.models.zoo import FAMILIES
from radvqa.recipe import ModelSection
from radvqa.sample import Sample
from radvqa.training.micro_batches import MicroBatches

TRAINED = [*(name for name in FAMILIES if name not in ("endpoint", "coattention")), "question_queries"]
OF_OUR_OWN = ("cnn_lstm",)  # not made of checkpoints that other tools could load
ROWS = 24


@cache
def samples() -> list[Sample]:
    """Questions about several pictures, several about each."""
    return registry.load_split("phantom:mini", "train")[:ROWS]


@pytest.fixture(scope="module", params=TRAINED)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def section(family: str, tmp_path_factory: pytest.TempPathFactory) -> ModelSection:
    values = importlib.import_module(f"tiny_{family}").section(tmp_path_factory.mktemp(family))
    return ModelSection.model_validate(values)


def build(section: ModelSection, seed: int = 3) -> VqaModel:
    return zoo.build(section, Context(training=samples(), seed=seed))


def trained(model: VqaModel, steps: int) -> list[float]:
    """Train on all rows for some steps; returns the loss of each."""
    prepared = model.prepare(samples(), Problems())
    optimizer = torch.optim.AdamW([p for p in model.module.parameters() if p.requires_grad], 1e-2)
    model.module.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        step = model.loss(prepared, torch.arange(ROWS))
        step.loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(step.loss.item() / step.members)
    return losses


def answers(model: VqaModel, rows: list[int]) -> dict[int, ModelAnswer]:
    prepared = model.prepare(samples(), Problems())
    return dict(zip(rows, model.answer(prepared, torch.tensor(rows)).answers, strict=True))


def assert_same(ours: Mapping[int, ModelAnswer], expected: Mapping[int, ModelAnswer]) -> None:
    for row, answer in ours.items():
        assert answer.text == expected[row].text
        assert answer.confidence == pytest.approx(expected[row].confidence, abs=1e-4)


@pytest.fixture(scope="module")
def model(section: ModelSection) -> VqaModel:
    """A model after a few steps; no test may change its weights."""
    built = build(section)
    trained(built, 6)
    return built


@pytest.fixture(scope="module")
def together(model: VqaModel) -> dict[int, ModelAnswer]:
    """Answers to all rows at once."""
    return answers(model, list(range(ROWS)))


def test_the_loss_falls(section: ModelSection) -> None:
    losses = trained(build(section), 12)
    assert losses[-1] < 0.9 * losses[0]


def test_frozen_parts_stay_and_learned_parts_move(section: ModelSection) -> None:
    built = build(section)
    before = {name: value.clone() for name, value in built.module.state_dict().items()}
    learned = {name for name, parameter in built.module.named_parameters() if parameter.requires_grad}
    trained(built, 3)
    moved = {name for name, value in built.module.state_dict().items() if not torch.equal(value, before[name])}
    assert learned
    assert learned <= moved
    frozen_parts = [part for part in built.parts.values() if not any(p.requires_grad for p in part.parameters())]
    still = {id(value) for part in frozen_parts for value in [*part.parameters(), *part.buffers()]}
    state = dict(built.module.named_parameters()) | dict(built.module.named_buffers())
    assert not {name for name in moved if name in state and id(state[name]) in still}


def test_parts_hold_every_parameter_once(model: VqaModel) -> None:
    held = [id(parameter) for part in model.parts.values() for parameter in part.parameters()]
    assert len(held) == len(set(held))
    assert set(held) == {id(parameter) for parameter in model.module.parameters()}


def test_a_checkpoint_answers_the_same(model: VqaModel, section: ModelSection) -> None:
    spec = {"family": section.family, **model.spec()}
    again = zoo.rebuild(spec, torch.device("cpu"))
    again.load_state(model.state())
    assert_same(answers(again, list(range(ROWS))), answers(model, list(range(ROWS))))


def test_training_goes_on_from_a_checkpoint(section: ModelSection) -> None:
    first = build(section)
    trained(first, 6)
    again = zoo.rebuild({"family": section.family, **first.spec()}, torch.device("cpu"))
    again.load_state(first.state())
    assert trained(again, 4)[-1] < trained(build(section), 1)[0]


@given(data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_answers_do_not_depend_on_the_batch(
    model: VqaModel, together: dict[int, ModelAnswer], data: st.DataObject
) -> None:
    """Any rows in any order, in batches of any size, beside the longest question or not."""
    rows = data.draw(st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=8, unique=True))
    size = data.draw(st.integers(1, 8))
    for part in (rows[start : start + size] for start in range(0, len(rows), size)):
        assert_same(answers(model, part), together)


def test_the_picture_reaches_the_model(model: VqaModel) -> None:
    one, other = samples()[0], next(s for s in samples() if s.image != samples()[0].image)
    swapped = Sample(**{**{f: getattr(one, f) for f in one.__slots__}, "image_path": other.image_path})
    model.module.eval()
    losses: list[Tensor] = []
    for sample in (one, swapped):
        with torch.no_grad():
            losses.append(model.loss(model.prepare([sample], Problems()), torch.tensor([0])).loss)
    assert not torch.allclose(losses[0], losses[1], rtol=1e-6, atol=0)


def test_a_batch_in_parts_has_the_gradient_of_the_whole(section: ModelSection) -> None:
    built = build(section)
    prepared = built.prepare(samples(), Problems())
    built.module.eval()  # no dropout, and batch norm does not learn
    rows = torch.tensor([3, 17, 0, 9, 4, 21, 8])
    gradients = []
    for size in (None, 3, 1):
        built.module.zero_grad(set_to_none=True)
        step = MicroBatches(size).backward(built, prepared, rows, label_smoothing=0.0)
        gradients.append(({n: p.grad for n, p in built.module.named_parameters() if p.requires_grad}, step))
    whole, step = gradients[0]
    for parts, other in gradients[1:]:
        torch.testing.assert_close(other.loss, step.loss, atol=1e-5, rtol=1e-4)
        assert int(other.correct) == int(step.correct)
        for name, gradient in whole.items():
            ours = parts[name]
            assert (ours is None) == (gradient is None), name
            if gradient is not None:
                torch.testing.assert_close(ours, gradient, atol=1e-5, rtol=1e-3)


def test_building_depends_on_its_seed_and_leaves_the_random_state(section: ModelSection) -> None:
    before = torch.get_rng_state()
    state = build(section, seed=7).state()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    again = build(section, seed=7).state()
    assert all(torch.equal(value, again[name]) for name, value in state.items())


def test_merged_weights_are_written(section: ModelSection, tmp_path: Path) -> None:
    built: Any = build(section)
    trained(built, 2)
    assert isinstance(built, Portable) == (section.family not in OF_OUR_OWN)
    if section.family not in OF_OUR_OWN:
        built.write_merged(tmp_path / "merged")
        assert list((tmp_path / "merged").rglob("*.safetensors"))

"""Learning rates and lengths, by hand."""

from typing import Any

import pytest

from radvqa.recipe import LearningSection, SourceSection
from radvqa.recipe.curriculum import Stage
from radvqa.recipe.stages import AnnealSection, CarrySection
from radvqa.training import length, schedule


def learning(**values: Any) -> LearningSection:
    return LearningSection.model_validate({"epochs": 4, "batch_size": 8, **values})


def stage(anneal: dict[str, Any] | None = None, **values: Any) -> Stage:
    moved = None if anneal is None else AnnealSection.model_validate(anneal)
    return Stage(1, "one", learning(**values), (SourceSection(name="s"),), 1.0, {}, moved, None, CarrySection())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [1, 1, 1, 1, 1, 1, 1, 1]),
        ({"warmup_epochs": 1.5}, [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1]),
        ({"warmup_steps": 4}, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
        ({"schedule": "linear"}, [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
        ({"schedule": "linear", "warmup_steps": 4}, [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25]),
        # half a cosine over 8 steps: ½ (1 + cos(π k / 8))
        ({"schedule": "cosine"}, [1, 0.96194, 0.85355, 0.69134, 0.5, 0.30866, 0.14645, 0.03806]),
        # two steps up, then half a cosine over the other six: ½ (1 + cos(π k / 6))
        ({"schedule": "cosine", "warmup_epochs": 1}, [0.5, 1, 1, 0.93301, 0.75, 0.5, 0.25, 0.06699]),
        # half of the steps annealed to a tenth: from step 4 to step 7 in equal pieces
        ({"anneal": {"over": 0.5, "learning_rate": 0.1}}, [1, 1, 1, 1, 1, 0.7, 0.4, 0.1]),
        # from where the cosine is when annealing begins: 0.5 → 0
        (
            {"schedule": "cosine", "anneal": {"over": 0.5, "learning_rate": 0}},
            [1, 0.96194, 0.85355, 0.69134, 0.5, 1 / 3, 1 / 6, 0],
        ),
        ({"anneal": {"over": 1, "learning_rate": 0.3}}, [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]),
        ({"anneal": {"over": 0.5, "to": {"s": 1}}}, [1, 1, 1, 1, 1, 1, 1, 1]),  # the mix moves, the rate does not
    ],
)
def test_the_rate_by_hand(values: dict[str, Any], expected: list[float]) -> None:
    rates = [schedule.rate(step, 8, 2, stage(**values)) for step in range(8)]
    assert rates == pytest.approx(expected, abs=1e-5)


def test_a_stage_of_one_step_has_a_rate() -> None:
    assert schedule.rate(0, 1, 1, stage(schedule="cosine")) == 1
    assert schedule.rate(0, 1, 1, stage(anneal={"over": 1, "learning_rate": 0.5})) == 1


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        ({"epochs": 3}, 12),  # 25 rows in batches of 8 are 4 steps an epoch
        ({"epochs": None, "steps": 7}, 7),
        # a step reads 8 × 12.5 tokens
        ({"epochs": None, "tokens": 1000}, 10),
        ({"epochs": None, "tokens": 1001}, 11),
        ({"epochs": None, "tokens": 1}, 1),
    ],
)
def test_lengths_by_hand(values: dict[str, Any], steps: int) -> None:
    assert length.steps_of(learning(**values), 25, 12.5) == steps


def test_a_length_in_tokens_needs_tokens() -> None:
    with pytest.raises(ValueError, match="needs the tokens of a row"):
        length.steps_of(learning(epochs=None, tokens=10), 25, None)

"""The learning rate over a stage, as a share of its peak; a function of the step alone."""

import math

from radvqa.recipe.curriculum import Stage
from radvqa.recipe.learning import LearningSection
from radvqa.training.mix import annealing_begins


def rate(step: int, steps: int, epoch_steps: int, stage: Stage) -> float:
    """Return the share of the peak learning rate at a step.

    Warm-up from zero, then the schedule; where annealing has begun, a line from there to its end.

    Args:
        step: from 0 on.
        steps: of the stage.
        epoch_steps: of an epoch.
        stage: says schedule, warm-up and annealing.
    """
    begins = annealing_begins(stage, steps)
    if stage.anneal is None or stage.anneal.learning_rate == 1 or step < begins:
        return scheduled(step, steps, epoch_steps, stage.learning)
    moved = min(1.0, (step - begins) / max(1.0, steps - 1 - begins))
    return scheduled(begins, steps, epoch_steps, stage.learning) * (1 + (stage.anneal.learning_rate - 1) * moved)


def scheduled(step: float, steps: int, epoch_steps: int, learning: LearningSection) -> float:
    """Return the share of the peak learning rate at a step, without annealing."""
    warmup = learning.warmup_steps or learning.warmup_epochs * epoch_steps
    if step < warmup:
        return (step + 1) / warmup
    if learning.schedule == "constant":
        return 1.0
    share = min(1.0, (step - warmup) / max(1.0, steps - warmup))
    return 1 - share if learning.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * share))

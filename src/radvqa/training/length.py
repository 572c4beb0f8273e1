"""How many steps a stage has."""

import math

from radvqa.recipe.learning import LearningSection


def epoch_steps(rows: int, learning: LearningSection) -> int:
    """Steps in which every row comes once."""
    return math.ceil(rows / learning.batch_size)


def steps_of(learning: LearningSection, rows: int, tokens_per_row: float | None) -> int:
    """Steps of a stage.

    Args:
        learning: says its length in epochs, steps or tokens.
        rows: of an epoch, repeated ones as often as they are repeated.
        tokens_per_row: mean number of tokens that the decoder reads for a row; needed for a length in tokens.
    """
    if learning.steps is not None:
        return learning.steps
    if learning.tokens is not None:
        if tokens_per_row is None:
            raise ValueError("a length in tokens needs the tokens of a row")
        return max(1, math.ceil(learning.tokens / (tokens_per_row * learning.batch_size)))
    if learning.epochs is None:
        raise ValueError("a stage has a length")
    return learning.epochs * epoch_steps(rows, learning)

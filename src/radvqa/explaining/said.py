"""What is explained: the answer that a model gave, token by token."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """An answer.

    Attributes:
        text: as the model gives it.
        tokens: of the answer, its end included where it ended; of a classifier the class alone.
        spelled: each token as people read it; the end is ``⏎``.
        probability: of the whole answer; None when the model tells none.
    """

    text: str
    tokens: tuple[int, ...]
    spelled: tuple[str, ...]
    probability: float | None


END = "⏎"
"""How the token that ends an answer is shown."""

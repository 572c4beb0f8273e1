"""The best state so far, and whether it is time to stop."""

from dataclasses import asdict, dataclass

from radvqa.training.state import State


@dataclass
class Stopping:
    """Keeps the best value of a stage's metric.

    Attributes:
        lower: whether lower values are better (the loss).
        patience: looks without a better value after which the stage ends; None never ends it.
        min_improvement: how much better a value must be.
        value: the best one; None before the first look.
        look: of the best value, from 1 on.
        step: of the best value, since the start of the run.
        looks: so far.
    """

    lower: bool
    patience: int | None
    min_improvement: float
    value: float | None = None
    look: int | None = None
    step: int | None = None
    looks: int = 0

    def better(self, value: float, step: int) -> bool:
        """Take in a look's value; True when it is the best so far (of equal ones the first is)."""
        self.looks += 1
        gain = 0.0 if self.value is None else (self.value - value if self.lower else value - self.value)
        if self.value is not None and (gain <= 0 or gain < self.min_improvement):
            return False
        self.value, self.look, self.step = value, self.looks, step
        return True

    @property
    def enough(self) -> bool:
        """Whether patience is at its end."""
        return self.patience is not None and self.looks - (self.look or 0) >= self.patience

    def state(self) -> State:
        """All of it."""
        return State(plain=asdict(self))

    def load(self, state: State) -> None:
        """Go on from there."""
        self.value, self.look = state.plain["value"], state.plain["look"]
        self.step, self.looks = state.plain["step"], state.plain["looks"]

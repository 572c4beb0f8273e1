"""Places on the axis of carriers, handed out one stream after the other."""

import torch
from torch import Tensor


class Axis:
    """Hands out carriers."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, number: int) -> Tensor:
        """The next ``number`` carriers, ``(number,)``."""
        taken = torch.arange(self.count, self.count + number)
        self.count += number
        return taken

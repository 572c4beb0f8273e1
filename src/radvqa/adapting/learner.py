"""One optimiser step after the other: AdamW, warm-up and cosine, clipped gradients, no step on nonsense."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from radvqa.adapting.spec import Learning
from radvqa.errors import RunError


class Learner:
    """Learns parameters at a rate that warms up and then falls to zero as a cosine (Loshchilov and Hutter, ICLR 2017).

    Weight matrices decay; vectors (norms, biases, scales) do not.

    Args:
        parameters: what learns, and its peak rate, by name.
        learning: weight decay, clipping, warm-up, precision.
        steps: that will be taken.
    """

    def __init__(
        self, parameters: Mapping[str, tuple[Sequence[nn.Parameter], float]], learning: Learning, steps: int
    ) -> None:
        self._learning, self._steps, self.taken = learning, steps, 0
        self._all = [parameter for held, _ in parameters.values() for parameter in held]
        self._peaks: list[float] = []
        groups = []
        for held, peak in parameters.values():
            for matrices, decay in ((True, learning.weight_decay), (False, 0.0)):
                part = [parameter for parameter in held if (parameter.ndim > 1) == matrices]
                if part:
                    groups.append({"params": part, "weight_decay": decay, "lr": peak})
                    self._peaks.append(peak)
        self._optimizer = torch.optim.AdamW(groups, fused=True)

    def computing(self, device: torch.device) -> torch.autocast:
        """The precision of matrix products, as a context."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self._learning.precision == "bf16")

    def step(self, loss: Tensor) -> float:
        """Take a step down a loss; returns the loss.

        Raises:
            RunError: when the loss is no number.
        """
        value = loss.item()
        if not math.isfinite(value):
            raise RunError(
                f"The loss is {value} at step {self.taken + 1} of {self._steps}; nothing was written. Try a smaller "
                f"training.learning_rate, or precision fp32."
            )
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._all, self._learning.clip_norm)
        share = rate(self.taken, self._steps, self._learning.warmup)
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * share
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.taken += 1
        return value


def rate(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak learning rate at a step, counted from 0.

    Args:
        step: from 0 on.
        steps: of the whole.
        warmup: share of them that rises.
    """
    rising = round(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))

"""Losses that are no number, and disks that are full: stop with the last good state, and say why."""

import errno
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from radvqa.errors import RadvqaError
from radvqa.models.family import Prepared

_NAMED = 8
_WAYS_OUT = "Try a smaller training.learning_rate or training.clip_norm=1."
_BEHIND = 50  # steps that are looked at together on devices that compute ahead of the program


class Guard:
    """Looks at the losses of the last steps: at once on CPUs, some steps later where looking would make a GPU wait.

    Args:
        prepared: holds the rows that are learned from.
        device: that trains.
    """

    def __init__(self, prepared: Prepared, device: torch.device) -> None:
        self._prepared = prepared
        self._at_most = 1 if device.type == "cpu" else _BEHIND
        self._losses: list[Tensor] = []
        self._rows: list[Tensor] = []
        self._steps: list[int] = []

    def step(self, step: int, rows: Tensor, loss: Tensor) -> None:
        """Take in a step's loss.

        Raises:
            RadvqaError: names the step and the samples of the first loss that is no number.
        """
        self._losses.append(loss)
        self._rows.append(rows)
        self._steps.append(step)
        if len(self._losses) >= self._at_most:
            self.look()

    def look(self, weights: Sequence[Tensor] = ()) -> None:
        """Look at everything that was taken in, and at weights that are about to be kept.

        Raises:
            RadvqaError: when a loss or a weight is no number.
        """
        if not self._losses:
            return
        bad = (~torch.stack(self._losses).isfinite()).nonzero()
        if len(bad):
            raise self._error("The training loss is not a number any more", int(bad[0]))
        if any(not bool(weight.isfinite().all()) for weight in weights if weight.is_floating_point()):
            raise self._error("The weights are not numbers any more", len(self._losses) - 1)
        self._losses, self._rows, self._steps = self._losses[-1:], self._rows[-1:], self._steps[-1:]

    def value(self, value: float, step: int) -> None:
        """Look at the value that chooses.

        Raises:
            RadvqaError: when it is no number.
        """
        if not math.isfinite(value):
            raise RadvqaError(
                f"The loss on the selection split is not a number at step {step}; the last good checkpoint is kept. "
                f"{_WAYS_OUT}"
            )

    def _error(self, what: str, place: int) -> RadvqaError:
        ids = [self._prepared.samples[row].id for row in self._rows[place].tolist()]
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        return RadvqaError(
            f"{what}, at step {self._steps[place]} with the samples {', '.join(ids[:_NAMED])}{more}; the last good "
            f"checkpoint is kept. {_WAYS_OUT}"
        )


@contextmanager
def full_disk_is_told(step: Callable[[], int | None] = lambda: None) -> Iterator[None]:
    """Turn a full disk into a sentence; what was written before is whole.

    Args:
        step: says the step of the last good checkpoint, if there is one.

    Raises:
        RadvqaError: in place of the system's error.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        number = error.errno if isinstance(error, OSError) else None
        full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or any(
            f"os error {code}" in str(error) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        )
        if not full:
            raise
        kept = "what was kept before" if step() is None else f"the checkpoint of step {step()}"
        raise RadvqaError(
            f"The disk is full, so the training stopped; {kept} is whole. Free some room and start the same command "
            f"again."
        ) from error

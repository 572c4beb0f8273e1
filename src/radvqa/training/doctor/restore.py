"""Leave everything as it was: a training after the examination is the training without it, bit by bit."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from radvqa.models.family import VqaModel
from radvqa.models.generator import Generator

_CHUNK = 1 << 24  # numbers that are summed at once, so that large tables are not copied whole


class Kept:
    """The state of a module at one moment.

    What is trained, and every buffer, is copied. Frozen weights are only fingerprinted, because a second copy of a
    large model may find no room; that they moved is noticed, but they are not put back.

    Args:
        module: whose state is kept.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.trained = {n: p.detach().clone() for n, p in module.named_parameters() if p.requires_grad}
        self.buffers = {name: buffer.detach().clone() for name, buffer in module.named_buffers()}
        self.frozen = {n: _sums(p) for n, p in module.named_parameters() if not p.requires_grad}

    def moved(self) -> set[str]:
        """Names of the parameters and buffers that are not what they were."""
        now = dict(self.module.named_parameters())
        buffers = dict(self.module.named_buffers())
        return {
            *(name for name, kept in self.trained.items() if not _same(kept, now[name])),
            *(name for name, kept in self.buffers.items() if not _same(kept, buffers[name])),
            *(name for name, sums in self.frozen.items() if sums != _sums(now[name])),
        }

    def put_back(self) -> None:
        """Make the module what it was, without gradients."""
        buffers = dict(self.module.named_buffers())
        with torch.no_grad():
            for name, parameter in self.module.named_parameters():
                parameter.grad = None
                if name in self.trained:
                    parameter.copy_(self.trained[name])
            for name, kept in self.buffers.items():
                buffers[name].copy_(kept)


@contextmanager
def untouched(model: VqaModel) -> Iterator[Kept]:
    """Put back weights, statistics, modes, counts and every random state at the end, whatever happens inside.

    Inside, the random states are always the same.
    """
    kept = Kept(model.module)
    modes = [(module, module.training) for module in model.module.modules()]
    cut = model.cut if isinstance(model, Generator) else 0
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)  # so that the same model is found to be the same every time
            random.seed(0)
            np.random.seed(0)
            yield kept
    finally:
        kept.put_back()
        for module, training in modes:
            module.training = training
        if isinstance(model, Generator):
            model.cut = cut
        random.setstate(python)
        np.random.set_state(numpy)


def _same(kept: Tensor, now: Tensor) -> bool:
    return bool(((kept == now) | (kept.isnan() & now.isnan())).all())


def _sums(parameter: Tensor) -> tuple[str, str]:
    """Sum and sum of magnitudes, in double precision; as text, so that what is not a number equals itself."""
    parts = [part.double() for part in torch.split(parameter.detach().flatten(), _CHUNK)]
    return str(sum(part.sum().item() for part in parts)), str(sum(part.abs().sum().item() for part in parts))

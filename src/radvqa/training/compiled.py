"""``torch.compile`` when it pays: the first steps of a stage are run as they are, then compiled; the faster way stays.

What is compiled are the repeated blocks of a model, one class of them at a time, because a block compiles in seconds
and serves all its like. Only steps that learn run compiled; answering is as it was. Random numbers are drawn by torch's
own generators either way, so the same units are dropped.
"""

import re
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from types import MethodType
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from radvqa import console

T = TypeVar("T")
Mode = Literal["off", "measure", "on"]
Phase = Literal["eager", "warm", "compiled", "decided"]

GAIN = 0.05
"""Share of an eager step's time that compiling must save to be kept."""

_VERSIONS = 256  # of one function that may be compiled: a block that knows its number is compiled for each number
_MARK = "_radvqa_compiled"  # by which a forward of ours is known again
_COMPILER = ("torch._dynamo", "torch._inductor", "torch._functorch", "torch.fx")
_KNOWN_WARNINGS: tuple[tuple[type[Warning], str], ...] = (  # of the compiler about itself
    (UserWarning, "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"),
    (DeprecationWarning, "`torch.jit.script_method` is deprecated"),
)


class CompileTrial:
    """Runs the first steps of a stage eagerly, then compiled, and keeps what is faster.

    A step that the compiler fails in is run again as it is, from the same random state and without what it left in the
    gradients, and nothing is compiled any more. An error that is not the compiler's passes through, and so does one
    that the step raises without it too.

    With ``measure`` a clock decides, and compiled steps equal eager ones within rounding only: two runs of the same
    recipe may differ by that.

    Args:
        module: what the steps train.
        mode: ``off`` compiles nothing, ``on`` everything from the first step, ``measure`` tries.
        eager_steps: that are timed before.
        warm_steps: that are run compiled before any is timed; compiling happens in them.
        compiled_steps: that are timed then.
        backend: of ``torch.compile``.
        clock: seconds.
    """

    def __init__(
        self,
        module: nn.Module,
        mode: Mode,
        *,
        eager_steps: int = 8,
        warm_steps: int = 4,
        compiled_steps: int = 8,
        backend: Any = "inductor",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.mode = mode
        self._module, self._clock = module, clock
        self._steps = {"eager": eager_steps, "warm": warm_steps, "compiled": compiled_steps}
        self._regions = _Regions(module, backend)
        self._seconds: dict[str, list[float]] = {"eager": [], "warm": [], "compiled": []}
        self._phase: Phase = "eager"
        self._reason = "the stage ended before the trial did"
        if mode == "off":
            self._decide(used=False, reason="training.compile is off")
        elif mode == "on":
            self._decide(used=True, reason="training.compile is on")

    def run(self, step: Callable[[], T]) -> T:
        """Run a training step, forward and backward.

        Args:
            step: begins with empty gradients and leaves nothing behind but gradients, batch-norm statistics and random
                states, so that it can be begun anew.
        """
        if self._phase == "decided":
            return self._guarded(step) if self._regions.compiled else step()
        phase = self._phase
        started = self._now()
        done = self._guarded(step) if self._regions.compiled else step()
        if self._phase == phase:  # the compiler did not fail
            self._seconds[phase].append(self._now() - started)
            self._go_on()
        return done

    @property
    def decision(self) -> dict[str, Any]:
        """What was decided and why, for ``run.json``; times are medians of a step, in seconds, null where unknown."""
        return {
            "mode": self.mode,
            "used": self._phase == "decided" and self._regions.compiled,
            "eager_seconds": _median(self._seconds["eager"]),
            "compiled_seconds": _median(self._seconds["compiled"]),
            "warm_seconds": round(sum(self._seconds["warm"]), 3) if self._seconds["warm"] else None,
            "reason": self._reason,
        }

    def state(self) -> dict[str, Any]:
        """Plain values from which ``load`` goes on."""
        return {
            "mode": self.mode,
            "phase": self._phase,
            "compiled": self._regions.compiled,
            "seconds": {phase: list(seconds) for phase, seconds in self._seconds.items()},
            "reason": self._reason,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state: what was decided stands, and what was timed is not timed again.

        A trial that was cut off while it ran compiled steps compiles anew and warms up again; steps stay compiled.
        """
        self._seconds = {phase: list(state["seconds"][phase]) for phase in self._seconds}
        self._phase, self._reason = state["phase"], state["reason"]
        if self._phase == "compiled":
            self._phase = "warm"
        if self._phase == "warm":
            self._seconds["warm"].clear()
        if state["compiled"]:
            self._compile()
        else:
            self._regions.revert()

    def _go_on(self) -> None:
        """Enter the next phase when this one has its steps."""
        while self._phase != "decided" and len(self._seconds[self._phase]) >= self._steps[self._phase]:
            if self._phase == "eager":
                self._phase = "warm"
                self._compile()
            elif self._phase == "warm":
                self._phase = "compiled"
            else:
                eager, compiled = (statistics.median(self._seconds[phase]) for phase in ("eager", "compiled"))
                saved = 1 - compiled / eager if eager else 0.0
                percent = f"compiled steps take {abs(saved):.0%} {'less' if saved >= 0 else 'more'} time"
                pays = saved >= GAIN
                self._decide(used=pays, reason=percent if pays else f"{percent}; kept from {GAIN:.0%} less on")

    def _decide(self, *, used: bool, reason: str) -> None:
        self._phase, self._reason = "decided", reason
        if used:
            self._compile()
        else:
            self._regions.revert()

    def _compile(self) -> None:
        try:
            self._regions.compile()
        except Exception as error:  # of many kinds: an interpreter or a system that it does not run on
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {_first_line(error)}"
        self._decide(used=False, reason=f"it failed ({reason})")
        console.say(f"torch.compile failed, so the training goes on without it ({reason})")

    def _guarded(self, step: Callable[[], T]) -> T:
        """Run a step compiled, or as it is when the compiler fails."""
        before = _Before.take(self._module)
        try:
            with _settings():
                return step()
        except Exception as error:
            if isinstance(error, torch.OutOfMemoryError) or not _is_compilers(error):
                raise
            failure = error
        before.restore(self._module)
        self._regions.revert()
        try:
            done = step()
        except Exception:  # fails without the compiler too
            self._regions.compile()
            raise
        self._failed(failure)
        return done

    def _now(self) -> float:
        if _device(self._module).type == "cuda":
            torch.cuda.synchronize(_device(self._module))
        return self._clock()


class _Regions:
    """What of a model is compiled, in place: repeated blocks, or the model's children where none are repeated.

    Args:
        module: the model.
        backend: of ``torch.compile``.
    """

    def __init__(self, module: nn.Module, backend: Any) -> None:
        self._blocks = list(_repeated(module)) or list(module.children())
        self._backend, self.compiled = backend, False
        self.revert()  # what the stage before compiled

    def compile(self) -> None:
        """Let blocks run compiled where gradients are wanted; nothing is compiled before the first call."""
        if self.compiled:
            return
        for kind, message in _KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=re.escape(message), category=kind)
        options: Any = {"fallback_random": True} if self._backend == "inductor" else None
        # a block that has a forward of its own got it from another library
        blocks = [block for block in self._blocks if "forward" not in vars(block)]
        forwards = {
            eager: _where_learning(eager, torch.compile(eager, dynamic=True, backend=self._backend, options=options))
            for eager in {type(block).forward for block in blocks}
        }
        for block in blocks:
            block.forward = MethodType(forwards[type(block).forward], block)  # a copy of the block gets one of its own
        self.compiled = True

    def revert(self) -> None:
        """Leave no trace."""
        ours = [block for block in self._blocks if hasattr(vars(block).get("forward"), _MARK)]
        for block in ours:
            del block.forward
        if ours:
            torch.compiler.reset()
        self.compiled = False


def _where_learning(eager: Callable[..., Any], compiled: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(eager)
    def forward(self: nn.Module, *args: Any, **values: Any) -> Any:
        return (compiled if torch.is_grad_enabled() else eager)(self, *args, **values)

    setattr(forward, _MARK, True)
    return forward


def _repeated(module: nn.Module) -> Iterator[nn.Module]:
    """Members of the outermost lists of two or more blocks of one class."""
    for child in module.children():
        if isinstance(child, nn.ModuleList) and len(child) > 1 and len({type(block) for block in child}) == 1:
            yield from child
        else:
            yield from _repeated(child)


@dataclass(frozen=True)
class _Before:
    """What a step changes and does not overwrite: random states, and the statistics of batch norms.

    Attributes:
        cpu: random state.
        cuda: of the module's GPU, or None.
        statistics: buffers of batch norms and copies of them.
    """

    cpu: Tensor
    cuda: Tensor | None
    statistics: list[tuple[Tensor, Tensor]]

    @classmethod
    def take(cls, module: nn.Module) -> "_Before":
        """Copy them."""
        device = _device(module)
        norms = (child for child in module.modules() if isinstance(child, nn.modules.batchnorm._NormBase))
        buffers = [buffer for norm in norms if norm.training for buffer in norm.buffers()]
        return cls(
            torch.get_rng_state(),
            torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
            [(buffer, buffer.clone()) for buffer in buffers],
        )

    def restore(self, module: nn.Module) -> None:
        """Put them back, and clear the gradients."""
        module.zero_grad(set_to_none=True)
        torch.set_rng_state(self.cpu)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda, _device(module))
        with torch.no_grad():
            for buffer, copy in self.statistics:
                buffer.copy_(copy)


def _settings() -> AbstractContextManager[Any]:
    from torch._dynamo import config

    settings: Any = config
    patched: AbstractContextManager[Any] = settings.patch(recompile_limit=_VERSIONS)
    return patched


def _is_compilers(error: BaseException | None) -> bool:
    """Whether an error came through the compiler, or through what it compiled."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            if str(trace.tb_frame.f_globals.get("__name__", "")).startswith(_COMPILER):
                return True
            trace = trace.tb_next
        error = error.__cause__
    return False


def _device(module: nn.Module) -> torch.device:
    return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "without a message")[:200]


def _median(seconds: list[float]) -> float | None:
    return round(statistics.median(seconds), 6) if seconds else None

"""Several processes that train one model, by ``accelerate``: DDP, or FSDP where its settings say so.

They are started by ``torchrun``, by ``accelerate launch`` or by ``--processes``; gloo connects processors, NCCL GPUs.
"""

import os
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from radvqa.device import cores
from radvqa.errors import RadvqaError
from radvqa.models.family import StepLoss, VqaModel
from radvqa.training.micro_batches import LossOf
from radvqa.training.of_each import OfEach
from radvqa.training.processes import Alone, Processes, Share, share
from radvqa.training.state import Stateful

T = TypeVar("T")

_LONGEST_WAIT = timedelta(hours=2)  # of one process for another, for instance while it writes or examines
_STARTED = ("RANK", "WORLD_SIZE", "LOCAL_RANK")  # set by torchrun and accelerate launch


@contextmanager
def joined(device: str, threads: int | None = None) -> Iterator[Processes]:
    """The processes that this one was started with; where it was started alone, it alone.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: of each process; by default the cores of a machine are shared out.

    Raises:
        RadvqaError: when ``accelerate`` is not installed, or cannot do what its settings ask for.
    """
    if not all(name in os.environ for name in _STARTED) or int(os.environ["WORLD_SIZE"]) == 1:
        yield Alone()
        return
    here = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"]))
    torch.set_num_threads(threads or max(1, cores() // here))
    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu and here > torch.cuda.device_count():
        raise RadvqaError(
            f"{here} processes were started on this machine, and it has {torch.cuda.device_count()} GPUs; start one a "
            f"GPU, or use training.device=cpu."
        )
    together = Together(on_gpu)
    try:
        yield together
    except RuntimeError as error:
        if "by peer" not in str(error) and not isinstance(error, torch.distributed.DistError):
            raise
        raise RadvqaError("Another process has ended, so this one ends too.") from error
    together.leave()  # not after an error: the others may be anywhere, and whoever started them ends them


class Together:
    """Several processes; see ``Processes``.

    Weights that learn are the same in all processes, and so are their gradients: DDP averages them in the backward
    pass of the last part of a batch. It looks for weights that a batch did not use, so that these stay without a
    gradient as in one process; the price is a walk through the graph. Its buckets of gradients then stay as they were
    made, so that a resumed training adds numbers in the same order. Buffers are not sent at every step: only
    batch norms that learn change theirs, and those are made equal when the model is asked for answers.

    Args:
        on_gpu: whether each process has a GPU.

    Raises:
        RadvqaError: when ``accelerate`` is not installed, or cannot do what its settings ask for.
    """

    def __init__(self, on_gpu: bool) -> None:
        try:
            from accelerate import Accelerator
            from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs
        except ImportError:
            raise RadvqaError("Several processes need accelerate; install it with pip install accelerate.") from None
        if os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
            raise RadvqaError("DeepSpeed is not supported; use FSDP (accelerate launch --use_fsdp --fsdp_version 2).")
        self._accelerator: Any = Accelerator(
            cpu=not on_gpu,
            mixed_precision="no",  # the families choose it themselves
            kwargs_handlers=[
                DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False),
                InitProcessGroupKwargs(timeout=_LONGEST_WAIT),
            ],
        )
        self._plugin = _fsdp(self._accelerator)
        self._is_whole = False
        self._joined: _Joined | None = None
        self._loss: Any = None

    @property
    def main(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.index == 0

    @property
    def count(self) -> int:
        """How many there are, on all machines."""
        return int(self._accelerator.num_processes)

    @property
    def index(self) -> int:
        """Which one this is, from 0 on."""
        return int(self._accelerator.process_index)

    @property
    def sharded(self) -> bool:
        """Whether none of them holds the whole model."""
        return self._plugin is not None

    def begin(self, model: VqaModel) -> None:
        """Spread the model's weights over the processes, if FSDP is asked for."""
        self._loss = _Loss(model)
        if self._plugin is None:
            return
        from accelerate.utils import broadcast
        from accelerate.utils.fsdp_utils import fsdp2_prepare_model

        for parameter in model.module.parameters():
            if parameter.requires_grad:
                broadcast(parameter.data)  # as DDP does
        fsdp2_prepare_model(self._accelerator, self._loss)

    def through(self, model: VqaModel) -> LossOf:
        """The model whose gradients are those of all processes together; of what learns now."""
        if self._joined is not None:  # of the stage before: its hooks would stay on the weights
            self._joined.wrapped = None
            self._accelerator.free_memory()
        with warnings.catch_warnings():  # the name that replaces it is not known to older versions of torch
            warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated", category=FutureWarning)
            wrapped = self._loss if self.sharded else self._accelerator.prepare_model(self._loss)
        self._joined = _Joined(model.module, wrapped, self.sharded)
        return self._joined

    @contextmanager
    def whole(self, model: VqaModel) -> Iterator[None]:
        """While it lasts every process holds the whole model as the main one has it, and may use it on its own.

        Answers are of different lengths, so processes that answer cannot meet at every layer to put its weights
        together. With FSDP all of them are gathered for this long, and the memory of a device must hold them.
        """
        if self._is_whole:
            yield
            return
        from accelerate.utils import broadcast

        for norm in model.module.modules():
            if isinstance(norm, nn.modules.batchnorm._NormBase) and any(p.requires_grad for p in norm.parameters()):
                for buffer in norm.buffers():
                    broadcast(buffer)
        self._is_whole = True
        try:
            with _gathered(self._loss) if self.sharded else nullcontext():
                yield
        finally:
            self._is_whole = False

    def share(self, rows: Tensor, pictures: Tensor) -> Share:
        """An equal part of a batch, a picture's questions together."""
        return share(rows, pictures, self.index, self.count)

    def deal(self, things: Sequence[T]) -> list[T]:
        """Things are dealt out one by one."""
        return list(things[self.index :: self.count])

    def each(self, part: Stateful) -> Stateful:
        """A part whose state is another one in every process; snapshots keep all of them."""
        return OfEach(part, self.index, self.gather)

    def sum(self, value: Tensor) -> Tensor:
        """The sum over all processes."""
        summed = value.detach().clone()
        torch.distributed.all_reduce(summed)
        return summed

    def gather(self, values: Sequence[T]) -> list[T]:
        """Everybody's values, in the order of the processes."""
        from accelerate.utils import gather_object

        gathered: list[T] = gather_object(list(values))
        return gathered

    def agree(self, value: T) -> T:
        """The main process's value, for all."""
        from accelerate.utils import broadcast_object_list

        agreed: T = broadcast_object_list([value])[0]
        return agreed

    def wait(self) -> None:
        """Until all are here."""
        self._accelerator.wait_for_everyone()

    def leave(self) -> None:
        """Wait for everybody, and part; the processes may join again afterwards."""
        from accelerate.state import AcceleratorState

        self.wait()
        self._joined = self._loss = None
        self._accelerator.end_training()
        AcceleratorState._reset_state(reset_partial_state=True)


class _Loss(nn.Module):
    """A model's loss as the forward pass of a module: DDP and FSDP hang on forward passes.

    Args:
        model: whose loss it is.
    """

    def __init__(self, model: VqaModel) -> None:
        super().__init__()
        self.learns = model.module
        self._model = model

    def forward(self, prepared: Any, rows: Tensor, label_smoothing: float) -> tuple[Tensor, int, Tensor]:
        """The loss, and what is told with it."""
        step = self._model.loss(prepared, rows, label_smoothing=label_smoothing)
        return step.loss, step.members, step.correct


class _Joined:
    """A model as far as its loss is asked for, wrapped; see ``micro_batches.Joins``."""

    def __init__(self, module: nn.Module, wrapped: Any, sharded: bool) -> None:
        self._module, self.wrapped, self._sharded = module, wrapped, sharded

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self._module

    def loss(self, prepared: Any, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Loss of some rows."""
        return StepLoss(*self.wrapped(prepared, rows, label_smoothing))

    def joining(self, last: bool) -> AbstractContextManager[None]:
        """Around one part of a batch: gradients are put together in the last one."""
        if self._sharded:
            self.wrapped.set_requires_gradient_sync(last)
            return nullcontext()
        context: AbstractContextManager[None] = nullcontext() if last else self.wrapped.no_sync()
        return context


def _fsdp(accelerator: Any) -> Any:
    """The settings of FSDP, if it is asked for."""
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() != "true":
        return None
    from accelerate.utils import FullyShardedDataParallelPlugin

    plugin = getattr(accelerator.state, "fsdp_plugin", None) or FullyShardedDataParallelPlugin()
    if plugin.fsdp_version != 2:
        raise RadvqaError("Only version 2 of FSDP is supported; use fsdp_version: 2, or --fsdp_version 2.")
    plugin.cpu_ram_efficient_loading = False  # every process has read its weights
    plugin.mixed_precision_policy = None  # the families choose it themselves
    # The model is gathered as one. A block on its own would be gathered when the gradients of what it returns are
    # there, but those of a picture's keys and values, which are read once for all its questions, come another way.
    plugin.auto_wrap_policy = None
    accelerator.state.fsdp_plugin = plugin  # on processors accelerate leaves it out
    return plugin


@contextmanager
def _gathered(spread: Any) -> Iterator[None]:
    """While it lasts, what FSDP spread is gathered in every process."""
    spread.unshard()
    hooks = {module: module._state_dict_pre_hooks for module in spread.modules()}
    for module in hooks:  # those of FSDP spread the weights again when they are asked for
        module._state_dict_pre_hooks = OrderedDict()
    try:
        yield
    finally:
        for module, own in hooks.items():
            module._state_dict_pre_hooks = own
        spread.reshard()

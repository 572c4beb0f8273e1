"""``--processes N``: the same command in several processes on this machine, by torch's own launcher."""

import ctypes
import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Sequence
from typing import Any

from radvqa.errors import RadvqaError

_LAUNCHER = "RADVQA_LAUNCHER"  # the process that started this one
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl(2)


def needed(processes: int) -> bool:
    """Whether this process is to start others; False in those.

    Args:
        processes: as ``--processes`` says.

    Raises:
        RadvqaError: when another launcher started this process as one of another number.
    """
    if "LOCAL_RANK" not in os.environ:
        return processes > 1
    _end_with_launcher()
    if int(os.environ["WORLD_SIZE"]) != processes:
        raise RadvqaError(
            f"--processes {processes} starts processes on this machine; torchrun and accelerate launch, which started "
            f"{os.environ['WORLD_SIZE']}, say their number themselves."
        )
    return False


def launch(processes: int, arguments: Sequence[str] | None = None) -> int:
    """Run this very command in so many processes that find each other over the loopback.

    The cores are shared out, unless ``OMP_NUM_THREADS`` is set. When one process fails, the others are ended.

    Args:
        processes: how many.
        arguments: of the command; by default those that this process was started with.

    Returns:
        the exit status.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    from radvqa.device import cores

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the processes speak for themselves
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // processes)))
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    os.environ[_LAUNCHER] = str(os.getpid())
    command = ["-m", "radvqa", *(sys.argv[1:] if arguments is None else arguments)]
    with tempfile.TemporaryDirectory(prefix="radvqa-launch-") as logs:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",  # a free port
            local_addr="localhost",
            run_id=uuid.uuid4().hex,
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )
        try:
            elastic_launch(config, sys.executable)(*command)
        except ChildFailedError as error:
            return _told(error)
        except SignalException as error:
            return 128 + int(error.sigval)
    return 0


def _told(error: Any) -> int:
    """Say how a process was ended from outside; what it found wrong itself it has said."""
    rank, failure = error.get_first_failure()
    if failure.exitcode < 0:
        name = signal.Signals(-failure.exitcode).name
        print(f"radvqa: process {rank} was ended by {name}, so all were; the same command goes on.", file=sys.stderr)
        return 1
    return int(failure.exitcode)


def _end_with_launcher() -> None:
    """Let this process end when its launcher is killed; otherwise it would go on, unseen."""
    launcher = os.environ.get(_LAUNCHER)
    if launcher is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != int(launcher):  # it was killed before
        sys.exit(1)

"""What happens in a worker's process, on whatever machine it is: one job, done as if it were called from here."""

import os
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import radvqa
from radvqa.errors import RadvqaError

_HANDED_OVER = ("RADVQA_DATA", "RADVQA_WEIGHTS", "RADVQA_CACHE", "RADVQA_WORDNET", "HF_HOME", "HF_HUB_OFFLINE")
"""Variables that hold on every machine as they are set here; no secret is among them."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Surroundings:
    """What a job finds around it.

    Attributes:
        folder: working folder, to which relative paths in a recipe refer.
        threads: of the libraries for numbers; `training.threads` of a recipe goes before it.
        variables: of the environment.
    """

    folder: str
    threads: int
    variables: dict[str, str]

    @classmethod
    def of_this_process(cls, threads: int) -> "Surroundings":
        """Describe where the calling process stands."""
        return cls(str(Path.cwd()), threads, {name: os.environ[name] for name in _HANDED_OVER if name in os.environ})

    def take_effect(self) -> None:
        """Make them those of this process; libraries that are imported later find the number of threads."""
        os.environ.update(self.variables)
        os.environ.update(dict.fromkeys(_THREADS, str(self.threads)))
        os.chdir(self.folder)


def look(token: str, folder: str) -> tuple[str | None, bool, str]:
    """Say what this machine sees.

    Args:
        token: a file that another machine wrote.
        folder: that jobs would stand in.

    Returns:
        what is in the file, None when it is not there; whether the folder is there; and which version runs here.
    """
    try:
        seen = Path(token).read_text(encoding="utf-8")
    except OSError:
        seen = None
    return seen, Path(folder).is_dir(), radvqa.__version__


def work_through(
    work: Callable[..., Any], arguments: dict[str, Any], name: str, log: str, surroundings: Surroundings
) -> str | None:
    """Do one job, with everything that is printed going to a log; returns why it failed, or None."""
    _write_into(Path(log))
    print(f"{name}: process {os.getpid()} on {socket.gethostname()}, threads: {surroundings.threads}", flush=True)
    try:
        surroundings.take_effect()
        work(**arguments)
    except RadvqaError as error:
        print(f"radvqa: {error}", file=sys.stderr, flush=True)
        return str(error)
    except Exception as error:  # whatever it is, it is told, and the other runs go on
        traceback.print_exc()
        sys.stderr.flush()
        said = " ".join(str(error).split())[:300]
        return f"An unexpected {type(error).__name__}: {said} (the whole of it is in {Path(log).name})."
    return None


def _write_into(log: Path) -> None:
    """Let this process write into a log from now on, libraries in C included."""
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)

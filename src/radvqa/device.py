"""Which device to compute on, how many threads, and how much memory was used."""

import ctypes
import os
import resource
import sys

import torch

from radvqa.errors import RadvqaError

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt(3)
_KEPT_BYTES = 1 << 30


def choose(name: str) -> torch.device:
    """Return the device that a recipe names; ``auto`` takes a GPU when there is one.

    On CPUs everything is computed in fp32: bf16 is several times slower where the processor only emulates it. On
    GPUs frozen backbones run in bf16.

    Raises:
        RadvqaError: when a GPU is asked for and there is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise RadvqaError("training.device is cuda, but no CUDA GPU is available; use training.device=auto.")
    return torch.device(name)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Let the C library keep what is freed instead of giving it back to the system after every step.

    A training step frees and asks for the same large buffers again; each time they come back empty from the system,
    every page of them faults. Measured on SLAKE's CNN-LSTM: 58,000 page faults an epoch become 800. Where the C
    library has no such setting, nothing changes.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        for setting in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            library.mallopt(setting, _KEPT_BYTES)


def give_back_freed_memory() -> None:
    """Give what is freed, and was kept, back to the system; between parts of the work that need buffers of other sizes.

    A stage of captions frees buffers of gigabytes that the questions after it never ask for in these sizes.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def peak_memory_bytes() -> int:
    """Largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_gpu_memory_bytes(device: torch.device) -> int | None:
    """Most memory that tensors of this process took on a GPU so far, in bytes; None on a processor."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None

"""Which device to compute on, how many threads, and how much memory was used."""

import resource
import sys

import torch

from radvqa.errors import RadvqaError


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


def peak_memory_bytes() -> int:
    """Largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

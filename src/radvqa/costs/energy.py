"""How much energy a device took, where it counts it: a GPU by NVML, a processor by RAPL; else nothing is known.

Both count the whole device, with whatever else runs on it.
"""

import importlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

RAPL = Path("/sys/class/powercap")
_PACKAGE = re.compile(r"intel-rapl:\d+")  # intel-rapl:0:0 is a part of intel-rapl:0
_EVERY_SECONDS = 30.0  # a counter of a busy processor runs over after minutes, and one run over is not seen if two are

Read = Callable[[], float]


class Energy:
    """Adds up the joules that a counter shows, also over several processes that go on with one run.

    Args:
        read: returns the joules since some moment; a counter that cannot be read raises OSError. None: nothing counts.
        how: how it is known, or why it is not.
    """

    def __init__(self, read: Read | None, how: str) -> None:
        self.read, self.how = read, how
        self.joules = 0.0
        self.before = self._now()
        self.at = time.monotonic()

    @classmethod
    def of(cls, device: torch.device) -> "Energy":
        """Count the energy of the device that trains."""
        return _gpu(device) if device.type == "cuda" else _processor(RAPL)

    def look(self) -> None:
        """Read the counter if that was not done for a while."""
        if self.read is not None and time.monotonic() - self.at > _EVERY_SECONDS:
            self.total()

    def total(self) -> float | None:
        """Return the joules so far; None when they are not known."""
        now = self._now()
        if now is not None and self.before is not None:
            self.joules += now - self.before
        self.before, self.at = now, time.monotonic()
        return None if now is None else self.joules

    def _now(self) -> float | None:
        if self.read is None:
            return None
        try:
            return self.read()
        except (OSError, ValueError) as error:
            self.read, self.how = None, f"unknown: the counter of energy stopped to answer ({error})"
            return None


class Wrapping:
    """A counter of microjoules that begins again at 0 when it is full, read as one that does not.

    Args:
        file: holds the count.
        full: the count at which it begins again.
    """

    def __init__(self, file: Path, full: int) -> None:
        self.file, self.full = file, full
        self.last, self.rounds = self._count(), 0

    def joules(self) -> float:
        """Joules since some moment before this object was made."""
        now = self._count()
        self.rounds += now < self.last
        self.last = now
        return (self.rounds * self.full + now) / 1e6

    def _count(self) -> int:
        return int(self.file.read_text(encoding="ascii"))


def _processor(folder: Path) -> Energy:
    """Count by RAPL, the counters of the processor's packages; Linux shows them to root alone unless told otherwise."""
    try:
        counters = [
            Wrapping(zone / "energy_uj", int((zone / "max_energy_range_uj").read_text(encoding="ascii")))
            for zone in sorted(folder.glob("intel-rapl:*"))
            if _PACKAGE.fullmatch(zone.name) and (zone / "name").read_text(encoding="ascii").startswith("package")
        ]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Energy(None, f"unknown: the processor's counters (RAPL) cannot be read: {reason}")
    if not counters:
        return Energy(None, "unknown: this machine shows no counter of energy (RAPL)")
    return Energy(lambda: sum(counter.joules() for counter in counters), _said(counters))


def _said(counters: Sequence[Wrapping]) -> str:
    return f"RAPL: {len(counters)} processor package(s), everything that ran on them, without memory and the rest"


def _gpu(device: torch.device) -> Energy:
    """Count by NVML: millijoules since the driver was loaded, on GPUs since Volta."""
    try:
        nvml: Any = importlib.import_module("pynvml")
    except ModuleNotFoundError:
        return Energy(None, "unknown: the package nvidia-ml-py, which asks the GPU, is not installed")
    try:
        nvml.nvmlInit()
        # by its own number: the driver does not know of CUDA_VISIBLE_DEVICES
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except (nvml.NVMLError, AttributeError) as error:
        return Energy(None, f"unknown: the GPU does not tell (NVML: {error})")

    def joules() -> float:
        try:
            return float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
        except nvml.NVMLError as error:
            raise OSError(str(error)) from error

    return Energy(joules, "NVML: this process's GPU, everything that ran on it, without processor and memory")

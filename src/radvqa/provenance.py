"""Where a run comes from: data fingerprints, versions, git commit, seed, hardware."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import radvqa
from radvqa import fingerprint
from radvqa.sample import Sample

_PACKAGES = ("torch", "transformers", "safetensors", "numpy", "pillow")


def collect(*, seed: int, device: str, splits: Mapping[str, Sequence[Sample]]) -> dict[str, Any]:
    """Describe the machine, the code and the data. No host name, user name or path is recorded."""
    return {
        "radvqa": radvqa.__version__,
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in _PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cpu_cores": os.cpu_count(),
        "device": device,
        "seed": seed,
        "data": {
            name: {
                "questions": len(samples),
                "images": len({sample.image for sample in samples}),
                "digest": fingerprint.of_samples(samples),
            }
            for name, samples in splits.items()
        },
    }


def _git_commit() -> str | None:
    """The commit of the sources, with ``+`` when they were changed; None when they are no git checkout."""
    folder = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+" if changed else "")


def _cpu() -> str:
    """The processor's name, from the kernel where it says so."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

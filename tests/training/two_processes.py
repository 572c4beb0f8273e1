"""Commands that run in two processes: data and recipes for them, and how they are started."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

import miniature

LONGEST = 240  # seconds that a command may take before it counts as hanging
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")


def data(folder: Path) -> None:
    """Write two data sets below ``data/``."""
    slake = miniature.slake(folder / "data" / "slake")
    for split in ("validate", "test"):  # 72 questions each: a pass of 64 for one process, and one of 8 for the other
        miniature.change(slake / f"{split}.json", _six_times)
    miniature.vqa_rad(folder / "data" / "vqa_rad")


def _six_times(rows: list[dict[str, Any]]) -> None:
    rows.extend([{**row, "qid": row["qid"] + 1000 * again} for again in range(1, 6) for row in rows])


def run(*command: object, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a Python module to its end."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        timeout=LONGEST,
    )


def well(done: subprocess.CompletedProcess[str]) -> str:
    """Its standard output; it must have ended well."""
    assert done.returncode == 0, done.stderr
    return done.stdout


def left_behind(folder: Path) -> list[psutil.Process]:
    """Processes that were started for a folder and are still there."""
    return [one for one in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(one.info["cmdline"] or ())]

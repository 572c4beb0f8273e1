"""A process that starts others quickly: everything is imported once, each command runs in a fork of its own.

Reads a JSON object a line: ``command`` (of radvqa), ``log`` (file for what it says), and how it is to end: ``seconds``
after which it is killed, or the ``point`` of the program, for the ``number``-th time, ``before`` or after it. With
``room`` no file may grow beyond so many bytes from that point on. Answers with the exit code a line.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import safetensors.torch
import torch  # noqa: F401 - imported once for all

import radvqa.commands.train
import radvqa.training.loop
import radvqa.training.snapshot
from radvqa import cli, files
from radvqa.models import zoo
from radvqa.training.stage_run import StageRun

POINTS: dict[str, tuple[Any, str]] = {
    "step": (StageRun, "step"),
    "look": (StageRun, "look"),
    "snapshot": (radvqa.training.snapshot.Snapshots, "write"),
    "rename": (Path, "replace"),
    "flush": (os, "fsync"),
    "save": (safetensors.torch, "save_file"),
    "tear": (safetensors.torch, "save_file"),  # in the middle of it: half of the file is written
    "delete": (Path, "unlink"),
    "log": (files.Log, "add"),
    "prepare": (radvqa.training.loop, "prepare_stage"),
    "card": (radvqa.commands.train, "_tidy"),
}


def arm(point: str, number: int, *, before: bool, room: int | None) -> None:
    """Kill this process at a point of the program, or take its room away."""
    owner, name = POINTS[point]
    real, count = getattr(owner, name), 0

    def end() -> None:
        if room is None:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == number and before:
            end()
        done = real(*arguments, **named)
        if count == number and point == "tear":
            os.truncate(arguments[1], Path(arguments[1]).stat().st_size // 2)
            end()
        if count == number and not before:
            end()
        return done

    setattr(owner, name, deadly)


def live(task: dict[str, Any]) -> int:
    """Run one command in this process."""
    if "point" in task:
        arm(task["point"], task["number"], before=task.get("before", True), room=task.get("room"))
    sys.argv = ["radvqa", *task["command"]]
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def main() -> None:
    list(zoo.FAMILIES)  # imports them
    for line in sys.stdin:
        task = json.loads(line)
        heard, spoken = os.pipe()  # no file, which could not grow when there is no room
        child = os.fork()
        if not child:
            os.dup2(spoken, 1)
            os.dup2(spoken, 2)
            code = 70
            try:
                code = live(task)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        if "seconds" in task:
            time.sleep(task["seconds"])
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(spoken)
        with os.fdopen(heard, "rb") as told, Path(task["log"]).open("ab") as log:
            log.write(told.read())
        print(code, flush=True)


if __name__ == "__main__":
    main()

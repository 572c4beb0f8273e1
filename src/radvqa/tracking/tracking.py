"""The numbers of a training run, while it runs: into its own log always, and to trackers as far as they work."""

import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from radvqa import console
from radvqa.tracking import names as trackers
from radvqa.tracking.background import Background, TrackerError
from radvqa.tracking.local import StepLog, Value
from radvqa.tracking.settings import settings


class Tracking:
    """Takes the numbers of every few steps. A tracker that fails or hangs is told once and left out.

    Args:
        log: the run's own.
        running: trackers by name.
    """

    def __init__(self, log: StepLog, running: dict[str, Background]) -> None:
        self.steps, self.running = log, running

    @classmethod
    def open(
        cls, folder: Path, names: Sequence[str], run_name: str, config: Mapping[str, Any], *, from_step: int = 0
    ) -> "Tracking":
        """Begin, or go on.

        In training by several processes only the first opens this, after it has made its ``accelerate`` state.

        Args:
            folder: the run's folder of logs, ``RUN/log``.
            names: of trackers, as ``accelerate`` calls them; a name twice counts once.
            run_name: how trackers call the run.
            config: the recipe, as plain values.
            from_step: the step that the run goes on from: rows of later steps, which an interrupted process wrote, are
                dropped. 0 begins anew.

        Raises:
            RecipeError: for a name that nobody knows.
            DataError: when the log cannot be read.
        """
        trackers.require_known(names)
        installed = trackers.known()
        tracking = cls(StepLog(folder, from_step), {})
        with _random_states_kept():
            for name in dict.fromkeys(names):
                if installed.get(name):
                    tracking._start(name, folder, run_name, config, from_step)
                else:
                    needed = trackers.package(name) if installed else "accelerate"
                    console.say(f"{name}: not used, {needed} is not installed; {_STILL_LOGGED}")
        return tracking

    def log(self, step: int, values: Mapping[str, Value]) -> None:
        """Take in a row; what belongs to a step must come before the ``flush`` of its checkpoint.

        Args:
            step: optimiser steps since the start of the run, from 1.
            values: plain values; times do not belong here, so that an interrupted run's log is that of another.
                Trackers get the finite numbers of them.
        """
        self.steps.add(step, values)
        numbers = {name: value for name, value in values.items() if _is_number(value)}
        for name, tracker in list(self.running.items()):
            with self._dropped_if_it_fails(name):
                tracker.log(step, numbers)  # type: ignore[arg-type]

    def flush(self) -> None:
        """Put everything on disk; call it before every checkpoint. Only trackers that write to this disk are awaited.

        Raises:
            OSError: when the disk is full.
        """
        self.steps.flush()
        for name, tracker in list(self.running.items()):
            if getattr(tracker.tracker, "requires_logging_directory", False):
                with self._dropped_if_it_fails(name):
                    tracker.flush()

    def close(self) -> None:
        """End all logs; ``steps.csv`` is written here.

        Raises:
            OSError: when the disk is full.
        """
        for name, tracker in list(self.running.items()):
            with self._dropped_if_it_fails(name):
                tracker.finish()
        self.running = {}
        self.steps.close()

    def _start(self, name: str, folder: Path, run_name: str, config: Mapping[str, Any], from_step: int) -> None:
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS

        kind: Any = LOGGER_TYPE_TO_CLASS[name]
        chosen = settings(name, folder, run_name, from_step, needs_folder=kind.requires_logging_directory)
        chosen.apply()

        def describe(tracker: Any) -> None:
            if (
                name == "tensorboard"
            ):  # its way of keeping settings makes a new folder, named by the time, at each start
                if not from_step:
                    tracker.log({"recipe": _as_markdown(config)}, step=0)
            else:
                tracker.store_init_configuration(flat(config))

        self.running[name] = Background(lambda: kind(**chosen.arguments))
        with self._dropped_if_it_fails(name):
            self.running[name].start(describe)

    @contextmanager
    def _dropped_if_it_fails(self, name: str) -> Iterator[None]:
        try:
            yield
        except TrackerError as error:
            self.running.pop(name).leave()
            console.say(f"{name} {error}. It is left out from here on; {_STILL_LOGGED}")


_STILL_LOGGED = "the run's own log, log/steps.jsonl, has every value."


def flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Write nested settings as ``training.seed``; lists become text."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value if isinstance(value, bool | int | float | str) else json.dumps(value)
    return found


def _as_markdown(config: Mapping[str, Any]) -> str:
    text = json.dumps(config, indent=2, ensure_ascii=False, default=str)
    return "\n".join(f"    {line}" for line in text.splitlines())


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@contextmanager
def _random_states_kept() -> Iterator[None]:
    """Put the random states back: a tracker that draws a name for the run must not change what is trained."""
    import numpy as np
    import torch

    python, numpy, tensors = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(tensors)

"""Snapshots: everything that decides how a training goes on, in one file, whole or not at all; the last two are kept.

One safetensors file holds the tensors of every part, and in its header the plain values and a checksum over both. It
is written beside its place, flushed to the disk and renamed. No pickle.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from radvqa import console, files, fingerprint
from radvqa.errors import RunError
from radvqa.training.processes import Alone, Processes
from radvqa.training.state import State, Stateful

_KEPT = 2


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as it was read.

    Attributes:
        step: optimiser steps since the start of the run.
        states: of the parts by name.
        processes: that trained.
    """

    step: int
    states: Mapping[str, State]
    processes: int = 1

    def put_back(self, parts: Mapping[str, Stateful]) -> None:
        """Make every part go on from here.

        Raises:
            RunError: when another version of radvqa wrote it.
        """
        if odd := sorted(set(parts) ^ set(self.states)):
            raise RunError(
                f"The checkpoint of step {self.step} is of another version of radvqa (it differs in {', '.join(odd)}); "
                f"go on with that version, or start over with --force-new."
            )
        for name, part in parts.items():
            part.load(self.states[name])


class Snapshots:
    """The snapshots of a run.

    Args:
        folder: holds them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, step: int, parts: Mapping[str, Stateful], processes: Processes | None = None) -> None:
        """Write the state of every part, and drop all but the last two snapshots.

        Args:
            step: optimiser steps since the start of the run.
            parts: by name.
            processes: that train together; all of them call this, and the main one writes.
        """
        processes = processes or Alone()
        states = {name: part.state() for name, part in parts.items()}
        if not processes.main:
            return
        tensors = {f"{name}/{key}": t for name, state in states.items() for key, t in state.tensors.items()}
        plain = {name: state.plain for name, state in states.items()}
        path = self._path(step)
        _write(path, tensors, {"step": step, "processes": processes.count, "parts": plain})
        so_far = [one for one in self._paths() if one <= path]
        for one in self._paths():
            if one not in so_far[-_KEPT:]:  # older ones, and damaged ones of steps that are done once more
                one.unlink()

    def newest(self) -> Snapshot | None:
        """Read the newest snapshot that is whole; says which ones are damaged. None when there is none."""
        paths = self._paths()
        for place, path in reversed(list(enumerate(paths))):
            try:
                return _read(path)
            except RunError as error:
                way_out = "Going on from the one before it." if place else "None is left, so the training begins anew."
                console.say(f"{error} {way_out}")
        return None

    def drop(self) -> None:
        """Delete all of them; the run is finished, or begun anew."""
        for path in self._paths():
            path.unlink()
        if self.folder.is_dir():
            for torn in self.folder.glob(".*.part"):  # left by a kill while it was written
                torn.unlink()
            self.folder.rmdir()

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:09d}.safetensors"

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.safetensors"))


def _write(path: Path, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    text = json.dumps(plain, allow_nan=False)
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with files.atomic_path(path) as temporary:
        save_file(whole, temporary, {"plain": text, "sha256": _checksum(whole, text)})


def _read(path: Path) -> Snapshot:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as handle:
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 - not a mapping
            header = handle.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is damaged: {error}.") from None
    text = header.get("plain", "")
    if header.get("sha256") != _checksum(tensors, text):
        raise RunError(f"{path} is damaged: its checksum does not fit.")
    plain = json.loads(text)
    states = {}
    for name, values in plain["parts"].items():
        own = {key.removeprefix(f"{name}/"): t for key, t in tensors.items() if key.startswith(f"{name}/")}
        states[name] = State(own, values)
    return Snapshot(plain["step"], states, plain["processes"])


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    return fingerprint.of_bytes(f"{fingerprint.of_tensors(tensors)} {text}".encode())

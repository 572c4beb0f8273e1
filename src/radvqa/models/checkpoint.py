"""Checkpoints of a run: ``model.json`` says what to build, safetensors hold the trained weights. No pickle."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from radvqa import files, fingerprint
from radvqa.errors import RunError
from radvqa.models import zoo
from radvqa.models.family import Portable, VqaModel


def write_spec(folder: Path, model: VqaModel, family: str) -> None:
    """Write what is needed to build the model again."""
    files.write_json(folder / "model.json", {"family": family, **model.spec()})


def write_weights(path: Path, state: dict[str, Tensor]) -> None:
    """Write tensors and their checksum, whole or not at all; equal tensors make equal files."""
    from safetensors.torch import save_file

    with files.atomic_path(path) as temporary:
        # one entry: several are written in an order that changes from process to process
        save_file(state, temporary, {"sha256": fingerprint.of_tensors(state)})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read tensors.

    Raises:
        RunError: when the file is absent, cut off, or its checksum does not fit.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise RunError(f"{path} does not exist; the run has no such checkpoint.")
    try:
        with safe_open(path, "pt") as handle:
            state = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 - not a mapping
            checksum = (handle.metadata() or {}).get("sha256")
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is damaged: {error}.") from None
    if checksum != fingerprint.of_tensors(state):
        raise RunError(f"{path} is damaged: its checksum does not fit; train again or restore the file.")
    return state


def write_adapter(folder: Path, model: VqaModel, *, which: str = "best") -> Path | None:
    """Write the adapter of a checkpoint in PEFT's own format, as ``adapter/`` beside it.

    Args:
        folder: holds the checkpoint.
        model: ends with the checkpoint's weights.
        which: ``best`` or ``last``.

    Returns:
        The adapter's folder; None when the model has no adapter.
    """
    if not isinstance(model, Portable):
        return None
    model.load_state(read_weights(folder / f"{which}.safetensors"))
    shutil.rmtree(folder / "adapter", ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".adapter-", suffix=".part") as scratch:
        if not model.write_adapter(Path(scratch) / "adapter"):
            return None
        with files.atomic_folder(folder / "adapter") as new:
            shutil.copytree(Path(scratch) / "adapter", new, dirs_exist_ok=True)
    return folder / "adapter"


def load_model(folder: Path, device: torch.device, *, which: str = "best") -> VqaModel:
    """Build the model of a checkpoint folder and load its weights."""
    spec: dict[str, Any] = files.read_json(folder / "model.json")
    model = zoo.rebuild(spec, device)
    model.load_state(read_weights(folder / f"{which}.safetensors"))
    model.module.eval()
    return model

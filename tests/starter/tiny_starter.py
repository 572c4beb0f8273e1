"""A starter model of random weights, made once for all tests that only need some model to answer."""

from functools import cache
from pathlib import Path

import pytest
from starter_parts import everything

from radvqa.commands.starter_build import build


def tiny(folders: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Path of the model, the folder of the made-up data that it was trained on, and that of its run."""
    return _made(folders.getbasetemp() / "tiny_starter")


@cache
def _made(folder: Path) -> tuple[Path, Path, Path]:
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADVQA_DATA", str(folder / "data"))
        data, quantised, run = everything(folder)
        build(run.folder, quantised, out=folder / "starter.safetensors", target=0.05)
    return folder / "starter.safetensors", data, run.folder

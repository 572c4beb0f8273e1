"""``radvqa merge``: what a run learned, added to the weights it began from, in the hub's layout."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import RunError
from radvqa.run import Run


@dataclass(frozen=True)
class Merging:
    """Merged weights that are still being written.

    Attributes:
        folder: becomes the wanted one when everything is in it.
        run: whose weights they are.
        model: that wrote them; it is spent.
    """

    folder: Path
    run: Run
    model: Any


def merge(run: Path, out: Path, *, which: str = "best") -> Path:
    """Write the merged weights of a run for plain ``transformers`` and for servers.

    Args:
        run: a finished run folder.
        out: a folder that does not exist yet.
        which: checkpoint, ``best`` or ``last``.

    Returns:
        The folder.

    Raises:
        RunError: when the run is unfinished, its family has no weights of that kind, or the folder exists.
    """
    with merging(run, out, which=which):
        return Path(out)


@contextmanager
def merging(run: Path, out: Path, *, which: str) -> Iterator[Merging]:
    """Write merged weights, and let the caller add to them before the folder is there; see ``merge``."""
    import torch

    from radvqa.models.checkpoint import load_model
    from radvqa.models.family import Portable

    opened = Run(Path(run))
    opened.require_model()
    out = Path(out)
    if out.exists():
        raise RunError(f"{out} exists already; name a new folder.")
    model = load_model(opened.checkpoints, torch.device("cpu"), which=which)
    if not isinstance(model, Portable):
        family = opened.recipe["model"]["family"]
        raise RunError(
            f"{opened.folder} is of the family {family}, which is not made of checkpoints that other tools load; its "
            f"weights are {opened.checkpoints / f'{which}.safetensors'}."
        )
    with files.atomic_folder(out) as new:
        model.write_merged(new)
        yield Merging(new, opened, model)

"""Where pretrained weights come from: ``RADVQA_WEIGHTS``, then the hub cache, then the hub. Only safetensors."""

import os
from pathlib import Path

from radvqa.errors import WeightsError

_FILES = (
    "*.json",
    "*.txt",
    "*.model",
    "*.jinja",
    "model.safetensors",
    "model-*.safetensors",
    "open_clip_model.safetensors",
)
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def find_weights(name: str) -> Path:
    """Return the folder that holds a pretrained model.

    Args:
        name: ``org/name`` as on the hub, or a folder.

    Returns:
        A folder with ``model.safetensors`` (and, for most models, ``config.json``).

    Raises:
        WeightsError: when it is in none of the three places, which the message names.
    """
    if Path(name).is_dir():
        return _checked(Path(name), name)
    root = os.environ.get("RADVQA_WEIGHTS")
    tried = []
    if root:
        if (Path(root) / name).is_dir():
            return _checked(Path(root) / name, name)
        tried.append(f"(1) {Path(root) / name}: no such folder")
    else:
        tried.append("(1) RADVQA_WEIGHTS: not set")
    if name.count("/") != 1:
        raise WeightsError(f"{name!r} is neither a folder nor a model name of the form org/name; tried {tried[0]}.")
    cached = _from_hub(name, local_only=True)
    if isinstance(cached, Path):
        return _checked(cached, name)
    tried.append("(2) the hub cache: not there")
    fetched = _from_hub(name, local_only=False)
    if isinstance(fetched, Path):
        return _checked(fetched, name)
    tried.append(f"(3) the hub: {fetched}")
    raise WeightsError(
        f"The weights {name} were found nowhere. Tried {'; '.join(tried)}. Put them into RADVQA_WEIGHTS/{name}, "
        f"or let the model begin from random weights (model.pretrained=false)."
    )


def _from_hub(name: str, *, local_only: bool) -> Path | str:
    """Return the snapshot's folder, or why there is none."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_FILES), local_files_only=local_only, etag_timeout=5))
    except Exception as error:  # the hub client raises many kinds; each means "not from there"
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _checked(folder: Path, name: str) -> Path:
    if any(folder.glob("*.safetensors")):
        return folder
    pickles = [path for pattern in _PICKLES for path in folder.glob(pattern)]
    if pickles:
        pickle = max(pickles, key=lambda path: (path.stat().st_size, path.name)).name  # others are of the training
        found = f"{pickle}, but no .safetensors file; other formats are not loaded, because a pickle can run code"
    else:
        pickle = "pytorch_model.bin"
        found = (
            "no .safetensors file; other formats are not loaded. If the model is published as a pickle only, fetch that"
        )
    raise WeightsError(
        f"{name}: the folder {folder} holds {found}. Convert it once, in that folder, with Python (import torch, "
        f"safetensors.torch; where the weights lie deeper in the file, take state['state_dict']):\n"
        f"    state = torch.load({pickle!r}, map_location='cpu', weights_only=True)\n"
        f"    safetensors.torch.save_file({{k: v.clone().contiguous() for k, v in state.items()}}, "
        f"'model.safetensors', {{'format': 'pt'}})"
    )

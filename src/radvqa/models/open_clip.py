"""Image encoders that were published in OpenCLIP's layout: one file of weights, the image side under ``visual.``.

Two kinds are known, told apart by their parameters' names, with every size but the attention heads read from
their shapes:

- a vision transformer of timm under ``visual.trunk.`` (BiomedCLIP, Zhang et al. 2023), which is ``ViTModel`` of
  ``transformers`` under other names, its query, key and value cut apart;
- CLIP's modified ResNet (PMC-CLIP, Lin et al. 2023), see ``clip_resnet``.

The projection into the space that pictures share with text (``visual.head.``) is left out: what a question needs
is the encoder before it. Heads are 64 channels wide, as in every timm transformer of ``ViT-B/16``'s kind and in
CLIP's ResNets; ``vision_cfg.head_width`` of ``open_clip_config.json`` says otherwise for a ResNet. (PMC-CLIP's
configuration says 64, its tutorial passes 8 heads, that is 256; only the pooled vector depends on it.)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from radvqa import files
from radvqa.errors import WeightsError
from radvqa.models.clip_resnet import ClipResNet, ClipResNetSize

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""CLIP's, which OpenCLIP takes where nothing else is written."""

CONFIG = "open_clip_config.json"
_HEAD_WIDTH = 64
_FIRST_CHOICES = ("open_clip_model.safetensors", "model.safetensors")
_ENTRANCES = ("module.visual.", "visual.", "module.", "")


def load(folder: Path) -> nn.Module | None:
    """Load the image encoder of a folder in fp32; None when its weights are of neither kind.

    Args:
        folder: holds one file of safetensors, and ``open_clip_config.json`` where it was published.

    Raises:
        WeightsError: when the file is damaged, lacks a tensor, or holds one that the kind does not know.
    """
    path = _weights(folder)
    state = _visual(_read(path))
    if "trunk.patch_embed.proj.weight" in state:
        trunk = {name.removeprefix("trunk."): tensor for name, tensor in state.items() if name.startswith("trunk.")}
        return _filled(_vision_transformer(trunk, path), _renamed(trunk), path)
    if "attnpool.positional_embedding" in state and "conv3.weight" in state:
        head_width = _settings(folder, "model_cfg", "vision_cfg").get("head_width", _HEAD_WIDTH)
        return _filled(ClipResNet(ClipResNetSize.of_state(state, head_width)), state, path)
    return None


def normalisation(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the colours, by ``preprocess_cfg``; CLIP's where it says nothing."""
    values = _settings(folder, "preprocess_cfg")
    return tuple(values.get("mean") or MEAN), tuple(values.get("std") or STD)


def _settings(folder: Path, *keys: str) -> dict[str, Any]:
    path = folder / CONFIG
    values: Any = files.read_json(path) if path.is_file() else {}
    for key in keys:
        values = values.get(key, {})
    return dict(values)


def _weights(folder: Path) -> Path:
    for name in _FIRST_CHOICES:
        if (folder / name).is_file():
            return folder / name
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        raise WeightsError(
            f"{folder} holds {len(found)} files of weights; name the one of the image encoder model.safetensors."
        )
    return found[0]


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged or cut off: {error}.") from None
    return state


def _visual(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The image side, its names without what stands before them; all of a file that holds nothing else."""
    for entrance in _ENTRANCES:
        found = {name.removeprefix(entrance): tensor for name, tensor in state.items() if name.startswith(entrance)}
        if found:
            return found
    return {}


def _vision_transformer(trunk: Mapping[str, Tensor], path: Path) -> nn.Module:
    from transformers import ViTConfig, ViTModel

    projection, positions = trunk["patch_embed.proj.weight"], trunk.get("pos_embed")
    first = trunk.get("blocks.0.mlp.fc1.weight")
    if positions is None or first is None:
        raise WeightsError(f"{path} lacks visual.trunk.pos_embed or its blocks; is it the whole checkpoint?")
    size, channels, patch, _ = projection.shape
    model: nn.Module = ViTModel(
        ViTConfig(
            hidden_size=size,
            num_hidden_layers=len({name.split(".")[1] for name in trunk if name.startswith("blocks.")}),
            num_attention_heads=size // _HEAD_WIDTH,
            intermediate_size=first.shape[0],
            image_size=round((positions.shape[1] - 1) ** 0.5) * patch,
            patch_size=patch,
            num_channels=channels,
            qkv_bias="blocks.0.attn.qkv.bias" in trunk,
            layer_norm_eps=1e-6,
        ),
        add_pooling_layer=False,
    )
    return model


_NAMES = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
}
_NAMES_IN_BLOCKS = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.o_proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def _renamed(trunk: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names of timm → those of ``ViTModel``; a name that is not known stays, and is refused where it is loaded."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in trunk.items():
        if name in _NAMES:
            renamed[_NAMES[name]] = tensor
            continue
        module, _, kind = name.rpartition(".")
        if not module.startswith("blocks."):
            renamed[f"{_NAMES.get(module, module)}.{kind}"] = tensor
            continue
        _, number, layer = module.split(".", 2)
        if layer == "attn.qkv":  # one matrix, the query's rows first
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                renamed[f"layers.{number}.attention.{part}_proj.{kind}"] = piece
        else:
            renamed[f"layers.{number}.{_NAMES_IN_BLOCKS.get(layer, layer)}.{kind}"] = tensor
    return renamed


def _filled(model: nn.Module, state: Mapping[str, Tensor], path: Path) -> nn.Module:
    try:
        model.load_state_dict(dict(state))  # copies into the model's own fp32
    except RuntimeError as error:
        raise WeightsError(
            f"{path} does not fit {type(model).__name__}: {' '.join(str(error).split())[:300]}."
        ) from None
    return model

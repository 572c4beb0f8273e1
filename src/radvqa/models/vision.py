"""Vision towers: any image backbone by name, behind one small face.

Letters: ``b`` images in a batch, ``s`` side in pixels, ``n`` tokens (patches), ``d`` feature size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import torch
from torch import Tensor, nn

from radvqa import files, fingerprint
from radvqa.errors import RecipeError, WeightsError
from radvqa.models import hub, open_clip
from radvqa.models.architectures import ARCHITECTURES
from radvqa.models.efficientnet_lite import EfficientNetLite0
from radvqa.models.seeding import seeded
from radvqa.weights import find_weights

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Pooling = Literal["pooler", "mean", "cls", "cls+mean"]


class _Backbone(Protocol):
    def __call__(self, pixel_values: Tensor) -> Any: ...


@dataclass(frozen=True)
class VisionSpec:
    """What a vision tower is made of.

    Attributes:
        name: ``org/name`` or a folder.
        pretrained: load weights, or begin from random ones.
        pooling: how tokens become one vector: the model's own pooler, the mean over patches, the class token, or
            the last two side by side.
        config: changes to the configuration, for random weights only (for instance a smaller ResNet).
        seed: of random weights.
    """

    name: str
    pretrained: bool = True
    pooling: Pooling = "pooler"
    config: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


class VisionTower(nn.Module):
    """An image backbone with its normalisation.

    Args:
        spec: what to load or build.

    Raises:
        WeightsError: when pretrained weights are found nowhere or hold no configuration.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: VisionSpec) -> None:
        super().__init__()
        self.spec = spec
        self._digested: tuple[tuple[tuple[str, int, int], ...], str] | None = None
        self.model, mean, std = _load(spec) if spec.pretrained else _random(spec)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @property
    def has_batch_norm(self) -> bool:
        """Whether training mode would change running statistics, and a picture's features depend on its batch."""
        return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in self.modules())

    def digest(self) -> str:
        """Fingerprint of the weights that are loaded now; taken again only when one of them was written to."""
        state = self.model.state_dict()
        written = tuple((name, tensor.data_ptr(), tensor._version) for name, tensor in state.items())
        if self._digested is None or self._digested[0] != written:
            self._digested = (written, fingerprint.of_tensors(state))
        return self._digested[1]

    def tokens(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Encode pictures.

        Args:
            pixels: uint8, ``(b, s, s, 3)``.

        Returns:
            The patch tokens ``(b, n, d)``, row by row, and one vector a picture ``(b, p)`` by ``spec.pooling``.
        """
        dtype = next(self.model.parameters()).dtype
        images = pixels.permute(0, 3, 1, 2).to(torch.float32) / 255
        output = cast("_Backbone", self.model)(pixel_values=((images - self.mean) / self.std).to(dtype))
        hidden: Tensor = output.last_hidden_state
        if hidden.ndim == 4:  # a convolutional net: a map (b, d, rows, columns) and its average
            patches = hidden.flatten(2).transpose(1, 2)
            return patches, self._pooled(patches, None, output)
        first = self._tokens_before_patches(hidden.shape[1], images.shape[-2:])
        return hidden[:, first:], self._pooled(hidden[:, first:], hidden[:, 0] if first else None, output)

    def _tokens_before_patches(self, tokens: int, shape: Sequence[int]) -> int:
        """A class token and registers, or none (SigLIP, Swin)."""
        size = getattr(getattr(self.model, "config", None), "patch_size", None)
        if not isinstance(size, int):
            return 1
        return max(0, tokens - (shape[0] // size) * (shape[1] // size))

    def _pooled(self, patches: Tensor, class_token: Tensor | None, output: Any) -> Tensor:
        if self.spec.pooling == "pooler":
            pooled: Tensor | None = output.pooler_output
            if pooled is None:
                raise RecipeError(f"{self.spec.name} has no pooler of its own; use model.pooling: cls or mean.")
            return pooled.flatten(1)
        if self.spec.pooling == "mean":
            return patches.mean(1)
        if class_token is None:
            raise RecipeError(f"{self.spec.name} has no class token; use model.pooling: mean or pooler.")
        return class_token if self.spec.pooling == "cls" else torch.cat([class_token, patches.mean(1)], 1)


def feature_sizes(tower: VisionTower, side: int) -> tuple[int, int, int]:
    """Return the number of tokens, their size, and the size of the pooled vector, for pictures of ``side`` pixels."""
    was_training = tower.training
    tower.eval()
    with torch.inference_mode():
        device = tower.mean.device
        patches, pooled = tower.tokens(torch.zeros(1, side, side, 3, dtype=torch.uint8, device=device))
    tower.train(was_training)
    return patches.shape[1], patches.shape[2], pooled.shape[1]


def _load(spec: VisionSpec) -> tuple[nn.Module, tuple[float, ...], tuple[float, ...]]:
    folder = find_weights(spec.name)
    if not (folder / "config.json").is_file():
        if "efficientnet-lite0" in spec.name:
            return EfficientNetLite0.from_file(folder / "model.safetensors"), _IMAGENET_MEAN, _IMAGENET_STD
        published = open_clip.load(folder)
        if published is None:
            raise WeightsError(
                f"{spec.name}: {folder} has no config.json, so its architecture is unknown, and its weights are not an "
                f"image encoder of OpenCLIP's layout (a timm vision transformer or CLIP's modified ResNet)."
            )
        return published, *open_clip.normalisation(folder)
    from transformers import AutoModel

    may_lack = () if spec.pooling == "pooler" else ("pooler.",)
    model: nn.Module = hub.load(AutoModel, spec.name, (), family="model.vision", part="vision_config", new=may_lack)
    _check_reads_pictures(model, spec.name)
    return model, *_normalisation(folder)


def _check_reads_pictures(model: Any, name: str) -> None:
    if model.main_input_name != "pixel_values":
        raise WeightsError(
            f"{name} is a checkpoint of the kind {model.config.model_type!r}, which reads no pictures; name an image "
            f"encoder."
        )


def _random(spec: VisionSpec) -> tuple[nn.Module, tuple[float, ...], tuple[float, ...]]:
    known = ARCHITECTURES.get(spec.name)
    with seeded(spec.seed):
        if "efficientnet-lite0" in spec.name:
            return EfficientNetLite0(), _IMAGENET_MEAN, _IMAGENET_STD
        from transformers import AutoConfig, AutoModel

        if known is not None:
            values = {**known, **spec.config}
            config = AutoConfig.for_model(values.pop("model_type"), **values)
        else:
            config = AutoConfig.from_pretrained(find_weights(spec.name), local_files_only=True, **spec.config)
        built = getattr(config, "vision_config", config)
        without = {"add_pooling_layer": False} if built.model_type == "vit" else {}  # as published for images alone
        return AutoModel.from_config(built, **without), _IMAGENET_MEAN, _IMAGENET_STD


def _normalisation(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    values: dict[str, Any] = {}
    for name in ("processor_config.json", "preprocessor_config.json"):
        path = folder / name
        found = files.read_json(path) if path.is_file() else {}
        values |= found.get("image_processor", found)
    return tuple(values.get("image_mean", _IMAGENET_MEAN)), tuple(values.get("image_std", _IMAGENET_STD))

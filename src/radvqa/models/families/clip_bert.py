"""The image side of a CLIP and BERT, their vectors joined and classified over the training answers.

Source: seed 001 (PubMedCLIP's ViT-B/32 and BERT-base on VQA-RAD). The seed says about 150 M parameters, which is a
whole CLIP; its image side and BERT-base have about 197 M. BiomedCLIP takes the same place in OpenCLIP's layout, with
``pooling: cls`` and ``resizing: stretch``.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import nn

from radvqa.models import hub, towers
from radvqa.models.architectures import ARCHITECTURES
from radvqa.models.family import Context, VqaModel
from radvqa.models.towers import TowersOptions
from radvqa.weights import find_weights

_FAMILY = "clip_bert"
_KINDS = (
    "clip",
    "clip_vision_model",
    "siglip",
    "siglip_vision_model",
    "metaclip_2",
    "chinese_clip",
    "chinese_clip_vision_model",
)


class ClipBertOptions(TowersOptions):
    """Options of the family, beside ``family`` in a recipe."""

    vision: str = Field(
        "flaviagiammarino/pubmed-clip-vit-base-patch32",
        description="A CLIP, whose image side is used: org/name or a folder.",
    )
    resizing: Literal["stretch", "own"] = Field(
        "own",
        description="Stretch pictures to the square of image_size, or resize and crop them by the checkpoint's own "
        "image processor.",
    )


class ClipBertFamily:
    """Builds classifiers on the image side of a CLIP and a text encoder."""

    options = ClipBertOptions

    def build(self, options: ClipBertOptions, context: Context) -> VqaModel:
        """Load both towers; what joins and classifies begins from random weights."""
        _check(options.vision)
        return towers.build(options, context, _FAMILY)

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return towers.rebuild(ClipBertOptions.model_validate(spec["options"]), spec, device, _FAMILY)

    def skeleton(self, options: ClipBertOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        _check(options.vision)
        return towers.skeleton(options, _FAMILY)


def _check(name: str) -> None:
    """Refuse what is no CLIP; folders in OpenCLIP's layout say so by having no ``config.json``."""
    if name in ARCHITECTURES or (find_weights(name) / "config.json").is_file():
        hub.config(name, _KINDS, family=_FAMILY)


FAMILY = ClipBertFamily()

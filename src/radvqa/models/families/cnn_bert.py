"""A convolutional net and BERT, their vectors joined and classified over the training answers.

Source: seed 001 (ResNet-50 and BERT-base, about 135 M parameters, on VQA-RAD and DAQUAR); how it joined the vectors is
not known. Any image backbone and any text encoder can take their places.
"""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import nn

from radvqa.models import towers
from radvqa.models.family import Context, VqaModel
from radvqa.models.towers import TowersOptions


class CnnBertOptions(TowersOptions):
    """Options of the family, beside ``family`` in a recipe."""

    vision: str = Field("microsoft/resnet-50", description="Image encoder: org/name or a folder.")


class CnnBertFamily:
    """Builds classifiers on an image backbone and a text encoder."""

    options = CnnBertOptions

    def build(self, options: CnnBertOptions, context: Context) -> VqaModel:
        """Load both towers; what joins and classifies begins from random weights."""
        return towers.build(options, context, "cnn_bert")

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return towers.rebuild(CnnBertOptions.model_validate(spec["options"]), spec, device, "cnn_bert")

    def skeleton(self, options: CnnBertOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        return towers.skeleton(options, "cnn_bert")


FAMILY = CnnBertFamily()

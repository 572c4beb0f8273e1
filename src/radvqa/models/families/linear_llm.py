"""An image encoder, a linear or two-layer projector, a causal language model (seeds 002 and 003; LLaVA's plan).

Every patch becomes an image token, or every square of patches: ``projector.pooling`` averages them first, because a
small language model reads sixteen tokens much sooner than 256. Encoder and language model are names.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from pydantic import Field
from torch import nn

from radvqa.models import picture_llm_parts
from radvqa.models.family import Context, VqaModel
from radvqa.models.fusion import Projector, ProjectorOptions
from radvqa.models.origin import Origin
from radvqa.models.picture_llm_options import PictureLlmOptions
from radvqa.models.picture_llm_parts import Reading


class LinearLlmOptions(PictureLlmOptions):
    """Options of the family, beside ``family`` in a recipe."""

    projector: ProjectorOptions = Field(ProjectorOptions(), description="From patches to image tokens.")


class LinearLlmFamily:
    """Builds language models that read projected patches."""

    options = LinearLlmOptions

    def build(self, options: LinearLlmOptions, context: Context) -> VqaModel:
        """Load the parts; the projector begins from random weights."""
        return _model(options, Origin.of_training(context), context)

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return _model(LinearLlmOptions.model_validate(spec["options"]), Origin.of_spec(spec, device))

    def skeleton(self, options: LinearLlmOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        return picture_llm_parts.skeleton_of(options, "linear_llm", partial(_fusion, options.projector))


def _model(options: LinearLlmOptions, origin: Origin, context: Context | None = None) -> VqaModel:
    return picture_llm_parts.build(options, origin, "linear_llm", partial(_fusion, options.projector), context=context)


def _fusion(options: ProjectorOptions, reading: Reading) -> Projector:
    return Projector(options, reading.patches, reading.patch, reading.token)


FAMILY = LinearLlmFamily()

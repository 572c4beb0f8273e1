"""Seed 003: a frozen image encoder, a query transformer, a causal language model with LoRA.

The seed's own pair is BiomedCLIP-ViT and RadBloomz-7b; encoder and language model are names. What the seed does not
tell (number of queries, layers, LoRA rank) are options with BLIP-2's spirit and a small model's sizes.
"""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import nn

from radvqa.models import picture_llm
from radvqa.models.family import Context, VqaModel
from radvqa.models.fusion import QueryTransformer, QueryTransformerOptions
from radvqa.models.generator import Generator
from radvqa.models.origin import Origin
from radvqa.models.picture_llm import PictureLlm, PictureLlmInputs, PictureLlmOptions
from radvqa.models.seeding import seeded


class QformerLlmOptions(PictureLlmOptions):
    """Options of the family, beside ``family`` in a recipe."""

    query_transformer: QueryTransformerOptions = Field(
        QueryTransformerOptions(), description="From patches to image tokens."
    )


class QformerLlmFamily:
    """Builds language models that read what learned queries saw."""

    options = QformerLlmOptions

    def build(self, options: QformerLlmOptions, context: Context) -> VqaModel:
        """Load the parts; the query transformer begins from random weights."""
        return _model(options, Origin.of_training(context))

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return _model(QformerLlmOptions.model_validate(spec["options"]), Origin.of_spec(spec, device))

    def skeleton(self, options: QformerLlmOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        vision, language_model, (_, patch, token) = picture_llm.skeleton_parts(options, "qformer_llm")
        with torch.device("meta"):
            fusion = QueryTransformer(options.query_transformer, patch, token)
        return picture_llm.skeleton(options, vision, fusion, language_model)


def _model(options: QformerLlmOptions, origin: Origin) -> Generator[PictureLlmInputs]:
    vision, language_model, tokenizer, (_, patch, token) = picture_llm.load_parts(options, origin.seed, "qformer_llm")
    with seeded(origin.seed):
        fusion = QueryTransformer(options.query_transformer, patch, token)
        net = PictureLlm(options, vision, fusion, language_model, tokenizer)
    return Generator(net, options, origin)


FAMILY = QformerLlmFamily()

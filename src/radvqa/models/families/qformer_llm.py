"""Seed 003: a frozen image encoder, a query transformer, a causal language model with LoRA.

The seed's own pair is BiomedCLIP-ViT and RadBloomz-7b; encoder and language model are names. What the seed does not
tell (number of queries, layers, LoRA rank) are options with BLIP-2's spirit and a small model's sizes.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from pydantic import Field
from torch import nn

from radvqa.models import picture_llm_parts
from radvqa.models.family import Context, VqaModel
from radvqa.models.fusion import QueryTransformer, QueryTransformerOptions, check_heads
from radvqa.models.origin import Origin
from radvqa.models.picture_llm_options import PictureLlmOptions
from radvqa.models.picture_llm_parts import Reading
from radvqa.models.question_queries import QuestionQueries, Sizes


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
        return _model(options, Origin.of_training(context), context)

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return _model(QformerLlmOptions.model_validate(spec["options"]), Origin.of_spec(spec, device))

    def skeleton(self, options: QformerLlmOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        chosen = options.query_transformer
        return picture_llm_parts.skeleton_of(
            options, "qformer_llm", partial(_fusion, chosen), question_encoder=chosen.question_encoder
        )


def _model(options: QformerLlmOptions, origin: Origin, context: Context | None = None) -> VqaModel:
    chosen = options.query_transformer
    return picture_llm_parts.build(
        options,
        origin,
        "qformer_llm",
        partial(_fusion, chosen),
        question_encoder=chosen.question_encoder,
        context=context,
    )


def _fusion(options: QueryTransformerOptions, reading: Reading) -> QueryTransformer | QuestionQueries:
    if not reading.question:
        return QueryTransformer(options, reading.patch, reading.token)
    check_heads(options)
    return QuestionQueries(
        Sizes(
            queries=options.queries,
            layers=options.layers,
            heads=options.heads,
            hidden=options.size,
            patches=round(reading.patches**0.5),
            patch=reading.patch,
            question=reading.question,
            token=reading.token,
            dropout=options.dropout,
        )
    )


FAMILY = QformerLlmFamily()

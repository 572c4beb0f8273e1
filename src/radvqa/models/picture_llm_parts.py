"""Loads and joins the parts: image encoder, fusion, language model, and what stands beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import nn

from radvqa.models import fusion, hub, text_tower
from radvqa.models.family import Context
from radvqa.models.generator import Generator
from radvqa.models.language_part import adapted, chooser_of, keep_layers, load_language_model
from radvqa.models.organs import Labelled, OrganReader
from radvqa.models.origin import Origin
from radvqa.models.parts import Assembly
from radvqa.models.patch_sight import Fusion, PatchSight
from radvqa.models.picture_llm import PictureLlm, PictureLlmInputs
from radvqa.models.picture_llm_options import PictureLlmOptions, modes_of
from radvqa.models.question_queries import QuestionQueries
from radvqa.models.seeding import seeded
from radvqa.models.token_vectors import TokenEncoder
from radvqa.models.vision import VisionSpec, VisionTower, feature_sizes


@dataclass(frozen=True)
class Reading:
    """What a fusion is built for.

    Attributes:
        patches: of a picture.
        patch: size of a patch with everything that is laid beside it.
        token: size of the language model's tokens.
        question: size of the question's token states; 0 where the fusion reads none.
    """

    patches: int
    patch: int
    token: int
    question: int


def build(
    options: PictureLlmOptions,
    origin: Origin,
    family: str,
    fusion_of: Callable[[Reading], Fusion],
    *,
    question_encoder: str | None = None,
    context: Context | None = None,
) -> Generator[PictureLlmInputs]:
    """Load the parts, build the fusion, and learn where organs lie.

    Args:
        options: of the family.
        origin: what a checkpoint says, or what training holds.
        family: of the caller, for messages.
        fusion_of: builds the fusion.
        question_encoder: whose token states the fusion reads.
        context: of training; None where a trained model is rebuilt.
    """
    labelled = None
    if context is not None and options.regions:
        labelled = Labelled.of(context)
        origin = replace(origin, organs=labelled.labels)
    vision, language_model, (patches, patch, token) = load_parts(options, origin.seed, family, origin.device)
    with seeded(origin.seed):
        extra: dict[str, nn.Module] = {}
        if origin.organs:
            extra["organs"] = OrganReader(patch, round(patches**0.5), len(origin.organs))
        reader = TokenEncoder(question_encoder) if question_encoder else None
        if reader is not None:
            extra["question_encoder"] = reader
        extra |= chooser_of(options, token, len(origin.known))
        reading = Reading(patches, patch + len(origin.organs), token, reader.size if reader else 0)
        made = fusion_of(reading)
        _begin_at_scale(made, reading, float(language_model.get_input_embeddings().weight.detach().std()))
        module = skeleton(options, vision, made, language_model, extra)
    sight = PatchSight(options, vision, made, cast("OrganReader | None", extra.get("organs")), reader)
    tokenizer = hub.tokenizer(options.language_model)
    net = PictureLlm(sight, module, tokenizer, options.language_model, options.prompts)
    model = Generator(net, options, origin)
    if context is not None and labelled is not None:
        sight.learn_organs(labelled, context)
    return model


def skeleton(
    options: PictureLlmOptions,
    vision: nn.Module,
    fusion: nn.Module,
    language_model: Any,
    extra: Mapping[str, nn.Module],
) -> Assembly:
    """Put the parts under one roof and let learn what the options say.

    Args:
        options: shared options.
        vision: the encoder.
        fusion: patches → image tokens.
        language_model: with its head.
        extra: the chooser, and what is always frozen: the reader of organs, the question's encoder.
    """
    modes = modes_of(options)
    return Assembly(
        vision=vision.requires_grad_(modes["vision"] == "full"),
        fusion=fusion.requires_grad_(modes["fusion"] == "full"),
        language_model=adapted(language_model, options),
        **{name: module.requires_grad_(name == "chooser") for name, module in extra.items()},
    )


def load_parts(
    options: PictureLlmOptions, seed: int, family: str, device: torch.device
) -> tuple[VisionTower, Any, tuple[int, int, int]]:
    """Load encoder and language model, and measure the encoder's patches.

    Returns:
        the encoder, the language model, and (number of patches, their size, token size).
    """
    vision = VisionTower(VisionSpec(options.vision, pretrained=True, pooling="mean", seed=seed))
    language_model = load_language_model(options, family, device)
    patches, size, _ = feature_sizes(vision, options.image_size)
    width = int(language_model.get_input_embeddings().embedding_dim)
    return vision, language_model, (patches, size, width)


def skeleton_of(
    options: PictureLlmOptions,
    family: str,
    fusion_of: Callable[[Reading], Fusion],
    *,
    question_encoder: str | None = None,
) -> Assembly:
    """Everything that has parameters, on the meta device, from the configurations alone.

    The reader of organs and the chooser are left out, because their sizes depend on the data.
    """
    from transformers import AutoModel, AutoModelForCausalLM

    with torch.device("meta"):
        language_model = AutoModelForCausalLM.from_config(hub.config(options.language_model, (), family=family))
        keep_layers(language_model, options)
        vision = VisionTower(VisionSpec(options.vision, pretrained=False, pooling="mean"))
        patches, size, _ = feature_sizes(vision, options.image_size)
        extra = {}
        question = 0
        if question_encoder is not None:
            reader = AutoModel.from_config(hub.config(question_encoder, text_tower.KINDS, family=family))
            extra["question_encoder"] = reader
            question = int(reader.config.hidden_size)
        width = int(language_model.get_input_embeddings().embedding_dim)
        made = fusion_of(Reading(patches, size, width, question))
    return skeleton(options, vision, made, language_model, extra)


def _begin_at_scale(made: Fusion, reading: Reading, spread: float) -> None:
    """Let image tokens begin as large as the language model's own."""
    made.eval()
    patches = torch.randn(2, reading.patches, reading.patch)
    with torch.no_grad():
        if isinstance(made, QuestionQueries):
            words = torch.randn(2, 4, reading.question)
            tokens = made(patches, torch.arange(2), words, torch.ones(2, 4, dtype=torch.bool))
        else:
            tokens = made(patches)
    last = made.project[-1] if isinstance(made.project, nn.Sequential) else made.project
    fusion.begin_at_scale(cast("nn.Linear", last), tokens, spread)
    made.train()

"""Co-attention in front of a language model: what the discriminative family sees, written out.

The question looks at the patches as in ``coattention`` (same features, organs, views, places); what it finds becomes a
few image tokens, and a causal language model reads them and writes. With ``chooser: full`` the sight first learns by
itself, as the discriminative family does. So choosing and writing can be compared with everything else equal, which is
what seed 000 asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.errors import RecipeError
from radvqa.models import checkpoint, fusion, hub
from radvqa.models.coattention import Coattention, CoattentionInputs, learn
from radvqa.models.coattention_net import CoattentionOptions, CoattentionTrunk, Sizes
from radvqa.models.family import Context, VqaModel
from radvqa.models.generator import Generator
from radvqa.models.language_part import adapted, chooser_of, load_language_model
from radvqa.models.organs import Labelled
from radvqa.models.origin import Origin
from radvqa.models.parts import Assembly
from radvqa.models.picture_llm import PictureLlm, PictureLlmInputs
from radvqa.models.picture_llm_options import LanguageModelOptions, modes_of
from radvqa.models.seeding import seeded
from radvqa.models.vocabulary import count_vocabularies
from radvqa.sample import Sample


class CoattentionLlmOptions(LanguageModelOptions):
    """Options of the family, beside ``family`` in a recipe."""

    sight: CoattentionOptions = Field(description="As the family `coattention` has them; one member.")
    image_tokens: int = Field(4, ge=1, description="Tokens in which the language model is told what was seen.")


class Told(nn.Module):
    """A question's look at a picture, as image tokens.

    Args:
        options: of the co-attention.
        sizes: that follow from data and frozen parts.
        tokens: of each look, ``q``.
        size: of the language model's tokens, ``h``.
    """

    def __init__(self, options: CoattentionOptions, sizes: Sizes, tokens: int, size: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.trunk = CoattentionTrunk(options, sizes)
        self.normalise = nn.LayerNorm(3 * options.hidden_size)
        self.project = nn.Linear(3 * options.hidden_size, tokens * size)

    def forward(self, inputs: CoattentionInputs, rows: Tensor) -> Tensor:
        """Tell what some rows see, ``(b, q, h)``; in training each shows a random view of its picture."""
        looked = self.trunk(inputs.questions, rows, *inputs.some(rows, changed=self.training))
        told: Tensor = self.project(self.normalise(looked))
        return told.view(len(rows), self.tokens, -1)


class CoattentionSight:
    """A ``Sight``: every row is a prefix of its own.

    Args:
        seeing: everything that is computed once.
        told: learns.
    """

    def __init__(self, seeing: Coattention, told: Told) -> None:
        self.seeing, self.told, self.tokens = seeing, told, told.tokens
        self.store = seeing.store

    @property
    def device(self) -> torch.device:
        """Where the parts are."""
        return self.seeing.net.patch_mean.device

    @property
    def published(self) -> list[str]:
        """Names of the checkpoints that it is made of."""
        options = self.seeing.options
        names = [options.backbone] if options.pretrained else []
        return [*names, *([options.text_encoder] if options.text_encoder else [])]

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.seeing.image_keys(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str], texts: Sequence[str]) -> CoattentionInputs:
        """Compute everything that is frozen."""
        return self.seeing.encode(samples, image_keys, texts)

    def image_rows(self, seen: CoattentionInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return seen.rows

    def prefixes(self, seen: CoattentionInputs, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Every row once."""
        shown, index = torch.unique(rows, return_inverse=True)
        return shown, index

    def images(self, seen: CoattentionInputs, prefixes: Tensor) -> Tensor:
        """Image tokens of some rows, ``(m, q, h)``."""
        told: Tensor = self.told(seen, prefixes)
        return told

    def write_merged(self, folder: Path) -> None:
        """Write ``fusion.safetensors``."""
        learned = {name: tensor.detach().cpu().contiguous() for name, tensor in self.told.state_dict().items()}
        checkpoint.write_weights(folder / "fusion.safetensors", learned)


class CoattentionLlmFamily:
    """Builds language models that are told what co-attention sees."""

    options = CoattentionLlmOptions

    def build(self, options: CoattentionLlmOptions, context: Context) -> VqaModel:
        """Count vocabularies, measure features and learn regions on the training samples, load, and build."""
        words, _ = count_vocabularies(context.training, options.sight.question_length)
        labelled = Labelled.of(context) if options.sight.regions else None
        organs = labelled.labels if labelled else ()
        model, sight = _model(options, replace(Origin.of_training(context), words=words, organs=organs))
        learn(sight.seeing, labelled, context)
        return model

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return _model(CoattentionLlmOptions.model_validate(spec["options"]), Origin.of_spec(spec, device))[0]


def _model(options: CoattentionLlmOptions, origin: Origin) -> tuple[Generator[PictureLlmInputs], CoattentionSight]:
    modes = modes_of(options)
    if modes["vision"] != "frozen":
        raise RecipeError("model.train.vision must be frozen: co-attention looks at features that are computed once.")
    if options.sight.members != 1:
        raise RecipeError("model.sight.members must be 1: the language model is told what one net sees.")
    if origin.words is None:
        raise ValueError("co-attention reads words")
    alone = options.sight.model_copy(update={"members": 0})  # no net of its own answers
    seeing = Coattention(alone, origin.words, 0, origin.organs, origin.seed)
    seeing.net.learned_at_build = ("patch_", "picture_", "regions.")  # type: ignore[assignment]
    language_model = load_language_model(options, "coattention_llm", origin.device)
    embeddings = language_model.get_input_embeddings()
    with seeded(origin.seed):
        token = int(embeddings.embedding_dim)
        told = Told(options.sight, seeing.sizes, options.image_tokens, token)
        _begin_at_scale(told, float(embeddings.weight.detach().std()))
        extra = chooser_of(options, token, len(origin.known))
        module = Assembly(
            vision=seeing.net.requires_grad_(False),
            fusion=told.requires_grad_(modes["fusion"] == "full"),
            language_model=adapted(language_model, options),
            **extra,
        )
    sight = CoattentionSight(seeing, told)
    tokenizer = hub.tokenizer(options.language_model)
    net = PictureLlm(sight, module, tokenizer, options.language_model, options.prompts)
    return Generator(net, options, origin), sight


def _begin_at_scale(told: Told, spread: float) -> None:
    """Let image tokens begin as large as the language model's own."""
    with torch.no_grad():
        made = told.project(told.normalise(torch.randn(64, told.project.in_features)))
    fusion.begin_at_scale(told.project, made, spread)


FAMILY = CoattentionLlmFamily()

"""From a picture's patches to tokens that a language model reads.

Letters: ``m`` pictures, ``n`` patches, ``d`` their size, ``q`` image tokens, ``h`` size of the language model.
"""

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from radvqa.errors import RecipeError


class ProjectorOptions(BaseModel):
    """A projector that keeps every patch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: int = Field(2, ge=1, le=2, description="1 is linear (PaliGemma), 2 has a GELU between (LLaVA-1.5).")
    pooling: int = Field(1, ge=1, description="Side of the squares of patches that are averaged into one image token.")


class QueryTransformerOptions(BaseModel):
    """A query transformer (BLIP-2's Q-Former): learned queries look at the patches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queries: int = Field(32, ge=1, description="Image tokens.")
    layers: int = Field(4, ge=1, description="Transformer layers.")
    heads: int = Field(8, ge=1, description="Attention heads.")
    size: int = Field(384, ge=8, description="Of the hidden states.")
    look_every: int = Field(1, ge=1, description="Layers from one look at the patches to the next.")
    dropout: float = Field(0.1, ge=0, lt=1, description="In its layers.")
    question_encoder: str | None = Field(
        None,
        description="Frozen BERT-like encoder (org/name or a folder) whose token states of the question the queries "
        "read before they look (InstructBLIP's plan); null lets them look without knowing the question.",
    )


class Projector(nn.Module):
    """Patches, normalised and projected one by one; squares of them may be averaged first.

    Args:
        options: layers and pooling.
        patches: number a picture, ``n``.
        patch_size: ``d``.
        token_size: ``h``.

    Raises:
        RecipeError: when the patches do not lie in a square that the pooling divides.
    """

    def __init__(self, options: ProjectorOptions, patches: int, patch_size: int, token_size: int) -> None:
        super().__init__()
        side = round(patches**0.5)
        if options.pooling > 1 and (side * side != patches or side % options.pooling):
            raise RecipeError(
                f"model.projector.pooling={options.pooling} does not divide the {patches} patches of a picture into "
                f"squares; choose a divisor of {side}, or another model.image_size."
            )
        self.side, self.pooling = side, options.pooling
        self.tokens = patches // options.pooling**2
        self.normalise = nn.LayerNorm(patch_size)
        hidden = [nn.Linear(patch_size, token_size), nn.GELU()] if options.layers == 2 else []
        last = nn.Linear(token_size if options.layers == 2 else patch_size, token_size)
        self.project = nn.Sequential(*hidden, last)

    def forward(self, patches: Tensor) -> Tensor:
        """``(m, n, d)`` → ``(m, q, h)``."""
        normal = self.normalise(patches)
        if self.pooling > 1:
            count, _, size = normal.shape
            grid = normal.transpose(1, 2).reshape(count, size, self.side, self.side)
            normal = nn.functional.avg_pool2d(grid, self.pooling).flatten(2).transpose(1, 2)
        tokens: Tensor = self.project(normal)
        return tokens


class QueryTransformer(nn.Module):
    """Learned queries, a transformer that attends to the patches, and a projection.

    Source: Li et al., BLIP-2, ICML 2023, whose attention blocks (``Blip2QFormerModel``) are used. The queries do not
    see the question, so that one pass serves every question about a picture.

    Args:
        options: sizes.
        patch_size: ``d``.
        token_size: ``h``.
    """

    def __init__(self, options: QueryTransformerOptions, patch_size: int, token_size: int) -> None:
        from transformers import Blip2QFormerConfig, Blip2QFormerModel

        super().__init__()
        check_heads(options)
        self.tokens = options.queries
        self.normalise = nn.LayerNorm(patch_size)
        self.queries = nn.Parameter(torch.randn(1, options.queries, options.size) * 0.02)
        config = Blip2QFormerConfig(
            hidden_size=options.size,
            num_hidden_layers=options.layers,
            num_attention_heads=options.heads,
            intermediate_size=4 * options.size,
            cross_attention_frequency=options.look_every,
            encoder_hidden_size=patch_size,
            hidden_dropout_prob=options.dropout,
            attention_probs_dropout_prob=options.dropout,
        )
        self.blocks = Blip2QFormerModel(config)
        self.project = nn.Linear(options.size, token_size)

    def forward(self, patches: Tensor) -> Tensor:
        """``(m, n, d)`` → ``(m, q, h)``."""
        queries = self.queries.expand(len(patches), -1, -1)
        looked = self.blocks(query_embeds=queries, encoder_hidden_states=self.normalise(patches)).last_hidden_state
        tokens: Tensor = self.project(looked)
        return tokens


def check_heads(options: QueryTransformerOptions) -> None:
    """Refuse a size that the heads do not divide.

    Raises:
        RecipeError: names both.
    """
    if options.size % options.heads:
        raise RecipeError(f"model.query_transformer: size {options.size} must be a multiple of heads {options.heads}.")


@torch.no_grad()
def begin_at_scale(project: nn.Linear, made: Tensor, spread: float) -> None:
    """Make image tokens begin as large as the language model's own, so that the first steps need not shrink them.

    Args:
        project: the last layer of a fusion.
        made: image tokens of some pictures, ``(m, q, h)``.
        spread: root mean square that they shall have.
    """
    factor = spread / max(float(made.square().mean().sqrt()), 1e-6)
    project.weight.mul_(factor)
    project.bias.mul_(factor)

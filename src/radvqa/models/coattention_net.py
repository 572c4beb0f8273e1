"""Co-attention: the question looks at the patches of a frozen backbone, several times.

A stronger discriminative model of CNN-LSTM's size on the same frozen features. What the seed lists as future work
is here: text embeddings for the question, more than one image vector, regularisation, and masks and boxes as
supervision. Attention in hops follows Yang et al., Stacked Attention Networks, CVPR 2016; several heads follow
Vaswani et al., NeurIPS 2017. Keys and values are the frozen patches themselves: the key projection is moved to the
query's side (``q·(W k) = (Wᵀ q)·k``) and the value projection behind the sum, so that a step costs nothing per
patch but two products.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from radvqa.models.questions import QuestionEncoder, Questions


class CoattentionOptions(BaseModel):
    """Options of the family, beside ``family`` in a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backbone: str = Field(description="Frozen image backbone: org/name or a folder.")
    pretrained: bool = Field(True, description="Load weights; false begins from random ones.")
    backbone_config: dict[str, Any] = Field(
        default_factory=dict, description="Changes to the backbone's configuration; random weights only."
    )
    pooling: Literal["pooler", "mean", "cls", "cls+mean"] = Field(
        "cls+mean", description="How image tokens become the one vector beside the patches."
    )
    image_size: int = Field(224, ge=16, le=2048, description="Side in pixels; the aspect is not kept.")
    views: int = Field(0, ge=0, le=32, description="Changed copies of each training picture, computed once.")
    text_encoder: str | None = Field(
        None, description="Frozen sentence encoder whose vector joins the LSTM's; null uses none."
    )
    regions: bool = Field(False, description="Learn from the training images' masks and boxes where organs lie.")
    region_folds: int = Field(5, ge=2, description="Parts that are left out in turn while reading training images.")
    members: int = Field(1, ge=1, le=16, description="Independent nets whose probabilities are averaged.")
    question_length: int = Field(24, ge=1, description="Questions are cut to this many words.")
    embedding_size: int = Field(256, ge=1, description="Of words, and of the LSTM's state in each direction.")
    hidden_size: int = Field(384, ge=1, description="Of the joint state.")
    classifier_size: int = Field(512, ge=1, description="Of the classifier's hidden layer.")
    hops: int = Field(2, ge=1, description="Looks at the picture, each guided by the one before.")
    heads: int = Field(8, ge=1, description="Places looked at in one hop.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Everywhere between layers.")
    word_dropout: float = Field(0.1, ge=0, lt=1, description="Share of words hidden in training.")


@dataclass(frozen=True)
class Sizes:
    """Sizes that follow from the data and the frozen parts.

    Attributes:
        words: of the question vocabulary.
        sentence: of the sentence vector; 0 without one.
        patch: of a patch with everything that is laid beside it.
        picture: of the picture's one vector with everything that is laid beside it.
        answers: number of classes.
    """

    words: int
    sentence: int
    patch: int
    picture: int
    answers: int


class CoattentionTrunk(nn.Module):
    """Question and patches → what is known of both."""

    def __init__(self, options: CoattentionOptions, sizes: Sizes) -> None:
        super().__init__()
        hidden, dropout = options.hidden_size, options.dropout
        self.heads = options.heads
        self.question = QuestionEncoder(sizes.words, options.embedding_size, word_dropout=options.word_dropout)
        read = self.question.output_size + sizes.sentence
        self.question_state = nn.Sequential(nn.LayerNorm(read), nn.Dropout(dropout), nn.Linear(read, hidden), nn.GELU())
        self.picture_state = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(sizes.picture, hidden), nn.LayerNorm(hidden), nn.GELU()
        )
        self.queries = nn.ModuleList(nn.Linear(hidden, options.heads * sizes.patch) for _ in range(options.hops))
        self.seen = nn.ModuleList(
            nn.Sequential(nn.Dropout(dropout), nn.Linear(options.heads * sizes.patch, hidden), nn.LayerNorm(hidden))
            for _ in range(options.hops)
        )
        for query in self.queries:  # begin by looking everywhere alike
            nn.init.normal_(query.weight, std=0.02)  # type: ignore[arg-type]

    def forward(
        self, questions: Questions, rows: Tensor, sentences: Tensor | None, patches: Tensor, picture: Tensor
    ) -> Tensor:
        """Look at pictures as questions ask.

        Args:
            questions: of all rows.
            rows: wanted rows, ``(b,)``.
            sentences: sentence vectors, ``(b, t)``, or None.
            patches: ``(b, n, d)``.
            picture: ``(b, p)``.

        Returns:
            The joint state, the question, and what it has in common with the picture, ``(b, 3 hidden)``.
        """
        read = self.question(questions, rows)
        if sentences is not None:
            read = torch.cat([read, sentences], 1)
        asked = self.question_state(read)
        both = asked * self.picture_state(picture)
        state = asked + both
        batch, _, size = patches.shape
        turned = patches.transpose(1, 2)
        for query, seen in zip(self.queries, self.seen, strict=True):
            scores = torch.bmm(query(state).view(batch, self.heads, size), turned) / size**0.5
            state = state + seen(torch.bmm(scores.softmax(-1), patches).flatten(1))
        return torch.cat([state, asked, both], 1)


class CoattentionNet(CoattentionTrunk):
    """One member: question and patches → logits."""

    def __init__(self, options: CoattentionOptions, sizes: Sizes) -> None:
        super().__init__(options, sizes)
        self.classifier = nn.Sequential(
            nn.Linear(3 * options.hidden_size, options.classifier_size),
            nn.LayerNorm(options.classifier_size),
            nn.GELU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.classifier_size, sizes.answers),
        )

    def forward(
        self, questions: Questions, rows: Tensor, sentences: Tensor | None, patches: Tensor, picture: Tensor
    ) -> Tensor:
        """Score answers, ``(b, c)``; the arguments are those of the trunk."""
        logits: Tensor = self.classifier(super().forward(questions, rows, sentences, patches, picture))
        return logits

"""Text towers: any BERT-like encoder by name, behind one small face.

Letters: ``b`` texts, ``l`` tokens of the longest, ``d`` feature size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from radvqa.errors import DataError, RecipeError
from radvqa.models import hub
from radvqa.models.padding import pad

KINDS = (
    "bert",
    "roberta",
    "xlm-roberta",
    "camembert",
    "distilbert",
    "mpnet",
    "electra",
    "albert",
    "deberta-v2",
    "modernbert",
)
"""Encoders of ``transformers`` that read tokens with a mask and return one state a token."""

TextPooling = Literal["cls", "mean"]

_TEXTS_PER_PASS = 32


@dataclass(frozen=True)
class TextSpec:
    """What a text tower is made of.

    Attributes:
        name: ``org/name`` or a folder.
        pooling: how token states become one vector: the first token's, or the mean over all of them.
        tokens: longest text that is read, special tokens included.
    """

    name: str
    pooling: TextPooling = "mean"
    tokens: int = 128


class TextTower(nn.Module):
    """A text encoder. Its pooler, if it has one, is dropped: it would not be used, and never learn.

    Args:
        spec: name, pooling and limit.
        model: of ``transformers``.
        tokenizer: that belongs to it; None where only parameters are counted.

    Raises:
        RecipeError: when the limit is longer than what the encoder can read.
    """

    def __init__(self, spec: TextSpec, model: Any, tokenizer: Any) -> None:
        super().__init__()
        self.spec, self.tokenizer = spec, tokenizer
        self.size = int(model.config.hidden_size)
        if getattr(model, "pooler", None) is not None:
            model.pooler = None
        self.model: nn.Module = model
        longest = _longest(model.config)
        if spec.tokens > longest:
            raise RecipeError(f"model.question_tokens={spec.tokens}, but {spec.name} reads at most {longest} tokens.")

    @classmethod
    def load(cls, spec: TextSpec, *, family: str) -> "TextTower":
        """Load a checkpoint with its tokeniser.

        Raises:
            WeightsError: when it is not found, not whole, or not a text encoder.
        """
        from transformers import AutoModel

        model = hub.load(AutoModel, spec.name, KINDS, family=family, new=("pooler.",))
        return cls(spec, model, hub.tokenizer(spec.name))

    @classmethod
    def skeleton(cls, spec: TextSpec, *, family: str) -> "TextTower":
        """As ``load``, on the meta device and without a tokeniser."""
        from transformers import AutoModel

        with torch.device("meta"):
            model = AutoModel.from_config(hub.config(spec.name, KINDS, family=family))
        return cls(spec, model, None)

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, special ones included.

        Raises:
            DataError: when there are more than ``spec.tokens``; nothing is cut.
        """
        tokens: list[int] = self.tokenizer(text)["input_ids"]
        if len(tokens) > self.spec.tokens:
            raise DataError(
                f"The question {text!r} has {len(tokens)} tokens, and model.question_tokens allows {self.spec.tokens}; "
                f"raise it."
            )
        return tokens

    def forward(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Encode token lists of any lengths, one vector each, ``(b, d)``."""
        filler = self.tokenizer.pad_token_id
        tokens, real = pad(texts, 0 if filler is None else int(filler))
        device = next(self.model.parameters()).device
        tokens, real = tokens.to(device), real.to(device)
        states: Tensor = cast("Any", self.model)(input_ids=tokens, attention_mask=real.long()).last_hidden_state
        if self.spec.pooling == "cls":
            return states[:, 0]
        weight = real[:, :, None].to(states.dtype)
        return (states * weight).sum(1) / weight.sum(1)


@dataclass(frozen=True)
class Asked:
    """The distinct questions of some samples, and which one each row asks.

    Attributes:
        rows: ``(rows,)``, into the questions.
        tokens: of the distinct questions.
        vectors: of the distinct questions ``(questions, d)``, when the encoder is frozen; else None.
    """

    rows: Tensor
    tokens: Sequence[Sequence[int]]
    vectors: Tensor | None


def gather(tower: TextTower, questions: Sequence[str], *, cached: bool) -> Asked:
    """Tokenise the questions of samples.

    Args:
        tower: the encoder.
        questions: of each row.
        cached: compute the vectors now, once; the encoder must be frozen.
    """
    distinct = list(dict.fromkeys(questions))
    place = {question: row for row, question in enumerate(distinct)}
    device = next(tower.parameters()).device
    rows = torch.tensor([place[question] for question in questions], dtype=torch.long, device=device)
    tokens = [tower.tokens(question) for question in distinct]
    return Asked(rows, tokens, _frozen_vectors(tower, tokens) if cached else None)


def pooled(tower: TextTower, asked: Asked, rows: Tensor) -> Tensor:
    """Return one vector a row, ``(b, d)``; each distinct question of the batch passes the encoder once.

    Args:
        tower: the encoder, in the mode that its caller chose.
        asked: questions of all rows.
        rows: wanted rows, ``(b,)``.
    """
    wanted = asked.rows[rows]
    if asked.vectors is not None:
        return asked.vectors[wanted]
    distinct, back = torch.unique(wanted, return_inverse=True)
    vectors: Tensor = tower([asked.tokens[row] for row in distinct.tolist()])
    return vectors[back]


def _frozen_vectors(tower: TextTower, tokens: Sequence[Sequence[int]]) -> Tensor:
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))  # texts of one length pad little
    device = next(tower.parameters()).device
    vectors = torch.empty(len(tokens), tower.size, device=device)
    was_training = tower.training
    tower.eval()
    with torch.no_grad():
        for start in range(0, len(order), _TEXTS_PER_PASS):
            part = order[start : start + _TEXTS_PER_PASS]
            vectors[part] = tower([tokens[row] for row in part])
    tower.train(was_training)
    return vectors


def _longest(config: Any) -> int:
    """Positions of an encoder; those of RoBERTa's kind begin after the padding index."""
    positions = int(config.max_position_embeddings)
    begins_late = config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet")
    return positions - (int(config.pad_token_id or 0) + 1) if begins_late else positions

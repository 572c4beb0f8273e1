"""The question encoder: word embeddings, a bidirectional LSTM, and the maximum over time.

Questions repeat (SLAKE has 597 distinct ones among 4,919), and the encoder is the same function for equal
questions within a step. So each distinct question of a batch is encoded once; values and gradients are those of
encoding every one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from radvqa.models.vocabulary import PAD, UNKNOWN, WordVocabulary


@dataclass(frozen=True)
class Questions:
    """Distinct questions as word indices, and which one each row asks.

    Attributes:
        ids: ``(distinct, l)``.
        rows: ``(rows,)``, into ``ids``.
    """

    ids: Tensor
    rows: Tensor

    @classmethod
    def encode(cls, questions: Sequence[str], words: WordVocabulary, device: torch.device) -> "Questions":
        """Index the distinct questions."""
        distinct = list(dict.fromkeys(questions))
        place = {question: row for row, question in enumerate(distinct)}
        rows = torch.tensor([place[question] for question in questions], dtype=torch.long)
        return cls(words.encode(distinct).to(device), rows.to(device))


class QuestionEncoder(nn.Module):
    """Embedding → BiLSTM → maximum over time (seed 000, section A3).

    Args:
        vocabulary_size: words with padding and unknown.
        size: of the embedding and of the LSTM's state in each direction.
        pool_over_padding: run the LSTM over the padding too and let the maximum see it, as seed 000 did; else
            questions are packed to their real length.
        word_dropout: probability that a word is replaced by the unknown word in training.
    """

    def __init__(
        self, vocabulary_size: int, size: int, *, pool_over_padding: bool = False, word_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, size, padding_idx=PAD)
        self.lstm = nn.LSTM(size, size, batch_first=True, bidirectional=True)
        self.pool_over_padding, self.word_dropout = pool_over_padding, word_dropout
        self.output_size = 2 * size

    def forward(self, questions: Questions, rows: Tensor) -> Tensor:
        """Encode the questions of some rows: ``(b,)`` → ``(b, 2 size)``."""
        distinct, back = torch.unique(questions.rows[rows], return_inverse=True)
        ids = questions.ids[distinct]
        lengths = (ids != PAD).sum(1)
        if not self.pool_over_padding:
            ids = ids[:, : int(lengths.max())]
        if self.training and self.word_dropout:
            dropped = (torch.rand(ids.shape, device=ids.device) < self.word_dropout) & (ids != PAD)
            ids = ids.masked_fill(dropped, UNKNOWN)
        return self._encode(ids, lengths)[back]

    def _encode(self, ids: Tensor, lengths: Tensor) -> Tensor:
        embedded = self.embedding(ids)
        if self.pool_over_padding:
            outputs: Tensor = self.lstm(embedded)[0]
            return outputs.amax(1)
        packed = nn.utils.rnn.pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, padding_value=-torch.inf)
        return states.amax(1)

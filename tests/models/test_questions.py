"""The question encoder against a plain LSTM: the same values, the same gradients."""

import copy

import pytest
import torch
from torch import Tensor

from radvqa.models.questions import QuestionEncoder, Questions
from radvqa.models.vocabulary import PAD, UNKNOWN, WordVocabulary

ASKED = [
    "is this a ct",
    "what organ is shown in this picture of the body",
    "is this a ct",
    "liver",
    "",
    "liver",
    "what organ",
]
WORDS = WordVocabulary.count(ASKED, "seed000", 8)
ROWS = torch.tensor([0, 3, 2, 1, 5, 6, 0, 4])  # rows 0 and 2 ask the same, so do 3 and 5


def encoder(*, pool_over_padding: bool) -> QuestionEncoder:
    torch.manual_seed(5)
    return QuestionEncoder(len(WORDS), 6, pool_over_padding=pool_over_padding)


def one_by_one(plain: QuestionEncoder) -> Tensor:
    """Every row by itself, at its real length."""
    vectors = []
    for row in ROWS.tolist():
        ids = WORDS.encode([ASKED[row]])
        states = plain.lstm(plain.embedding(ids[:, : int((ids != PAD).sum())]))[0]
        vectors.append(states.amax(1))
    return torch.cat(vectors)


def padded(plain: QuestionEncoder) -> Tensor:
    """Every row at the full padded length, the padding seen by LSTM and maximum."""
    ids = WORDS.encode([ASKED[row] for row in ROWS.tolist()])
    states: Tensor = plain.lstm(plain.embedding(ids))[0]
    return states.amax(1)


@pytest.mark.parametrize("pool_over_padding", [False, True])
def test_encoding_distinct_questions_once_changes_neither_values_nor_gradients(pool_over_padding: bool) -> None:
    ours = encoder(pool_over_padding=pool_over_padding)
    plain = copy.deepcopy(ours)
    out = ours(Questions.encode(ASKED, WORDS, torch.device("cpu")), ROWS)
    expected = (padded if pool_over_padding else one_by_one)(plain)
    torch.testing.assert_close(out, expected)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    (out * weights).sum().backward()
    (expected * weights).sum().backward()  # type: ignore[no-untyped-call]
    for (name, a), (_, b) in zip(ours.named_parameters(), plain.named_parameters(), strict=True):
        assert a.grad is not None, name
        assert b.grad is not None
        torch.testing.assert_close(a.grad, b.grad, msg=name)
        assert a.grad.abs().sum() > 0


def test_the_two_ways_differ() -> None:
    plain = encoder(pool_over_padding=True)
    assert (one_by_one(plain) - padded(plain)).abs().max() > 0.01


def test_padding_does_not_matter_unless_it_is_pooled() -> None:
    ours = encoder(pool_over_padding=False)
    short = ours(Questions.encode(["liver"], WORDS, torch.device("cpu")), torch.tensor([0]))
    beside = ours(Questions.encode([ASKED[1], "liver"], WORDS, torch.device("cpu")), torch.tensor([0, 1]))[1:]
    torch.testing.assert_close(short, beside)


def test_word_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    ours = QuestionEncoder(len(WORDS), 6, word_dropout=0.999999)
    questions = Questions.encode(["liver"], WORDS, torch.device("cpu"))
    unknown = Questions(torch.tensor([[UNKNOWN]]), torch.tensor([0]))
    dropped = ours.train()(questions, torch.tensor([0]))
    ours.eval()
    torch.testing.assert_close(dropped, ours(unknown, torch.tensor([0])))
    assert not torch.allclose(ours(questions, torch.tensor([0])), dropped)

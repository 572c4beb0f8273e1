"""Radiology texts for a language model: one document after the other, cut into blocks of equal length."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from radvqa.adapting.spec import Texts
from radvqa.errors import DataError
from radvqa.sample import Sample, cluster_of


@dataclass(frozen=True)
class Document:
    """A text, and the case that it is about; what is held out is held out case by case."""

    case: str
    text: str


def documents(source: Texts, samples: Sequence[Sample]) -> list[Document]:
    """Return the distinct texts of samples.

    A case text is one document, however many pictures its case has: every line that its samples' contexts hold, once.

    Args:
        source: says what of a sample is read.
        samples: of the source.
    """
    found: dict[tuple[str, str], None] = {}
    if source.text == "context":
        lines: dict[str, dict[str, None]] = {}
        for sample in samples:
            lines.setdefault(_case(sample), {}).update(dict.fromkeys(sample.context.split("\n")))
        found = {(case, "\n".join(line for line in held if line.strip())): None for case, held in lines.items()}
    else:
        for sample in samples:
            asked = f"Question: {sample.question}\nAnswer: " if source.text == "question and answer" else ""
            found[_case(sample), (asked + sample.answer).strip()] = None
    return [Document(case, text) for case, text in found if text]


def hold_out(found: Sequence[Document], share: float, seed: int) -> tuple[list[Document], list[Document]]:
    """Cut documents into those that are learned from, in a random order, and those that measure.

    A case is on one side with all its documents.

    Args:
        found: the documents.
        share: of the cases that measure; one at least.
        seed: of the choice and the order.

    Raises:
        DataError: when there are fewer than two cases.
    """
    cases = sorted({document.case for document in found})
    if len(cases) < 2:
        raise DataError("The texts are of one case only; two are needed, one to learn from and one to measure on.")
    drawn = random.Random(seed)
    drawn.shuffle(cases)
    measured = set(cases[: max(1, round(share * len(cases)))])
    learned = [document for document in found if document.case not in measured]
    drawn.shuffle(learned)
    return learned, [document for document in found if document.case in measured]


def blocks(tokenizer: Any, found: Sequence[Document], length: int) -> Tensor:
    """Pack documents into blocks, each followed by the token that ends an answer; what fills no block is dropped.

    Args:
        tokenizer: of the language model.
        found: the documents, in order.
        length: tokens of a block.

    Returns:
        ``(blocks, length)``.

    Raises:
        DataError: when the documents fill no block.
    """
    tokens = list(_tokens(tokenizer, found))
    count = len(tokens) // length
    if not count:
        raise DataError(
            f"The texts have {len(tokens)} tokens, fewer than one block of {length}; name more texts, or a smaller "
            f"block_tokens."
        )
    return torch.tensor(tokens[: count * length]).view(count, length)


def sizes(found: Mapping[str, Sequence[Document]]) -> dict[str, dict[str, int]]:
    """Count documents and characters of each source."""
    return {
        name: {"documents": len(held), "characters": sum(len(document.text) for document in held)}
        for name, held in found.items()
    }


def _tokens(tokenizer: Any, found: Sequence[Document]) -> Iterator[int]:
    for document in found:
        yield from tokenizer(document.text, add_special_tokens=False)["input_ids"]
        yield int(tokenizer.eos_token_id)


def _case(sample: Sample) -> str:
    """A case over all versions of its data set."""
    return f"{sample.dataset.partition(':')[0]}/{cluster_of(sample.image, sample.case)}"

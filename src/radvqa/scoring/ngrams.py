"""Words and runs of words that a gold answer and an answer share, as BLEU and ROUGE count them.

The texts are split by sacrebleu's and rouge-score's own tokenisers.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

ORDERS = 4  # BLEU-4 is the longest in use

Words = Sequence[str]

_TEXTS = 1 << 14
_SHORT = 512  # characters; longer texts are not remembered, or a few large answers would fill the memory


def bleu_counts(gold: str, answer: str) -> tuple[float, ...]:
    """Count what BLEU adds up over a corpus.

    The answer's n-grams that the gold has, each at most as often as there, for n = 1 … 4; all n-grams of the answer,
    for n = 1 … 4; the words of the answer; the words of the gold. Source: K. Papineni et al., ACL 2002, section 2.
    """
    expected, given = _words(_bleu_words, gold), _words(_bleu_words, answer)
    return (
        *_matches(expected, given, ORDERS),
        *(max(0, len(given) - order) for order in range(ORDERS)),
        len(given),
        len(expected),
    )


def rouge_values(gold: str, answer: str) -> tuple[float, ...]:
    """Compute the F-measures of ROUGE-1, ROUGE-2 and ROUGE-L; NaN where the gold has no words or no pair of words.

    Source: C.-Y. Lin, ROUGE, ACL workshop 2004, sections 2 and 3.1, with equal weight of precision and recall.
    """
    expected, given = _words(_rouge_words, gold), _words(_rouge_words, answer)
    words, pairs = _matches(expected, given, 2)
    longest = longest_common_subsequence(expected, given) if words else 0
    return (
        _f_measure(words, len(expected), len(given)),
        _f_measure(pairs, len(expected) - 1, len(given) - 1),
        _f_measure(longest, len(expected), len(given)),
    )


def longest_common_subsequence(one: Words, other: Words) -> int:
    """Return the length of the longest common subsequence of words.

    A bit per word of ``one`` is carried through the words of ``other``, so that long texts stay cheap. Source:
    H. Hyyrö, Bit-parallel LCS-length computation revisited, AWOCA 2004, section 3.
    """
    where: dict[str, int] = {}
    for position, word in enumerate(one):
        where[word] = where.get(word, 0) | 1 << position
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        if hit := row & where.get(word, 0):
            row = (row + hit | row - hit) & full
    return len(one) - row.bit_count()


def _words(split: Callable[[str], Words], text: str) -> Words:
    return _split_remembered(split, text) if len(text) <= _SHORT else split(text)


@lru_cache(_TEXTS)
def _split_remembered(split: Callable[[str], Words], text: str) -> Words:
    return split(text)


def _bleu_words(text: str) -> Words:
    words: str = _bleu_tokeniser()(text.lower().rstrip())
    return words.split()


@lru_cache(1)
def _bleu_tokeniser() -> Callable[[str], str]:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    tokeniser: Callable[[str], str] = Tokenizer13a()  # type: ignore[no-untyped-call]
    return tokeniser


def _rouge_words(text: str) -> Words:
    from rouge_score.tokenize import tokenize

    words: list[str] = tokenize(text, None)
    return words


def _matches(expected: Words, given: Words, orders: int) -> list[int]:
    """Count the n-grams of ``given`` that ``expected`` has, each at most as often as there, for n = 1 … orders."""
    matches = [0] * orders
    for order in range(1, min(orders, len(expected), len(given)) + 1):
        wanted = Counter(_grams(expected, order))
        found = Counter(gram for gram in _grams(given, order) if gram in wanted)
        if not found:
            break  # a longer match would hold one of this length
        matches[order - 1] = (wanted & found).total()
    return matches


def _grams(words: Words, order: int) -> "zip[tuple[str, ...]]":
    return zip(*(words[start:] for start in range(order)), strict=False)


def _f_measure(shared: int, expected: int, given: int) -> float:
    """Harmonic mean of precision and recall; NaN where nothing is expected."""
    if expected <= 0:
        return np.nan
    return 2 * shared / (expected + max(0, given))

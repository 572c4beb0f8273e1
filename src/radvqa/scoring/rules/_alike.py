"""How alike two texts are after Ratcliff and Obershelp, and which of many texts can be more alike than a given value.

Letters: ``k`` texts, ``b`` bits.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np

from radvqa.scoring.statistics import FloatArray

_POPULAR_FROM = 200  # characters from which SequenceMatcher leaves out popular ones

Block = tuple[int, int, int]  # begin in the text, begin in the reply, length
Longest = Callable[[int, int, int, int], Block]  # begin and end in the text, begin and end in the reply → longest block


def alike_to(reply: str) -> Callable[[str], float]:
    """Return the function from a text to ``SequenceMatcher(None, text, reply).ratio()``, in a fraction of its time."""
    if len(reply) < _POPULAR_FROM:
        return lambda text: ratio(_matched(_by_search(text, reply), text, reply), len(text) + len(reply))
    seeds = SequenceMatcher(None, "", reply).b2j  # type: ignore[attr-defined]  # documented, but not in the stubs
    return lambda text: ratio(_matched(_by_seeds(text, reply, seeds), text, reply), len(text) + len(reply))


def ratio(matched: int, length: int) -> float:
    """Return twice the matched characters by all characters; 1 for two empty texts."""
    return 2.0 * matched / length if length else 1.0


def _matched(longest: Longest, text: str, reply: str) -> int:
    """Count the characters in the longest common block, and so on to its left and to its right."""
    total = 0
    spans = [(0, len(text), 0, len(reply))]
    while spans:
        start, end, reply_start, reply_end = spans.pop()
        block, found, size = longest(start, end, reply_start, reply_end)
        if size:
            total += size
            if start < block and reply_start < found:
                spans.append((start, block, reply_start, found))
            if block + size < end and found + size < reply_end:
                spans.append((block + size, end, found + size, reply_end))
    return total


def _by_search(text: str, reply: str) -> Longest:
    """Find blocks with substring searches; of equally long ones the first in the text, and there in the reply."""

    def longest(start: int, end: int, reply_start: int, reply_end: int) -> Block:
        block, size, place = start, 0, start
        while place + size < end:
            while place + size < end and reply.find(text[place : place + size + 1], reply_start, reply_end) >= 0:
                block, size = place, size + 1
            place += 1
        return block, reply.find(text[block : block + size], reply_start, reply_end), size

    return longest


def _by_seeds(text: str, reply: str, seeds: Mapping[str, Sequence[int]]) -> Longest:
    """Find blocks from the longest run of seeds, the characters that are rare in the reply, and lengthen that run.

    Without a seed only what both spans begin with is a block, as in ``SequenceMatcher``.

    Args:
        text: the text.
        reply: the reply.
        seeds: the places in the reply of each of its rare characters.
    """
    marks = [(place, seeds[character]) for place, character in enumerate(text) if character in seeds]

    def longest(start: int, end: int, reply_start: int, reply_end: int) -> Block:
        block, found, size = start, reply_start, 0
        before, runs = -1, dict[int, int]()
        for place, others in marks:
            if start <= place < end:
                longer = {}
                for other in others:
                    if reply_start <= other < reply_end:
                        run = longer[other] = runs.get(other - 1, 0) + 1 if before == place - 1 else 1
                        if run > size:
                            block, found, size = place - run + 1, other - run + 1, run
                before, runs = place, longer
        while block > start and found > reply_start and text[block - 1] == reply[found - 1]:
            block, found, size = block - 1, found - 1, size + 1
        while block + size < end and found + size < reply_end and text[block + size] == reply[found + size]:
            size += 1
        return block, found, size

    return longest


class Bounds:
    """Upper bounds of how alike a reply is to each of many texts, from their longest common subsequences.

    A common block is part of a common subsequence, so no ratio exceeds ``2 · subsequence / characters``. All texts
    stand one after the other in one long integer, a bit per character and one between texts, so that one step per
    character of the reply serves all of them. Source: H. Hyyrö, Bit-parallel LCS-length computation revisited, 2004.

    Args:
        texts: the texts, k.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._lengths = np.array([len(text) for text in texts], dtype=np.intp)
        self._starts = np.cumsum(self._lengths + 1) - self._lengths - 1
        self._bytes = int((self._lengths + 1).sum() + 7) // 8
        places: dict[str, list[int]] = defaultdict(list)
        for start, text in zip(self._starts.tolist(), texts, strict=True):
            for place, character in enumerate(text, start):
                places[character].append(place)
        self._where = {character: self._bits(found) for character, found in places.items()}
        self._all = self._bits([place for found in places.values() for place in found])

    def of(self, reply: str) -> FloatArray:
        """Return the bound of every text, ``(k,)``."""
        unmatched = self._all
        for character in reply:
            if where := self._where.get(character):
                hit = unmatched & where
                unmatched = ((unmatched + hit) | (unmatched - hit)) & self._all  # a carry ends in the bit between texts
        packed = np.frombuffer((self._all ^ unmatched).to_bytes(self._bytes, "little"), dtype=np.uint8)
        matched = np.add.reduceat(np.unpackbits(packed, bitorder="little"), self._starts, dtype=np.intp)
        length = self._lengths + len(reply)
        bounds: FloatArray = np.where(length > 0, 2.0 * matched / np.maximum(length, 1), 1.0)
        return bounds

    def _bits(self, places: Sequence[int]) -> int:
        bits = np.zeros(self._bytes * 8, dtype=np.uint8)
        bits[places] = 1
        return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")

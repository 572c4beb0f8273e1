"""Pairs that say nearly the same about the same picture, or that were made from the same caption.

Within a group of a few pairs every two are compared. In larger ones MinHash finds the candidates (Broder, On the
resemblance and containment of documents, 1997; banding as in Leskovec et al., Mining of Massive Datasets, chapter 3),
which are then compared word by word, so that only real likeness counts.
"""

import itertools
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radvqa.curating.pair import Pair

LIKENESS = 0.8
"""Shared part of all words and word pairs (Jaccard) from which on two pairs count as the same."""

_BANDS, _ROWS = 16, 4  # likeness 0.8 shares a band with probability 1 − (1 − 0.8⁴)¹⁶ = 0.9998
_FEW = 64  # of a group this small every two are compared
_PRIME = np.uint64((1 << 31) - 1)
_WORD = re.compile(r"[^\W_]+")

Words = frozenset[int]


def near_duplicates(pairs: Sequence[Pair], likeness: float = LIKENESS) -> dict[str, str]:
    """Return the pairs that an earlier one makes superfluous, with the earlier one's id.

    Only pairs about the same picture or of the same caption are compared: "Which plane is this?" may be asked of every
    picture.

    Args:
        pairs: in the order of preference.
        likeness: Jaccard likeness of words and word pairs, in (0, 1].
    """
    random = np.random.default_rng(0)
    factors = random.integers(1, int(_PRIME), (_BANDS * _ROWS, 1), dtype=np.uint64)
    offsets = random.integers(0, int(_PRIME), (_BANDS * _ROWS, 1), dtype=np.uint64)
    groups = [_groups(pair) for pair in pairs]
    sizes = Counter(group for named in groups for group in named)
    words = [_words(pair) for pair in pairs]
    buckets: dict[tuple[str, int, bytes], list[int]] = defaultdict(list)
    found: dict[str, str] = {}
    for row, pair in enumerate(pairs):
        shared = [group for group in groups[row] if sizes[group] > 1]
        large = [group for group in shared if sizes[group] > _FEW]
        keys = [(group, -1, b"") for group in shared if sizes[group] <= _FEW]
        if large:
            bands = _bands(words[row], factors, offsets)
            keys += [(group, band, bands[band]) for group in large for band in range(_BANDS)]
        others = sorted({other for key in keys for other in buckets.get(key, ()) if pairs[other].kind == pair.kind})
        same = next((other for other in others if _likeness(words[row], words[other]) >= likeness), None)
        if same is not None:
            found[pair.id] = pairs[same].id
            continue  # what is compared with later ones is what stays
        for key in keys:
            buckets[key].append(row)
    return found


def _groups(pair: Pair) -> set[str]:
    named = {f"image {pair.dataset}/{pair.image}"} if pair.image else set()
    return named | ({f"caption {pair.caption}"} if pair.caption else set()) or {""}


def _words(pair: Pair) -> Words:
    """Hashes of words, and of neighbouring words; question and answer are told apart."""
    hashes: set[int] = set()
    for mark, text in (("q", pair.question), ("a", pair.answer)):
        said = _WORD.findall(text.lower())
        parts = [*said, *(f"{one} {other}" for one, other in itertools.pairwise(said))]
        hashes |= {zlib.crc32(f"{mark} {part}".encode()) for part in parts}
    return frozenset(hashes)


def _bands(words: Words, factors: NDArray[np.uint64], offsets: NDArray[np.uint64]) -> list[bytes]:
    if not words:
        return [b""] * _BANDS
    hashed = np.fromiter(words, np.uint64, len(words)) % _PRIME
    lowest = ((factors * hashed + offsets) % _PRIME).min(1).astype(np.uint32)
    return [lowest[band * _ROWS : (band + 1) * _ROWS].tobytes() for band in range(_BANDS)]


def _likeness(one: Words, other: Words) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0

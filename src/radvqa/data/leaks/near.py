"""Near-duplicate pictures: candidates by perceptual hash, confirmed by correlation, all with all in blocks."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from radvqa.data.leaks.looks import perceptual_hashes

MOST_BITS = 16
"""Candidates differ in at most this many of 64 bits. Of the 446 pairs among SLAKE, VQA-RAD and MedPix 2.0 that
correlate above 0.97 it keeps 442, and all that are confirmed; 0.6 % of all pairs are candidates."""

LEAST_CORRELATION = 0.985
"""Candidates whose thumbnails correlate at least this much are near-duplicates. Among the 4.5 million pairs of SLAKE,
VQA-RAD and MedPix 2.0, 223 reach it; seen by eye, the least similar of them, and those whose names lie far apart, are
copies or neighbouring slices of one scan. The first pair of different patients correlates at 0.978."""

_BLOCK = 1_000_000  # hashes compared at a time, 8 MB
_CONFIRMED = 4096  # candidates correlated at a time, 32 MB


def near_pairs(
    thumbnails: NDArray[np.uint8], homes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find all pairs of pictures that look nearly the same.

    Brightness and contrast do not matter, size and encoding hardly. A picture that is flipped, turned or cropped is
    another picture; so is one of a single grey, which correlates with nothing.

    Args:
        thumbnails: ``(n, SIDE · SIDE)``, distinct pictures.
        homes: ``(n,)``, the one part that a picture is in, or -1; pictures of one same part are not compared.

    Returns:
        ``(pairs, 2)`` rows with the smaller number first, in ascending order, and the correlation of each.
    """
    mean, spread = _mean_and_spread(thumbnails)
    found, values = [np.empty((0, 2), np.int64)], [np.empty(0)]
    for candidates in _candidates(perceptual_hashes(thumbnails)):
        left, right = candidates.T
        apart = candidates[(homes[left] != homes[right]) | (homes[left] < 0)]
        for start in range(0, len(apart), _CONFIRMED):
            part = apart[start : start + _CONFIRMED]
            left, right = part.T
            centred = [(thumbnails[side] - mean[side, None]).astype(np.float32) for side in (left, right)]
            products = np.einsum("ij,ij->i", *centred)
            scale = spread[left] * spread[right]
            correlation = np.divide(products, scale, out=np.zeros(len(part)), where=scale > 0)
            near = correlation >= LEAST_CORRELATION
            found.append(part[near])
            values.append(correlation[near])
    pairs, correlations = np.concatenate(found), np.concatenate(values)
    order = np.lexsort(pairs.T[::-1])
    return pairs[order], correlations[order]


def _mean_and_spread(thumbnails: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each thumbnail's mean and the length of what is left without it."""
    mean, spread = np.empty(len(thumbnails)), np.empty(len(thumbnails))
    for start in range(0, len(thumbnails), _CONFIRMED):
        part = thumbnails[start : start + _CONFIRMED].astype(np.float64)
        mean[start : start + len(part)] = part.mean(axis=1)
        spread[start : start + len(part)] = np.linalg.norm(part - part.mean(axis=1, keepdims=True), axis=1)
    return mean, spread


def _candidates(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Yield ``(k, 2)`` pairs of similar hashes, block by block."""
    rows = max(1, _BLOCK // max(1, len(hashes)))
    for start in range(0, len(hashes), rows):
        block = hashes[start : start + rows, None] ^ hashes[None, start:]
        left, right = np.nonzero(np.bitwise_count(block) <= MOST_BITS)
        later = right > left
        yield np.stack([left[later], right[later]], axis=1) + start

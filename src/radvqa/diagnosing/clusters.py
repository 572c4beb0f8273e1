"""Pictures that look alike, gathered by k-means and named by what most of them show."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from radvqa.diagnosing.looks import Looks
from radvqa.prediction import Prediction

FEWEST_PICTURES = 24
"""With fewer, groups of pictures would be single pictures."""

_LARGEST = 12
_DIRECTIONS = 16  # that the vectors are brought down to; more is noise to k-means
_STARTS = 8
_ROUNDS = 100


def clustered(looks: Looks) -> dict[str, int]:
    """Gather pictures into clusters: image name → number, from 1 on, the largest cluster first.

    The number of clusters is the root of half the number of pictures, at most 12: a rule of thumb, so that a cluster
    has enough pictures to say something. Principal components, then k-means (Lloyd 1982, seeded as Arthur and
    Vassilvitskii 2007) from eight seeded starts, of which the tightest is kept. The same pictures give the same
    clusters. Empty with fewer than 24 pictures.
    """
    if len(looks.names) < FEWEST_PICTURES:
        return {}
    number = min(_LARGEST, max(2, round(math.sqrt(len(looks.names) / 2))))
    points = _principal(looks.vectors.astype(np.float64))
    tries = [_k_means(points, number, np.random.default_rng(seed)) for seed in range(_STARTS)]
    member, _ = min(tries, key=lambda found: found[1])
    order = [code for code, _ in Counter(member.tolist()).most_common()]
    return {name: order.index(int(code)) + 1 for name, code in zip(looks.names, member, strict=True)}


def cluster_names(member: Mapping[str, int], predictions: Sequence[Prediction]) -> dict[str, str]:
    """Name the cluster of each picture after the modality and organ that most of its pictures are labelled with."""
    labels = {p.image: " ".join(part for part in (p.organ.replace("_", " "), p.modality) if part) for p in predictions}
    names = {}
    for number in set(member.values()):
        shown = Counter(labels.get(image, "") for image, at in member.items() if at == number)
        most, many = max(shown.items(), key=lambda pair: (pair[1], pair[0]))
        whole = shown.total()
        mostly = "" if not most else f": {most}" if many == whole else f": mostly {most}, {round(100 * many / whole)} %"
        names[number] = f"cluster {number}{mostly if 2 * many >= whole else ': mixed'}"
    return {image: names[number] for image, number in member.items()}


def _principal(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates along the directions in which the vectors differ most, ``(n, at most 16)``."""
    centred = vectors - vectors.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(_DIRECTIONS, len(lengths))
    points: NDArray[np.float64] = left[:, :kept] * lengths[:kept]
    return points


def _k_means(points: NDArray[np.float64], number: int, random: np.random.Generator) -> tuple[NDArray[np.intp], float]:
    """Return the cluster of each point and the sum of squared distances."""
    centres = points[_spread_out(points, number, random)]
    member = np.zeros(len(points), np.intp)
    for _ in range(_ROUNDS):
        distances = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
        nearest = distances.argmin(axis=1)
        for code in range(number):
            if (nearest == code).any():
                centres[code] = points[nearest == code].mean(axis=0)
        if (nearest == member).all():
            break
        member = nearest
    return member, float(((points - centres[member]) ** 2).sum())


def _spread_out(points: NDArray[np.float64], number: int, random: np.random.Generator) -> list[int]:
    """Choose starting points far apart (k-means++)."""
    chosen = [int(random.integers(len(points)))]
    while len(chosen) < number:
        away = ((points[:, None] - points[chosen][None]) ** 2).sum(axis=2).min(axis=1)
        total = away.sum()
        weights = away / total if total > 0 else None
        chosen.append(int(random.choice(len(points), p=weights)))
    return chosen

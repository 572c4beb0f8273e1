"""What is in features, measured the same way before and after: linear probes from training to validation pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from radvqa.adapting.pool import Pool

RANKS = (1, 5, 10)

_PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


def measure(
    features: Tensor, pool: Pool, captions: Tensor, held_out: Tensor, held_out_pool: Pool, held_out_captions: Tensor
) -> dict[str, float]:
    """Fit ridge regressions on training pictures and measure them on others, the best penalty of a few for each task.

    Args:
        features: of the training pictures, ``(n, p)``.
        pool: the training pictures.
        captions: their sentence vectors, ``(n, t)``; zeros where there is none.
        held_out: features of the other pictures, ``(m, p)``.
        held_out_pool: the other pictures.
        held_out_captions: their sentence vectors, ``(m, t)``.

    Returns:
        accuracy in each label set, ``recall@k``: the share of pictures whose caption is among the ``k`` nearest of all
        distinct captions, and ``score``, the mean of the accuracies and of recall@10.
    """
    mean, spread = features.mean(0), features.std(0).clamp(min=1e-6)
    here, there = ((x - mean) / spread for x in (features.double(), held_out.double()))
    found: dict[str, float] = {}
    for label, names in pool.names.items():
        learn, measured = pool.classes[label] >= 0, held_out_pool.classes[label] >= 0
        if measured.any():
            wanted = functional.one_hot(pool.classes[label][learn], len(names)).double()
            guesses = _ridge(here[learn], wanted, there[measured])
            hits = [(g.argmax(1) == held_out_pool.classes[label][measured]).double().mean() for g in guesses]
            found[f"{label} accuracy"] = float(max(hits))
    learn = torch.tensor([bool(caption) for caption in pool.captions])
    measured = torch.tensor([bool(caption) for caption in held_out_pool.captions])
    if learn.any() and measured.any():
        texts = [caption for caption in held_out_pool.captions if caption]
        guesses = _ridge(here[learn], captions[learn].double(), there[measured])
        vectors, centre = held_out_captions[measured].double(), captions[learn].double().mean(0)
        tables = [recalls(guess, vectors, texts, centre) for guess in guesses]
        found |= max(tables, key=lambda table: table[f"recall@{RANKS[-1]}"])
    counted = [value for name, value in found.items() if name.endswith("accuracy") or name == f"recall@{RANKS[-1]}"]
    return {**found, "score": sum(counted) / len(counted)}


def recalls(guesses: Tensor, vectors: Tensor, texts: Sequence[str], centre: Tensor) -> dict[str, float]:
    """Return recall@k of finding each picture's caption among the distinct ones, by cosine.

    Args:
        guesses: a vector for each picture, ``(m, t)``.
        vectors: of its caption, ``(m, t)``.
        texts: the captions.
        centre: the mean that cosines are taken around, ``(t,)``.
    """
    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    distinct = list(first)
    targets = torch.tensor([distinct.index(text) for text in texts])
    known = functional.normalize(vectors[[first[text] for text in distinct]] - centre, dim=1)
    cosines = functional.normalize(guesses - centre, dim=1) @ known.T
    own = cosines.gather(1, targets[:, None])
    nearer = (cosines > own).sum(1)
    return {f"recall@{rank}": float((nearer < rank).double().mean()) for rank in RANKS}


def _ridge(inputs: Tensor, wanted: Tensor, others: Tensor) -> list[Tensor]:
    """Return what ridge regressions of several penalties, in rows of the inputs, say of other inputs."""
    centre, level = inputs.mean(0), wanted.mean(0)
    centred = inputs - centre
    values, axes = torch.linalg.eigh(centred.T @ centred)
    turned = axes.T @ (centred.T @ (wanted - level))
    seen = (others - centre) @ axes
    return [seen @ (turned / (values.clamp(min=0) + penalty * len(inputs))[:, None]) + level for penalty in _PENALTIES]

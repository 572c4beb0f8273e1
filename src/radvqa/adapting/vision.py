"""The last blocks of an image encoder, trained on radiology classes and captions beside what they said before.

Letters: ``b`` pictures, ``n`` patches, ``d`` feature size, ``t`` size of a sentence vector.
"""

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from radvqa import console
from radvqa.adapting import probe
from radvqa.adapting.blocks import LastBlocks, Remembered, remember
from radvqa.adapting.heads import Heads, total
from radvqa.adapting.learner import Learner
from radvqa.adapting.pool import Pool
from radvqa.adapting.spec import VisionSpec
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.models.seeding import seeded
from radvqa.models.sentences import SentenceEncoder
from radvqa.models.vision import VisionSpec as TowerSpec
from radvqa.models.vision import VisionTower


@dataclass(frozen=True)
class AdaptedVision:
    """An image encoder that was adapted.

    Attributes:
        tower: with the weights of the chosen epoch.
        before: linear probes of the encoder as it was; see ``probe.measure``.
        after: the same probes of what it became.
        patch_cosine: mean cosine between patch features before and after, on the validation pictures.
        history: losses of every epoch on training and validation pictures, ``epoch`` 0 before the encoder learned.
        epoch: that was chosen; 0 when learning did not help, and the encoder is as it was.
        seconds: of remembering, of the heads alone, and of learning.
    """

    tower: VisionTower
    before: dict[str, float]
    after: dict[str, float]
    patch_cosine: float
    history: list[dict[str, float]]
    epoch: int
    seconds: dict[str, float]


@dataclass(frozen=True)
class _Side:
    """Pictures of one side with all that a loss needs."""

    pool: Pool
    seen: Remembered
    captions: Tensor  # (b, t)
    texts: Tensor  # (b,)


def adapt(
    spec: VisionSpec, tower: VisionTower, store: ImageStore, learn: Pool, select: Pool, device: torch.device
) -> AdaptedVision:
    """Train the last blocks of a tower; the epoch with the smallest loss on the validation pictures is kept.

    The heads learn first, alone, over features of the tower as it was, so that what they do not know yet does not
    spoil it (Kumar et al., ICLR 2022).

    Args:
        spec: says how.
        tower: with the pooling ``cls+mean``.
        store: holds the pictures.
        learn: what is learned from.
        select: what is chosen on.
        device: where to compute.

    Raises:
        WeightsError, RecipeError: for an encoder that cannot be trained so.
        RunError: when the loss is no number.
    """
    learning = spec.training
    tower.to(device)
    last = LastBlocks(tower, spec.blocks)
    sides, seconds = _remembered(spec, tower, last, store, (learn, select), device)
    with seeded(learning.seed):
        counts = {label: len(names) for label, names in learn.names.items()}
        sizes = sides[0].seen.pooled.shape[1], sides[0].captions.shape[1]
        heads = Heads(*sizes, spec.shared_size, counts, spec.temperature).to(device)
    started = time.perf_counter()
    _learn_heads(spec, heads, sides[0])
    seconds["heads"] = time.perf_counter() - started
    started = time.perf_counter()
    epoch, state, history = _learn_blocks(spec, last, heads, *sides)
    seconds["learning"] = time.perf_counter() - started
    last.load_state_dict(state)
    now = [_encoded(spec, last, side.seen, device) for side in sides]
    captions = [side.captions.cpu() for side in sides]
    before, after = (
        probe.measure(here, learn, captions[0], there, select, captions[1])
        for here, there in ((sides[0].seen.pooled, sides[1].seen.pooled), (now[0][0], now[1][0]))
    )
    return AdaptedVision(tower.to("cpu"), before, after, now[1][1], history, epoch, seconds)


def load(spec: VisionSpec) -> tuple[VisionTower, ImageStore]:
    """Load the encoder, and open the store of pictures at its size."""
    tower = VisionTower(TowerSpec(spec.checkpoint, pooling="cls+mean"))
    return tower, ImageStore(Preprocessing(spec.image_size))


def _remembered(
    spec: VisionSpec,
    tower: VisionTower,
    last: LastBlocks,
    store: ImageStore,
    pools: Sequence[Pool],
    device: torch.device,
) -> tuple[list[_Side], dict[str, float]]:
    started = time.perf_counter()
    encoder = SentenceEncoder(spec.text).to(device)
    sides = []
    for pool in pools:
        seen = remember(tower, last, store, pool.keys, _precision(spec, device))
        told = [row for row, caption in enumerate(pool.captions) if caption]
        captions = torch.zeros(len(pool.keys), encoder.size, device=device)
        if told:
            captions[told] = encoder.encode([pool.captions[row] for row in told])
        numbers = {text: number for number, text in enumerate(dict.fromkeys(filter(None, pool.captions)))}
        texts = torch.tensor([numbers.get(caption, -1) for caption in pool.captions], device=device)
        sides.append(_Side(pool, seen, captions, texts))
    return sides, {"remembering": time.perf_counter() - started}


def _learn_heads(spec: VisionSpec, heads: Heads, side: _Side) -> None:
    learning = spec.training
    steps = learning.head_epochs * _steps(side, learning.batch_size)
    learner = Learner({"heads": (list(heads.parameters()), learning.head_learning_rate)}, learning, steps)
    for epoch in range(learning.head_epochs):
        for rows in _batches(side, learning.batch_size, learning.seed, -1 - epoch):
            learner.step(_sum(heads, side, rows, side.seen.pooled[rows]))


def _learn_blocks(
    spec: VisionSpec, last: LastBlocks, heads: Heads, learn: _Side, select: _Side
) -> tuple[int, dict[str, Tensor], list[dict[str, float]]]:
    """Return the best epoch, the blocks' weights in it, and the history."""
    learning = spec.training
    steps = learning.epochs * _steps(learn, learning.batch_size)
    device = next(last.parameters()).device
    learner = Learner(
        {
            "blocks": (list(last.parameters()), learning.learning_rate),
            "heads": (list(heads.parameters()), learning.head_learning_rate),
        },
        learning,
        steps,
    )
    best, state = 0, copy.deepcopy(last.state_dict())
    history = [{"epoch": 0.0, **_validated(heads, select, select.seen.pooled, 1.0)}]
    with console.progress("learning radiology", steps) as advance:
        for epoch in range(1, learning.epochs + 1):
            losses = []
            for rows in _batches(learn, learning.batch_size, learning.seed, epoch):
                old = learn.seen.patches[rows].to(device)
                with learner.computing(device):
                    patches, pooled = last(learn.seen.states[rows].to(device, torch.float32), old.shape[1])
                moved = 1 - functional.cosine_similarity(patches.float(), old.float(), dim=2).mean()
                losses.append(learner.step(_sum(heads, learn, rows, pooled.float()) + learning.keep * moved))
                advance(1)
            pooled, cosine = _encoded(spec, last, select.seen, device)
            history.append(
                {
                    "epoch": float(epoch),
                    "train_loss": sum(losses) / len(losses),
                    **_validated(heads, select, pooled, cosine),
                }
            )
            console.say(f"epoch {epoch}: loss {history[-1]['loss']:.3f}, patch cosine {cosine:.3f}")
            if history[-1]["loss"] < history[best]["loss"]:
                best, state = epoch, copy.deepcopy(last.state_dict())
    return best, state, history


def _sum(heads: Heads, side: _Side, rows: Tensor, pooled: Tensor) -> Tensor:
    device = side.texts.device
    classes = {label: numbers[rows].to(device) for label, numbers in side.pool.classes.items()}
    rows = rows.to(device)
    return total(heads.losses(pooled.to(device), side.captions[rows], side.texts[rows], classes), heads.labels)


@torch.no_grad()
def _validated(heads: Heads, side: _Side, pooled: Tensor, patch_cosine: float) -> dict[str, float]:
    device = side.texts.device
    classes = {label: numbers.to(device) for label, numbers in side.pool.classes.items()}
    losses = heads.losses(pooled.to(device), side.captions, side.texts, classes)
    named = {f"{task} loss": loss.item() for task, loss in losses.items()}
    return {"loss": total(losses, heads.labels).item(), **named, "patch_cosine": patch_cosine}


@torch.no_grad()
def _encoded(spec: VisionSpec, last: LastBlocks, seen: Remembered, device: torch.device) -> tuple[Tensor, float]:
    """Return one vector a picture, and the mean cosine of its patches with those before."""
    pooled, cosines = [], []
    for states, old in zip(torch.split(seen.states, 16), torch.split(seen.patches, 16), strict=True):
        with _precision(spec, device):
            patches, vectors = last(states.to(device, torch.float32), old.shape[1])
        pooled.append(vectors.float().cpu())
        cosines.append(functional.cosine_similarity(patches.float().cpu(), old.float(), dim=2))
    return torch.cat(pooled), float(torch.cat(cosines).mean())


def _precision(spec: VisionSpec, device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=spec.training.precision == "bf16")


def _steps(side: _Side, size: int) -> int:
    return max(1, len(side.pool.keys) // size)


def _batches(side: _Side, size: int, seed: int, epoch: int) -> Iterator[Tensor]:
    """Yield the rows of an epoch's full batches; the few that are left over wait for another epoch."""
    generator = torch.Generator().manual_seed(seed * 1000 + epoch + 500)  # epochs of the heads count below zero
    order = torch.randperm(len(side.pool.keys), generator=generator)
    for step in range(_steps(side, size)):
        yield order[step * size : (step + 1) * size]

"""Where organs and findings lie, read off frozen patch features; learned from the masks and boxes of training images.

Letters: ``m`` pictures, ``n`` patches of a picture, ``d`` feature size, ``k`` labels.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from radvqa import console, files, fingerprint
from radvqa.models.checkpoint import read_weights, write_weights
from radvqa.models.seeding import seeded
from radvqa.sample import Region

VERSION = 1
"""Of how heads are learned; another number makes what the cache holds be learned anew."""

_READ = "readings"
_RAREST = 5  # images that must show a label, for it to be learned
_EPOCHS, _PICTURES_PER_STEP = 15, 16
_RATE, _DECAY = 2e-3, 0.05


def labels_of(regions: Sequence[Sequence[Region]]) -> tuple[str, ...]:
    """Return the labels that occur in enough pictures, most frequent first."""
    counts = Counter(label for picture in regions for label in {region.label for region in picture})
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))  # sets have no order of their own
    return tuple(label for label, count in ranked if count >= _RAREST)


def patch_targets(regions: Sequence[Sequence[Region]], labels: Sequence[str], side: int) -> Tensor:
    """Say how much of each patch each label covers.

    Args:
        regions: of each picture.
        labels: in order of the last axis.
        side: patches along a side; ``n = side²``.

    Returns:
        Shares in [0, 1], ``(m, n, k)``.
    """
    place = {label: index for index, label in enumerate(labels)}
    targets = torch.zeros(len(regions), side * side, len(labels))
    for row, picture in enumerate(regions):
        for region in picture:
            if region.label in place:
                share = torch.from_numpy(_coverage(region, side)).flatten()
                column = targets[row, :, place[region.label]]
                torch.maximum(column, share, out=column)
    return targets


def _coverage(region: Region, side: int) -> NDArray[np.float32]:
    if region.mask is not None:
        mask = region.mask.astype(np.float32)
    else:  # a box, drawn fine enough that shares of a patch come out right
        fine = side * 16
        mask = np.zeros((fine, fine), np.float32)
        left, top, width, height = (value * fine for value in region.box)
        mask[round(top) : round(top + height), round(left) : round(left + width)] = 1
    return np.asarray(Image.fromarray(mask).resize((side, side), Image.Resampling.BOX), np.float32).copy()


class RegionHead(nn.Module):
    """A two-layer reading of each patch: features and place → logits of every label.

    Args:
        size: of a patch feature, ``d``.
        side: patches along a side.
        labels: number of labels, ``k``.
    """

    places: Tensor

    def __init__(self, size: int, side: int, labels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(size + 2 * side, 256), nn.GELU(), nn.Dropout(0.3), nn.Linear(256, labels)
        )
        index = torch.arange(side * side)
        rows, columns = F.one_hot(index // side, side), F.one_hot(index % side, side)
        self.register_buffer("places", torch.cat([rows, columns], 1).float(), persistent=False)

    def forward(self, patches: Tensor) -> Tensor:
        """Patches ``(m, n, d)`` → logits ``(m, n, k)``."""
        logits: Tensor = self.net(torch.cat([patches, self.places.expand(len(patches), -1, -1)], 2))
        return logits

    def probabilities(self, patches: Tensor, *, differentiable: bool = False) -> Tensor:
        """Patches ``(m, n, d)`` → probabilities ``(m, n, k)`` in evaluation mode, a few pictures at a time.

        Args:
            patches: standardised.
            differentiable: let gradients flow to the patches, to explain an answer; training never does.
        """
        self.eval()
        with torch.set_grad_enabled(differentiable and torch.is_grad_enabled()):
            read = torch.cat([self(part).sigmoid() for part in torch.split(patches, 64)])
        return read.clamp(min=1e-12) if differentiable else read  # the root that is taken of it has no slope at 0


def fit(patches: Tensor, targets: Tensor, seed: int) -> RegionHead:
    """Learn the head by binary cross-entropy, and leave the global random state as it was.

    Args:
        patches: of the training pictures, ``(m, n, d)``.
        targets: ``(m, n, k)``.
        seed: of weights, dropout and order.
    """
    with seeded(seed):
        head = RegionHead(patches.shape[2], round(patches.shape[1] ** 0.5), targets.shape[2]).to(patches.device)
        optimizer = torch.optim.AdamW(head.parameters(), _RATE, weight_decay=_DECAY, fused=True)
        head.train()
        for _ in range(_EPOCHS):
            for rows in torch.split(torch.randperm(len(patches)).to(patches.device), _PICTURES_PER_STEP):
                losses = F.binary_cross_entropy_with_logits(head(patches[rows]), targets[rows], reduction="none")
                optimizer.zero_grad()
                losses.sum(-1).mean().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    head.eval()
    return head.requires_grad_(False)


def out_of_fold(
    patches: Tensor, targets: Tensor, views: Sequence[Tensor], folds: int, seed: int
) -> tuple[RegionHead, list[Tensor]]:
    """Learn a head, and read every training picture with a head that never saw it.

    What stands on the readings then learns from readings as good as those of new pictures, not better ones.

    Args:
        patches: of the training pictures, ``(m, n, d)``.
        targets: ``(m, n, k)``.
        views: patches of changed copies of the same pictures, each ``(m, n, d)``.
        folds: number of parts that are left out in turn.
        seed: of the partition and the heads.

    Returns:
        The head learned from all pictures, and the out-of-fold probabilities ``(m, n, k)`` of the pictures and of
        each view.
    """
    order = torch.randperm(len(patches), generator=torch.Generator().manual_seed(seed))
    sources = [patches, *views]
    read = [torch.empty(*patches.shape[:2], targets.shape[2], device=patches.device) for _ in sources]
    with console.progress("learning where organs lie", folds + 1) as advance:
        for fold in torch.tensor_split(order, folds):
            kept = torch.ones(len(patches), dtype=torch.bool)
            kept[fold] = False
            head = fit(patches[kept], targets[kept], seed)
            for source, probabilities in zip(sources, read, strict=True):
                probabilities[fold] = head.probabilities(source[fold])
            advance(1)
        head = fit(patches, targets, seed)
        advance(1)
    return head, read


def learned(
    patches: Tensor, targets: Tensor, views: Sequence[Tensor], folds: int, seed: int
) -> tuple[Mapping[str, Tensor], list[Tensor]]:
    """What ``out_of_fold`` finds, from the cache where it is known: runs that differ elsewhere learn it once.

    Args:
        patches: as in ``out_of_fold``.
        targets: as in ``out_of_fold``.
        views: as in ``out_of_fold``.
        folds: as in ``out_of_fold``.
        seed: as in ``out_of_fold``.

    Returns:
        The head's weights, and the out-of-fold probabilities of the pictures and of each view.
    """
    given = {f"view{number}": patch for number, patch in enumerate((patches, *views))}
    name = fingerprint.of_value([fingerprint.of_tensors({**given, "targets": targets}), folds, seed, VERSION])
    path = files.cache_folder() / "organs" / f"{name}.safetensors"
    if not path.is_file():
        head, read = out_of_fold(patches, targets, views, folds, seed)
        kept = {f"{_READ}{number}": one.cpu().contiguous() for number, one in enumerate(read)}
        kept |= {name: tensor.detach().cpu().contiguous() for name, tensor in head.state_dict().items()}
        write_weights(path, kept)
    found = read_weights(path)
    readings = [found.pop(f"{_READ}{number}").to(patches.device) for number in range(1 + len(views))]
    return found, readings

"""What masks and boxes of training pictures teach: where organs and findings lie, read off frozen patches.

Letters: ``m`` pictures, ``n`` patches of a picture, ``d`` feature size, ``k`` labels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from radvqa.models import region_head
from radvqa.models.family import Context
from radvqa.models.region_head import RegionHead
from radvqa.sample import Region, Sample

_SCALE = 3.0  # brings probabilities to the spread of normalised features


@dataclass(frozen=True)
class Labelled:
    """Training pictures of data sets that tell where organs lie.

    Attributes:
        samples: one a picture.
        regions: of each picture.
        labels: that occur often enough to be learned, most frequent first.
    """

    samples: Sequence[Sample]
    regions: Sequence[list[Region]]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, context: Context) -> "Labelled":
        """Look through what training holds; a data set without a single region says nothing about absence either."""
        shown: dict[tuple[str, str], Sample] = {}
        for sample in context.training:
            shown.setdefault((sample.dataset, sample.image), sample)
        regions = {key: context.regions(sample) for key, sample in shown.items()}
        telling = {dataset for (dataset, _), found in regions.items() if found}
        kept = {key: found for key, found in regions.items() if key[0] in telling}
        found = list(kept.values())
        return cls([shown[key] for key in kept], found, region_head.labels_of(found))

    def targets(self, known: Mapping[str, str], side: int) -> tuple[list[str], Tensor]:
        """Say how much of each patch each label covers.

        Args:
            known: content keys of the pictures that can be read, by sample id.
            side: patches along a side.

        Returns:
            content keys of the distinct pictures, and shares in [0, 1], ``(m, n, k)``.
        """
        regions = {
            known[sample.id]: found
            for sample, found in zip(self.samples, self.regions, strict=True)
            if sample.id in known
        }
        return list(regions), region_head.patch_targets(list(regions.values()), self.labels, side)


class OrganReader(nn.Module):
    """Reads every patch: how likely each organ or finding lies there.

    Args:
        size: of a patch feature, ``d``.
        side: patches along a side.
        labels: number of labels, ``k``.

    Attributes:
        learned_at_build: its weights are learned before training begins and belong to what training kept.
    """

    learned_at_build = True
    mean: Tensor
    spread: Tensor

    def __init__(self, size: int, side: int, labels: int) -> None:
        super().__init__()
        self.side = side
        self.head = RegionHead(size, side, labels).requires_grad_(False)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        self._out_of_fold: dict[str, Tensor] = {}

    def learn(
        self, keys: Sequence[str], patches: Callable[[Sequence[str]], Tensor], targets: Tensor, folds: int, seed: int
    ) -> None:
        """Learn from labelled pictures, and keep readings of them by heads that never saw them.

        What was learned is kept in the cache: runs that differ elsewhere learn it once.

        Args:
            keys: content keys of the pictures.
            patches: features of pictures, ``(m, n, d)``.
            targets: share of each patch that each label covers, ``(m, n, k)``.
            folds: parts that are left out in turn.
            seed: of partition and heads.
        """
        found = patches(keys)
        self.mean.copy_(found.flatten(0, 1).mean(0))
        self.spread.copy_(found.flatten(0, 1).std(0).clamp(min=1e-4))
        learned, (read,) = region_head.learned(self._standard(found), targets, [], folds, seed)
        self._out_of_fold = dict(zip(keys, read, strict=True))
        self.head.load_state_dict(learned)

    def forward(self, keys: Sequence[str], patches: Tensor) -> Tensor:
        """Readings of pictures, beside whose patches they are laid: ``(m, n, d)`` → ``(m, n, k)``."""
        read = self.head.probabilities(self._standard(patches))
        for row, key in enumerate(keys):
            if key in self._out_of_fold:
                read[row] = self._out_of_fold[key]
        return read.sqrt() * _SCALE

    def explained(self, patches: Tensor) -> Tensor:
        """The same of pictures that nothing was learned from, with gradients to their patches."""
        return self.head.probabilities(self._standard(patches), differentiable=True).sqrt() * _SCALE

    def _standard(self, patches: Tensor) -> Tensor:
        return (patches - self.mean) / self.spread

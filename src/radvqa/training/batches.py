"""Which rows make up each step of an epoch."""

from collections.abc import Iterator

import torch
from torch import Tensor


def shuffled(rows: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield every row once, in random order, ``batch_size`` at a time; the last batch may be smaller."""
    yield from torch.split(torch.randperm(rows, generator=generator), batch_size)


def by_images(
    image_rows: Tensor, batch_size: int, images_per_batch: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield every row once, in full batches that show about ``images_per_batch`` pictures; the last may be smaller.

    A picture's questions are cut into random groups of ``batch_size / images_per_batch``, and the groups are shuffled.
    A trained backbone then passes fewer pictures per question. A group that does not fit is cut, so that an epoch
    always has the same number of steps.
    """
    order = torch.cat(groups(image_rows, max(1, batch_size // images_per_batch), generator))
    yield from torch.split(order, batch_size)


def groups(image_rows: Tensor, size: int, generator: torch.Generator) -> list[Tensor]:
    """Cut each picture's rows into random groups of at most ``size``, and shuffle the groups."""
    pictures = image_rows.cpu()
    order = torch.randperm(len(pictures), generator=generator)
    order = order[torch.argsort(pictures[order], stable=True)]
    cut: list[Tensor] = []
    for rows in torch.split(order, torch.unique_consecutive(pictures[order], return_counts=True)[1].tolist()):
        cut.extend(torch.split(rows, size))
    return [cut[place] for place in torch.randperm(len(cut), generator=generator).tolist()]

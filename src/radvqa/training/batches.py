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
    """Yield every row once, in batches that show about ``images_per_batch`` pictures.

    A picture's questions are cut into random groups of ``batch_size / images_per_batch``; groups are shuffled
    and packed into batches. A trained backbone then passes fewer pictures per question.
    """
    group_size = max(1, batch_size // images_per_batch)
    order = torch.randperm(len(image_rows), generator=generator)
    order = order[torch.argsort(image_rows.cpu()[order], stable=True)]
    groups: list[Tensor] = []
    for questions in torch.split(order, torch.bincount(image_rows.cpu()).tolist()):
        groups.extend(torch.split(questions, group_size))
    batch: list[Tensor] = []
    held = 0
    for place in torch.randperm(len(groups), generator=generator).tolist():
        if held and held + len(groups[place]) > batch_size:
            yield torch.cat(batch)
            batch, held = [], 0
        batch.append(groups[place])
        held += len(groups[place])
    if batch:
        yield torch.cat(batch)

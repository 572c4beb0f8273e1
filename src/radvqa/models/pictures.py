"""How a classifier sees pictures: features computed once when the backbone is frozen, pixels when it is trained."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from radvqa.data.store import ImageStore
from radvqa.models import features
from radvqa.models.vision import VisionTower


@dataclass(frozen=True)
class Pictures:
    """The distinct pictures of some samples, and which one each row shows.

    Attributes:
        rows: ``(rows,)``, into the pictures.
        keys: content keys of the distinct pictures.
        features: of the distinct pictures, when the backbone is frozen; else None.
    """

    rows: Tensor
    keys: Sequence[str]
    features: features.Features | None


def gather(
    tower: VisionTower, store: ImageStore, image_keys: Sequence[str], *, cached: bool, tokens: bool = False
) -> Pictures:
    """Collect the pictures of samples.

    Args:
        tower: the backbone.
        store: holds the pictures.
        image_keys: content key of each row's picture.
        cached: compute the features now, once; the backbone must be frozen.
        tokens: keep patch tokens too.
    """
    distinct = list(dict.fromkeys(image_keys))
    place = {key: row for row, key in enumerate(distinct)}
    rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long)
    device = tower.mean.device
    computed = features.compute(tower, store, distinct, tokens=tokens) if cached else None
    if computed is not None:
        computed = features.Features(computed.pooled.to(device), computed.tokens.to(device))
    return Pictures(rows.to(device), distinct, computed)


def pooled(tower: VisionTower, store: ImageStore, pictures: Pictures, rows: Tensor, *, every_sample: bool) -> Tensor:
    """Return one vector a row, ``(b, p)``: from the computed features, or through the backbone now.

    Args:
        tower: the backbone, in the mode that its caller chose.
        store: holds the pictures.
        pictures: of all rows.
        rows: wanted rows, ``(b,)``.
        every_sample: pass a picture once for each question about it, so that batch statistics are weighted as in
            seed 000; else each distinct picture of the batch passes once.
    """
    if pictures.features is not None:
        return pictures.features.pooled[pictures.rows[rows]]
    shown = pictures.rows[rows]
    distinct, back = torch.unique(shown, return_inverse=True)
    if every_sample:
        distinct, back = shown, torch.arange(len(shown), device=shown.device)
    pixels = torch.from_numpy(store.batch([pictures.keys[row] for row in distinct.tolist()]))
    return tower.tokens(pixels.to(tower.mean.device))[1][back]

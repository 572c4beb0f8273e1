"""What an image encoder learns radiology by, and what is thrown away afterwards: a contrast with captions, and classes.

Letters: ``b`` pictures, ``p`` size of their features, ``t`` size of a sentence vector, ``k`` size of the shared space.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_COLDEST = 0.01  # temperature, as in CLIP


def info_nce(pictures: Tensor, captions: Tensor, same: Tensor, scale: Tensor) -> Tensor:
    """Return the mean cross-entropy of finding each picture's caption in the batch, and each caption's picture.

    Source: Radford et al., ICML 2021, figure 3; Zhang et al. (ConVIRT), MLHC 2022, equations 2 to 4. Pictures that
    share a caption's text are not counted as wrong ones: a batch often holds several of one case.

    Args:
        pictures: ``(b, k)``, of any length.
        captions: ``(b, k)``, of any length.
        same: whether two have one text, ``(b, b)``.
        scale: one over the temperature.
    """
    logits = scale * functional.normalize(pictures, dim=1) @ functional.normalize(captions, dim=1).T
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(same & ~own, -math.inf)
    target = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


class Heads(nn.Module):
    """Linear heads over one vector a picture.

    Args:
        size: of a picture's features, ``p``.
        caption_size: of a sentence vector, ``t``.
        shared: size of the space in which pictures meet captions, ``k``.
        classes: how many each label set has.
        temperature: of the contrast, at first; it is learned.
    """

    def __init__(
        self, size: int, caption_size: int, shared: int, classes: Mapping[str, int], temperature: float
    ) -> None:
        super().__init__()
        self.labels = tuple(classes)
        self.norm = nn.LayerNorm(size)
        self.of_picture = nn.Linear(size, shared)
        self.of_caption = nn.Linear(caption_size, shared)
        self.scale = nn.Parameter(torch.tensor(-math.log(temperature)))
        self.classifiers = nn.ModuleList(nn.Linear(size, count) for count in classes.values())

    def losses(
        self, features: Tensor, captions: Tensor, texts: Tensor, classes: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the loss of each task that the batch has something for, in nats.

        Args:
            features: ``(b, p)``.
            captions: sentence vectors, ``(b, t)``.
            texts: number of each caption's text, ``(b,)``; -1 where there is none.
            classes: of each label set, ``(b,)``; -1 where there is none.
        """
        features = self.norm(features)
        found: dict[str, Tensor] = {}
        told = texts >= 0
        if len(torch.unique(texts[told])) > 1:
            pictures, sentences = self.of_picture(features[told]).float(), self.of_caption(captions[told]).float()
            same = texts[told][:, None] == texts[told][None]
            scale = self.scale.clamp(max=-math.log(_COLDEST)).exp()
            found["captions"] = info_nce(pictures, sentences, same, scale)
        for label, classifier in zip(self.labels, self.classifiers, strict=True):
            known = classes[label] >= 0
            if known.any():
                logits = classifier(features[known]).float()
                found[label] = functional.cross_entropy(logits, classes[label][known])
        return found


def total(losses: Mapping[str, Tensor], labels: Sequence[str]) -> Tensor:
    """Weigh the contrast as much as all label sets together."""
    weights = {"captions": 1.0, **dict.fromkeys(labels, 1 / max(1, len(labels)))}
    return torch.stack([weights[task] * loss for task, loss in losses.items()]).sum()

"""CNN or CLIP beside BERT, opened."""

from functools import cached_property
from typing import Any

from torch import Tensor

from radvqa.explaining.inside.classifying import OpenedClassifier, widened
from radvqa.explaining.inside.opened import Features
from radvqa.explaining.inside.vision import tower_features
from radvqa.models import text_tower


class OpenedTowers(OpenedClassifier):
    """Vectors of two towers, joined."""

    net: Any

    def logits(self, values: Tensor, rows: Tensor) -> Tensor:
        """Score answers from pixels."""
        seen = self.net.vision.tokens(widened(self.module, values))[1]
        logits: Tensor = self.net.head(seen, text_tower.pooled(self.net.text, self.prepared.inputs.questions, rows))
        return logits

    @cached_property
    def _side(self) -> int:
        return int(self.resizing.apply(self.net.store.pixels(self.prepared.inputs.pictures.keys[0])).shape[0])

    @property
    def features(self) -> Features:
        """Of the image tower."""
        return tower_features(self.net.vision, self._side)

"""CNN-LSTM, opened."""

from typing import Any

from torch import Tensor

from radvqa.explaining.inside.classifying import OpenedClassifier, widened
from radvqa.explaining.inside.opened import Features
from radvqa.explaining.inside.vision import tower_features


class OpenedCnnLstm(OpenedClassifier):
    """One image vector beside one question vector."""

    net: Any

    def logits(self, values: Tensor, rows: Tensor) -> Tensor:
        """Score answers from pixels."""
        vectors = self.net.vision.tokens(widened(self.module, values))[1]
        logits: Tensor = self.net.net(vectors, self.prepared.inputs.questions, rows)
        return logits

    @property
    def features(self) -> Features:
        """Of the backbone."""
        return tower_features(self.net.vision, int(self.net.options.image_size))


OPEN = OpenedCnnLstm

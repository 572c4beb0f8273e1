"""Attention of a language model that reads patches as tokens."""

from collections.abc import Iterator

from torch import Tensor

from radvqa.explaining.attention.step import Carriers, Step
from radvqa.explaining.inside.axis import Axis
from radvqa.explaining.inside.writing import DecoderSteps, Prompted


class LanguageMixing:
    """Carriers: the decoder's positions, of which the image tokens are the patches.

    Args:
        laid_out: where things stand.
        grid: of the image tokens.
        language: how the names of the language model's layers contain.
    """

    stack = "language"

    def __init__(self, laid_out: Prompted, grid: tuple[int, int], language: str = "language_model") -> None:
        axis = Axis()
        self.positions = axis.take(len(laid_out.inputs))
        self._decoder, self._language = DecoderSteps(self.positions, self.stack), language
        shown, words = self.positions[laid_out.images], self.positions[laid_out.words]
        self.carriers = Carriers(axis.count, shown, words, self.positions[laid_out.told], grid)

    def steps(self, name: str, weights: Tensor) -> Iterator[Step]:
        """A layer of the language model."""
        if self._language in name:
            yield from self._decoder.steps(name, weights)

    def finish(self) -> Iterator[Step]:
        """Layers of a prefix that nothing follows."""
        return self._decoder.finish()

"""What a stage learns from and chooses on."""

from dataclasses import dataclass

from radvqa.recipe.curriculum import Stage
from radvqa.sample import Sample


@dataclass(frozen=True)
class StageSamples:
    """Samples of a stage.

    Attributes:
        stage: as the recipe says.
        sources: samples of each source of the mix, in order.
        chosen: samples to choose the best state on.
    """

    stage: Stage
    sources: tuple[list[Sample], ...]
    chosen: list[Sample]

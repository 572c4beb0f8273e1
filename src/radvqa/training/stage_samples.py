"""What a stage learns from and chooses on."""

from dataclasses import asdict, dataclass
from typing import Any

from radvqa.data.leaks.apart import Apart
from radvqa.recipe.curriculum import Stage
from radvqa.sample import Sample


@dataclass(frozen=True)
class StageSamples:
    """Samples of a stage.

    Attributes:
        stage: as the recipe says.
        sources: samples of each source of the mix, in order.
        chosen: samples to choose the best state on.
        apart: what each source leaves out because other data sets hold its pictures; empty where none leaves any out.
    """

    stage: Stage
    sources: tuple[list[Sample], ...]
    chosen: list[Sample]
    apart: tuple[tuple[Apart, ...], ...] = ()

    def left_apart(self) -> list[dict[str, Any]]:
        """What was left out, as plain values for ``run.json``."""
        return [
            {"stage": self.stage.name, "source": source.called, **asdict(one)}
            for source, entries in zip(self.stage.sources, self.apart, strict=False)
            for one in entries
        ]

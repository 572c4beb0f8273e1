"""A stage's samples, prepared: rows of each source, tokens of each row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from radvqa.data.dataset import Problems
from radvqa.errors import DataError
from radvqa.models.family import CountsTokens, VqaModel
from radvqa.sample import Sample
from radvqa.training.stage_samples import StageSamples


@dataclass(frozen=True)
class StageData:
    """What a stage computes with.

    Attributes:
        learned: prepared rows of all sources.
        sources: rows of each source by name; repeated ones stand there as often as they are repeated.
        tokens: that the decoder reads for each row; None in families that read none.
        chosen: prepared rows to choose on.
        left_out: samples that could not be used, one sentence for each.
    """

    learned: Any
    sources: dict[str, Tensor]
    tokens: Tensor | None
    chosen: Any
    left_out: list[str]

    @property
    def longer(self) -> int | None:
        """Gold answers that are longer than what may be written; None in families that choose."""
        longer: int | None = getattr(self.learned, "longer", None)
        return longer

    @property
    def tokens_per_row(self) -> float | None:
        """Mean number of tokens of the rows of an epoch."""
        if self.tokens is None:
            return None
        return float(self.tokens[torch.cat(list(self.sources.values()))].double().mean())

    @property
    def epoch_rows(self) -> int:
        """Rows of an epoch, repeated ones as often as they are repeated."""
        return sum(len(rows) for rows in self.sources.values())


def prepare_stage(model: VqaModel, samples: StageSamples, problems: Problems) -> StageData:
    """Prepare a stage's samples.

    Raises:
        DataError: when no sample of a source can be used.
    """
    known = len(problems.found)
    chosen = model.prepare(samples.chosen, problems)
    several = _told_apart(samples)
    learned = model.prepare([sample for source in several for sample in source], problems)
    row_of = {sample.id: row for row, sample in enumerate(learned.samples)}
    sources = {}
    for source, some in zip(samples.stage.sources, several, strict=True):
        rows = [row_of[sample.id] for sample in some if sample.id in row_of]
        if not rows:
            raise DataError(f"stage {samples.stage.name}: no sample of {source.called} can be used.")
        sources[source.called] = torch.tensor(rows).repeat(source.repeat)
    tokens = model.tokens(learned).cpu() if isinstance(model, CountsTokens) else None
    return StageData(learned, sources, tokens, chosen, problems.found[known:])


def _told_apart(samples: StageSamples) -> Sequence[list[Sample]]:
    """The sources' samples; where two sources share an id, all ids get their source's name."""
    ids = [sample.id for source in samples.sources for sample in source]
    if len(set(ids)) == len(ids):
        return samples.sources
    return [
        [replace(sample, id=f"{source.called}|{sample.id}") for sample in some]
        for source, some in zip(samples.stage.sources, samples.sources, strict=True)
    ]

"""Shares of a stage's sources, from weights, sizes and temperature; and the sampler that draws by them."""

from collections.abc import Mapping

from torch import Tensor

from radvqa.recipe.curriculum import Stage
from radvqa.training.sampler import Mixture, Sampler, WholeEpochs
from radvqa.training.seeds import derived


def shares_at_the_beginning(stage: Stage, sizes: Mapping[str, int]) -> dict[str, float]:
    """Share of each source: weight (or number of samples) to the power of 1 / temperature, summing to 1."""
    given = {
        source.called: float(sizes[source.called] if source.weight is None else source.weight)
        for source in stage.sources
    }
    return _normalised({name: weight ** (1 / stage.temperature) if weight else 0.0 for name, weight in given.items()})


def shares_at_the_end(stage: Stage, sizes: Mapping[str, int]) -> dict[str, float]:
    """Share of each source where annealing ends; as at the beginning where the mix does not move."""
    if stage.anneal is None or not stage.anneal.to:
        return shares_at_the_beginning(stage, sizes)
    return _normalised({source.called: stage.anneal.to.get(source.called, 0.0) for source in stage.sources})


def annealing_begins(stage: Stage, steps: int) -> float:
    """The step from which mix and learning rate move."""
    return steps * (1 - stage.anneal.over) if stage.anneal is not None else float(steps)


def sampler_of(stage: Stage, rows: Mapping[str, Tensor], image_rows: Tensor, steps: int, seed: int) -> Sampler:
    """Return what draws a stage's batches.

    Args:
        stage: as the recipe says.
        rows: of each source by name, repeated ones as often as they are repeated.
        image_rows: which distinct picture each row shows.
        steps: of the stage.
        seed: of the run.
    """
    learning = stage.learning
    own_seed = seed if stage.number == 1 else derived(seed, stage.number)
    if not stage.is_mixed:
        return WholeEpochs(rows, image_rows, learning.batch_size, learning.images_per_batch, own_seed)
    sizes = {name: len(some) for name, some in rows.items()}
    return Mixture(
        rows,
        shares_at_the_beginning(stage, sizes),
        shares_at_the_end(stage, sizes),
        annealing_begins(stage, steps),
        steps,
        image_rows,
        learning.batch_size,
        learning.images_per_batch,
        own_seed,
    )


def _normalised(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}

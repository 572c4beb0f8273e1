"""What ``train`` and ``doctor`` do alike: from a recipe to its samples and its model."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radvqa.data.dataset import Problems
from radvqa.recipe import DataSection, Recipe
from radvqa.sample import Sample

if TYPE_CHECKING:
    import torch

    from radvqa.models.family import VqaModel


@dataclass(frozen=True)
class Work:
    """What a recipe asks for, ready to be built.

    Attributes:
        recipe: as it was read.
        resolved: with every default filled in, as plain values.
        device: where to compute.
        learned: samples to learn from.
        chosen: samples to choose the epoch on.
        problems: where unusable samples are reported.
    """

    recipe: Recipe
    resolved: dict[str, Any]
    device: "torch.device"
    learned: list[Sample]
    chosen: list[Sample]
    problems: Problems

    def build(self) -> "VqaModel":
        """Build the model, to train."""
        from radvqa.data import registry
        from radvqa.models import zoo
        from radvqa.models.family import Context

        context = Context(
            training=self.learned,
            regions=lambda sample: registry.regions(self.recipe.data.place, sample.image),
            seed=self.recipe.training.seed,
            device=self.device,
            problems=self.problems,
        )
        return zoo.build(self.recipe.model, context)

    @property
    def modes(self) -> dict[str, str]:
        """Part → ``frozen``, ``lora`` or ``full``, as far as the recipe says so."""
        options = self.resolved["model"]
        said = options.get("train")
        modes = dict(said) if isinstance(said, Mapping) else {}
        return {**modes, **({"vision": "frozen"} if options.get("frozen") is True else {})}


def prepare(recipe: Recipe, problems: Problems) -> Work:
    """Check a recipe to its last name, choose device and threads, and load the samples.

    Raises:
        RadvqaError: for a recipe or data that cannot be used.
    """
    from radvqa.models import zoo
    from radvqa.training.doctor.examine import check_accepted
    from radvqa.training.selection import check_metric

    # everything that can be wrong with the recipe is found before any data is read
    model_section = zoo.resolved(recipe.model)
    check_metric(recipe.training.select_by)
    check_accepted(recipe.training.accept)

    import torch

    from radvqa import device
    from radvqa.commands.own_data import named
    from radvqa.data import registry

    target = device.choose(recipe.training.device)
    device.keep_freed_memory()
    if recipe.training.threads:
        torch.set_num_threads(recipe.training.threads)
    place, known_as = recipe.data.place, named(recipe.data)
    learned, chosen = selection_samples(
        recipe.data,
        registry.load_split(place, recipe.data.train, problems),
        [] if recipe.data.select_fraction else registry.load_split(place, recipe.data.select, problems),
    )
    resolved = recipe.resolved()
    resolved["data"].update(known_as)
    resolved["model"] = model_section
    return Work(recipe, resolved, target, learned, chosen, problems)


def selection_samples(
    data: DataSection, train: Sequence[Sample], others: Sequence[Sample]
) -> tuple[list[Sample], list[Sample]]:
    """Return the samples to learn from and those to choose on.

    With ``select_fraction`` a fixed pseudo-random part of the training *images* is held out, with all their
    questions; it depends on the image names only, so that every seed chooses on the same questions.
    """
    if not data.select_fraction:
        return list(train), list(others)
    images = sorted({sample.image for sample in train})
    random.Random(0).shuffle(images)
    held_out = set(images[: max(1, round(len(images) * data.select_fraction))])
    return [s for s in train if s.image not in held_out], [s for s in train if s.image in held_out]

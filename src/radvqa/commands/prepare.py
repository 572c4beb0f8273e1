"""What ``train``, ``doctor`` and the plan do alike: from a recipe to the samples of its stages and its model."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError
from radvqa.recipe import ChoiceSection, DataSection, ModelSection, Recipe, SourceSection
from radvqa.recipe.curriculum import Stage, learned_modes, stages_of
from radvqa.sample import Sample
from radvqa.training.stage_samples import StageSamples

if TYPE_CHECKING:
    import torch

    from radvqa.data.leaks.apart import Apart
    from radvqa.models.family import VqaModel


@dataclass(frozen=True)
class Work:
    """What a recipe asks for, ready to be built.

    Attributes:
        recipe: as it was read.
        model: the family and its options, with what any stage learns.
        resolved: the recipe with every default filled in, as plain values.
        device: where to compute.
        stages: what each stage learns from and chooses on.
        problems: where unusable samples are reported.
    """

    recipe: Recipe
    model: ModelSection
    resolved: dict[str, Any]
    device: "torch.device"
    stages: tuple[StageSamples, ...]
    problems: Problems

    @cached_property
    def learned(self) -> list[Sample]:
        """Every sample that some stage learns from, once."""
        samples = [sample for stage in self.stages for source in stage.sources for sample in source]
        return list({(sample.id, sample.task, sample.prompt): sample for sample in samples}.values())

    @property
    def left_apart(self) -> list[dict[str, Any]]:
        """What the sources leave out because other data sets hold its pictures: stage, source, of what, how many."""
        return [entry for stage in self.stages for entry in stage.left_apart()]

    @property
    def splits(self) -> dict[str, list[Sample]]:
        """Samples by what they are for, as the run's provenance names them."""
        if not self.recipe.stages:
            return {"train": self.learned, "select": self.stages[0].chosen}
        named = {}
        for one in self.stages:
            for source, samples in zip(one.stage.sources, one.sources, strict=True):
                named[f"{one.stage.name}: {source.called} {source.split}"] = samples
            named[f"{one.stage.name}: select"] = one.chosen
        return named

    def build(self) -> "VqaModel":
        """Build the model, to train."""
        from radvqa.data import registry
        from radvqa.models import zoo
        from radvqa.models.family import Context

        places = {registry.select(place).name: place for place in self._places()}
        context = Context(
            training=self.learned,
            regions=lambda sample: registry.regions(places[sample.dataset], sample.image),
            seed=self.recipe.training.seed,
            device=self.device,
            problems=self.problems,
        )
        return zoo.build(self.model, context)

    def _places(self) -> list[str]:
        return [self.recipe.data.place, *(source.place for one in self.stages for source in one.stage.sources)]

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
    # everything that can be wrong with the recipe is found before any data is read
    stages, model = checked(recipe)
    stages = tuple(_without_paths(stage) for stage in stages)

    import torch

    from radvqa import device
    from radvqa.models import zoo

    target = device.choose(recipe.training.device)
    device.keep_freed_memory()
    if recipe.training.threads:
        torch.set_num_threads(recipe.training.threads)
    resolved = _named(recipe, stages)
    resolved["model"] = zoo.resolved(model)
    loaded = tuple(_samples(recipe, stage, problems) for stage in stages)
    return Work(recipe, model, resolved, target, loaded, problems)


def checked(recipe: Recipe) -> tuple[tuple[Stage, ...], ModelSection]:
    """Check every name in a recipe, without reading data or weights.

    Returns:
        its stages, and the family with the options that the model is built with.

    Raises:
        RecipeError: names what is wrong.
    """
    from radvqa.data import registry
    from radvqa.models import zoo
    from radvqa.tracking.names import require_known
    from radvqa.training.doctor.examine import check_accepted
    from radvqa.training.selection import check_metric

    stages = stages_of(recipe)
    zoo.resolved(recipe.model)
    model = zoo.with_modes(recipe.model, learned_modes(recipe))
    for stage in stages:
        place = f"stages.{stage.number} ({stage.name})"
        zoo.check_stage(recipe.model, stage.modes, place)
        check_metric(stage.learning.select_by)
        choice = _choice_of(recipe, stage)
        registry.require_split(choice.place, choice.split)
        for source in stage.sources:
            registry.require_split(source.place, source.split)
            _require_known(source.without_pictures_of, f"{place}: {source.called}")
            task = source.task or registry.select(source.place).data_set.facts.task
            zoo.check_use(recipe.model, task, bool(source.prompt), f"{place}: {source.called}")
        if stage.learning.tokens is not None:
            zoo.require_writing(recipe.model, f"{place}: its length is given in tokens, which")
    check_accepted(recipe.training.accept)
    require_known(recipe.training.trackers)
    return stages, model


def _require_known(others: Sequence[str], place: str) -> None:
    from radvqa.data.leaks.apart import named

    for other in others:
        try:
            named(other)
        except DataError as error:
            raise RecipeError(f"{place}: without_pictures_of: {error}") from None


def _samples(recipe: Recipe, stage: Stage, problems: Problems) -> StageSamples:
    found = [_source(recipe.data, source, stage, problems) for source in stage.sources]
    sources, apart = zip(*found, strict=True)
    return StageSamples(stage, sources, _chosen(recipe, stage, problems), apart)


def _source(
    data: DataSection, source: SourceSection, stage: Stage, problems: Problems
) -> tuple[list[Sample], tuple["Apart", ...]]:
    from radvqa.data import keep, registry
    from radvqa.data.leaks.apart import without_pictures_of

    samples = registry.load_split(source.place, source.split, problems)
    if data.select_fraction and _same(source.place, data.place) and source.split == data.train:
        samples = selection_samples(data, samples, [])[0]
    kept = keep.where(samples, source.where)
    place = f"stage {stage.name}: {source.called} {source.split}"
    if not kept:
        raise DataError(f"{place}: none of its {len(samples):,} samples has {source.where}; loosen `where`.")
    kept, apart = without_pictures_of(kept, source.without_pictures_of, problems)
    if not kept:
        others = " and ".join(source.without_pictures_of)
        raise DataError(f"{place}: every picture also occurs in {others}; name less in `without_pictures_of`.")
    if source.samples is not None and source.samples > len(kept):
        raise DataError(
            f"{place}: {source.samples:,} samples are asked for, and there are {len(kept):,}; ask for fewer, use `cap` "
            f"(at most), or `repeat`."
        )
    taken = keep.put_as(keep.capped(kept, source.samples or source.cap), source.task, source.prompt)
    return taken, tuple(apart)


def _chosen(recipe: Recipe, stage: Stage, problems: Problems) -> list[Sample]:
    from radvqa.data import keep, registry

    data, choice = recipe.data, _choice_of(recipe, stage)
    samples = registry.load_split(choice.place, choice.split, problems)
    if data.select_fraction and _same(choice.place, data.place) and choice.split == data.select:
        samples = selection_samples(data, samples, [])[1]
    kept = keep.where(samples, choice.where)
    if not kept:
        raise DataError(f"stage {stage.name}: no sample of {choice.place} {choice.split} has {choice.where}.")
    wanted = keep.where(kept, stage.learning.select_where)
    if not wanted:
        raise DataError(
            f"stage {stage.name}: select_where: no sample of {choice.place} {choice.split} has "
            f"{stage.learning.select_where}."
        )
    return keep.put_as(keep.capped(kept, choice.cap), choice.task, choice.prompt)


def _choice_of(recipe: Recipe, stage: Stage) -> ChoiceSection:
    if stage.select is not None and stage.select.name is not None:
        if _same(stage.select.place, recipe.data.place) and stage.select.split == recipe.data.test:
            raise RecipeError(f"stages.{stage.number} ({stage.name}): select is the test split; it is never chosen on.")
        return stage.select
    data = recipe.data
    own = {"name": data.name, "file": data.file, "split": data.select}
    said = {} if stage.select is None else stage.select.model_dump(exclude_unset=True, exclude={"name", "split"})
    return ChoiceSection.model_validate({**own, **said})


def _same(place: str, other: str) -> bool:
    from radvqa.data import registry

    return registry.select(place).name == registry.select(other).name


def _without_paths(stage: Stage) -> Stage:
    """Call a user's own data by its name, not by the path of its file, so that a run tells nothing of the machine."""
    from radvqa.data import registry

    names = {s.called: registry.select(s.place).name for s in stage.sources if registry.is_own(s.called)}
    sources = tuple(s.model_copy(update={"label": names.get(s.called, s.label)}) for s in stage.sources)
    if stage.anneal is None:
        return replace(stage, sources=sources)
    to = {names.get(called, called): weight for called, weight in stage.anneal.to.items()}
    return replace(stage, sources=sources, anneal=stage.anneal.model_copy(update={"to": to}))


def _named(recipe: Recipe, stages: Sequence[Stage]) -> dict[str, Any]:
    """The resolved recipe with the full names of its data sets."""
    from radvqa.commands.own_data import named, portable

    resolved = recipe.resolved()
    resolved["data"].update(named(recipe.data))
    for section, stage, plain in zip(recipe.stages, stages, resolved.get("stages", ()), strict=False):
        for source, said in zip(stage.sources if section.data else (), plain["data"], strict=True):
            said["label"] = source.called
            said.update(named(source))
            if source.without_pictures_of:
                said["without_pictures_of"] = [portable(other) for other in source.without_pictures_of]
        if stage.anneal is not None:
            plain["anneal"]["to"] = dict(stage.anneal.to)
        if stage.select is not None and stage.select.name is not None:
            plain["select"].update(named(stage.select))
    return resolved


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

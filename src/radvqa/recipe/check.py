"""Contradictions in a recipe, found before any data is read."""

from collections.abc import Sequence

from radvqa.errors import RecipeError, nearest
from radvqa.recipe.data import SourceSection
from radvqa.recipe.learning import LENGTHS, LearningSection
from radvqa.recipe.page import Recipe
from radvqa.recipe.stages import CarrySection, StageSection


def check(recipe: Recipe, where: str) -> None:
    """Refuse what contradicts itself.

    Raises:
        RecipeError: names the place and the way out.
    """
    _splits(recipe, where)
    if not recipe.stages:
        _learning(recipe.training, f"{where}: training")
    names = [stage.name for stage in recipe.stages]
    for number, stage in enumerate(recipe.stages, start=1):
        place = f"{where}: stages.{number} ({stage.name})"
        if names.count(stage.name) > 1:
            raise RecipeError(f"{place}: two stages have this name; give each its own.")
        _learning(recipe.learning(stage), place)
        _sources(stage.data, place)
        _anneal(stage, place)
        _no_test_split(recipe, stage, place)
        if number == 1 and stage.carry != CarrySection():
            raise RecipeError(f"{place}: the first stage has nothing to carry over; leave `carry` out.")
        if stage.carry.optimizer and stage.carry.weights == "best":
            raise RecipeError(
                f"{place}: carry.optimizer keeps the moments of the last step, which do not belong to the best "
                f"weights; say carry.weights: last, or leave carry.optimizer out."
            )
    _parts_keep_their_kind(recipe, where)
    if recipe.data.cap is not None and recipe.stages and all(stage.data for stage in recipe.stages):
        raise RecipeError(f"{where}: data.cap has no effect, because every stage names its own data; cap those.")


def _splits(recipe: Recipe, where: str) -> None:
    data = recipe.data
    if data.test in (data.train, data.select):
        raise RecipeError(f"{where}: the test split {data.test!r} is also used to train or to choose; that would leak.")
    if data.select == data.train and not data.select_fraction:
        raise RecipeError(
            f"{where}: data.select is the training split; name another split, or hold out a part of the training "
            f"images with data.select_fraction."
        )
    if data.select_fraction and data.select != data.train:
        raise RecipeError(
            f"{where}: data.select_fraction holds out training images; data.select must be {data.train!r}."
        )


def _learning(learning: LearningSection, place: str) -> None:
    lengths = [key for key in LENGTHS if getattr(learning, key) is not None]
    if len(lengths) != 1:
        found = " and ".join(lengths) or "none of them"
        raise RecipeError(f"{place}: say how long it is, by one of {', '.join(LENGTHS)} (found {found}).")
    if learning.warmup_epochs and learning.warmup_steps:
        raise RecipeError(f"{place}: say the warm-up in warmup_epochs or in warmup_steps, not in both.")
    if learning.steps is not None and learning.warmup_steps > learning.steps:
        raise RecipeError(f"{place}: warmup_steps ({learning.warmup_steps}) are more than its {learning.steps} steps.")
    if learning.epochs is not None and learning.warmup_epochs > learning.epochs:
        raise RecipeError(
            f"{place}: warmup_epochs ({learning.warmup_epochs:g}) are more than its epochs ({learning.epochs})."
        )
    if learning.images_per_batch is not None and learning.images_per_batch > learning.batch_size:
        raise RecipeError(f"{place}: images_per_batch cannot be larger than batch_size ({learning.batch_size}).")
    if learning.average_decay is not None and learning.epochs == 1 and learning.evaluate_every is None:
        raise RecipeError(f"{place}: average_decay needs at least two epochs, or evaluate_every.")


def _sources(sources: Sequence[SourceSection], place: str) -> None:
    called = [source.called for source in sources]
    for source in sources:
        if called.count(source.called) > 1:
            raise RecipeError(f"{place}: two sources are called {source.called!r}; give each a label of its own.")
        if source.samples is not None and source.cap is not None:
            raise RecipeError(f"{place}: {source.called}: say `samples` (exactly) or `cap` (at most), not both.")
    weights = [source.weight for source in sources]
    if any(weight is None for weight in weights) and any(weight is not None for weight in weights):
        raise RecipeError(f"{place}: some sources have a weight and some have none; give one to all or to none.")
    if weights and weights[0] is not None and not sum(weight or 0 for weight in weights):
        raise RecipeError(
            f"{place}: the weights sum to 0, so nothing would be drawn; give one source a weight above 0."
        )


def _anneal(stage: StageSection, place: str) -> None:
    if stage.anneal is None:
        return
    called = [source.called for source in stage.data]
    for label in stage.anneal.to:
        if label not in called:
            known = nearest(label, called) if called else "the stage names no data."
            raise RecipeError(f"{place}: anneal.to: there is no source {label!r} in this stage; {known}")
    if not stage.anneal.to and stage.anneal.learning_rate == 1:
        raise RecipeError(f"{place}: anneal changes nothing; give it `to` or `learning_rate`.")


def _no_test_split(recipe: Recipe, stage: StageSection, place: str) -> None:
    for source in stage.data:
        same = source.name.partition(":")[0] == recipe.data.name.partition(":")[0]
        if source.split.lower() == "test" or (same and source.split == recipe.data.test):
            raise RecipeError(
                f"{place}: {source.called} is learned from its split {source.split!r}, which is for testing; that "
                f"would leak. Name another split."
            )
        if same and source.split == recipe.data.select and not recipe.data.select_fraction:
            raise RecipeError(
                f"{place}: {source.called} is learned from its split {source.split!r}, on which the run chooses."
            )
        chosen_on = stage.select
        if chosen_on is not None and (source.name, source.split) == (chosen_on.name, chosen_on.split):
            raise RecipeError(
                f"{place}: {source.called} is learned from its split {source.split!r}, on which the stage chooses."
            )
    if stage.select is not None and stage.select.split.lower() == "test":
        raise RecipeError(f"{place}: select.split is {stage.select.split!r}; a test split is never chosen on.")


def _parts_keep_their_kind(recipe: Recipe, where: str) -> None:
    kinds: dict[str, tuple[str, str]] = {}
    for stage in recipe.stages:
        for part, mode in (stage.train or {}).items():
            known, first = kinds.setdefault(part, (mode, stage.name)) if mode != "frozen" else (mode, stage.name)
            if known != mode:
                raise RecipeError(
                    f"{where}: {part} is learned by {known} in stage {first} and by {mode} in stage {stage.name}; a "
                    f"part keeps its kind in a run. Begin a second run from the merged weights (`radvqa merge`)."
                )

"""From a recipe to its stages, every key filled in; a recipe without stages is one stage."""

from collections.abc import Mapping
from dataclasses import dataclass

from radvqa.errors import RecipeError
from radvqa.recipe.data import ChoiceSection, SourceSection
from radvqa.recipe.learning import LearningSection
from radvqa.recipe.page import Recipe
from radvqa.recipe.stages import AnnealSection, CarrySection, Mode


@dataclass(frozen=True)
class Stage:
    """A stage, ready to be carried out.

    Attributes:
        number: from 1 on.
        name: short name.
        learning: how it learns.
        sources: the mix that is learned from; at least one.
        temperature: of the mix.
        modes: what is learned of the parts that some stage names; the other parts are as the model says.
        anneal: how it ends; None when as it began.
        select: on what the best state is chosen; None for the recipe's own data and selection split.
        carry: what is taken over from the stage before.
    """

    number: int
    name: str
    learning: LearningSection
    sources: tuple[SourceSection, ...]
    temperature: float
    modes: Mapping[str, Mode]
    anneal: AnnealSection | None
    select: ChoiceSection | None
    carry: CarrySection

    @property
    def is_mixed(self) -> bool:
        """Whether sources are drawn by shares, instead of every sample coming once an epoch."""
        weighted = any(source.weight is not None for source in self.sources) or self.temperature != 1
        return weighted or bool(self.anneal and self.anneal.to)


def stages_of(recipe: Recipe) -> tuple[Stage, ...]:
    """Return the stages of a recipe in order.

    Raises:
        RecipeError: when a part is named by one stage, and another does not say what becomes of it.
    """
    data = recipe.data
    own = SourceSection(name=data.name, file=data.file, split=data.train, cap=data.cap)
    if not recipe.stages:
        return (Stage(1, "training", recipe.training, (own,), 1.0, {}, None, None, CarrySection()),)
    modes = _modes(recipe)
    return tuple(
        Stage(
            number,
            stage.name,
            recipe.learning(stage),
            stage.data or (own,),
            stage.temperature,
            modes[number - 1],
            stage.anneal,
            stage.select,
            stage.carry,
        )
        for number, stage in enumerate(recipe.stages, start=1)
    )


def learned_modes(recipe: Recipe) -> dict[str, Mode]:
    """What the model is built for: each part that stages name, as it is learned in any of them."""
    built: dict[str, Mode] = {}
    for modes in _modes(recipe):
        for part, mode in modes.items():
            if mode != "frozen" or part not in built:
                built[part] = mode
    return built


def _modes(recipe: Recipe) -> list[dict[str, Mode]]:
    own = recipe.model.options.get("train")
    known = own if isinstance(own, Mapping) else {}
    named = list(dict.fromkeys(part for stage in recipe.stages for part in stage.train or {}))
    modes: list[dict[str, Mode]] = []
    for number, stage in enumerate(recipe.stages, start=1):
        said = {**known, **(stage.train or {})}
        for part in named:
            if part not in said:
                raise RecipeError(
                    f"stages.{number} ({stage.name}): other stages say what is learned of {part}, this one does not; "
                    f"name it here, or for all stages in model.train."
                )
        modes.append({part: said[part] for part in named})
    return modes

"""A curriculum: stages in order, each with its mix, its trained parts and how it learns."""

from typing import Literal

from pydantic import Field, field_validator

from radvqa.recipe.data import ChoiceSection, SourceSection
from radvqa.recipe.learning import LearningSection
from radvqa.recipe.section import Section

Mode = Literal["frozen", "lora", "full"]


class AnnealSection(Section):
    """The end of a stage: mix and learning rate move linearly to something else."""

    over: float = Field(
        gt=0,
        le=1,
        description="Over this last share of the stage's steps.",
        json_schema_extra={"unit": "share of steps"},
    )
    to: dict[str, float] = Field(
        {},
        description="Weights at the end, by source; sources that are not named end at 0. Empty keeps the mix.",
        json_schema_extra={"unit": "relative shares"},
    )
    learning_rate: float = Field(
        1.0,
        ge=0,
        description="Learning rate at the end, as a share of what it was when annealing began.",
        json_schema_extra={"unit": "share"},
    )

    @field_validator("to")
    @classmethod
    def _weights(cls, weights: dict[str, float]) -> dict[str, float]:
        if any(weight < 0 for weight in weights.values()):
            raise ValueError("weights must not be negative")
        if weights and not sum(weights.values()):
            raise ValueError("the weights sum to 0, so nothing would be drawn; give one source a weight above 0")
        return weights


class CarrySection(Section):
    """What a stage takes over from the one before it."""

    weights: Literal["best", "last"] = Field("best", description="Its best weights, or those it ended with.")
    parts: tuple[str, ...] | None = Field(
        None, description="Take over these parts only, the others begin as at the start of the run; null takes all."
    )
    optimizer: bool = Field(False, description="Go on with the optimiser's moments, of what learns in both stages.")


class StageSection(LearningSection):
    """One stage; every key of `training` about learning may stand here too, and holds for this stage."""

    name: str = Field(pattern=r"^[A-Za-z_][\w-]*$", description="Short name: letters, digits, _ and -.")
    data: tuple[SourceSection, ...] = Field(
        (), description="The mix that is learned from; empty takes `data` of the recipe with its `train` split."
    )
    temperature: float = Field(
        1.0,
        gt=0,
        description="Shares of the sources become weight^(1/temperature): above 1 small sources come more often.",
        json_schema_extra={"unit": "none"},
    )
    train: dict[str, Mode] | None = Field(
        None,
        description="What is learned of each part of the model in this stage; parts that are not named keep the "
        "model's own setting. Null learns what the model says.",
    )
    anneal: AnnealSection | None = Field(None, description="Move to another mix at the end.")
    select: ChoiceSection | None = Field(None, description="On what the best state is chosen; null: as `data` says.")
    carry: CarrySection = Field(CarrySection(), description="What is taken over from the stage before.")

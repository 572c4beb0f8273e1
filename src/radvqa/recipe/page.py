"""The whole page: what a recipe is."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from radvqa.recipe.data import DataSection
from radvqa.recipe.learning import LENGTHS, LearningSection, TrainingSection
from radvqa.recipe.section import Section
from radvqa.recipe.stages import StageSection


class ModelSection(BaseModel):
    """Which model family; the family's own options stand beside `family` and are validated by it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    family: str = Field(description="Name of a model family.")

    @property
    def options(self) -> dict[str, Any]:
        """The family's own options."""
        return dict(self.__pydantic_extra__ or {})


class Recipe(Section):
    """One training run, from data to chosen weights."""

    name: str = Field(description="Short name; the default run folder is `runs/NAME`.")
    title: str = Field(description="What it is, in a line.")
    reproduces: str | None = Field(None, description="Published row that it re-runs.")
    notes: str = Field("", description="What differs from the published row, and why.")
    data: DataSection = Field(description="What the run is for: learned from, chosen on, asked.")
    model: ModelSection = Field(description="Which model family, and its options.")
    training: TrainingSection = Field(description="How to train, in every stage that does not say it itself.")
    stages: tuple[StageSection, ...] = Field((), description="Stages in order; empty is one stage as `training` says.")

    def learning(self, stage: StageSection) -> LearningSection:
        """How a stage learns: as it says itself, and where it says nothing, as `training` says."""
        values = {key: getattr(self.training, key) for key in LearningSection.model_fields}
        said = {key: getattr(stage, key) for key in LearningSection.model_fields if key in stage.model_fields_set}
        if any(said.get(key) is not None for key in LENGTHS):
            values |= dict.fromkeys(LENGTHS)
        if said.get("warmup_steps") or said.get("warmup_epochs"):
            values |= {"warmup_steps": 0, "warmup_epochs": 0.0}
        return LearningSection.model_validate({**values, **said})

    def resolved(self) -> dict[str, Any]:
        """Plain values with every default filled in, for `recipe.yaml` of the run."""
        values = self.model_dump(mode="json")
        if self.data.file is None:
            del values["data"]["file"]
        for stage, plain in zip(self.stages, values["stages"], strict=True):
            plain |= self.learning(stage).model_dump(mode="json")
            for source in plain["data"]:
                if not source["without_pictures_of"]:  # runs of older versions do not have it
                    del source["without_pictures_of"]
        if not self.stages:
            del values["stages"]
        return values

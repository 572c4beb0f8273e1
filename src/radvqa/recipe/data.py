"""Which data a run learns from, chooses on and answers."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from radvqa.errors import nearest
from radvqa.recipe.section import Section
from radvqa.sample import Sample

FieldValue = str | bool | int
"""What a sample's field may be asked for."""


def _known_fields(
    where: dict[str, FieldValue | tuple[FieldValue, ...]],
) -> dict[str, FieldValue | tuple[FieldValue, ...]]:
    for key in where:
        if key not in _FIELDS:
            raise ValueError(f"samples have no field {key!r}; {nearest(key, _FIELDS)}")
    return where


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _fills(templates: tuple[str, ...]) -> tuple[str, ...]:
    for template in templates:
        try:
            template.format(question="", options="", context="")
        except (KeyError, IndexError, ValueError):
            raise ValueError(
                f"a prompt may hold {{question}}, {{options}} and {{context}}, and no other braces: {template!r}"
            ) from None
    return templates


_FIELDS = [name for name in Sample.__dataclass_fields__ if name not in ("image_path", "source", "prompt")]

Where = Annotated[dict[str, FieldValue | tuple[FieldValue, ...]], AfterValidator(_known_fields)]
"""A filter: fields of a sample, and the value or the values that each must have."""

Templates = Annotated[tuple[str, ...], BeforeValidator(_one_or_several), AfterValidator(_fills)]
"""Prompt templates."""

TaskName = Literal["vqa", "choice", "caption"]


class DataSection(Section):
    """Which data."""

    name: str = Field(description="Data set as `name` or `name:version`, or the YAML file of your own data.")
    file: str | None = Field(
        default=None,
        description="In a run: the YAML file of your own data, as seen from the folder where `train` was called.",
    )
    train: str = Field("train", description="Split that the model learns from, where no stage names others.")
    select: str = Field(description="Split on which the best epoch is chosen; never the test split.")
    test: str = Field("test", description="Split that `radvqa predict` answers, once, after choosing.")
    select_fraction: float = Field(
        0.0,
        ge=0.0,
        lt=0.9,
        description="For data sets without a validation split: hold out this fraction of the training images "
        "(all their questions) and choose on them; `select` must then be the training split.",
        json_schema_extra={"unit": "share of images"},
    )
    cap: int | None = Field(
        None,
        ge=1,
        description="Learn from at most this many questions, picture by picture in a fixed pseudo-random order, so "
        "that a larger cap holds all of a smaller one; null learns from all.",
        json_schema_extra={"unit": "questions"},
    )

    @property
    def place(self) -> str:
        """Where the data set is found: by its name, or by the YAML file of one's own data."""
        return self.name if self.file is None else self.file


class SourceSection(Section):
    """One data set of a stage's mix."""

    name: str = Field(description="Data set as `name` or `name:version`, or the YAML file of your own data.")
    file: str | None = Field(
        None, description="In a run: the YAML file of your own data, as seen from the folder where `train` was called."
    )
    label: str = Field("", description="What the plan, the log and `anneal.to` call it; its `name` by default.")
    split: str = Field("train", description="Split, or the path of a split file; never a test split.")
    where: Where = Field(
        {},
        description="Keep samples whose fields have this value, or one of these values (`modality: [CT, MRI]`).",
        json_schema_extra={"kind": "field → value, or several"},
    )
    without_pictures_of: tuple[str, ...] = Field(
        (),
        description="Leave out samples whose picture also occurs in these data sets, the same or nearly the same as "
        "`radvqa data leaks` finds it: `name:version/split`, or `name:version` for all its splits.",
        json_schema_extra={"kind": "list of data sets"},
    )
    samples: int | None = Field(
        None,
        ge=1,
        description="Take exactly this many samples; an error when there are fewer. Null takes all.",
        json_schema_extra={"unit": "samples"},
    )
    cap: int | None = Field(
        None,
        ge=1,
        description="Take at most this many samples, picture by picture.",
        json_schema_extra={"unit": "samples"},
    )
    repeat: int = Field(
        1, ge=1, description="How often each sample comes in an epoch.", json_schema_extra={"unit": "times"}
    )
    weight: float | None = Field(
        None,
        ge=0,
        description="Share of the questions drawn; null makes it the number of samples. All or none.",
        json_schema_extra={"unit": "relative share"},
    )
    task: TaskName | None = Field(None, description="Put the samples as this task; null keeps their own.")
    prompt: Templates = Field(
        (),
        description="Template in place of the family's own ({question}, {options}, {context}); of several, each "
        "sample gets one, always the same.",
    )

    @property
    def place(self) -> str:
        """Where the data set is found."""
        return self.name if self.file is None else self.file

    @property
    def called(self) -> str:
        """Its label."""
        return self.label or self.name


class ChoiceSection(Section):
    """On what a stage's best state is chosen."""

    name: str | None = Field(None, description="Data set; null takes `data` of the recipe with its `select` split.")
    file: str | None = Field(
        None, description="In a run: the YAML file of your own data, as seen from the folder where `train` was called."
    )
    split: str = Field("validate", description="Split of that data set; never its test split.")
    where: Where = Field(
        {},
        description="Keep samples whose fields have this value, or one of these values.",
        json_schema_extra={"kind": "field → value, or several"},
    )
    cap: int | None = Field(
        None,
        ge=1,
        description="Choose on at most this many samples, picture by picture.",
        json_schema_extra={"unit": "samples"},
    )
    task: TaskName | None = Field(None, description="Put the samples as this task.")
    prompt: Templates = Field((), description="Template in place of the family's own, as in `data`.")

    @property
    def place(self) -> str:
        """Where the data set is found; only where one is named."""
        return self.file or self.name or ""

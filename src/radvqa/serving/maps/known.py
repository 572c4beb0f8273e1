"""What is known before a map is made, as programs get it."""

from typing import Literal

from pydantic import BaseModel, Field


class MapMethod(BaseModel):
    """A way to make a map."""

    name: str
    title: str
    kind: Literal["attention", "gradient", "black box"]
    says: str = Field(description="What the map shows.")
    cheap: bool = Field(description="Whether it takes a pass or two; others take many, and tell how far they are.")
    layered: bool = Field(description="Whether a layer and a head may be chosen.")
    applies: bool
    why: str = Field(description="Why it does not apply; empty where it does.")


class Layer(BaseModel):
    """A layer that looks at the picture when the answer is told."""

    name: str
    heads: int


class Methods(BaseModel):
    """The ways to make a map of a model's answers."""

    model: str
    methods: list[MapMethod]
    layers: list[Layer] | None = Field(description="Known of loaded models; null where no attention looks.")


class LabelledRegion(BaseModel):
    """A labelled part of a sample's picture."""

    label: str
    kind: Literal["organ", "finding"]
    box: tuple[float, float, float, float] = Field(description="Left, top, width and height, as shares.")
    about: bool = Field(description="Whether the question is about it.")


class Regions(BaseModel):
    """All labelled parts of a sample's picture; none of other pictures."""

    regions: list[LabelledRegion]

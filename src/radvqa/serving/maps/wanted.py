"""What askers may want to know about an answer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radvqa.serving.pictures.picture import View

QuestionText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Share = Annotated[float, Field(ge=0, le=1)]


class About(BaseModel):
    """An answer: a picture, a question, and the model that gave it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: str = Field(max_length=100, description="Id of a picture that was handed in.")
    view: View = View()
    question: QuestionText
    model: str = Field(max_length=200, description="Name of the model; see /api/models.")


class MapWanted(About):
    """A map of an answer."""

    method: str = Field(max_length=50, description="Name of a method; see /api/methods.")
    layer: int | None = Field(None, ge=-1000, le=1000, description="Of raw attention; the mean over all by default.")
    head: int | None = Field(None, ge=0, le=1000, description="Of raw attention; the mean over all by default.")
    token: int | None = Field(None, ge=0, le=1000, description="Of the answer; the whole answer by default.")
    proof: bool = Field(False, description="Whether deletion and insertion are measured, beside a random map's.")


class PatchWanted(About):
    """What a part of the picture moved."""

    box: tuple[Share, Share, Share, Share] = Field(
        description="Left, top, width and height of the part, as shares of the picture."
    )

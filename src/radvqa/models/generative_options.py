"""Options that every family has which answers by writing."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from radvqa.models.precision import Precision

_ROWS_PER_PASS = 32


class AnsweringOptions(BaseModel):
    """How a generative family answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["generate", "rank", "rank_closed"] = Field(
        "generate",
        description="Write the answer token by token (greedily), choose the likeliest of all training answers, or "
        "choose among the closed training answers where the question is closed and write otherwise.",
    )
    tokens: int = Field(32, ge=1, description="Longest written answer, in tokens; longer gold answers are counted.")
    batch: int = Field(_ROWS_PER_PASS, ge=1, description="Questions answered at once.")


class GenerativeOptions(BaseModel):
    """Options that every generative family has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answering: AnsweringOptions = Field(AnsweringOptions(), description="How answers are given.")
    precision: Precision = Field(
        "auto",
        description="What matrices are multiplied in: `auto` is fp32 on CPUs, bf16 on GPUs that have it and fp16 on "
        "others. Weights that learn, sums and losses are always kept in fp32.",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_older_runs(cls, values: Any) -> Any:
        """Runs of older versions say ``full_precision``."""
        if not isinstance(values, Mapping) or "full_precision" not in values:
            return values
        rest = {key: value for key, value in values.items() if key != "full_precision"}
        return {"precision": "fp32" if values["full_precision"] else "auto", **rest}

"""The YAML file that describes a user's own data; checked to the last key before any row is read."""

import math
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from radvqa import files
from radvqa.errors import DataError, nearest
from radvqa.recipe import explain
from radvqa.sample import Task

SUFFIXES = (".yaml", ".yml")
FRACTIONS = {"train": 0.7, "validate": 0.15, "test": 0.15}


class Columns(BaseModel):
    """Our names → the table's columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = Field(description="File name of the picture below `images`, or the picture itself (Parquet).")
    question: str | None = Field(None, description="The question; only captions have none.")
    answer: str = Field(description="The gold answer, or the caption.")
    split: str | None = Field(None, description="To which split the row belongs.")
    id: str | None = Field(None, description="Name of the row, used once a split; its number by default.")
    answer_type: str | None = Field(None, description="OPEN or CLOSED; inferred by default.")
    question_type: str | None = Field(None, description="Kind of question, for slices.")
    case: str | None = Field(None, description="Patient or case; statistics then resample cases.")
    organ: str | None = Field(None, description="Body part or organ shown, for slices and probes.")
    modality: str | None = Field(None, description="CT, MRI, X-Ray …, for slices.")
    language: str | None = Field(None, description="ISO 639-1 code of the row.")
    context: str | None = Field(None, description="Text about the case that comes with the picture.")
    options: str | list[str] | None = Field(None, description="Choices: a column of lists, or a column for each.")


class Description(BaseModel):
    """One data set of a user's own. Paths are relative to the YAML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Short name: a-z, 0-9, _ and -.")
    kind: Literal["table"] = Field(description="`table`: one question a row.")
    title: str = Field("", description="Full name.")
    file: str | None = Field(None, description="CSV, TSV, JSON (lines), Excel, Parquet, or a `save_to_disk` folder.")
    splits: dict[str, str] | None = Field(None, description="Instead of `file`: one such file for each split.")
    images: str | None = Field(None, description="Folder of the pictures; not needed where the table holds them.")
    columns: Columns
    split_by: Literal["case", "image"] | None = Field(
        None, description="Instead of a split column: what is dealt to the splits as a whole."
    )
    fractions: dict[str, float] | None = Field(None, description="Share of each split with `split_by`.")
    task: Task = Field("vqa", description="`vqa`, `choice` or `caption`.")
    language: str = Field("en", description="ISO 639-1 code, where no column says it.")
    licence: str = Field("", description="What may be done with the data.")
    citation: str = Field("", description="Whom to cite.")
    notes: list[str] = Field(default_factory=list, description="What a user of the data should know.")


def names_a_file(name: str) -> bool:
    """Tell whether a data set's name is the path of a YAML file."""
    return name.lower().endswith(SUFFIXES)


def read(path: Path) -> Description:
    """Read and check a description.

    Raises:
        DataError: when the file is absent, no YAML or no mapping; for an unknown key (names the nearest known one),
            a wrong value, or keys that contradict each other.
    """
    text = files.read_text(path).removeprefix("\ufeff")
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        hint = " Indent with spaces: YAML allows no tabs there." if "'\\t'" in str(error) else ""
        raise DataError(f"{path} is not valid YAML: {_in_one_line(error)}.{hint}") from None
    if not isinstance(values, dict):
        found = "nothing" if values is None else f"a {type(values).__name__}"
        raise DataError(
            f"{path} must hold keys with values (name, kind, file, images, columns), found {found}; "
            f"docs/your-own-data.md has an example."
        )
    try:
        description = Description.model_validate(values)
    except ValidationError as error:
        sentence = _explained(error)
        raise DataError(f"{path}: {sentence}{'' if sentence.endswith('?') else '.'}") from None
    wrong = _contradiction(description)
    if wrong:
        raise DataError(f"{path}: {wrong}")
    return description


def _in_one_line(error: yaml.YAMLError) -> str:
    """Say what YAML objects to, and where; its own text repeats the path and the line over several lines."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None)
    if mark is None or problem is None:
        return " ".join(str(error).split()).rstrip(".")
    return f"{problem} in line {mark.line + 1}, column {mark.column + 1}"


def _explained(error: ValidationError) -> str:
    """Say what is wrong; a misspelt key is named before the key that is missing because of it."""
    problems = error.errors()
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            *within, key = map(str, problem["loc"])
            known = Columns.model_fields if within == ["columns"] else Description.model_fields
            return f"unknown key {'.'.join([*within, key])!r}; {nearest(key, list(known))}".rstrip(".")
        if problem["type"] == "string_pattern_mismatch":
            return f"'name' is made of a-z, 0-9, _ and - only, found {problem['input']!r}"
    missing = [repr(".".join(map(str, problem["loc"]))) for problem in problems if problem["type"] == "missing"]
    if missing:
        return f"the key {' and the key '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    return explain(error, Description).rstrip(".")


def _contradiction(own: Description) -> str:
    """Return what is wrong with keys that are right one by one; empty when nothing is."""
    columns = own.columns
    if (own.file is None) == (own.splits is None):
        return "name either `file`, one table for all splits, or `splits`, a table for each."
    if own.splits is not None and not own.splits:
        return "`splits` names no split; write for instance `splits: {train: train.csv, test: test.csv}`."
    said = [
        key
        for key, given in (("columns.split", columns.split), ("splits", own.splits), ("split_by", own.split_by))
        if given
    ]
    if len(said) > 1:
        return f"{' and '.join(said)} both say which split a row belongs to; keep one."
    if own.split_by == "case" and columns.case is None:
        return "`split_by: case` needs `columns.case`, the column that names the case."
    if own.fractions is not None:
        if own.split_by is None:
            return "`fractions` are used with `split_by: case` or `split_by: image` only; add it, or drop them."
        if any(not 0 < share <= 1 for share in own.fractions.values()) or not _sum_to_one(own.fractions):
            return f"`fractions` must lie between 0 and 1 and add up to 1, found {own.fractions}."
    if columns.question is None and own.task != "caption":
        return "the key 'columns.question' is missing; only `task: caption` needs none."
    if own.task == "choice" and not columns.options:
        return "`task: choice` needs `columns.options`: a column of lists, or a list with the column of each choice."
    return ""


def _sum_to_one(fractions: dict[str, float]) -> bool:
    return math.isclose(sum(fractions.values()), 1, abs_tol=1e-6)

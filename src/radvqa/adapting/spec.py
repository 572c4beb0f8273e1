"""What an adaptation is made from: a page of YAML, checked before anything starts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from radvqa import files
from radvqa.errors import RecipeError, nearest
from radvqa.recipe import shipped_recipes
from radvqa.recipe.data import Where
from radvqa.recipe.section import Section, explain


class Learning(Section):
    """How an adaptation learns: AdamW, a linear warm-up, then a cosine down to zero."""

    batch_size: int = Field(ge=1, description="Blocks of text, or pictures, per step.")
    learning_rate: float = Field(gt=0, description="Peak learning rate; `lr` is understood in overrides.")
    warmup: float = Field(0.05, ge=0, le=1, description="Share of the steps with a rate that grows from zero.")
    weight_decay: float = Field(0.01, ge=0, description="Decoupled decay of weight matrices.")
    clip_norm: float = Field(1.0, gt=0, description="Largest gradient norm.")
    precision: Literal["fp32", "bf16"] = Field(
        "fp32",
        description="What matrix products are computed in; bf16 is several times faster on GPUs and on processors with "
        "matrix units for it (AMX), and slower on others.",
    )
    seed: int = Field(42, ge=0, description="Seeds every random order and every new weight.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to learn.")
    threads: int | None = Field(None, ge=1, description="CPU threads; null lets torch choose.")


class Steps(Learning):
    """Learning of a language model."""

    steps: int = Field(ge=0, description="Optimiser steps; 0 only takes the first layers.")


class Epochs(Learning):
    """Learning of an image encoder."""

    epochs: int = Field(ge=1, description="Passes over the pictures.")
    head_epochs: int = Field(
        20, ge=1, description="Passes of the new heads alone, over features of the encoder as it was, before that."
    )
    head_learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate of the heads, in both parts.")
    keep: float = Field(
        1.0,
        ge=0,
        description="Weight of 1 - cosine between the patch features of now and of the encoder as it was.",
    )


class Source(Section):
    """Samples of one split of a data set."""

    data: str = Field(description="Data set as `name` or `name:version`, or the YAML file of your own data.")
    split: str = Field(description="Split, or split file.")
    where: Where = Field({}, description="Keep samples with these fields only, e.g. `{modality: CT}`.")
    without_pictures_of: tuple[str, ...] = Field(
        (),
        description="Leave out every case with a picture that these data sets show too, or nearly; see `radvqa data "
        "leaks`.",
    )
    without_phrases: tuple[str, ...] = Field((), description="Leave out samples whose answer holds one of these.")


class Texts(Source):
    """Texts of a data set."""

    text: Literal["answer", "context", "question and answer"] = Field(
        description="What is read: answers (captions), the case texts beside them, or questions with their answers."
    )


class Pictures(Source):
    """Pictures of a data set, with their labels and captions."""

    labels: tuple[str, ...] = Field(
        (), description="Classes to learn: fields of a sample (`modality`), or lines of its context (`context.Plane`)."
    )
    captions: bool = Field(True, description="Whether answers are captions to learn from.")


class Folder(Section):
    """Pictures in folders that are named after their class."""

    folder: str = Field(description="Folder below RADVQA_DATA, or its path; one folder in it for each class.")
    per_class: int | None = Field(None, ge=2, description="Take so many of each class; null takes all.")
    held_out: float = Field(0.1, gt=0, lt=1, description="Share of each class that is not learned from.")


class LanguageSpec(Section):
    """``radvqa adapt language``."""

    name: str = Field(description="Name of the adaptation.")
    title: str = Field("", description="What it is, in a line.")
    checkpoint: str = Field(description="A causal language model, `org/name` or a folder.")
    layers: int | None = Field(None, ge=1, description="Keep the first layers only; null keeps all.")
    learn_embeddings: bool = Field(
        True, description="Whether token embeddings learn, and with them a head that is tied to them."
    )
    texts: tuple[Texts, ...] = Field(min_length=1, description="What is read.")
    block_tokens: int = Field(128, ge=8, description="Texts are packed into blocks of so many tokens.")
    held_out: float = Field(0.05, gt=0, lt=1, description="Share of cases whose texts measure the perplexity.")
    training: Steps


class VisionSpec(Section):
    """``radvqa adapt vision``."""

    name: str = Field(description="Name of the adaptation.")
    title: str = Field("", description="What it is, in a line.")
    checkpoint: str = Field(description="A vision transformer, `org/name` or a folder.")
    image_size: int = Field(ge=14, description="Side in pixels.")
    blocks: int = Field(ge=1, description="The last blocks that learn; the others stay as they are.")
    text: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2", description="Frozen sentence encoder that captions are read by."
    )
    learn: Pictures = Field(description="What is learned from.")
    select: Pictures = Field(description="What the best epoch is chosen on, and what the figures are of.")
    classes: tuple[Folder, ...] = Field((), description="More pictures, that have a class and no caption.")
    least: int = Field(10, ge=1, description="A class with fewer pictures to learn from is no class.")
    temperature: float = Field(0.07, gt=0, description="That the contrast begins with; it is learned.")
    shared_size: int = Field(256, ge=1, description="Size of the space in which pictures and captions are compared.")
    training: Epochs

    @model_validator(mode="after")
    def _something_to_learn(self) -> "VisionSpec":
        if not (self.learn.captions or self.learn.labels or self.classes):
            raise ValueError("there is nothing to learn: give labels, captions or folders of classes")
        if self.learn.captions != self.select.captions or set(self.learn.labels) != set(self.select.labels):
            raise ValueError("learn and select must name the same labels, and both have captions or none")
        return self


Spec = TypeVar("Spec", LanguageSpec, VisionSpec)

_SHORT = {"lr": "learning_rate"}


def load_spec(kind: type[Spec], path: Path, overrides: Sequence[str] = ()) -> Spec:
    """Read a specification and apply overrides.

    Args:
        kind: of what.
        path: the YAML file, or the name of one that ships with the project.
        overrides: ``key=value`` with dotted keys (``training.steps=0``, ``texts.1.split=dev``: members of a list are
            counted from 1); a key of ``training`` needs no section. Values are YAML.

    Raises:
        RecipeError: for a file that is absent or no YAML, an unknown key, or a value of the wrong type or range.
    """
    path = _find(path)
    try:
        values = yaml.safe_load(files.read_text(path))
        changes = [_split(override) for override in overrides]
    except yaml.YAMLError as error:
        raise RecipeError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must hold a mapping with the keys {', '.join(kind.model_fields)}.")
    for key, value in changes:
        _put(values, key if key.split(".")[0] in kind.model_fields else f"training.{key}", value)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise RecipeError(f"{path}: {explain(error, kind)}") from None


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    shipped = {spec.stem: spec for spec in sorted((shipped_recipes() / "adapt").glob("*.yaml"))}
    if path.stem in shipped and path.parent in (Path(), Path("adapt"), Path("recipes/adapt")):
        return shipped[path.stem]
    raise RecipeError(f"There is no adaptation {path}; {nearest(path.stem, list(shipped))}")


def _split(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    if not equals:
        raise RecipeError(f"{override!r} is no override; write key=value, for instance training.seed=1.")
    try:
        return ".".join(_SHORT.get(part, part) for part in key.split(".")), yaml.safe_load(text)
    except yaml.YAMLError:
        raise RecipeError(f"The value in {override!r} is not valid YAML.") from None


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *parts, last = key.split(".")
    place: Any = values
    for part in parts:
        if isinstance(place, list):
            if not part.isdigit() or not 1 <= int(part) <= len(place):
                raise RecipeError(f"{key}: {part!r} is no member of a list of {len(place)}, counted from 1.")
            place = place[int(part) - 1]
        else:
            place = place.setdefault(part, {})
        if not isinstance(place, dict | list):
            raise RecipeError(f"{key}: {part!r} is no section.")
    if isinstance(place, list):
        raise RecipeError(f"{key}: name a key of a member, for instance texts.1.split.")
    place[last] = value

"""The recipe: one YAML page that says which data, which model and how to train; validated before anything starts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from radvqa import files
from radvqa.errors import RecipeError, nearest


class Section(BaseModel):
    """A part of a recipe: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSection(Section):
    """Which data."""

    name: str = Field(description="Data set as `name` or `name:version`, or the YAML file of your own data.")
    file: str | None = Field(
        default=None,
        description="In a run: the YAML file of your own data, as seen from the folder where `train` was called.",
    )
    train: str = Field("train", description="Split that the model learns from.")
    select: str = Field(description="Split on which the best epoch is chosen; never the test split.")
    test: str = Field("test", description="Split that `radvqa predict` answers, once, after choosing.")
    select_fraction: float = Field(
        0.0,
        ge=0.0,
        lt=0.9,
        description="For data sets without a validation split: hold out this fraction of the training *images* "
        "(all their questions) and choose on them; `select` must then be the training split.",
    )

    @property
    def place(self) -> str:
        """Where the data set is found: by its name, or by the YAML file of one's own data."""
        return self.name if self.file is None else self.file


class ModelSection(BaseModel):
    """Which model family; the family's own options stand beside `family` and are validated by it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    family: str = Field(description="Name of a model family.")

    @property
    def options(self) -> dict[str, Any]:
        """The family's own options."""
        return dict(self.__pydantic_extra__ or {})


class TrainingSection(Section):
    """How to train."""

    epochs: int = Field(ge=1, description="Passes over the training samples.")
    batch_size: int = Field(128, ge=1, description="Questions per step.")
    micro_batch_size: int | None = Field(
        None,
        ge=1,
        description="Questions computed at once; a batch is passed in parts of this size, with the same effect. Null "
        "passes whole batches, and halves them for good when memory runs out.",
    )
    images_per_batch: int | None = Field(
        None,
        ge=1,
        description="Fill batches with questions about this many images, so that a trained backbone sees fewer "
        "pictures per step; null shuffles questions freely.",
    )
    optimizer: Literal["adam", "adamw"] = Field("adam", description="Adam, or Adam with decoupled weight decay.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate.")
    backbone_learning_rate: float | None = Field(
        None, gt=0, description="Learning rate of a trained backbone; null uses `learning_rate`."
    )
    weight_decay: float = Field(0.0, ge=0, description="Weight decay.")
    schedule: Literal["constant", "cosine"] = Field("constant", description="Learning rate over time.")
    warmup_epochs: float = Field(0.0, ge=0, description="Linear warm-up from zero.")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of probability spread over all answers.")
    clip_norm: float | None = Field(None, gt=0, description="Largest gradient norm; null does not clip.")
    average_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Decay of an exponential moving average of the weights that is evaluated and kept instead of "
        "the last weights; null keeps none.",
    )
    select_by: str = Field("accuracy", description="Metric on the `select` split that chooses the best epoch.")
    accept: tuple[str, ...] = Field(
        (),
        description="Checks of `radvqa doctor` whose errors are meant, so that they do not stop the training.",
    )
    seed: int = Field(42, ge=0, description="Seeds every random state.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to train.")
    threads: int | None = Field(None, ge=1, description="CPU threads; null lets torch choose.")


class Recipe(Section):
    """One training run, from data to chosen weights."""

    name: str = Field(description="Short name; the default run folder is `runs/NAME`.")
    title: str = Field(description="What it is, in a line.")
    reproduces: str | None = Field(None, description="Published row that it re-runs.")
    notes: str = Field("", description="What differs from the published row, and why.")
    data: DataSection
    model: ModelSection
    training: TrainingSection

    def resolved(self) -> dict[str, Any]:
        """Plain values with every default filled in, for `recipe.yaml` of the run."""
        values = self.model_dump(mode="json")
        if self.data.file is None:
            del values["data"]["file"]
        return values


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides.

    Args:
        path: the YAML file, or the name of a recipe that ships with the project.
        overrides: ``key=value`` with dotted keys (``training.seed=1``); a bare key that only one section has
            (``seed=1``) is understood. Values are YAML.

    Raises:
        RecipeError: for a file that is absent or no YAML, an unknown key (names the nearest known one), a value
            of the wrong type or range, or a contradiction.
    """
    path = find_recipe(path)
    try:
        values = yaml.safe_load(files.read_text(path))
    except yaml.YAMLError as error:
        raise RecipeError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must hold a mapping with the keys {', '.join(Recipe.model_fields)}.")
    for override in overrides:
        _apply(values, override)
    recipe = parse_recipe(values, str(path))
    _check(recipe, str(path))
    return recipe


def parse_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Validate plain values as a recipe.

    Raises:
        RecipeError: names the key and what is wrong with it.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError(f"{where}: {explain(error, Recipe)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Turn a validation error into one sentence per wrong key, with the nearest known key for unknown ones."""
    sentences = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = _known_keys(model, [str(part) for part in problem["loc"][:-1]])
            sentences.append(f"unknown key {place!r}; {nearest(str(problem['loc'][-1]), known)}")
        else:
            sentences.append(f"{place}: {problem['msg'].lower()} (found {problem.get('input')!r})")
    return "; ".join(sentences)


def find_recipe(path: Path) -> Path:
    """Return the file of a recipe named by path, or by the name of one that ships with the project.

    Raises:
        RecipeError: when there is no such file; names the nearest recipe.
    """
    if path.is_file():
        return path
    shipped = {recipe.stem: recipe for recipe in sorted(shipped_recipes().glob("*.yaml"))}
    if path.stem in shipped and path.parent in (Path(), Path("recipes")):
        return shipped[path.stem]
    hint = nearest(path.stem, list(shipped)) if shipped else ""
    raise RecipeError(f"There is no recipe {path}; {hint}")


def shipped_recipes() -> Path:
    """The folder of the recipes that come with the project: beside the sources, or inside an installed package."""
    beside = Path(__file__).parents[2] / "recipes"
    return beside if beside.is_dir() else Path(__file__).parent / "recipes"


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise RecipeError(f"{override!r} is no override; write key=value, for instance training.seed=1.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise RecipeError(f"The value in {override!r} is not valid YAML.") from None
    if isinstance(value, str):
        value = _number(value)
    parts = _full_key(values, key).split(".")
    place = values
    for part in parts[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise RecipeError(f"{override!r}: {part!r} is not a section of the recipe.")
    place[parts[-1]] = value


def _number(text: str) -> Any:
    """YAML 1.1 reads 1e-3 as text; people mean a number."""
    try:
        return float(text) if "e" in text.lower() else text
    except ValueError:
        return text


def _full_key(values: Mapping[str, Any], key: str) -> str:
    if "." in key or key in Recipe.model_fields:
        return key
    homes = [name for name, section in values.items() if isinstance(section, dict) and key in section]
    schema: dict[str, type[BaseModel]] = {"data": DataSection, "training": TrainingSection}
    homes += [name for name, section in schema.items() if key in section.model_fields and name not in homes]
    if len(homes) > 1:
        raise RecipeError(f"{key!r} could mean {' or '.join(f'{home}.{key}' for home in homes)}; write it out.")
    return f"{homes[0] if homes else 'model'}.{key}"


def _known_keys(model: type[BaseModel], place: Sequence[str]) -> list[str]:
    for part in place:
        field = model.model_fields.get(part)
        if field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    return list(model.model_fields)


def _check(recipe: Recipe, where: str) -> None:
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
    if recipe.training.average_decay is not None and recipe.training.epochs < 2:
        raise RecipeError(f"{where}: training.average_decay needs at least two epochs.")

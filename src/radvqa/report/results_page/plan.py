"""What a page of results shows, read from its YAML file: sections in order, and the runs of each."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from radvqa import files
from radvqa.errors import RadvqaError, nearest
from radvqa.recipe import Section, explain


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_several)]
"""One text or several."""


class Runs(Section):
    """Runs that stand for one system: seeds of one recipe, often only one."""

    label: str = Field(min_length=1, description="How the page names the system; short.")
    runs: Texts = Field(
        min_length=1,
        description="Run folders below --runs, or predictions files; `{0,1,2}` and `*` stand for several.",
    )
    recipe: str = Field("", description="Recipe of runs that are not there yet, for the command that makes them.")
    overrides: Texts = Field((), description="Overrides of that recipe.")
    split: str = Field("", description="Split whose answers count; by default each run's own test split.")
    commands: Texts = Field(
        (),
        description="Commands that make a run, where it does not come of a recipe; {run} and {seed} are filled in.",
    )
    note: str = Field("", description="A sentence below the table.")


class Reaching(Runs):
    """A system that was meant to reach a number."""

    reach: float | None = Field(None, ge=0, le=100, description="Wanted, in percent; in points for a gap.")
    moonshot: float | None = Field(None, ge=0, le=100, description="Hoped for, in percent.")
    most_parameters: int | None = Field(None, ge=1, description="The reach counts up to this size only.")


class Variant(Runs):
    """A system that differs from the base in one thing."""

    differs: Texts = Field((), description="Keys of the recipe that are meant to differ; a section stands for all.")


class SeedRow(Section):
    """A published row of the seed's own comparison."""

    method: str = Field(description="As the table of published results has it.")
    budget: str = Field("", description="What it was given, in a few words.")


class PageSection(Section):
    """What every section has."""

    title: str = Field(min_length=1, description="Heading.")
    intro: str = Field("", description="Markdown below the heading.")
    name: str = Field("", pattern=r"^[a-z0-9-]*$", description="Names the section's figures; its kind by default.")


class Headline(PageSection):
    """Systems on one data set, what they were to reach, and the published rows beside them."""

    kind: Literal["headline"]
    data: str = Field(description="Data set as NAME:VERSION.")
    split: str = Field("test", description="Split that was answered.")
    either: bool = Field(False, description="Whether it is enough that one of the systems reaches its number.")
    published: bool = Field(True, description="Whether comparable published rows stand in the table.")
    others: tuple[str, ...] = Field(
        (), description="Published rows of other protocols to list apart; none of them is ranked."
    )
    rows: tuple[Reaching, ...] = Field(
        min_length=1, description="The systems; later ones are tested against the first."
    )


class Ablation(PageSection):
    """A base, and variants that each differ in one thing."""

    kind: Literal["ablation"]
    split: str = Field("", description="Split whose answers count, of the base and of every variant.")
    base: Runs = Field(description="What the variants are tested against.")
    variants: tuple[Variant, ...] = Field(min_length=1, description="The variants.")

    @model_validator(mode="after")
    def _one_split(self) -> "Ablation":
        """Let every row say the section's split."""
        if self.split:
            for row in (self.base, *self.variants):
                if row.split not in ("", self.split):
                    raise ValueError(f"{row.label} names the split {row.split}, the section {self.split}; name one")
                object.__setattr__(row, "split", self.split)
        return self


class Fair(PageSection):
    """A discriminative and a generative model under equal budgets, beside the seed's comparison."""

    kind: Literal["fair"]
    discriminative: Runs = Field(description="Chooses among answers.")
    generative: Runs = Field(description="Writes its answer.")
    seed: tuple[SeedRow, ...] = Field(
        (), description="The seed's rows: the discriminative first, then generative ones."
    )


class Blind(PageSection):
    """Accuracy on the right picture minus accuracy without one."""

    kind: Literal["blind"]
    probe: str = Field("blank", description="Name of the probe that takes the picture away.")
    rows: tuple[Reaching, ...] = Field(min_length=1, description="The systems; `reach` is in points.")


class Protocol(PageSection):
    """One model under the official division and under a random one."""

    kind: Literal["protocol"]
    official: Runs = Field(description="Tested on the official test questions.")
    random: Runs = Field(description="Tested on questions drawn at random.")
    published: tuple[str, ...] = Field((), description="Published rows of the random division.")


class Curves(PageSection):
    """Validation accuracy over the training."""

    kind: Literal["curves"]
    rows: tuple[Runs, ...] = Field(min_length=1, description="The systems.")


class Scaling(PageSection):
    """What a fitted scaling law says about more data or size."""

    kind: Literal["scaling"]
    file: str = Field(description="`scaling.json` below --runs, as `radvqa scaling --out` writes it.")
    command: str = Field("", description="Command that makes it.")


class Examples(PageSection):
    """Right and wrong answers with their pictures, drawn at random."""

    kind: Literal["examples"]
    run: Runs = Field(description="Whose answers; of several seeds the first.")
    seed: int = Field(0, description="Of the draw.")
    right: int = Field(5, ge=0, le=20, description="Right answers to show.")
    wrong: int = Field(5, ge=0, le=20, description="Wrong answers to show.")
    attribution: str = Field("", description="Whose pictures these are; by default as the data set says.")


class Existing(PageSection):
    """Runs as `radvqa compare` shows them."""

    kind: Literal["existing"]
    rows: tuple[Runs, ...] = Field(min_length=1, description="The runs.")


class Tried(PageSection):
    """Free text."""

    kind: Literal["tried"]
    text: str = Field(description="Markdown.")


AnySection = Headline | Ablation | Fair | Blind | Protocol | Curves | Scaling | Examples | Existing | Tried

KINDS: dict[str, type[AnySection]] = {
    "headline": Headline,
    "ablation": Ablation,
    "fair": Fair,
    "blind": Blind,
    "protocol": Protocol,
    "curves": Curves,
    "scaling": Scaling,
    "examples": Examples,
    "existing": Existing,
    "tried": Tried,
}


class _Page(Section):
    title: str = Field("Results", min_length=1)
    intro: str = ""
    sections: tuple[dict[str, Any], ...] = Field(min_length=1)


class Plan(Section):
    """A page.

    Attributes:
        title: its heading.
        intro: Markdown below what was reached.
        sections: in order.
    """

    title: str
    intro: str
    sections: tuple[AnySection, ...]


def read_plan(path: Path) -> Plan:
    """Read the YAML file of a page.

    Raises:
        RadvqaError: for a file that is absent or no YAML, an unknown key (names the nearest known one), or a value
            that does not fit; the message names the section.
    """
    path = Path(path)
    if not path.is_file():
        raise RadvqaError(f"There is no page file {path}; docs/results.yaml is one.")
    try:
        values = yaml.safe_load(files.read_text(path))
    except yaml.YAMLError as error:
        raise RadvqaError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(values, dict):
        raise RadvqaError(f"{path} must hold a mapping with the keys {', '.join(_Page.model_fields)}.")
    try:
        page = _Page.model_validate(values)
    except ValidationError as error:
        raise RadvqaError(f"{path}: {explain(error, _Page)}") from None
    sections = [_section(values, number, str(path)) for number, values in enumerate(page.sections, start=1)]
    return Plan(title=page.title, intro=page.intro, sections=tuple(sections))


def _section(values: Mapping[str, Any], number: int, where: str) -> AnySection:
    kind = values.get("kind")
    if kind not in KINDS:
        said = "says no kind" if kind is None else f"is of kind {kind!r}"
        raise RadvqaError(f"{where}: section {number} {said}; {nearest(str(kind), list(KINDS))}")
    model = KINDS[kind]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RadvqaError(f"{where}: section {number} ({kind}): {explain(error, model)}") from None


def systems(section: AnySection) -> Iterator[Runs]:
    """Yield all that a section shows runs of."""
    match section:
        case Headline() | Blind() | Curves() | Existing():
            yield from section.rows
        case Ablation():
            yield section.base
            yield from section.variants
        case Fair():
            yield from (section.discriminative, section.generative)
        case Protocol():
            yield from (section.official, section.random)
        case Examples():
            yield section.run

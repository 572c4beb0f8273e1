"""How runs name a user's own data: ``NAME:table`` in every file and report, and the YAML file in the recipe alone."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from radvqa.data import registry
from radvqa.errors import DataError, RecipeError
from radvqa.recipe import DataSection
from radvqa.run import Answers, Run


@dataclass(frozen=True)
class Asked:
    """Which questions a run answers, and where they are.

    Attributes:
        answers: data set and split, as the run names them.
        place: where the registry finds that data set.
        trained_on: where it finds the one that the run was trained on.
    """

    answers: Answers
    place: str
    trained_on: str


def full_name(data: str | None) -> str | None:
    """Return the name that the files of a run use: ``NAME:table`` for a YAML file, any other as it is."""
    return registry.select(data).name if data is not None and registry.is_own(data) else data


class NamesData(Protocol):
    """A section of a recipe that names a data set."""

    @property
    def name(self) -> str | None:
        """Its name, or the YAML file of one's own."""
        ...

    @property
    def file(self) -> str | None:
        """In a run: the YAML file of one's own data."""
        ...

    @property
    def place(self) -> str:
        """Where it is found."""
        ...


def named(data: NamesData) -> dict[str, str]:
    """Return what a run's recipe says about its data: the full name, and the YAML file of one's own.

    The file is written as seen from the working folder, so that a run tells nothing of the machine.

    Raises:
        RecipeError: when the recipe names a YAML file and another data set beside it.
    """
    selection = registry.select(data.place)
    if data.file is not None and data.name not in (selection.name, data.file):
        raise RecipeError(
            f"data.name is {data.name!r}, but data.file describes {selection.name}; set data.name to the YAML file of "
            f"the data that you mean, and data.file=null."
        )
    if selection.file is None:
        return {"name": selection.name}
    return {"name": selection.name, "file": Path(_from_here(selection.file)).as_posix()}


def portable(other: str) -> str:
    """Write ``name:version/split`` so that it tells nothing of the machine: a YAML file as seen from here."""
    place, _, split = other.rpartition("/")
    file, split = (place, split) if registry.is_own(place) else (other, "")
    if not registry.is_own(file):
        return other
    return Path(_from_here(Path(file))).as_posix() + (f"/{split}" if split else "")


def asked(run: Run, trained: DataSection, data: str | None, split: str | None) -> Asked:
    """Find the questions that a run is to answer.

    Args:
        run: the run.
        trained: the data section of its recipe.
        data: another data set, or a YAML file; by default the run's own.
        split: the split; by default the run's test split.

    Raises:
        DataError: for an unknown data set, and when the YAML file of the run's own data is not where it was.
    """
    name = registry.select(data).name if data else None
    answers = run.answers(name, split)
    # the same data named anew wins: it may have moved since the run was trained
    trained_on = data if data and name == trained.name else trained.place
    if trained.file is not None and trained_on == trained.file and not Path(trained.file).is_file():
        raise DataError(
            f"{run.folder} was trained on {trained.name}, described by {trained.file}, which is not found from here; "
            f"call from the folder where it was trained, or name the file with --data."
        )
    return Asked(answers, data or trained_on, trained_on)


def _from_here(file: Path) -> str:
    try:
        return os.path.relpath(file)
    except ValueError:  # another drive
        return file.name

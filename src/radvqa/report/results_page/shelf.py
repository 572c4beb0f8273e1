"""The runs that a page shows, found by the names that its file gives them; and what is not there yet."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from radvqa.errors import RadvqaError, RunError
from radvqa.report.differing import differing_keys
from radvqa.report.results_page.again import RUNS, Fill, command, fill_recipe
from radvqa.report.results_page.plan import Runs
from radvqa.report.scored import Group, Scored, load
from radvqa.run import Run

Whose = Callable[[str], str]
"""Says whose the pictures of a data set are; empty where that is not known."""

_BRACES = re.compile(r"\{([^{}]*)\}")
_STARS = re.compile(r"[*?\[]")


def nobody(dataset: str) -> str:
    """Know of no data set whose its pictures are."""
    return ""


@dataclass(frozen=True)
class Missing:
    """A run that the page wants and that is not ready.

    Attributes:
        label: of the system.
        name: of the run folder, below the folder of the runs.
        state: ``not yet run``, or what else it lacks.
        command: what makes it.
    """

    label: str
    name: str
    state: str
    command: str


@dataclass(frozen=True)
class System:
    """What the page file names as one system, with what was found of it.

    Attributes:
        row: as the page file says.
        runs: name below the folder of the runs → run, in the order of their seeds.
        missing: runs that are not ready.
        fill: fills in recipes.
    """

    row: Runs
    runs: dict[str, Scored]
    missing: tuple[Missing, ...]
    fill: Fill = fill_recipe

    @property
    def label(self) -> str:
        """How the page names it."""
        return self.row.label

    @property
    def group(self) -> Group | None:
        """Its runs; None when none is ready."""
        return Group(self.label, tuple(self.runs.values())) if self.runs else None

    @property
    def first(self) -> Scored | None:
        """Its first run."""
        return next(iter(self.runs.values()), None)

    @property
    def seeds(self) -> str:
        """The seeds: ``0, 1, 2``, and of how many where some are missing."""
        known = ", ".join("–" if run.seed is None else str(run.seed) for run in self.runs.values())
        whole = len(self.runs) + len(self.missing)
        return f"{known} ({len(self.runs)} of {whole})" if self.runs and self.missing else known

    @property
    def state(self) -> str:
        """What it lacks where no run is ready."""
        return self.missing[0].state if self.missing and not self.runs else ""

    @property
    def commands(self) -> list[str]:
        """A line for each run that is ready."""
        return [command(self.row, name, run, self.fill) for name, run in self.runs.items()]

    def notes(self) -> Iterator[str]:
        """Yield what a reader must know of its runs."""
        if self.row.note:
            yield f"{self.label}: {self.row.note}"
        recipes = [run.recipe for run in self.runs.values() if run.recipe]
        odd = dict.fromkeys(key for other in recipes[1:] for key in differing_keys(recipes[0], other))
        if odd:
            yield f"{self.label}: these runs differ in more than the seed, in {', '.join(odd)}."
        seeds = [run.seed for run in self.runs.values() if run.seed is not None]
        if len(set(seeds)) < len(seeds):
            yield f"{self.label}: a seed occurs twice."


class Shelf:
    """All runs of a page, read once.

    Args:
        folder: of the run folders.
        rows: all that the page shows.
        partial: whether runs may be missing.
        fill: fills in recipes, to tell the commands that make runs again.
        whose: says whose the pictures of a data set are.

    Raises:
        RunError: when a run is missing and none may be, or cannot be read.
        RadvqaError: when a name leaves the folder.
    """

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Runs],
        *,
        partial: bool,
        fill: Fill = fill_recipe,
        whose: Whose = nobody,
    ) -> None:
        self.whose = whose
        self.folder = Path(folder)
        self._fill = fill
        self.partial = partial
        if not self.folder.is_dir():
            raise RunError(f"There is no folder {folder}; --runs names the folder that holds the run folders.")
        wanted = {(name, row.split): None for row in rows for name in self._names(row)}
        self._states = {(name, split): _state(self.folder / name, split) for name, split in wanted}
        self._check(rows)
        self._runs = {key: run for split in {split: None for _, split in wanted} for key, run in self._loaded(split)}

    def take(self, row: Runs) -> System:
        """Return a system of the page."""
        names = self._names(row)
        found = {name: self._runs[name, row.split] for name in names if (name, row.split) in self._runs}
        ordered = sorted(found.items(), key=lambda item: (str(type(item[1].seed)), item[1].seed or 0))
        return System(row, dict(ordered), tuple(self._missing(row)), self._fill)

    def take_all(self, rows: Iterable[Runs]) -> list[System]:
        """Return several systems."""
        return [self.take(row) for row in rows]

    def _check(self, rows: Sequence[Runs]) -> None:
        """Refuse a page with a missing run, unless it is a draft."""
        missing = [] if self.partial else [lacking for row in rows for lacking in self._missing(row)]
        if missing:
            first = missing[0]
            more = len({lacking.name for lacking in missing}) - 1
            others = f" {more} more are not ready either." if more else ""
            raise RunError(
                f"{self.folder / first.name} ({first.label}) is {first.state}; it is made by: {first.command} "
                f"({RUNS}/ is the folder of the runs).{others} A page without it is written with --partial."
            )

    def _loaded(self, split: str) -> Iterator[tuple[tuple[str, str], Scored]]:
        """Read the runs that are ready, with the scores of a split."""
        ready = [name for (name, of), state in self._states.items() if of == split and not state]
        found = load([self.folder / name for name in ready], split=split or None) if ready else []
        yield from (((name, split), run) for name, run in zip(ready, found, strict=True))

    def _missing(self, row: Runs) -> Iterator[Missing]:
        for name in self._names(row):
            if state := self._states[name, row.split]:
                yield Missing(row.label, name, state, command(row, name, None))

    def _names(self, row: Runs) -> list[str]:
        """Return the names that a row stands for; one with stars stands for itself where nothing fits it."""
        found: list[str] = []
        for pattern in (name for given in row.runs for name in _without_braces(given)):
            path = PurePosixPath(pattern)
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise RadvqaError(f"{row.label}: the run {pattern!r} does not lie below the folder of the runs.")
            if not _STARS.search(pattern):
                found.append(path.as_posix())
                continue
            fitting = [p for p in self.folder.glob(pattern) if (p / "run.json").is_file() or p.is_file()]
            names = sorted((p.relative_to(self.folder).as_posix() for p in fitting), key=_natural)
            found += names or [path.as_posix()]
        return list(dict.fromkeys(found))


def _without_braces(pattern: str) -> list[str]:
    """Write out ``{0,1,2}``: ``a-seed{0,1}`` → ``a-seed0`` and ``a-seed1``."""
    parts = _BRACES.split(pattern)
    choices = [part.split(",") if number % 2 else [part] for number, part in enumerate(parts)]
    return ["".join(chosen).replace(" ", "") for chosen in itertools.product(*choices)]


def _natural(name: str) -> list[tuple[int, str]]:
    """Order names as people do: seed2 before seed10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _state(path: Path, split: str) -> str:
    """Return what a run lacks to show its answers to a split; empty when it is ready."""
    if path.is_file():
        return ""
    if not (path / "run.json").is_file():
        return "not yet run"
    run = Run(path)
    if not run.finished:
        return "not yet run to its end"
    answers = run.answers(split=split or None)
    if not (path / answers.file("predictions", "jsonl")).is_file():
        return "not yet answered"
    return "" if (path / answers.file("scores", "json")).is_file() else "not yet scored"

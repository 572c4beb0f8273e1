"""What a sweep is about, and how far each of its runs has come; the run folders alone know that."""

from dataclasses import dataclass
from pathlib import Path

from radvqa.run import Run
from radvqa.sweeping.grid import Combination, Grid

LOSS = "loss"  # the one metric that is better when smaller


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Attributes:
        folder: holds the run folders and what is found about them.
        name: of the recipe.
        title: of the recipe.
        dataset: as the recipe names it.
        select: split on which runs are compared.
        held_out: whether that split is a part of the training split, which no other command can answer.
        test: split that is asked after choosing.
        metric: that chose the epoch of each run, and chooses the setting.
        questions: which questions of the split the metric is about, in words; empty for all.
        grid: what varies.
    """

    folder: Path
    name: str
    title: str
    dataset: str
    select: str
    held_out: bool
    test: str
    metric: str
    questions: str
    grid: Grid

    @property
    def smaller_is_better(self) -> bool:
        """Whether the metric is a loss."""
        return self.metric == LOSS

    @property
    def settings(self) -> dict[str, list[Combination]]:
        """Setting → its runs, one for each seed, in the grid's order."""
        found: dict[str, list[Combination]] = {}
        for combination in self.grid.combinations:
            found.setdefault(combination.setting, []).append(combination)
        return found

    def run_folder(self, combination: Combination) -> Path:
        """Return the folder of one run."""
        return self.folder / combination.name

    def log(self, combination: Combination) -> Path:
        """Return the file that one run prints into."""
        return self.folder / "logs" / f"{combination.name}.log"

    def called(self, setting: str) -> str:
        """Name a setting for people; where nothing but the seed varies it is the recipe."""
        return setting or self.name

    def learned(self, combination: Combination) -> bool:
        """Whether a run is trained, and scored on the selection split where that can be asked."""
        run = finished(self.run_folder(combination))
        return run is not None and (self.held_out or _is_scored(run, self.select))

    def tested(self, combination: Combination) -> bool:
        """Whether a run is scored on the test split."""
        run = finished(self.run_folder(combination))
        return run is not None and _is_scored(run, None)


def finished(folder: Path) -> Run | None:
    """Open a run that was trained to its end; None when there is none."""
    if not (folder / "run.json").is_file():
        return None
    run = Run(folder)
    return run if run.finished else None


def _is_scored(run: Run, split: str | None) -> bool:
    return (run.folder / run.answers(None, split).file("scores", "json")).is_file()

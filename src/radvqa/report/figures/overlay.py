"""The validation accuracy of several runs in one panel, over what fits all of them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.curriculum import by_epoch, stages_of
from radvqa.report.figures.labels import Label, place_labels
from radvqa.report.figures.marks import legend, legend_height, marks
from radvqa.report.figures.style import blank, look, zoomed
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEWEST = 2  # runs of an overlay
_SAME = 4.0  # percent, within which two marks of one epoch share its number
_KEY = "val_accuracy"

Row = dict[str, Any]
Line = list[tuple[float, float]]


def overlay(runs: Sequence[Scored]) -> "Figure | None":
    """Draw the validation accuracy of several runs; a mark is the look whose weights were kept.

    Over epochs where all runs count them and these are of one size; else over the samples seen; else, where a run does
    not tell these, over the share of its training. Of a curriculum the looks at the recipe's own selection split are
    drawn, stage by stage.

    Returns:
        The figure, or None when fewer than two runs have a history with it.
    """
    from matplotlib.ticker import EngFormatter, MaxNLocator

    known = [run for run in runs if any(_lines(run))]
    if len(known) < _FEWEST:
        return None
    name, place = _axis(known)
    with look():
        figure = blank(3.2 + legend_height(known))
        axes = figure.subplots()
        kept: list[Label] = []
        shown: Line = []
        for run, mark in zip(known, marks(known), strict=True):
            for rows in _lines(run):
                points = [(place(run, row), 100 * row[_KEY]) for row in rows]
                alone = "." if len(points) == 1 else ""
                axes.plot(*zip(*points, strict=True), color=mark.colour, label=run.name, linewidth=1.5, marker=alone)
                shown += points
            best = _kept(run)
            if best is not None:
                x, value = place(run, best), 100 * best[_KEY]
                axes.plot([x], [value], mark.shape, color=mark.colour, markersize=8, markeredgecolor="white")
                numbered = name == "Epoch" and not any(lb.x == x and abs(lb.y - value) < _SAME for lb in kept)
                kept += [Label(x, value, str(best["epoch"]), mark.colour)] if numbered else []
        axes.set_ylim(*zoomed(y for _, y in shown))
        axes.margins(x=0.03)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if name == "Samples seen":
            axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
        axes.set_xlabel(name)
        axes.set_title(f"Validation accuracy, % (marked: {'epoch kept' if name == 'Epoch' else 'kept'})")
        legend(figure, known, lines=True)
        place_labels(axes, kept, shown)
    return figure


def _lines(run: Scored) -> list[list[Row]]:
    """Return the looks that have an accuracy on the run's own selection split, those of a stage together."""
    learned = [row for row in run.history if row["epoch"] and row.get(_KEY) is not None]
    if not run.stages:
        return [learned] if learned else []
    own = [stage.name for stage in stages_of(run) if stage.chosen_on_own_data]
    found = [[row for row in learned if row["stage"] == name] for name in own]
    return [rows for rows in found if rows]


def _kept(run: Scored) -> Row | None:
    """Return the look whose weights are the run's, if it is among those drawn."""
    if run.stages:
        stages = stages_of(run)
        kept = stages[-1].kept if stages and stages[-1].chosen_on_own_data else None
        return kept if kept is not None and kept.get(_KEY) is not None else None
    marked = [row["epoch"] for row in run.history if row.get("best")]
    best = run.facts.get("best_epoch", marked[-1] if marked else None)
    return next((row for row in run.history if row["epoch"] == best and row.get(_KEY) is not None), None)


def _axis(runs: Sequence[Scored]) -> tuple[str, Callable[[Scored, Row], float]]:
    sizes = {_samples(run, run.history[0]) for run in runs if by_epoch(run)}
    if all(by_epoch(run) for run in runs) and len(sizes - {None}) <= 1:
        return "Epoch", lambda _, row: float(row["epoch"])
    if all(_samples(run, row) is not None for run in runs for row in run.history):
        return "Samples seen", lambda run, row: float(_samples(run, row) or 0)
    key = "step"
    return "Share of the training, %", lambda run, row: 100 * _at(row, key) / _at(run.history[-1], key)


def _at(row: Row, key: str) -> float:
    return float(row.get(key) or row["epoch"])


def _samples(run: Scored, row: Row) -> int | None:
    """Return the samples seen at a look; older versions did not count them, but passed over all of them each epoch."""
    if row.get("samples") is not None:
        return int(row["samples"])
    an_epoch = (run.provenance.get("data", {}).get("train") or {}).get("questions")
    return None if an_epoch is None else int(an_epoch) * int(row["epoch"])

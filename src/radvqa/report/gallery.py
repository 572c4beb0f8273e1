"""Which figures stand in which part of the page, with what they show in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from radvqa.report import figures
from radvqa.report.comparison import Comparison
from radvqa.report.curriculum import by_epoch
from radvqa.report.numbers import plural
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BARS = 6  # runs in one figure of bars; more cannot be told apart
MOST_KINDS = 4  # runs in a figure that has a bar for each part and run

Drawn = tuple["Figure | None", str, str]  # figure, what it shows, what to know when reading it


def gallery(comparison: Comparison, part: str) -> list[dict[str, str]]:
    """Draw the figures of one part of the page: ``uri``, ``alt`` and ``caption`` of each that has something to show."""
    return [
        {"uri": figures.to_data_uri(figure), "alt": alt, "caption": caption}
        for figure, alt, caption in _PARTS[part](comparison)
        if figure is not None
    ]


def _scores(comparison: Comparison) -> Iterator[Drawn]:
    firsts, runs = comparison.firsts, comparison.runs
    shown = list(runs) if len(runs) <= MOST_BARS else firsts[:MOST_BARS]
    left_out = "" if len(shown) == len(runs) else f" {plural(len(shown), 'run')} shown, all in the table."
    yield (
        figures.by_subset(shown),
        "Accuracy beside the trivial baselines",
        f"Bars: accuracy; whiskers: 95 % interval. The grey bars never see a picture.{left_out}",
    )
    yield (
        figures.metric_bars(shown),
        "Metrics of each run, for all, open and closed questions",
        f"The same answers under several metrics; whiskers: 95 % interval.{left_out}",
    )
    yield (
        figures.em_f1_lines(shown),
        "Exact match and token-F1 of each run, for all, open and closed questions",
        f"Token-F1 gives part of the credit for part of the words, so it is never below exact match.{left_out}",
    )


def _slices(comparison: Comparison) -> Iterator[Drawn]:
    firsts = comparison.firsts
    seeds = " Of runs that differ in the seed the first is shown." if len(firsts) < len(comparison.runs) else ""
    yield (
        figures.slices(firsts[:MOST_KINDS]),
        f"The weakest parts of the test for {firsts[0].name}, other runs beside it",
        f"In the order of {firsts[0].name}; whiskers: 95 % interval.{seeds}",
    )
    yield (
        figures.by_question_type(firsts[:MOST_KINDS]),
        "Accuracy by question type",
        f"Whiskers: 95 % interval; wide where a type has few questions.{seeds}",
    )


def _rules(comparison: Comparison) -> Iterator[Drawn]:
    yield (
        figures.rule_spread(comparison.firsts),
        "Accuracy of each run under each published rule",
        "A strip reaches from the strictest to the mildest rule. Where two strips overlap, the choice of the rule can "
        "turn the order of the models.",
    )


def _confidence(comparison: Comparison) -> Iterator[Drawn]:
    yield (
        figures.reliability(comparison.firsts),
        "Accuracy against confidence",
        "On the diagonal, answers given with 80 % confidence are right in 80 % of cases; below it the model is too "
        "sure of itself.",
    )
    yield (
        figures.risk_coverage(comparison.firsts),
        "Share of wrong answers by the share of questions answered",
        "To the left the model answers only what it is most sure of. A line that falls to the left means that its "
        "doubt is worth listening to.",
    )


def _answers(comparison: Comparison) -> Iterator[Drawn]:
    for run in comparison.firsts:
        yield (
            figures.long_tail(run),
            f"How often answers occur, and how often {run.name} is right about them",
            f"{run.name}. {figures.tail_caption(run)}",
        )
    for run in comparison.firsts:
        yield (
            figures.confusion(run),
            f"Which answers {run.name} gives for which gold answers",
            f"{run.name}. Each row is a gold answer and sums to 100 %; the diagonal is right.",
        )


def _probes(comparison: Comparison) -> Iterator[Drawn]:
    for run in comparison.runs:
        if run.probes is not None:
            yield (
                figures.probe_bars(run, run.probes),
                f"Accuracy of {run.name} before and after each change",
                f"{run.name}: pairs of bars over the same questions.",
            )


def _cost(comparison: Comparison) -> Iterator[Drawn]:
    yield (
        figures.accuracy_against_cost(comparison.runs),
        "Accuracy against parameters, training time, operations, memory and seconds per question",
        "Higher and further to the left is better; whiskers: 95 % interval. Times and memory compare only between "
        "runs of one machine.",
    )
    yield (
        figures.overlay(comparison.runs),
        "Validation accuracy over the training, all runs",
        "On the selection split, not on the test; a mark is the look whose weights were kept. Over epochs where these "
        "are alike in all runs, else over the samples seen.",
    )
    for run in comparison.firsts:
        yield (
            figures.training_curves(run),
            f"Training curves of {run.name}",
            f"{run.name}. {_curves_caption(run)}",
        )


def _curves_caption(run: Scored) -> str:
    if len(run.stages) > 1:
        return (
            "Dotted lines: the look of each stage whose weights were kept. Losses of stages with other data or "
            "another mix do not compare."
        )
    return f"Dotted line: the {'epoch' if by_epoch(run) else 'look'} whose weights were kept."


_PARTS = {
    "scores": _scores,
    "slices": _slices,
    "rules": _rules,
    "confidence": _confidence,
    "answers": _answers,
    "probes": _probes,
    "cost": _cost,
}

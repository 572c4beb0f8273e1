"""The parts of one comparison's section, in the order of the page: what each shows, and one sentence why."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from radvqa.report.budget import budget_table
from radvqa.report.calibration import calibration_table
from radvqa.report.choices import other_tables
from radvqa.report.comparison import Comparison
from radvqa.report.costs import cost_table, parameters_table
from radvqa.report.curriculum import stages_table
from radvqa.report.diagnosis.tables import lead, short_tables
from radvqa.report.differing import differing_table
from radvqa.report.gallery import gallery
from radvqa.report.grid import Table
from radvqa.report.paired import paired_table
from radvqa.report.probes import probe_table, probe_warnings
from radvqa.report.published import published_tables
from radvqa.report.rules import rules_table, spread_sentence
from radvqa.report.slices import slices_table, small_slices_table
from radvqa.report.tables import scores_table, text_table


@dataclass(frozen=True)
class Part:
    """A part of the page between two headings.

    Attributes:
        key: names it in addresses within the page.
        title: its heading.
        intro: what it is for.
        tables: shown at once.
        figures: ``uri``, ``alt`` and ``caption`` of each.
        folded: tables that open on demand.
        lead: what the tables say, in sentences above them.
    """

    key: str
    title: str
    intro: str
    tables: tuple[Table, ...]
    figures: tuple[dict[str, str], ...] = ()
    folded: tuple[Table, ...] = ()
    lead: tuple[str, ...] = ()


def parts(comparison: Comparison) -> list[Part]:
    """Return the parts that have something to show."""
    return [part for part in _all(comparison) if part.tables or part.figures or part.folded]


def warnings(comparison: Comparison) -> list[str]:
    """Say what a reader must know before believing any number: failed probes, unequal budgets, missing answers."""
    found = []
    several = len(comparison.runs) > 1
    for run in comparison.runs:
        said = [] if run.probes is None else probe_warnings(run.probes)
        missing = run.scores.get("missing")
        if missing:
            said.append(
                f"{missing:,} of {run.scores['questions']:,} questions have no prediction; they count as wrong."
            )
        found += [f"{run.name}: {sentence}" if several else sentence for sentence in said]
    return [*found, *comparison.notes]


def _all(comparison: Comparison) -> Iterator[Part]:
    runs = comparison.runs
    several = len(comparison.groups) > 1
    apart = tuple(pair.sentence for pair in comparison.paired)
    by_rule = tuple(said for group in comparison.groups if (said := spread_sentence(group)) is not None)
    yield Part(
        "scores",
        "Scores",
        "Every row answered the same questions. The grey rows never see a picture; a model that does not beat them has "
        "not shown that it looks at one.",
        (scores_table(runs),),
        tuple(gallery(comparison, "scores")),
    )
    yield Part(
        "differences",
        "Is the difference real?" if several else "",
        "Differences question by question, which shows smaller ones than two separate intervals can.",
        _without(paired_table(comparison.paired), apart),
        lead=apart,
    )
    yield Part(
        "slices",
        "Weakest parts",
        "A mean hides where a model fails. These are parts of the test by what is asked and shown.",
        _given(slices_table(runs)),
        tuple(gallery(comparison, "slices")),
        _given(small_slices_table(runs)),
    )
    yield Part(
        "fails",
        "Where it fails",
        "Groups of questions by every label, template, answer, look and quality of the picture, and by pairs of these, "
        "in the order of how sure the drop is. The page that radvqa diagnose writes has examples and maps.",
        tuple(diagnosis_tables(comparison)),
        lead=tuple(diagnosis_leads(comparison)),
    )
    yield Part(
        "rules",
        "The same answers under other rules",
        "Papers decide in different ways what counts as correct. Numbers by different rules do not compare; this is "
        "how far apart they are on these very answers.",
        _without(rules_table(runs), by_rule),
        tuple(gallery(comparison, "rules")),
        lead=by_rule,
    )
    yield Part(
        "overlap",
        "Overlap of words",
        "Metrics for longer answers, which give credit for words in common with the gold answer.",
        (*_given(text_table(runs)), *other_tables(runs)),
    )
    yield Part(
        "confidence",
        "Confidence",
        "Whether a model knows when it does not know.",
        _given(calibration_table(runs)),
        tuple(gallery(comparison, "confidence")),
    )
    yield Part(
        "probes",
        "Does it look at the image?",
        "The same questions with blank, wrong and disturbed pictures, and with changed words.",
        tuple(probe_tables(comparison)),
        tuple(gallery(comparison, "probes")),
        lead=_unprobed(comparison),
    )
    yield Part(
        "answers",
        "Rare and confused answers",
        "Most answers of medical data sets are rare, and a model may do well without knowing them.",
        (),
        tuple(gallery(comparison, "answers")),
    )
    yield Part(
        "cost",
        "Training and cost",
        "What each run cost and how its weights were chosen. Without an equal budget a better number does not make a "
        "better model.",
        (*stage_tables(comparison), *_given(budget_table(runs)), *_given(cost_table(runs))),
        tuple(gallery(comparison, "cost")),
        (*_given(differing_table(comparison.groups)), *_given(parameters_table(comparison.firsts))),
    )
    yield Part(
        "published",
        "What others published",
        "Rows stand beside ours only where they were measured in the same way; the others say why they cannot.",
        tuple(published_tables(runs)),
    )


def stage_tables(comparison: Comparison) -> Iterator[Table]:
    """Yield the stages of each curriculum, of runs that differ in the seed those of the first."""
    several = len(comparison.runs) > 1
    for run in comparison.firsts:
        table = stages_table(run, named=several)
        if table is not None:
            yield table


def probe_tables(comparison: Comparison) -> Iterator[Table]:
    """Yield the probes of each run that has them; where there are several runs the title says whose they are."""
    for run in comparison.runs:
        if run.probes is not None:
            table = probe_table(run.probes)
            yield table if len(comparison.runs) == 1 else replace(table, title=f"{run.name}: {table.title}")


def diagnosis_tables(comparison: Comparison) -> Iterator[Table]:
    """Yield what diagnosing found of each run that has it; where there are several runs the title says whose it is."""
    for run in comparison.runs:
        for table in short_tables(run.diagnosis) if run.diagnosis is not None else ():
            yield table if len(comparison.runs) == 1 else replace(table, title=f"{run.name}: {table.title}")


def diagnosis_leads(comparison: Comparison) -> Iterator[str]:
    """Yield the main findings about each run in sentences."""
    for run in comparison.runs:
        for said in lead(run.diagnosis)[1:] if run.diagnosis is not None else ():
            yield said if len(comparison.runs) == 1 else f"{run.name}: {said}"


def _unprobed(comparison: Comparison) -> tuple[str, ...]:
    names = ", ".join(run.name for run in comparison.runs if run.probes is None)
    return (f"Not tested: {names}. The command “radvqa probe RUN” does it.",) if names else ()


def _without(table: Table | None, said: tuple[str, ...]) -> tuple[Table, ...]:
    """Return a table without the notes that the page says above it."""
    return () if table is None else (replace(table, notes=tuple(n for n in table.notes if n not in said)),)


def _given(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)

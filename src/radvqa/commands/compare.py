"""``radvqa compare``: runs and predictions files side by side, with what separates a real difference from luck."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from radvqa.commands.own_data import full_name
from radvqa.report.budget import budget_table
from radvqa.report.comparison import Comparison, compare_runs
from radvqa.report.costs import cost_table
from radvqa.report.differing import differing_table
from radvqa.report.grid import Table, print_table
from radvqa.report.html import report
from radvqa.report.paired import paired_table
from radvqa.report.parts import stage_tables
from radvqa.report.published import published_tables
from radvqa.report.results import results_page
from radvqa.report.rules import rules_table
from radvqa.report.tables import scores_table


def compare(
    runs: Sequence[Path],
    *,
    data: str | None = None,
    split: str | None = None,
    html: Path | None = None,
    markdown: Path | None = None,
) -> dict[str, Any]:
    """Compare scored runs and predictions files; those on several data sets are compared data set by data set.

    Args:
        runs: run folders and predictions files. Runs that differ in the seed alone make one group, and every later
            group is also compared question by question with the first. A file is scored here; where it answers the
            questions of a run beside it, it is laid on that run's data set.
        data: data set to compare on; by default each run's own.
        split: split to compare on; by default each run's own test split.
        html: write a report that is one file here.
        markdown: write a page of results here.

    Returns:
        Plain values: ``datasets``, each with its ``runs`` (name, seed, scores by subset with intervals, slices, rules,
        calibration, budget), ``groups`` (mean and sd over seeds), ``baselines``, ``published``, ``paired`` and
        ``notes``.

    Raises:
        RunError: when a run is missing, unfinished or not scored, or runs on one data set were scored on different
            splits or with different normalisers.
        DataError: when a predictions file cannot be read.
    """
    from radvqa import files

    comparisons = compare_runs(runs, data=full_name(data), split=split)
    # Both pages are made before one is written, so that a failure leaves none half new.
    pages = []
    if html is not None:
        pages.append((html, report(comparisons)))
    if markdown is not None:
        pages.append((markdown, results_page(comparisons)))
    for path, text in pages:
        files.write_text(path, text)
    return {"datasets": [comparison.as_json() for comparison in comparisons]}


def show(
    runs: Sequence[Path],
    *,
    brief: bool = False,
    data: str | None = None,
    split: str | None = None,
    stream: IO[str] | None = None,
) -> None:
    """Print the comparison for people: the tables of each data set.

    Args:
        runs: run folders and predictions files.
        brief: print the table of scores only.
        data: as for ``compare``.
        split: as for ``compare``.
        stream: where to print; stdout by default.

    Raises:
        RunError: as ``compare``.
        DataError: as ``compare``.
    """
    for comparison in compare_runs(runs, data=full_name(data), split=split):
        for table in [scores_table(comparison.runs)] if brief else _tables(comparison):
            print_table(table, stream)


def _tables(comparison: Comparison) -> list[Table]:
    runs = comparison.runs
    tables = [
        scores_table(runs),
        paired_table(comparison.paired),
        rules_table(runs, explained=False),
        *stage_tables(comparison),
        budget_table(runs),
        cost_table(runs),
        differing_table(comparison.groups),
    ]
    tables += [table for table in published_tables(runs) if table.title.endswith("not comparable")]
    return [table for table in tables if table is not None]

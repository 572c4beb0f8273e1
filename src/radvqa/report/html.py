"""The report: one HTML file with everything in it, that loads nothing from anywhere and runs no script."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

import radvqa
from radvqa import files
from radvqa.report import sentences
from radvqa.report.comparison import LOOKUP, Comparison, compare_runs
from radvqa.report.examples import Example, examples
from radvqa.report.grid import Table, to_html
from radvqa.report.numbers import mean_sd, percent, plural, with_interval, without_folders
from radvqa.report.scored import Group, Scored
from radvqa.report.tables import budget_table, paired_table, published_tables, scores_table, types_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BARS = 6  # runs in one figure of bars; more cannot be told apart
MOST_KINDS = 4  # runs in the figure of question types, which has a bar for each type and run


def write_report(runs: Sequence[Path], path: Path, *, data: str | None = None, split: str | None = None) -> None:
    """Write a page about one run or several.

    Args:
        runs: the run folders; those on one data set share a section.
        path: the HTML file.
        data: data set to report on; by default each run's own.
        split: split to report on; by default each run's own test split.

    Raises:
        RunError: when a run is unfinished, not scored, or scored on another test than its neighbours.
    """
    files.write_text(path, report(compare_runs(runs, data=data, split=split)))


def report(comparisons: Sequence[Comparison]) -> str:
    """Return the page as text, one section for each comparison."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = (resources.files("radvqa.report") / "templates" / "page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        title=_title(comparisons),
        eyebrow=" · ".join(comparison.test for comparison in comparisons),
        description=sentences.accuracy(comparisons[0].groups[0]),
        version=radvqa.__version__,
        research_only=sentences.RESEARCH_ONLY,
        sections=[_section(comparison) for comparison in comparisons],
    )


def _title(comparisons: Sequence[Comparison]) -> str:
    runs = [run for comparison in comparisons for run in comparison.runs]
    if len(runs) == 1:
        return runs[0].title
    recipes = sum(len(comparison.groups) for comparison in comparisons)
    if recipes == 1:
        return f"{runs[0].title}, {comparisons[0].groups[0].size}"
    return f"Comparison of {plural(recipes, 'model')}"


def _section(comparison: Comparison) -> dict[str, Any]:
    shown = examples(comparison.runs)
    return {
        "test": comparison.test,
        "headlines": [_headline(group, comparison) for group in comparison.groups],
        "scores": _table(scores_table(comparison.runs)),
        "paired": _table(paired_table(comparison.paired)),
        "types": _table(types_table(comparison.runs)),
        "published": [_table(table) for table in published_tables(comparison.runs)],
        "budget": _table(budget_table(comparison.runs)),
        "figures": _figures(comparison),
        "examples": [_example(example) for example in shown],
        "confident": any(answer.confidence is not None for example in shown for answer in example.answers),
        "runs": [_made(run) for run in comparison.runs],
    }


def _table(table: Table | None) -> Any:
    """Render a table for the page; to_html escapes every text that it is given, so nothing is escaped twice."""
    from markupsafe import Markup

    return "" if table is None else Markup(to_html(table))  # noqa: S704


def _headline(group: Group, comparison: Comparison) -> dict[str, Any]:
    """Prepare the large number, its bar, and its sentence."""
    low: float | None
    high: float | None
    spread = group.mean_sd("overall", "accuracy")
    overall = group.runs[0].scores["subsets"]["overall"]
    if spread is not None:
        value, (low, high) = spread[0], (spread[0] - spread[1], min(1.0, spread[0] + spread[1]))
        said, around = percent(value), f"± {percent(spread[1])} ({group.size})"
        label = f"{mean_sd(*spread)} %"
    else:
        value, interval = overall["accuracy"], overall.get("accuracy_interval")
        low, high = interval or (None, None)
        said, around = percent(value), f"[{percent(low)}, {percent(high)}]" if interval else ""
        label = f"{with_interval(value, interval)} %"
    lookup = group.runs[0].scores.get("baselines", {}).get(LOOKUP, {}).get("overall", {}).get("accuracy")
    return {
        "value": said,
        "spread": around,
        "label": label,
        "width": _width(value),
        "low": _width(low),
        "high": _width(high),
        "lookup": _width(lookup),
        "sentence": sentences.headline(group, comparison),
    }


def _width(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 1)


def _figures(comparison: Comparison) -> list[dict[str, str]]:
    from radvqa.report.figures import by_question_type, by_subset, long_tail, training_curves

    firsts = [group.runs[0] for group in comparison.groups]
    shown = list(comparison.runs) if len(comparison.runs) <= MOST_BARS else firsts[:MOST_BARS]
    left_out = "" if len(shown) == len(comparison.runs) else f" {plural(len(shown), 'run')} shown, all in the table."
    drawn: list[tuple[Figure | None, str, str]] = [
        (
            by_subset(shown),
            "Accuracy beside the trivial baselines",
            f"Bars: accuracy; whiskers: 95 % interval. The grey bars never see a picture.{left_out}",
        ),
        (
            by_question_type(firsts[:MOST_KINDS]),
            "Accuracy by question type",
            "Whiskers: 95 % interval; wide where a type has few questions."
            + (" Of runs that differ in the seed the first is shown." if len(firsts) < len(comparison.runs) else ""),
        ),
    ]
    for run in firsts:
        drawn.append(
            (training_curves(run), f"Training curves of {run.name}", "Dotted line: the epoch whose weights were kept.")
        )
        drawn.append(
            (
                long_tail(run),
                f"Accuracy of {run.name} by how often an answer occurs",
                f"{run.name}: accuracy of each gold answer by its count. Counts are of the scored split.",
            )
        )
    return [_figure(figure, alt, caption) for figure, alt, caption in drawn if figure is not None]


def _figure(figure: "Figure", alt: str, caption: str) -> dict[str, str]:
    from radvqa.report.figures import to_data_uri

    return {"uri": to_data_uri(figure), "alt": alt, "caption": caption}


def _example(example: Example) -> dict[str, Any]:
    from radvqa.report.figures.style import as_data_uri

    asked = example.asked
    kind = (asked.question_type, asked.answer_type.lower(), asked.modality, asked.organ)
    return {
        "uri": as_data_uri(example.picture),
        "image": asked.image or asked.id,
        "question": asked.question,
        "truth": asked.answer,
        "kind": " · ".join(part for part in kind if part),
        "answers": example.answers,
    }


def _made(run: Scored) -> dict[str, str]:
    return {
        "name": run.name,
        "made": sentences.made(run),
        "recipe": _yaml(run.recipe),
        "provenance": _yaml(run.provenance),
    }


def _yaml(value: Any) -> str:
    return yaml.safe_dump(without_folders(value), sort_keys=False, allow_unicode=True, width=100)

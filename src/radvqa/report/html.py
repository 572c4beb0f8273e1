"""The report: one HTML file with everything in it, that loads nothing from anywhere."""

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

import radvqa
from radvqa import files
from radvqa.report import sentences
from radvqa.report.comparison import LOOKUP, Comparison, compare_runs
from radvqa.report.disagreements import browser
from radvqa.report.examples import Example, examples
from radvqa.report.grid import breakable, to_html
from radvqa.report.numbers import mean_sd, percent, plural, with_interval, without_folders
from radvqa.report.parts import Part, parts, warnings
from radvqa.report.rules import spread as rule_spread
from radvqa.report.scored import Group, Scored
from radvqa.report.thumbnails import MOST

_EXAMPLES = 6


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
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = lambda text: Markup(breakable(text))  # noqa: S704 - escaped there
    script = _template("browser.js")
    page = environment.from_string(_template("page.html.j2")).render(
        title=_title(comparisons),
        eyebrow=" · ".join(comparison.test for comparison in comparisons),
        description=sentences.accuracy(comparisons[0].groups[0]),
        version=radvqa.__version__,
        research_only=sentences.RESEARCH_ONLY,
        style=Markup(_template("page.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        sections=[_section(comparison, i, MOST // len(comparisons)) for i, comparison in enumerate(comparisons, 1)],
    )
    # JSON may hold half of a surrogate pair, which no file can
    return page.encode("utf-8", "replace").decode("utf-8")


def _template(name: str) -> str:
    return (resources.files("radvqa.report") / "templates" / name).read_text(encoding="utf-8")


def _title(comparisons: Sequence[Comparison]) -> str:
    runs = [run for comparison in comparisons for run in comparison.runs]
    if len(runs) == 1:
        return runs[0].title
    recipes = sum(len(comparison.groups) for comparison in comparisons)
    if recipes == 1:
        return f"{runs[0].title}, {comparisons[0].groups[0].size}"
    return f"Comparison of {plural(recipes, 'model')}"


def _section(comparison: Comparison, number: int, pictures: int) -> dict[str, Any]:
    shown = examples(comparison.runs, _EXAMPLES)
    return {
        "number": number,
        "test": comparison.test,
        "asked": sentences.asked(comparison),
        "headlines": [_headline(group, comparison) for group in comparison.groups],
        "warnings": warnings(comparison),
        "probed": any(run.probes is not None for run in comparison.runs),
        "parts": [_part(part) for part in parts(comparison)],
        "browser": _browser(comparison, pictures),
        "several": len(comparison.runs) > 1,
        "examples": [_example(example) for example in shown],
        "confident": any(answer.confidence is not None for example in shown for answer in example.answers),
        "runs": [_made(run) for run in comparison.runs],
    }


def _part(part: Part) -> dict[str, Any]:
    """Render the tables of a part; to_html escapes every text that it is given, so nothing is escaped twice."""
    from markupsafe import Markup

    return {
        "key": part.key,
        "title": part.title,
        "intro": part.intro,
        "lead": part.lead,
        "tables": [Markup(to_html(table)) for table in part.tables],  # noqa: S704
        "figures": part.figures,
        "folded": [{"title": table.title, "table": Markup(to_html(table))} for table in part.folded],  # noqa: S704
    }


def _browser(comparison: Comparison, pictures: int) -> dict[str, Any]:
    """Prepare the questions for the page's script; the JSON cannot end the element that it stands in."""
    from markupsafe import Markup

    found = browser(comparison, pictures)
    return {**found, "data": Markup(found["data"]), "pictures": Markup(found["pictures"])}  # noqa: S704


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
    rules = rule_spread(group)
    return {
        "name": group.label,
        "value": said,
        "spread": around,
        "label": label,
        "width": _width(value),
        "low": _width(low),
        "high": _width(high),
        "lookup": _width(lookup),
        "rules": None if rules is None else f"{percent(rules[1])} to {percent(rules[2])} % by published rules",
        "sentence": sentences.headline(group, comparison),
        "verdict": sentences.short_verdict(group, comparison),
    }


def _width(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 1)


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
    known = bool(run.recipe)
    return {
        "name": run.name,
        "made": sentences.made(run),
        "recipe": _yaml(run.recipe) if known else "",
        "provenance": _yaml(run.provenance) if known else "",
    }


def _yaml(value: Any) -> str:
    return yaml.safe_dump(without_folders(value), sort_keys=False, allow_unicode=True, width=100)

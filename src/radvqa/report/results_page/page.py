"""The whole page: what was reached in a few lines, then every section; numbers come from run folders alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import RadvqaError
from radvqa.report import sentences
from radvqa.report.grid import markdown_text
from radvqa.report.results_page import shown
from radvqa.report.results_page.ablation import ablation
from radvqa.report.results_page.again import RUNS, Fill, fill_recipe
from radvqa.report.results_page.blind import blind
from radvqa.report.results_page.fair import fair
from radvqa.report.results_page.headline import headline
from radvqa.report.results_page.part import Part
from radvqa.report.results_page.plan import AnySection, Plan, read_plan, systems
from radvqa.report.results_page.protocol import protocol
from radvqa.report.results_page.shelf import Shelf, Whose, nobody

MOST_LINES = 8
"""Lines at the beginning that say what was reached."""

_MAKERS: dict[str, Callable[[Any, Shelf], Part]] = {
    "headline": headline,
    "ablation": ablation,
    "fair": fair,
    "blind": blind,
    "protocol": protocol,
    "curves": shown.curves,
    "scaling": shown.scaling,
    "examples": shown.examples,
    "existing": shown.existing,
    "tried": shown.tried,
}

_READING = f"""\
How to read this page:

- Values are percent. Brackets hold the 95 % interval over the test questions; whole pictures (or patients, where they
  are known) are drawn, because questions about one picture stand or fall together. ± is over training seeds.
- What was chosen was chosen on the selection split that the tables of protocols name, never on the test.
- “Not distinguishable” means that the interval of the paired difference holds 0, or that it does after Holm's
  adjustment for several comparisons; what difference would go unseen stands beside it.
- Published rows are as reported. Rows of another protocol stand apart with the reason, and rank nothing.
- `{RUNS}/` in commands is the folder of the run folders."""


@dataclass(frozen=True)
class Written:
    """A page, made but not yet written.

    Attributes:
        text: the Markdown.
        figures: path → PNG.
        lines: what was reached and found.
        sections: title, kind and numbers of each section.
        missing: names of runs that were not ready.
    """

    text: str
    figures: Mapping[Path, bytes]
    lines: Sequence[str]
    sections: Sequence[Mapping[str, Any]]
    missing: Sequence[str]


def make_page(
    plan_file: Path,
    runs: Path,
    out: Path,
    *,
    partial: bool = False,
    fill: Fill = fill_recipe,
    whose: Whose = nobody,
) -> Written:
    """Make the page from its file and the run folders.

    Args:
        plan_file: the YAML file.
        runs: folder of the run folders.
        out: where the page will be; its figures lie in a folder beside it that has its name.
        partial: whether runs may be missing; their rows then say so, with the command that makes them.
        fill: fills in recipes, to tell the commands that make runs again.
        whose: says whose the pictures of a data set are.

    Raises:
        RadvqaError: for a page file that cannot be used, and as the sections.
        RunError: for a missing or damaged run.
    """
    plan = read_plan(plan_file)
    rows = [row for section in plan.sections for row in systems(section)]
    shelf = Shelf(runs, rows, partial=partial, fill=fill, whose=whose)
    names = _named(plan)
    made = [(name, section, _MAKERS[section.kind](section, shelf)) for name, section in names.items()]
    lines = opening([part for _, _, part in made])
    figures = {out.parent / out.stem / name: content for _, _, part in made for name, content in part.figures.items()}
    missing = list(dict.fromkeys(lacking.name for row in rows for lacking in shelf.take(row).missing))
    return Written(
        _text(plan, plan_file, [(section, part) for _, section, part in made], lines, out.stem, partial=bool(missing)),
        figures,
        lines,
        [{"name": name, "kind": section.kind, "title": section.title, **part.facts} for name, section, part in made],
        missing,
    )


def write_page(made: Written, out: Path) -> None:
    """Write figures, then the page that shows them."""
    for path, content in made.figures.items():
        files.write_bytes(path, content)
    files.write_text(out, made.text)


def opening(parts: Sequence[Part]) -> list[str]:
    """Gather the lines of the page's beginning: what was to be reached first, then what was found, eight at most."""
    found = [*(line for part in parts for line in part.reached), *(line for part in parts for line in part.found)]
    return found[:MOST_LINES]


def _named(plan: Plan) -> dict[str, AnySection]:
    """Give every section a name of its own, which its figures have."""
    named: dict[str, AnySection] = {}
    for section in plan.sections:
        name = section.name or section.kind
        if name in named:
            if section.name:
                raise RadvqaError(f"Two sections are named {name!r}; give each its own.")
            number = 2
            while f"{name}-{number}" in named:
                number += 1
            name = f"{name}-{number}"
        named[name] = section.model_copy(update={"name": name})
    return named


def _text(
    plan: Plan,
    plan_file: Path,
    made: Sequence[tuple[AnySection, Part]],
    lines: Sequence[str],
    figures: str,
    *,
    partial: bool,
) -> str:
    called = plan_file.as_posix() if not plan_file.is_absolute() else plan_file.name
    whole = " --partial" if partial else ""
    parts = [
        f"<!-- generated by `radvqa results {called} --runs {RUNS}{whole}`; do not edit -->",
        f"# {markdown_text(plan.title)}",
        "\n".join(f"- {markdown_text(line)}" for line in lines),
        plan.intro.strip(),
        sentences.RESEARCH_ONLY,
        _READING,
    ]
    for section, part in made:
        parts += [f"## {markdown_text(section.title)}", section.intro.strip()]
        parts += [block.replace("{figures}", figures) for block in part.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"

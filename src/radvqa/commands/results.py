"""``radvqa results``: the page of results, made from run folders by one command."""

from pathlib import Path
from typing import IO, Any


def results(page: Path, *, runs: Path, out: Path | None = None, partial: bool = False) -> dict[str, Any]:
    """Write the page of results that a YAML file describes.

    Args:
        page: the YAML file, see ``docs/results.yaml``.
        runs: folder that holds the run folders which it names.
        out: the Markdown file; beside the YAML file by default. Figures go into a folder beside it of the same name.
        partial: write a draft although runs are missing; their rows say so, with the command that makes each.

    Returns:
        ``page``, ``figures``, ``lines`` (what was reached and found), ``sections`` with their numbers, and
        ``missing``, the names of runs that are not ready.

    Raises:
        RadvqaError: for a page file with an unknown key (names the nearest known one) or a value that does not fit,
            and a published row or probe that is not known.
        RunError: when a run is missing or unfinished (names it, and the command that makes it), or is damaged.
    """
    from radvqa.commands.recipes import filled_in
    from radvqa.report.results_page.page import make_page, write_page

    plan = Path(page)
    target = plan.with_suffix(".md") if out is None else Path(out)
    made = make_page(plan, Path(runs), target, partial=partial, fill=filled_in, whose=_whose)
    write_page(made, target)
    return {
        "page": str(target),
        "figures": [str(path) for path in made.figures],
        "lines": list(made.lines),
        "sections": [dict(section) for section in made.sections],
        "missing": list(made.missing),
    }


def _whose(dataset: str) -> str:
    """Say whose the pictures of a known data set are, and under which licence; nothing of data of one's own."""
    from radvqa.data.registry import DATASETS

    known = DATASETS.get(dataset.partition(":")[0])
    if known is None:
        return ""
    facts = known.facts
    return f"Pictures: {facts.title.partition(':')[0]}, {facts.source}, {facts.licence}; made smaller."


def show(result: dict[str, Any], stream: IO[str] | None = None) -> None:
    """Print what was reached, what is missing, and where the page is.

    Args:
        result: of ``results``.
        stream: where to print; stdout by default.
    """
    for line in result["lines"]:
        print(f"- {line}", file=stream)
    if result["missing"]:
        print(f"Not ready: {', '.join(result['missing'])}", file=stream)
    print(result["page"], file=stream)

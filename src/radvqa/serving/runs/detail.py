"""One run as the page tells it; no path of this machine is in it."""

import hashlib
import json
from typing import Any

import yaml

from radvqa import files
from radvqa.errors import RadvqaError
from radvqa.report.budget import budget_table
from radvqa.report.costs import cost_table
from radvqa.report.curriculum import stages_table
from radvqa.report.numbers import without_folders
from radvqa.report.scored import Scored
from radvqa.run import Answers, Run
from radvqa.serving.runs.listed import scored_on

_SUBSETS = ("overall", "open", "closed")
_METRICS = ("accuracy", "top5", "macro_f1", "token_f1")


def detail(run: Run) -> dict[str, Any]:
    """Tell everything of a run that its page shows.

    Returns:
        ``recipe``, as YAML; ``card``, as Markdown, empty before there is one; ``scores``, for each data set and split
        the metrics of each subset with intervals; ``tables`` of stages, budget and costs; ``provenance`` with its
        ``digest``.
    """
    provenance = _part(lambda: without_folders(run.provenance), {})
    return {
        "recipe": _part(lambda: _yaml(run.recipe), ""),
        "card": _part(lambda: without_folders(files.read_text(run.folder / "README.md")), ""),
        "scores": _part(lambda: [_scores(run, answers) for answers in scored_on(run)], []),
        "tables": _tables(run),
        "provenance": {
            "digest": hashlib.sha256(json.dumps(provenance, sort_keys=True).encode()).hexdigest(),
            "text": _yaml(provenance),
        },
    }


def _part(read: Any, otherwise: Any) -> Any:
    """Read a part of a run; what is not there yet, or is being written, is left out."""
    try:
        return read()
    except (RadvqaError, yaml.YAMLError, OSError):
        return otherwise


def _tables(run: Run) -> list[dict[str, Any]]:
    if not run.finished:
        return []
    known = Scored.from_run(run, run.answers(), {})
    made = (stages_table(known), budget_table([known]), cost_table([known]))
    return [without_folders(table.as_json()) for table in made if table is not None]


def _scores(run: Run, answers: Answers) -> dict[str, Any]:
    scores = run.scores(answers)
    return {
        "dataset": answers.dataset,
        "split": answers.split,
        "normaliser": scores.get("normaliser"),
        "clustered_by": scores.get("clustered_by"),
        "interval": scores.get("interval"),
        "subsets": [
            {
                "subset": name,
                "questions": found.get("n"),
                "clusters": found.get("clusters"),
                "metrics": {
                    metric: {"value": found[metric], "interval": found.get(f"{metric}_interval")}
                    for metric in _METRICS
                    if found.get(metric) is not None
                },
            }
            for name in _SUBSETS
            if (found := scores.get("subsets", {}).get(name))
        ],
        "notes": without_folders(scores.get("notes") or []),
    }


def _yaml(value: Any) -> str:
    return yaml.safe_dump(without_folders(value), sort_keys=False, allow_unicode=True, width=100) if value else ""

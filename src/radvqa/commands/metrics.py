"""``radvqa metrics``: every metric and published rule, with what it counts and where it comes from."""

from pathlib import Path
from typing import Any

from radvqa import files


def metrics(*, markdown: Path | None = None) -> dict[str, Any]:
    """List metrics and published scoring rules.

    Args:
        markdown: write the page ``docs/evaluation.md`` here.

    Returns:
        Plain values: ``metrics`` and ``rules``, each name → title, meaning and source.
    """
    from radvqa.report.evaluation import evaluation_page
    from radvqa.scoring.metric import METRICS
    from radvqa.scoring.rule import RULES

    if markdown is not None:
        files.write_text(markdown, evaluation_page())
    return {
        "metrics": {
            name: {"title": metric.title, "meaning": metric.meaning, "source": metric.source}
            for name, metric in METRICS.items()
        },
        "rules": {
            name: {"title": rule.title, "meaning": rule.meaning, "source": rule.source} for name, rule in RULES.items()
        },
    }

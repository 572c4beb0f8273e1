"""Tables of what readers said about answers."""

from collections.abc import Mapping
from typing import Any

from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, percent, with_interval


def judgement_tables(found: Mapping[str, Any]) -> list[Table]:
    """Lay a summary of judgements out: models, then readers two by two."""
    tables = [_models(found)]
    if found["agreement"]:
        tables.append(_agreement(found))
    return tables


def _models(found: Mapping[str, Any]) -> Table:
    rows = []
    for one in found["models"]:
        automatic = one["automatic"] or {}
        rows.append(
            Row(
                (
                    one["model"],
                    *(count(one[key]) for key in ("judgements", "right", "wrong", "unsure")),
                    with_interval(one["share"], one["interval"]),
                    percent(automatic.get("same")),
                    _kappa(automatic.get("kappa")),
                )
            )
        )
    return without_empty(
        Table(
            "Answers as readers judge them",
            (
                "Model",
                "Judgements",
                "Right",
                "Wrong",
                "Unsure",
                "Held right, %",
                "As the score, %",
                "Kappa with the score",
            ),
            tuple(rows),
            (
                "Held right: of the answers that somebody holds right or wrong; where readers differ an answer counts "
                "in part. In brackets the 95 % bootstrap interval over pictures; none where all are held alike.",
                "As the score: how often a reader says what exact match with the stored answer says, of samples alone.",
                "Whoever asks chooses the questions, so these shares say nothing about other questions.",
            ),
        )
    )


def _agreement(found: Mapping[str, Any]) -> Table:
    rows = tuple(
        Row((" and ".join(one["reviewers"]), count(one["pairs"]), percent(one["same"]), _kappa(one["kappa"])))
        for one in found["agreement"]
    )
    return Table(
        "Readers on the same answers",
        ("Readers", "Answers", "Same verdict, %", "Kappa"),
        rows,
        ("Kappa: agreement beyond chance; 1 is full, 0 is what chance brings.",),
    )


def _kappa(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.2f}"

"""What others published on the same test, beside ours only where it was measured in the same way."""

from collections.abc import Sequence
from typing import Any

from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import reported
from radvqa.report.scored import SUBSETS, Scored


def published(runs: Sequence[Scored]) -> list[dict[str, Any]]:
    """Gather published results, one entry for each method and protocol with its values by subset.

    Returns:
        Entries with ``method``, ``protocol``, ``source``, ``evidence``, ``comparable``, ``why``, ``values``
        (subset → percent) and ``known`` (whether a value is of a subset that our tables have).
    """
    keys = ("method", "protocol", "source", "evidence", "comparable", "why")
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run in runs:
        for row in run.scores.get("published", []):
            identity = {key: row.get(key, "") for key in keys}
            entry = entries.setdefault(tuple(identity.values()), {**identity, "values": {}})
            entry["values"][row["subset"]] = row["value_percent"]
    for entry in entries.values():
        entry["known"] = any(subset in SUBSETS for subset in entry["values"])
    return list(entries.values())


def published_tables(runs: Sequence[Scored]) -> list[Table]:
    """List published results: first those that may be compared, then those that may not, each with the reason."""
    tables = []
    for comparable, title in ((True, "Published, comparable"), (False, "Published, not comparable")):
        rows = [
            Row(
                (
                    entry["method"],
                    *(_published_value(entry, subset) for subset in SUBSETS),
                    _others(entry),
                    entry["protocol"],
                    entry["why"],
                    "; ".join(part for part in (entry["source"], entry["evidence"]) if part),
                ),
                "published",
            )
            for entry in published(runs)
            if entry["comparable"] is comparable
        ]
        if rows:
            notes, words = ("As reported, without intervals.",), frozenset({"Other", "Protocol", "Why", "Source"})
            columns = ("Method", "Overall", "Open", "Closed", "Other", "Protocol", "Why", "Source")
            tables.append(without_empty(Table(title, columns, tuple(rows), notes, words)))
    return tables


def _published_value(entry: dict[str, Any], subset: str) -> str:
    return reported(entry["values"].get(subset))


def _others(entry: dict[str, Any]) -> str:
    return ", ".join(f"{name} {reported(value)}" for name, value in entry["values"].items() if name not in SUBSETS)

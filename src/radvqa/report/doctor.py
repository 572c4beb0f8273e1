"""Terminal text of the doctor: how the samples are read and learned, and what the checks found."""

import textwrap
from collections.abc import Mapping
from typing import Any

from radvqa.report.grid import Row, Table, print_table

_WIDTH = 110  # letters of a line of running text
_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


def show_examination(report: Mapping[str, Any]) -> None:
    """Print the decoded samples, then a line for each finding."""
    if report["decoded"]:
        print_table(_decoded(report))
    for finding in report["findings"]:
        mark = "~" if finding["accepted"] else _MARKS[finding["level"]]
        accepted = " (accepted by the recipe)" if finding["accepted"] else ""
        line = f"{mark} {finding['check']}: {finding['sentence']}{accepted}"
        print(textwrap.fill(line, _WIDTH, subsequent_indent="    ", break_long_words=False))
    counts = f"{len(report['errors'])} errors, {len(report['warnings'])} warnings"
    print(f"{report['recipe']} ({report['family']}): {counts}, {report['seconds']:.1f} s")


def _decoded(report: Mapping[str, Any]) -> Table:
    body = tuple(
        Row(
            (
                row["prompt"],
                row["learned"],
                row["gold"],
                ", ".join(f"{kind} {number}" for kind, number in row["ignored"].items() if number) or "–",
            )
        )
        for row in report["decoded"]
    )
    columns = ("Prompt", "Learned", "Gold", "Ignored positions")
    return Table(f"{report['recipe']}: what is read and what is learned", columns, body, words=frozenset(columns))

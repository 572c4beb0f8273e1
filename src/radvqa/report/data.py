"""Terminal text about data sets: what there is, and what a check found."""

from collections.abc import Mapping, Sequence
from typing import Any

from radvqa.report.grid import Row, Table, print_table

_SHOWN = 20


def show_list(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the known data sets."""
    body = tuple(
        Row(
            (
                row["name"] + (" (default)" if row["default"] else ""),
                " / ".join(f"{split} {count:,}" for split, count in row["splits"].items()),
                row["licence"],
                "yes" if row["present"] else "no",
            )
        )
        for row in rows
    )
    columns = ("Name", "Questions", "Licence", "Here")
    print_table(Table("Data sets", columns, body, words=frozenset(columns)))
    for row in rows:
        for note in row["notes"] if row["default"] else ():
            print(f"{row['name'].partition(':')[0]}: {note}")
        if row["warning"]:
            print(f"{row['name']}: {row['warning']}")


def show_check(report: Mapping[str, Any]) -> None:
    """Print what a check found beside what was published."""
    body = tuple(
        Row(
            (
                split,
                f"{found['rows']:,} of {found['rows_published']:,}",
                f"{found['images']:,} of {found['images_published']:,}",
                found["digest"][:16] + (" = known" if found["digest"] == found["digest_known"] else ""),
                "✓" if found["matches"] else "✗",
            )
        )
        for split, found in report["splits"].items()
    )
    title = f"{report['name']}: found, of what was published"
    print_table(Table(title, ("Split", "Rows", "Images", "Digest", "As published"), body))
    print(f"{report['pictures_decoded']:,} pictures decoded.")
    show_left_out(report["left_out"])
    for note in report["notes"]:
        print(f"Note: {note}")


def show_left_out(sentences: Sequence[str]) -> None:
    """Print how many rows and pictures were left out, and the first of them."""
    if sentences:
        print(f"Left out: {len(sentences)} bad rows or pictures.")
    for sentence in sentences[:_SHOWN]:
        print(f"  {sentence}")
    if len(sentences) > _SHOWN:
        print(f"  … and {len(sentences) - _SHOWN} more")

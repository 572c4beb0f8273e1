"""Terminal text about data sets: what there is, what is known about one, and what a check found."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from radvqa.report.grid import Row, Table, print_table
from radvqa.report.numbers import count

_SHOWN = 20
_WIDTH = 110  # letters of a line of running text


def show_list(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the known data sets, their state on this machine, and how to get what is not here."""
    body = tuple(
        Row(
            (
                row["name"] + (" (default)" if row["default"] else ""),
                " / ".join(f"{split} {_number(rows)}" for split, rows in row["splits"].items()),
                row["licence"],
                row["state"],
            )
        )
        for row in rows
    )
    columns = ("Name", "Rows", "Licence", "Here")
    print_table(Table("Data sets", columns, body, words=frozenset(columns)))
    for row in rows:
        if row["state"] == "partly":
            print(f"{row['name']}: not here: {', '.join(row['missing'])}")
    for name, ways in _to_get(rows).items():
        print(f"{name}: {ways}")
    for row in rows:
        if row["warning"]:
            print(f"{row['name']}: {row['warning']}")
    print("`radvqa data explain NAME` tells the traps of one, and how its versions differ.")
    print("Your own pictures and table need no entry: a small YAML file's path stands wherever a name does.")


def show_explain(report: Mapping[str, Any]) -> None:
    """Print all that is known about one data set."""
    print(f"{report['name']}: {report['title']}\n")
    for label, key in (
        ("Source", "source"),
        ("Address", "address"),
        ("Citation", "citation"),
        ("Licence", "licence"),
        ("Terms", "terms"),
        ("How to get it", "how_to_get"),
        ("Pictures", "pictures_apart"),
        ("Smaller copies", "altered"),
        ("Here", "state"),
    ):
        if report[key]:
            print(textwrap.fill(f"{label}: {report[key]}", _WIDTH, subsequent_indent="  ", break_long_words=False))
    print()
    print_table(_versions(report))
    for title, sentences in (
        ("Versions", [f"{version['name']}: {version['summary']}" for version in report["versions"]]),
        (
            "Warnings",
            [f"{version['name']}: {version['warning']}" for version in report["versions"] if version["warning"]],
        ),
        ("How they differ", report["differences"]),
        ("Traps", report["notes"]),
    ):
        if sentences:
            print(f"{title}:")
        for sentence in sentences:
            print(textwrap.fill(f"- {sentence}", _WIDTH, subsequent_indent="  ", break_long_words=False))


def _versions(report: Mapping[str, Any]) -> Table:
    body = tuple(
        Row(
            (
                version["name"] + (" (default)" if version["name"] == report["default"] else ""),
                split,
                _number(known["rows"]),
                _number(known["images"]),
                version["language"],
                (known["digest"] or "–")[:16],
                version["state"],
            )
        )
        for version in report["versions"]
        for split, known in version["splits"].items()
    )
    columns = ("Version", "Split", "Rows", "Images", "Language", "Digest", "Here")
    words = frozenset(("Split", "Language", "Digest", "Here"))
    return Table(f"{report['name']}: what was published (? no number)", columns, body, words=words)


def show_check(report: Mapping[str, Any]) -> None:
    """Print what a check found beside what was published."""
    if not report["published"]:
        _show_own(report)
        return
    body = tuple(
        Row(
            (
                split,
                f"{found['rows']:,} of {_number(found['rows_published'])}",
                f"{found['images']:,} of {_number(found['images_published'])}",
                found["digest"][:16] + (" = known" if found["digest"] == found["digest_known"] else ""),
                "✓" if found["matches"] else "✗",
            )
        )
        for split, found in report["splits"].items()
    )
    title = f"{report['name']}: found, of what was published"
    print_table(Table(title, ("Split", "Rows", "Images", "Digest", "As published"), body))
    print(report["pictures_apart"] or f"{report['pictures_decoded']:,} pictures decoded.")
    for sentence in report["altered"]:
        print(f"Altered: {sentence}")
    if report["smaller_copies"]:
        print(f"Smaller copies: {report['smaller_copies']}")
    show_left_out(report["left_out"])
    for note in report["notes"]:
        print(f"Note: {note}")


def _show_own(report: Mapping[str, Any]) -> None:
    """Print what was found in data of one's own, of which nothing is published to compare with."""
    body = tuple(
        Row((split, count(found["rows"]), count(found["images"]), found["digest"][:16]))
        for split, found in report["splits"].items()
    )
    print_table(Table(f"{report['name']}: found", ("Split", "Rows", "Images", "Digest"), body))
    print(f"{count(report['pictures_decoded'])} pictures decoded.")
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


def _to_get(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return how to get each data set of which something is not here."""
    return {row["name"].partition(":")[0]: row["how_to_get"] for row in rows if row["state"] != "here"}


def _number(known: int | None) -> str:
    return count(known) if known else "?"

"""Terminal text about data sets that come in or go out: the licence to agree to, and what was written."""

from collections.abc import Mapping
from typing import Any

_MEGABYTE = 10**6


def licence_text(name: str, title: str, licence: str, terms: str, page: str) -> list[str]:
    """Write what a user must know before agreeing, a line each."""
    lines = [f"{name}: {title}", f"Licence: {licence}"]
    if terms:
        lines.append(f"Terms: {terms}")
    return [*lines, f"Source: {page}"]


def show_fetch(result: Mapping[str, Any]) -> None:
    """Print what was fetched, and what to do next."""
    if result["already"]:
        print(f"{result['name']} is already in {result['folder']}.")
    else:
        size = sum(one["size"] for one in result["files"])
        print(f"{result['name']}: {_count(len(result['files']), 'file')}, {_megabytes(size)}, in {result['folder']}")
    for one in result["files"]:
        checked = "as published" if one["published"] else "measured, none was published"
        holds = f", {_count(one['members'], 'file')} in it" if one["members"] is not None else ""
        print(f"  {one['url']}: {_megabytes(one['size'])}{holds}, SHA-256 {one['sha256']} ({checked})")
    _show_licence(result)
    if result["how_to_get"]:
        print(f"Note: {result['how_to_get']}")
    print(f"Next: radvqa data check {result['name']}")


def show_export(result: Mapping[str, Any]) -> None:
    """Print what was written, and under which licence it stays."""
    print(
        f"{result['folder']}: {_count(result['rows'], 'row')} on {_count(result['pictures'], 'picture')} of "
        f"{result['name']} ({result['format']})"
    )
    for split, rows in result["splits"].items():
        print(f"  {split}: {_count(rows, 'row')}")
    for sentence in result["left_out"]:
        print(f"  left out: {sentence}")
    print("The copy stays under the data set's licence; its card (README.md) says so.")
    _show_licence(result)


def _show_licence(result: Mapping[str, Any]) -> None:
    print(f"Licence: {result['licence']}")
    if result["terms"]:
        print(f"Terms: {result['terms']}")
    if result["citation"]:
        print(f"Cite: {result['citation']}")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f} MB" if size >= _MEGABYTE // 10 else f"{size:,} bytes"

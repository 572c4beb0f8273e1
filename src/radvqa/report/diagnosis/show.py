"""Terminal text about a diagnosis."""

from collections.abc import Mapping
from typing import Any

from radvqa.report.data import show_left_out
from radvqa.report.diagnosis.tables import judged_table, lead, short_tables
from radvqa.report.grid import print_table


def show_diagnosis(found: Mapping[str, Any]) -> None:
    """Print what ``radvqa diagnose`` found."""
    for sentence in lead(found):
        print(sentence)
    print()
    for table in short_tables(found):
        print_table(table)
    for note in found["notes"]:
        print(f"Note: {note}")
    show_left_out(found["left_out"])
    print(f"The page: {found['page']}")
    print(f"To be judged by an expert: {found['sheet']} (or sheet.csv beside it)")


def show_judged(found: Mapping[str, Any]) -> None:
    """Print what filled sheets came to."""
    table = judged_table(found)
    if table is None:
        print("Nothing was judged.")
    else:
        print_table(table)
    print(f"The page: {found['page']}")

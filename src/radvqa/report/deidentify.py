"""Terminal summary of a de-identification: numbers of files, reasons and boxes, and nothing out of the files."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from radvqa.report.grid import Row, Table, print_table
from radvqa.report.numbers import count, plural

_EXAMPLES = 20  # refused or masked files that are listed one by one


def show_deidentified(report: Mapping[str, Any]) -> None:
    """Print what ``radvqa.commands.deidentify`` did."""
    print(f"{count(report['written'])} of {plural(report['files'], 'file')} de-identified.")
    if report["not_dicom"]:
        print(f"{plural(report['not_dicom'], 'file')} left out: not DICOM.")
    if report["attributes"]:
        print_table(attribute_table(report))
    for title, rows in (("Refused", report["refused"]), ("Left out", report["same"])):
        if rows:
            print_table(_reasons(title, rows))
    if report["masked"]:
        print_table(masked_table(report))
        print("A heuristic found these regions. Look at every picture before you pass it on.")
    if report["burned_in_text_kept"]:
        print(
            f"{plural(report['burned_in_text_kept'], 'picture')} of a kind that usually has text burned in "
            f"{'was' if report['burned_in_text_kept'] == 1 else 'were'} written with nothing masked: look at every one."
        )
    if report["key"]:
        print(f"\nKey of this run, kept nowhere: {report['key']}")
        print(
            "With it, later files of the same patients and series get the same new numbers. Keep it secret or drop it."
        )


def attribute_table(report: Mapping[str, Any]) -> Table:
    """How many attributes each effect had, and of how many kinds."""
    kinds: Counter[str] = Counter(row["effect"] for row in report["attributes"])
    times: Counter[str] = Counter()
    for row in report["attributes"]:
        times[row["effect"]] += row["times"]
    rows = tuple(Row((effect, count(kinds[effect]), count(times[effect]))) for effect in sorted(kinds))
    return Table("Attributes", ("Effect", "Kinds", "Times"), rows)


def masked_table(report: Mapping[str, Any]) -> Table:
    """The masked boxes of each file."""
    rows = tuple(
        Row((str(row["file"]), "; ".join(f"{w} × {h} at {x}, {y}" for x, y, w, h in row["boxes"])))
        for row in report["masked"][:_EXAMPLES]
    )
    columns = ("File", "Boxes: width × height at left, top")
    return Table("Masked text regions", columns, rows, notes=_rest(len(report["masked"])), words=frozenset(columns[1:]))


def _reasons(title: str, reasons: list[dict[str, Any]]) -> Table:
    rows = tuple(Row((str(row["file"]), row["reason"])) for row in reasons[:_EXAMPLES])
    note = "Files are counted from 1 in the order of their paths, byte by byte; their names may identify."
    return Table(title, ("File", "Reason"), rows, notes=(note, *_rest(len(reasons))), words=frozenset({"Reason"}))


def _rest(total: int) -> tuple[str, ...]:
    return (f"{count(total - _EXAMPLES)} more are in the output of --json.",) if total > _EXAMPLES else ()

"""Terminal tables about leaks: what every two splits share, the first examples, the files written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radvqa.report.data import show_left_out
from radvqa.report.grid import Row, Table, print_table
from radvqa.report.numbers import UNDEFINED, count, plural

_KINDS = {
    "same_picture": "same picture",
    "near": "near-duplicate",
    "same_question": "same question",
    "near_question": "same question, near-duplicate",
    "rephrased": "rephrasing",
}
_EXAMPLES = 2  # of each kind for every two splits


def show_leaks(report: Mapping[str, Any]) -> None:
    """Print what ``radvqa.commands.leaks`` found."""
    print_table(leak_table(report))
    examples = example_table(report)
    if examples.rows:
        print_table(examples)
    if report["written"]:
        print_table(written_table(report))
    show_left_out(report["left_out"])
    for note in report["notes"]:
        print(f"Note: {note}")


def leak_table(report: Mapping[str, Any]) -> Table:
    """One row for every two splits that share something."""
    near = report["near_duplicate"]
    sharing = [pair for pair in report["pairs"] if _shares(pair)]
    rest = len(report["pairs"]) - len(sharing)
    nothing = (f"{plural(rest, 'other pair')} of splits {'shares' if rest == 1 else 'share'} nothing.",) if rest else ()
    return Table(
        "What the splits share",
        (
            "Splits",
            "Same pictures",
            "Near-duplicates",
            "Same question",
            "and answer",
            "Near, same question",
            "Rephrased",
        ),
        tuple(_pair_row(pair) for pair in sharing),
        notes=(
            *nothing,
            "Numbers count pictures and questions of the second split; rephrasings count those questions of the first "
            "split that put a question of the second in other words.",
            "Same pictures: equal after decoding. Same question: equal but for case and punctuation, about the same "
            "picture.",
            f"Near-duplicates: grey thumbnails of {near['thumbnail']} × {near['thumbnail']} pixels correlate at least "
            f"{near['least_correlation']}, and perceptual hashes differ in at most {near['most_bits']} of 64 bits; "
            f"flipped, turned or cropped copies are not found.",
        ),
    )


def _shares(pair: Mapping[str, Any]) -> bool:
    return any(any(pair[kind]["touched"]) for kind in _KINDS)


def example_table(report: Mapping[str, Any]) -> Table:
    """The first examples of each kind for every two splits."""
    rows = [
        Row((f"{pair['first']} → {pair['second']}", label, str(example[0]), str(example[1]), _correlation(example)))
        for pair in report["pairs"]
        for kind, label in _KINDS.items()
        for example in pair[kind]["examples"][:_EXAMPLES]
    ]
    columns = ("Splits", "Kind", "First", "Second", "Correlation")
    return Table("First examples", columns, tuple(rows), words=frozenset(columns[:4]))


def written_table(report: Mapping[str, Any]) -> Table:
    """The split files that were written, at least one."""
    kinds = ("rephrasings", "questions", "pictures", "near")
    rows = [
        Row(
            (
                Path(written["path"]).name,
                f"{written['dataset']} {written['split']}",
                count(written["kept"]),
                *(count(written["left_out"].get(kind, 0)) for kind in kinds),
            )
        )
        for written in report["written"]
    ]
    titles = ("Rephrasings", "Same question", "Same picture", "Near-duplicate")
    return Table(
        "Split files: rows kept, and left out by reason",
        ("File", "Part of", "Kept", *titles),
        tuple(rows),
        notes=(
            f"The files lie in {Path(report['written'][0]['path']).parent}. A file's path stands for a split wherever "
            f"one is named, for instance data.train=PATH.",
        ),
        words=frozenset({"Part of"}),
    )


def _pair_row(pair: Mapping[str, Any]) -> Row:
    pictures, questions = pair["pictures"][1], pair["questions"][1]
    near = pair["near"]
    near_touched = f"{plural(near['pairs'], 'pair')}, {_of(near['touched'][1], pictures)}" if near["pairs"] else "0"
    asked = all(pair["questions"])
    return Row(
        (
            f"{pair['first']} → {pair['second']}",
            _of(pair["same_picture"]["touched"][1], pictures),
            near_touched,
            *(
                _of(pair[kind]["touched"][1], questions) if asked else UNDEFINED
                for kind in ("same_question", "same_answer", "near_question")
            ),
            _of(pair["rephrased"]["touched"][0], pair["questions"][0]) if asked else UNDEFINED,
        )
    )


def _of(number: int, total: int) -> str:
    return f"{count(number)} of {count(total)}" if number else "0"


def _correlation(example: list[Any]) -> str:
    return f"{example[2]:.3f}" if len(example) > 2 else ""

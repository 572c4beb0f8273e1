"""The tables about explored data sets."""

from collections.abc import Mapping, Sequence
from typing import Any

from radvqa.report.figures.style import plain
from radvqa.report.grid import Row, Table
from radvqa.report.numbers import UNDEFINED, count, percent, plural, without_folders

_LETTERS = 60  # of an answer that is an example
_TOP = 12  # answers of one table
_LABELS = 40  # rows of a table of labels; the rest is one row
_NOT_LABELLED = "(not labelled)"

Counts = Mapping[str, Any]

KINDS = {"question_types": "Kind of question", "modalities": "Modality", "organs": "Body part"}
MIXED = {"categories": "Kind of question", "modalities": "Modality", "regions": "Body region"}


def sizes_table(data_sets: Sequence[Counts], title: str = "Rows, pictures and texts") -> Table:
    """One row for each split of each data set."""
    rows = [
        Row(
            (
                _split_name(data_set, split, data_sets),
                count(counts["rows"]),
                count(counts["images"]),
                count(counts["cases"]) if counts["cases"] else UNDEFINED,
                count(counts["questions"]["raw"]),
                count(counts["vocabulary"]),
                _length(counts["question_length"]),
                _length(counts["answer_length"]),
                count(counts["repeated"]["rows"]),
            )
        )
        for data_set in data_sets
        for split, counts in data_set["splits"].items()
    ]
    names = sorted({data_set["normaliser"] for data_set in data_sets})
    return Table(
        title,
        (
            "Split",
            "Rows",
            "Images",
            "Cases",
            "Distinct questions",
            "Question words",
            "Question length",
            "Answer length",
            "Repeated",
        ),
        tuple(rows),
        notes=(
            f"Lengths are mean (largest) in tokens after the normaliser {' or '.join(names)}; question words: distinct "
            f"tokens of all questions, without the two that a model adds for padding and the unknown.",
            "Repeated: rows that ask the question of an earlier row about the same picture again, word for word.",
        ),
    )


def answers_table(data_sets: Sequence[Counts], title: str = "Answers") -> Table:
    """Distinct answers and how often they occur, one row for each split."""
    rows = [
        Row(
            (
                _split_name(data_set, split, data_sets),
                *(count(counts["answers"][form]) for form in ("raw", "lower", "normalised")),
                count(counts["answers"]["once"]),
                _times(counts["answers"]["percentiles"]),
            )
        )
        for data_set in data_sets
        for split, counts in data_set["splits"].items()
    ]
    return Table(
        title,
        ("Split", "Distinct", "lower case", "normalised", "Once", "Times: 50/75/90/95/99/100 %"),
        tuple(rows),
        notes=(
            "Once: normalised answers that occur a single time. Times: percentiles of how often a normalised answer "
            "occurs.",
        ),
    )


def types_table(data_sets: Sequence[Counts], title: str = "Closed and open questions") -> Table:
    """Closed and open shares, one row for each split."""
    kinds = ("CLOSED", "OPEN")
    rows = [
        Row(
            (
                _split_name(data_set, split, data_sets),
                *(_share(counts["answer_types"][kind]["rows"], counts["rows"]) for kind in kinds),
                *(count(counts["answer_types"][kind]["unique"]) for kind in kinds),
            )
        )
        for data_set in data_sets
        for split, counts in data_set["splits"].items()
    ]
    columns = ("Split", "Closed rows", "Open rows", "Closed: distinct answers", "Open: distinct answers")
    return Table(title, columns, tuple(rows))


def training_table(data_sets: Sequence[Counts], title: str = "What training has seen") -> Table | None:
    """How the other splits differ from training; None when no data set has both."""
    rows = []
    for data_set in data_sets:
        for split, counts in data_set["splits"].items():
            against = counts["against_training"]
            if against is None:
                continue
            unseen, seen = against["unseen_answers"], against["questions_seen"]
            rows.append(
                Row(
                    (
                        _split_name(data_set, split, data_sets),
                        _of(unseen["rows"], against["rows"]),
                        f"{count(unseen['CLOSED'])} / {count(unseen['OPEN'])}",
                        _of(seen["verbatim"], against["rows"]),
                        count(seen["normalised"]),
                        count(against["pairs_seen"]),
                        count(against["new_words"]),
                        "; ".join(plain(answer, _LETTERS) for answer in unseen["examples"][:2]),
                    )
                )
            )
    if not rows:
        return None
    return Table(
        title,
        (
            "Split",
            "Unseen answers",
            "closed / open",
            "Questions seen verbatim",
            "normalised",
            "about the same picture",
            "New words",
            "Unseen answers, for instance",
        ),
        tuple(rows),
        notes=(
            "Unseen answers: rows whose normalised gold answer is not in training, so that no classifier can give it. "
            "Questions seen: rows whose question is in training.",
        ),
        words=frozenset({"Unseen answers, for instance"}),
    )


def top_table(counts: Counts, title: str) -> Table:
    """The most frequent answers of a split, of all, closed and open questions."""
    columns = [counts["answers"]["top"], *(counts["answer_types"][kind]["top"] for kind in ("CLOSED", "OPEN"))]
    depth = min(_TOP, max(map(len, columns)))
    rows = [Row((str(place + 1), *(cell for top in columns for cell in _answer(top, place)))) for place in range(depth)]
    names = ("All", "All: times", "Closed", "Closed: times", "Open", "Open: times")
    return Table(title, ("Rank", *names), tuple(rows), words=frozenset(names[::2]))


def labels_table(data_set: Counts, key: str) -> Table | None:
    """Rows by label, a column for each split; None when the data set does not label it."""
    everything = data_set["all"][key]
    if set(everything) <= {""}:
        return None
    splits = list(data_set["splits"].values())
    named = [label for label in everything if label]
    shown = named if len(named) <= _LABELS else named[: _LABELS - 1]
    rows = [(label.replace("_", " "), [counts[key].get(label, 0) for counts in splits]) for label in shown]
    rest = named[len(shown) :]
    if rest:
        numbers = [sum(counts[key].get(label, 0) for label in rest) for counts in splits]
        rows.append((f"({plural(len(rest), 'other label')})", numbers))
    if "" in everything:
        rows.append((_NOT_LABELLED, [counts[key].get("", 0) for counts in splits]))
    return Table(
        f"{data_set['name']}: {KINDS[key].lower()}",
        (KINDS[key], *data_set["splits"]),
        tuple(
            Row((label, *(_share(n, counts["rows"]) for n, counts in zip(numbers, splits, strict=True))))
            for label, numbers in rows
        ),
    )


def totals_table(found: Counts) -> Table:
    """Rows, words and tokens of the data sets side by side, and of all together."""
    mix = found["mix"]
    related = len({name.partition(":")[0] for name in found["names"]}) < len(found["names"])
    rows = [_total(total) for total in mix["totals"]]
    if len(rows) > 1:
        keys = ("rows", "images", "words", "text_tokens", "image_tokens")
        summed = {key: sum(total[key] for total in mix["totals"]) for key in keys}
        rows.append(Row(_total({"name": "Together", "share": 1.0, **summed}).cells, "mean"))
    return Table(
        "Size in tokens",
        ("Data set", "Rows", "Images", "Words", "Text tokens", "Picture tokens", "All tokens", "Share"),
        tuple(rows),
        notes=(
            f"Words as published, of question, options, answer and case text; all splits. Text tokens are an estimate: "
            f"a word has one for every four letters begun, a Chinese sign one. Picture tokens: every row shows its "
            f"picture, {mix['tokens_per_image']:,} tokens each; another model has other numbers.",
            *(("Versions of one data set share pictures and rows, which are counted in each.",) if related else ()),
        ),
    )


def mix_table(mix: Counts, kind: str) -> Table | None:
    """Rows by label, a column for each data set; None when no data set labels it."""
    entries = mix[kind]
    if not any(entry["label"] for entry in entries):
        return None
    totals = mix["totals"]
    shown = [(entry["label"].replace("_", " "), entry["rows"]) for entry in entries if entry["label"]]
    if len(shown) > _LABELS:
        rest = shown[_LABELS - 1 :]
        summed = [sum(numbers) for numbers in zip(*(numbers for _, numbers in rest), strict=True)]
        shown = [*shown[: _LABELS - 1], (f"({plural(len(rest), 'other label')})", summed)]
    shown += [(_NOT_LABELLED, entry["rows"]) for entry in entries if not entry["label"]]
    everything = sum(total["rows"] for total in totals)
    return Table(
        f"{MIXED[kind]}, rows and shares",
        (MIXED[kind], *(total["name"] for total in totals), "Together"),
        tuple(
            Row(
                (
                    label,
                    *(_share(n, total["rows"]) for n, total in zip(numbers, totals, strict=True)),
                    _share(sum(numbers), everything),
                )
            )
            for label, numbers in shown
        ),
        notes=("Labels are grouped into regions by the words in them.",) if kind == "regions" else (),
    )


def pictures_table(data_sets: Sequence[Counts], title: str = "Pictures") -> Table:
    """Sizes and colours of the pictures, one row for each split."""
    rows = []
    for data_set in data_sets:
        for split, counts in data_set["splits"].items():
            pictures = counts["pictures"]
            top = ", ".join(f"{width}×{height}\u00a0({number:,})" for width, height, number in pictures["top"][:3])
            rows.append(
                Row(
                    (
                        _split_name(data_set, split, data_sets),
                        count(pictures["pictures"]),
                        _span(pictures["width"]),
                        _span(pictures["height"]),
                        count(pictures["sizes"]),
                        top,
                        f"{count(pictures['grey'])} / {count(pictures['colour'])}",
                        count(pictures["unreadable"]),
                    )
                )
            )
    why = [data_set["all"]["pictures"]["why"] for data_set in data_sets]
    return Table(
        title,
        ("Split", "Files", "Width", "Height", "Sizes", "Most frequent", "Grey / colour", "Unreadable"),
        tuple(rows),
        notes=(
            "Width and height: smallest, median, largest, in pixels. Grey or colour as the file's header says; grey "
            "pictures are often stored with colours.",
            *(f"Unreadable, the first: {without_folders(sentence)}" for sentence in why if sentence),
        ),
        words=frozenset({"Most frequent"}),
    )


def near_table(near: Counts) -> Table:
    """Equal and nearly equal pictures, one row for every two splits that have some."""
    rows = [
        Row(
            (
                pair["first"] if pair["first"] == pair["second"] else f"{pair['first']} → {pair['second']}",
                _of(pair["same"], pair["pictures"][1]),
                count(pair["near"]),
                _of(pair["touched"][1], pair["pictures"][1]),
                "; ".join(f"{one}, {other} ({r:.3f})" for one, other, r in pair["examples"][:1]),
            )
        )
        for pair in near["pairs"]
    ]
    return Table(
        "Near-duplicate pictures",
        ("Splits", "Same", "Near pairs", "Pictures in them", "Most similar"),
        tuple(rows),
        notes=(
            "Same: pictures of the second split, or later ones of the same, whose decoded pixels were met before.",
            f"Near: grey thumbnails of {near['thumbnail']} × {near['thumbnail']} pixels correlate at least "
            f"{near['least_correlation']}, and perceptual hashes differ in at most {near['most_bits']} of 64 bits.",
            *(() if rows else ("No two pictures are equal or nearly so.",)),
        ),
        words=frozenset({"Most similar"}),
    )


def _split_name(data_set: Counts, split: str, data_sets: Sequence[Counts]) -> str:
    return split if len(data_sets) == 1 else f"{data_set['name']} {split}"


def _length(length: Counts) -> str:
    return UNDEFINED if length["mean"] is None else f"{length['mean']:.2f} ({length['max']:,})"


def _times(percentiles: Mapping[str, float]) -> str:
    return " / ".join(f"{value:,.1f}".removesuffix(".0") for value in percentiles.values()) or UNDEFINED


def _share(number: int, total: int) -> str:
    return f"{count(number)} ({percent(number / total)} %)" if number else "0"


def _of(number: int, total: int) -> str:
    return f"{count(number)} of {count(total)}" if number else "0"


def _answer(top: Sequence[Sequence[Any]], place: int) -> tuple[str, str]:
    if place >= len(top):
        return ("", "")
    answer, times = top[place]
    return (plain(answer, _LETTERS) or "(nothing left)", count(times))


def _span(span: Sequence[float] | None) -> str:
    return UNDEFINED if span is None else " – ".join(f"{value:,.0f}" for value in span)


def _total(total: Counts) -> Row:
    tokens = total["text_tokens"] + total["image_tokens"]
    numbers = (total["rows"], total["images"], total["words"], total["text_tokens"], total["image_tokens"], tokens)
    share = UNDEFINED if total["share"] is None else f"{percent(total['share'])} %"
    return Row((total["name"], *map(count, numbers), share))

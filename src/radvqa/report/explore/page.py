"""The page about explored data sets: one HTML file with everything in it, without a script."""

from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import radvqa
from radvqa import files
from radvqa.report import sentences
from radvqa.report.explore import tables
from radvqa.report.explore.thumbnails import as_address
from radvqa.report.figures import explore_answers, explore_lengths, explore_mix, explore_shares, explore_sizes, style
from radvqa.report.grid import Table, breakable, to_html
from radvqa.report.numbers import count, percent, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LETTERS = 180  # of an answer on a card

Drawn = tuple["Figure | None", str, str]  # figure, what it shows, what to know when reading it


def write_page(found: Mapping[str, Any], pictures: Mapping[str, bytes], path: Path) -> None:
    """Write the page.

    Args:
        found: what ``radvqa.commands.explore`` counted.
        pictures: WebP of the samples shown, by id; a sample without one has no card.
        path: the HTML file.
    """
    files.write_text(path, page(found, pictures))


def page(found: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    """Return the page as text."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = lambda text: Markup(breakable(text))  # noqa: S704 - escaped there
    data_sets = found["data_sets"]
    several = len(data_sets) > 1
    sections = [_section(data_set, number, pictures) for number, data_set in enumerate(data_sets, start=1)]
    text = environment.from_string(_template("explore.html.j2")).render(
        title="Data sets side by side" if several else f"What is in {data_sets[0]['name']}",
        eyebrow=" · ".join(found["names"]),
        description=f"What is in {', '.join(found['names'])}: questions, answers, pictures.",
        version=radvqa.__version__,
        research_only=sentences.RESEARCH_ONLY,
        style=Markup(_template("page.css")),  # noqa: S704 - our own file
        headlines=[_headline(section, total) for section, total in zip(sections, found["mix"]["totals"], strict=True)],
        warnings=list(_warnings(found)),
        together=list(_together(found)),
        sections=sections,
        several=several,
    )
    return text.encode("utf-8", "replace").decode("utf-8")  # a file cannot hold half of a surrogate pair


def _template(name: str) -> str:
    return (resources.files("radvqa.report") / "templates" / name).read_text(encoding="utf-8")


def _headline(section: Mapping[str, Any], total: Mapping[str, Any]) -> dict[str, Any]:
    counts = section["counts"]
    closed, rows = counts["answer_types"]["CLOSED"]["rows"], counts["rows"]
    return {
        "name": section["name"],
        "rows": count(rows),
        "about": f"rows about {plural(counts['images'], 'image')}",
        "closed": round(100 * closed / rows, 1) if rows else 0.0,
        "label": f"{percent(closed / rows if rows else None)} % closed questions",
        "sentence": f"{plural(counts['answers']['normalised'], 'distinct answer')}; {_questions(counts)}"
        f"{count(total['words'])} words in all.",
    }


def _questions(counts: Mapping[str, Any]) -> str:
    if not counts["vocabulary"]:  # captions answer no question
        return ""
    length = counts["question_length"]["mean"]
    return f"{count(counts['vocabulary'])} different words in questions of {length:.1f} on average; "


def _warnings(found: Mapping[str, Any]) -> Iterator[str]:
    several = len(found["data_sets"]) > 1
    for data_set in found["data_sets"]:
        if data_set["warning"]:
            yield f"{data_set['name']}: {data_set['warning']}" if several else data_set["warning"]
        unreadable = data_set["all"]["pictures"]["unreadable"]
        if unreadable:
            yield f"{data_set['name']}: {plural(unreadable, 'picture')} could not be read."
    if found["left_out"]:
        yield f"Bad rows and pictures left out: {count(len(found['left_out']))}."


def _part(
    key: str,
    title: str,
    intro: str,
    shown: Iterable[Table | None],
    drawn: Iterable[Drawn],
    folded: Iterable[Table | None] = (),
) -> dict[str, Any]:
    """Render a part; to_html escapes every text that it is given, so nothing is escaped twice."""
    from markupsafe import Markup

    return {
        "key": key,
        "title": title,
        "intro": intro,
        "tables": [Markup(to_html(table)) for table in shown if table is not None],  # noqa: S704
        "folded": [
            {"title": table.title, "table": Markup(to_html(table))}  # noqa: S704
            for table in folded
            if table is not None
        ],
        "figures": [
            {"uri": style.to_data_uri(figure), "alt": alt, "caption": caption}
            for figure, alt, caption in drawn
            if figure is not None
        ],
    }


def _together(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts about all data sets together."""
    mix, several = found["mix"], len(found["data_sets"]) > 1
    if several:
        yield _part(
            "mix",
            "The mix",
            "What a model would see that trained on all of them, every row once. Labels that the data sets spell alike "
            "are counted together; no label is translated.",
            [tables.totals_table(found)],
            _mix_figures(mix),
            [tables.mix_table(mix, kind) for kind in tables.MIXED],
        )
        yield _part(
            "beside",
            "Texts side by side",
            "Lengths and answers of every split.",
            [
                tables.sizes_table(found["data_sets"]),
                tables.answers_table(found["data_sets"]),
                tables.types_table(found["data_sets"]),
            ],
            [
                (
                    explore_lengths.lengths_beside(found["data_sets"]),
                    "Share of rows by length of question and answer, a line for each data set",
                    "All splits together. The axes end where 99.5 % of the rows are shown.",
                )
            ],
        )
    if found["near"] is not None:
        yield _part(
            "near",
            "Near-duplicate pictures",
            "Pictures that are equal, or nearly so: neighbouring slices of one scan, or copies. Between training and "
            "test they make a score say less about new patients.",
            [tables.near_table(found["near"])],
            [],
        )


def _mix_figures(mix: Mapping[str, Any]) -> Iterator[Drawn]:
    for kind, title in explore_mix.KINDS.items():
        yield (
            explore_mix.mix_bars(mix, kind),
            f"Rows by {title.lower()}, in parts by data set",
            f"{title}: rows of all data sets together, and their share of all rows.",
        )
    yield (
        explore_mix.mix_map(mix, "categories"),
        "A map of tiles: data sets, and kinds of question within each",
        "Areas are in proportion to rows; a tile too small for its name is described by the bars.",
    )
    yield (
        explore_mix.mix_map(mix, "regions"),
        "A map of tiles: data sets, and body regions within each",
        "The same map by body region; grey where a data set does not label it.",
    )


def _section(data_set: Mapping[str, Any], number: int, pictures: Mapping[str, bytes]) -> dict[str, Any]:
    split = data_set["training"] or next(iter(data_set["splits"]))
    return {
        "number": number,
        "name": data_set["name"],
        "about": [
            ("Title", data_set["title"]),
            ("Version", data_set["version"]),
            ("Source", data_set["source"]),
            ("Licence", data_set["licence"]),
        ],
        "notes": data_set["notes"],
        "counts": data_set["all"],
        "split": split,
        "parts": [part for part in _parts(data_set, split) if part["tables"] or part["figures"] or part["folded"]],
        "samples": [
            {
                **sample,
                "answer": style.plain(sample["answer"], _LETTERS),
                "uri": as_address(pictures[sample["id"]]),
                "kind": _kind(sample),
            }
            for sample in data_set["shown"]
            if sample["id"] in pictures
        ],
    }


def _kind(sample: Mapping[str, str]) -> str:
    parts = (
        sample["answer_type"].lower(),
        sample["question_type"],
        sample["modality"],
        sample["organ"].replace("_", " "),
    )
    return " · ".join(part for part in parts if part)


def _parts(data_set: Mapping[str, Any], split: str) -> Iterator[dict[str, Any]]:
    counts = data_set["splits"][split]
    yield _part(
        "texts",
        "Rows, questions and lengths",
        "How much there is, and how long its texts are.",
        [tables.sizes_table([data_set])],
        [
            (
                explore_lengths.length_histograms(counts),
                "Histograms of question length and answer length",
                f"Split {split}. Tokens after normalisation; dashed: the mean.",
            ),
            (
                explore_shares.answer_types(data_set),
                "Shares of closed and open questions by split",
                "Closed and open as the data set labels them.",
            ),
        ],
    )
    yield _part(
        "answers",
        "Answers",
        "A model that gives the most frequent answers well looks better than it is. This is how few of them hold most "
        "of the rows.",
        [tables.answers_table([data_set]), tables.types_table([data_set])],
        [
            (
                explore_answers.top_answers(counts),
                "The most frequent answers of closed and of open questions",
                f"Split {split}, normalised answers.",
            ),
            (
                explore_answers.answer_frequency(counts),
                "How often each distinct answer occurs, on a linear and on a log scale",
                f"Split {split}. The linear scale shows how few dominate, the log scale the rest.",
            ),
            (
                explore_answers.coverage(counts),
                "Share of rows covered by the most frequent answers",
                f"Split {split}. Dashed: a fifth of the answers, the head; shaded at the end: answers that occur once.",
            ),
        ],
        [tables.top_table(counts, f"Most frequent answers of the split {split}")],
    )
    yield _part(
        "training",
        "What training has seen",
        "Answers that training never saw cannot be right for a classifier; questions that it saw word for word can be "
        "answered from memory.",
        [tables.training_table([data_set])],
        [],
    )
    yield _part(
        "kinds",
        "Kinds of rows",
        "What is asked, and what is shown.",
        [],
        [
            (
                explore_shares.kinds_of_rows(counts),
                "Rows by kind of question, modality and body part",
                f"Split {split}, with the share of its rows.",
            )
        ],
        [tables.labels_table(data_set, key) for key in tables.KINDS],
    )
    yield _part(
        "pictures",
        "Pictures",
        "What the files say of themselves.",
        [tables.pictures_table([data_set])],
        [
            (
                explore_sizes.picture_sizes(data_set["all"]["pictures"]),
                "Width and height of the pictures",
                "All splits. The area of a dot grows with the number of pictures; on the dotted line they are square.",
            )
        ],
    )

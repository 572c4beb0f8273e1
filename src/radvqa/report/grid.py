"""A plain table, and the three ways to show it: terminal, Markdown, HTML."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import IO, Any, Literal

from radvqa.report.numbers import UNDEFINED

Kind = Literal["run", "mean", "seed", "baseline", "published", "row"]

NOTHING = frozenset({"", UNDEFINED})

_GAP = 2  # letters between the columns of a terminal
_WORDS = 44  # letters of a column of words before it wraps

_INTERVAL = re.compile(r"^(\S+) (\[[^\]]*\])$")


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        cells: text, one for each column; the first names the row.
        kind: what the row stands for; the renderings set it apart.
    """

    cells: tuple[str, ...]
    kind: Kind = "row"


@dataclass(frozen=True)
class Table:
    """A titled grid of text with notes below it.

    Attributes:
        title: what the table shows.
        columns: names of the columns.
        rows: the rows, as wide as ``columns``.
        notes: sentences that a reader needs in order not to misread the table.
        words: columns, beside the first, that hold words and not numbers; they are set flush left and may wrap.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"{self.title}: a row has {len(row.cells)} cells for {len(self.columns)} columns")

    def is_words(self, column: int) -> bool:
        """Tell whether a column holds words."""
        return column == 0 or self.columns[column] in self.words

    def as_json(self) -> dict[str, Any]:
        """Return the table as plain values."""
        return {**asdict(self), "words": sorted(self.words)}


def without_empty(table: Table) -> Table:
    """Leave out columns in which no row says anything."""
    kept = [i for i in range(len(table.columns)) if i == 0 or any(row.cells[i] not in NOTHING for row in table.rows)]
    rows = tuple(Row(tuple(row.cells[i] for i in kept), row.kind) for row in table.rows)
    return Table(table.title, tuple(table.columns[i] for i in kept), rows, table.notes, table.words)


def _first_cell(row: Row) -> str:
    return ("· " if row.kind == "seed" else "") + row.cells[0]


def print_table(table: Table, stream: IO[str] | None = None) -> None:
    """Print a table on stdout; columns that do not fit the terminal continue in a second block below.

    Args:
        table: the table.
        stream: where to print instead.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text

    # Text() throughout: names and answers come from files and must not be read as rich's markup.
    console = Console(file=stream, highlight=False)
    widths = _widths(table)
    # A file or a pipe has no width to respect; people widen its window, programs read whole lines.
    if not console.is_terminal:
        console = Console(file=stream, highlight=False, width=max(sum(widths), *(len(n) + 2 for n in table.notes), 80))
    console.print(Text(table.title, style="bold"))
    for columns in _blocks(widths, console.width):
        shown = RichTable(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
        for column in columns:
            words = table.is_words(column)
            justify: Literal["left", "right"] = "left" if words else "right"
            shown.add_column(Text(table.columns[column]), justify=justify, no_wrap=not words, max_width=widths[column])
        for row in table.rows:
            style = {"mean": "bold", "run": "bold", "seed": "dim", "published": "italic"}.get(row.kind, "")
            cells = (_first_cell(row), *row.cells[1:])
            shown.add_row(*(Text(cells[column], style=style) for column in columns))
        console.print(shown)
    for note in table.notes:
        console.print(Padding(Text(note, style="dim"), (0, 0, 0, 2)))
    console.print()


def _widths(table: Table) -> list[int]:
    """Return how much room each column takes, the gap to the next included; long words are given room to wrap."""
    widths = []
    for i, title in enumerate(table.columns):
        longest = max([len(title), *(len(_first_cell(row) if i == 0 else row.cells[i]) for row in table.rows)])
        widths.append((min(longest, _WORDS) if table.is_words(i) else longest) + _GAP)
    return widths


def _blocks(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Split the columns so that each block, led by the first column, fits the width."""
    block, used = [0], widths[0]
    for column in range(1, len(widths)):
        if used + widths[column] > width and len(block) > 1:
            yield block
            block, used = [0], widths[0]
        block.append(column)
        used += widths[column]
    yield block


def markdown_text(text: str) -> str:
    """Make foreign text safe inside a line or table cell of Markdown: it shows as it is and marks up nothing."""
    text = " ".join(text.split())
    text = re.sub(r"([\\`*|~])", r"\\\1", text)
    text = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)  # inside a word it marks up nothing
    return text.replace("](", "]\\(").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_markdown(table: Table, level: int = 3) -> str:
    """Render a table in GitHub's Markdown.

    Args:
        table: the table.
        level: level of its heading.
    """
    lines = [[markdown_text(column) for column in table.columns]]
    for row in table.rows:
        cells = [markdown_text(cell) for cell in (_first_cell(row), *row.cells[1:])]
        lines.append([f"**{cell}**" if row.kind == "mean" and cell else cell for cell in cells])
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(table.columns))]

    def joined(cells: list[str]) -> str:
        fitted = (
            c.ljust(w) if table.is_words(i) else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(fitted)} |"

    ruler = ["-" * w if table.is_words(i) else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    parts = [f"{'#' * level} {markdown_text(table.title)}", ""]
    parts += [joined(lines[0]), f"| {' | '.join(ruler)} |", *(joined(line) for line in lines[1:])]
    if table.notes:
        parts += ["", *(f"- {markdown_text(note)}" for note in table.notes)]
    return "\n".join(parts) + "\n"


def to_html(table: Table) -> str:
    """Render a table as an HTML fragment; every text in it is escaped."""
    head = "".join(
        f'<th scope="col"{_align(table, i)}>{breakable(column)}</th>' for i, column in enumerate(table.columns)
    )
    body = "\n".join(_html_row(table, row) for row in table.rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    return (
        f'<div class="table"><h3>{escape(table.title)}</h3><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(table.title)}"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + "</div>"
    )


def breakable(text: str) -> str:
    """Escape a name for HTML and let it break after a mark, because names of runs are long words."""
    return re.sub(r"(?<=\w)([_/])(?=\w)", r"\1<wbr>", escape(text))


def _align(table: Table, column: int) -> str:
    return ' class="words"' if table.is_words(column) else ""


def _html_row(table: Table, row: Row) -> str:
    cells = "".join(f"<td{_align(table, i)}>{_html_cell(cell)}</td>" for i, cell in enumerate(row.cells[1:], start=1))
    return f'<tr class="{row.kind}"><th scope="row">{breakable(row.cells[0])}</th>{cells}</tr>'


def _html_cell(cell: str) -> str:
    found = _INTERVAL.match(cell)
    if found:
        return f'{escape(found[1])} <span class="interval">{escape(found[2])}</span>'
    return escape(cell)

"""The plain table and its renderings."""

import io
import re

import pytest

from radvqa.report.grid import Row, Table, markdown_text, print_table, to_html, to_markdown

TABLE = Table(
    "Scores",
    ("Run", "Accuracy", "Why"),
    (
        Row(("a, mean ± sd", "79.5 ± 0.4", "x"), "mean"),
        Row(("a_1", "79.8 [77.1, 82.3]", "<script>alert(1)</script>"), "seed"),
        Row(("[red]b|c*", "–", "[bold]y[/bold]"), "run"),
    ),
    ("A note with <b> and | in it.",),
    frozenset({"Why"}),
)


def test_rows_must_be_as_wide_as_the_columns() -> None:
    with pytest.raises(ValueError, match="2 cells for 3 columns"):
        Table("t", ("a", "b", "c"), (Row(("1", "2")),))


def test_markdown() -> None:
    assert to_markdown(TABLE, level=2).split("\n") == [
        "## Scores",
        "",
        "| Run              |          Accuracy | Why                                   |",
        "| ---------------- | ----------------: | ------------------------------------- |",
        "| **a, mean ± sd** |    **79.5 ± 0.4** | **x**                                 |",
        "| · a_1            | 79.8 [77.1, 82.3] | &lt;script&gt;alert(1)&lt;/script&gt; |",
        r"| [red]b\|c\*      |                 – | [bold]y[/bold]                        |",
        "",
        r"- A note with &lt;b&gt; and \| in it.",
        "",
    ]


def test_markdown_text_marks_up_nothing() -> None:
    assert markdown_text("snake_case _word_ a\nb") == r"snake_case \_word\_ a b"
    assert markdown_text("[x](javascript:y)") == r"[x]\(javascript:y)"
    assert markdown_text("a & b") == "a &amp; b"


def test_html_escapes_every_cell_and_note() -> None:
    page = to_html(TABLE)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "A note with &lt;b&gt;" in page
    assert '<td>79.8 <span class="interval">[77.1, 82.3]</span></td>' in page
    assert page.count('<th scope="col"') == 3
    assert page.count('<th scope="row">') == 3


def test_long_names_may_break_after_a_mark_and_are_escaped() -> None:
    page = to_html(Table("t", ("Run", "of/cnn_lstm"), (Row(("a_long/name", "1")), Row(("<b_c> _d_", "2")))))
    assert "a_<wbr>long/<wbr>name" in page
    assert '<th scope="col">of/<wbr>cnn_<wbr>lstm</th>' in page
    assert "&lt;b_<wbr>c&gt; _d_" in page


def printed(table: Table) -> str:
    stream = io.StringIO()
    print_table(table, stream)
    return stream.getvalue()


def test_a_pipe_gets_whole_lines_and_no_markup_is_read() -> None:
    lines = printed(TABLE).split("\n")
    row = next(line for line in lines if "a_1" in line)
    assert "79.8 [77.1, 82.3]" in row
    assert "<script>alert(1)</script>" in row
    assert "[red]b|c*" in printed(TABLE)
    assert "[bold]y[/bold]" in printed(TABLE)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_narrow_terminal_gets_blocks_of_whole_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    wide = Table("t", ("Run", *(f"m{i}" for i in range(6))), (Row(("run one", *["79.8 [77.1, 82.3]"] * 6)),))
    stream = _Terminal()
    print_table(wide, stream)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())  # without the codes for bold and dim
    lines = shown.split("\n")
    assert max(len(line) for line in lines) <= 60
    assert shown.count("79.8 [77.1, 82.3]") == 6
    assert sum(line.startswith("run one") for line in lines) == 3

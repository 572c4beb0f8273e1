"""Tables of published files: read as the csv module and JSON have them; what is wrong is named by file and row."""

import csv
import gc
import io
from pathlib import Path

import made_captions
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa.data import collector
from radvqa.data.dataset import Problems
from radvqa.data.rows import BadRowError
from radvqa.data.table_rows import column_names, read_table
from radvqa.errors import DataError


def written(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_columns_come_in_the_order_asked_for_stripped_and_numbered_from_one(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c\n1, two ,3\n4,5,6\n")
    assert list(read_table(path, ("c", "b"))) == [(1, ("3", "two")), (2, ("6", "5"))]
    assert list(read_table(path, ("b",))) == [(1, ("two",)), (2, ("5",))]


def test_a_missing_optional_column_is_empty_text(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n")
    assert list(read_table(path, ("a",), optional=("note", "b"))) == [(1, ("1", "", "2"))]


def test_a_cell_may_hold_commas_quotes_and_lines_and_the_file_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffa,b\r\n"one, ""two""\nthree",4\r\n\r\n5,6\r\n')
    assert list(read_table(path, ("a", "b"))) == [(1, ('one, "two"\nthree', "4")), (3, ("5", "6"))]


def test_tabs_part_the_cells_of_a_tsv(tmp_path: Path) -> None:
    assert list(read_table(written(tmp_path, "a\tb\n1,5\t2\n", "rows.tsv"), ("a",))) == [(1, ("1,5",))]


@given(
    rows=st.lists(
        st.tuples(
            *[st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), max_size=20).map(str.strip)] * 2
        ),
        min_size=1,
    )
)
def test_what_the_csv_module_writes_comes_back(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b"), *rows])
    path = written(tmp_path_factory.mktemp("csv"), text.getvalue())
    assert [cells for _, cells in read_table(path, ("a", "b"))] == rows


def test_a_row_of_another_width_is_named_and_can_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n")
    with pytest.raises(BadRowError, match=r"rows\.csv, row 2: has 1 cells, the header has 2"):
        list(read_table(path, ("a",)))
    problems = Problems(skip=True)
    assert [number for number, _ in read_table(path, ("a",), problems)] == [1, 4]
    assert [message.split(", ")[1] for message in problems.found] == ["row 2: has 1 cells", "row 3: has 3 cells"]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "rows.csv", "is empty"),
        ("a,b\n", "rows.csv", "holds no rows that can be used"),
        ("colour,b\n1,2\n", "rows.csv", r"has no column 'a'"),
        ('a,b\n1,2\n"3,4\n5,6\n', "rows.csv", "what follows row 1 is not valid CSV: unexpected end of data"),
        ("a: 1\n", "rows.yaml", r"tables are read from \.csv, \.tsv, \.jsonl, \.ndjson files"),
        ("\n", "rows.jsonl", "holds no rows"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, text: str, name: str, message: str) -> None:
    path = written(tmp_path, text, name)
    with pytest.raises(DataError, match=message) as caught:
        list(read_table(path, ("a",)))
    assert str(path) in str(caught.value)


def test_a_file_that_is_absent_or_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        list(read_table(tmp_path / "none.csv", ("a",)))
    path = tmp_path / "latin.csv"
    path.write_bytes("a\nGrün\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.csv is not UTF-8 text"):
        list(read_table(path, ("a",)))


def test_json_lines_are_read_and_their_bad_rows_named(tmp_path: Path) -> None:
    rows = ['{"a": " x ", "b": 2}', "", '{"b": 1}', "[1]", '{"a": nope}', '{"a": null}', '{"a": "y", "b": null}']
    path = written(tmp_path, "\n".join(rows), "rows.jsonl")
    problems = Problems(skip=True)
    assert list(read_table(path, ("a",), problems, optional=("b",))) == [(1, ("x", "2")), (7, ("y", ""))]
    assert [message.removeprefix(f"{path}, ") for message in problems.found] == [
        "row 3: the key 'a' is missing.",
        "row 4: expected a JSON object, found list.",
        "row 5: not valid JSON: Expecting value.",
        "row 6: 'a' must be text or a number, found None.",
    ]
    assert column_names(path) == ["a", "b"]


def test_the_names_of_the_columns_are_the_header(tmp_path: Path) -> None:
    path = made_captions.table(tmp_path / "t.csv", ("a ", "b,c"), [])
    assert column_names(path) == ["a", "b,c"]
    with pytest.raises(DataError, match="holds no rows"):
        column_names(written(tmp_path, "", "none.jsonl"))


def test_a_table_of_any_length_is_read_without_holding_it(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n" + "1\n" * 100_000 + '"no end\n')
    rows = read_table(path, ("a",))
    assert next(rows) == (1, ("1",))  # what is wrong at its end is not known yet
    with pytest.raises(DataError, match="what follows row 100000"):
        list(rows)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was_when_the_block_ends(enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {"on": enabled}
    monkeypatch.setattr(gc, "isenabled", lambda: state["on"])
    monkeypatch.setattr(gc, "disable", lambda: state.update(on=False))
    monkeypatch.setattr(gc, "enable", lambda: state.update(on=True))
    with pytest.raises(KeyError, match="running: False"), collector.paused():
        raise KeyError(f"running: {state['on']}")
    assert state["on"] is enabled

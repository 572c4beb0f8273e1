"""Rows of published files: what is odd but meant is read, what is wrong is named by file and row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miniature import change, write
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.rows import BadRowError, Row, read_rows
from radvqa.errors import DataError


def row(**values: Any) -> Row:
    return Row(values, Path("made.json"), 7)


@pytest.mark.parametrize(("value", "text"), [(4, "4"), (2.5, "2.5"), (" left ", "left"), ("", ""), ("右", "右")])
def test_numbers_become_text_and_text_is_stripped(value: Any, text: str) -> None:
    assert row(answer=value).text("answer") == text


@pytest.mark.parametrize("value", [None, True, ["yes"], {"a": 1}])
def test_anything_else_is_no_text(value: Any) -> None:
    with pytest.raises(BadRowError, match=r"made.json, row 7: 'answer' must be text or a number"):
        row(answer=value).text("answer")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(BadRowError, match=r"made.json, row 7: the key 'answer' is missing"):
        row(question="?").text("answer")


@pytest.mark.parametrize("value", ["CLOSED", "CLOSED ", " closed"])
def test_an_answer_type_may_be_sloppy(value: str) -> None:
    assert row(answer_type=value).answer_type() == "CLOSED"


@pytest.mark.parametrize("value", ["YES/NO", "", "OPENED", 3])
def test_an_unknown_answer_type_is_refused(value: Any) -> None:
    with pytest.raises(BadRowError, match=r"row 7: 'answer_type' must be OPEN or CLOSED, found"):
        row(answer_type=value).answer_type()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}', "expected a JSON list of rows, found dict"),
        ("[]", "holds no rows"),
        ('[{"a": 1}, 3]', "row 2: expected a JSON object, found int"),
        ('[{"a": 1},\n {"a": }]', "line 2, column 8"),
        ("", "is not valid JSON: .* line 1, column 1"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_rows(path)
    assert str(path) in str(caught.value)


def test_rows_are_numbered_from_one(tmp_path: Path) -> None:
    write(tmp_path / "rows.json", [{"a": 1}, {"a": 2}])
    assert [(r.number, r.text("a")) for r in read_rows(tmp_path / "rows.json")] == [(1, "1"), (2, "2")]


def _set(place: int, **values: Any) -> Callable[[Any], Any]:
    return lambda rows: rows[place].update(values)


def _drop(place: int, key: str) -> Callable[[Any], Any]:
    return lambda rows: rows[place].pop(key)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_drop(2, "answer"), "row 3: the key 'answer' is missing"),
        (_set(1, answer_type="MAYBE"), "row 2: 'answer_type' must be OPEN or CLOSED, found 'MAYBE'"),
        (_set(3, question=None), "row 4: 'question' must be text"),
        (_set(6, qid=0), "row 7: the id slake/en/train/0 was already used at .*train.json, row 1"),
        (_drop(0, "q_lang"), "row 1: the key 'q_lang' is missing"),
    ],
)
def test_a_bad_row_stops_loading_or_is_left_out_and_counted(
    mini_slake: Path, edit: Callable[[Any], Any], message: str
) -> None:
    whole = registry.load("slake:en")
    change(mini_slake / "train.json", edit)
    with pytest.raises(DataError, match=message) as caught:
        registry.load("slake:en")
    assert "train.json" in str(caught.value)
    assert "--skip-bad" in str(caught.value)
    problems = Problems(skip=True)
    kept = registry.load("slake:en", problems)
    assert len(problems.found) == 1
    assert len(kept) + len(problems.found) == len(whole)  # nothing is lost without a word
    assert {s.id for s in kept} < {s.id for s in whole}


def test_two_bad_rows_are_two_problems(mini_slake: Path) -> None:
    change(mini_slake / "train.json", _drop(0, "answer"))
    change(mini_slake / "test.json", _drop(1, "answer"))
    problems = Problems(skip=True)
    assert len(registry.load("slake:en", problems)) == 46
    assert [("train.json" in found, "test.json" in found) for found in problems.found] == [(True, False), (False, True)]


def test_an_empty_split_is_refused_even_when_skipping(mini_slake: Path) -> None:
    def only_chinese(rows: Any) -> None:
        rows[:] = [row for row in rows if row["q_lang"] == "zh"]

    change(mini_slake / "validate.json", only_chinese)
    with pytest.raises(DataError, match="slake:en: the split 'validate' is empty"):
        registry.load("slake:en", Problems(skip=True))
    assert len(registry.load("slake:zh")) == 24


def test_a_missing_file_is_named(mini_slake: Path) -> None:
    (mini_slake / "test.json").unlink()
    with pytest.raises(DataError, match=r"test.json does not exist"):
        registry.load("slake:en")


def test_unknown_names_are_answered_with_the_nearest(mini_slake: Path) -> None:
    with pytest.raises(DataError, match="no data set 'slaek'; did you mean 'slake'"):
        registry.select("slaek")
    with pytest.raises(DataError, match="slake has no version 'eng'; did you mean 'en'"):
        registry.select("slake:eng")
    with pytest.raises(DataError, match="no split 'val'; did you mean 'validate'"):
        registry.load_split("slake", "val")


def test_where_data_is_looked_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"slake/ below RADVQA_DATA, which is not set"):
        registry.load("slake")
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"there is no folder slake/ in it"):
        registry.load("slake")

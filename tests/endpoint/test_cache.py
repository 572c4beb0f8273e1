"""The cache of replies, against a dictionary, another process, and damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.error import EndpointError
from radvqa.endpoint.exchange import Reply

REPLIES = st.builds(Reply, st.text(), st.text(), st.integers(0, 2**40), st.integers(0, 9), st.text())


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), REPLIES)))
@settings(max_examples=40, deadline=None)
def test_it_holds_what_a_dictionary_holds(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, Reply]]
) -> None:
    cache = ReplyCache(tmp_path_factory.mktemp("cache") / "replies.sqlite")
    with cache.writing() as store:
        for key, reply in rows:
            store(key, reply)
            assert ReplyCache(cache.path).find([key]) == {key: reply}  # by then it is on disk
    assert cache.find([*(key for key, _ in rows), "not there"]) == dict(rows)


def test_many_keys_at_once(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    with cache.writing() as store:
        for number in range(0, 1203, 2):
            store(str(number), Reply(f"reply {number}"))
    found = cache.find(map(str, range(1203)))
    assert found == {str(number): Reply(f"reply {number}") for number in range(0, 1203, 2)}


def test_looking_up_writes_nothing(tmp_path: Path) -> None:
    assert ReplyCache(tmp_path / "replies.sqlite").find(["a"]) == {}
    assert list(tmp_path.iterdir()) == []


def test_two_writers_share_a_file(tmp_path: Path) -> None:
    one, other = ReplyCache(tmp_path / "replies.sqlite"), ReplyCache(tmp_path / "replies.sqlite")
    with one.writing() as store_one, other.writing() as store_other:
        for number in range(20):
            (store_one if number % 2 else store_other)(str(number), Reply("x"))
    assert len(one.find(map(str, range(20)))) == 20


def test_a_file_that_is_no_cache(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes, far longer than the head of a database file " * 40)
    with pytest.raises(EndpointError, match=r"notes\.txt is damaged or is no cache of replies"):
        ReplyCache(path).find(["a"])
    with pytest.raises(EndpointError, match="name another file"), ReplyCache(path).writing():
        pass
    assert path.read_text().startswith("my notes")


def test_a_row_that_somebody_changed(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    with cache.writing() as store:
        store("a", Reply("x"))
    for row in ("{", '{"text": "x", "mood": 1}', "[]"):
        with closing(sqlite3.connect(cache.path)) as database, database:
            database.execute("UPDATE replies SET reply = ?", (row,))
        with pytest.raises(EndpointError, match="is damaged"):
            cache.find(["a"])


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EndpointError, match="Replies cannot be kept in"), ReplyCache(tmp_path / "file" / "r").writing():
        pass
    with pytest.raises(EndpointError, match="Replies cannot be kept in"):
        ReplyCache(tmp_path).find(["a"])

"""The pickle reader: what Python's own reads of plain values, and nothing that could run."""

import collections
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radvqa.data import plain_pickle
from radvqa.errors import DataError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
CONTAINERS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(SCALARS, inner) | st.lists(inner, max_size=4).map(tuple),
)
SETS = st.lists(st.sets(SCALARS) | st.frozensets(SCALARS))
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(
    case=st.tuples(CONTAINERS, st.integers(0, 5))
    | st.tuples(SETS, st.integers(4, 5))  # earlier protocols build sets by a call
)
def test_it_reads_what_pickle_reads(tmp_path: Path, case: tuple[Any, int]) -> None:
    value, protocol = case
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    read = plain_pickle.read(path)
    assert read == value
    assert repr(read) == repr(pickle.loads(path.read_bytes()))


def test_shared_and_recursive_values() -> None:
    shared = ["a"]
    value: list[Any] = [shared, shared]
    read = plain_pickle._interpret(pickle.dumps(value))
    assert read == value
    assert read[0] is read[1]
    value.append(value)
    again = plain_pickle._interpret(pickle.dumps(value))
    assert again[2] is again


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch owned",)


class Plain:
    def __init__(self) -> None:
        self.x = 1


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value",
    [Malicious(), [{"image": Malicious()}], Plain(), collections.OrderedDict(a=1), os.system, Plain, b"bytes", 1j],
)
def test_nothing_else_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object, protocol: int) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "train_qa.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    with pytest.raises(
        DataError, match=r"train_qa\.pkl is not read: at byte \d+ its pickle asks for [A-Z0-9_]+"
    ) as caught:
        plain_pickle.read(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("program", "asked"),
    [
        (b"cos\nsystem\n(S'touch owned'\ntR.", "GLOBAL os system"),
        (b"(S'touch owned'\nios\nsystem\n.", "INST os system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0btouch owned\x85R.", "STACK_GLOBAL"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"Ptouch\n.", "PERSID"),
        (b"\x80\x02K\x01Q.", "BINPERSID"),
        (b"]}b.", "BUILD"),
    ],
)
def test_programs_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: bytes, asked: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "by_hand.pkl"
    path.write_bytes(program)
    with pytest.raises(DataError, match=f"asks for {asked}"):
        plain_pickle.read(path)
    assert not (tmp_path / "owned").exists()


@MANY
@given(
    program=st.binary(max_size=60)
    | st.lists(st.sampled_from(b"().0]}[{l d t a e s u \x85\x94h\x00K\x01N\x91\x8f")).map(bytes)
)
def test_any_bytes_end_in_a_value_or_in_one_sentence(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "any.pkl"
    path.write_bytes(program)
    said = str(path)
    try:
        plain_pickle.read(path)
    except DataError as error:
        said = str(error)
    assert said.startswith(str(path))


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b"\x80\x04]",  # no end
        b"\x80\x04X\xff\xff\xff\x7fshort.",  # a text of 2 GB that is not there
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
        b"(.",
        b"h\x07.",  # recalls what was never remembered
        b"}]K\x01s.",  # a list as a key
        b"}N" + b"\x85" * 200_000 + b"K\x01s.",  # a tuple 200,000 deep as a key would end Python when hashed
        b"N\x00.",
    ],
)
def test_broken_pickles(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "broken.pkl"
    path.write_bytes(program)
    with pytest.raises(DataError, match=r"broken\.pkl is no whole pickle of plain values"):
        plain_pickle.read(path)


def test_a_remembered_place_of_four_billion_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "far.pkl"
    path.write_bytes(b"Nr\xff\xff\xff\xffj\xff\xff\xff\xff\x86.")
    assert plain_pickle.read(path) == (None, None)


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.pkl does not exist"):
        plain_pickle.read(tmp_path / "gone.pkl")
    with pytest.raises(DataError, match="cannot be read"):
        plain_pickle.read(tmp_path)

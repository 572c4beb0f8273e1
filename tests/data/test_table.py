"""The table on disk, against a dictionary."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numpy.typing import NDArray

from radvqa.errors import DataError
from radvqa.table import Table, stack

KEYS = st.sampled_from(["a", "b", "c", "ä", "unreadable:/x y", "'; DROP TABLE arrays", *map(str, range(600))])
ARRAYS = arrays(np.float32, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), elements=st.floats(width=32))


class TableModel(RuleBasedStateMachine):
    """A dictionary says what the table must hold; it is opened anew at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.held: dict[str, NDArray[Any]] = {}

    @initialize()
    def open_anew(self) -> None:
        self.table = Table(self.folder / "table", "float32")

    @rule()
    def reopen(self) -> None:
        self.open_anew()

    @rule(added=st.dictionaries(KEYS, ARRAYS, max_size=5))
    def append_what_is_missing(self, added: dict[str, NDArray[Any]]) -> None:
        with self.table.writing():
            missing = self.table.missing(added)
            assert missing == [key for key in added if key not in self.held]
            self.table.append((key, added[key]) for key in missing)
        self.held.update({key: added[key] for key in missing})

    @rule(key=KEYS)
    def fail_in_the_middle(self, key: str) -> None:
        def broken() -> Any:
            yield key, np.zeros(3, np.float32)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), self.table.writing():
            self.table.append(broken())

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.held)))
        found = self.table.read(key)
        assert found.shape == self.held[key].shape
        assert found.dtype == np.float32
        assert np.array_equal(found, self.held[key], equal_nan=True)

    @rule(key=KEYS)
    def refuse_unknown(self, key: str) -> None:
        if key not in self.held:
            with pytest.raises(DataError, match="does not hold"):
                self.table.read(key)

    @invariant()
    def missing_is_what_is_not_held(self) -> None:
        wanted = ["a", "zzz", *map(str, range(600)), "a"]
        expected = [key for key in dict.fromkeys(wanted) if key not in self.held]
        assert self.table.missing(wanted) == expected

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


TestTableModel = TableModel.TestCase
TestTableModel.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


def filled(folder: Path) -> Table:
    table = Table(folder, "uint8")
    with table.writing():
        table.append([("a", np.arange(100, dtype=np.uint8)), ("b", np.full((5, 4), 7, np.uint8))])
    return table


def shard(folder: Path) -> Path:
    (found,) = folder.glob("*.bin")
    return found


def test_what_is_read_cannot_be_changed(tmp_path: Path) -> None:
    read = filled(tmp_path).read("a")
    with pytest.raises(ValueError, match="read-only"):
        read[0] = 1


def test_a_flipped_bit_is_found_where_it_is(tmp_path: Path) -> None:
    filled(tmp_path)
    content = bytearray(shard(tmp_path).read_bytes())
    content[50] ^= 4
    shard(tmp_path).write_bytes(content)
    table = Table(tmp_path, "uint8")
    with pytest.raises(DataError, match=r"\.bin is damaged; delete the folder"):
        table.read("a")
    assert (table.read("b") == 7).all()


@pytest.mark.parametrize("left", [0, 60])
def test_a_shard_that_was_cut_off_is_found(tmp_path: Path, left: int) -> None:
    filled(tmp_path)
    shard(tmp_path).write_bytes(shard(tmp_path).read_bytes()[:left])
    with pytest.raises(DataError, match=r"is damaged; delete the folder"):
        Table(tmp_path, "uint8").read("a")


def test_a_lost_shard_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    shard(tmp_path).unlink()
    with pytest.raises(DataError, match=r"is damaged; delete the folder"):
        Table(tmp_path, "uint8").read("a")


def test_an_index_that_is_no_index_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "index.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(DataError, match=r"is damaged; delete the folder"):
        Table(tmp_path, "uint8").read("a")


def test_what_a_killed_writer_left_is_swept_up_by_the_next(tmp_path: Path) -> None:
    table = filled(tmp_path)
    (tmp_path / "orphan.bin").write_bytes(b"x")
    (tmp_path / ".orphan.bin.abc.part").write_bytes(b"x")
    with table.writing():
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([".lock", "index.sqlite", shard(tmp_path).name])
    assert table.read("a").tolist() == list(range(100))


def test_stack_puts_arrays_along_a_new_first_axis() -> None:
    assert stack([np.zeros((2, 3)), np.ones((2, 3))]).shape == (2, 2, 3)
    assert stack({"a": np.zeros(2), "b": np.ones(2)}).tolist() == [[0, 0], [1, 1]]

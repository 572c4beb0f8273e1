"""The run's own log: torn lines go, and after any interruptions it is that of a run without them."""

import csv
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miniature import starting
from radvqa import files
from radvqa.errors import DataError
from radvqa.tracking.local import StepLog

ROWS = [{"n": 1, "word": "a\r\nb — ü"}, {"n": 2}, [3, None]]


@pytest.mark.parametrize("torn", [b"", b'{"n": 3', b"\0\0\0", b'{"n": 3}\r', "ü".encode()[:1]])
def test_a_torn_last_line_is_dropped_and_the_next_begins_a_line(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "deep" / "rows.jsonl"
    files.Log(path).add(ROWS)
    with path.open("ab") as handle:
        handle.write(torn)
    again = files.Log(path)
    again.add(["last"])
    assert list(again.rows()) == [*ROWS, "last"]


def test_a_log_is_cut_at_the_first_row_that_does_not_belong(tmp_path: Path) -> None:
    log = files.Log(tmp_path / "rows.jsonl")
    log.add([1, 2, 9, 3])
    log.keep(lambda row: row < 5)
    assert list(log.rows()) == [1, 2]
    log.add([3])
    log.keep(lambda row: True)
    assert list(log.rows()) == [1, 2, 3]
    log.path.write_bytes(b"1\n\0\0\0\n2\n")  # as a file system may leave it after a power cut
    log.keep(lambda row: True)
    assert list(log.rows()) == [1]


def test_what_json_cannot_hold_is_refused_and_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    log = files.Log(tmp_path / "rows.jsonl")
    log.add([1])
    with pytest.raises(ValueError, match="Out of range"):
        log.add([2, math.nan])
    assert list(log.rows()) == [1]


def test_a_disk_that_takes_a_part_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = files.Log(tmp_path / "rows.jsonl")
    log.add([1])

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            log.add(["x" * 100])
    log.add([2])
    assert list(log.rows()) == [1, 2]


def test_a_log_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").mkdir()
    with pytest.raises(DataError, match=r"rows\.jsonl cannot be read"):
        files.Log(tmp_path / "rows.jsonl")


ADD_FOREVER = """
import itertools, sys
from pathlib import Path
from radvqa import files
log = files.Log(Path(sys.argv[1]))
for n in itertools.count():
    log.add([{"n": n, "filler": "x" * 30000}])
    if n == 0:
        print("begun", flush=True)
"""


def test_a_killed_process_leaves_whole_rows_in_order(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    writer = starting(["-c", ADD_FOREVER, path])
    assert writer.stdout
    assert writer.stdout.readline() == "begun\n"
    writer.kill()
    writer.communicate()
    rows = list(files.Log(path).rows())
    assert [row["n"] for row in rows] == list(range(len(rows)))
    assert rows


def row(step: int) -> dict[str, Any]:
    return {"stage": "one" if step < 9 else "two", "loss": 1 / step, "learning_rate": None if step % 3 else 0.1}


def logged(folder: Path, begin: int, end: int, *, flushed: int, torn: bytes) -> None:
    """Log the steps of one process, which is killed at ``end`` after its last checkpoint at ``flushed``."""
    log = StepLog(folder, begin)
    for step in range(begin + 1, end + 1):
        log.add(step, row(step))
        if step == flushed or step % 4 == 0:
            log.flush()
    with log.log.path.open("ab") as handle:
        handle.write(torn)


@settings(deadline=None, max_examples=50)  # a disk that is waited for has no deadline
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)), max_size=6),
    st.sampled_from([b"", b'{"step": 3, "lo', b"\0"]),
)
def test_any_interruptions_give_the_file_of_a_run_without_them(
    tmp_path_factory: pytest.TempPathFactory, kills: list[tuple[int, int]], torn: bytes
) -> None:
    """Each kill: the step of the last checkpoint, and how many steps were done after it."""
    kills.sort()
    folder, whole = tmp_path_factory.mktemp("killed"), tmp_path_factory.mktemp("whole")
    checkpoints = [0, *(checkpoint for checkpoint, _ in kills)]
    for (begin, checkpoint), (_, lost) in zip(pairwise(checkpoints), kills, strict=True):
        logged(folder, begin, checkpoint + lost, flushed=checkpoint, torn=torn)
    for place, begin in ((folder, checkpoints[-1]), (whole, 0)):
        log = StepLog(place, begin)
        for step in range(begin + 1, 25):
            log.add(step, row(step))
        log.close()
    for name in ("steps.jsonl", "steps.csv"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    assert [json.loads(line)["step"] for line in (whole / "steps.jsonl").read_text("utf-8").splitlines()] == list(
        range(1, 25)
    )


def test_a_run_that_begins_anew_forgets_the_old_log(tmp_path: Path) -> None:
    logged(tmp_path, 0, 8, flushed=8, torn=b"")
    log = StepLog(tmp_path)
    log.add(1, {"loss": 5.0})
    log.close()
    assert list(files.read_jsonl(tmp_path / "steps.jsonl")) == [{"step": 1, "loss": 5.0}]


def test_rows_with_other_keys_share_one_table_and_what_is_not_finite_is_empty(tmp_path: Path) -> None:
    log = StepLog(tmp_path)
    log.add(1, {"loss": 0.5})
    log.add(2, {"loss": math.nan, "val_accuracy": 0.25, "stage": 'a, "b"'})
    log.truncate(2)
    log.add(3, {"loss": math.inf})
    log.truncate(2)  # also of what is still in memory
    log.close()
    assert list(files.read_jsonl(tmp_path / "steps.jsonl"))[1]["loss"] is None
    with (tmp_path / "steps.csv").open(encoding="utf-8", newline="") as handle:
        assert list(csv.DictReader(handle)) == [
            {"step": "1", "loss": "0.5", "val_accuracy": "", "stage": ""},
            {"step": "2", "loss": "", "val_accuracy": "0.25", "stage": 'a, "b"'},
        ]

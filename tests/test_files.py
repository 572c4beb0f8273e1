"""Files are whole or not there, one writer at a time, and what cannot be read is named."""

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from miniature import python, starting
from radvqa import files
from radvqa.errors import DataError, RadvqaError

WRITE_FOREVER = """
import itertools, sys
from pathlib import Path
from radvqa import files
for n in itertools.count():
    files.write_jsonl(Path(sys.argv[1]), [{"n": n, "filler": "x" * 20000}] * 20)
    if n == 0:
        print("begun", flush=True)
"""


def whole(path: Path) -> bool:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return len(rows) == 20 and all(row == rows[0] for row in rows)


def test_a_reader_never_sees_a_part_of_a_file_and_a_kill_leaves_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    for delay in (0.0, 0.003, 0.011, 0.02, 0.05):
        writer = starting(["-c", WRITE_FOREVER, path])
        assert writer.stdout
        assert writer.stdout.readline() == "begun\n"
        for _ in range(40):
            assert whole(path)
        time.sleep(delay)
        writer.kill()
        writer.communicate()
        assert writer.returncode == -9
        assert whole(path)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_beside_the_rename_leaves_the_old_or_the_new(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "value.json"
    files.write_json(path, "old")
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from radvqa import files\n"
        "replace = Path.replace\n"
        "def deadly(self, target):\n"
        f"    {'replace(self, target)' if moment == 'after' else 'pass'}\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Path.replace = deadly\n"
        "files.write_json(Path(sys.argv[1]), 'new')\n"
    )
    assert python(code, path).returncode == -9
    assert files.read_json(path) == {"before": "old", "after": "new"}[moment]


def test_a_failure_while_writing_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    files.write_jsonl(path, [1])

    def rows() -> Any:
        yield 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        files.write_jsonl(path, rows())
    assert list(files.read_jsonl(path)) == [1]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [math.nan, math.inf, [{"deep": -math.inf}]])
def test_what_is_no_number_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "value.json", value)
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_jsonl(tmp_path / "value.jsonl", [1, value])
    assert list(tmp_path.iterdir()) == []


def test_files_are_readable_by_others_as_the_umask_says(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    files.write_text(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_text_bytes_and_json_come_back(tmp_path: Path) -> None:
    files.write_text(tmp_path / "deep/er/a.txt", "右肺\n")
    assert files.read_text(tmp_path / "deep/er/a.txt") == "右肺\n"
    files.write_bytes(tmp_path / "b", b"\x00\xff")
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    files.write_json(tmp_path / "c.json", {"b": [1, 2.5, None], "a": "右"})
    assert files.read_json(tmp_path / "c.json") == {"b": [1, 2.5, None], "a": "右"}
    files.write_jsonl(tmp_path / "d.jsonl", [{"text": "two\nlines\u2028three"}, 2])
    assert list(files.read_jsonl(tmp_path / "d.jsonl")) == [{"text": "two\nlines\u2028three"}, 2]


def _write_half(folder: Path) -> None:
    (folder / "half").touch()
    raise ZeroDivisionError


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with pytest.raises(ZeroDivisionError), files.atomic_folder(target) as folder:
        _write_half(folder)
    assert list(tmp_path.iterdir()) == []
    with files.atomic_folder(target) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("ours", encoding="utf-8")
        assert not target.exists()
    assert (target / "deep" / "file").read_text(encoding="utf-8") == "ours"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_somebody_else_made_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with files.atomic_folder(target) as folder:
        (folder / "ours").touch()
        target.mkdir()
        (target / "theirs").touch()
    assert [path.name for path in target.iterdir()] == ["theirs"]
    assert list(tmp_path.iterdir()) == [target]


HOLD = """
import sys, time
from pathlib import Path
from radvqa import files
with files.locked(Path(sys.argv[1]), what="It"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_against_other_processes_and_ends_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".lock"
    holder = starting(["-c", HOLD, path])
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(RadvqaError, match="The table is in use by another process"),
        files.locked(path, what="The table", wait=False),
    ):
        pytest.fail("two hold the lock")
    holder.kill()
    holder.communicate()
    with files.locked(path, what="The table", wait=False):
        pass


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"\xff\xfe{}", r"is not UTF-8 text \(byte 0\)"),
        (b'{"a": 1,\n "b": nope}', "is not valid JSON: Expecting value in line 2, column 7"),
        (b"", "is not valid JSON: Expecting value in line 1, column 1"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "value.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        files.read_json(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        files.read_text(tmp_path)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n{"a": \n', encoding="utf-8")
    with pytest.raises(DataError, match=r"rows.jsonl, line 3 is not valid JSON"):
        list(files.read_jsonl(path))


def test_the_cache_folder_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADVQA_CACHE", str(tmp_path / "named"))
    assert files.cache_folder() == tmp_path / "named"
    monkeypatch.delenv("RADVQA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert files.cache_folder() == tmp_path / "xdg" / "radvqa"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert files.cache_folder() == tmp_path / "home" / ".cache" / "radvqa"

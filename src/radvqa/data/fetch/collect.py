"""All files of a data set into its folder, which appears when it is whole and checked."""

import filecmp
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from radvqa import console, files, fingerprint
from radvqa.data.dataset import Download, Facts
from radvqa.data.fetch import disk
from radvqa.data.fetch.download import Fetched, download
from radvqa.data.fetch.inside import inside
from radvqa.data.fetch.unpack import unpack
from radvqa.errors import DataError, RadvqaError

RECORD = "fetched.json"
"""What was fetched, from where and with which digests; its presence says that the folder is whole."""

_FORMAT = 1


def collect(
    name: str,
    facts: Facts,
    folder: Path,
    *,
    mirror: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Fetch, check and unpack every file of a data set; one process does it, others wait for it.

    Files come into a hidden folder beside ``folder`` and stay there when something fails, so that the next call goes
    on from there. A folder that an earlier call made is left as it is.

    Args:
        name: of the data set.
        facts: what is known about it; its ``downloads`` are fetched.
        folder: where to; it must be absent or empty.
        mirror: scheme and host to ask instead of the published ones.
        pause: waits for so many seconds between tries.

    Returns:
        What ``fetched.json`` holds: ``files`` with ``url``, ``path``, ``size``, ``sha256``, ``published`` (whether
        that digest was published) and ``members`` (of an archive; None for a file); and ``already``: whether it was
        there before.

    Raises:
        DataError: when a file cannot be had or is not what was published, when there is no room, and when the
            folder holds something else.
    """
    staging = folder.with_name(f".{folder.name}.fetching")
    try:
        with _alone(folder.with_name(f"{staging.name}.lock"), folder):
            record = _record(folder)
            if record is not None:
                shutil.rmtree(staging, ignore_errors=True)  # of a process killed just before its end
                return {**record, "already": True}
            _require_absent(folder, name)
            done = _Collection(facts, staging, mirror, pause).run()
            record = {
                "format": _FORMAT,
                "name": name,
                "licence": facts.licence,
                "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
                "files": done,
            }
            files.write_json(staging / "whole" / RECORD, record)
            (staging / "whole").replace(folder)
            shutil.rmtree(staging)
            return {**record, "already": False}
    except OSError as error:
        free = disk.free_bytes(folder)
        raise DataError(
            f"{error.filename or folder} cannot be written: {error.strerror}; {free:,} bytes are free there."
        ) from None


class _Collection:
    """The way of every file: ``work/KEY`` while it comes, ``whole/…`` when it is checked, then a line in the record."""

    def __init__(self, facts: Facts, staging: Path, mirror: str | None, pause: Callable[[float], None]) -> None:
        self.facts, self.mirror, self.pause = facts, mirror, pause
        self.work, self.whole = staging / "work", staging / "whole"
        self.record = staging / RECORD
        self.hint = f"see {facts.address or facts.source}"
        self.done: dict[str, dict[str, Any]] = {}

    def run(self) -> list[dict[str, Any]]:
        """Fetch what an earlier call did not."""
        for download_ in self.facts.downloads:
            inside(self.whole, download_.path, "the table of downloads")
        self.work.mkdir(parents=True, exist_ok=True)
        self.whole.mkdir(exist_ok=True)
        self._clear_unpacked()
        if self.record.is_file():
            self.done = files.read_json(self.record)
        missing = [one for one in self.facts.downloads if _key(one) not in self.done]
        left = sum(one.size - self._here(one) for one in missing if one.size is not None)
        disk.require(self.work, left, "what is left to fetch")
        for wanted in missing:
            self.done[_key(wanted)] = self._fetch(wanted)
            files.write_json(self.record, self.done)
            (self.work / _key(wanted)).unlink(missing_ok=True)
        return [self.done[_key(wanted)] for wanted in self.facts.downloads]

    def _fetch(self, wanted: Download) -> dict[str, Any]:
        place = self.work / _key(wanted)
        if place.exists():  # an earlier call was stopped after it was checked
            fetched = _measure(place)
        else:
            fetched = download(wanted, place, mirror=self.mirror, hint=self.hint, pause=self.pause)
        if not wanted.sha256:
            console.say(f"{wanted.url}: SHA-256 {fetched.sha256}, as measured; none was published.")
        target = inside(self.whole, wanted.path, "the table of downloads")
        members = None
        if wanted.unpack:
            unpacked = self.work / "unpacked"
            members = unpack(place, unpacked, name=_file_name(wanted))
            _merge(unpacked, target, _file_name(wanted))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            place.replace(target)
        if (self.whole / RECORD).exists():
            raise DataError(f"{wanted.url} holds a file {RECORD}, a name that is taken for what was fetched.")
        return {
            "url": wanted.url,
            "path": wanted.path,
            "size": fetched.size,
            "sha256": fetched.sha256,
            "published": bool(wanted.sha256),
            "members": members,
        }

    def _here(self, wanted: Download) -> int:
        for name in (_key(wanted), f"{_key(wanted)}.part"):
            if (self.work / name).is_file():
                return min(wanted.size or 0, (self.work / name).stat().st_size)
        return 0

    def _clear_unpacked(self) -> None:
        """Remove what a killed process had begun to unpack."""
        for left in (*self.work.glob("unpacked"), *self.work.glob(".unpacked.*")):
            shutil.rmtree(left)


def _key(wanted: Download) -> str:
    """Name what is fetched by all that decides it, so that nothing else is ever taken for it."""
    return fingerprint.of_value([wanted.url, wanted.path, wanted.sha256, wanted.size, wanted.unpack])[:24]


def _measure(path: Path) -> Fetched:
    with path.open("rb") as handle:
        return Fetched(path.stat().st_size, hashlib.file_digest(handle, "sha256").hexdigest())


def _file_name(wanted: Download) -> str:
    return Path(urlsplit(wanted.url).path).name or wanted.url


def _merge(unpacked: Path, target: Path, name: str) -> None:
    """Move what was unpacked to what other archives brought; equal files are one, others of equal names are not."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in sorted(unpacked.iterdir()):
        place = target / entry.name
        if not place.exists():
            entry.rename(place)
        elif place.is_dir() and entry.is_dir():
            _merge(entry, place, name)
        elif place.is_dir() or entry.is_dir() or not filecmp.cmp(entry, place, shallow=False):
            raise DataError(f"{name} holds {entry.name}, and another file of the source holds another one there.")
    shutil.rmtree(unpacked)


def _record(folder: Path) -> dict[str, Any] | None:
    if not (folder / RECORD).is_file():
        return None
    record = files.read_json(folder / RECORD)
    if not isinstance(record, dict) or record.get("format") != _FORMAT or not isinstance(record.get("files"), list):
        raise DataError(f"{folder / RECORD} is not what `radvqa data fetch` writes; remove {folder}, and fetch again.")
    return record


def _require_absent(folder: Path, name: str) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"{folder} is there and was not fetched by radvqa: `radvqa data check {name}` says whether it is whole; "
            f"to fetch another copy, name another place with --out."
        )


@contextmanager
def _alone(lock: Path, folder: Path) -> Iterator[None]:
    """Hold the lock; say so when another process has it, and wait."""
    with ExitStack() as held:
        try:
            held.enter_context(files.locked(lock, what=str(folder), wait=False))
        except RadvqaError:
            console.say(f"Another process is fetching {folder}; waiting for it.")
            held.enter_context(files.locked(lock, what=str(folder)))
        yield

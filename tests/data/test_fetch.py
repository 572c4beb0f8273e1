"""Fetching against a real server that breaks, lies and is hostile; killed processes; full disks."""

import bz2
import dataclasses
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import signal
import stat
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from file_server import Fault, Served, Site, serving
from hypothesis import given
from hypothesis import strategies as st

from radvqa.commands.fetch import fetch
from radvqa.data.dataset import Download, Facts, Split, Version
from radvqa.data.fetch import disk, source
from radvqa.data.fetch.collect import collect
from radvqa.data.fetch.download import RETRIES, download
from radvqa.data.fetch.inside import inside
from radvqa.data.fetch.part import CHECKPOINT
from radvqa.data.fetch.unpack import LIMITS, Limits, unpack
from radvqa.data.registry import DATASETS
from radvqa.errors import DataError
from radvqa.report.fetch import show_fetch

HOST = "https://data.example.org"
BODY = random.Random(0).randbytes(300_000)
BIG = random.Random(1).randbytes(CHECKPOINT + CHECKPOINT // 2)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wanted(file: str = "rows.json", content: bytes | None = BODY, **changes: Any) -> Download:
    known = {"sha256": sha(content), "size": len(content)} if content is not None else {}
    return Download(**{"url": f"{HOST}/d/{file}", "path": file, **known, **changes})


def facts(*downloads: Download, **changes: Any) -> Facts:
    made = Facts(
        title="A made-up set",
        source="A. Author, 2020",
        licence="CC BY 4.0",
        folder="made_up",
        default="v1",
        versions={"v1": Version("the only one", {"train": Split(1, 1)})},
        address=f"{HOST}/page",
        downloads=downloads,
    )
    return dataclasses.replace(made, **changes)


def quick(seconds: float) -> None:
    """Wait for nothing."""


def get(site: Site, one: Download, path: Path) -> bytes:
    download(one, path, mirror=site.address, pause=quick)
    return path.read_bytes()


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# --- one file


def test_a_file_comes_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BODY)}) as site:
        assert get(site, wanted(), tmp_path / "rows.json") == BODY
    assert left_in(tmp_path) == ["rows.json"]
    assert stat.S_IMODE((tmp_path / "rows.json").stat().st_mode) & 0o600 == 0o600


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(b"")}) as site:
        assert get(site, wanted(content=b""), tmp_path / "rows.json") == b""


@pytest.mark.parametrize("tagged", [True, False])
def test_a_broken_connection_is_gone_on_with_where_it_broke(tmp_path: Path, tagged: bool) -> None:
    faults = (Fault(cut=100_000), Fault(cut=50_000), None)
    with serving({"/d/rows.json": Served(BODY, tagged=tagged, faults=faults)}) as site:
        assert get(site, wanted(), tmp_path / "rows.json") == BODY
        assert site.ranges("/d/rows.json") == [None, "bytes=100000-", "bytes=150000-"]


def test_without_a_tag_and_without_a_published_digest_nothing_is_glued_together(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BODY, tagged=False, faults=(Fault(cut=9),))}) as site:
        assert get(site, wanted(content=None), tmp_path / "rows.json") == BODY
        assert site.ranges("/d/rows.json") == [None, None]


def test_a_server_that_knows_no_ranges_sends_everything_again(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BODY, ranges=False, faults=(Fault(cut=100_000),))}) as site:
        assert get(site, wanted(), tmp_path / "rows.json") == BODY


def test_a_file_that_changed_meanwhile_is_not_glued_to_its_old_beginning(tmp_path: Path) -> None:
    new = BODY[::-1]
    with serving({"/d/rows.json": Served(BODY, faults=(Fault(cut=100_000),))}) as site:
        changed = Served(new)
        site.files["/d/rows.json"].faults = (
            Fault(cut=100_000, before=lambda: site.files.__setitem__("/d/rows.json", changed)),
        )
        assert get(site, wanted(content=None), tmp_path / "rows.json") == new


def test_a_server_that_never_gets_further_is_given_up_and_what_came_is_kept(tmp_path: Path) -> None:
    faults = (Fault(cut=100_000), *[Fault(cut=0)] * 20)
    with serving({"/d/rows.json": Served(BODY, faults=faults)}) as site:
        with pytest.raises(DataError, match=r"after 5 more tries: .*; 100,000 bytes are kept, fetch again"):
            get(site, wanted(), tmp_path / "rows.json")
        assert len(site.asked) == 1 + RETRIES
        site.files["/d/rows.json"].faults = ()
        assert get(site, wanted(), tmp_path / "rows.json") == BODY
        assert site.asked[-1][1] == "bytes=100000-"


def test_a_busy_server_is_asked_again_after_the_pause_that_it_wants(tmp_path: Path) -> None:
    pauses: list[float] = []
    faults = (Fault(status=503, headers={"Retry-After": "7"}), Fault(status=500), None)
    with serving({"/d/rows.json": Served(BODY, faults=faults)}) as site:
        download(wanted(), tmp_path / "x", mirror=site.address, pause=pauses.append)
    assert pauses[0] == 7
    assert 0 < pauses[1] <= 1


def test_a_server_that_wants_hours_is_left_alone(tmp_path: Path) -> None:
    served = Served(BODY, faults=(Fault(status=429, headers={"Retry-After": "3600"}),))
    with serving({"/d/rows.json": served}) as site, pytest.raises(DataError, match=r"429 and wants a pause of 3,600 s"):
        get(site, wanted(), tmp_path / "x")


@pytest.mark.parametrize(("status", "says"), [(404, "not there any more"), (410, "not there"), (403, "not open to")])
def test_a_refusal_is_final_and_says_where_to_look(tmp_path: Path, status: int, says: str) -> None:
    with serving({"/d/rows.json": Served(BODY, faults=[Fault(status=status)] * 9)}) as site:
        with pytest.raises(DataError, match=rf"HTTP {status}: .*{says}.*; ask the authors\."):
            download(wanted(), tmp_path / "x", mirror=site.address, hint="ask the authors", pause=quick)
        assert len(site.asked) == 1
    assert not (tmp_path / "x").exists()


def test_a_wrong_digest_deletes_what_came(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BODY)}) as site:
        one = wanted(sha256="0" * 64)
        with pytest.raises(DataError, match=rf"SHA-256 {sha(BODY)} where 0+ was published; what came was deleted"):
            get(site, one, tmp_path / "rows.json")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize("size", [10, len(BODY) - 1, len(BODY) + 1])
def test_a_wrong_length_deletes_what_came(tmp_path: Path, size: int, measured: bool) -> None:
    differs = pytest.raises(DataError, match=rf"bytes where {size:,} were published")
    with serving({"/d/rows.json": Served(BODY, measured=measured)}) as site, differs:
        get(site, wanted(size=size, sha256=""), tmp_path / "rows.json")
    assert left_in(tmp_path) == []


def test_a_server_that_knows_no_length_is_believed_when_the_digest_fits(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BODY, measured=False)}) as site:
        assert get(site, wanted(size=None), tmp_path / "rows.json") == BODY


def test_another_host_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/d/rows.json": Served(BODY)}) as site:
        away = Fault(status=302, headers={"Location": f"http://localhost:{site.port}/else"})
        site.files = {"/d/rows.json": Served(b"", faults=[away] * 2), "/else": Served(BODY, faults=(Fault(cut=5),))}
        assert get(site, wanted(), tmp_path / "x") == BODY
        assert site.ranges("/else") == [None, "bytes=5-"]
    assert "127.0.0.1 leads on to localhost" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("location", "says"), [("file:///etc/passwd", "not of the web"), ("ftp://127.0.0.1/x", "not of"), ("", "circle")]
)
def test_redirects_stay_on_the_web_and_end(tmp_path: Path, location: str, says: str) -> None:
    to = {"Location": location or "/d/rows.json"}
    served = Served(BODY, faults=[Fault(status=302, headers=to)] * 99)
    with serving({"/d/rows.json": served}) as site, pytest.raises(DataError, match=says):
        get(site, wanted(), tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("first", "then", "fine"), [("https", "http", False), ("http", "https", True)])
def test_a_redirect_does_not_give_encryption_up(first: str, then: str, fine: bool) -> None:
    asked, given = (httpx.Request("GET", f"{scheme}://data.example.org/x") for scheme in (first, then))
    response = httpx.Response(200, request=given, history=[httpx.Response(302, request=asked)])
    if fine:
        source.check(response, "")
    else:
        with pytest.raises(DataError, match=r"leads to http://data.example.org/x, which is not encrypted"):
            source.check(response, "")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "nothing", "http://"])
def test_only_addresses_of_the_web_are_fetched_from(tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError, match="no address that can be fetched from"):
        download(wanted(url=url), tmp_path / "x")


def test_a_part_whose_bytes_are_not_those_noted_is_thrown_away(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BODY, faults=(Fault(cut=100_000), *[Fault(cut=0)] * 5))}) as site:
        with pytest.raises(DataError):
            get(site, wanted(), tmp_path / "x")
        part = tmp_path / "x.part"
        part.write_bytes(b"?" + part.read_bytes()[1:])
        assert get(site, wanted(), tmp_path / "x") == BODY
        assert site.asked[-1][1] is None


@pytest.mark.parametrize("note", ["", "[]", '{"length": -1}', '{"url": 3}'])
def test_a_part_without_a_sound_note_is_thrown_away(tmp_path: Path, note: str) -> None:
    (tmp_path / "x.part").write_bytes(b"nobody knows")
    (tmp_path / "x.part.json").write_text(note)
    with serving({"/d/rows.json": Served(BODY)}) as site:
        assert get(site, wanted(), tmp_path / "x") == BODY
        assert site.asked[0][1] is None


def test_bytes_after_the_last_note_are_not_trusted(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BODY, faults=(Fault(cut=100_000), *[Fault(cut=0)] * 5))}) as site:
        with pytest.raises(DataError):
            get(site, wanted(), tmp_path / "x")
        with (tmp_path / "x.part").open("ab") as handle:
            handle.write(b"\0" * 500)  # as a crash of the machine leaves
        assert get(site, wanted(), tmp_path / "x") == BODY
        assert site.asked[-1][1] == "bytes=100000-"


def test_room_is_asked_for_before_anything_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda place: 1234)
    room = pytest.raises(DataError, match=r"needs 300,000 bytes in .*, and 1,234 are free; make room")
    with serving({"/d/rows.json": Served(BODY)}) as site, room:
        get(site, wanted(), tmp_path / "x")


DOWNLOADS = """
import resource, signal, sys
from pathlib import Path
from radvqa.data.dataset import Download
from radvqa.data.fetch.download import download
from radvqa.errors import DataError
url, sha, path, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
mirror, _, rest = url.partition("/d/")
try:
    download(Download("https://data.example.org/d/" + rest, "x", sha), Path(path), mirror=mirror, pause=lambda s: None)
except DataError as error:
    sys.exit(str(error))
"""


def child(site: Site, path: Path, content: bytes, limit: int = 0) -> "subprocess.Popen[str]":
    command_ = [sys.executable, "-c", DOWNLOADS, f"{site.address}/d/rows.json", sha(content), str(path), str(limit)]
    return subprocess.Popen(command_, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_names_the_bytes_and_nothing_half_written_is_trusted(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BIG)}) as site:
        full = child(site, tmp_path / "x", BIG, limit=CHECKPOINT + 12_345)
        _, said = full.communicate()
        assert full.returncode == 1
        assert f"{len(BIG) - CHECKPOINT - 12_345:,} bytes more are needed and " in said
        assert "are free; make room and fetch again" in said
        assert not (tmp_path / "x").exists()
        assert get(site, wanted(content=None, sha256=sha(BIG)), tmp_path / "x") == BIG
        assert site.asked[-1][1] is not None


def test_a_killed_process_is_gone_on_with_and_only_the_rest_is_asked_for(tmp_path: Path) -> None:
    with serving({"/d/rows.json": Served(BIG, faults=(Fault(hang=CHECKPOINT + 4096),))}) as site:
        killed = child(site, tmp_path / "x", BIG)
        try:
            until(lambda: (tmp_path / "x.part.json").exists())
        finally:
            killed.send_signal(signal.SIGKILL)
            killed.communicate()
        noted = json.loads((tmp_path / "x.part.json").read_text())["length"]
        assert noted >= CHECKPOINT
        again = child(site, tmp_path / "x", BIG)
        assert (again.communicate()[1], again.returncode) == ("", 0)
        assert site.ranges("/d/rows.json") == [None, f"bytes={noted}-"]
    assert (tmp_path / "x").read_bytes() == BIG


def until(true: Callable[[], bool]) -> None:
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it did not come about within a minute")


# --- archives


def zipped(members: dict[str, bytes], **kinds: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (kinds.get("mode") or (stat.S_IFREG | 0o777)) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content), kind, link
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def opened(tmp_path: Path, content: bytes, limits: Limits = LIMITS) -> dict[str, bytes]:
    archive = tmp_path / "archive"
    archive.write_bytes(content)
    unpack(archive, tmp_path / "out" / "here", limits)
    folder = tmp_path / "out" / "here"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


NESTED = {"a.txt": b"1", "deep/er/b.png": BODY, "deep/c d é.png": b"", "./e": b"5"}
PLAIN = {str(Path(name)): content for name, content in NESTED.items()}


@pytest.mark.parametrize(
    "form",
    [
        zipped(NESTED),
        tarred(NESTED),
        gzip.compress(tarred(NESTED)),
        bz2.compress(tarred(NESTED)),
        lzma.compress(tarred(NESTED)),
    ],
    ids=["zip", "tar", "gzip", "bzip2", "xz"],
)
def test_nested_folders_come_out_as_they_went_in(tmp_path: Path, form: bytes) -> None:
    assert opened(tmp_path, form) == PLAIN
    assert not any(path.stat().st_mode & 0o111 for path in (tmp_path / "out").rglob("*") if path.is_file())


def test_what_one_operating_system_leaves_in_archives_is_left_out(tmp_path: Path) -> None:
    assert opened(tmp_path, zipped({"a": b"1", "__MACOSX/._a": b"2", "x/.DS_Store": b"3"})) == {"a": b"1"}


HOSTILE = ["../out.txt", "a/../../out.txt", "/etc/out.txt", "C:\\out.txt", "..\\out.txt", "a/" + "b" * 300, "a\nb"]


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", HOSTILE)
def test_members_that_lead_out_are_refused_and_nothing_stays(
    tmp_path: Path, make: Callable[[dict[str, bytes]], bytes], name: str
) -> None:
    content = make({"first.txt": b"1", name: b"2"})
    with pytest.raises(DataError, match="nothing of it was unpacked"):
        opened(tmp_path, content)
    assert left_in(tmp_path) == ["archive", "out"]


@pytest.mark.parametrize(
    "content",
    [
        zipped({"link": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777),
        zipped({"pipe": b""}, mode=stat.S_IFIFO | 0o777),
        tarred({"link": b""}, tarfile.SYMTYPE, "/etc/passwd"),
        tarred({"link": b""}, tarfile.LNKTYPE, "other"),
        tarred({"null": b""}, tarfile.CHRTYPE),
        tarred({"pipe": b""}, tarfile.FIFOTYPE),
    ],
)
def test_links_and_devices_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="a link or a device"):
        opened(tmp_path, content)
    assert left_in(tmp_path) == ["archive", "out"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stands there twice"):
        opened(tmp_path, zipped({"a": b"1", "./a": b"2"}))
    with pytest.raises(DataError, match="a file and a folder at once"):
        opened(tmp_path, tarred({"a": b"1", "a/b": b"2"}))


@pytest.mark.parametrize("form", ["zip", "gzip"])
def test_a_bomb_is_refused(tmp_path: Path, form: str) -> None:
    zeros = {"zeros": bytes(LIMITS.free_growth + 2**20)}
    content = zipped(zeros) if form == "zip" else gzip.compress(tarred(zeros), 9)
    assert len(content) * LIMITS.ratio < LIMITS.free_growth, "it would pass"
    with pytest.raises(DataError, match=r"would grow to 6\d,\d+,\d+ bytes or more, 67,108,864 is the limit"):
        opened(tmp_path, content)
    assert left_in(tmp_path) == ["archive", "out"]


@pytest.mark.parametrize("make", [zipped, tarred])
def test_totals_and_numbers_are_limited(tmp_path: Path, make: Callable[[dict[str, bytes]], bytes]) -> None:
    two = make({"a": BODY, "b": BODY})
    with pytest.raises(DataError, match=r"599,999 is the limit"):
        opened(tmp_path, two, Limits(total=599_999))
    with pytest.raises(DataError, match="more than 1 files"):
        opened(tmp_path, two, Limits(members=1))
    assert set(opened(tmp_path, two, Limits(members=2, total=700_000))) == {"a", "b"}


def test_a_member_that_is_longer_than_it_says_is_not_written_out(tmp_path: Path) -> None:
    honest = zipped({"a": bytes(1000)})
    lying = honest.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    with pytest.raises(DataError, match="no whole zip or tar"):
        opened(tmp_path, lying)


def test_a_header_that_fills_the_memory_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**26
    content = gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2**26), 1)
    with pytest.raises(DataError, match="a header is too long"):
        opened(tmp_path, content)


WHOLE = gzip.compress(tarred(NESTED))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Sign in</html>",
        zipped(NESTED)[:-40],
        zipped(NESTED)[: len(BODY) // 2],
        tarred({"a": BODY})[:-20_000],
        tarred({"a": b"1", "b": b"2"})[: 1024 + 100],
        tarred({"a": b"1"})[:1024] + b"x" * 512,
        WHOLE[:-9],
        WHOLE[:-8] + b"????" + WHOLE[-4:],
        bz2.compress(tarred(NESTED))[:200] + b"?" * 900,
        lzma.compress(tarred(NESTED))[:-40],
    ],
)
def test_what_is_no_whole_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="no whole zip or tar archive"):
        opened(tmp_path, content)
    assert left_in(tmp_path) == ["archive", "out"]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": b"1"}))
    content[6] |= 1  # the flag, in the member's header …
    content[content.index(b"PK\1\2") + 8] |= 1  # … and in the table
    with pytest.raises(DataError, match="'a', which is encrypted"):
        opened(tmp_path, bytes(content))


@given(st.text(max_size=40))
def test_no_name_leads_out(name: str) -> None:
    try:
        path = inside(Path("/folder/of/ours"), name, "x")
    except DataError:
        return
    assert Path(os.path.normpath(path)).is_relative_to("/folder/of/ours")


# --- a whole data set

ARCHIVE = zipped({"imgs/1.png": BODY, "imgs/deep/2.png": b"2"})
OTHER = gzip.compress(tarred({"imgs/3.png": b"3", "KG/x.csv": b"x"}))
TABLE = (
    wanted("train.json", b"[1]"),
    wanted("imgs.zip", ARCHIVE, path=".", unpack=True),
    wanted("more.tar.gz", OTHER, path=".", unpack=True, sha256=""),
)
CONTENT = {"/d/train.json": b"[1]", "/d/imgs.zip": ARCHIVE, "/d/more.tar.gz": OTHER}
TREE = ["KG", "KG/x.csv", "fetched.json", "imgs", "imgs/1.png", "imgs/3.png", "imgs/deep", "imgs/deep/2.png"]


@pytest.fixture(name="site")
def _site() -> Iterator[Site]:
    with serving({path: Served(content) for path, content in CONTENT.items()}) as site:
        yield site


def gather(site: Site, folder: Path, *table: Download) -> dict[str, Any]:
    return collect("made_up", facts(*(table or TABLE)), folder, mirror=site.address, pause=quick)


def test_a_data_set_comes_whole_with_a_record(tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    result = gather(site, tmp_path / "made_up")
    assert left_in(tmp_path / "made_up") == [*TREE, "train.json"]
    assert left_in(tmp_path)[0] == ".made_up.fetching.lock"
    assert not (tmp_path / ".made_up.fetching").exists()
    record = json.loads((tmp_path / "made_up" / "fetched.json").read_text())
    assert {**record, "already": False} == result
    assert record["licence"] == "CC BY 4.0"
    assert [(f["url"], f["sha256"], f["size"], f["published"], f["members"]) for f in record["files"]] == [
        (f"{HOST}/d/train.json", sha(b"[1]"), 3, True, None),
        (f"{HOST}/d/imgs.zip", sha(ARCHIVE), len(ARCHIVE), True, 2),
        (f"{HOST}/d/more.tar.gz", sha(OTHER), len(OTHER), False, 2),
    ]
    assert f"more.tar.gz: SHA-256 {sha(OTHER)}, as measured; none was published" in capsys.readouterr().err


def test_a_second_call_asks_for_nothing(tmp_path: Path, site: Site) -> None:
    first = gather(site, tmp_path / "made_up")
    site.asked.clear()
    assert gather(site, tmp_path / "made_up") == {**first, "already": True}
    assert site.asked == []


def test_after_a_failure_the_folder_is_absent_and_only_what_is_missing_is_asked_for(tmp_path: Path, site: Site) -> None:
    site.files["/d/more.tar.gz"].faults = [Fault(status=404)]
    with pytest.raises(DataError, match=rf"404: the file is not there any more; see {HOST}/page\."):
        gather(site, tmp_path / "made_up")
    assert not (tmp_path / "made_up").exists()
    site.asked.clear()
    site.files["/d/more.tar.gz"].faults = ()
    gather(site, tmp_path / "made_up")
    assert site.asked == [("/d/more.tar.gz", None)]
    assert left_in(tmp_path / "made_up") == [*TREE, "train.json"]


def test_a_hostile_archive_leaves_no_folder(tmp_path: Path, site: Site) -> None:
    evil = zipped({"ok.txt": b"1", "../../evil.txt": b"2"})
    site.files["/d/evil.zip"] = Served(evil)
    with pytest.raises(DataError, match=r"evil.zip holds '../../evil.txt', which leads out of its folder"):
        gather(site, tmp_path / "made_up", wanted("evil.zip", evil, path="images", unpack=True))
    assert not (tmp_path / "made_up").exists()
    assert not [name for name in left_in(tmp_path) if name.endswith(".txt")]


def test_two_archives_may_hold_the_same_file_but_not_two_of_one_name(tmp_path: Path, site: Site) -> None:
    same, other = zipped({"imgs/1.png": BODY}), zipped({"imgs/1.png": b"another"})
    site.files |= {"/d/same.zip": Served(same), "/d/other.zip": Served(other)}
    gather(site, tmp_path / "one", *TABLE, wanted("same.zip", same, path=".", unpack=True))
    assert left_in(tmp_path / "one") == [*TREE, "train.json"]
    with pytest.raises(DataError, match=r"other.zip holds 1.png, and another file of the source"):
        gather(site, tmp_path / "two", *TABLE, wanted("other.zip", other, path=".", unpack=True))


def test_a_member_cannot_pass_for_the_record(tmp_path: Path, site: Site) -> None:
    forged = zipped({"fetched.json": b"{}"})
    site.files["/d/forged.zip"] = Served(forged)
    with pytest.raises(DataError, match=r"holds a file fetched.json, a name that is taken"):
        gather(site, tmp_path / "made_up", wanted("forged.zip", forged, path=".", unpack=True))


def test_a_folder_of_the_users_own_is_left_alone(tmp_path: Path, site: Site) -> None:
    (tmp_path / "made_up").mkdir()
    (tmp_path / "made_up" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match=r"was not fetched by radvqa: `radvqa data check made_up`"):
        gather(site, tmp_path / "made_up")
    assert left_in(tmp_path / "made_up") == ["mine.txt"]
    assert site.asked == []


def test_room_for_everything_is_asked_for_first(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda place: 100)
    with pytest.raises(DataError, match=rf"needs {3 + len(ARCHIVE) + len(OTHER):,} bytes in .*, and 100 are free"):
        gather(site, tmp_path / "made_up")
    assert site.asked == []


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, site: Site) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot be written: .*bytes are free there\."):
        gather(site, tmp_path / "file" / "made_up")


COLLECTS = """
import resource, sys
from pathlib import Path
from radvqa.data.dataset import Download, Facts
from radvqa.data.fetch.collect import collect
from radvqa.errors import DataError
mirror, folder, limit = sys.argv[1:4]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
rows = zip(*[iter(sys.argv[4:])] * 3)
table = [Download(f"https://data.example.org/d/{name}", path, unpack=unpack == "1") for name, path, unpack in rows]
try:
    collect("made_up", Facts("t", "s", "l", "f", "v", {}, downloads=table), Path(folder), mirror=mirror)
except DataError as error:
    sys.exit(str(error))
"""


def collector(site: Site, folder: Path, *table: tuple[str, str, int], limit: int = 0) -> "subprocess.Popen[str]":
    rows = [str(value) for row in table for value in row]
    command_ = [sys.executable, "-c", COLLECTS, site.address, str(folder), str(limit), *rows]
    return subprocess.Popen(command_, stderr=subprocess.PIPE, text=True)


def test_a_disk_that_fills_up_while_unpacking_leaves_no_folder(tmp_path: Path) -> None:
    content = zipped({"a.txt": b"1", "zeros": bytes(4_000_000)})
    with serving({"/d/z.zip": Served(content)}) as site:
        full = collector(site, tmp_path / "set", ("z.zip", ".", 1), limit=1_000_000)
        assert "what z.zip holds cannot be written" in (said := full.communicate()[1])
        assert "bytes more are needed and" in said
        assert not (tmp_path / "set").exists()
        again = collector(site, tmp_path / "set", ("z.zip", ".", 1))
        assert "Traceback" not in again.communicate()[1]
        assert (again.returncode, len(site.asked)) == (0, 1), "the archive itself was whole"
    assert left_in(tmp_path / "set") == ["a.txt", "fetched.json", "zeros"]


def test_two_processes_at_once_fetch_each_file_once(tmp_path: Path) -> None:
    both: list[subprocess.Popen[str]] = []
    table = (("a.json", "a.json", 0), ("b.zip", "imgs", 1))

    def start_the_other() -> None:
        both.append(collector(site, tmp_path / "set", *table))
        line = both[-1].stderr.readline() if both[-1].stderr else ""
        assert "Another process is fetching" in line

    served = {"/d/a.json": Served(BODY, faults=(Fault(before=start_the_other),)), "/d/b.zip": Served(ARCHIVE)}
    with serving(served) as site:
        both.append(collector(site, tmp_path / "set", *table))
        until(lambda: len(both) == 2)
        for process in both:
            process.communicate()
        assert [process.returncode for process in both] == [0, 0]
        assert sorted(path for path, _ in site.asked) == ["/d/a.json", "/d/b.zip"]
    assert left_in(tmp_path / "set") == [
        "a.json",
        "fetched.json",
        "imgs",
        *(f"imgs/{n}" for n in ("imgs", "imgs/1.png", "imgs/deep", "imgs/deep/2.png")),
    ]


def test_what_a_killed_process_began_to_unpack_is_not_taken_along(tmp_path: Path, site: Site) -> None:
    work = tmp_path / ".made_up.fetching" / "work"
    for name in ("unpacked", ".unpacked.abc.part"):
        (work / name).mkdir(parents=True)
        (work / name / "half.png").write_bytes(b"h")
    gather(site, tmp_path / "made_up")
    assert left_in(tmp_path / "made_up") == [*TREE, "train.json"]


# --- the command


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """SLAKE, published as a test says."""
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))

    def publish(*downloads: Download, **changes: Any) -> None:
        monkeypatch.setattr(DATASETS["slake"], "facts", facts(*downloads, folder="slake", **changes), raising=False)

    return publish


def test_the_command_fetches_below_the_data_folder(
    tmp_path: Path, site: Site, published: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    published(*TABLE, terms="No commercial use.", citation="Author et al.", how_to_get="The rest is elsewhere.")
    result = fetch("slake:v1", accept_licence=True, address=site.address)
    assert (result["name"], result["folder"], result["already"]) == ("slake", str(tmp_path / "data" / "slake"), False)
    assert left_in(tmp_path / "data" / "slake") == [*TREE, "train.json"]
    show_fetch(result)
    show_fetch(fetch("slake", accept_licence=True, address=site.address))
    said = capsys.readouterr().out
    for part in (
        "slake: 3 files",
        "No commercial use.",
        "Cite: Author et al.",
        "The rest is",
        "is already in",
        sha(OTHER),
    ):
        assert part in said


def test_the_command_writes_where_out_says(tmp_path: Path, site: Site, published: Callable[..., None]) -> None:
    published(*TABLE)
    fetch("slake", accept_licence=True, out=tmp_path / "elsewhere", address=site.address)
    assert (tmp_path / "elsewhere" / "fetched.json").is_file()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("Yes\n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_the_licence_is_asked_about_at_a_terminal(
    site: Site,
    published: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    agreed: bool,
) -> None:
    published(*TABLE, terms="No commercial use.")
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    if agreed:
        fetch("slake", address=site.address)
    else:
        with pytest.raises(DataError, match="its licence was not agreed to"):
            fetch("slake", address=site.address)
        assert site.asked == []
    captured = capsys.readouterr()
    assert "Licence: CC BY 4.0\nTerms: No commercial use." in captured.err
    assert captured.out == ""


def test_without_a_terminal_the_flag_is_needed(
    site: Site, published: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    published(*TABLE)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(DataError, match=r"CC BY 4.0. Nobody can be asked .* say --accept-licence\."):
        fetch("slake", address=site.address)
    assert site.asked == []


def test_a_set_behind_a_gate_says_how_to_come_by_it(published: Callable[..., None]) -> None:
    published(how_to_get="Sign the agreement of its archive.")
    with pytest.raises(DataError, match=r"^slake cannot be fetched\. Sign the agreement of its archive\.$"):
        fetch("slake", accept_licence=True)
    published()
    with pytest.raises(DataError, match=rf"no address that can be fetched from; see {HOST}/page\.$"):
        fetch("slake", accept_licence=True)


def test_a_set_that_is_made_is_not_fetched() -> None:
    with pytest.raises(DataError, match="phantom needs no fetching"):
        fetch("phantom", accept_licence=True)


def test_without_a_data_folder_out_is_needed(published: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    published(*TABLE)
    monkeypatch.delenv("RADVQA_DATA")
    with pytest.raises(DataError, match=r"RADVQA_DATA, which is not set; export .* or name a folder with --out"):
        fetch("slake", accept_licence=True)


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_table_of_downloads_can_be_used(name: str, tmp_path: Path) -> None:
    known = DATASETS[name].facts
    for one in known.downloads:
        assert one.url.startswith(("https://", "http://"))
        assert inside(tmp_path, one.path, name).is_relative_to(tmp_path)
        assert one.sha256 == "" or (len(one.sha256) == 64 and set(one.sha256) <= set("0123456789abcdef"))
    assert len({(one.url, one.path) for one in known.downloads}) == len(known.downloads)
    assert not known.folder or known.downloads or known.how_to_get or known.address

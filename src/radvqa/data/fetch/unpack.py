"""Archives (zip, tar), opened as if a stranger had made them: plain files inside the folder, of bounded size."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from radvqa import console, files
from radvqa.data.fetch import disk
from radvqa.data.fetch.inside import inside
from radvqa.errors import DataError

_BLOCK = 2**20
_LONGEST_HEADER = 2**24  # bytes read at once; tar's extended headers are read whole
_ENCRYPTED = 0x1
_BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, EOFError),
    *(ValueError, NotImplementedError, RuntimeError),  # zipfile: a method of compression that is not known; a password
)
_RESIDUE = ("__MACOSX", ".DS_Store")  # what one operating system leaves in archives; not of the data


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may grow.

    Attributes:
        ratio: bytes of all members for one byte of the archive. Texts reach some 20; deflate cannot pass 1,032.
        free_growth: bytes up to which the ratio does not matter.
        total: bytes of all members.
        members: their number.
    """

    ratio: int = 200
    free_growth: int = 2**26
    total: int = 2**40
    members: int = 5_000_000


LIMITS = Limits()
"""For what data sets publish."""


def unpack(archive: Path, folder: Path, limits: Limits = LIMITS, name: str = "") -> int:
    """Unpack an archive into a folder that does not exist yet; it appears when everything is in it.

    Args:
        archive: a zip file, or a tar file as it is or compressed by gzip, bzip2 or xz.
        folder: where to.
        limits: how much it may grow.
        name: what to call the archive in messages.

    Returns:
        The number of files.

    Raises:
        DataError: when it is no archive, is broken, or holds a link, a device, an encrypted file, a name that leads
            out of the folder or stands there twice, or more than the limits and the disk allow.
    """
    name = name or str(archive)
    written = _Written(archive, limits, name)
    with files.atomic_folder(folder) as temporary:
        try:
            if zipfile.is_zipfile(archive):
                _unpack_zip(archive, temporary, written)
            else:
                _unpack_tar(archive, temporary, written)
        except _BROKEN as error:
            raise DataError(f"{name} is no whole zip or tar archive: {error}.") from None
        except OSError as error:
            if error.errno is None:  # bzip2 says so when its content is broken
                raise DataError(f"{name} is no whole zip or tar archive: {error}.") from None
            raise disk.cannot_write(folder, written.to_come, error, f"what {name} holds") from None
    return written.members


class _Written:
    """What was unpacked so far, held against the limits."""

    def __init__(self, archive: Path, limits: Limits, name: str) -> None:
        self.limits, self.name = limits, name
        self.most = min(limits.total, max(limits.free_growth, limits.ratio * archive.stat().st_size))
        self.bytes = self.members = self.to_come = 0

    def announce(self, size: int) -> None:
        """Check a size before anything of it is written."""
        if self.bytes + size > self.most:
            raise DataError(
                f"{self.name} would grow to {self.bytes + size:,} bytes or more, {self.most:,} is the limit for an "
                f"archive of its size; nothing of it was unpacked."
            )

    def member(self) -> None:
        """Count one."""
        self.members += 1
        if self.members > self.limits.members:
            raise DataError(f"{self.name} holds more than {self.limits.members:,} files; nothing of it was unpacked.")

    def block(self, size: int) -> None:
        """Count bytes that are about to be written."""
        self.announce(size)
        self.bytes += size
        self.to_come = max(0, self.to_come - size)

    def refuse(self, member: str, why: str) -> DataError:
        """Say what is wrong with a member."""
        return DataError(f"{self.name} holds {member!r}, {why}; nothing of it was unpacked.")


def _unpack_zip(archive: Path, folder: Path, written: _Written) -> None:
    with zipfile.ZipFile(archive) as opened:
        members = [info for info in opened.infolist() if not _is_residue(info.filename)]
        for info in members:
            _refuse_what_is_no_file(info, written)
        total = sum(info.file_size for info in members)
        written.announce(total)
        disk.require(folder, total, f"unpacking {written.name}")
        written.to_come = total
        with console.progress(f"unpacking {written.name}", len(members)) as advance:
            for info in members:
                path = inside(folder, info.filename, written.name)
                if info.is_dir():
                    _make_folder(path, info.filename, written)
                else:
                    with opened.open(info) as content:
                        _write(content, path, info.filename, written)
                advance(1)


def _refuse_what_is_no_file(info: zipfile.ZipInfo, written: _Written) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise written.refuse(info.filename, "which is a link or a device, not a file")
    if info.flag_bits & _ENCRYPTED:
        raise written.refuse(info.filename, "which is encrypted")


def _unpack_tar(archive: Path, folder: Path, written: _Written) -> None:
    with _decompressed(archive) as plain, tarfile.open(fileobj=plain, mode="r:") as opened:
        while info := opened.next():
            if _is_residue(info.name):
                continue
            path = inside(folder, info.name, written.name)
            if info.isdir():
                _make_folder(path, info.name, written)
                continue
            content = opened.extractfile(info) if info.isreg() and not info.issparse() else None
            if content is None:
                raise written.refuse(info.name, "which is a link or a device, not a file")
            written.announce(info.size)
            disk.require(folder, info.size, f"unpacking {written.name}")
            written.to_come = info.size
            with content:
                _write(content, path, info.name, written)
            opened.members = []  # type: ignore[attr-defined]  # else every header stays in memory
        _read_to_the_end(plain, opened.offset, written)


def _read_to_the_end(plain: "_Bounded", offset: int, written: _Written) -> None:
    """Make sure that the members ended where the archive says so; tarfile takes a broken header for the end."""
    plain.seek(offset)
    while block := plain.read(_BLOCK):
        if block.strip(b"\0"):
            raise tarfile.ReadError(f"there is no member at byte {offset:,}")
        written.block(len(block))


def _is_residue(name: str) -> bool:
    return any(part in _RESIDUE for part in name.split("/"))


def _make_folder(path: Path, name: str, written: _Written) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise written.refuse(name, "which is a file and a folder at once") from None


def _write(content: IO[bytes], path: Path, name: str, written: _Written) -> None:
    written.member()
    _make_folder(path.parent, name, written)
    try:
        with path.open("xb") as handle:
            while block := content.read(_BLOCK):
                written.block(len(block))
                handle.write(block)
    except (FileExistsError, IsADirectoryError):
        raise written.refuse(name, "whose name stands there twice") from None


def _decompressed(archive: Path) -> "_Bounded":
    with archive.open("rb") as handle:
        start = handle.read(6)
    if start[:2] == b"\x1f\x8b":
        return _Bounded(gzip.open(archive))
    if start[:3] == b"BZh":
        return _Bounded(bz2.open(archive))
    if start == b"\xfd7zXZ\0":
        return _Bounded(lzma.open(archive))
    return _Bounded(archive.open("rb"))


class _Bounded(io.RawIOBase):
    """A stream that gives no more than some bytes at once, so that no header can fill the memory."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError("a header is too long")
        return self._stream.read(size)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        super().close()

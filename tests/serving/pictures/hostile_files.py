"""Files that want to break a decoder, made here: bombs, files that are cut off, and files that are no pictures."""

import gzip
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from hospital_files import dicom, nifti

CUTS = (0.0, 0.01, 0.03, 0.08, 0.15, 0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9)
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
VOLUME = np.random.default_rng(1).integers(-1000, 1000, (20, 24, 16)).astype(np.int16)


def saved(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).convert("RGB" if kind in ("WEBP", "JPEG") else "L").save(buffer, kind, **options)
    return buffer.getvalue()


def run_length_encoded() -> bytes:
    dataset = dcmread(io.BytesIO(dicom(NOISE)))
    dataset.compress(RLELossless)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def whole() -> dict[str, bytes]:
    """Good files, by format."""
    return {
        "png": saved("PNG"),
        "jpeg": saved("JPEG"),
        "progressive jpeg": saved("JPEG", progressive=True),
        "gif": saved("GIF"),
        "bmp": saved("BMP"),
        "tiff": saved("TIFF"),
        "deflated tiff": saved("TIFF", compression="tiff_adobe_deflate"),
        "webp": saved("WEBP", lossless=True),
        "dicom": dicom(NOISE),
        "run-length dicom": run_length_encoded(),
        "nifti": nifti(VOLUME),
        "packed nifti": gzip.compress(nifti(VOLUME)),
    }


def cut_off() -> Iterator[tuple[str, bytes]]:
    for name, content in whole().items():
        for share in CUTS:
            yield f"{name} cut at {share:.0%}", content[: max(1, int(share * len(content)))]


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *more: bytes, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(more) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    )


def _zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    part = bytes(1 << 20)
    return b"".join(packer.compress(part) for _ in range(count >> 20)) + packer.flush()


def _tiff(*tags: tuple[int, int, int, int], next_at: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", next_at)


def _nested(depth: int) -> bytes:
    """A sequence in a sequence and so on, none of which ends, before the pixels."""
    content = dicom(NOISE)
    pixels = content.index(b"\xe0\x7f\x10\0")
    sequence = b"\0\x52\x29\x92SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    return content[:pixels] + sequence * depth + content[pixels:]


def _encapsulated(stream: bytes, **attributes: Any) -> bytes:
    from pydicom.encaps import encapsulate

    dataset = dcmread(io.BytesIO(dicom(NOISE, **attributes)))
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def _header(content: bytes, at: int, layout: str, *values: Any) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, at, *values)
    return bytes(changed)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that claim, or unpack to, very much."""
    for width, height in ((100_000, 100_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (30_000, 30_000), (0, 0), (1, 0)):
        yield f"png of {width} x {height}", png(width, height)
    yield "png of one bit", png(60_000, 60_000, depth=1)
    yield "png without its rows", png(6_000, 6_000)
    packed = _zeros(400 << 20)
    yield "png with a text bomb", png(8, 8, _chunk(b"zTXt", b"a\0\0" + packed))
    yield "png with an unpacking profile", png(8, 8, _chunk(b"IDAT", b""), _chunk(b"iTXt", b"a\0\1\0\0\0" + packed))
    yield "gif of 65535 squared", b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(6) + b","
    yield "gif frame beyond its screen", b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + b"," + b"\xff" * 8 + b"\0\x08\xff"
    yield "bmp of 2 giga", b"BM" + struct.pack("<IIIIiiHHIIIIII", 100, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, *[0] * 6)
    yield (
        "bmp that counts on",
        b"BM" + struct.pack("<IIIIiiHHIIIIII", 100, 0, 54, 40, 9000, 9000, 1, 8, 1, *[0] * 5) + b"\xff" * 9,
    )
    yield "webp of 16383 squared", b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0\x2f" + b"\xff\xff\xff\x0f" + bytes(12)
    yield (
        "jpeg of 65535 squared",
        b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(64),
    )
    side = ((256, 4, 1, 2_000_000_000), (257, 4, 1, 2_000_000_000), (258, 3, 1, 8), (259, 3, 1, 8), (273, 4, 1, 8))
    yield "tiff of 4 exa", _tiff(*side)
    yield "tiff whose strips are deflated bombs", _tiff(
        (256, 4, 1, 100_000), (257, 4, 1, 100_000), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, 1, 200), (278, 4, 1, 100_000), (279, 4, 1, len(packed)),
    ) + packed  # fmt: skip
    yield "tiff that goes round", _tiff((256, 4, 1, 8), next_at=8)
    yield "tiff with a tag of 4 giga", _tiff((256, 4, 2**32 - 1, 8), (257, 4, 1, 8), (273, 4, 2**31, 9))
    yield "tiff without entries", _tiff()
    for rows, columns in ((65_535, 65_535), (0, 64), (64, 0), (1, 1), (40_000, 2_000)):
        made = dicom(NOISE, Rows=rows, Columns=columns)
        yield f"dicom of {rows} x {columns}", made if rows * columns != 1 else dicom(NOISE, Rows=1, Columns=5_000)
    two = dicom(np.stack([NOISE] * 2), NumberOfFrames="200000000000")
    for frames in ("2147483647", "99999999999", "-1", "0.5", "two", "4000"):
        yield f"dicom of {frames} frames", two.replace(b"200000000000", frames.encode().ljust(12))
    for depth in (100, 400, 5_000):
        yield f"dicom nested {depth} times", _nested(depth)
    yield "dicom with 32-bit samples", dicom(NOISE, BitsAllocated=32, BitsStored=32)
    yield "dicom without bits", dicom(NOISE, BitsAllocated=0, BitsStored=0 + 1)
    yield "dicom with nine samples", dicom(NOISE, SamplesPerPixel=9)
    yield "dicom of colours of no kind", dicom(NOISE, PhotometricInterpretation="RGB", SamplesPerPixel=3)
    large = io.BytesIO()
    Image.new("L", (12_000, 12_000)).save(large, "JPEG", quality=1)
    yield "dicom whose stream is larger than its header", _encapsulated(large.getvalue())
    yield "dicom whose stream is no picture", _encapsulated(pickle.dumps(["no"]) * 40)
    meta, _ = _split(dicom(NOISE, syntax=ExplicitVRLittleEndian))
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(400)) + bomb.flush()
    yield "deflated dicom bomb", meta.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"[:20]) + stream
    yield "dicom of nothing but its name", bytes(128) + b"DICM"
    yield "dicom of noise", bytes(128) + b"DICM" + NOISE.tobytes()
    yield "bare dicom of noise", b"\x08\0\x05\0" + NOISE.tobytes()
    plain = nifti(VOLUME)
    for dims in (
        (3, 32_767, 32_767, 32_767),
        (3, -5, 4, 4),
        (3, 0, 4, 4),
        (7, 32_767, *[1_000] * 6),
        (0,),
        (99, 1),
        (1, 9),
    ):
        padded = (*dims, *[1] * 8)[:8]
        yield f"nifti of {dims}", _header(plain, 40, "<8h", *padded)
        yield f"packed nifti of {dims}", gzip.compress(_header(plain, 40, "<8h", *padded))
    for kind in (0, 1, 1792, 32_767, -3):
        yield f"nifti of type {kind}", _header(plain, 70, "<h", kind)
    for offset in (float("nan"), float("inf"), -1e30, 1e30, 3e9):
        yield f"nifti that begins at {offset}", _header(plain, 108, "<f", offset)
    yield (
        "nifti whose affine is nothing",
        _header(_header(plain, 252, "<hh", 1, 1), 280, "<12f", *[float("nan")] * 12)[:400],
    )
    endless = _header(plain, 40, "<8h", 3, 30_000, 30_000, *[1] * 5) + bytes(300 << 20)
    yield "packed nifti that never ends", gzip.compress(endless)
    yield "header of a nifti pair", _header(plain, 344, "<4s", b"ni1\0")


def _split(content: bytes) -> tuple[bytes, bytes]:
    length = struct.unpack_from("<I", content, 140)[0]
    return content[: 144 + length], content[144 + length :]


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def no_pictures(touched: Path) -> Iterator[tuple[str, bytes]]:
    """Files of other kinds; the pickle would leave a file behind if anybody opened it."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as packed:
        packed.writestr("../../evil.png", saved("PNG"))
    array = io.BytesIO()
    np.save(array, np.array([_Touch(touched)], dtype=object), allow_pickle=True)
    yield "nothing", b""
    yield "zip", box.getvalue()
    yield "pickle", pickle.dumps(_Touch(touched))
    yield "numpy with a pickle", array.getvalue()
    yield "html", b"<!doctype html><script>alert(1)</script>"
    yield "svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield "windows program", b"MZ" + bytes(200) + b"PE\0\0"
    yield "program", b"\x7fELF\2\1\1" + bytes(300)
    yield "shell script", b"#!/bin/sh\nrm -rf /\n"
    yield "pdf", b"%PDF-1.7\n%%EOF"
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n(/etc/passwd) run"
    yield "icon", b"\0\0\1\0\1\0" + bytes(64)
    yield "photoshop", b"8BPS\0\1" + bytes(64)
    yield "json", b'{"a": 1}'
    yield "gzip of a text", gzip.compress(b"text" * 1000)
    yield "gzip bomb", gzip.compress(bytes(200 << 20), 9)
    yield "zeros", bytes(100_000)
    yield "html that says gif", b"GIF89a<script>alert(1)</script>"
    yield "html that says jpeg", b"\xff\xd8\xff<script>alert(1)</script>"
    yield "html that says png", b"\x89PNG\r\n\x1a\n<script>alert(1)</script>"
    yield "html behind a dicom preamble", b"<script>".ljust(128) + b"DICM" + b"</script>"
    yield "pixmap", b"P6\n60000 60000\n255\n" + bytes(64)
    yield "video", b"\0\0\0\x18ftypmp42" + bytes(64)

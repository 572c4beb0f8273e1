"""Messages between the service and a decoding process: a JSON header of bounded length, then plain bytes.

Nothing that comes through here is ever run or unpickled.
"""

import json
import struct
from typing import Any, BinaryIO

LONGEST_HEADER = 65_536
"""Bytes."""

_LENGTHS = struct.Struct("<IQ")  # of the header and of the bytes behind it


class FramingError(Exception):
    """What came is no message, or the other side is gone."""


def send(stream: BinaryIO, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write a message.

    Raises:
        FramingError: when the header is too long, or nobody reads.
    """
    text = json.dumps(header, separators=(",", ":")).encode()
    if len(text) > LONGEST_HEADER:
        raise FramingError(f"the header has {len(text)} bytes")
    try:
        stream.write(_LENGTHS.pack(len(text), len(body)))
        stream.write(text)
        stream.write(body)
        stream.flush()
    except (OSError, ValueError) as error:
        raise FramingError("nobody reads") from error


def receive(stream: BinaryIO, most: int) -> tuple[dict[str, Any], bytes] | None:
    """Read a message.

    Args:
        stream: to read from.
        most: bytes behind the header.

    Returns:
        header and bytes; None when the other side has ended between two messages.

    Raises:
        FramingError: when it is none, is longer than allowed, or stops in the middle.
    """
    try:
        lengths = stream.read(_LENGTHS.size)
        if not lengths:
            return None
        header_length, body_length = _LENGTHS.unpack(_whole(lengths, _LENGTHS.size))
        if header_length > LONGEST_HEADER or body_length > most:
            raise FramingError("a message is longer than allowed")
        header = json.loads(_whole(stream.read(header_length), header_length))
        body = _whole(stream.read(body_length), body_length)
    except (OSError, ValueError, RecursionError) as error:
        raise FramingError("what came is no message") from error
    if not isinstance(header, dict):
        raise FramingError("a header is no object")
    return header, body


def _whole(content: bytes, length: int) -> bytes:
    if len(content) != length:
        raise FramingError("a message stops in the middle")
    return content

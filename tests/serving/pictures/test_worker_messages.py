"""Messages between the service and its decoding processes, whatever comes."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from radvqa.serving.pictures.decoded import Decoded, travelling
from radvqa.serving.pictures.framing import FramingError, receive, send
from radvqa.serving.pictures.naming import LONGEST, plain_name
from radvqa.serving.pictures.room import Room

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.tuples(st.dictionaries(st.text(max_size=9), JSON, max_size=4), st.binary(max_size=300)), max_size=4))
def test_messages_arrive_as_they_were_sent(messages: list[tuple[dict[str, object], bytes]]) -> None:
    stream = io.BytesIO()
    for header, body in messages:
        send(stream, header, body)
    stream.seek(0)
    assert [receive(stream, 300) for _ in messages] == messages
    assert receive(stream, 300) is None


@given(st.binary(max_size=200), st.integers(0, 100))
def test_anything_else_is_refused(content: bytes, most: int) -> None:
    stream = io.BytesIO(content)
    try:
        received = receive(stream, most)
    except FramingError:
        return
    assert received is None or len(received[1]) <= most


@given(st.dictionaries(st.text(max_size=9), JSON, max_size=4), st.binary(max_size=50), st.data())
def test_a_message_that_stops_is_refused(header: dict[str, object], body: bytes, data: st.DataObject) -> None:
    stream = io.BytesIO()
    send(stream, header, body)
    whole = stream.getvalue()
    with pytest.raises(FramingError):
        receive(io.BytesIO(whole[: data.draw(st.integers(1, len(whole) - 1))]), 50)


def test_a_message_that_is_too_long_is_not_read() -> None:
    stream = io.BytesIO()
    send(stream, {}, bytes(1_000))
    stream.seek(0)
    with pytest.raises(FramingError, match="longer than allowed"):
        receive(stream, 999)
    with pytest.raises(FramingError, match="header has"):
        send(io.BytesIO(), {"a": "x" * 70_000})


@given(
    arrays.arrays(
        np.float64, (3, 4), elements=st.integers(-70_000, 70_000).map(float) | st.floats(-(2.0**99), 2.0**99, width=32)
    ),
    arrays.arrays(np.bool_, (3, 4)) | st.none(),
)
def test_greys_travel_without_a_loss(values: NDArray[np.float64], padding: NDArray[np.bool_] | None) -> None:
    sent, sign = travelling(values, padding)
    header = Decoded(shape=(3, 4), type=sent.dtype.name, kind="picture", padding=sign)
    came = header.values(sent.tobytes())
    seen = np.ones((3, 4), np.bool_) if padding is None else ~padding
    assert (came[seen] == values[seen].astype(np.float32)).all()
    if padding is not None:
        assert (np.isnan(came[padding]) if sign is None else came[padding] == sign).all()
        if sign is not None:
            assert not (came[seen] == sign).any()


@given(st.text(max_size=400))
def test_names_hold_no_folder_and_nothing_unseen(header: str) -> None:
    name = plain_name(header)
    assert 0 < len(name) <= LONGEST
    assert not set("/\\\r\n\0\u202e\u200b") & set(name)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=40))
def test_a_room_holds_no_more_than_it_may(puts: list[tuple[int, int]]) -> None:
    room: Room[int] = Room(10)
    for key, size in puts:
        room.put(key, size, size)
        assert room.get(key) == (size if size <= 10 else None)
        assert sum(room.get(known) or 0 for known in range(6)) <= 10

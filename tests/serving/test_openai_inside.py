"""OpenAI's doors from inside: how often a picture is decoded, and what happens under pressure."""

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from radvqa.data import registry
from radvqa.serving.answerers.answerer import Asked, Reply
from radvqa.serving.app import application
from radvqa.serving.batching import Batcher, BusyError
from radvqa.serving.openai.errors import ApiError
from radvqa.serving.openai.seen import data_of
from radvqa.serving.openai.speaking import Cut, Deltas
from radvqa.serving.pictures.pictures import Pictures
from radvqa.serving.service import Service
from radvqa.serving.settings import Limits, Settings
from radvqa.serving.shelf import Loaded


@asynccontextmanager
async def asking(limits: Limits, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    service = Service.open(Settings(runs=folder, records=folder / "judgements.sqlite", limits=limits))
    transport = httpx.ASGITransport(application(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120) as client:
        yield client
    await service.close()


def body(content: bytes, question: str = "Which organ is shown?") -> dict[str, Any]:
    url = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    parts = [{"type": "image_url", "image_url": url}, {"type": "text", "text": question}]
    return {"model": "starter", "messages": [{"role": "user", "content": parts}]}


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    paths = dict.fromkeys(sample.image_path for sample in registry.load_split("phantom:mini", "test"))
    return [path.read_bytes() for path in list(paths)[:3]]


def test_a_picture_is_decoded_once_for_all_questions_about_it(
    pictures: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []
    add = Pictures.add

    async def counted(self: Pictures, content: bytes, *more: Any, **named: Any) -> Any:
        decoded.append(content)
        return await add(self, content, *more, **named)

    monkeypatch.setattr(Pictures, "add", counted)

    async def work() -> list[int]:
        async with asking(Limits(), tmp_path) as client:
            bodies = [body(pictures[n % 3], f"Is there {n}?") for n in range(18)]
            together = await asyncio.gather(*(client.post("/v1/chat/completions", json=one) for one in bodies))
            later = await client.post("/v1/chat/completions", json=bodies[0])
            return [reply.status_code for reply in (*together, later)]

    assert asyncio.run(work()) == [200] * 19
    assert sorted(decoded) == sorted(pictures)


def test_a_broken_picture_is_told_to_everybody_who_sent_it_and_tried_again(tmp_path: Path) -> None:
    async def work() -> list[httpx.Response]:
        async with asking(Limits(), tmp_path) as client:
            sent = body(b"\x89PNG\r\n\x1a\n broken")
            both = await asyncio.gather(*(client.post("/v1/chat/completions", json=sent) for _ in range(2)))
            return [*both, await client.post("/v1/chat/completions", json=sent)]

    replies = asyncio.run(work())
    assert [reply.status_code for reply in replies] == [400] * 3
    assert len({reply.json()["error"]["message"] for reply in replies}) == 1


def test_who_asks_too_much_is_told_when_to_come_again(pictures: list[bytes], tmp_path: Path) -> None:
    async def work() -> list[httpx.Response]:
        async with asking(Limits(waiting=1, batch=1), tmp_path) as client:
            first = await client.post("/v1/chat/completions", json=body(pictures[0]))  # loads the model
            bodies = [body(pictures[n % 3], f"Is there {n}?") for n in range(20)]
            return [first, *await asyncio.gather(*(client.post("/v1/chat/completions", json=b) for b in bodies))]

    replies = asyncio.run(work())
    assert {reply.status_code for reply in replies} == {200, 429}
    busy = next(reply for reply in replies if reply.status_code == 429)
    assert int(busy.headers["Retry-After"]) >= 1
    assert busy.json()["error"]["type"] == "rate_limit_error"


def test_a_picture_that_is_too_large_is_refused(pictures: list[bytes], tmp_path: Path) -> None:
    limit = len(pictures[0]) - 1

    async def work() -> list[httpx.Response]:
        async with asking(Limits(picture_bytes=limit), tmp_path) as client:
            sent = [body(pictures[0]), body(pictures[0] * 3)]
            return [await client.post("/v1/chat/completions", json=one) for one in sent]

    replies = asyncio.run(work())
    assert [reply.status_code for reply in replies] == [413, 413]
    assert replies[0].json()["error"]["message"] == f"The picture is larger than {limit:,} bytes."
    assert "at most" in replies[1].json()["error"]["message"]


def test_pictures_of_messages_do_not_push_out_those_of_the_page(pictures: list[bytes], tmp_path: Path) -> None:
    async def work() -> int:
        async with asking(Limits(pictures=2), tmp_path) as client:
            headers = {"X-Name": "mine.png", "Content-Type": "application/octet-stream"}
            kept = await client.post("/api/pictures", content=pictures[0], headers=headers)
            mine = kept.json()["id"]
            for content in pictures:
                await client.post("/v1/chat/completions", json=body(content))
            return (await client.get(f"/api/pictures/{mine}")).status_code

    assert asyncio.run(work()) == 200


@pytest.mark.parametrize(
    "address",
    [
        "data:image/png;base64,aGVsbG8_",
        "data:;base64,aGVs\nbG8%2F",
        "DATA:text/plain; charset=x;BASE64,aGVsbG8/",
        "data:,hello?",
        "data:application/octet-stream,%68ello?",
    ],
)
def test_data_addresses_are_read_however_they_are_written(address: str) -> None:
    assert data_of(address, 100) == b"hello?"


@pytest.mark.parametrize("address", ["data:", "data:;base64,", "data:;base64,é", "data:;base64,a", "data:;base64,a$b"])
def test_data_addresses_that_hold_nothing_are_refused(address: str) -> None:
    with pytest.raises(ApiError):
        data_of(address, 100)


def test_what_is_sent_of_an_unfinished_answer_is_never_taken_back() -> None:
    deltas = Deltas(Cut(stops=("END", "\n\n"), limit=None))
    written = ["a", "a b\ufffd", "a bé", "a bé E", "a bé Ex", "a bé Ex EN", "a bé Ex END and more"]
    sent = [deltas.more(text) for text in written]
    assert sent == ["a", " b", "é", " ", "Ex", " ", ""]
    assert deltas.rest("a bé Ex ") == ""


class Slow:
    """A writer that writes nothing before it is let."""

    writes = True

    def __init__(self) -> None:
        self.go = threading.Event()

    def answer(self, asked: Sequence[Asked]) -> list[Reply]:
        return [Reply(one.question, None) for one in asked]

    def speak(self, asked: Asked, say: Callable[[str], None]) -> Reply:
        self.go.wait(60)
        say(asked.question)
        return self.answer([asked])[0]


def test_writers_that_are_heard_have_a_row_of_limited_length() -> None:
    async def work() -> tuple[list[str], int]:
        writer = Slow()
        loaded = Loaded(writer, Batcher(writer.answer, most=1, waiting=2))
        asked = [Asked(np.zeros((2, 2), np.uint8), "", question) for question in ("a", "b", "c")]
        tasks = [asyncio.create_task(loaded.heard(one, lambda _: None)) for one in asked[:2]]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as busy:
            await loaded.heard(asked[2], lambda _: None)
        writer.go.set()
        said = [(await task).text for task in tasks]
        said.append((await loaded.heard(asked[2], lambda _: None)).text)
        await loaded.batcher.close()
        return said, busy.value.seconds

    said, seconds = asyncio.run(work())
    assert (said, seconds >= 1) == (["a", "b", "c"], True)

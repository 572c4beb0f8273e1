"""Clients that ask through ``/v1/chat/completions``, each the next question when it has its answer, and check it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import psutil

from radvqa import console
from radvqa.errors import RadvqaError

QUESTIONS = (
    "What modality is used to take this image?",
    "Which part of the body does this image belong to?",
    "Does the picture contain lung?",
    "Does the picture contain liver?",
    "What is the main organ in the image?",
    "Is this a study of the chest?",
    "Which is bigger in this image, liver or lung?",
    "Where is the brain in this image?",
    "How many kidneys are in this image?",
    "Does the patient look healthy?",
)
_SAME = 1e-4  # confidences of the same picture and question, whatever they were computed with
_WARM_SECONDS = 5.0


@dataclass(frozen=True)
class Load:
    """What is asked of the service.

    Attributes:
        clients: that ask at a time, each the next question when it has its answer.
        seconds: for so long; ignored where ``requests`` is given.
        requests: so many; None for ``seconds``.
        pictures: distinct ones in all, each of one client alone.
        per_picture: questions about a picture before a client takes its next one.
    """

    clients: int = 32
    seconds: float = 60.0
    requests: int | None = None
    pictures: int = 64
    per_picture: int = len(QUESTIONS)


@dataclass(frozen=True)
class Expected:
    """What the model itself says, asked without a service."""

    answer: str
    confidence: float


async def asked(
    address: str, uris: Sequence[str], expected: Sequence[Sequence[Expected]], load: Load, server: int
) -> dict[str, Any]:
    """Let clients ask, and sum up what they met.

    Args:
        address: of the service.
        uris: pictures as data URIs.
        expected: what must be heard about each picture, by question.
        load: how many clients ask how long.
        server: process id of the service, whose memory is watched.

    Returns:
        ``questions``, ``seconds``, ``questions_per_s``, ``p50_s``, ``p99_s``, ``failed``, ``mixed_up``, and memory.

    Raises:
        RadvqaError: when a request fails while the service is warmed up.
    """
    latencies: list[float] = []
    failed: list[str] = []
    mixed: list[str] = []
    left = [load.requests if load.requests is not None else 1 << 62]
    limits = httpx.Limits(max_connections=load.clients, max_keepalive_connections=load.clients)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=120, trust_env=False) as http:

        async def one(picture: int, question: int) -> None:
            began = time.perf_counter()
            try:
                reply = await http.post("/v1/chat/completions", json=_body(uris[picture], QUESTIONS[question]))
                reply.raise_for_status()
                said = reply.json()
            except (httpx.HTTPError, ValueError) as error:
                failed.append(f"{type(error).__name__}: {error}")
                return
            latencies.append(time.perf_counter() - began)
            wanted = expected[picture][question]
            if not is_expected(said, wanted):
                mixed.append(f"{QUESTIONS[question]} of picture {picture}: {_told(said)}, expected {wanted}")

        async def client(number: int, until: float) -> None:
            own = range(number, len(uris), load.clients)  # nobody else asks about these
            turn = number  # not all in step
            while time.perf_counter() < until and left[0] > 0:
                left[0] -= 1
                await one(own[turn // load.per_picture % len(own)], turn % len(QUESTIONS))
                turn += 1

        async def clients(seconds: float) -> None:
            until = time.perf_counter() + seconds
            await asyncio.gather(*(client(number, until) for number in range(load.clients)))

        kept, left[0] = left[0], 1 << 62
        await clients(_WARM_SECONDS)
        if failed:
            raise RadvqaError(f"The service failed while it was warmed up: {failed[0]}")
        latencies.clear()
        left[0] = kept
        watching = asyncio.create_task(_watched(server))
        began = time.perf_counter()
        await clients(load.seconds if load.requests is None else 1e9)
        seconds = time.perf_counter() - began
        watching.cancel()
        memory = await watching
    for what, found in (("failed", failed), ("mixed up", mixed)):
        if found:
            console.say(f"{what}, the first of {len(found)}: {found[0]}")
    return {
        "questions": len(latencies),
        "seconds": round(seconds, 2),
        "questions_per_s": round(len(latencies) / seconds, 1),
        "p50_s": round(float(np.percentile(latencies, 50)), 4) if latencies else None,
        "p99_s": round(float(np.percentile(latencies, 99)), 4) if latencies else None,
        "failed": len(failed),
        "mixed_up": len(mixed),
        "memory_begin_bytes": memory[0],
        "memory_end_bytes": memory[-1],
        "memory_deviation": round(max(abs(now / memory[0] - 1) for now in memory), 4),
    }


def _body(uri: str, question: str) -> dict[str, Any]:
    parts = [{"type": "image_url", "image_url": {"url": uri}}, {"type": "text", "text": question}]
    return {"model": "starter", "messages": [{"role": "user", "content": parts}], "radvqa": {"guess": True}}


def _told(said: Mapping[str, Any]) -> tuple[str, float]:
    return said["choices"][0]["message"]["content"], said["radvqa"]["confidence"]


def is_expected(said: Mapping[str, Any], wanted: Expected) -> bool:
    """Whether a reply is what the model itself says."""
    answer, confidence = _told(said)
    return answer == wanted.answer and abs(confidence - wanted.confidence) < _SAME


async def _watched(server: int) -> list[int]:
    """Memory of a server and its workers, each second, until cancelled; at least two looks."""
    seen = [_memory(server)]
    try:
        while True:
            await asyncio.sleep(1)
            seen.append(_memory(server))
    except asyncio.CancelledError:
        return [*seen, _memory(server)]


def _memory(server: int) -> int:
    """Bytes that a process and those below it hold for themselves."""
    process = psutil.Process(server)
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))

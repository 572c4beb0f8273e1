"""Queues and decisions for tests."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from radvqa.curating.pair import Pair
from radvqa.reviewing.decision import Decision, Verdict
from radvqa.reviewing.queue import ReviewQueue

_numbers = itertools.count()


def pairs(count: int, **more: Any) -> list[Pair]:
    """Make pairs p0, p1 …"""
    return [Pair(f"p{n}", f"Q{n}?", f"A{n}", "open", caption=f"Caption {n}", **more) for n in range(count)]


def queue_of(folder: Path, count: int, overlap: float = 0.1, clock: Callable[[], float] = time.time) -> ReviewQueue:
    """Make a queue of pairs."""
    queue = ReviewQueue(folder / "review.sqlite", clock)
    queue.add(pairs(count), overlap)
    return queue


def decision(pair: str, who: str, verdict: str = "pass", *, token: str = "", **more: Any) -> Decision:
    """Make a decision, with a token of its own unless one is given."""
    return Decision(pair, who, cast("Verdict", verdict), token=token or f"token-{next(_numbers)}", **more)

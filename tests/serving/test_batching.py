"""Questions that come together are answered together, each asker gets its own answer, and nobody else's mistake."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radvqa.errors import RadvqaError
from radvqa.serving.answerers.answerer import Asked, Reply
from radvqa.serving.batching import Batcher, BusyError

Value = TypeVar("Value")


def asked(question: str) -> Asked:
    return Asked(np.zeros((2, 2), np.uint8), "digest", question)


class Model:
    """Answers with the question itself; waits while it is held, so that others pile up behind."""

    def __init__(self) -> None:
        self.passes: list[list[str]] = []
        self.free = threading.Event()
        self.free.set()
        self.at_once = self.most_at_once = 0

    def __call__(self, questions: Sequence[Asked]) -> list[Reply]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.passes.append([one.question for one in questions])
        self.free.wait(30)
        self.at_once -= 1
        if any("bad" in one.question for one in questions):
            raise RadvqaError("One of them is bad.")
        return [Reply(one.question.upper(), 0.5) for one in questions]


def run(work: Callable[[Batcher, Model], Awaitable[Value]], *, most: int = 8, waiting: int = 100) -> Value:
    async def inside() -> Value:
        model = Model()
        batcher = Batcher(model, most=most, waiting=waiting)
        try:
            return await work(batcher, model)
        finally:
            model.free.set()
            await batcher.close()

    return asyncio.run(inside())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=5), min_size=1, max_size=40), st.integers(1, 9))
def test_everybody_gets_the_answer_to_their_own_question(questions: list[str], most: int) -> None:
    async def work(batcher: Batcher, model: Model) -> list[Reply]:
        replies = await asyncio.gather(*(batcher.ask(asked(f"good {q}")) for q in questions))
        assert sum(map(len, model.passes)) == len(questions)
        assert all(len(one) <= most for one in model.passes)
        assert model.most_at_once == 1
        return list(replies)

    assert [one.answer for one in run(work, most=most)] == [f"good {q}".upper() for q in questions]


def test_what_comes_during_a_pass_goes_into_the_next_one_together() -> None:
    async def work(batcher: Batcher, model: Model) -> list[list[str]]:
        model.free.clear()
        first = asyncio.create_task(batcher.ask(asked("first")))
        while not model.passes:
            await asyncio.sleep(0.01)
        others = [asyncio.create_task(batcher.ask(asked(f"other {n}"))) for n in range(5)]
        await asyncio.sleep(0.05)
        model.free.set()
        await asyncio.gather(first, *others)
        return model.passes

    assert run(work) == [["first"], [f"other {n}" for n in range(5)]]


def test_a_question_that_fails_fails_alone() -> None:
    async def work(batcher: Batcher, model: Model) -> list[Reply | BaseException]:
        model.free.clear()
        first = asyncio.create_task(batcher.ask(asked("first")))
        while not model.passes:
            await asyncio.sleep(0.01)
        rest = [asyncio.create_task(batcher.ask(asked(q))) for q in ("a", "bad", "c")]
        await asyncio.sleep(0.05)
        model.free.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    first, a, bad, c = run(work)
    assert [one.answer for one in (first, a, c) if isinstance(one, Reply)] == ["FIRST", "A", "C"]
    assert isinstance(bad, RadvqaError)


def test_too_many_are_told_when_to_come_again_and_those_who_left_cost_nothing() -> None:
    async def work(batcher: Batcher, model: Model) -> None:
        model.free.clear()
        first = asyncio.create_task(batcher.ask(asked("first")))
        while not model.passes:
            await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(batcher.ask(asked(f"{n}"))) for n in range(4)]
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError) as busy:
            await batcher.ask(asked("one too many"))
        assert busy.value.seconds >= 1
        for task in waiting[:3]:
            task.cancel()
        await asyncio.sleep(0.01)
        model.free.set()
        await first
        assert (await waiting[3]).answer == "3"
        assert model.passes == [["first"], ["3"]]

    run(work, waiting=4)


def test_closing_answers_what_waits() -> None:
    async def work(batcher: Batcher, _model: Model) -> None:
        tasks = [asyncio.create_task(batcher.ask(asked(f"{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        await batcher.close()
        assert [(await task).answer for task in tasks] == [f"{n}" for n in range(20)]

    run(work, most=3)

"""Questions that wait while a model answers are answered together in its next pass."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from radvqa.errors import RadvqaError
from radvqa.serving.answerers.answerer import Asked, Reply

Answer = Callable[[Sequence[Asked]], list[Reply]]


class BusyError(RadvqaError):
    """More questions wait than may; come again.

    Attributes:
        seconds: after which it is worth a try.
    """

    def __init__(self, seconds: int, why: str = "") -> None:
        super().__init__(why or f"The model has more questions than it can take now; ask again in {seconds} s.")
        self.seconds = seconds


class Batcher:
    """Hands waiting questions to a model, as many at a time as it takes; nobody waits for a batch to fill.

    Questions whose asker has gone are dropped before they cost anything. A question that a pass fails on fails alone.

    Args:
        answer: a pass of the model; called in one thread, never twice at a time.
        most: questions of a pass.
        waiting: questions that may wait; more raise ``BusyError``.
    """

    def __init__(self, answer: Answer, *, most: int, waiting: int) -> None:
        self._answer, self._most, self._limit = answer, most, waiting
        self._waiting: list[tuple[Asked, asyncio.Future[Reply]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._pumping: asyncio.Task[None] | None = None
        self._pass_seconds = 0.1
        self._alone = 0
        self.answered = self.passes = 0

    @property
    def thread(self) -> ThreadPoolExecutor:
        """The model's own thread: whoever else uses the model works in it."""
        return self._thread

    async def ask(self, asked: Asked) -> Reply:
        """Wait for an answer.

        Raises:
            BusyError: when too many wait.
            RadvqaError: what the model raised.
        """
        if len(self._waiting) >= self._limit:
            self._waiting = [(one, future) for one, future in self._waiting if not future.done()]
        if len(self._waiting) >= self._limit:
            raise BusyError(max(1, round(self._pass_seconds * len(self._waiting) / self._most)))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append((asked, future))
        if self._pumping is None or self._pumping.done():
            self._pumping = loop.create_task(self._pump())
        return await future

    def require_room(self) -> None:
        """Refuse one more answer that is not given in a pass.

        Raises:
            BusyError: when too many wait.
        """
        if self._alone >= self._limit:
            raise BusyError(max(1, self._limit // 4))

    async def alone(self, work: Callable[[], Reply]) -> Reply:
        """Do work in the model's thread that gives one answer, with no other questions: one that is heard in writing.

        Raises:
            BusyError: when too many wait.
        """
        self.require_room()
        self._alone += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._alone -= 1

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            taken = [(asked, future) for asked, future in taken if not future.done()]
            if not taken:
                continue
            began = loop.time()
            await self._pass(taken)
            self._pass_seconds += 0.2 * (loop.time() - began - self._pass_seconds)

    async def _pass(self, taken: list[tuple[Asked, asyncio.Future[Reply]]]) -> None:
        """Answer in one pass; where it fails each is asked alone, so that one asker's mistake is no other's."""
        loop = asyncio.get_running_loop()
        self.passes += 1
        try:
            replies = await loop.run_in_executor(self._thread, self._answer, [asked for asked, _ in taken])
        except Exception as error:
            if len(taken) > 1:
                for one in taken:
                    await self._pass([one])
            elif not taken[0][1].done():
                taken[0][1].set_exception(error)
            return
        self.answered += len(taken)
        for (_, future), reply in zip(taken, replies, strict=True):
            if not future.done():
                future.set_result(reply)

    async def close(self) -> None:
        """Answer what waits, then end."""
        if self._pumping is not None:
            await self._pumping
        self._thread.shutdown()

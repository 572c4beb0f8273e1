"""A tracker at work beside the training: what it does slowly or not at all must not hold the training up."""

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

START_SECONDS = 60.0  # libraries of this kind take long to import
FLUSH_SECONDS = 5.0
FINISH_SECONDS = 60.0
_MOST_WAITING = 1000  # rows


class TrackerError(Exception):
    """A tracker that cannot be used any more; the message says why, to be put after its name."""


class Background:
    """Runs one tracker of ``accelerate`` in a thread of its own; every call to it is made there, in order.

    The thread is a daemon: one that hangs is left behind and does not keep the process alive.

    Args:
        make: builds the tracker.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.tracker: Any = None
        self.error: BaseException | None = None
        self.jobs: queue.Queue[tuple[Callable[[], Any], threading.Event] | None] = queue.Queue(_MOST_WAITING)
        threading.Thread(target=self._work, name="radvqa tracker", daemon=True).start()

    def start(self, then: Callable[[Any], None]) -> None:
        """Build the tracker, start it, and hand it to ``then``.

        Raises:
            TrackerError: when that fails or takes too long.
        """

        def job() -> None:
            self.tracker = self.make()
            self.tracker.start()
            then(self.tracker)

        self._wait(self._give(job), START_SECONDS, "starting")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Pass numbers on, without waiting.

        Raises:
            TrackerError: when an earlier call failed, or too many rows wait.
        """
        kept = dict(values)
        self._give(lambda: self.tracker.log(kept, step=step))

    def flush(self) -> None:
        """Wait until everything given so far is done.

        Raises:
            TrackerError: when an earlier call failed, or this takes too long.
        """
        self._wait(self._give(lambda: None), FLUSH_SECONDS, "writing")

    def finish(self) -> None:
        """Let the tracker end its work.

        Raises:
            TrackerError: when that fails or takes too long.
        """
        self._wait(self._give(lambda: self.tracker.finish()), FINISH_SECONDS, "finishing")
        self.leave()

    def leave(self) -> None:
        """Let the thread end once it has done what it was given, without waiting for it."""
        if not self.jobs.full():
            self.jobs.put_nowait(None)

    def _give(self, job: Callable[[], Any]) -> threading.Event:
        self._raise_what_failed()
        done = threading.Event()
        try:
            self.jobs.put_nowait((job, done))
        except queue.Full:
            raise TrackerError(f"does not keep up: {_MOST_WAITING} rows wait for it") from None
        return done

    def _wait(self, done: threading.Event, seconds: float, doing: str) -> None:
        ended = done.wait(seconds)
        self._raise_what_failed()
        if not ended:
            raise TrackerError(f"did not answer for {seconds:.0f} seconds while {doing}")

    def _raise_what_failed(self) -> None:
        if self.error is not None:
            said = " ".join(str(self.error).split())[:300]
            raise TrackerError(f"failed with {type(self.error).__name__}" + (f": {said}" if said else ""))

    def _work(self) -> None:
        while (given := self.jobs.get()) is not None:
            job, done = given
            if self.error is None:
                try:
                    job()
                except BaseException as error:  # a library may also leave by SystemExit
                    self.error = error
            done.set()

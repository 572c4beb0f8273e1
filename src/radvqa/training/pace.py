"""When the next snapshot is due."""

import time

from radvqa.training.processes import Alone, Processes


class Pace:
    """A snapshot is due when so many seconds have passed since the last one.

    One process looks at the clock after every step. Several would have to talk about it after every step; instead the
    main one says with each answer after how many steps it is to be asked again: about when the next snapshot is due,
    by the time that steps took so far, and at most twice as many steps as the last time.

    Args:
        seconds: between two snapshots; 0 is after every step.
        processes: that train together.
    """

    def __init__(self, seconds: float, processes: Processes | None = None) -> None:
        self._seconds, self._processes = seconds, processes or Alone()
        self._last = self._asked = time.monotonic()
        self._steps, self._ask_after = 0, 1

    def due(self) -> bool:
        """Whether it is time; asked once after every step, by all processes."""
        self._steps += 1
        if self._steps < self._ask_after:
            return False
        due, self._ask_after = self._processes.agree(self._plan())
        self._steps = 0
        return due

    def taken(self) -> None:
        """A snapshot was written now."""
        self._last = self._asked = time.monotonic()

    def _plan(self) -> tuple[bool, int]:
        """Whether it is time, and after how many steps to ask again."""
        now = time.monotonic()
        spent, step = now - self._last, (now - self._asked) / self._steps
        self._asked = now
        due = spent >= self._seconds
        if self._processes.count == 1:
            return due, 1
        left = self._seconds - (0 if due else spent)
        return due, max(1, min(2 * self._steps, int(left / max(step, 1e-9))))

"""When the next snapshot is due."""

import time


class Pace:
    """A snapshot is due when so many seconds have passed since the last one.

    Args:
        seconds: between two snapshots; 0 is after every step.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether it is time."""
        return time.monotonic() - self._last >= self._seconds

    def taken(self) -> None:
        """A snapshot was written now."""
        self._last = time.monotonic()

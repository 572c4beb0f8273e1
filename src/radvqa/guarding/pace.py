"""How often one address may do something: so many times at once, then as they come back over time."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

_ADDRESSES = 10_000  # remembered; who has not come for long is forgotten first


class Pace:
    """Counts by address.

    Args:
        most: at once; 0 for any number.
        seconds: in which so many come back.
        clock: in seconds.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._each, self._clock = most, seconds / max(most, 1), clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Seconds until this address may come again; 0 when it may now."""
        left, _ = self._now(address)
        return 0 if not self._most or left >= 1 else max(1, math.ceil((1 - left) * self._each))

    def count(self, address: str) -> None:
        """Note that this address came."""
        left, now = self._now(address)
        self._left[address] = left - 1, now
        self._left.move_to_end(address)
        while len(self._left) > _ADDRESSES:
            self._left.popitem(last=False)

    def _now(self, address: str) -> tuple[float, float]:
        now = self._clock()
        left, then = self._left.get(address, (float(self._most), now))
        return min(float(self._most), left + (now - then) / self._each), now

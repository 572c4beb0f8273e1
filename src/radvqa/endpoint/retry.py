"""How long to wait before a server is asked again."""

import math
import random
import time
from email.utils import parsedate_to_datetime

FIRST_WAIT = 0.5  # seconds
LONGEST_WAIT = 30.0
LONGEST_WISH = 120.0  # a server that wants a longer pause than this ends the work; it goes on another time


def wait_before(attempt: int, wish: float | None) -> float:
    """Choose a pause in seconds: doubled each time, and between half and the whole of it by chance.

    Chance keeps several clients of a busy server from coming back at the same moment. Source: D. Bertsekas,
    R. Gallager, Data Networks, 1992, section 4.2 (binary exponential back-off).

    Args:
        attempt: 1 before the second try, 2 before the third …
        wish: what the server asked for; the pause is never shorter.
    """
    whole = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 30))
    return max(whole * random.uniform(0.5, 1), wish or 0.0)


def seconds_of(retry_after: str | None) -> float | None:
    """Read a Retry-After header, seconds or a date (RFC 9110, section 10.2.3); None when absent or senseless."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None

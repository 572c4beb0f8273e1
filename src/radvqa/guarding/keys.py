"""The token, and the cookie that stands for it: a digest under a key that ends with the process."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

SECONDS = 12 * 3600
"""For so long a browser stays signed in."""


class Keys:
    """Knows who has shown the token.

    Args:
        token: the secret; empty lets everybody in.
        clock: seconds since 1970.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._key = secrets.token_bytes(32)
        self._token, self._clock = self._digest(token), clock
        self.asked = bool(token)

    def fits(self, token: str) -> bool:
        """Whether this is the token; takes as long whatever it is."""
        return hmac.compare_digest(self._digest(token), self._token)

    def cookie(self) -> str:
        """Return a value for a browser that has shown the token; the token cannot be found from it."""
        until = str(int(self._clock()) + SECONDS)
        return f"{until}.{self._seal(until)}"

    def holds(self, cookie: str) -> bool:
        """Whether a cookie is ours and has not run out."""
        until, _, seal = cookie.partition(".")
        ours = hmac.compare_digest(seal.encode(), self._seal(until).encode())
        return ours and until.isdigit() and int(until) > self._clock()

    def _seal(self, until: str) -> str:
        return self._digest(f"cookie {until} ", self._token).hex()

    def _digest(self, text: str, more: bytes = b"") -> bytes:
        return hmac.new(self._key, text.encode(errors="surrogateescape") + more, hashlib.sha256).digest()

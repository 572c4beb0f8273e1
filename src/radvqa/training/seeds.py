"""Seeds for many random orders from the one of a run."""

import hashlib


def derived(*numbers: int) -> int:
    """Return a seed, in [0, 2⁶³), that differs wherever one of the numbers does."""
    digest = hashlib.sha256(" ".join(map(str, numbers)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1

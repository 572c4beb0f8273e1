"""Pause Python's garbage collector while many objects are made that are all kept."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Let no collection run while the block runs, unless memory was never collected anyway.

    A list of 227,000 samples holds no garbage, but while it grows the collector walks all of it again and again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

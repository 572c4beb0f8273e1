"""Keep libraries quiet that warn about odd files, whatever number of threads decode at the same time."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_COUNTING = threading.Lock()
_SILENCED = ExitStack()
_inside = 0


@contextmanager
def no_warnings() -> Iterator[None]:
    """Ignore every warning while the block runs.

    Filters of warnings belong to the whole process: the first thread to enter sets them, the last one to leave puts
    them back.
    """
    global _inside
    with _COUNTING:
        _inside += 1
        if _inside == 1:
            _SILENCED.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _COUNTING:
            _inside -= 1
            if not _inside:
                _SILENCED.close()

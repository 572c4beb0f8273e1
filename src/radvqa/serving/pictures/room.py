"""A store in memory with a limit on bytes: the longest unused things make room for new ones."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Room(Generic[Thing]):
    """Things by key.

    Args:
        most: bytes of all of them; a thing that is larger than that is not kept.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._things: OrderedDict[Hashable, tuple[Thing, int]] = OrderedDict()

    def get(self, key: Hashable) -> Thing | None:
        """Return a thing; None when it is not here."""
        if key not in self._things:
            return None
        self._things.move_to_end(key)
        return self._things[key][0]

    def put(self, key: Hashable, thing: Thing, size: int) -> None:
        """Keep a thing that takes so many bytes."""
        self._remove(key)
        if size > self._most:
            return
        self._things[key] = thing, size
        self._held += size
        while self._held > self._most:
            self._remove(next(iter(self._things)))

    def drop(self, which: Callable[[Hashable], bool]) -> None:
        """Let things go by their keys."""
        for key in [key for key in self._things if which(key)]:
            self._remove(key)

    def _remove(self, key: Hashable) -> None:
        _, size = self._things.pop(key, (None, 0))
        self._held -= size

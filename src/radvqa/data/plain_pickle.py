"""Read pickles that hold plain values, and nothing else: an interpreter of our own that cannot run code.

Python's unpickler imports whatever a file names and calls it. This one knows the opcodes that build numbers, texts and
containers; every other opcode ends the reading. The file format is that of ``pickletools`` in the standard library.
"""

import pickletools
from pathlib import Path
from typing import Any

from radvqa.errors import DataError

_NOTHING = {"PROTO", "FRAME"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}
_EMPTY: dict[str, type] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": set}
_REMEMBER = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_RECALL = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read(path: Path) -> Any:
    """Read a pickle of any protocol.

    Returns:
        Lists, tuples, dicts and sets of text, numbers, booleans and None. Keys of dicts and members of sets are not
        containers, so that no file can make hashing run deep.

    Raises:
        DataError: when the file is absent, is no whole pickle, or holds anything else; nothing of it was run.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        return _interpret(content)
    except _Refused as refused:
        raise DataError(
            f"{path} is not read: at byte {refused.place} its pickle asks for {refused.what}, and only plain texts, "
            f"numbers and containers are taken, because more could run code; get the file from its publishers anew."
        ) from None
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError):
        raise DataError(f"{path} is no whole pickle of plain values; get the file from its publishers anew.") from None


class _Refused(Exception):  # noqa: N818 - says what it is
    def __init__(self, what: str, place: int | None) -> None:
        self.what, self.place = what, place


def _interpret(content: bytes) -> Any:
    """Run the stack machine; a broken program raises whatever its broken step raises."""
    stack: list[Any] = []
    below: list[list[Any]] = []  # what lay under each mark
    memo: dict[int, Any] = {}
    for opcode, argument, place in pickletools.genops(content):
        name = opcode.name
        if name == "STOP":
            (value,) = stack
            if below:
                raise ValueError
            return value
        if name in _NOTHING:
            continue
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _VALUES:
            stack.append(argument)
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            below.append(stack)
            stack = []
        elif name in ("LIST", "TUPLE", "DICT", "FROZENSET", "APPENDS", "SETITEMS", "ADDITEMS", "POP_MARK"):
            items, stack = stack, below.pop()
            _take(name, items, stack)
        elif name in _TUPLES:
            size = _TUPLES[name]
            if len(stack) < size:
                raise ValueError
            stack[-size:] = [tuple(stack[-size:])]
        elif name == "APPEND":
            item = stack.pop()
            _take("APPENDS", [item], stack)
        elif name == "SETITEM":
            item, key = stack.pop(), stack.pop()
            _take("SETITEMS", [key, item], stack)
        elif name in _REMEMBER:
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in _RECALL:
            stack.append(memo[int(argument or 0)])
        elif name == "POP":
            stack.pop()
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            raise _Refused(_described(name, argument), place)
    raise ValueError


def _take(name: str, items: list[Any], stack: list[Any]) -> None:
    """Make a container of the items above a mark, or add them to the one below it."""
    if name == "LIST":
        stack.append(items)
    elif name == "TUPLE":
        stack.append(tuple(items))
    elif name == "DICT":
        stack.append(_pairs(items))
    elif name == "FROZENSET":
        stack.append(frozenset(_hashable(items)))
    elif name == "APPENDS":
        _of(list, stack[-1]).extend(items)
    elif name == "SETITEMS":
        _of(dict, stack[-1]).update(_pairs(items))
    elif name == "ADDITEMS":
        _of(set, stack[-1]).update(_hashable(items))


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(_hashable(items[::2]), items[1::2], strict=True))


def _hashable(items: list[Any]) -> list[Any]:
    if not all(item is None or isinstance(item, str | int | float) for item in items):
        raise TypeError
    return items


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value


def _described(name: str, argument: object) -> str:
    asked = argument if isinstance(argument, str) and argument.isprintable() and len(argument) < 100 else ""
    return f"{name} {asked}".strip()

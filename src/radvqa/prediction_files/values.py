"""Values as files write them: labels in other spellings, and numbers and lists that a table keeps as text."""

import json
from collections.abc import Mapping
from typing import Any

from radvqa.prediction import (
    as_answer_type,
    as_candidates,
    as_count,
    as_flag,
    as_options,
    as_probability,
    as_text,
    shortened,
)
from radvqa.sample import AnswerType

SPELLINGS: dict[str, AnswerType] = {
    "open": "OPEN",
    "open ended": "OPEN",
    "openended": "OPEN",
    "closed": "CLOSED",
    "close": "CLOSED",
    "closed ended": "CLOSED",
    "close ended": "CLOSED",
    "closedended": "CLOSED",
    "yes/no": "CLOSED",
    "yes no": "CLOSED",
}

_YES = ("yes", "是", "是的", "有", "对", "包含", "能", "可以", "会", "存在")
_NO = ("no", "否", "不是", "不是的", "没有", "没", "无", "不对", "不包含", "不能", "不可以", "不会", "不存在")
YES_NO = frozenset((*_YES, *_NO))
"""Answers that say yes or no, in English and as SLAKE says it in Chinese."""


WORDS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def answer_type(value: Any) -> AnswerType:
    """Return the type of an answer from any of its usual spellings.

    Raises:
        ValueError: for any other label.
    """
    known = spelled(value)
    return as_answer_type(value) if known is None else known


def spelled(value: Any) -> AnswerType | None:
    """Return the type that a label spells; None for any other label."""
    return SPELLINGS.get(value.strip().lower().replace("-", " ").replace("_", " ")) if isinstance(value, str) else None


def inferred_type(answer: str, options: tuple[str, ...]) -> AnswerType:
    """Return CLOSED for a gold answer that says yes or no and for a choice among options, else OPEN."""
    return "CLOSED" if options or answer.strip().rstrip(".。!！").lower() in YES_NO else "OPEN"


def identifier(value: Any) -> str:
    """Return an id as text; a whole number is written without a fraction, however a table kept it.

    Raises:
        ValueError: when the value is neither text nor a number.
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else as_text("id", value)


def flag(key: str, value: Any) -> bool:
    """Return a truth value, also from the words true and false and from 1 and 0.

    Raises:
        ValueError: for anything else.
    """
    word = value.strip().lower() if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
    return as_flag(key, WORDS.get(word, value))


def count(key: str, value: Any) -> int:
    """Return a whole number, also from text.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return as_count(key, int(value) if isinstance(value, float) and value.is_integer() else value)


def probability(key: str, value: Any) -> float | None:
    """Return a probability, also from text; None for NaN.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, str):
        try:
            return as_probability(key, float(value))
        except ValueError:
            pass
    return as_probability(key, value)


def candidates(value: Any, texts: dict[str, str]) -> tuple[tuple[str, float], ...]:
    """Return ``(answer, probability)`` pairs from a list, or from the JSON text of one; at most the first ten.

    Raises:
        ValueError: when there is no such list.
    """
    read = _from_json(value)
    return as_candidates(read[:10] if isinstance(read, list) else read, texts)


def options(value: Any) -> tuple[str, ...]:
    """Return choices from a list, an object of letters, or the JSON text of either.

    Raises:
        ValueError: when there is neither.
    """
    read = _from_json(value)
    return as_options([read[letter] for letter in sorted(read)] if isinstance(read, Mapping) else read)


def _from_json(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"a list must be written as JSON, found {shortened(value)}.") from None
    return value

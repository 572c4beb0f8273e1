"""Pairs in JSON, wherever it stands in a reply: bare, fenced, wrapped in an object, or cut off in the middle."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radvqa.curating.parsing import labels
from radvqa.curating.parsing.tidy import tidy
from radvqa.curating.parsing.written import Parsed, Written

_QUESTION_KEYS = {*labels.QUESTION, "question_text", "prompt", "instruction"}
_ANSWER_KEYS = {*labels.ANSWER, "answer_text", "response", "output", "correct", "correct_option", "correct_answer"}
_OPTION_KEYS = {"options", "choices", "answers", "alternatives"}
_SAYS = {"value", "content", "text"}
_DECODER = json.JSONDecoder(strict=False)  # models write line ends into strings


def from_json(reply: str) -> Parsed | None:
    """Read the pairs of a reply; None when it holds no JSON with pairs."""
    found: list[Written] = []
    unanswered = 0
    for value in _values(reply):
        for pair in _pairs(value):
            if pair.answer:
                found.append(pair)
            else:
                unanswered += 1
    return Parsed(tuple(found), "json", unanswered) if found or unanswered else None


def _values(reply: str) -> Iterator[Any]:
    """Yield the JSON objects and arrays of a text; of one that is cut off, whatever inside it is whole."""
    at = 0
    while True:
        starts = [place for place in (reply.find("{", at), reply.find("[", at)) if place >= 0]
        if not starts:
            return
        at = min(starts)
        try:
            value, end = _DECODER.raw_decode(reply, at)
        except (json.JSONDecodeError, RecursionError):
            at += 1  # something inside may be whole
        else:
            yield value
            at = end


def _pairs(value: Any) -> Iterator[Written]:
    if isinstance(value, Mapping):
        pair = _pair(value)
        if pair is not None:
            yield pair
            return
        for inner in value.values():
            yield from _pairs(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        turns = [turn for member in value if (turn := _turn(member)) is not None]
        if turns and len(turns) == len(value):
            yield from _conversation(turns)
            return
        for inner in value:
            yield from _pairs(inner)


def _pair(value: Mapping[str, Any]) -> Written | None:
    known = {str(key).strip().lower(): inner for key, inner in value.items()}
    question = next((known[key] for key in known if key in _QUESTION_KEYS), None)
    if not isinstance(question, str):
        return None
    options = next((_options(known[key]) for key in known if key in _OPTION_KEYS), ())
    answer = next((known[key] for key in known if key in _ANSWER_KEYS), "")
    if isinstance(answer, list):
        answer = ", ".join(map(str, answer))
    written = tidy(answer if isinstance(answer, str) else _plain(answer))
    return Written(tidy(question), chosen(written, options), options)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value) if isinstance(value, int | float) else ""


def _options(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(tidy(str(text)) for text in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(without_letter(tidy(str(text))) for text in value)
    return ()


def without_letter(option: str) -> str:
    """Take the letter off an option: ``B) CT`` becomes ``CT``."""
    found = labels.OPTION.match(option)
    return found["rest"].strip() if found else option


def chosen(answer: str, options: Sequence[str]) -> str:
    """Return the text of the right option, which an answer may name by its letter, its text, or both."""
    if not options or not answer:
        return answer
    lettered = labels.OPTION.match(answer)
    text = lettered["rest"].strip() if lettered else answer
    for option in options:
        if option.casefold() == text.casefold():
            return option
    letter = lettered["letter"] if lettered else answer.strip(" .()")
    place = ord(letter.upper()) - ord("A") if len(letter) == 1 and letter.isalpha() else -1
    return options[place] if 0 <= place < len(options) else text


def _turn(value: Any) -> tuple[str, str] | None:
    """Return who says what in a turn of a conversation; None for anything else."""
    if not isinstance(value, Mapping):
        return None
    known = {str(key).lower(): inner for key, inner in value.items()}
    who = str(known.get("from") or known.get("role") or known.get("speaker") or "").lower()
    said = next((known[key] for key in known if key in _SAYS and isinstance(known[key], str)), None)
    if said is None or who not in (*labels.USER, *labels.ASSISTANT, *labels.QUESTION, *labels.ANSWER):
        return None
    return ("asks" if who in (*labels.USER, *labels.QUESTION) else "answers", tidy(said))


def _conversation(turns: Sequence[tuple[str, str]]) -> Iterator[Written]:
    question = ""
    for who, said in turns:
        if who == "asks":
            if question:
                yield Written(question, "")
            question = said
        elif question:
            yield Written(question, said)
            question = ""
    if question:
        yield Written(question, "")

"""Pairs in lines: labelled (``Q:``, ``**Question 2**``, ``2. Frage:``), numbered, or only told by their question marks.

A blank line ends an answer, so that what a model says around its pairs belongs to none of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from radvqa.curating.parsing import labels
from radvqa.curating.parsing.from_json import chosen
from radvqa.curating.parsing.tidy import tidy
from radvqa.curating.parsing.written import Parsed, Written


@dataclass
class _Open:
    """A pair while its lines come.

    Attributes:
        question: its lines.
        answer: its lines; None while none was begun.
        options: as written.
        closed: whether a blank line ended the answer.
    """

    question: list[str]
    answer: list[str] | None = None
    options: list[str] = field(default_factory=list)
    closed: bool = False

    def written(self) -> Written:
        answer = tidy(" ".join(self.answer or ()))
        options = tuple(tidy(option) for option in self.options)
        return Written(tidy(" ".join(self.question)), chosen(answer, options), options)


def from_lines(reply: str, *, choice: bool = False) -> Parsed | None:
    """Read the pairs of a reply; None when it holds none.

    Args:
        reply: without fences.
        choice: whether options are expected, so that a line ``A: …`` is one of them and no answer.
    """
    labelled = list(_labelled(reply.splitlines(), choice=choice))
    form, found = ("labelled", labelled) if labelled else ("plain", list(_plain(reply.splitlines())))
    if not found:
        return None
    pairs = [pair for pair in found if pair.answer]
    return Parsed(tuple(pairs), form, len(found) - len(pairs))


def _labelled(lines: list[str], *, choice: bool) -> Iterator[Written]:
    answers = labels.ANSWERS_IN_WORDS if choice else labels.ANSWERS
    pair: _Open | None = None
    for line in lines:
        asked = labels.ASKS.match(line)
        if asked:
            if pair is not None:
                yield pair.written()
            pair = _Open([asked["rest"]] if asked["rest"].strip() else [])
            continue
        if pair is None:
            continue
        if choice and pair.answer is None and (option := labels.OPTION.match(line)):
            pair.options.append(option["rest"])
        elif pair.answer is None and (answer := answers.match(line)):
            pair.answer = [answer["rest"]] if answer["rest"].strip() else []
        else:
            _goes_on(pair, line)
    if pair is not None:
        yield pair.written()


def _goes_on(pair: _Open, line: str) -> None:
    """Take a line without a label: more of the answer or of the question, or neither."""
    if pair.answer is None:
        if line.strip() and (not pair.question or not _asks(pair.question[-1])):
            pair.question.append(line)
    elif not line.strip():
        pair.closed = pair.closed or bool(pair.answer)
    elif not pair.closed:
        pair.answer.append(line)


def _plain(lines: list[str]) -> Iterator[Written]:
    """Read questions by their marks; the lines below each, up to a blank one, are its answer."""
    pair: _Open | None = None
    for line in lines:
        numbered = labels.NUMBERED.match(line)
        text = numbered["rest"] if numbered else line
        if _asks(text) and (pair is None or pair.answer or pair.closed):
            if pair is not None:
                yield pair.written()
            pair = _Open([text])
        elif pair is not None and _asks(text) and not pair.answer:
            yield pair.written()
            pair = _Open([text])
        elif pair is not None:
            if not line.strip():
                pair.closed = pair.closed or bool(pair.answer)
            elif not pair.closed:
                pair.answer = [*(pair.answer or ()), text]
    if pair is not None:
        yield pair.written()


def _asks(text: str) -> bool:
    return tidy(text).endswith(labels.QUESTION_MARKS)

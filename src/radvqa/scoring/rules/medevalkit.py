"""The rule of MedEvalKit for VQA-RAD and PathVQA with its judge off: a substring for yes/no, else equality."""

from collections.abc import Callable
from functools import cache

from radvqa.scoring.rule import Question, Rule

_BOX = r"\boxed{"
_NO_BOX = "None"  # what the original goes on with when a reply speaks of a box and has none
_OPENING, _CLOSING = "<answer>", "</answer>"
_LEADS = (  # cut off one after the other, each at its last place
    "**answer**:",
    "**answer**",
    "*answer*:",
    "**answer:**",
    "answer is",
    "answer:",
    "答案:",
    "final answer",
    "final answer is",
)


def value(gold: str, reply: str) -> float:
    """Judge one reply.

    Quirks, kept: “no” is found in “normal”, “abnormal”, “not” and “nodule”, so a reply with yes and one of these
    counts as neither; the data set's own label CLOSED is not looked at, only whether the gold is yes or no; and what
    follows “answer is” keeps its space in front, so that “The answer is lung” does not equal “lung”.

    Args:
        gold: lower-cased and stripped.
        reply: as given.
    """
    said = final_answer(reply)
    if gold not in ("yes", "no"):
        return float(said == gold)
    said = said.replace("\n", "").replace(".", "")
    return float((("yes" in said) != ("no" in said)) and gold in said)


def final_answer(reply: str) -> str:
    """Return what the reply states as its answer: in a box or tag, then lower-cased after the last lead."""
    said = reply
    if (box := _boxed(reply)) != _NO_BOX:
        said = box
    elif _OPENING in reply:
        said = _tagged(reply)
    said = said.lower().strip()
    if "boxed" in said:
        said = _boxed(said)
    elif _OPENING in said:
        said = _tagged(said)
    for lead in _LEADS:
        said = said.split(lead)[-1]
    return said


def _boxed(text: str) -> str:
    """Return the content of the last LaTeX box."""
    start = text.rfind(_BOX)
    if start < 0:
        return _NO_BOX
    depth = 0
    for end in range(start + len(_BOX), len(text)):
        if text[end] == "{":
            depth += 1
        elif text[end] == "}":
            if not depth:
                return text[start + len(_BOX) : end].strip()
            depth -= 1
    return _NO_BOX


def _tagged(text: str) -> str:
    """Return the contents of all answer tags, or the text when they have none."""
    found = []
    start = text.find(_OPENING)
    while start >= 0 and (end := text.find(_CLOSING, start)) >= 0:
        found.append(text[start + len(_OPENING) : end])
        start = text.find(_OPENING, end)
    return " ".join(found).strip() or text


def _judge() -> Callable[[Question], float]:
    lowered = cache(lambda gold: gold.lower().strip())
    return lambda question: value(lowered(question.gold), question.reply)


RULE = Rule(
    title="MedEvalKit, judge off",
    meaning="Where the gold is yes or no, exactly one of the letter sequences “yes” and “no” must be anywhere in the "
    "reply (also inside “abnormal”), and it must be the gold. Any other gold must equal the lower-cased reply, "
    "punctuation included, after “answer is”, “answer:”, a box or an answer tag was cut off.",
    source="alibaba-damo-academy/MedEvalKit, utils/utils.py and utils/VQA_RAD/VQA_RAD.py, 2025",
    judge=lambda _: _judge(),
)

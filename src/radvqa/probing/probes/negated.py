"""The question turned into its opposite, so that yes becomes no."""

import re
from collections.abc import Sequence
from dataclasses import replace

from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.probing.wording import SEEN, STATES, plain
from radvqa.sample import Sample

_THINGS = "image study|image|picture|scan|x-ray|study|modality|patient"
_FORMS = tuple(
    (re.compile(rf"^{form}$", re.IGNORECASE), opposite)
    for form, opposite in (
        (r"(do|does|did) any of (.+)", r"\1 none of \2"),
        (r"(is|are|is/are|are/is|was|were) there (?:an? |any |some )?(?!the )(.+)", r"\1 there no \2"),
        (r"(does|do|did) (.+?) (have|contain|show) (?:an? |any |some )?(?!the |evidence )(.+)", r"\1 \2 \3 no \4"),
        (r"(does|do|did) (.+?) (have|contain|show) (the .+|evidence .+)", r"\1 \2 not \3 \4"),
        (r"(does|do|did) (.+?) (look|looks|appear|exist|belong)( .+|)", r"\1 \2 not \3\4"),
        (r"(can|could) (.+?) be (seen|observed|found|identified|visualized)( .+|)", r"\1 \2 not be \3\4"),
        (rf"(is|was) (this|the) ({_THINGS}) (.+)", r"\1 \2 \3 not \4"),
        (r"(is|was) this (consistent|in|on|from|at) (.+)", r"\1 this not \2 \3"),
        (r"(is|was) this (.+)", r"\1 this something other than \2"),
        (
            rf"(is|are|was|were) ((?:(?! and ).)+?) ((?:[a-z]+ly |ring )?(?:{STATES}|{SEEN}))( in .+|)",
            r"\1 \2 not \3\4",
        ),
    )
)
_NEGATIVE = re.compile(r"\b(no|not|none|never|without|neither|lack|lacks|other than)\b|n't\b", re.IGNORECASE)
_SCOPE = re.compile(
    r"\b(or|several|multiple|at least|at most|both|all|only|entire|more|less|than)\b|[<>]", re.IGNORECASE
)
"""What makes it unclear which part the word "not" would deny."""

_OPPOSITE = {"yes": "no", "no": "yes"}


def _negated(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    probed = []
    for sample in samples:
        gold, question = opposite_answer(sample.answer), negate(sample.question)
        if sample.language == "en" and gold and question:
            probed.append(ProbedSample(replace(sample, question=question, answer=gold)))
    return probed


def opposite_answer(answer: str) -> str:
    """Turn yes into no and no into yes, with the capital kept; empty for every other answer."""
    opposite = _OPPOSITE.get(answer.strip().rstrip(".").lower(), "")
    return opposite.capitalize() if answer.strip()[:1].isupper() else opposite


def negate(question: str) -> str:
    """Turn a yes/no question of a known form into its opposite; empty for every other question."""
    question = plain(question)
    if _NEGATIVE.search(question) or _SCOPE.search(question):
        return ""
    for form, opposite in _FORMS:
        if form.search(question):
            return form.sub(opposite, question) + "?"
    return ""


PROBE = Probe(
    title="Question negated",
    changes="Yes/no questions of known forms ask for the opposite (“Is there no …?”), so that the gold answer flips.",
    kind="question",
    group="question",
    apply=_negated,
)

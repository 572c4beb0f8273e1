"""A pair's texts as rules need them: lower-cased, and as sets of words that carry meaning; computed once."""

import re
from functools import cached_property

from radvqa.curating.pair import Pair

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_EMPTY = frozenset(
    """
    a about above across after all also an and any are as at be been being below between both but by can could did
    do does done down during each for from had has have having here how i if in into is it its itself just may me
    might more most must my no nor not of off on only or other our out over own s same shall should so some such t
    than that the their them then there these they this those through to too under up upon very was we were what
    when where which while who whom whose why will with would you your image images picture pictures scan scans
    photo photograph figure view show shown shows see seen visible visualized demonstrate demonstrated demonstrates
    depict depicted depicts display displayed appear appears present type kind located location taken obtained used
    please
    """.split()  # noqa: SIM905 - a list would be 150 lines
)
_CLOSED = re.compile(
    r"^(?:is|are|was|were|does|do|did|has|have|had|can(?! you)|could(?! you)|will|would|should|may|might"
    r"|isn't|aren't|doesn't)\b"
)
_YES_NO = re.compile(r"^(?:yes|no)\b")


class Texts:
    """Texts of one pair.

    Args:
        pair: whose.
    """

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.question = pair.question.lower()
        self.answer = pair.answer.lower()

    @cached_property
    def both(self) -> str:
        """Question and answer."""
        return f"{self.question}\n{self.answer}"

    @cached_property
    def question_words(self) -> frozenset[str]:
        """Words of the question that carry meaning."""
        return meaning(self.question)

    @cached_property
    def answer_words(self) -> frozenset[str]:
        """Words of the answer that carry meaning."""
        return meaning(self.answer)

    @cached_property
    def offers(self) -> bool:
        """Whether the question offers its answers: ``left or right``."""
        return " or " in self.question

    @cached_property
    def asks_yes_or_no(self) -> bool:
        """Whether the question can only be answered by yes or no."""
        return not self.offers and bool(_CLOSED.match(self.question.lstrip()))

    @cached_property
    def says_yes_or_no(self) -> bool:
        """Whether the answer begins with yes or no."""
        return bool(_YES_NO.match(self.answer))


def meaning(text: str) -> frozenset[str]:
    """Words of a lower-cased text, without those that carry no meaning here."""
    return frozenset(_WORD.findall(text)) - _EMPTY

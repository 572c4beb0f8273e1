"""Which questions are kept: beside each wording, every answer about as often as the others; words alone win little."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from radvqa.phantom.facts import Facts
from radvqa.phantom.questions import Question, ask

PER_IMAGE: Final = 9
"""Questions wanted for each image."""

_SLACK: Final = 1  # how much more often than the rarest rival an answer may stand beside one wording


@dataclass(frozen=True)
class Asked:
    """A question that was kept.

    Attributes:
        number: of the image.
        question: what is asked.
        text: the wording used.
    """

    number: int
    question: Question
    text: str


@dataclass
class _Ledger:
    """Counts answers by wording, overall and within a setting, and says what another one would do."""

    rivals: dict[tuple[str, str], set[str]]
    counts: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def excess(self, text: str, question: Question) -> int:
        """Return how far the answer already leads its rivals, where it leads most."""
        worst = 0
        for setting in {"", question.setting}:
            count = self.counts[text, setting]
            others = sorted(count[rival] for rival in self.rivals[question.topic, setting] if rival != question.answer)
            # the middle rival, not the rarest: an answer that hardly occurs must not silence the others
            typical = others[len(others) // 2] if len(others) > 1 else others[0] if others else -2
            worst = max(worst, count[question.answer] - typical)
        return worst

    def add(self, text: str, question: Question) -> None:
        for setting in {"", question.setting}:
            self.counts[text, setting][question.answer] += 1


def choose(pictures: Sequence[Facts], seed: int) -> list[Asked]:
    """Choose the questions of one split.

    Twins are asked the same questions in the same words wherever both have an answer, so that their answers can be
    compared; the questions on which they differ come first.

    Args:
        pictures: the split's pictures.
        seed: decides between equally good choices.
    """
    rng = np.random.default_rng([seed, 6, len(pictures)])
    units: dict[str, list[Facts]] = defaultdict(list)
    for picture in pictures:
        units[picture.case].append(picture)
    asked = {picture.number: {question.topic: question for question in ask(picture)} for picture in pictures}
    rivals: dict[tuple[str, str], set[str]] = defaultdict(set)
    for questions in asked.values():
        for question in questions.values():
            rivals[question.topic, ""].add(question.answer)
            rivals[question.topic, question.setting].add(question.answer)
    ledger, types = _Ledger(rivals), Counter[str]()
    kept: list[Asked] = []
    filled: Counter[int] = Counter()
    names = list(units)
    for last in (False, True):  # a second round fills up with what the first had to refuse
        rng.shuffle(names)
        for name in names:
            for choice in _for_case(units[name], asked, ledger, types, filled, rng, last=last):
                kept.append(choice)
                filled[choice.number] += 1
                del asked[choice.number][choice.question.topic]
    return sorted(kept, key=lambda choice: choice.number)


def _for_case(
    pictures: Sequence[Facts],
    asked: dict[int, dict[str, Question]],
    ledger: _Ledger,
    types: Counter[str],
    filled: Counter[int],
    rng: np.random.Generator,
    *,
    last: bool,
) -> list[Asked]:
    """Choose for the pictures of one case, rare content types first."""
    topics = [
        _Topic(
            [(picture.number, asked[picture.number][topic]) for picture in pictures if topic in asked[picture.number]]
        )
        for topic in dict.fromkeys(topic for picture in pictures for topic in asked[picture.number])
    ]
    rng.shuffle(topics)
    room = {picture.number: PER_IMAGE - filled[picture.number] for picture in pictures}
    kept: list[Asked] = []
    used: Counter[str] = Counter()
    families: Counter[str] = Counter()
    while topics and max(room.values()) > 0:
        few = sum(used.values()) < PER_IMAGE - 3
        topic = min(topics, key=lambda topic: topic.urgency(types, used, families, differing=few))
        topics.remove(topic)
        answers = [(number, question) for number, question in topic.answers if room[number] > 0]
        text = _wording(answers, ledger, rng, slack=_SLACK + last) if answers else ""
        if not text:
            continue
        for number, question in answers:
            ledger.add(text, question)
            room[number] -= 1
            kept.append(Asked(number, question, text))
        types[topic.type] += 1
        used[topic.type] += 1
        families[topic.family] += 1
    return kept


class _Topic:
    """What one topic says about the pictures of a case, and how much it is wanted."""

    def __init__(self, answers: list[tuple[int, Question]]) -> None:
        first = answers[0][1]
        self.answers = answers
        self.type, self.family = first.type, first.topic.partition(":")[0]
        self._closed = first.answer_type == "CLOSED"
        self._differ = len({question.answer for _, question in answers}) > 1

    def urgency(
        self, types: Counter[str], used: Counter[str], families: Counter[str], *, differing: bool
    ) -> tuple[int, int, float]:
        """Return a key that is smaller the sooner the topic should be asked.

        Args:
            types: how often each content type was asked in the split.
            used: the same for this case.
            families: how often related topics were asked for this case.
            differing: whether topics on which twins differ come first.
        """
        family = families[self.family]
        if self._differ and differing:
            return (family, used[self.type], -1.0)
        return (family + 2 * used[self.type] + self._closed, types[self.type], 0.0)


def _wording(answers: Sequence[tuple[int, Question]], ledger: _Ledger, rng: np.random.Generator, *, slack: int) -> str:
    """Return the wording that keeps the answers most even; empty when none does."""
    texts = list(answers[0][1].texts)
    if (
        len(answers) == 2
        and answers[0][1].answer != answers[1][1].answer
        and len(ledger.rivals[answers[0][1].topic, ""]) == 2
    ):
        return texts[int(rng.integers(len(texts)))]  # yes for one twin and no for the other is even by itself
    rng.shuffle(texts)
    excess, text = min(
        ((max(ledger.excess(text, question) for _, question in answers), text) for text in texts),
        key=lambda pair: pair[0],
    )
    return text if excess < slack else ""

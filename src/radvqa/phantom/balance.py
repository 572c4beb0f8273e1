"""Which questions are kept: for each wording every answer about as often as the others, so that words alone win little."""

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
    topics = list(dict.fromkeys(topic for picture in pictures for topic in asked[picture.number]))
    rng.shuffle(topics)
    room = {picture.number: PER_IMAGE - filled[picture.number] for picture in pictures}
    kept: list[Asked] = []
    used: Counter[str] = Counter()
    families: Counter[str] = Counter()
    while topics and max(room.values()) > 0:
        topics.sort(key=lambda topic: _urgency(topic, pictures, asked, types, used, families))
        topic = topics.pop(0)
        answers = [(picture.number, asked[picture.number][topic]) for picture in pictures if topic in asked[picture.number]]
        answers = [(number, question) for number, question in answers if room[number] > 0]
        if not answers:
            continue
        text = _wording(answers, ledger, rng, slack=_SLACK + last)
        if not text:
            continue
        for number, question in answers:
            ledger.add(text, question)
            room[number] -= 1
            kept.append(Asked(number, question, text))
        first = answers[0][1]
        types[first.type] += 1
        used[first.type] += 1
        families[topic.partition(":")[0]] += 1
    return kept


def _urgency(
    topic: str,
    pictures: Sequence[Facts],
    asked: dict[int, dict[str, Question]],
    types: Counter[str],
    used: Counter[str],
    families: Counter[str],
) -> tuple[int, int, float]:
    questions = [asked[picture.number][topic] for picture in pictures if topic in asked[picture.number]]
    differ = len(questions) == 2 and questions[0].answer != questions[1].answer
    kind = questions[0].type
    family = families[topic.partition(":")[0]]
    if differ and sum(used.values()) < PER_IMAGE - 3:
        return (family, used[kind], -1.0)
    return (family + 2 * used[kind] + (questions[0].answer_type == "CLOSED"), types[kind], 0.0)


def _wording(
    answers: Sequence[tuple[int, Question]], ledger: _Ledger, rng: np.random.Generator, *, slack: int
) -> str:
    """Return the wording that keeps the answers most even; empty when none does."""
    texts = list(answers[0][1].texts)
    if len(answers) == 2 and answers[0][1].answer != answers[1][1].answer and len(ledger.rivals[answers[0][1].topic, ""]) == 2:
        return texts[int(rng.integers(len(texts)))]  # yes for one twin and no for the other is even by itself
    rng.shuffle(texts)
    excess, text = min(((max(ledger.excess(text, question) for _, question in answers), text) for text in texts), key=lambda pair: pair[0])
    return text if excess < slack else ""

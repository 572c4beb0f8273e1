"""Multiple choice: reading a choice from free text, accuracy beside chance, and consistency over several runs."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, islice, product
from statistics import fmean, stdev
from string import ascii_uppercase
from typing import Any

import numpy as np

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.sample import cluster_of
from radvqa.scoring.statistics import Mean, cluster_intervals
from radvqa.text import NORMALISERS, normaliser_for

_LONGEST = 2000  # characters at each end of a reply that are read
_NEAR = 300  # characters after an announcement or letter in which a choice is looked for
_FEWEST_RUNS = 2

_AROUND = " \t\r\n.,;:!?\"'`*_()[]{}“”‘’。，：；！？（）【】"  # what may stand around an answer without changing it
_OPENING = r"[\s*_`\"'(\[{（【:：]*"
_ALONE = r"(?![\w'’-])"  # no part of a word, of “B-mode” or of “I'm”
_ANNOUNCED = re.compile(
    rf"(?:\b(?:answer|choice|option)\b[\s*_\"']*(?:is|was|:|=|would be|should be)"
    rf"|答案(?:是|为|:|：)|选择?|<answer>|\\boxed"
    rf"|\b(?:choose|chose|select|selected|pick|picked|go with)\b){_OPENING}"
    rf"(?:the\b\s*)?(?:(?:option|choice|answer)\b{_OPENING})?",
    re.IGNORECASE,
)
_LETTER = re.compile(rf"([A-Z]){_ALONE}", re.IGNORECASE)
_MARKED = re.compile(
    r"^[\s*_`\"'(\[（【]*([A-Z])(?:[\s*_`]*[)\]:：）】、]|[*_`]*\.(?=\s|\*|$)|\s+[-–—]\s)", re.I | re.M
)
_BESIDE = re.compile(r"\s*([A-Z])\s+(\S.*)", re.DOTALL)
_AFTER_LETTER = re.compile(r"\s*(?:$|[)\]}.,;:!?*_`\"'<）】。，：；]|(?:because|since|as|which)\b)")
_PREFIX = re.compile(r"^(?:(?:option|choice|answer)\b|选)\s*")
_DASH = re.compile(r"^[-–—]\s+")
_DENIED = re.compile(r"\bnot (?:(?:the|an?) )?$")
_TAG = re.compile(r"</?[a-z]+>", re.IGNORECASE)
_JOINED = re.compile(r"[\s*_`\"')\]}.]*(?:[,/&]|\b(?:and|or)\b)\s*(?:option\b\s*)?[(\[*]*", re.IGNORECASE)
_WORDS = {"A", "I"}  # letters that are also English words
_CJK = re.compile(r"[぀-ヿ㐀-鿿]")


@lru_cache
def letters(n: int) -> tuple[str, ...]:
    """Return the names of n options: A to Z, then AA, AB and so on."""
    pairs = map("".join, product(ascii_uppercase, repeat=2))
    return tuple(islice(chain(ascii_uppercase, pairs), n))


def shuffle_options(options: Sequence[str], key: str) -> list[int]:
    """Return the order in which to show the options: the option shown at place i is ``options[order[i]]``.

    Args:
        options: in published order.
        key: for instance seed and sample id; the same key gives the same order on every machine.
    """

    def rank(place: int) -> bytes:
        return hashlib.sha256(f"{place}:{key}".encode("utf-8", "surrogatepass")).digest()

    return sorted(range(len(options)), key=rank)


def parse_choice(reply: str, options: Sequence[str]) -> int | None:
    """Read which option a reply chooses, as its index; None when it names none or several.

    Four readings are tried, and the first that finds something decides: the reply is a letter or an option's text and
    nothing else (“B”, “(b)”, “**B**”, “left lung”); a choice is announced (“Answer: B”, “The answer is (B).”, “I
    choose option B”); a line begins with a marked letter (“B: text”, “B. text”) or with a letter and its option's
    text; exactly one option's text stands in the reply, other than after “not”. The words “a” and “I” inside a
    sentence are no letters, and a letter with the text of another option is ambiguous. Of a reply longer than 4,000
    characters both ends are read.
    """
    text = reply if len(reply) <= 2 * _LONGEST else f"{reply[:_LONGEST]}\n{reply[-_LONGEST:]}"
    for reading in (_whole, _announced, _marked, _named):
        found = reading(text, options)
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def score_multiple_choice(predictions: Sequence[Prediction], *, resamples: int, seed: int) -> dict[str, Any] | None:
    """Score the predictions that have options; None when none has.

    Args:
        predictions: those without options are passed over; the gold is an option's text or its letter.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        ``n``; ``accuracy`` and ``accuracy_interval``, a cluster bootstrap; ``chance``, the mean of one by the number of
        options; ``unparsed``, how many replies name no option or several (counted wrong, missing ones included);
        ``letters``, how often each letter is the gold and is chosen, which shows a preference for places.

    Raises:
        DataError: when a gold answer is neither an option nor the letter of one.
    """
    asked = [p for p in predictions if p.options]
    if not asked:
        return None
    gold = [_gold(p) for p in asked]
    chosen = [_chosen(p) for p in asked]
    right = np.array([one == other for one, other in zip(gold, chosen, strict=True)], dtype=np.float64)
    codes: dict[str, int] = {}
    clusters = [cluster_of(p.image, p.case) or f"\0{p.id}" for p in asked]
    cluster = np.array([codes.setdefault(name, len(codes)) for name in clusters], dtype=np.intp)
    golds, choices = Counter(gold), Counter(chosen)
    return {
        "n": len(asked),
        "accuracy": float(right.mean()),
        "accuracy_interval": cluster_intervals({"": Mean(right)}, cluster, resamples=resamples, seed=seed)[""],
        "chance": fmean(1 / len(p.options) for p in asked),
        "unparsed": choices[None],
        "letters": {
            letter: {"gold": golds[place], "chosen": choices[place]}
            for place, letter in enumerate(letters(max(len(p.options) for p in asked)))
        },
    }


def score_consistency(runs: Sequence[Sequence[Prediction]]) -> dict[str, Any]:
    """Compare k answers to each question, from k runs of one model over the same questions.

    Answers are compared as the text of the chosen option where there are options, so that runs may show them in
    different orders, else as normalised text; a reply from which no choice can be read is compared as text and is
    wrong. The majority answer is the most frequent one; of equally frequent ones the first that was given, so the first
    run's where it is among them. Seed 002 planned to ask five times and to dock a point where at least three answers
    disagree; this is read as: at least three of five differ from the majority answer, and for other k at least 60 % of
    them, rounded up. With a majority answer that is given twice, the other three may differ from each other too.

    Returns:
        ``runs`` and ``n`` questions; ``mean_accuracy`` and ``sd_accuracy`` (divisor k - 1) over runs;
        ``majority_accuracy``; ``agreement``, the mean share of answers equal to the majority answer; ``docked``, the
        number of points; ``penalised_score``, questions right by majority less points docked, by n, which can be
        negative; ``all_same``, the share of questions with one answer k times.

    Raises:
        DataError: when there are fewer than two runs or no questions, or runs have different questions, or a gold
            answer is neither an option nor the letter of one.
    """
    if len(runs) < _FEWEST_RUNS:
        raise DataError(f"Consistency needs at least two runs of the same questions, found {len(runs)}.")
    answered = [{p.id: _answer(p) for p in run} for run in runs]
    ids = list(answered[0])
    if not ids:
        raise DataError("Consistency needs questions, and the first run has none.")
    for number, answers in enumerate(answered[1:], start=2):
        _same_questions(ids, answers, number)
    right = np.array([[answers[name][1] for name in ids] for answers in answered], dtype=np.float64)
    k, n = right.shape
    majority_right = np.zeros(n)
    same = np.zeros(n, dtype=np.intp)
    for row, name in enumerate(ids):
        given = [answers[name][0] for answers in answered]
        majority, same[row] = Counter(given).most_common(1)[0]
        majority_right[row] = right[given.index(majority), row]
    docked = int((k - same >= -(-3 * k // 5)).sum())
    accuracies = right.mean(axis=1).tolist()
    return {
        "runs": k,
        "n": n,
        "mean_accuracy": fmean(accuracies),
        "sd_accuracy": stdev(accuracies),
        "majority_accuracy": float(majority_right.mean()),
        "agreement": float((same / k).mean()),
        "docked": docked,
        "penalised_score": float(majority_right.sum() - docked) / n,
        "all_same": float((same == k).mean()),
    }


def _gold(prediction: Prediction) -> int:
    """Find the gold among the options: its text, as given or plain, else its letter."""
    gold, options = prediction.answer, prediction.options
    if gold in options:
        return options.index(gold)
    alike = [place for place, option in enumerate(options) if _plain(option) == _plain(gold)]
    if len(alike) == 1:
        return alike[0]
    names = letters(len(options))
    if _plain(gold).upper() not in names:
        raise DataError(
            f"The gold answer {gold!r} of {prediction.id!r} is neither one of its options nor a letter from "
            f"{names[0]} to {names[-1]}."
        )
    return names.index(_plain(gold).upper())


def _chosen(prediction: Prediction) -> int | None:
    return None if prediction.missing else parse_choice(prediction.prediction, prediction.options)


def _answer(prediction: Prediction) -> tuple[tuple[bool, str], bool]:
    """Return an answer as it is compared (was it read as an option, text), and whether it is right."""
    normalise = NORMALISERS[normaliser_for([prediction.language])]
    if prediction.options:
        chosen = _chosen(prediction)
        gold = _gold(prediction)
        if chosen is not None:
            return (True, _plain(prediction.options[chosen])), chosen == gold
        return (False, normalise(prediction.prediction)), False
    said = normalise(prediction.prediction)
    return (False, said), not prediction.missing and said == normalise(prediction.answer)


def _same_questions(ids: Sequence[str], answers: dict[str, Any], number: int) -> None:
    for name in ids:
        if name not in answers:
            raise DataError(f"Run {number} has no answer to {name!r}, which the first run has; predict it again.")
    for name in answers.keys() - set(ids):
        raise DataError(f"Run {number} answers {name!r}, which the first run does not; compare runs of one split.")


def _plain(text: str) -> str:
    """Fold case and spaces, and take off what stands around."""
    return " ".join(text.casefold().split()).strip(_AROUND)


def _whole(text: str, options: Sequence[str]) -> set[int]:
    plain = _plain(_TAG.sub(" ", text))
    found = {place for place, option in enumerate(options) if plain and _plain(option) == plain}
    if not found:
        plain = _PREFIX.sub("", plain).strip(_AROUND)
    return found | _place(plain.upper(), len(options))


def _place(name: str, n: int) -> set[int]:
    names = letters(n)
    return {names.index(name)} if name in names else set()


def _announced(text: str, options: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for announcement in _ANNOUNCED.finditer(text):
        rest = text[announcement.end() : announcement.end() + _NEAR]
        found |= _lettered(rest, options) or _begins(rest, options)
    return found


def _marked(text: str, options: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for mark in _MARKED.finditer(text):
        if place := _place(mark[1].upper(), len(options)):
            found |= place | _others(place, text[mark.end() : mark.end() + _NEAR], options)
    beside = _BESIDE.match(text)
    if not found and beside:
        place = _place(beside[1], len(options))
        return place if _AFTER_LETTER.match(beside[2]) else place & _begins(beside[2][:_NEAR], options)
    return found


def _lettered(text: str, options: Sequence[str]) -> set[int]:
    """Read a letter at the very start; in lower case, and where it is also a word, only if nothing follows it."""
    match = _LETTER.match(text)
    place = _place(match[1].upper(), len(options)) if match else set()
    if not match or not place:
        return set()
    rest = text[match.end() :]
    is_word = match[1].islower() or match[1] in _WORDS
    if is_word and not _AFTER_LETTER.match(rest) and not place & _begins(rest, options):
        return set()
    return place | _others(place, rest, options)


def _others(place: set[int], rest: str, options: Sequence[str]) -> set[int]:
    """Find the other options that follow a letter on its line: the text is another one's, or “and B” is added."""
    rest = rest.partition("\n")[0]
    joined = _JOINED.match(rest)
    found = _lettered(rest[joined.end() :], options) if joined else set()
    own = {_plain(options[one]) for one in place}
    return found | {other for other in _begins(rest, options) if _plain(options[other]) not in own}


def _begins(text: str, options: Sequence[str]) -> set[int]:
    """Find the options whose text the text begins with; the longest, if several, and what is added with “and”."""
    start = _DASH.sub("", " ".join(text.casefold().split()).lstrip(_AROUND)).removeprefix("the ")
    ends = {
        place: match.end()
        for place, option in enumerate(options)
        if (pattern := _pattern(option)) and (match := pattern.match(start))
    }
    end = max(ends.values(), default=0)
    joined = _JOINED.match(start, end) if ends else None
    added = _begins(start[joined.end() :], options) if joined else set()
    return added | {place for place in ends if ends[place] == end}


def _named(text: str, options: Sequence[str]) -> set[int]:
    """Find the options whose text stands in the text, but not only inside the text of a longer one."""
    folded = " ".join(text.casefold().split())
    spans = {place: found for place, option in enumerate(options) if (found := _spans(option, folded))}

    def stands_alone(span: tuple[int, int]) -> bool:
        return not any(_inside(span, other) for found in spans.values() for other in found)

    return {place for place, found in spans.items() if any(map(stands_alone, found))}


def _spans(option: str, text: str) -> list[tuple[int, int]]:
    pattern = _pattern(option)
    matches = pattern.finditer(text) if pattern else iter(())
    return [match.span() for match in matches if not _DENIED.search(text[max(0, match.start() - 10) : match.start()])]


def _inside(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and other[0] <= one[0] and one[1] <= other[1]


@lru_cache(maxsize=4096)
def _pattern(option: str) -> re.Pattern[str] | None:
    """Compile the text of an option as whole words; None for one that is nothing or a single letter."""
    plain = _plain(option)
    if not plain or (len(plain) == 1 and plain.isascii() and plain.isalpha()):
        return None
    if _CJK.search(plain):
        return re.compile(re.escape(plain))  # written without spaces
    sign = r"(?<!-)" if plain[0].isdigit() else ""
    return re.compile(rf"(?<!\w)(?<!\d[.,]){sign}{re.escape(plain)}(?!\w)(?![.,]\d)")

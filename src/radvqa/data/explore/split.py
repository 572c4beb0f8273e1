"""The numbers of one split, or of all splits together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from radvqa.data.explore.texts import Texts
from radvqa.sample import ANSWER_TYPES, Sample
from radvqa.text import tokens

PERCENTILES = (50, 75, 90, 95, 99, 100)
TOP = 20
"""So many of the most frequent answers are listed."""


def count_split(samples: Sequence[Sample], texts: Texts) -> dict[str, Any]:
    """Count what a split holds.

    Args:
        samples: its rows.
        texts: measures texts under the data set's normaliser.

    Returns:
        Plain values. Lengths are in tokens after normalisation; ``histogram[n]`` is the number of rows of length n.
        ``answers.spread`` is ``[times, answers]``: how many answers occur so many times, most frequent first.
        Labels that are empty mean that a row has none.
    """
    answers = Counter(texts.of(sample.answer).normalised for sample in samples)
    return {
        "rows": len(samples),
        "images": len({sample.image for sample in samples}),
        "cases": len({sample.case for sample in samples} - {""}),
        "questions": _distinct((sample.question for sample in samples if sample.question), texts),
        "vocabulary": len(vocabulary(samples, texts)),
        "question_length": _lengths(texts.of(sample.question).length for sample in samples),
        "answer_length": _lengths(texts.of(sample.answer).length for sample in samples),
        "answers": {
            **_distinct((sample.answer for sample in samples), texts),
            **_frequencies(answers),
            "percentiles": _percentiles(answers),
            "once": sum(number == 1 for number in answers.values()),
        },
        "answer_types": {kind: _of_type(samples, kind, texts) for kind in ANSWER_TYPES},
        "question_types": labels(sample.question_type for sample in samples),
        "modalities": labels(sample.modality for sample in samples),
        "organs": labels(sample.organ for sample in samples),
        "languages": labels(sample.language for sample in samples),
        "tasks": labels(sample.task for sample in samples),
        "repeated": _repeated(samples, texts),
        "words": _words(samples, texts),
        "text_tokens": sum(texts.of(text).subwords for sample in samples for text in _texts_of(sample)),
    }


def vocabulary(samples: Iterable[Sample], texts: Texts) -> set[str]:
    """Return the distinct tokens of all questions after normalisation."""
    found: set[str] = set()
    for question in {sample.question for sample in samples}:
        found.update(tokens(texts.of(question).normalised))
    return found


def labels(found: Iterable[str]) -> dict[str, int]:
    """Count labels, most frequent first; equal ones in alphabetical order."""
    return dict(_ranked(Counter(found)))


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _distinct(found: Iterable[str], texts: Texts) -> dict[str, int]:
    raw = set(found)
    return {
        "raw": len(raw),
        "lower": len({text.lower() for text in raw}),
        "normalised": len({texts.of(text).normalised for text in raw}),
    }


def _frequencies(answers: Mapping[str, int]) -> dict[str, Any]:
    spread = sorted(Counter(answers.values()).items(), reverse=True)
    return {
        "top": [[answer, number] for answer, number in _ranked(answers)[:TOP]],
        "spread": [[times, number] for times, number in spread],
    }


def _percentiles(answers: Mapping[str, int]) -> dict[str, float]:
    """Percentiles of how often an answer occurs, interpolated linearly."""
    if not answers:
        return {}
    values = np.percentile(list(answers.values()), PERCENTILES)
    return {str(percent): float(value) for percent, value in zip(PERCENTILES, values, strict=True)}


def _of_type(samples: Sequence[Sample], kind: str, texts: Texts) -> dict[str, Any]:
    answers = Counter(texts.of(sample.answer).normalised for sample in samples if sample.answer_type == kind)
    return {"rows": sum(answers.values()), "unique": len(answers), **_frequencies(answers)}


def _lengths(found: Iterable[int]) -> dict[str, Any]:
    histogram = np.bincount(np.fromiter(found, np.int64), minlength=1)
    rows = int(histogram.sum())
    total = int(np.arange(len(histogram)) @ histogram)
    return {
        "mean": total / rows if rows else None,
        "max": len(histogram) - 1,
        "histogram": histogram.tolist(),
    }


def _repeated(samples: Sequence[Sample], texts: Texts) -> dict[str, int]:
    """Count rows that ask an earlier row's question about the same picture, and those that answer it differently."""
    first: dict[tuple[str, str], str] = {}
    rows = otherwise = 0
    for sample in samples:
        asked, answer = (sample.image, sample.question), texts.of(sample.answer).normalised
        if not sample.question:  # a caption answers no question
            continue
        if asked in first:
            rows += 1
            otherwise += first[asked] != answer
        else:
            first[asked] = answer
    return {"rows": rows, "otherwise": otherwise}


def _words(samples: Sequence[Sample], texts: Texts) -> dict[str, int]:
    return {
        "question": sum(texts.of(sample.question).words for sample in samples),
        "options": sum(texts.of(option).words for sample in samples for option in sample.options),
        "answer": sum(texts.of(sample.answer).words for sample in samples),
        "context": sum(texts.of(sample.context).words for sample in samples),
    }


def _texts_of(sample: Sample) -> tuple[str, ...]:
    return (sample.question, *sample.options, sample.answer, sample.context)

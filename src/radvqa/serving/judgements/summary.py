"""What judgements come to: how often readers hold a model right, how far they agree, and with the automatic score."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from radvqa.judging.agreement import agreement
from radvqa.scoring.raters import between
from radvqa.scoring.statistics import Mean, cluster_intervals
from radvqa.serving.judgements.judgement import VERDICTS, Judgement

_DIGITS = 6


def summary(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Count judgements; those that a later one replaces are left out.

    Returns:
        ``judgements``, how many hold; ``readers``, each with its number; ``models``, each with ``model``, its numbers
        by verdict, ``answers`` that somebody holds right or wrong, ``share`` of them held right with its ``interval``,
        ``agreement`` of every two readers, and ``automatic``: how readers go with the score by the stored answer;
        ``agreement`` over all models.
    """
    held = [one for one in judgements if not one.replaced]
    by_model: dict[str, list[Judgement]] = defaultdict(list)
    for one in held:
        by_model[one.model].append(one)
    return {
        "judgements": len(held),
        "readers": dict(sorted(Counter(one.reader for one in held).items())),
        "models": [_model(name, said) for name, said in sorted(by_model.items())],
        "agreement": _agreement(held),
    }


def _model(name: str, said: Sequence[Judgement]) -> dict[str, Any]:
    counts = Counter(one.verdict for one in said)
    answers, share, interval = _share(said)
    return {
        "model": name,
        "judgements": len(said),
        **{verdict: counts[verdict] for verdict in VERDICTS},
        "answers": answers,
        "share": share,
        "interval": interval,
        "agreement": _agreement(said),
        "automatic": _automatic(said),
    }


def _share(said: Sequence[Judgement]) -> tuple[int, float | None, list[float] | None]:
    """Return the answers that somebody holds right or wrong, the share held right, and its interval over pictures.

    Where readers differ an answer counts with the share of them that hold it right. Where all are held alike the
    bootstrap knows no spread, and no interval is given.
    """
    by_answer: dict[Hashable, list[bool]] = defaultdict(list)
    pictures: dict[Hashable, str] = {}
    for one in said:
        if one.verdict != "unsure":
            by_answer[one.judged].append(one.verdict == "right")
            pictures[one.judged] = one.picture
    if not by_answer:
        return 0, None, None
    values = np.array([float(np.mean(rights)) for rights in by_answer.values()])
    names = sorted(set(pictures.values()))
    cluster = np.array([names.index(pictures[key]) for key in by_answer], dtype=np.intp)
    share = round(float(values.mean()), _DIGITS)
    if np.ptp(values) == 0:
        return len(values), share, None
    interval = cluster_intervals({"right": Mean(values)}, cluster)["right"]
    return len(values), share, None if interval is None else [round(limit, _DIGITS) for limit in interval]


def _agreement(said: Sequence[Judgement]) -> list[dict[str, Any]]:
    verdicts: dict[str, dict[str, str]] = defaultdict(dict)
    for one in said:
        verdicts[one.reader]["\0".join(map(str, one.judged))] = one.verdict
    return [_rounded(one.as_json()) for one in between(verdicts)]


def _automatic(said: Sequence[Judgement]) -> dict[str, Any] | None:
    """Compare readers with the score by the stored answer; None where no sample of a data set was judged."""
    known = [one for one in said if one.automatic is not None and one.verdict != "unsure"]
    if not known:
        return None
    readers = np.array([one.verdict == "right" for one in known])
    score = np.array([bool(one.automatic) for one in known])
    found = agreement(readers, score)
    return _rounded(
        {
            "judgements": found["n"],
            "same": found["agreement"],
            "kappa": found["kappa"],
            "reader_only": found["judge_only"],
            "score_only": found["exact_only"],
        }
    )


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, _DIGITS) if isinstance(value, float) else value for key, value in values.items()}

"""What experts said about the answers: kept in the run folder, counted, and what becomes of the accuracy."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.diagnosing.material import Material
from radvqa.diagnosing.sheet import COUNTED, VERDICTS
from radvqa.diagnosing.sheet_file import Judged
from radvqa.errors import DataError
from radvqa.scoring.raters import between

UNSETTLED = "unsettled"
"""The verdict on a question about which reviewers disagree and no verdict has more than half of them."""


def kept(path: Path) -> list[Judged]:
    """Read what was kept; nothing where there is no file.

    Raises:
        DataError: when the file is damaged.
    """
    try:
        return [Judged(**row) for row in files.read_jsonl(path)] if path.is_file() else []
    except TypeError:
        raise DataError(f"{path} is not a list of judgements; import the sheets again.") from None


def joined(old: Iterable[Judged], new: Iterable[Judged]) -> list[Judged]:
    """Put sheets together; what a reviewer says later about a question replaces what the same one said before."""
    found = {(one.id, one.reviewer): one for one in (*old, *new)}
    return [found[key] for key in sorted(found)]


def keep(path: Path, judged: Sequence[Judged]) -> None:
    """Write all judgements, whole or not at all."""
    files.write_jsonl(path, (asdict(one) for one in judged))


def require_known(judged: Sequence[Judged], material: Material, where: Path) -> None:
    """Refuse judgements of questions or answers that the run does not have.

    Raises:
        DataError: names the question.
    """
    known = {p.id: p for p in material.predictions}
    for one in judged:
        asked = known.get(one.id)
        if asked is None:
            raise DataError(f"{where}: the run has no question with the id {one.id!r}; is it the sheet of another run?")
        if not _same(one.prediction, asked.prediction) or not _same(one.gold, asked.answer):
            raise DataError(
                f"{where}: {one.id!r} was judged with other answers ({one.prediction!r}, gold {one.gold!r}) than the "
                f"run has now ({asked.prediction!r}, gold {asked.answer!r}); make the sheet anew."
            )


def summary(material: Material, judged: Sequence[Judged]) -> dict[str, Any] | None:
    """Count verdicts, correct the accuracy by them, and compare reviewers; None when nothing was judged.

    A question has the verdict of more than half of its reviewers. Where the stored answer is wrong the question no
    longer counts; where both answers are acceptable it counts as right; every other verdict changes nothing. Judgements
    of answers that the run no longer has are left out and counted.

    Returns:
        ``judged`` questions; ``reviewers``, each with its number; ``verdicts``, their counts; ``failures``, what
        reviewers named and how often; ``accuracy`` before and ``corrected`` after, with ``excluded`` and
        ``counted_right``; ``of_wrong``, the verdicts on wrong answers that were drawn at random; ``agreement``;
        ``outdated``.
    """
    known = {p.id: row for row, p in enumerate(material.predictions)}
    current = [one for one in judged if one.id in known and _is_current(one, material, known[one.id])]
    if not current:
        return None
    by_question: dict[str, list[Judged]] = defaultdict(list)
    by_reviewer: dict[str, dict[str, str]] = defaultdict(dict)
    for one in current:
        by_question[one.id].append(one)
        by_reviewer[one.reviewer][one.id] = one.verdict
    settled = {id_: _settled([one.verdict for one in said]) for id_, said in by_question.items()}
    counts = Counter(settled.values())
    right = material.right.copy()
    excluded = [known[id_] for id_, verdict in settled.items() if verdict == "gold-wrong"]
    accepted = [known[id_] for id_, verdict in settled.items() if verdict == "both-acceptable"]
    counted_right = sum(1 for row in accepted if not right[row])
    right[accepted] = 1.0
    left = len(right) - len(excluded)
    drawn = Counter(settled[id_] for id_, said in by_question.items() if any(COUNTED in one.why for one in said))
    return {
        "judged": len(settled),
        "reviewers": {name: len(said) for name, said in sorted(by_reviewer.items())},
        "verdicts": {name: counts[name] for name in (*VERDICTS, UNSETTLED) if counts[name]},
        "failures": dict(Counter(one.failure for one in current if one.failure).most_common()),
        "accuracy": round(float(material.right.mean()), 6),
        "corrected": round(float((right.sum() - right[excluded].sum()) / left), 6) if left else None,
        "excluded": len(excluded),
        "counted_right": counted_right,
        "of_wrong": {name: drawn[name] for name in (*VERDICTS, UNSETTLED) if drawn[name]},
        "agreement": [_rounded(one.as_json()) for one in between(by_reviewer)],
        "outdated": len(judged) - len(current),
    }


def _settled(verdicts: Sequence[str]) -> str:
    verdict, many = Counter(verdicts).most_common(1)[0]
    return verdict if 2 * many > len(verdicts) else UNSETTLED


def _is_current(one: Judged, material: Material, row: int) -> bool:
    asked = material.predictions[row]
    return _same(one.prediction, asked.prediction) and _same(one.gold, asked.answer)


def _same(one: str, other: str) -> bool:
    """Whether two texts are one, white space aside, which spreadsheets change."""
    return one.split() == other.split()


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}

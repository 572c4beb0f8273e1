"""``radvqa bench curate``: planning, filtering and reviewing made-up pairs, against the naive way of each."""

import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import files

if TYPE_CHECKING:
    from radvqa.curating.pair import Pair
    from radvqa.sample import Sample

_NAIVE_PAIRS = 2_000  # comparing every two of more would take too long to wait for
_NAIVE_DECISIONS = 5
_ORGANS = ("liver", "spleen", "left kidney", "right lung", "heart", "brain stem", "pancreas", "aorta", "bladder")
_FINDINGS = ("mass", "cyst", "effusion", "fracture", "nodule", "thrombus", "calcification", "edema")
_LOOKS = ("small", "large", "enhancing", "hypodense", "irregular", "round", "lobulated")


def bench_curate(captions: int = 80_000, pairs: int = 50_000, decisions: int = 200) -> dict[str, Any]:
    """Time the three steps in which nobody waits for a language model, on one core.

    The naive ways: for filters, the same rules, and duplicates found by comparing every two pairs of the table (timed
    on fewer pairs, with ours beside it on the same ones); for reviews, a JSON file that is written anew after every
    decision.

    Args:
        captions: to plan for.
        pairs: to filter, and to hold in the review queue.
        decisions: to time.

    Returns:
        seconds, rates and ratios; ``same_duplicates`` says whether both ways found the same.
    """
    from radvqa.curating.estimate import estimate
    from radvqa.curating.filter import filter_pairs
    from radvqa.curating.material import materials
    from radvqa.curating.near_duplicates import near_duplicates
    from radvqa.curating.template import load_template

    chance = random.Random(0)
    samples = [_caption(number, chance) for number in range(captions)]
    templates = [load_template("mixed"), load_template("detailed")]
    planning, planned = _timed(lambda: estimate(materials(samples), templates))
    table = _pairs(pairs, chance)
    filtering, _ = _timed(lambda: filter_pairs(table))
    few = table[:_NAIVE_PAIRS]
    ours, found = _timed(lambda: near_duplicates(few))
    naive, expected = _timed(lambda: _every_two(few))
    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as place:
        reviewing = _reviewed(Path(place), table, decisions)
        rewriting = _rewritten(Path(place) / "review.json", table)
    return {
        "captions": captions,
        "planned_requests": planned.requests,
        "plan_seconds": round(planning, 2),
        "pairs": pairs,
        "filter_seconds": round(filtering, 2),
        "filter_pairs_per_second": round(pairs / filtering),
        "naive_pairs": len(few),
        "ours_duplicates_seconds": round(ours, 3),
        "naive_duplicates_seconds": round(naive, 3),
        "duplicates_ratio": round(naive / ours, 1),
        "same_duplicates": found.keys() == expected.keys(),
        "decisions": decisions,
        "ours_decision_seconds": round(reviewing, 5),
        "naive_decision_seconds": round(rewriting, 5),
        "decision_ratio": round(rewriting / reviewing, 1),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def _caption(number: int, chance: random.Random) -> "Sample":
    from radvqa.sample import Sample

    words = " ".join(
        f"{chance.choice(_LOOKS)} {chance.choice(_FINDINGS)} in the {chance.choice(_ORGANS)}," for _ in range(6)
    )
    text = f"Axial CT {number} shows a {words} stable."
    return Sample(
        f"c{number}", "made:up", "train", f"{number}.png", Path(f"{number}.png"), "", text, "OPEN", task="caption"
    )


def _pairs(count: int, chance: random.Random) -> "list[Pair]":
    """Five pairs a picture, as language models write them: some good, some twice, some that rules take out."""
    from radvqa.curating.pair import Pair

    made = []
    for number in range(count):
        finding, organ, look = chance.choice(_FINDINGS), chance.choice(_ORGANS), chance.choice(_LOOKS)
        question, answer = chance.choice(
            (
                (f"Where is the {look} {finding} located?", f"In the {organ}"),
                (f"Is there a {finding} in the {organ}?", chance.choice(("Yes", "No"))),
                (f"What does the {finding} look like?", f"It is {look}"),
                (f"How large is the {finding}?", "3 x 4 cm"),
                ("Which plane is this?", "Axial"),
                (f"What does the caption say about the {organ}?", f"It has a {finding}"),
            )
        )
        image = f"{number // 5}.png"
        made.append(
            Pair(f"p{number}", question, answer, "open", image, dataset="made:up", caption=image, modality="CT")
        )
    return made


def _every_two(pairs: "Sequence[Pair]") -> dict[str, str]:
    """Compare every two pairs of the table."""
    from radvqa.curating.near_duplicates import LIKENESS

    kept: list[tuple[Pair, set[str]]] = []
    found: dict[str, str] = {}
    for pair in pairs:
        words = _parts(pair)
        for other, others in kept:
            alike = len(words & others) / len(words | others) >= LIKENESS
            if alike and other.image == pair.image and other.kind == pair.kind:
                found[pair.id] = other.id
                break
        else:
            kept.append((pair, words))
    return found


def _parts(pair: "Pair") -> set[str]:
    found: set[str] = set()
    for mark, text in (("q", pair.question), ("a", pair.answer)):
        words = text.lower().replace("?", "").split()
        found |= {f"{mark} {word}" for word in words}
        found |= {f"{mark} {one} {other}" for one, other in itertools.pairwise(words)}
    return found


def _reviewed(folder: Path, pairs: "Sequence[Pair]", decisions: int) -> float:
    """Median seconds of what one key costs the server: a decision written to disk, and the next pair."""
    from radvqa.reviewing.decision import Decision
    from radvqa.reviewing.queue import ReviewQueue

    queue = ReviewQueue(folder / "review.sqlite")
    queue.add(pairs)
    seconds = []
    (pair,) = queue.next("Ann")
    for number in range(decisions):
        started = time.perf_counter()
        queue.decide(Decision(pair.id, "Ann", "pass", token=f"token {number}"))
        (pair,) = queue.next("Ann")
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _rewritten(path: Path, pairs: "Sequence[Pair]") -> float:
    """Median seconds of a decision where all is one JSON file."""
    files.write_text(path, json.dumps([pair.plain() for pair in pairs]))
    seconds = []
    for number in range(_NAIVE_DECISIONS):
        started = time.perf_counter()
        rows = json.loads(path.read_text(encoding="utf-8"))
        rows[number]["verdict"] = "pass"
        files.write_text(path, json.dumps(rows))
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)

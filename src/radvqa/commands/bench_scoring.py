"""``radvqa bench scoring``: a file of predictions to a full score, against the reference libraries row by row."""

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radvqa import console
from radvqa.prediction import Prediction, read_predictions, write_predictions

_NAIVE_ROWS = 2000
_NAIVE_RESAMPLES = 10


def bench_scoring(predictions: int = 100_000, *, per_image: int = 7) -> dict[str, Any]:
    """Time reading and scoring made-up predictions with every metric, rule and interval.

    The naive way reads the same rows, calls sacrebleu, rouge-score, scikit-learn and each rule for every row, and
    resamples rows in a loop. It is timed on 2,000 rows and ten resamples, and scaled; the result says so.

    Args:
        predictions: how many.
        per_image: questions about one picture, which are resampled together.

    Returns:
        Seconds of both, ``speedup_ratio``, and the peak memory of this process in bytes.
    """
    from radvqa.device import peak_memory_bytes
    from radvqa.scoring import scorer

    made = _made(predictions, per_image)
    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as folder:
        path = Path(folder) / "predictions.jsonl"
        write_predictions(path, made)
        started = time.perf_counter()
        read = read_predictions(path)
        reading = time.perf_counter() - started
        scores = scorer.score(read)
        ours = time.perf_counter() - started
    peak = peak_memory_bytes()
    console.say(f"ours: {ours:.1f} s; now the naive way, on {_NAIVE_ROWS:,} rows")
    naive = _naive_seconds(made[:_NAIVE_ROWS], scores["interval"]) * predictions / min(_NAIVE_ROWS, predictions)
    return {
        "predictions": predictions,
        "clusters": scores["clusters"],
        "distinct_pairs": len({(p.answer, p.prediction) for p in made}),
        "ours_seconds": round(ours, 2),
        "ours_reading_seconds": round(reading, 2),
        "peak_memory_bytes": peak,
        "naive_seconds": round(naive, 1),
        "naive_rows": _NAIVE_ROWS,
        "naive_is_scaled": True,
        "speedup_ratio": round(naive / ours, 1),
    }


def _made(many: int, per_image: int) -> list[Prediction]:
    """Make answers as SLAKE has them: half closed, a few hundred answers, seven in ten right, some with more words."""
    dice = random.Random(0)
    organs = ("lung", "liver", "heart", "kidney", "brain", "spleen")
    places = [f"{side} {organ}" for side in ("left", "right", "upper", "lower") for organ in organs]
    open_answers = [*places, *(f"finding {i} of the {place}" for i, place in enumerate(places * 8))]
    rows = []
    for number in range(many):
        closed = dice.random() < 0.4
        answers = ("Yes", "No") if closed else open_answers
        gold = dice.choice(answers)
        given = gold if dice.random() < 0.7 else dice.choice(answers)
        if dice.random() < 0.2:
            given = f"{dice.choice(('The', 'It is the', 'Probably'))} {given.lower()}."
        rows.append(
            Prediction(
                f"{number:07}",
                f"Question {number % 600}?",
                gold,
                given,
                "CLOSED" if closed else "OPEN",
                question_type=dice.choice(("Organ", "Position", "Abnormality", "Modality")),
                image=f"{number // per_image:06}.png",
                organ=dice.choice(organs),
                modality=dice.choice(("CT", "MRI", "X-Ray")),
                confidence=round(dice.random(), 3),
                candidates=((given, 0.6), (gold, 0.2)),
            )
        )
    return rows


def _naive_seconds(rows: Sequence[Prediction], interval: str) -> float:
    """Score rows one by one, and resample them in a loop; the resamples are scaled to as many as ours drew."""
    import numpy as np
    import sacrebleu
    from rouge_score import rouge_scorer
    from sklearn.metrics import f1_score

    from radvqa.scoring.metrics.words import contained, overlap_f1, recall
    from radvqa.scoring.rule import RULES, Question
    from radvqa.text import NORMALISERS

    normalise = NORMALISERS["seed000"]
    rouge = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
    judges = [rule.judge(sorted({p.answer for p in rows})) for rule in RULES.values()]
    started = time.perf_counter()
    table = []
    for p in rows:
        gold, given = normalise(p.answer), normalise(p.prediction)
        overlap = rouge.score(p.answer, p.prediction)
        question = Question(p.answer, p.prediction, p.answer_type == "CLOSED", p.options)
        table.append(
            [
                float(gold == given),
                overlap_f1(gold, given),
                recall(gold, given),
                contained(gold, given),
                *(overlap[kind].fmeasure for kind in ("rouge1", "rouge2", "rougeL")),
                *(judge(question) for judge in judges),
            ]
        )
    golds, given_texts = [p.answer for p in rows], [p.prediction for p in rows]
    for order in range(1, 5):
        sacrebleu.BLEU(max_ngram_order=order).corpus_score(given_texts, [golds])
    once = time.perf_counter() - started

    values, images = np.array(table), sorted({p.image for p in rows})
    of_image = {image: [row for row, p in enumerate(rows) if p.image == image] for image in images}
    dice = random.Random(0)
    started = time.perf_counter()
    for _ in range(_NAIVE_RESAMPLES):
        drawn = [row for image in dice.choices(images, k=len(images)) for row in of_image[image]]
        values[drawn].mean(axis=0)
        f1_score([golds[row] for row in drawn], [given_texts[row] for row in drawn], average="macro", zero_division=0)
    resamples = int(interval.rsplit(" ", 2)[1])
    return once + (time.perf_counter() - started) * resamples / _NAIVE_RESAMPLES

"""Saved predictions of four kinds of models: every number of ``expected.csv`` comes from a reference library.

``python tests/scoring/test_four_models.py`` writes the table anew. One test holds the table against the libraries, one
holds the toolkit against the table.
"""

import csv
import string
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest
import sacrebleu
from rouge_score import rouge_scorer
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score

from radvqa.commands.score import score
from radvqa.prediction import Prediction, read_predictions

FOLDER = Path(__file__).with_name("four_models")
TABLE = FOLDER / "expected.csv"
MODELS = ("chatty", "classifier", "partial", "terse")
Number = float | None


def reference(predictions: Sequence[Prediction]) -> dict[str, Number]:
    """Compute the table's columns with the reference libraries; None where a library has nothing to count."""
    golds, answers = [p.answer for p in predictions], [p.prediction for p in predictions]
    normal_golds, normal_answers = list(map(normal, golds)), list(map(normal, answers))
    found: dict[str, Number] = {
        "accuracy": accuracy_score(normal_golds, normal_answers),
        "exact_match": accuracy_score(normal_golds, normal_answers),
        "macro_f1": f1_score(normal_golds, normal_answers, average="macro", zero_division=0),
        "macro_f1_gold": f1_score(
            normal_golds, normal_answers, labels=sorted(set(normal_golds)), average="macro", zero_division=0
        ),
        "token_f1": fmean([squad_f1(*pair) for pair in zip(normal_golds, normal_answers, strict=True)]),
    }
    for order in range(1, 5):
        countable = all(max(len(text.split()) for text in texts) >= order for texts in (golds, answers))
        bleu = sacrebleu.BLEU(lowercase=True, max_ngram_order=order).corpus_score(answers, [golds])
        found[f"bleu{order}"] = bleu.score / 100 if countable else None
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
    for kind, words in (("rouge1", 1), ("rouge2", 2), ("rougeL", 1)):
        pairs = [
            pair for pair in zip(golds, answers, strict=True) if len(normal(pair[0].replace("-", " ")).split()) >= words
        ]
        found[kind] = fmean(scorer.score(*pair)[kind].fmeasure for pair in pairs) if pairs else None
    for k in (3, 5):
        ranked = [[normal(answer) for answer, _ in p.candidates[:k]] for p in predictions]
        hits = [gold in listed for gold, listed in zip(normal_golds, ranked, strict=True)]
        found[f"top{k}"] = fmean(hits) if all(ranked) else None
    confident = [p.confidence for p in predictions if p.confidence is not None]
    right = [gold == answer for gold, answer in zip(normal_golds, normal_answers, strict=True)]
    found["brier"] = brier_score_loss(right, confident) if len(confident) == len(right) else None
    return {name: None if value is None else float(value) for name, value in found.items()}


def normal(text: str) -> str:
    """Normalise as seed 000 does, with other means than the toolkit's."""
    kept = string.ascii_lowercase + string.digits + string.whitespace
    return " ".join("".join(letter for letter in text.lower() if letter in kept).split())


def squad_f1(gold: str, answer: str) -> float:
    """Word overlap as SQuAD's evaluation defines it."""
    expected, given = gold.split(), answer.split()
    if not expected or not given:
        return float(expected == given)
    shared = sum((Counter(expected) & Counter(given)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(given), shared / len(expected)
    return 2 * precision * recall / (precision + recall)


def parts(model: str) -> dict[str, list[Prediction]]:
    predictions = read_predictions(FOLDER / f"{model}.jsonl")
    return {
        "overall": predictions,
        "open": [p for p in predictions if p.answer_type == "OPEN"],
        "closed": [p for p in predictions if p.answer_type == "CLOSED"],
    }


def written() -> dict[tuple[str, str, str], Number]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            (row["model"], row["subset"], row["metric"]): float(row["value"]) if row["value"] else None
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("model", MODELS)
def test_the_table_is_what_the_reference_libraries_compute(model: str) -> None:
    table = written()
    for subset, predictions in parts(model).items():
        for metric, value in reference(predictions).items():
            assert table[model, subset, metric] == (value if value is None else pytest.approx(value, abs=1e-9)), metric


@pytest.mark.parametrize("model", MODELS)
def test_the_toolkit_reproduces_every_number_of_the_table(model: str) -> None:
    scores = score(FOLDER / f"{model}.jsonl")
    rows = {key: value for key, value in written().items() if key[0] == model}
    assert len(rows) > 40
    for (_, subset, metric), expected in rows.items():
        if metric == "brier":
            found = scores["calibration"] and scores["calibration"]["brier"] if subset == "overall" else expected
        else:
            found = scores["subsets"][subset][metric]
        assert found == (expected if expected is None else pytest.approx(expected, abs=1e-6)), (subset, metric)


if __name__ == "__main__":
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["model", "subset", "metric", "value"])
        for model in MODELS:
            for subset, predictions in parts(model).items():
                for metric, value in reference(predictions).items():
                    table.writerow([model, subset, metric, "" if value is None else repr(value)])
    print(f"wrote {TABLE.name}", file=sys.stderr)

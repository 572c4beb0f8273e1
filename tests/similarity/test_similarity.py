"""Neural similarities against a naive computation, one text at a time, and against the authors' own program."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_encoder
import torch
from transformers import AutoModel, AutoTokenizer

from radvqa.errors import DataError, RadvqaError, WeightsError
from radvqa.models.token_vectors import TokenEncoder, TokenVectors
from radvqa.prediction import Prediction
from radvqa.similarity import similarity
from radvqa.similarity.pairs import other_items

PAIRS = [
    ("left lung", "right lung"),
    ("The liver, lower right", "lower right liver"),
    ("yes", "no"),
    ("X-Ray", "x ray"),
    ("Pneumothorax of the right lung", "a right sided pneumothorax"),
    ("左肺", "左肺"),
    ("heart", "liver"),
    ("it can pump blood", "pump blood through the body 🙂"),
]
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def predictions(pairs: Sequence[tuple[str, str]]) -> list[Prediction]:
    return [
        Prediction(f"{i:03d}", "?", gold, answer, "CLOSED" if gold in ("yes", "no") else "OPEN", image=f"{i // 2}")
        for i, (gold, answer) in enumerate(pairs)
    ]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder.save(tmp_path_factory.mktemp("encoder") / "tiny")


def measured(name: str, pairs: Sequence[tuple[str, str]], **settings: Any) -> dict[str, Any]:
    return similarity(predictions(pairs), [name], resamples=50, **settings)[name]


class Naive:
    """Similarities of two texts by loops, without batches, padding or memory of what was encoded."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder).eval()

    def tokens(self, text: str, layer: int) -> tuple[list[int], list[Any]]:
        ids = self.tokenizer(text)["input_ids"]
        with torch.no_grad():
            states = self.model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0]
        return ids, list(states.double().numpy())

    def sbert(self, gold: str, answer: str) -> float:
        one, other = (np.mean(self.tokens(text, -1)[1], axis=0) for text in (gold, answer))
        return cosine(one, other)

    def bertscore(self, gold: str, answer: str, layer: int) -> tuple[float, float, float]:
        precision = self.found(answer, gold, layer)
        recall = self.found(gold, answer, layer)
        return precision, recall, 2 * precision * recall / (precision + recall)

    def found(self, text: str, other: str, layer: int) -> float:
        (ids, vectors), (_, others) = self.tokens(text, layer), self.tokens(other, layer)
        ends = (self.tokenizer.cls_token_id, self.tokenizer.sep_token_id)
        words = [vector for code, vector in zip(ids, vectors, strict=True) if code not in ends]
        return float(np.mean([max(cosine(vector, candidate) for candidate in others) for vector in words]))


def cosine(one: Any, other: Any) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def test_sbert_equals_the_naive_computation(tiny: Path) -> None:
    naive = Naive(tiny)
    expected = np.mean([naive.sbert(*pair) for pair in PAIRS])
    assert measured(f"sbert={tiny}", PAIRS)["overall"]["value"] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("layer", [1, 2])
def test_bertscore_equals_the_naive_computation(tiny: Path, layer: int) -> None:
    naive = Naive(tiny)
    found = measured(f"bertscore={tiny}@{layer}", PAIRS)
    expected = np.mean([naive.bertscore(*pair, layer) for pair in PAIRS], axis=0)
    values = [found["overall"][name] for name in ("precision", "recall", "value")]
    np.testing.assert_allclose(values, expected, atol=2e-6)
    assert (found["model"], found["layer"]) == (str(tiny), layer)


# bert-score 0.3.13, score(..., model_type=all-MiniLM-L6-v2, num_layers=layer): precision, recall, F1 of PAIRS
AUTHORS = {
    6: [
        (0.884872, 0.884872, 0.884872),
        (0.936233, 0.840611, 0.885849),
        (0.799851, 0.799851, 0.799851),
        (0.969232, 0.852256, 0.906988),
        (0.873156, 0.859339, 0.866192),
        (1.0, 1.0, 1.0),
        (0.293913, 0.293913, 0.293913),
        (0.571119, 0.639439, 0.603351),
    ],
    4: [
        (0.887014, 0.887014, 0.887014),
        (0.936654, 0.804163, 0.865367),
        (0.798045, 0.798045, 0.798045),
        (0.967008, 0.817003, 0.885699),
        (0.861181, 0.851932, 0.856532),
        (1.0, 1.0, 1.0),
        (0.547747, 0.547747, 0.547747),
        (0.629514, 0.683027, 0.65518),
    ],
}


@pytest.mark.real_weights
@pytest.mark.parametrize("layer", AUTHORS)
def test_bertscore_equals_the_authors_program(layer: int) -> None:
    for pair, expected in zip(PAIRS, AUTHORS[layer], strict=True):
        found = measured(f"bertscore={MINILM}@{layer}", [pair])["overall"]
        assert [found[name] for name in ("precision", "recall", "value")] == pytest.approx(expected, abs=1e-4), pair


@pytest.mark.real_weights
def test_real_encoders_tell_the_right_answer_from_a_random_one() -> None:
    names = ["sbert", f"bertscore={MINILM}"]
    for name, found in similarity(predictions(PAIRS), names, resamples=50).items():
        overall = found["overall"]
        assert overall["random_pair_floor"] < overall["value_interval"][0] < overall["value"], name
        assert overall["value"] < overall["value_interval"][1], name
    equal = [(gold, gold) for gold, _ in PAIRS]
    for name, found in similarity(predictions(equal), names, resamples=50).items():
        assert found["overall"]["value"] == pytest.approx(1, abs=1e-6), name
        assert found["overall"]["value"] <= 1, name


@pytest.mark.parametrize("kind", ["sbert", "bertscore"])
def test_empty_answers_score_zero_and_empty_golds_are_left_out(tiny: Path, kind: str) -> None:
    pairs = [("left lung", "left lung"), ("heart", " "), ("", "liver"), ("", "")]
    rows = predictions(pairs)
    rows.append(Prediction("999", "?", "liver", "", "OPEN", image="9", missing=True))
    name = f"{kind}={tiny}"
    overall = similarity(rows, [name], resamples=50)[name]["overall"]
    assert (overall["n"], overall["empty"]) == (3, 2)
    assert overall["value"] == pytest.approx(1 / 3)


def test_a_text_without_any_word_scores_zero(tiny: Path) -> None:
    control = "\x01"  # not blank, and the tokeniser drops it
    assert measured(f"bertscore={tiny}", [("lung", control), (control, control)])["overall"]["value"] == 0


def test_subsets_add_up_to_the_whole(tiny: Path) -> None:
    found = measured(f"bertscore={tiny}", PAIRS)
    parts = [found["open"], found["closed"]]
    assert sum(part["n"] for part in parts) == found["overall"]["n"]
    for column in ("value", "precision", "recall"):
        whole = sum(part["n"] * part[column] for part in parts) / found["overall"]["n"]
        assert found["overall"][column] == pytest.approx(whole, abs=2e-6)


def test_order_does_not_matter_and_the_seed_decides_the_floor(tiny: Path) -> None:
    rows, name = predictions(PAIRS), f"sbert={tiny}"
    assert similarity(rows[::-1], [name], resamples=50) == similarity(rows, [name], resamples=50)
    floors = {similarity(rows, [name], resamples=5, seed=s)[name]["overall"]["random_pair_floor"] for s in range(5)}
    assert len(floors) > 1


def test_no_floor_where_all_golds_are_the_same(tiny: Path) -> None:
    found = measured(f"sbert={tiny}", [("Yes", "yes"), ("yes", "no"), ("heart", "lung")])
    assert found["closed"]["random_pair_floor"] is None
    same = measured(f"sbert={tiny}", [("Yes", "yes"), ("yes", "no")])
    assert same["overall"]["random_pair_floor"] is None  # written differently, and yet the same


def test_the_floor_of_two_questions_is_the_score_of_their_swapped_golds(tiny: Path) -> None:
    swapped = measured(f"sbert={tiny}", [("heart", "lung"), ("left lung", "the heart")])["overall"]["value"]
    found = measured(f"sbert={tiny}", [("left lung", "lung"), ("heart", "the heart")])["overall"]
    assert found["random_pair_floor"] == pytest.approx(swapped, abs=2e-6)


def test_every_distinct_text_is_encoded_once(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    encode = TokenEncoder.encode

    def listen(self: TokenEncoder, texts: Sequence[str]) -> list[TokenVectors]:
        encoded.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(TokenEncoder, "encode", listen)
    measured(f"bertscore={tiny}", PAIRS * 5)
    assert sorted(encoded) == sorted({text for pair in PAIRS for text in pair})


def test_a_megabyte_is_cut_at_what_the_model_reads(tiny: Path) -> None:
    long = "left lung " * 100_000
    for kind in ("sbert", "bertscore"):
        assert measured(f"{kind}={tiny}", [(long, long)])["overall"]["value"] == pytest.approx(1, abs=1e-6)


def test_other_items_are_drawn_evenly_among_those_with_another_gold() -> None:
    gold = np.array([7, 2, 7, 9, 2, 2])
    draws = [other_items(gold, np.random.default_rng(seed)) for seed in range(4000)]
    counts = np.zeros((6, 6))
    for drawn in draws:
        assert drawn is not None
        counts[np.arange(6), drawn] += 1
    differs = gold[:, None] != gold[None, :]
    np.testing.assert_allclose(counts / 4000, differs / differs.sum(axis=1, keepdims=True), atol=0.03)
    assert not counts[~differs].any()
    assert other_items(np.array([3, 3, 3]), np.random.default_rng(0)) is None


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("sbertt", RadvqaError, "Unknown similarity 'sbertt'; did you mean 'sbert'?"),
        ("bertscore={tiny}@3", WeightsError, "has layers 1 to 2; there is no layer 3"),
        ("sbert=nowhere", WeightsError, "'nowhere' is neither a folder nor a model name"),
    ],
)
def test_mistakes_are_named(tiny: Path, name: str, error: type[RadvqaError], message: str) -> None:
    with pytest.raises(error) as caught:
        measured(name.format(tiny=tiny), PAIRS)
    assert message in str(caught.value)


def test_no_predictions_is_a_mistake(tiny: Path) -> None:
    with pytest.raises(DataError, match="no predictions"):
        similarity([], [f"sbert={tiny}"])


def test_clusters_decide_the_interval(tiny: Path) -> None:
    rows, name = predictions(PAIRS), f"sbert={tiny}"
    one_image = [replace(row, image="the same") for row in rows]
    assert similarity(rows, [name], resamples=50)[name]["overall"]["value_interval"] is not None
    assert similarity(one_image, [name], resamples=50)[name]["overall"]["value_interval"] is None

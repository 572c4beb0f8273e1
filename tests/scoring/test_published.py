"""Published numbers: read as they were noted, and compared only where they measure the same."""

import csv
from importlib import resources

import pytest

from radvqa.scoring.published import PublishedRow, rows_for


def by_method(dataset: str, method: str, normaliser: str = "seed000") -> dict[str, PublishedRow]:
    return {row.subset: row for row in rows_for(dataset, "test", normaliser) if row.method == method}


def test_the_table_is_whole() -> None:
    text = (resources.files("radvqa.scoring") / "published.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 212
    assert all(set(row) == set(rows[0]) and None not in row.values() for row in rows)
    assert all(0 <= float(row["value_percent"]) <= 100 for row in rows)


@pytest.mark.parametrize("dataset", ["slake:en", "vqa_rad", "vqa_rad:official", "path_vqa", "daquar"])
def test_every_row_has_a_judgement_with_a_reason(dataset: str) -> None:
    rows = rows_for(dataset, "test")
    assert rows
    assert all(row.why.endswith(".") and row.protocol and row.source and row.evidence for row in rows)


@pytest.mark.parametrize(
    ("dataset", "weights", "odd"),
    [
        ("slake:en", {"open": 645, "closed": 416}, {"BiomedGPT-B"}),
        ("vqa_rad", {"open": 179, "closed": 272}, {"AMAM", "PMC-CLIP", "BiomedCLIP (QCR)"}),
    ],
)
def test_overall_is_the_weighted_mean_of_open_and_closed(dataset: str, weights: dict[str, int], odd: set[str]) -> None:
    """A slip in the table would show here; ``odd`` are methods whose sources themselves do not add up."""
    rows = rows_for(dataset, "test")
    found = set()
    for method in {row.method for row in rows}:
        values = {row.subset: row.value_percent for row in rows if row.method == method}
        if set(values) == {"overall", "open", "closed"}:
            mean = sum(values[subset] * n for subset, n in weights.items()) / sum(weights.values())
            if abs(values["overall"] - mean) > 0.11:  # three rounded numbers
                found.add(method)
    assert found == odd
    assert not any(row.comparable for row in rows if row.method in odd)


def test_the_same_protocol_is_comparable() -> None:
    rows = by_method("slake:en", "CNN-LSTM frozen")
    assert {subset: row.value_percent for subset, row in rows.items()} == {
        "open": 77.67,
        "closed": 83.17,
        "overall": 79.83,
    }
    assert all(row.comparable for row in rows.values())
    assert "same normaliser" in rows["overall"].why


def test_another_normaliser_is_not() -> None:
    assert not by_method("slake:en", "CNN-LSTM frozen", "unicode")["overall"].comparable


def test_classification_on_slake_is_comparable_in_kind() -> None:
    row = by_method("slake:en", "PMC-CLIP")["overall"]
    assert row.comparable
    assert "answer list may differ" in row.why


@pytest.mark.parametrize(
    ("dataset", "method", "reason"),
    [
        ("slake:en", "LLaVA-Med (LLaVA)", "share of gold words"),
        ("slake:en", "MedVInT-TD", "only similar"),
        ("slake:en", "Lingshu-7B", "both languages"),
        ("slake:en", "RadBloomz-7b + BiomedCLIP", "not published"),
        ("vqa_rad", "Lingshu-7B", "language model"),
        ("vqa_rad", "QCR", "284 rows rephrase test questions"),
        ("vqa_rad", "ViLT LoRA", "at random"),
        ("path_vqa", "MMQ", "Copies of PathVQA differ"),
    ],
)
def test_other_protocols_are_not(dataset: str, method: str, reason: str) -> None:
    row = by_method(dataset, method)["overall" if "overall" in by_method(dataset, method) else "open"]
    assert not row.comparable
    assert reason in row.why


@pytest.mark.parametrize(
    ("dataset", "split"),
    [("slake:zh", "test"), ("slake:en", "validate"), ("phantom", "test"), ("", ""), ("?:x", "test")],
)
def test_nothing_was_published_about_other_splits(dataset: str, split: str) -> None:
    assert rows_for(dataset, split) == []


def test_a_default_version_need_not_be_named() -> None:
    assert rows_for("slake", "test") == rows_for("slake:en", "test")


def test_a_split_of_ours_has_other_test_rows() -> None:
    rows = rows_for("vqa_rad:image_disjoint", "test")
    assert rows
    assert not any(row.comparable for row in rows)
    assert {row.why for row in rows} == {"Measured on the published 451 test rows; this version has other test rows."}

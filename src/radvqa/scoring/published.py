"""Published results beside our own, and for each whether the two numbers measure the same thing."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

SAME_NORMALISER = "seed000"


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One published number.

    Attributes:
        method: as its authors call it.
        subset: ``overall``, ``open``, ``closed``, or another measure's name.
        value_percent: the number, in percent.
        protocol: how it was measured, in words.
        source: where it was read.
        evidence: how sure the number is, in words.
        comparable: whether it may stand beside a number of this toolkit.
        why: one sentence that says why, or why not.
    """

    method: str
    subset: str
    value_percent: float
    protocol: str
    source: str
    evidence: str
    comparable: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Protocol:
    label: str
    comparable: bool
    why: str


_PROTOCOLS: dict[str, _Protocol] = {
    "classification": _Protocol(
        "classification accuracy", True, "Same questions and same kind of score; the answer list may differ."
    ),
    "classification_seed000": _Protocol(
        "classification accuracy, seed000 normaliser", True, "Same questions, same answer list, same normaliser."
    ),
    "exact_match_seed000": _Protocol(
        "exact match, seed000 normaliser", True, "Same questions, same normaliser, same equality rule."
    ),
    "generation": _Protocol("generated text", False, "The rule that matches generated text to the gold is not known."),
    "generation_loose": _Protocol(
        "generated text, loose match", False, "A generated text counts when it is only similar to the gold."
    ),
    "generation_ranking": _Protocol(
        "generation, then ranking of answers", False, "Answers are ranked from a list that is not published."
    ),
    "generation_answer_list": _Protocol(
        "generation over an answer list", False, "The model picks from an answer list that is not the training answers."
    ),
    "token_recall": _Protocol(
        "open: token recall; closed: yes/no substring",
        False,
        "Open answers count the share of gold words found, closed ones any reply that contains the gold word.",
    ),
    "unpublished_rule": _Protocol("accuracy", False, "The rule that decides what is correct was not published."),
    "llm_judge": _Protocol(
        "zero-shot, judged by a language model", False, "A language model, not a rule, decided what is correct."
    ),
    "random_split": _Protocol(
        "accuracy on a random split",
        False,
        "Questions were split at random, so questions about the same images are in training and test.",
    ),
    "sbert": _Protocol(
        "sentence similarity", False, "Similarity of sentence embeddings is no share of correct answers."
    ),
    "daquar": _Protocol("accuracy or WUPS", False, "The sources do not say which of the DAQUAR splits was answered."),
}

_EVIDENCE = {
    "P": "read in the authors' own publication or repository",
    "S": "read in somebody else's table",
    "M": "not confirmed at its source",
}

_BOTH_LANGUAGES = "Measured on SLAKE in both languages, which is twice the questions and leaks images between splits."
_LEAKY_TRAINING = (
    "This line of work trains on the 3,064-row variant (inferred from its repositories), in which 284 rows "
    "rephrase test questions; a model trained without them has not seen those."
)
_SAME_TRAINING = (
    "Same questions; this line of work trains on the same 3,064 rows (inferred from its repositories), so its numbers "
    "and ours share the leak of 284 rephrased test questions."
)
_COPIES_DIFFER = "Copies of PathVQA differ in their questions, and the source does not say which was used."
_OTHER_NORMALISER = "Measured with the normaliser seed000, ours with another."

_ENGLISH = ("slake:en", "slake:all")  # results in both languages are listed to say why they do not compare
_TABLES = {"slake": _ENGLISH, "slake:en": _ENGLISH, "slake:both": ("slake:all",)}
_OTHER_TEST_ROWS = "Measured on the published 451 test rows; this version has other test rows."
_IMAGE_DISJOINT = "vqa_rad:image_disjoint"
_RANDOM = "vqa_rad:random"
_SAME_KIND = (
    "A fifth of all rows, drawn at random (inferred from its numbers): another draw than ours, the same kind of leak."
)
_LEAKY = "vqa_rad:mevf"  # the version that the published results were trained on
_ONE_VERSION = ("slake",)  # whose other versions have no published results


def rows_for(dataset_version: str, split: str, normaliser: str = SAME_NORMALISER) -> list[PublishedRow]:
    """Return what was published about a test set.

    Args:
        dataset_version: ``name:version``; other versions of the data set have other rows or none.
        split: only the test split has published results.
        normaliser: the normaliser of the number to compare with.
    """
    if split != "test":
        return []
    name = dataset_version.partition(":")[0]
    tables = _TABLES.get(dataset_version, () if name in _ONE_VERSION else (name,))
    return [_judged(row, dataset_version, normaliser) for row in _table() if row["dataset"] in tables]


def as_json(row: PublishedRow) -> dict[str, Any]:
    """Return a row as plain values, in the order of a table's columns."""
    return {name: getattr(row, name) for name in PublishedRow.__slots__}


def _judged(row: dict[str, str], dataset_version: str, normaliser: str) -> PublishedRow:
    protocol = _PROTOCOLS[row["protocol"]]
    objection = _objection(row, dataset_version, normaliser)
    same_kind = dataset_version == _RANDOM and row["protocol"] == "random_split"
    same = _SAME_TRAINING if dataset_version == _LEAKY and row["protocol"] == "classification" else protocol.why
    return PublishedRow(
        method=row["method"],
        subset=row["subset"],
        value_percent=float(row["value_percent"]),
        protocol=protocol.label,
        source=row["source"],
        evidence=_EVIDENCE[row["evidence"]],
        comparable=same_kind or (protocol.comparable and not objection),
        why=objection or (_SAME_KIND if same_kind else same),
    )


def _objection(row: dict[str, str], dataset_version: str, normaliser: str) -> str:
    """Return what the test set or its training data adds against a comparison; empty when nothing."""
    if row["dataset"] == "slake:all" and dataset_version != "slake:both":
        return _BOTH_LANGUAGES
    if row["protocol"].endswith("_seed000") and normaliser != SAME_NORMALISER:
        return _OTHER_NORMALISER
    if dataset_version == _IMAGE_DISJOINT or (dataset_version == _RANDOM and row["split"] == "test"):
        return _OTHER_TEST_ROWS
    if row["protocol"] != "classification":
        return ""
    if row["dataset"] == "vqa_rad" and dataset_version != _LEAKY:
        return _LEAKY_TRAINING
    if row["dataset"] == "path_vqa":
        return _COPIES_DIFFER
    return ""


@cache
def _table() -> tuple[dict[str, str], ...]:
    text = (resources.files("radvqa.scoring") / "published.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))

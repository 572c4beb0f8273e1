"""Which column of a file is which of ours: by our name, by a well-known other name, or as the user says."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from radvqa.errors import DataError, nearest
from radvqa.prediction import Prediction
from radvqa.prediction_files.values import spelled

OURS = tuple(field.name for field in fields(Prediction))

SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("qid", "question_id", "questionid", "sample_id", "doc_id", "uid", "index", "idx"),
    "question": ("query", "q", "question_text", "prompt"),
    "answer": (
        "gt",
        "gold",
        "gold_answer",
        "label",
        "reference",
        "reference_answer",
        "target",
        "ground_truth",
        "groundtruth",
        "gt_answer",
        "answer_gt",
        "correct_answer",
    ),
    "prediction": (
        "pred",
        "predicted",
        "pred_answer",
        "predicted_answer",
        "answer_pred",
        "response",
        "model_response",
        "output",
        "model_output",
        "model_answer",
        "generated",
        "generated_text",
        "generated_answer",
        "generation",
    ),
    "answer_type": ("answertype", "a_type", "type"),
    "question_type": ("content_type", "questiontype", "q_type", "qtype", "category"),
    "image": ("img_name", "image_name", "image_file", "image_path", "img_path", "img", "image_id", "img_id"),
    "case": ("case_id", "patient", "patient_id", "study", "study_id"),
    "organ": ("location", "image_organ", "body_part", "anatomy"),
    "modality": ("image_modality",),
    "language": ("lang", "q_lang"),
    "confidence": ("probability", "prob", "answer_probability"),
    "candidates": ("top_k", "topk"),
    "options": ("choices",),
    "answer_count": ("training_count",),
}
"""Other names of a column, best first."""

DESCRIBING = ("question_type", "image", "case", "organ", "modality", "language")
"""Columns that only slice and cluster: of several names the best is taken; elsewhere a choice changes the score."""

_MEANING = {other: ours for ours, others in SYNONYMS.items() for other in (ours, *others)}


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which of a file's columns are read.

    Attributes:
        theirs: our name → the file's.
        renamed: those of them that have another name in the file, and that the user did not name.
        unused: columns of the file that are not read.
    """

    theirs: dict[str, str]
    renamed: dict[str, str]
    unused: list[str]

    def notes(self) -> list[str]:
        """Return what belongs beside the score."""
        found = []
        if self.renamed:
            read = ", ".join(f"{theirs!r} as {ours}" for ours, theirs in self.renamed.items())
            found.append(f"Columns were read by meaning: {read}.")
        if self.unused:
            found.append(f"Columns that were not used: {listed(self.unused)}.")
        return found


def mapped(path: Path, found: Collection[str], said: Mapping[str, str]) -> Mapped:
    """Find our columns among those of a file.

    Args:
        path: the file, for error messages.
        found: the names of the file's columns.
        said: our name → the file's, as the user said; an empty name leaves a column unread.

    Raises:
        DataError: when the user named a column that neither side has, or two columns may be the same one of ours.
    """
    check_names(said)
    for ours, name in said.items():
        if name and name not in found:
            raise DataError(f"{path} has no column {name!r} to read as {ours}; {nearest(name, list(found))}")
    free = [name for name in found if name not in said.values() or name in OURS]
    theirs = {ours: name for ours, name in said.items() if name}
    renamed = {}
    for ours, names in by_meaning(free).items():
        if ours in said:
            continue
        if len(names) > 1 and ours != names[0] and ours not in DESCRIBING:
            raise DataError(
                f"{path}: the columns {' and '.join(map(repr, names))} may both be {ours}; "
                f"say which is with --columns {ours}={names[0]}."
            )
        theirs[ours] = names[0]
        if ours != names[0]:
            renamed[ours] = names[0]
    read = set(theirs.values())
    return Mapped(theirs, renamed, [name for name in found if name not in read])


def by_meaning(found: Iterable[str]) -> dict[str, list[str]]:
    """Return our name → the columns that may be it, best first."""
    meant: dict[str, list[str]] = {}
    for name in found:
        ours = name if name in OURS else _MEANING.get(_plain(name))
        if ours:
            meant.setdefault(ours, []).append(name)
    for ours, names in meant.items():
        order = (ours, *SYNONYMS.get(ours, ()))
        names.sort(key=lambda name: (name != ours, order.index(_plain(name)) if _plain(name) in order else -1))
    return meant


def described(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an object inside a row says of its question, under our names; of several names the best is taken.

    Such an object may mean something else by a name (``answer_type: float``); what does not fit is left out.
    """
    said = {ours: values[names[0]] for ours, names in by_meaning(values).items()}
    return {ours: said[ours] for ours, fits in _FITS.items() if ours in said and fits(said[ours])}


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


_FITS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("id", "question", "answer", *DESCRIBING), _is_text),
    "answer_type": lambda value: spelled(value) is not None,
    "options": lambda value: isinstance(value, list) and all(map(_is_text, value)),
}


def check_names(said: Mapping[str, str]) -> None:
    """Refuse names that are none of ours.

    Raises:
        DataError: for the first such name, with the nearest known one.
    """
    for ours in said:
        if ours not in OURS:
            raise DataError(f"--columns: {ours!r} is not a column of predictions; {nearest(ours, list(OURS))}")


def listed(names: Collection[str], most: int = 12) -> str:
    """Return names for a sentence, the first dozen and how many more; of a long name its beginning."""
    shown = ", ".join(" ".join(name[:60].split()) for name in list(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")

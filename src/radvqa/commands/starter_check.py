"""``radvqa starter check``: what the shipped model can, whom its gate lets through, and how sure it is; measured."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from radvqa import console, files
from radvqa.commands.starter_pictures import HOME, OTHER_HOSPITALS, SETS, Pictures, sampled
from radvqa.data import image, registry
from radvqa.errors import DataError, RadvqaError
from radvqa.prediction import Prediction, from_sample
from radvqa.sample import Sample

if TYPE_CHECKING:
    from radvqa.starter.model import Starter

ELSEWHERE = "vqa_rad"
"""Radiology with questions that the model was not trained on."""


def check_starter(
    *,
    pictures: int = 150,
    test: bool = False,
    out: Path | None = None,
    markdown: Path | None = None,
    card: Path | None = None,
    path: Path | None = None,
) -> dict[str, Any]:
    """Measure the starter model on the data sets below ``RADVQA_DATA``; those that are absent are left out, and named.

    Accuracy, coverage and calibration are those on SLAKE's validation questions, with which temperature and threshold
    were chosen, and on questions about pictures of VQA-RAD, which the model never saw. How much room the gate leaves
    was chosen on one half of the pictures of other data sets (by a checksum of their names); these are of the other.

    Args:
        pictures: how many of each data set the gate is tried on, at most.
        test: answer SLAKE's test questions too; needs ``out``, which must not exist, because that is done once.
        out: write everything as JSON.
        markdown: write the page ``docs/starter.md``.
        card: write the model's card.
        path: of the model; by default the one that comes with the package.

    Returns:
        ``about`` and ``limits`` of the model; ``answers`` and ``gate``, a row each; ``left_out``, names of absent data
        sets.

    Raises:
        RadvqaError: when SLAKE is absent, or the test questions were answered already.
    """
    from radvqa.starter.model import Starter

    if test and out is None:
        raise RadvqaError("The test split is answered once; name the file that keeps the result with --out.")
    if test and out is not None and out.exists():
        raise RadvqaError(f"{out} exists: the test split was answered already. Look there, or name another file.")
    starter = Starter.load(path)
    left_out: list[str] = []
    found = {
        "about": dict(starter.about),
        "limits": {
            "temperature": round(starter.confidence.temperature, 4),
            "threshold": round(starter.confidence.threshold, 4),
            "target": starter.confidence.target,
        },
        "answers": list(_answers(starter, pictures, test, left_out)),
        "gate": _gate(starter, pictures, left_out),
        "pictures_at_most": pictures,
        "left_out": list(dict.fromkeys(left_out)),
    }
    _write(found, out, markdown, card)
    return found


def _write(found: dict[str, Any], out: Path | None, markdown: Path | None, card: Path | None) -> None:
    from radvqa.report.starter import starter_card, starter_page

    if out is not None:
        files.write_json(out, found)
    if markdown is not None:
        files.write_text(markdown, starter_page(found))
    if card is not None:
        files.write_text(card, starter_card(found))


def _answers(starter: "Starter", pictures: int, test: bool, left_out: list[str]) -> Iterator[dict[str, Any]]:
    yield {"name": HOME, "split": "validate"} | measured(starter, registry.load_split(HOME, "validate"))
    if test:
        yield {"name": HOME, "split": "test"} | measured(starter, registry.load_split(HOME, "test"))
    try:
        samples = registry.load(ELSEWHERE)
        shown = set(sampled({sample.image_path for sample in samples}, pictures))
    except DataError as error:
        left_out.append(ELSEWHERE)
        console.say(f"left out: {error}")
        return
    yield {"name": ELSEWHERE, "split": "sample"} | measured(starter, [s for s in samples if s.image_path in shown])


def measured(starter: "Starter", samples: Sequence[Sample]) -> dict[str, Any]:
    """Answer questions and compare with the gold, by exact match of normalised answers.

    Returns:
        Of all questions: ``questions``, ``pictures``, ``accuracy`` of the best guess with its ``interval`` and ``ece``.
        Of those that the model answers: ``coverage``, ``answered_accuracy`` and ``answered_interval`` (null where it
        answers none). ``withheld`` counts the reasons: picture, question, confidence.
    """
    from radvqa.scoring.scorer import score

    of_picture: dict[Path, list[Sample]] = defaultdict(list)
    for sample in samples:
        of_picture[sample.image_path].append(sample)
    predictions: list[Prediction] = []
    answered: list[Prediction] = []
    withheld = {"picture": 0, "question": 0, "confidence": 0}
    with console.progress("answering", len(of_picture)) as advance:
        for place, asked in of_picture.items():
            pixels = image.decode(place)
            seen = starter.look(pixels)
            for sample in asked:
                said = starter.answer(pixels, sample.question)
                predictions.append(from_sample(sample, said.answer, confidence=said.confidence))
                if said.abstained is None:
                    answered.append(predictions[-1])
                elif not starter.pictures.passes(seen.pooled, seen.colour):
                    withheld["picture"] += 1
                elif not starter.questions.passes(sample.question):
                    withheld["question"] += 1
                else:
                    withheld["confidence"] += 1
            advance(1)
    everything = score(predictions, rules=())
    chosen = score(answered, rules=())["subsets"]["overall"] if answered else {}
    overall = everything["subsets"]["overall"]
    return {
        "questions": len(predictions),
        "pictures": len(of_picture),
        "accuracy": overall["accuracy"],
        "interval": overall["accuracy_interval"],
        "ece": everything["calibration"]["ece"],
        "coverage": round(len(answered) / len(predictions), 6),
        "answered_accuracy": chosen.get("accuracy"),
        "answered_interval": chosen.get("accuracy_interval"),
        "withheld": withheld,
    }


def _gate(starter: "Starter", pictures: int, left_out: list[str]) -> list[dict[str, Any]]:
    """Try the gate on every set; each row tells how often a picture is stranger than one of SLAKE's validation."""
    strange: dict[str, np.ndarray[Any, Any]] = {}
    kept: list[Pictures] = []
    for tried in SETS:
        try:
            strange[tried.name] = np.array(list(_strangeness(starter, tried, pictures)))
            kept.append(tried)
        except DataError as error:
            left_out.append(tried.name)
            console.say(f"left out: {error}")
    known, other = strange[SETS[0].name], [strange[p.name] for p in kept if p.name in OTHER_HOSPITALS]
    return [
        {
            "name": tried.name,
            "title": tried.title,
            "wanted": tried.wanted,
            "pictures": len(strange[tried.name]),
            "passed": round(float((strange[tried.name] <= 1).mean()), 6),
            "auroc_from_slake": auroc(known, strange[tried.name]),
            "auroc_from_others": auroc(np.concatenate(other), strange[tried.name])
            if other and not tried.wanted
            else None,
        }
        for tried in kept
    ]


def _strangeness(starter: "Starter", tried: Pictures, pictures: int) -> Iterator[float]:
    with console.progress(f"the gate, {tried.name}", pictures) as advance:
        for pixels in tried.read(pictures):
            seen = starter.look(pixels)
            yield starter.pictures.strangeness(seen.pooled, seen.colour)
            advance(1)


def auroc(known: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Return how often a picture of the other kind is stranger than a known one; equal ones count one half.

    Source: J. A. Hanley, B. J. McNeil, The Meaning and Use of the Area under a ROC Curve, Radiology 143, 1982.
    """
    from scipy.stats import mannwhitneyu

    return round(float(mannwhitneyu(other, known).statistic) / (len(known) * len(other)), 6)

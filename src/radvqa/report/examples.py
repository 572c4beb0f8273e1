"""The example pictures of a run with what was asked, the truth, and what everyone answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from radvqa import files
from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.report.judged import is_right
from radvqa.report.scored import Scored, groups
from radvqa.report.tables import baseline_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 12
_SIDE = 448  # pixels; enough for a card, and the page stays light
_PIXELS = 30_000_000
_BASELINES = ("question_lookup", "question_metadata_lookup")


@dataclass(frozen=True)
class Answered:
    """One answer to an example.

    Attributes:
        who: run or baseline; seeds of one recipe that answer alike are one answer.
        answer: as given.
        right: as the accuracy judges it; None where the truth is not known.
        confidence: probability that the model gave it, when it gave one; the mean over seeds.
        trivial: whether it is a baseline's.
    """

    who: str
    answer: str
    right: bool | None
    confidence: float | None = None
    trivial: bool = False


@dataclass(frozen=True)
class Example:
    """A question about an example picture and the answers to it.

    Attributes:
        picture: the picture as PNG.
        asked: the question with its gold answer.
        answers: of the runs, then of the baselines.
    """

    picture: bytes
    asked: Prediction
    answers: tuple[Answered, ...]


def examples(runs: Sequence[Scored], most: int = MOST) -> list[Example]:
    """Gather examples of runs that were scored on the same questions; without example pictures there are none.

    Raises:
        DataError: when the list of examples names anything but a file beside it, or a picture cannot be decoded.
    """
    found: list[Example] = []
    for run in runs:
        known = {example.asked.id for example in found}
        for sample, path in _listed(run).items():
            if len(found) < most and sample not in known and sample in run.predictions:
                found.append(_example(sample, path, runs, run))
    return found


def _listed(run: Scored) -> dict[str, Path]:
    return {} if run.run is None else listed_files(run.run.examples / "examples.json")


def listed_files(path: Path) -> dict[str, Path]:
    """Read a list of files that lie beside it: name → path; empty when there is no list.

    Raises:
        DataError: when it is not a JSON object, or names anything but a file beside it.
    """
    if not path.is_file():
        return {}
    listed = files.read_json(path)
    if not isinstance(listed, dict):
        raise DataError(f"{path} is not a JSON object.")
    for name in listed.values():
        # A report is passed on; a list made by somebody else must not pull other files of this machine into it.
        if not isinstance(name, str) or Path(name).name != name or (path.parent / name).is_symlink():
            raise DataError(f"{path} names {name!r}, which is not a file beside it.")
    return {str(key): path.parent / name for key, name in listed.items()}


def _example(sample: str, path: Path, runs: Sequence[Scored], owner: Scored) -> Example:
    asked, rule = owner.predictions[sample], owner.scores["normaliser"]
    answers = []
    for group in groups(runs):
        given = [run.predictions[sample] for run in group.runs if sample in run.predictions]
        for answer in dict.fromkeys(p.prediction for p in given):
            alike = [p for p in given if p.prediction == answer]
            known = [p.confidence for p in alike if p.confidence is not None]
            who = group.label if len(group.runs) == 1 else f"{group.label}, {len(alike)} of {len(group.runs)} seeds"
            confidence = fmean(known) if known else None
            answers.append(Answered(who, answer, is_right(asked, answer, rule), confidence))
    for name in _BASELINES:
        text = owner.baselines.get(name, {}).get(sample)
        if text is not None:
            answers.append(Answered(baseline_name(name), text, is_right(asked, text, rule), trivial=True))
    return Example(_picture(path), asked, tuple(answers))


def _picture(path: Path) -> bytes:
    from radvqa.data.image import decode

    return small_png(decode(path, max_pixels=_PIXELS))


def small_png(pixels: "NDArray[np.uint8]") -> bytes:
    """Make a picture small enough for a page, as PNG."""
    from radvqa.data.image import encode_png, resize

    height, width = pixels.shape[:2]
    shrink = min(1.0, _SIDE / max(height, width))
    return encode_png(resize(pixels, max(1, round(shrink * width)), max(1, round(shrink * height))))

"""A model and a split in, what every probe found out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from radvqa import console, files
from radvqa.answering import answer_prepared
from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError, nearest
from radvqa.models.family import VqaModel
from radvqa.prediction import Prediction
from radvqa.probing.measure import accuracy_of, measure
from radvqa.probing.pictures import PictureFolder
from radvqa.probing.probe import BLIND, PROBES, Context, ProbedSample, in_order, seed_of
from radvqa.sample import Sample
from radvqa.scoring.statistics import RESAMPLES
from radvqa.scoring.twins import score_twins
from radvqa.text import NORMALISERS, normaliser_for

FORMAT = 1


@dataclass(frozen=True)
class Probed:
    """What probing found.

    Attributes:
        result: plain values; see ``probe_model``.
        answers: the answers to each probe's samples, by name of the probe. They carry the changed question and its
            gold answer, and the name of the original picture, so that clusters stay what they are.
    """

    result: dict[str, Any]
    answers: dict[str, list[Prediction]]


def probe_model(
    model: VqaModel,
    split: Sequence[Sample],
    *,
    only: Sequence[str] | None = None,
    limit: int | None = None,
    problems: Problems | None = None,
) -> Probed:
    """Ask a model a split as it is, and again after every probe.

    Args:
        model: the model.
        split: all samples of one split of one data set.
        only: names of the probes to ask; all by default.
        limit: ask about this many images only, drawn by their names; pairs of twins are then often parted.
        problems: where unusable pictures are reported; by default the first one raises.

    Returns:
        ``result`` with ``format``, ``dataset``, ``split``, ``normaliser``, ``questions``, ``images`` asked about;
        ``original`` (``accuracy`` and ``interval``); ``probes``, each with ``name``, ``title``, ``changes``, ``kind``,
        ``group`` and what ``measure`` found; ``twins`` as ``score_twins`` describes them; and ``looks_at_image``:
        whether the accuracy without a picture (blank, noise, mean) and with one of another organ is significantly
        lower than with the right ones, None when none of these was asked or has an interval.

    Raises:
        RadvqaError: when a probe is unknown, there are no samples, or ``limit`` is not positive.
        DataError: when a picture cannot be used.
    """
    names, asked = _names(only), _part(split, limit)
    problems = problems or Problems()
    normaliser_name = normaliser_for(sample.language for sample in asked)
    normaliser = NORMALISERS[normaliser_name]
    prepared = model.prepare(asked, problems)
    before, _ = answer_prepared(model, prepared)
    usable: Sequence[Sample] = prepared.samples
    unusable = {sample.id for sample in asked} - {sample.id for sample in usable}
    pool = [sample for sample in split if sample.id not in unusable]
    place = _folder(usable[0])
    found, answers = [], {}
    for number, name in enumerate(names, start=1):
        probe = PROBES[name]
        console.say(f"probe {number} of {len(names)}: {probe.title.lower()}")
        probed = probe.apply(usable, Context(pool, normaliser, PictureFolder(place / name)))
        answers[name] = _ask(model, probed, usable, problems)
        injected = {one.sample.id: one.injected for one in probed if one.injected}
        about = {"name": name, "title": probe.title, "changes": probe.changes, "kind": probe.kind, "group": probe.group}
        found.append(about | measure(before, answers[name], injected, normaliser))
    result = {
        "format": FORMAT,
        "dataset": usable[0].dataset,
        "split": usable[0].split,
        "normaliser": normaliser_name,
        "questions": len(usable),
        "images": len({sample.image for sample in usable}),
        "limit": limit,
        "original": accuracy_of(before, normaliser),
        "probes": found,
        "twins": score_twins(before, normaliser, resamples=RESAMPLES, seed=0),
        "looks_at_image": _looks(found),
    }
    return Probed(result, answers)


def _names(only: Sequence[str] | None) -> list[str]:
    known = in_order()
    for name in only or ():
        if name not in known:
            raise RadvqaError(f"There is no probe {name!r}; {nearest(name, known)}")
    return [name for name in known if only is None or name in only]


def _part(split: Sequence[Sample], limit: int | None) -> list[Sample]:
    """Draw images by their names alone, so that the same ones are asked of every run."""
    if not split:
        raise RadvqaError("There are no samples to probe.")
    if limit is None:
        return list(split)
    if limit < 1:
        raise RadvqaError(f"The number of images to probe must be at least 1, found {limit}.")
    images = sorted({sample.image for sample in split}, key=lambda name: seed_of("limit", name))
    chosen = set(images[:limit])
    return [sample for sample in split if sample.image in chosen]


def _folder(sample: Sample) -> Path:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{sample.dataset}-{sample.split}")
    return files.cache_folder() / "probes" / name


def _ask(
    model: VqaModel, probed: Sequence[ProbedSample], originals: Sequence[Sample], problems: Problems
) -> list[Prediction]:
    if not probed:
        return []
    shown = {sample.id: sample.image for sample in originals}
    answers, _ = answer_prepared(model, model.prepare([one.sample for one in probed], problems))
    return [replace(answer, image=shown[answer.id]) for answer in answers]


def _looks(found: Sequence[dict[str, Any]]) -> bool | None:
    """One of these alone says little: a blank picture may do harm because no picture of training is like it."""
    lows = [probe["drop_interval"][0] for probe in found if probe["name"] in BLIND and probe["drop_interval"]]
    return all(low > 0 for low in lows) if lows else None

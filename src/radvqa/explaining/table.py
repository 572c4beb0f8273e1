"""All methods on a whole test set: maps, their evidence, and where chance stands; goes on where it was stopped."""

import base64
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radvqa import console, files
from radvqa.data import image
from radvqa.errors import RadvqaError, RunError
from radvqa.explaining.evidence import kept
from radvqa.explaining.evidence.baselines import BASELINES
from radvqa.explaining.evidence.body import body, letters, share_in
from radvqa.explaining.evidence.faithfulness import deletion, insertion
from radvqa.explaining.evidence.kept import SIDE, KeptMaps, Measured
from radvqa.explaining.evidence.localisation import Place, localised
from radvqa.explaining.evidence.sanity import SAME, alike, made_random
from radvqa.explaining.evidence.target import target
from radvqa.explaining.heat import Heat, is_flat
from radvqa.explaining.inside.opening import asked_differently, opened
from radvqa.explaining.methods import METHODS, Wishes
from radvqa.explaining.session import Session
from radvqa.models.family import VqaModel
from radvqa.sample import Region, Sample

TOLERANCE = 0.02
"""Of the longer side: so far from the place the pointing game still counts a hit (15 pixels of 224 in its paper)."""

_PROOF_STEPS = 8
_FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        methods: names.
        wishes: of the methods.
        faithful: on so many questions, drawn by the seed, deletion and insertion are measured too.
        sane: on so many of these the weights are made random and the question is changed.
        seed: of the draw.
    """

    methods: tuple[str, ...]
    wishes: Wishes = field(default_factory=Wishes)
    faithful: int = 24
    sane: int = 12
    seed: int = 0


class Explained:
    """What was measured so far, question by question, in a folder of the run.

    Args:
        folder: ``explained{suffix}`` of a run.
        about: everything that decides what is measured; a folder about something else is refused.

    Raises:
        RunError: when the folder holds measurements of other weights or another plan.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder = folder
        self.log = files.Log(folder / "progress.log")
        lines = list(self.log.rows())
        if not lines:
            self.log.add([{"format": _FORMAT, "about": dict(about)}])
        elif lines[0].get("about") != dict(about):
            raise RunError(
                f"{folder} was begun with other weights, methods or numbers of questions; go on with the same ones, or "
                f"delete the folder to begin anew."
            )
        self.rows: list[dict[str, Any]] = [row for line in lines[1:] for row in line["rows"]]

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep what was measured of one question, in one line: a kill loses the whole question or nothing of it."""
        self.log.add([{"rows": list(rows)}])
        self.rows.extend(map(dict, rows))


def measure(
    model: VqaModel,
    family: str,
    samples: Sequence[Sample],
    regions: Mapping[str, Sequence[Region]],
    plan: Plan,
    explained: Explained,
) -> None:
    """Measure every question that is not measured yet.

    Args:
        model: trained, in evaluation mode.
        family: its name.
        samples: of one data set.
        regions: of each picture, by its name.
        plan: what is measured.
        explained: where it is kept.
    """
    done = {row["id"] for row in explained.rows}
    order = list(range(len(samples)))
    random.Random(plan.seed).shuffle(order)
    with_place = [row for row in order if _place_of(samples[row], regions, 64, 64) is not None]
    drawn = (with_place + [row for row in order if row not in set(with_place)])[: plan.faithful]
    proved, checked = {samples[row].id for row in drawn}, {samples[row].id for row in drawn[: plan.sane]}
    left = [sample for sample in samples if sample.id not in done]
    by_picture = sorted(left, key=lambda sample: sample.image)
    with console.progress("explaining", len(samples)) as advance:
        advance(len(samples) - len(left))
        pixels: NDArray[np.uint8] | None = None
        name = ""
        parts: tuple[Place, Place]
        for sample in by_picture:
            if pixels is None or sample.image != name:
                pixels, name = image.decode(sample.image_path), sample.image
                parts = (body(pixels), letters(pixels))
            one = _Question(model, family, sample, pixels, _place_of(sample, regions, *pixels.shape[:2]), parts, plan)
            explained.add(list(one.rows(proved=sample.id in proved, checked=sample.id in checked)))
            advance(1)


def _place_of(sample: Sample, regions: Mapping[str, Sequence[Region]], rows: int, columns: int) -> Place | None:
    return target(sample.question, sample.answer, regions.get(sample.image, ()), rows, columns)


class _Question:
    """One question, measured by all methods and baselines."""

    def __init__(
        self,
        model: VqaModel,
        family: str,
        sample: Sample,
        picture: NDArray[np.uint8],
        place: Place | None,
        parts: tuple[Place, Place],
        plan: Plan,
    ) -> None:
        self.model, self.family, self.sample, self.picture = model, family, sample, picture
        self.place, self.plan = place, plan
        self.body, self.letters = parts
        self.session = Session(opened(model, family, sample), picture)

    def rows(self, *, proved: bool, checked: bool) -> Iterator[dict[str, Any]]:
        """A row for each method and baseline."""
        heats = self._heats(self.session)
        others = self._others(checked)
        for name, heat in heats.items():
            row = self._row(name, heat, proved=proved)
            for check, other in others.items():
                if name in other:
                    row[check] = round(alike(heat, other[name]), 6)
            yield row
        for name, of in BASELINES.items():
            yield self._row(f"baseline:{name}", of(self.picture, self.sample.id), proved=proved)

    def _heats(self, session: Session) -> dict[str, Heat]:
        """Maps of all methods; first those that differentiate, whose one pass serves the others too."""
        names = sorted(self.plan.methods, key=lambda name: name not in ("relevancy", "grad-cam", "layer-cam"))
        found = {}
        for name in names:
            try:
                found[name] = METHODS[name].run(session, self.plan.wishes).heat
            except RadvqaError:
                continue  # the summary counts how many questions each method has a map of
        return found

    def _others(self, checked: bool) -> dict[str, dict[str, Heat]]:
        """Maps of the same answer by a model with random weights, and for another question."""
        if not checked:
            return {}
        found = {}
        for check, share in (("half_random", 0.5), ("all_random", 1.0)):
            with made_random(self.model.module, share, self.plan.seed):
                found[check] = self._heats(Session(self.session.opened, self.picture))
        question = other_question(self.sample.question)
        asked = asked_differently(self.model, self.family, self.sample, question, self.session.said)
        found["other_question"] = self._heats(Session(asked, self.picture))
        return found

    def _row(self, name: str, heat: Heat, *, proved: bool) -> dict[str, Any]:
        numbers: dict[str, float] = {}
        if self.place is not None:
            near = round(TOLERANCE * max(heat.shape))
            against = localised(heat, self.place, tolerance=near)
            numbers |= against.as_json() if against is not None else {}
        if proved:
            numbers["deletion"] = deletion(self.picture, heat, self.session.scores, _PROOF_STEPS).area
            numbers["insertion"] = insertion(self.picture, heat, self.session.scores, _PROOF_STEPS).area
        numbers["outside_body"] = 1 - share_in(heat, self.body)
        numbers["on_text"] = share_in(heat, self.letters)
        return {
            "id": self.sample.id,
            "method": name,
            "flat": is_flat(heat),
            **{key: round(float(value), 6) for key, value in numbers.items()},
            **({} if name.startswith("baseline:") else {"map": packed(heat)}),
        }


_OPPOSITE = (("left", "right"), ("right", "left"))


def other_question(question: str) -> str:
    """Ask about the other side where a question names one, and about the kind of picture where it names none."""
    words = question.split()
    for one, other in _OPPOSITE:
        if any(word.lower().strip("?,.") == one for word in words):
            return " ".join(word.lower().replace(one, other) if one in word.lower() else word for word in words)
    asks = "What modality is used to take this image?"
    return asks if question.strip() != asks else "Which organ is shown?"


def packed(heat: Heat) -> str:
    """A map on a grid of ``SIDE`` cells along each side, scaled to 1, in half precision and base64."""
    rows = np.array_split(heat.astype(np.float64), min(SIDE, heat.shape[0]), 0)
    cells = [[part.mean() for part in np.array_split(row, min(SIDE, heat.shape[1]), 1)] for row in rows]
    small = np.array(cells)
    grid = np.zeros((SIDE, SIDE))
    grid[: small.shape[0], : small.shape[1]] = small / max(small.max(), 1e-12)
    return base64.b64encode(grid.astype("<f2").tobytes()).decode()


def unpacked(text: str) -> NDArray[np.float16]:
    """Undo ``packed``, ``(SIDE, SIDE)``."""
    return np.frombuffer(base64.b64decode(text), "<f2").reshape(SIDE, SIDE).astype(np.float16)


def keep(explained: Explained) -> list[str]:
    """Write the tables of all methods; returns their names."""
    names = []
    fields = set(asdict(Measured(id="")))
    for name in METHODS:
        rows = [row for row in explained.rows if row["method"] == name]
        if rows:
            measured = [Measured(**{key: value for key, value in row.items() if key in fields}) for row in rows]
            maps = np.stack([unpacked(row["map"]) for row in rows])
            kept.write(explained.folder, KeptMaps(name, measured, maps))
            names.append(name)
    return names


def flagged(checks: Mapping[str, float | None]) -> list[str]:
    """Sentences about checks that a method fails; each check is a mean rank correlation with the true map."""
    said = []
    weights, question = checks.get("all_random"), checks.get("other_question")
    if weights is not None and weights > SAME:
        said.append("stays the same when the model's weights are random")
    if question is not None and question > SAME:
        said.append("stays the same when another question is asked")
    return said

"""The ways in which a test is cut into groups; adding one is adding an entry."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radvqa.diagnosing.material import Material
from radvqa.diagnosing.quality import Quality
from radvqa.diagnosing.template import beginning
from radvqa.diagnosing.thirds import thirds
from radvqa.explaining.evidence.kept import Measured
from radvqa.prediction import Prediction
from radvqa.scoring.slices import slice_rows

Labels = Sequence[str]
"""Label of each question; empty where the dimension knows nothing about it."""


@dataclass(frozen=True)
class Dimension:
    """One way to cut.

    Attributes:
        title: how tables name it.
        labels: what it says of each question.
    """

    title: str
    labels: Callable[[Material], Labels]


def _scored(dimension: str) -> Callable[[Material], Labels]:
    """A cut that the scores have too."""

    def labels(material: Material) -> Labels:
        found = [""] * len(material)
        for label, rows in slice_rows(material.predictions, material.golds).get(dimension, {}).items():
            for row in rows:
                found[row] = label
        return found

    return labels


def _of_prediction(label: Callable[[Prediction], str]) -> Callable[[Material], Labels]:
    return lambda material: [label(p) for p in material.predictions]


def _gold(material: Material) -> Labels:
    """The gold answer, where the data say that it is one of few."""
    return [
        gold if p.answer_type == "CLOSED" else "" for gold, p in zip(material.golds, material.predictions, strict=True)
    ]


def _here(material: Material) -> Labels:
    """How often the test itself has the gold answer, for runs that do not know how often training has it."""
    if any(p.answer_count is not None for p in material.predictions):
        return [""] * len(material)
    many = Counter(material.golds)
    return [
        "once" if many[gold] == 1 else "2 to 9 times" if many[gold] < 10 else "10 times or more"
        for gold in material.golds
    ]


def _look(material: Material) -> Labels:
    return [material.look.get(p.image, "") for p in material.predictions]


def _of_picture(measure: Callable[[Quality], float], written: Callable[[float], str]) -> Callable[[Material], Labels]:
    """Thirds of a measure over the distinct pictures."""

    def labels(material: Material) -> Labels:
        shown = {p.image for p in material.predictions}
        named = thirds({name: measure(q) for name, q in material.quality.items() if name in shown}, written)
        return [named.get(p.image, "") for p in material.predictions]

    return labels


def _picture_has(label: Callable[[Quality], str]) -> Callable[[Material], Labels]:
    return lambda material: [label(q) if (q := material.quality.get(p.image)) else "" for p in material.predictions]


def _of_map(label: Callable[[Measured], str]) -> Callable[[Material], Labels]:
    return lambda material: [label(m) if (m := material.maps.get(p.id)) else "" for p in material.predictions]


def _share(value: float | None, low: float, high: float) -> str:
    """Name how large a share is, in three parts."""
    if value is None:
        return ""
    if value < low:
        return f"less than {100 * low:.0f} %"
    return f"{100 * low:.0f} to {100 * high:.0f} %" if value < high else f"{100 * high:.0f} % or more"


def _target(measured: Measured) -> str:
    return "" if measured.hit is None else "its peak on target" if measured.hit >= 0.5 else "its peak off target"


def _aspect(quality: Quality) -> str:
    ratio = quality.width / quality.height
    return "square" if 0.95 <= ratio <= 1.05 else "wide" if ratio > 1 else "tall"


def _two(value: float) -> str:
    return f"{value:.2f}"


DIMENSIONS: dict[str, Dimension] = {
    "question_type": Dimension("Question type", _scored("question_type")),
    "answer_type": Dimension("Answer type", _scored("answer_type")),
    "organ": Dimension("Organ", _scored("organ")),
    "modality": Dimension("Modality", _scored("modality")),
    "language": Dimension("Language", _scored("language")),
    "template": Dimension("Question template", lambda material: material.templates),
    "beginning": Dimension("Question begins", _of_prediction(lambda p: beginning(p.question))),
    "question_seen": Dimension("Question in training", _scored("question_seen")),
    "gold": Dimension("Closed question, gold answer", _gold),
    "answer_frequency": Dimension("Gold answer in training", _scored("answer_frequency")),
    "answer_here": Dimension("Gold answer in this test", _here),
    "answer_length": Dimension("Length of the gold answer", _scored("answer_length")),
    "look": Dimension("Pictures that look alike", _look),
    "contrast": Dimension("Contrast", _of_picture(lambda q: q.contrast, _two)),
    "sharpness": Dimension("Sharpness", _of_picture(lambda q: q.sharpness, _two)),
    "size": Dimension(
        "Shorter side of the picture", _of_picture(lambda q: min(q.width, q.height), lambda v: f"{v:.0f} px")
    ),
    "aspect": Dimension("Shape of the picture", _picture_has(_aspect)),
    "text": Dimension("Burned-in text", _picture_has(lambda q: "found" if q.text else "none found")),
    "marker": Dimension("Marker near the border", _picture_has(lambda q: "found" if q.markers else "none found")),
    "border": Dimension("Margins around the picture", _picture_has(lambda q: _share(q.border, 0.01, 1 / 3))),
    "target": Dimension("Map of the answer", _of_map(_target)),
    "outside_body": Dimension("Share of the map outside the body", _of_map(lambda m: _share(m.outside_body, 0.1, 0.3))),
    "on_text": Dimension("Share of the map on letters and markers", _of_map(lambda m: _share(m.on_text, 0.01, 0.05))),
}
"""Every dimension by name, the plainest first: of two groups with the same questions the earlier one is kept."""

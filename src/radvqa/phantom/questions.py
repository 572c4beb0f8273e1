"""What can be asked of a picture: every question that has a clear answer, by topic, in several wordings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from radvqa.phantom import knowledge
from radvqa.phantom.facts import Facts, FindingFacts
from radvqa.phantom.findings import SITES, ZONES, side_of
from radvqa.sample import AnswerType


@dataclass(frozen=True)
class Question:
    """A question of one topic about one picture.

    Attributes:
        topic: what is asked; equal topics have equal wordings.
        type: SLAKE's content type.
        answer_type: ``OPEN`` or ``CLOSED``.
        texts: its wordings.
        answer: the answer.
        setting: modality and region where the answer must be balanced within them, else empty.
    """

    topic: str
    type: str
    answer_type: AnswerType
    texts: tuple[str, ...]
    answer: str
    setting: str = ""


_MODALITIES: Final = {"CT": ("a", "CT scan"), "MRI": ("an", "MRI"), "X-Ray": ("an", "X-Ray")}
_REGIONS: Final = ("Head", "Chest", "Abdomen")
_ASKED_ORGANS: Final = (
    "Liver",
    "Heart",
    "Lung",
    "Kidney",
    "Spleen",
    "Brain",
    "Stomach",
    "Bladder",
    "Spine",
    "Cerebellum",
)
_HALF_SEEN: Final[Mapping[str, Sequence[str]]] = {
    "X-Ray Head": ("Brain", "Cerebellum"),
    "X-Ray Chest": ("Liver", "Stomach", "Spleen", "Kidney"),
    "X-Ray Abdomen": ("Lung",),
}
"""Organs that the beam goes through without showing them well: nobody could say whether they are seen."""


def ask(facts: Facts) -> Iterator[Question]:
    """Yield every question that has a clear answer for a picture."""
    yield from _about_picture(facts)
    yield from _about_organs(facts)
    yield from _about_presence(facts)
    if facts.found:
        yield from _about_findings(facts)
    if len({finding.organ for finding in facts.found}) == 1 and facts.plane != "Sagittal plane":
        yield from _about_place(facts, facts.found[0].organ)
    if len(facts.found) == 1:
        yield from _about_the_finding(facts, facts.found[0])
    if len(facts.found) >= 2:
        yield from _about_larger(facts)


def _yes(true: bool) -> str:
    return "Yes" if true else "No"


def _closed(topic: str, kind: str, true: bool, *texts: str, setting: str = "") -> Question:
    return Question(topic, kind, "CLOSED", texts, _yes(true), setting)


def _about_picture(facts: Facts) -> Iterator[Question]:
    yield Question(
        "modality",
        "Modality",
        "OPEN",
        (
            "What modality is used to take this image?",
            "Which imaging modality was used here?",
            "How was this image acquired?",
        ),
        facts.modality,
    )
    for name, (article, noun) in _MODALITIES.items():
        yield _closed(
            f"modality:{name}",
            "Modality",
            facts.modality == name,
            f"Is this {article} {noun}?",
            f"Was this image taken with {article} {noun}?",
        )
    if facts.modality == "MRI":
        yield Question(
            f"weighting:{facts.region == 'Head'}",
            "Modality",
            "OPEN",
            ("What is the MRI weighting of this head image?", "Which MRI sequence shows this brain?")
            if facts.region == "Head"
            else ("What is the MRI weighting of this body image?", "Which MRI sequence shows this trunk?"),
            facts.contrast,
        )
        yield _closed(
            "t2", "Modality", facts.contrast == "T2", "Is this a T2 weighted image?", "Is the MRI weighting T2?"
        )
    yield Question(
        "plane",
        "Plane",
        "OPEN",
        ("What is the scanning plane of this image?", "In which plane was this image taken?"),
        facts.plane,
    )
    for name in ("Transverse", "Coronal", "Sagittal"):
        yield _closed(
            f"plane:{name}",
            "Plane",
            facts.plane.startswith(name),
            f"Is this a {name.lower()} plane?",
            f"Was this image taken in the {name.lower()} plane?",
        )
    yield _closed(
        "radiation",
        "KG",
        facts.modality != "MRI",
        "Does this imaging method expose the patient to ionizing radiation?",
        "Are X-rays needed to make this kind of image?",
    )
    yield _closed(
        "magnet",
        "KG",
        facts.modality == "MRI",
        "Could a metal implant be dangerous in the machine that made this image?",
        "Does this imaging method need a strong magnet?",
    )


def _about_organs(facts: Facts) -> Iterator[Question]:
    yield Question(
        "region",
        "Organ",
        "OPEN",
        (
            "Which part of the body is shown in this image?",
            "What part of the body does this image belong to?",
            "What body region was imaged?",
        ),
        facts.region,
    )
    for region in _REGIONS:
        yield _closed(
            f"region:{region}",
            "Organ",
            facts.region == region,
            f"Is this an image of the {region.lower()}?",
            f"Does this image show the {region.lower()}?",
        )
    visible = {name.split(" ")[-1].capitalize() for name, _ in facts.organs}
    for organ in _ASKED_ORGANS:
        if (organ == "Spine" and facts.region != "Head") or organ in _HALF_SEEN.get(_setting(facts), ()):
            continue
        yield _closed(
            f"organ:{organ}",
            "Organ",
            organ in visible,
            f"Does the image contain the {organ.lower()}?",
            f"Can the {organ.lower()} be seen in this image?",
        )
    if facts.region == "Abdomen" and facts.modality != "X-Ray":
        kidneys = sum(name.endswith("kidney") for name, _ in facts.organs)
        yield Question(
            "kidneys",
            "Quantity",
            "OPEN",
            ("How many kidneys are there in this image?", "How many kidneys can be seen?"),
            str(kidneys),
        )
    if facts.region == "Chest" and facts.modality == "X-Ray":
        yield _closed(
            "heart size",
            "Size",
            facts.enlarged,
            "Is the heart enlarged?",
            "Is there cardiomegaly?",
            "Is the heart larger than normal?",
        )


def _setting(facts: Facts) -> str:
    return f"{facts.modality} {facts.region}"


def _about_presence(facts: Facts) -> Iterator[Question]:
    here = _setting(facts)
    kinds = {finding.kind for finding in facts.found}
    yield _closed(
        "abnormal",
        "Abnormality",
        bool(facts.found),
        "Is there any abnormality in this image?",
        "Does the patient have a lesion?",
        "Are there abnormalities in this image?",
        setting=here,
    )
    yield _closed(
        "normal",
        "Abnormality",
        not facts.found,
        "Does the picture look normal?",
        "Is this a healthy patient?",
        setting=here,
    )
    for kind in SITES[facts.modality, facts.region]:
        name = kind.lower()
        article = "an" if name[0] in "aeiou" else "a"
        yield _closed(
            f"has:{kind}",
            "Abnormality",
            kind in kinds,
            f"Is there {article} {name} in this image?",
            f"Does the patient have {article} {name}?",
            setting=here,
        )
    for organ in _possible_organs(facts):
        yield _closed(
            f"ill:{organ}",
            "Position",
            any(finding.organ == organ for finding in facts.found),
            f"Is there a lesion in the {organ.lower()}?",
            f"Is the {organ.lower()} abnormal?",
            setting=here,
        )
    yield Question(
        "count",
        "Quantity",
        "OPEN",
        (
            "How many lesions are there in this image?",
            "How many abnormalities can be seen?",
            "What is the number of lesions?",
        ),
        str(len(facts.found)),
        here,
    )
    yield _closed(
        "several",
        "Quantity",
        len(facts.found) > 1,
        "Is there more than one lesion?",
        "Are there several lesions?",
        setting=here,
    )


def _possible_organs(facts: Facts) -> list[str]:
    """Return the organs that may have a finding in such a picture and can be told apart in it, without repeats."""
    if facts.plane == "Sagittal plane":  # which half of the brain a midline slice shows, nobody can see
        return []
    seen = {name for name, _ in facts.organs}
    organs = [organ for some in SITES[facts.modality, facts.region].values() for organ in some]
    return [organ for organ in dict.fromkeys(organs) if organ in seen or organ.endswith("skull")]


def _about_findings(facts: Facts) -> Iterator[Question]:
    here = _setting(facts)
    kinds = {finding.kind for finding in facts.found}
    if len(kinds) == 1:
        kind = next(iter(kinds))
        yield Question(
            f"kind:{facts.region}",
            "Abnormality",
            "OPEN",
            (
                f"What kind of abnormality is shown in this {facts.region.lower()} image?",
                f"What is wrong with this patient's {facts.region.lower()}?",
            ),
            kind,
            here,
        )
        yield Question(
            "cause",
            "KG",
            "OPEN",
            ("What is a common cause of the abnormality in this image?", "What may have led to the lesion shown?"),
            knowledge.CAUSES[kind],
        )
        if kind in knowledge.FLUID | knowledge.SOLID:
            yield _closed(
                "fluid",
                "KG",
                kind in knowledge.FLUID,
                "Does the abnormality consist of fluid?",
                "Is the lesion filled with fluid?",
            )
    tissues = {finding.organ.split(" ")[-1].lower() for finding in facts.found}
    if len(tissues) == 1:
        tissue = next(iter(tissues))
        yield Question(
            "function",
            "KG",
            "OPEN",
            ("What is the main function of the abnormal organ?", "What does the organ with the lesion do?"),
            knowledge.FUNCTIONS[tissue],
        )
        yield Question(
            "system",
            "KG",
            "OPEN",
            ("Which organ system does the abnormal organ belong to?", "The lesion affects which system of the body?"),
            knowledge.SYSTEMS[tissue],
        )


def _about_place(facts: Facts, organ: str) -> Iterator[Question]:
    here = _setting(facts)
    yield Question(
        f"where:{facts.region}",
        "Position",
        "OPEN",
        (
            f"Where is the abnormality in this {facts.region.lower()} image?",
            f"Which organ of the {facts.region.lower()} is abnormal?",
        ),
        organ,
        here,
    )
    side = side_of(organ)
    if side:
        yield Question(
            "side",
            "Position",
            "CLOSED",
            (
                "Is the abnormality on the left or the right side of the body?",
                "Which side of the patient is abnormal, left or right?",
            ),
            side,
            here,
        )
        yield _closed(
            "side:left",
            "Position",
            side == "Left",
            "Is the lesion on the left side of the patient?",
            "Is the left side of the body abnormal?",
            setting=here,
        )


def _quadrant(finding: FindingFacts) -> str:
    """Return the part of the picture that a finding lies in; empty when it lies near the middle."""
    x, y = finding.centre
    if abs(x - 128) < 14 or abs(y - 128) < 14:
        return ""
    return f"{'Upper' if y < 128 else 'Lower'} {'left' if x < 128 else 'right'}"


def _about_the_finding(facts: Facts, finding: FindingFacts) -> Iterator[Question]:
    here = _setting(facts)
    part = _quadrant(finding)
    if part:
        yield Question(
            "quadrant",
            "Position",
            "OPEN",
            ("In which part of the picture is the lesion?", "In which quadrant of the image is the abnormality?"),
            part,
            here,
        )
        yield _closed(
            "upper",
            "Position",
            part.startswith("Upper"),
            "Is the lesion in the upper half of the picture?",
            "Is the abnormality above the middle of the image?",
            setting=here,
        )
    yield Question(
        "size",
        "Size",
        "CLOSED",
        ("Is the abnormality small or large?", "What is the size of the lesion, small or large?"),
        finding.size,
        here,
    )
    yield _closed(
        "large", "Size", finding.size == "Large", "Is the lesion large?", "Is the abnormality big?", setting=here
    )
    yield Question(
        "contrast",
        "Color",
        "CLOSED",
        (
            "Is the lesion brighter or darker than the surrounding tissue?",
            "Compared with its surroundings, is the abnormality brighter or darker?",
        ),
        finding.contrast,
        here,
    )
    words = {"CT": ("density", "Hyperdense", "Hypodense"), "MRI": ("signal", "Hyperintense", "Hypointense")}
    if facts.modality in words:
        noun, bright, dark = words[facts.modality]
        yield Question(
            f"{noun}",
            "Color",
            "CLOSED",
            (
                f"Is the lesion {bright.lower()} or {dark.lower()}?",
                f"What is the {noun} of the lesion, {bright.lower()} or {dark.lower()}?",
            ),
            bright if finding.contrast == "Brighter" else dark,
            here,
        )
    color = (
        "White" if finding.grey > 190 else "Black" if finding.grey < 62 else "Gray" if 85 < finding.grey < 165 else ""
    )
    if color:
        yield Question(
            "color",
            "Color",
            "OPEN",
            ("What color is the abnormality?", "What is the color of the lesion in the picture?"),
            color,
        )
        yield _closed("white", "Color", color == "White", "Is the lesion white?", "Does the abnormality look white?")
    if finding.kind in ZONES or finding.area >= 90:
        yield Question(
            "shape",
            "Shape",
            "OPEN",
            ("What is the shape of the lesion?", "What shape does the abnormality have?"),
            finding.shape,
        )
        for shape in ("Round", "Oval", "Irregular"):
            yield _closed(
                f"shape:{shape}",
                "Shape",
                finding.shape == shape,
                f"Is the lesion {shape.lower()}?",
                f"Does the abnormality have {'an' if shape[0] in 'OI' else 'a'} {shape.lower()} shape?",
            )


def _about_larger(facts: Facts) -> Iterator[Question]:
    ordered = sorted(facts.found, key=lambda finding: -finding.area)
    if ordered[0].area < 1.6 * ordered[1].area:
        return
    largest = ordered[0]
    part = _quadrant(largest)
    if part:
        yield Question(
            "largest place",
            "Size",
            "OPEN",
            ("In which part of the picture is the largest lesion?", "Where in the picture is the biggest abnormality?"),
            part,
        )
    if [finding.kind for finding in facts.found].count(largest.kind) == 1:
        yield Question(
            f"largest kind:{facts.region}",
            "Size",
            "OPEN",
            (
                f"What is the largest lesion in this {facts.region.lower()} image?",
                f"Which abnormality of the {facts.region.lower()} is the biggest?",
            ),
            largest.kind,
        )

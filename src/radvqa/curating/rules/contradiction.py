"""What contradicts what the data set says of the picture: modality, plane, or the sequence that is asked about."""

import re

from radvqa.curating.rules.patterns import any_of
from radvqa.curating.rules.words import Texts

_MODALITIES = {
    "CT": any_of(r"ct|cta|computed tomography|cat scan"),
    "MRI": any_of(r"mri|mra|mr|magnetic resonance|t[12][- ]?w(?:eighted)?|flair"),
    "X-Ray": any_of(r"x-?rays?|radiograph\w*|plain film"),
    "US": any_of(r"ultrasound|sonogra\w+|us"),
    "PET": any_of("pet"),
}
_SAME = {"MR": "MRI", "XR": "X-Ray", "CR": "X-Ray", "DX": "X-Ray", "ULTRASOUND": "US", "X-RAY": "X-Ray"}
_PLANES = {
    "axial": any_of(r"axial|transverse|transaxial"),
    "coronal": any_of("coronal"),
    "sagittal": any_of("sagittal"),
}
_ASKS_MODALITY = any_of(r"modality|technique|(?:type|kind) of (?:imaging|image|scan|study|exam)|mri or ct|ct or mri")
_ASKS_PLANE = any_of(r"plane|orientation|view|slice|section|(?:type|kind) of (?:image|imaging|scan)")
_SEQUENCES = {
    "t1": any_of(r"t1(?:[- ]?w(?:i|eighted)?)?"),
    "t2": any_of(r"t2(?:[- ]?w(?:i|eighted)?)?"),
    "flair": any_of("flair"),
    "diffusion": any_of(r"dwi|adc|diffusion[- ]weighted"),
}
_ON_SEQUENCE = any_of(r"(?:on|in) .{0,30}(?:t1|t2|flair|dwi|adc|diffusion)[ -]?w?\w*.{0,25}")


def contradicts(texts: Texts) -> bool:
    """Another modality or plane than the data set's."""
    pair = texts.pair
    said = pair.modality or pair.fact("Modality")
    modality = _SAME.get(said.upper(), said)
    if modality in _MODALITIES and _other(texts, modality, _MODALITIES, _ASKS_MODALITY):
        return True
    plane = next((name for name, words in _PLANES.items() if words.search(pair.fact("Plane").lower())), "")
    if plane and _other(texts, plane, _PLANES, _ASKS_PLANE):
        return True
    return _asks_of_another_sequence(texts, pair.fact("Modality").lower())


def _asks_of_another_sequence(texts: Texts, modality: str) -> bool:
    """Whether the question is about how something looks in sequences of which the picture is none."""
    own = {name for name, words in _SEQUENCES.items() if words.search(modality)}
    if not own or not _ON_SEQUENCE.search(texts.question):
        return False
    asked = {name for name, words in _SEQUENCES.items() if words.search(texts.question)}
    return bool(asked) and not asked & (own | ({"t2"} if "flair" in own else set()))


def _other(texts: Texts, right: str, known: dict[str, re.Pattern[str]], asks: re.Pattern[str]) -> bool:
    """Whether a question about this is answered by something else than what is right."""
    if texts.asks_yes_or_no:
        asked = [name for name, words in known.items() if words.search(texts.question)]
        if len(asked) != 1 or not texts.says_yes_or_no or not _IS_THIS.match(texts.question):
            return False
        return (asked[0] == right) == texts.answer.startswith("no")
    if not (asks.search(texts.question) or texts.offers):
        return False
    found = [name for name, words in known.items() if words.search(texts.answer)]
    return bool(found) and right not in found


_IS_THIS = re.compile(
    r"^(?:is|was) (?:this|the (?:image|scan|picture|study))\b(?!.*(?:contrast|weight|left|right|\bnon))"
)

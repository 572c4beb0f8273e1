"""The same question in other words, by rules for the forms that medical visual questions usually have."""

import re
from collections.abc import Sequence
from dataclasses import replace

from radvqa.probing.probe import Context, Probe, ProbedSample
from radvqa.probing.wording import STATES, plain
from radvqa.sample import Sample

_MADE = r"(?: (?:to take|to acquire|in|for) (?:the|this|the above) (?:image|picture|scan|photo))?"
_IMAGE = r"(?:the|this|the above) (?:image|picture|scan|photo)"
_RULES = tuple(
    (re.compile(rf"^{form}$", re.IGNORECASE), words)
    for form, words in (
        # modality and plane
        (
            rf"what (?:type of )?imaging modality (?:is|was) (?:used|shown){_MADE}",
            r"What modality is used to take this image?",
        ),
        (
            rf"what modality (?:is|was) (?:used|shown){_MADE}",
            r"Which imaging modality was used for this image?",
        ),
        (
            rf"which (?:imaging )?modality (?:is|was) used(?: (?:to take|for) {_IMAGE}| here)?",
            r"What modality is used to take this image?",
        ),
        (rf"how (?:is|was) {_IMAGE} (?:taken|acquired|made)", r"By which imaging method was this image taken?"),
        (rf"what is the (?:scanning )?plane of {_IMAGE}", r"In which plane was this image taken?"),
        (
            rf"(?:in )?(?:what|which) plane (?:is|was) {_IMAGE} (?:taken|scanned|acquired)(?: in)?",
            r"What is the scanning plane of this image?",
        ),
        (rf"what scanning plane does {_IMAGE} belong to", r"In which plane was this image taken?"),
        (rf"(?:is|was) {_IMAGE} taken (?:via|by|with) (.+)", r"Was \1 used to take this image?"),
        # the part of the body
        (
            rf"(?:which|what) part of the (?:human )?body does {_IMAGE} belong to",
            r"What part of the body is shown in this image?",
        ),
        (
            rf"(?:which|what) part of the (?:human )?body is (?:shown|seen) in {_IMAGE}",
            r"Which part of the body does this image belong to?",
        ),
        # is it there?
        (r"(?:does|do) (?:this|the) (image|picture|scan) (?:contain|show) (.+)", r"Can \2 be seen in the \1?"),
        (
            rf"can (?!you )(.+?) be (?:seen|observed)( (?:on|at) .+?)?(?: in {_IMAGE})?",
            r"Does this image show \1\2?",
        ),
        (rf"(?:does|do) (.+?) (?:exist|appear) in {_IMAGE}", r"Can \1 be seen in this image?"),
        (
            rf"(?:is|are|is/are|are/is) there (.+?)(?: present)? (?:in|on) {_IMAGE}(| that .+)",
            r"Does this image show \1\2?",
        ),
        (r"(?:is|are|is/are|are/is) there (.+?)(?: present)?", r"Does this image show \1?"),
        (rf"(?:can|do) you see (.+?)(?: in {_IMAGE})?", r"Does this image show \1?"),
        (r"(?:is|are) (.+?) (?:present|visible)( in .+|)", r"Can \1 be seen\2?"),
        (r"does (the|this) patient have (.+)", r"Is there \2 in \1 patient?"),
        # how does it look?
        (rf"(?:does|do) (?!you )(.+?) look ({STATES})", r"Would you call \1 \2?"),
        (rf"(?:is|are) ((?:the|this) (?:(?! or | than ).)+?) ({STATES})", r"Would you call \1 \2?"),
        (r"(?:is|was) this (an?|the|in the|in an?) (.+)", r"Would you say that this is \1 \2?"),
        # which, how many, where
        (
            rf"what is the (largest|biggest|smallest|rightmost|leftmost) organ in ({_IMAGE})",
            r"Which organ is the \1 in \2?",
        ),
        (rf"what is the main organ in ({_IMAGE})", r"Which organ is the main one in \1?"),
        (
            rf"what (diseases?|abnormality|abnormalities) (?:is|are|is/are) (?:included|shown|seen) in ({_IMAGE})",
            r"Which \1 can be seen in \2?",
        ),
        (
            rf"how many (.+?)(?: (?:are there|are shown|are seen|are visible|are|can be seen))?(?: in ({_IMAGE}))?",
            r"What is the number of \1 in this image?",
        ),
        (r"where (?:is|are|is/are) (?!there )(.+?) located", r"What is the location of \1?"),
        (r"where (?:is|are|is/are) (the .+)", r"What is the location of \1?"),
        (r"what is the location of (.+)", r"Where is \1 located?"),
        (r"what colou?r is (.+)", r"Which color does \1 have?"),
        (r"what is the colou?r of (.+)", r"Which color does \1 have?"),
        (r"what is the shape of (.+)", r"Which shape does \1 have?"),
        (r"what shape does (.+?) have", r"What is the shape of \1?"),
    )
)
_WHAT_OR_WHICH = re.compile(
    r"^(what|which)(?= (?:organs?|parts?|kind|type|side|lobe|color|diseases?|structures?)\b)", re.IGNORECASE
)
_PICTURE = re.compile(r"\b(the|this) (image|picture)\b", re.IGNORECASE)
_SYNONYM = {"image": "picture", "picture": "image", "what": "Which", "which": "What"}


def _paraphrased(samples: Sequence[Sample], context: Context) -> list[ProbedSample]:
    return [
        ProbedSample(replace(sample, question=paraphrase(sample.question)))
        for sample in samples
        if sample.language == "en"
    ]


def paraphrase(question: str) -> str:
    """Ask the same in other words.

    The first rule whose form fits decides. Else what and which, image and picture change places; else the question
    is asked politely.
    """
    asked = plain(question)
    for form, words in _RULES:
        if form.search(asked) and (said := form.sub(words, asked)) != f"{asked}?":
            return said
    said = _WHAT_OR_WHICH.sub(lambda found: _SYNONYM[found[1].lower()], asked)
    said = _PICTURE.sub(lambda found: f"{found[1]} {_SYNONYM[found[2].lower()]}", said)
    return f"{said}?" if said != asked else f"Please answer this question: {asked}?"


PROBE = Probe(
    title="Question in other words",
    changes="English questions are put in other words of the same meaning, by rules for the usual forms.",
    kind="question",
    group="question",
    apply=_paraphrased,
)

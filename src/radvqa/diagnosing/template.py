"""The template of a question: what remains when what it names is taken out.

Known words for organs, findings, sides, kinds of picture, shades and numbers become placeholders, and words that few
questions use become "…". "Is the left lung healthy?" and "Is the liver abnormal?" are one template, "is the [organ]
[state]". It is rules and counting, no parser: questions that mean the same in other words stay apart.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

RARE = 4
"""A word that fewer distinct questions than this use says what one question is about, not how it is asked."""

REST = "…"

_WORDS: Mapping[str, str] = {
    "organ": "lung lungs heart liver spleen kidney kidneys brain bladder rectum colon stomach pancreas gallbladder "
    "intestine duodenum esophagus oesophagus trachea aorta diaphragm mediastinum rib ribs spine bone bones skull eye "
    "eyes ventricle ventricles cerebellum brainstem cerebrum bowel neck mandible larynx throat skin uterus prostate "
    "clavicle costophrenic hilum sinus sinuses vessel vessels muscle femur pelvis vertebra vertebrae cord teeth tooth "
    "nose ear chest abdomen head hip knee thorax lobe lobes parotid thyroid",
    "finding": "tumor tumors tumour tumours cancer mass masses nodule nodules pneumonia pneumothorax effusion edema "
    "oedema cardiomegaly atelectasis infiltration consolidation fracture fractures hemorrhage haemorrhage infarct "
    "infarction lesion lesions stone stones cyst cysts abscess emphysema fibrosis calcification calcifications hernia "
    "appendicitis diverticulitis aneurysm metastasis metastases lymphadenopathy hydrocephalus enhancement enhancing "
    "ischemia ischemic stroke thickening",
    "state": "healthy normal abnormal unhealthy diseased enlarged dilated clear",
    "side": "left right upper lower top bottom center centre middle bilateral bilaterally both anterior posterior "
    "superior inferior lateral medial",
    "modality": "ct mri mr xray x-ray radiograph ultrasound pet t1 t2 flair dwi",
    "plane": "axial coronal sagittal transverse transversal",
    "shade": "black white gray grey dark bright hyperdense hypodense hyperintense hypointense",
    "number": "zero one two three four five six seven eight nine ten",
}
_PLACEHOLDER = {word: f"[{kind}]" for kind, words in _WORDS.items() for word in words.split()}
_KEPT = re.compile(r"[^\w\s/-]|_")
_NUMBER = re.compile(r"\d+(?:st|nd|rd|th)?")
_WHICH = re.compile(r"[^\W\d]+(?:[-/][^\W\d]+)*|\[\w+\]|\S+")


def templates(questions: Sequence[str], rare: int = RARE) -> list[str]:
    """Name the template of each question.

    Args:
        questions: of one test; which words are rare is counted over the distinct ones.
        rare: words of fewer distinct questions become "…".
    """
    masked = {question: _masked(question) for question in dict.fromkeys(questions)}
    used = Counter(word for words in set(map(tuple, masked.values())) for word in set(words))
    named = {question: _named(words, used, rare) for question, words in masked.items()}
    return [named[question] for question in questions]


def beginning(question: str, words: int = 2) -> str:
    """The first words, lower case: "is the", "how many"."""
    return " ".join(_KEPT.sub(" ", question.lower()).split()[:words])


def _masked(question: str) -> list[str]:
    words = []
    for word in _WHICH.findall(_KEPT.sub(" ", question.lower())):
        words.append(_PLACEHOLDER.get(word, "[number]" if _NUMBER.fullmatch(word) else word))
    return words


def _named(words: Sequence[str], used: Mapping[str, int], rare: int) -> str:
    """Join the words; what stands side by side and says the same is said once."""
    said: list[str] = []
    for word in words:
        shown = word if word.startswith("[") or used[word] >= rare else REST
        if not (said and said[-1] == shown and (shown == REST or shown.startswith("["))):
            said.append(shown)
    named = " ".join(said).replace("[side] [organ]", "[organ]").replace("[side] [finding]", "[finding]")
    return named if set(said) - {REST} else ""

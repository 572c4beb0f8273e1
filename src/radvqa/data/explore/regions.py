"""Which region of the body a label belongs to, so that data sets with other words for it stand side by side."""

import re

REGIONS = {
    "Head": "head brain skull face orbit orbits eye eyes sinus sinuses mandible",
    "Neck": "neck thyroid larynx trachea",
    "Chest": "chest thorax lung lungs heart mediastinal mediastinum breast rib ribs pleura cardiovascular",
    "Abdomen": "abdomen abd abdominal liver spleen kidney kidneys stomach colon pancreas gallbladder duodenum "
    "gastrointestinal",
    "Pelvis": "pelvis pelvic bladder rectum prostate uterus",
    "Spine": "spine spinal vertebra vertebrae",
    "Limbs": "limb limbs extremity extremities hand wrist arm elbow shoulder hip knee leg ankle foot musculoskeletal",
}
"""Region → words that name it or a part of it."""

_REGION = {word: region for region, words in REGIONS.items() for word in words.split()}


def region_of(label: str) -> str:
    """Return the region that the first known word of a label belongs to, else the label itself.

    ``Brain_Tissue`` is the head, ``Chest_mediastinal`` the chest, ``Pelvic Cavity`` the pelvis.
    """
    for word in re.split(r"[\W_]+", label.lower()):
        if word in _REGION:
            return _REGION[word]
    return label

"""What is known of organs and findings beside what a picture shows: causes, functions, organ systems, make-up."""

from collections.abc import Mapping
from typing import Final

FLUID: Final = frozenset({"Cyst", "Pleural effusion", "Hemorrhage"})
SOLID: Final = frozenset({"Stone", "Calcification", "Foreign body", "Tumor", "Nodule", "Pneumothorax", "Lytic lesion"})

CAUSES: Final[Mapping[str, str]] = {
    "Hemorrhage": "Ruptured vessel",
    "Infarct": "Blocked artery",
    "Tumor": "Uncontrolled cell growth",
    "Nodule": "Uncontrolled cell growth",
    "Cyst": "Trapped fluid",
    "Lytic lesion": "Bone destruction",
    "Calcification": "Calcium deposit",
    "Foreign body": "Object from outside",
    "Pneumonia": "Infection",
    "Pleural effusion": "Heart failure",
    "Pneumothorax": "Air leak",
    "Stone": "Crystals in urine",
}
FUNCTIONS: Final[Mapping[str, str]] = {
    "brain": "Control the body",
    "skull": "Protect the brain",
    "lung": "Breathe",
    "liver": "Detoxification",
    "kidney": "Filter blood",
    "spleen": "Immune defense",
    "stomach": "Digest food",
    "bladder": "Store urine",
}
SYSTEMS: Final[Mapping[str, str]] = {
    "brain": "Nervous system",
    "skull": "Skeletal system",
    "lung": "Respiratory system",
    "liver": "Digestive system",
    "stomach": "Digestive system",
    "kidney": "Urinary system",
    "bladder": "Urinary system",
    "spleen": "Lymphatic system",
}

"""What each tissue looks like: Hounsfield units for CT, signal from 0 to 1 for each MRI contrast."""

from collections.abc import Mapping
from typing import Final

HOUNSFIELD: Final[Mapping[str, float]] = {
    "air": -1000, "lung": -840, "fat": -100, "csf": 6, "white": 27, "grey": 39, "muscle": 58, "vessel": 165,
    "bone": 950, "marrow": 260, "diploe": 520, "liver": 108, "spleen": 122, "cortex": 185, "medulla": 140,
    "pancreas": 92, "bowel wall": 75, "bowel content": 25, "gas": -920, "bile": 8, "urine": 8, "stomach": 20,
    "cartilage": 90, "disc": 80, "heart": 125, "falx": 62, "plexus": 120, "cord": 35, "skin": 40, "table": -100,
    "thymus": -60, "mesentery": -85,
    "cyst": 4, "tumor": 52, "tumor rim": 75, "hemorrhage": 76, "infarct": 11, "edema": 14, "nodule": 55,
    "pneumonia": -60, "pleural effusion": 10, "pneumothorax": -1000, "pleura": -250, "stone": 800,
}  # fmt: skip

T1: Final[Mapping[str, float]] = {
    "air": 0.0, "lung": 0.05, "fat": 0.92, "csf": 0.10, "white": 0.66, "grey": 0.45, "muscle": 0.36, "vessel": 0.08,
    "bone": 0.03, "marrow": 0.58, "diploe": 0.55, "liver": 0.52, "spleen": 0.38, "cortex": 0.50, "medulla": 0.34,
    "pancreas": 0.56, "bowel wall": 0.38, "bowel content": 0.28, "gas": 0.0, "bile": 0.15, "urine": 0.11,
    "stomach": 0.22, "cartilage": 0.30, "disc": 0.30, "heart": 0.40, "falx": 0.25, "plexus": 0.35, "cord": 0.50,
    "skin": 0.45, "table": 0.0, "thymus": 0.75, "mesentery": 0.86,
    "cyst": 0.09, "tumor": 0.26, "tumor rim": 0.72, "hemorrhage": 0.97, "infarct": 0.27, "edema": 0.33,
    "nodule": 0.48, "pneumonia": 0.32, "pleural effusion": 0.20, "stone": 0.03,
}  # fmt: skip

T2: Final[Mapping[str, float]] = {
    "air": 0.0, "lung": 0.06, "fat": 0.62, "csf": 1.0, "white": 0.34, "grey": 0.52, "muscle": 0.17, "vessel": 0.06,
    "bone": 0.02, "marrow": 0.36, "diploe": 0.34, "liver": 0.28, "spleen": 0.52, "cortex": 0.66, "medulla": 0.84,
    "pancreas": 0.40, "bowel wall": 0.35, "bowel content": 0.66, "gas": 0.0, "bile": 0.95, "urine": 0.97,
    "stomach": 0.82, "cartilage": 0.30, "disc": 0.60, "heart": 0.34, "falx": 0.12, "plexus": 0.7, "cord": 0.42,
    "skin": 0.30, "table": 0.0, "thymus": 0.55, "mesentery": 0.46,
    "cyst": 1.0, "tumor": 0.74, "tumor rim": 0.60, "hemorrhage": 0.07, "infarct": 0.84, "edema": 0.78,
    "nodule": 0.52, "pneumonia": 0.66, "pleural effusion": 0.96, "stone": 0.02,
}  # fmt: skip

FLAIR: Final[Mapping[str, float]] = {
    **T2, "csf": 0.07, "white": 0.40, "grey": 0.54, "fat": 0.58, "plexus": 0.4, "muscle": 0.26,
    "cyst": 0.06, "tumor": 0.80, "tumor rim": 0.70, "hemorrhage": 0.12, "infarct": 0.88, "edema": 0.85,
}  # fmt: skip

CONTRASTS: Final[Mapping[str, Mapping[str, float]]] = {"CT": HOUNSFIELD, "T1": T1, "T2": T2, "FLAIR": FLAIR}

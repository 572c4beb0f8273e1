"""Slices of the chest: lungs with branching vessels, heart, great vessels, airways, ribs and spine."""

import numpy as np

from radvqa.phantom.canvas import Slice
from radvqa.phantom.geometry import Array, Point, Stroke, blur, mirrored, soft
from radvqa.phantom.torso import ribs, tree, vertebra, wall

_HALF_LUNG: list[Point] = [(-0.10, -0.36), (-0.34, -0.43), (-0.56, -0.34), (-0.71, -0.10), (-0.70, 0.16), (-0.54, 0.37),
    (-0.30, 0.44), (-0.15, 0.33)]  # fmt: skip


def _lung(image: Slice, coverage: Array, organ: str, hilum: Point, angles: list[float], length: float) -> None:
    """Paint a lung and its vessels, which run out from the hilum."""
    frame = image.frame
    graded = 1.2 * frame.noise(3) + 0.6 * frame.noise(40) + 2.0 * frame.y
    image.paint(coverage, "lung", organ, texture=graded * (2.0 if image.contrast == "CT" else 0.2))
    strokes: list[Stroke] = []
    for angle in angles:
        turn = angle + frame.rng.normal(0, 0.12)
        strokes += tree(frame, hilum, turn, frame.vary(length, 0.12), 0.034, 4)
    for x, y, width in frame.rng.uniform((-1, -1, 0.012), (1, 1, 0.026), (70, 3)).tolist():
        strokes.append(((x, y), (x + 0.3 * width, y), width, 0.6))  # vessels that cross the slice are seen as dots
    visible = coverage * frame.strokes(strokes) * soft(blur(coverage, 4) - 0.6)
    image.paint(visible * (0.9 if image.contrast == "CT" else 0.3), "nodule")


def axial(image: Slice, level: str) -> None:
    """Draw a transverse slice, ``heart`` at the level of the chambers or ``arch`` at the great vessels."""
    frame = image.frame
    rx, ry, fat = frame.vary(0.88, 0.03), frame.vary(0.63, 0.04), frame.vary(0.065, 0.3)
    inside = wall(image, rx, ry, fat)
    high = level == "arch"
    for side in (-1, 1):  # shoulder blade and the muscles of the back
        blade = [(side * 0.74, 0.22), (side * 0.66, 0.36), (side * 0.50, 0.47)]
        image.paint(frame.tube(blade, 0.055), "bone", "")
        image.paint(frame.tube(blade, 0.022), "marrow")
    ribs(image, inside, 0.085, 9)
    cavity = soft(inside - 0.115)
    image.paint(cavity, "fat", "")
    shrink = 0.90 if high else 1.0
    reach = [(x * shrink * rx / 0.88, y * shrink * ry / 0.63) for x, y in _HALF_LUNG]
    right = frame.curve(reach, jitter=0.012) * cavity
    left = frame.curve(mirrored(reach), jitter=0.012) * cavity
    spread = [2.2, 3.0, 3.9, 2.6]
    _lung(image, right, "Right lung", (-0.19, 0.02), spread, 0.17)
    _lung(image, left, "Left lung", (0.23, 0.04), [np.pi - a for a in spread], 0.16)
    mediastinum = frame.curve([(-0.10, -0.50), (0.10, -0.50), (0.16, -0.2), (0.17, 0.1), (0.15, 0.36),
        (-0.15, 0.36), (-0.17, 0.1), (-0.15, -0.2)])  # fmt: skip
    image.paint(mediastinum * cavity, "fat", "", texture=frame.noise(20))
    vertebra(image, 0.0, 0.31, frame.vary(0.105, 0.06), lumbar=False)
    image.paint(frame.ellipse(0, -ry + fat + 0.085, 0.10, 0.035, 0, 3), "bone", "")
    image.paint(frame.ellipse(0, -ry + fat + 0.085, 0.08, 0.018, 0, 3), "marrow")
    (_great_vessels if high else _heart)(image)


def _great_vessels(image: Slice) -> None:
    """Paint ascending and descending aorta, superior caval vein, pulmonary trunk, trachea and oesophagus."""
    frame = image.frame
    trunk = [(0.13, -0.20), (0.15, -0.07), (0.05, 0.02), (-0.10, 0.03), (-0.22, 0.0)]
    image.paint(frame.tube(trunk, [0.13, 0.13, 0.11, 0.09, 0.06]), "vessel", "")
    image.paint(frame.tube([(0.14, -0.06), (0.24, 0.04)], [0.11, 0.07]), "vessel")
    image.paint(frame.ellipse(-0.02, -0.21, frame.vary(0.085), frame.vary(0.085)), "vessel", "Aorta")
    image.paint(frame.ellipse(-0.145, -0.13, 0.043, 0.052), "vessel")
    image.paint(frame.ellipse(0.13, 0.24, frame.vary(0.066), frame.vary(0.066)), "vessel", "Aorta")
    for x, y in ((-0.085, 0.10), (0.085, 0.115)):
        image.paint(frame.ellipse(x, y, 0.055, 0.042, 0.3 * np.sign(x)), "muscle")
        image.paint(frame.ellipse(x, y, 0.045, 0.033, 0.3 * np.sign(x)), "air", "Trachea")
    image.paint(frame.ellipse(0.02, 0.185, 0.035, 0.024), "muscle")


def _heart(image: Slice) -> None:
    """Paint the four chambers within the heart muscle, and the descending aorta."""
    frame = image.frame
    size = frame.vary(1.0, 0.05)
    outline = [(-0.20, -0.10), (-0.10, -0.30), (0.10, -0.36), (0.33, -0.28), (0.47, -0.06),
        (0.40, 0.08), (0.16, 0.15), (-0.06, 0.17), (-0.20, 0.08)]  # fmt: skip
    heart = frame.curve([(x * size, y * size) for x, y in outline], jitter=0.01)
    image.paint(blur(frame.curve([(x * size * 1.07, y * size * 1.07) for x, y in outline]), 1.2), "fat", "")
    image.paint(heart, "heart", "Heart", texture=0.8 * frame.noise(14))
    dark = 1 if image.contrast == "CT" else 0.9
    for points in (
        [(0.10, -0.09), (0.24, -0.17), (0.39, -0.06), (0.33, 0.02), (0.19, 0.03)],
        [(-0.05, -0.20), (0.08, -0.30), (0.26, -0.25), (0.15, -0.17), (0.04, -0.12)],
        [(-0.04, 0.07), (0.08, 0.02), (0.17, 0.06), (0.08, 0.12), (-0.03, 0.12)],
        [(-0.17, -0.08), (-0.08, -0.19), (-0.01, -0.10), (-0.06, 0.0), (-0.15, 0.04)],
    ):
        chamber = frame.curve([(x * size, y * size) for x, y in points], jitter=0.01)
        image.paint(blur(chamber, 1.5) * dark, "vessel", texture=0.8 * frame.noise(12))
    image.paint(frame.ellipse(0.145, 0.25, 0.07, 0.07), "muscle")
    image.paint(frame.ellipse(0.145, 0.25, 0.062, 0.062), "vessel", "Aorta")
    image.paint(frame.ellipse(0.03, 0.195, 0.03, 0.02), "muscle")


def coronal(image: Slice) -> None:
    """Draw a coronal slice through the heart and the trachea, down to liver and stomach."""
    frame = image.frame
    outline = [(0.13, -1.15), (0.15, -0.93), (0.34, -0.83), (0.70, -0.76), (0.88, -0.56), (0.86, -0.2),
        (0.80, 0.1), (0.77, 0.5), (0.78, 0.9), (0.78, 1.2)]  # fmt: skip
    body = frame.curve([*outline, *mirrored(outline)[::-1]], jitter=0.006)
    image.paint(body, "skin", "")
    image.paint(np.clip(blur(body, 2.5) * 4 - 3, 0, 1), "fat", texture=0.6 * frame.noise(30))
    inner = [(x * 0.90 - 0.015, y + 0.03) for x, y in outline]
    muscle = frame.curve([*inner, *mirrored(inner)[::-1]], jitter=0.006)
    image.paint(muscle, "muscle", texture=0.9 * frame.noise(20))
    for side in (-1, 1):
        image.paint(frame.ellipse(side * 0.73, -0.62, 0.10, 0.105), "bone", "")
        image.paint(frame.ellipse(side * 0.73, -0.62, 0.08, 0.085), "marrow")
        collar = [(side * 0.12, -0.72), (side * 0.32, -0.76), (side * 0.60, -0.74)]
        image.paint(frame.tube(collar, 0.055), "bone")
        image.paint(frame.tube(collar, 0.025), "marrow")
        for number in range(9):
            y = -0.60 + 0.165 * number
            x = 0.40 + 0.28 * (1 - np.exp(-(number + 0.3) / 1.6))
            image.paint(frame.ellipse(side * x, y, 0.024, 0.042, side * 0.35), "bone")
            image.paint(frame.ellipse(side * x, y, 0.011, 0.026, side * 0.35), "marrow")
    low = frame.curve([(-0.64, 0.30), (0, 0.2), (0.64, 0.34), (0.64, 1.2), (-0.64, 1.2)])
    image.paint(low, "mesentery", "")
    image.paint(frame.curve([(-0.64, 0.36), (-0.40, 0.22), (-0.1, 0.32), (0.22, 0.42), (0.1, 0.56),
        (-0.15, 0.72), (-0.4, 0.95), (-0.60, 0.98), (-0.65, 0.7)]), "liver", "Liver",
        texture=0.6 * frame.noise(30))  # fmt: skip
    vessels = tree(frame, (-0.18, 0.55), np.pi - 0.3, 0.17, 0.035, 3) + tree(
        frame, (-0.16, 0.5), np.pi + 0.5, 0.15, 0.03, 2
    )
    image.paint(frame.strokes(vessels) * image.mask("Liver"), "vessel")
    image.paint(
        frame.curve([(0.22, 0.46), (0.42, 0.38), (0.52, 0.55), (0.40, 0.8), (0.2, 0.85), (0.24, 0.66)]), "bowel wall"
    )
    image.paint(frame.curve([(0.24, 0.49), (0.41, 0.41), (0.49, 0.55), (0.38, 0.78), (0.22, 0.82),
        (0.27, 0.66)]), "stomach", "Stomach")  # fmt: skip
    image.paint(frame.curve([(0.26, 0.50), (0.41, 0.42), (0.48, 0.52), (0.40, 0.58), (0.3, 0.58)]), "gas")
    image.paint(frame.curve([(0.50, 0.46), (0.60, 0.42), (0.64, 0.6), (0.57, 0.8), (0.52, 0.66)]), "spleen", "Spleen")

    right = frame.curve([(-0.22, -0.66), (-0.40, -0.50), (-0.56, -0.15), (-0.62, 0.2), (-0.61, 0.34),
        (-0.40, 0.20), (-0.2, 0.24), (-0.14, 0.0), (-0.10, -0.3)])  # fmt: skip
    left = frame.curve([(0.22, -0.66), (0.40, -0.50), (0.56, -0.15), (0.62, 0.2), (0.62, 0.40),
        (0.44, 0.30), (0.30, 0.30), (0.16, 0.0), (0.10, -0.3)])  # fmt: skip
    _lung(image, right, "Right lung", (-0.14, -0.15), [2.3, 2.9, 3.6, 4.2], 0.19)
    _lung(image, left, "Left lung", (0.17, -0.15), [0.8, 0.2, -0.5, -1.1], 0.17)
    image.paint(
        frame.curve([(-0.11, -0.62), (0.11, -0.62), (0.12, -0.3), (0.15, 0.1), (-0.13, 0.1), (-0.11, -0.3)]), "fat", ""
    )
    size = frame.vary(1.0, 0.07)
    heart = [(-0.17, 0.16), (-0.17, -0.04), (-0.06, -0.16), (0.10, -0.16), (0.24, -0.02), (0.40, 0.18),
        (0.38, 0.31), (0.16, 0.33), (-0.06, 0.27)]  # fmt: skip
    image.paint(frame.curve([(x * size, y) for x, y in heart]), "heart", "Heart", texture=frame.noise(12))
    image.paint(
        blur(frame.curve([(0.0, -0.08), (0.10, -0.10), (0.30, 0.16), (0.28, 0.24), (0.1, 0.14)]), 1.5), "vessel"
    )
    image.paint(blur(frame.curve([(-0.14, 0.0), (-0.05, -0.06), (-0.04, 0.14), (-0.12, 0.2)]), 1.5), "vessel")
    image.paint(frame.tube([(0.02, -0.05), (-0.01, -0.22), (0.05, -0.36),
        (0.11, -0.34)], [0.11, 0.11, 0.11, 0.10]), "vessel", "Aorta")  # fmt: skip
    image.paint(frame.tube([(-0.12, 0.0), (-0.11, -0.45)], 0.07), "vessel")
    for points, width in (
        ([(0.0, -1.2), (0.0, -0.6), (0.01, -0.27)], 0.085),
        ([(0.01, -0.29), (-0.09, -0.19), (-0.16, -0.13)], 0.062),
        ([(0.01, -0.29), (0.11, -0.21), (0.19, -0.16)], 0.055),
    ):
        image.paint(frame.tube(points, width + 0.02), "cartilage", "")
        image.paint(frame.tube(points, width), "air", "Trachea")
    for side in (-1, 1):
        image.paint(frame.ellipse(side * 0.085, -0.86, 0.045, 0.11), "spleen" if image.contrast == "CT" else "muscle")

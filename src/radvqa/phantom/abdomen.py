"""Slices of the abdomen: liver, spleen, stomach, kidneys, pancreas, vessels, bowel, spine and muscles."""

import numpy as np

from radvqa.phantom.canvas import Slice
from radvqa.phantom.geometry import Array, Point, Stroke, blur, mirrored, ramp, soft
from radvqa.phantom.torso import mottled, ribs, tree, vertebra, wall


def _solid(image: Slice, coverage: Array, name: str, organ: str) -> None:
    image.paint(coverage, name, organ, texture=0.45 * image.frame.noise(40) + 0.3 * image.frame.noise(6))


def _kidney(image: Slice, side: int, cx: float, cy: float, rx: float, ry: float, angle: float) -> None:
    """Paint a kidney: cortex, medullary pyramids and the fat of the sinus, which opens to the midline."""
    frame = image.frame
    organ = "Left kidney" if side > 0 else "Right kidney"
    rough = 0.05 * frame.noise(9)
    outer = frame.ellipse(cx, cy, rx, ry, angle, rough=rough)
    radius = frame.radius(cx, cy, rx, ry, angle)
    turn = np.arctan2(frame.y - np.float32(cy), frame.x - np.float32(cx))
    pyramids = ramp(np.sin(turn * 9) + 0.35, 0.7) * ramp(0.78 - radius, 0.08) * ramp(radius - 0.35, 0.1)
    image.paint(outer, "cortex", organ, texture=0.4 * frame.noise(30))
    image.paint(pyramids * outer, "medulla")
    hilum = cx - side * rx * 0.55
    sinus = np.maximum(frame.ellipse(cx - side * rx * 0.15, cy, rx * 0.36, ry * 0.48, angle),
        frame.ellipse(hilum, cy + 0.01, rx * 0.5, ry * 0.16))  # fmt: skip
    image.paint(blur(sinus, 0.8), "fat")
    image.paint(frame.ellipse(cx - side * rx * 0.2, cy, rx * 0.13, ry * 0.3, angle), "urine")
    image.paint(frame.tube([(cx - side * rx * 0.4, cy), (cx - side * (rx + 0.10), cy - 0.05)], 0.03), "vessel")


def _liver_vessels(image: Slice, roots: list[tuple[Point, float]]) -> None:
    strokes: list[Stroke] = []
    for root, angle in roots:
        strokes += tree(image.frame, root, angle + image.frame.rng.normal(0, 0.15), image.frame.vary(0.17), 0.042, 3)
    image.paint(blur(image.frame.strokes(strokes), 0.5) * image.mask("Liver"), "vessel")


def axial(image: Slice, level: str, kidneys: tuple[bool, bool]) -> None:
    """Draw a transverse slice.

    Args:
        image: an empty slice.
        level: ``liver`` (liver, spleen, stomach) or ``kidneys`` (both kidneys, bowel, lower liver).
        kidneys: whether the right and the left kidney are there.
    """
    frame = image.frame
    rx, ry, fat = frame.vary(0.88, 0.03), frame.vary(0.64, 0.05), frame.vary(0.075, 0.35)
    inside = wall(image, rx, ry, fat)
    ribs(image, inside, 0.075, 9 if level == "liver" else 7)
    cavity = soft(inside - 0.105)
    image.paint(cavity, "mesentery", "", texture=0.6 * frame.noise(24))
    vertebra(image, 0.0, 0.29, frame.vary(0.115, 0.05), lumbar=True)
    (_upper if level == "liver" else _lower)(image, cavity, kidneys, rx / 0.88, ry / 0.64)
    aorta = frame.vary(0.058)
    image.paint(frame.ellipse(0.055, 0.13, aorta, aorta), "vessel", "Aorta")
    image.paint(frame.ellipse(-0.115, 0.125, 0.062, 0.047, 0.2), "vessel", "")


def _upper(image: Slice, cavity: Array, kidneys: tuple[bool, bool], sx: float, sy: float) -> None:
    frame = image.frame
    stretch = frame.vary(1.0, 0.06)

    def placed(points: list[Point]) -> list[Point]:
        return [(x * sx, y * sy) for x, y in points]

    liver = [(-0.66, -0.05), (-0.60, -0.25), (-0.42, -0.40), (-0.15, -0.45), (0.12 * stretch, -0.43),
        (0.30 * stretch, -0.33), (0.20, -0.20), (0.03, -0.12), (-0.06, 0.03), (-0.14, 0.12),
        (-0.24, 0.24), (-0.42, 0.39), (-0.60, 0.28), (-0.68, 0.12)]  # fmt: skip
    spleen = [(0.66, 0.10), (0.60, 0.30), (0.44, 0.41), (0.32, 0.40), (0.42, 0.30), (0.50, 0.17), (0.56, 0.03)]
    stomach = [(0.12, -0.16), (0.28, -0.33), (0.46, -0.36), (0.60, -0.20), (0.60, -0.03), (0.48, 0.10),
        (0.34, 0.12), (0.26, -0.02)]  # fmt: skip
    for side, there in ((-1, kidneys[0]), (1, kidneys[1])):
        if there and side > 0:
            _kidney(image, side, 0.30 * sx, 0.26 * sy, 0.085, 0.10, 0.3)
    _solid(image, frame.curve(placed(spleen), jitter=0.012) * cavity, "spleen", "Spleen")
    _stomach(image, placed(stomach), cavity)
    _solid(image, frame.curve(placed(liver), jitter=0.014) * cavity, "liver", "Liver")
    if kidneys[0]:
        _kidney(image, -1, -0.285 * sx, 0.30 * sy, 0.08, 0.09, -0.3)
    _liver_vessels(image, [((-0.10, 0.02), -2.6), ((-0.12, 0.05), 2.9), ((-0.05, -0.10), -1.3)])
    image.paint(frame.tube([(0.02, -0.40), (-0.02, -0.24), (0.0, -0.14)], [0.03, 0.012, 0.02]), "fat")
    image.paint(frame.tube([(-0.02, 0.22), (0.02, 0.10), (0.10, 0.20)], 0.03), "muscle")
    if frame.rng.random() < 0.6:
        image.paint(frame.ellipse(-0.21, -0.20, 0.062, 0.095, 0.5), "bile", "Gallbladder")


def _stomach(image: Slice, outline: list[Point], cavity: Array) -> None:
    """Paint the stomach with folds in its wall and a level between fluid and gas (gas is in front)."""
    frame = image.frame
    outer = frame.curve(outline, jitter=0.012) * cavity
    middle = np.mean(np.asarray(outline), axis=0)
    lumen = (
        frame.curve([(middle[0] + (x - middle[0]) * 0.84, middle[1] + (y - middle[1]) * 0.84) for x, y in outline])
        * outer
    )
    image.paint(outer, "bowel wall", "Stomach")
    image.paint(lumen, "stomach", texture=1.2 * frame.noise(20))
    level = middle[1] - 0.10 + 0.05 * frame.rng.normal()
    image.paint(lumen * soft(np.float32(level) - frame.y), "gas")


def _lower(image: Slice, cavity: Array, kidneys: tuple[bool, bool], sx: float, sy: float) -> None:
    frame = image.frame
    for side in (-1, 1):
        image.paint(frame.ellipse(side * 0.20, 0.28, 0.075, 0.10, side * 0.25), "muscle")
    front = frame.curve([(-0.30, -0.40), (0, -0.46), (0.5, -0.38), (0.64, -0.12), (0.58, 0.04),
        (0.28, -0.02), (0.0, 0.02), (-0.26, -0.08)])  # fmt: skip
    filled = "bowel content" if frame.rng.random() < 0.6 or image.contrast != "CT" else "vessel"
    mottled(image, front * cavity, filled, 0.5, 13)
    colon = np.maximum(
        frame.ellipse(0.58 * sx, 0.10, 0.075, 0.09), frame.ellipse(-0.50 * sx, -0.30 * sy, 0.11, 0.075, -0.5)
    )
    image.paint(colon, "bowel wall", "Bowel")
    image.paint(np.clip(blur(colon, 1.6) * 5 - 3.6, 0, 1), "bowel content")
    image.paint(np.clip(blur(colon, 1.6) * 5 - 3.6, 0, 1) * ramp(frame.noise(14) + 0.3, 0.5), "gas")
    for side, there in ((-1, kidneys[0]), (1, kidneys[1])):
        if there:
            _kidney(image, side, side * frame.vary(0.385, 0.04) * sx, frame.vary(0.235, 0.06) * sy,
                frame.vary(0.125), frame.vary(0.145), side * 0.35)  # fmt: skip
    liver = [(-0.69, -0.05), (-0.60, -0.25), (-0.44, -0.27), (-0.36, -0.12), (-0.44, 0.02),
        (-0.56, 0.12), (-0.62, 0.26), (-0.69, 0.15)]  # fmt: skip
    _solid(image, frame.curve([(x * sx, y * sy) for x, y in liver], jitter=0.012) * cavity, "liver", "Liver")
    _liver_vessels(image, [((-0.42, -0.08), 3.0)])
    pancreas = [(-0.20, 0.0), (-0.10, 0.03), (0.05, -0.02), (0.2, -0.07), (0.32, -0.06)]
    image.paint(frame.tube(pancreas, [0.13, 0.11, 0.07, 0.075, 0.04]), "pancreas", "Pancreas", texture=frame.noise(40))
    for x, y in ((-0.06, 0.02), (0.03, 0.045)):
        image.paint(frame.ellipse(x, y, 0.026, 0.026), "vessel")


def coronal(image: Slice, kidneys: tuple[bool, bool]) -> None:
    """Draw a coronal slice through the kidneys and the spine, from the lung bases to the pelvis."""
    frame = image.frame
    outline = [(0.60, -1.15), (0.68, -0.7), (0.68, -0.3), (0.63, 0.1), (0.66, 0.4), (0.76, 0.7), (0.80, 1.2)]
    body = frame.curve([*outline, *mirrored(outline)[::-1]], jitter=0.008)
    image.paint(body, "skin", "")
    image.paint(np.clip(blur(body, 2.5) * 4 - 3, 0, 1), "fat", texture=0.5 * frame.noise(30))
    inner = [(x - 0.075 * (1 + 0.5 * (y > 0)), y) for x, y in outline]
    image.paint(frame.curve([*inner, *mirrored(inner)[::-1]]), "muscle", "", texture=0.6 * frame.noise(22))
    deep = [(x - 0.06, y) for x, y in inner]
    cavity = frame.curve([*deep, *mirrored(deep)[::-1]])
    image.paint(cavity, "mesentery", "", texture=0.6 * frame.noise(24))
    for side in (-1, 1):
        for number in range(5):
            image.paint(
                frame.ellipse(side * (0.575 - 0.012 * number), -0.80 + 0.16 * number, 0.02, 0.042, side * 0.3), "bone"
            )
    floor = frame.curve([(-0.52, 0.35), (-0.3, 0.25), (0, 0.34), (0.3, 0.25), (0.52, 0.35),
        (0.46, 0.62), (0, 0.80), (-0.46, 0.62)])  # fmt: skip
    mottled(image, floor * cavity, "bowel content", 0.45, 12)
    colon = np.maximum(frame.tube([(-0.45, 0.1), (-0.47, 0.3), (-0.42, 0.52)], [0.10, 0.13, 0.12]),
        frame.tube([(0.47, -0.1), (0.48, 0.2), (0.44, 0.48)], [0.08, 0.09, 0.08]))  # fmt: skip
    image.paint(colon, "bowel wall", "Bowel")
    lumen = np.clip(blur(colon, 1.6) * 5 - 3.6, 0, 1)
    image.paint(lumen, "bowel content", texture=2 * frame.noise(36))
    image.paint(lumen * ramp(frame.noise(16) - 0.1, 0.5), "gas")
    _pelvis(image)
    for side in (-1, 1):
        psoas = [(side * 0.12, -0.15), (side * 0.17, 0.15), (side * 0.25, 0.5)]
        image.paint(frame.tube(psoas, [0.05, 0.15, 0.13]), "muscle", "", texture=0.8 * frame.noise(30))
    _column(image)
    lung = np.maximum(frame.ellipse(-0.27, -1.0, 0.27, 0.30), frame.ellipse(0.27, -1.0, 0.27, 0.34)) * cavity
    image.paint(lung * soft(-frame.x - 0.05), "lung", "Right lung", texture=frame.noise(20))
    image.paint(lung * soft(frame.x - 0.05), "lung", "Left lung", texture=frame.noise(20))
    liver = [(-0.53, -0.45), (-0.46, -0.70), (-0.28, -0.78), (-0.10, -0.68), (0.02, -0.58),
        (-0.10, -0.40), (-0.24, -0.28), (-0.40, -0.12), (-0.50, 0.05), (-0.54, -0.1)]  # fmt: skip
    spleen = [(0.54, -0.45), (0.50, -0.66), (0.36, -0.70), (0.36, -0.52), (0.42, -0.36), (0.50, -0.24)]
    _solid(image, frame.curve(liver, jitter=0.014) * cavity, "liver", "Liver")
    _liver_vessels(image, [((-0.14, -0.45), 2.8), ((-0.14, -0.48), -2.6)])
    _solid(image, frame.curve(spleen, jitter=0.012) * cavity, "spleen", "Spleen")
    _stomach(image, [(0.12, -0.62), (0.26, -0.66), (0.32, -0.52), (0.26, -0.38), (0.12, -0.42)], cavity)
    for side, there in ((-1, kidneys[0]), (1, kidneys[1])):
        if there:
            low = 0.07 if side < 0 else -0.05
            _kidney(image, side, side * frame.vary(0.285, 0.05), frame.rng.normal(low, 0.02),
                frame.vary(0.105), frame.vary(0.20, 0.06), side * -0.28)  # fmt: skip


def _column(image: Slice) -> None:
    """Paint lumbar vertebrae and the discs between them."""
    frame = image.frame
    image.paint(frame.tube([(0, -1.2), (0, 0.3), (0, 0.62)], [0.18, 0.21, 0.23]), "disc", "Spine")
    for number in range(9):
        y, half = -0.98 + 0.185 * number, 0.105 + 0.004 * number
        image.paint(frame.ellipse(0, y, half, 0.072, 0, 5), "bone")
        image.paint(frame.ellipse(0, y, half - 0.014, 0.058, 0, 5), "marrow", texture=1.5 * frame.noise(50))


def _pelvis(image: Slice) -> None:
    """Paint the iliac bones and the bladder."""
    frame = image.frame
    for side in (-1, 1):
        bone = [(side * 0.60, 0.46), (side * 0.56, 0.62), (side * 0.44, 0.82), (side * 0.40, 1.0)]
        image.paint(frame.tube(bone, [0.05, 0.07, 0.09, 0.16]), "bone", "Pelvis")
        image.paint(frame.tube(bone, [0.02, 0.04, 0.06, 0.13]), "marrow")
        image.paint(frame.ellipse(side * 0.56, 1.0, 0.11, 0.11), "bone", "Pelvis")
        image.paint(frame.ellipse(side * 0.56, 1.0, 0.095, 0.095), "marrow")
    image.paint(frame.ellipse(0, 0.90, 0.25, 0.16, 0, 2.4), "bowel wall")
    image.paint(frame.ellipse(0, 0.90, 0.232, 0.145, 0, 2.4), "urine", "Bladder")

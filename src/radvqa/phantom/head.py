"""Slices of the head: scalp, skull with diploe, folded cortex, white matter, deep nuclei and ventricles."""

import numpy as np

from radvqa.phantom.canvas import Slice
from radvqa.phantom.geometry import Array, Frame, Point, blur, mirrored, ramp, soft

_SULCI = np.float32(11)  # half the number of sulci around the brain


def _folds(frame: Frame, depth: Array, clefts: Array, *, centre: Point = (0.0, 0.0), reach: float = 0.17) -> Array:
    """Return depth below the folded surface of the brain: negative in sulci, small in cortex, large in white matter.

    Args:
        frame: the patient's coordinates.
        depth: depth below the smooth surface.
        clefts: coverage of the named fissures.
        centre: where sulci point to.
        reach: how deep sulci go.
    """
    cx, cy = centre
    away = np.hypot(frame.x - np.float32(cx), frame.y - np.float32(cy))
    turn = np.arctan2(frame.y - np.float32(cy), frame.x - np.float32(cx)) * _SULCI  # sulci run inwards, and wander
    field = np.sin(turn + 0.8 * frame.noise(8) + 0.8 * frame.noise(14) + np.float32(frame.rng.uniform(0, 7)))
    beside = np.abs(field) * away / _SULCI - np.float32(0.006) * (1 + 0.8 * frame.noise(9))
    end = np.float32(reach) * np.clip(0.8 + 0.3 * frame.noise(13), 0.3, 1.4)
    sulcus = beside + 1.5 * np.maximum(depth - end, 0)
    return np.asarray(np.minimum(depth, sulcus) - clefts * np.float32(0.16))


def _cortex(image: Slice, folded: Array, left: Array) -> None:
    """Paint white matter and the ribbon of cortex, and note the hemispheres (``left`` is the patient's left)."""
    frame = image.frame
    brain = soft(folded)
    image.paint(brain, "white", texture=0.35 * frame.noise(12))
    grey = brain * (1 - ramp(folded - np.float32(0.036) - 0.005 * frame.noise(14), 0.02))
    image.paint(grey, "grey", texture=0.4 * frame.noise(20))
    image.mark(brain * left, "Left brain")
    image.mark(brain * (1 - left), "Right brain")


def _bone_ring(image: Slice, depth: Array, scalp: float, skull: float) -> None:
    """Paint scalp, outer table, diploe and inner table between the skin and the subarachnoid space."""
    frame = image.frame
    wavy = depth + 0.006 * frame.noise(4)
    image.paint(soft(depth), "skin", "")
    image.paint(soft(depth - 0.012), "fat")
    image.paint(soft(wavy - scalp * 0.72), "muscle")
    image.paint(soft(wavy - scalp), "bone", "Skull")
    spongy = soft(wavy - scalp - 0.017) * (1 - soft(wavy - scalp - skull + 0.015))
    image.paint(spongy, "diploe", texture=1.2 * frame.noise(40))
    image.paint(soft(depth - scalp - skull), "csf", "")


def axial(image: Slice, level: str) -> None:
    """Draw a transverse slice.

    Args:
        image: an empty slice.
        level: ``nuclei`` (frontal horns, thalamus), ``ventricles`` (bodies) or ``vertex`` (above the ventricles).
    """
    frame = image.frame
    shrink = {"nuclei": 1.0, "ventricles": 0.98, "vertex": 0.9}[level]
    rx, ry = frame.vary(0.70, 0.025) * shrink, frame.vary(0.87, 0.02) * shrink
    wide = rx * (1 + 0.07 * np.tanh(2 * frame.y))
    radius = np.sqrt((frame.x / wide) ** 2 + (frame.y / np.float32(ry)) ** 2)
    depth = np.asarray((1 - radius) * np.float32(np.sqrt(rx * ry)))
    scalp, skull = frame.vary(0.062, 0.15), frame.vary(0.062, 0.12)
    _bone_ring(image, depth, scalp, skull)
    inside = depth - np.float32(scalp + skull + abs(frame.vary(0.014, 0.4)))

    middle = frame.x + 0.008 * frame.noise(5)
    fissure = np.exp(-((middle / 0.016) ** 2))
    if level != "vertex":
        fissure = fissure * np.clip((np.abs(frame.y + 0.02) - 0.27) / 0.06, 0, 1)
    clefts = fissure * 0.9
    if level == "nuclei":
        for side in (-1, 1):
            sylvian = [(side * 0.60, -0.12), (side * 0.47, -0.07), (side * 0.40, 0.03), (side * 0.39, 0.16)]
            clefts = np.maximum(clefts, blur(frame.tube(sylvian, [0.05, 0.03, 0.022, 0.01]), 1.6) * 1.5)
    folded = _folds(frame, inside, clefts, reach=0.22 if level == "vertex" else 0.18)
    left = soft(middle)
    _cortex(image, folded, left)
    falx = soft(0.005 - np.abs(middle)) * soft(inside + 0.01) * np.clip((np.abs(frame.y) - 0.3) / 0.1, 0, 1)
    image.paint(falx * 0.8, "falx")
    if level == "nuclei":
        _nuclei(image)
    if level != "vertex":
        _lateral_ventricles(image, low=level == "nuclei")


def _nuclei(image: Slice) -> None:
    """Paint caudate heads, lentiform nuclei, thalami and the insular cortex."""
    frame = image.frame
    parts = np.zeros_like(frame.x)
    rough = 0.10 * frame.noise(10)
    for side in (-1, 1):
        for cx, cy, rx, ry, angle in (
            (0.12, -0.17, 0.045, 0.085, -0.35),
            (0.245, -0.02, 0.062, 0.135, -0.28),
            (0.105, 0.09, 0.082, 0.125, 0.35),
        ):
            shape = frame.ellipse(side * frame.vary(cx, 0.04), cy, rx, frame.vary(ry), side * angle, rough=rough)
            parts = np.maximum(parts, shape)
    image.paint(blur(parts, 0.9) * 0.9, "grey", texture=0.4 * frame.noise(18))


def _lateral_ventricles(image: Slice, *, low: bool) -> None:
    frame = image.frame
    size = frame.vary(1.0, 0.22)
    fluid, plexus = np.zeros_like(frame.x), np.zeros_like(frame.x)
    for side in (-1.0, 1.0):
        if low:
            horn = [(0.135, -0.31), (0.085, -0.24), (0.05, -0.13), (0.032, -0.03)]
            atrium = [(0.15, 0.17), (0.205, 0.25), (0.20, 0.36), (0.165, 0.46)]
            pieces = [(horn, [0.02, 0.062, 0.055, 0.015]), (atrium, [0.03, 0.085, 0.06, 0.012])]
        else:
            body = [(0.115, -0.36), (0.075, -0.22), (0.058, -0.02), (0.10, 0.16), (0.165, 0.31), (0.17, 0.42)]
            pieces = [(body, [0.03, 0.085, 0.075, 0.085, 0.085, 0.015])]
        for points, widths in pieces:
            placed = [(side * x * (0.9 + 0.1 * size), y) for x, y in points]
            fluid = np.maximum(fluid, frame.tube(placed, [w * size for w in widths]))
        plexus = np.maximum(plexus, frame.ellipse(side * 0.19, 0.26, 0.022, 0.035, side * 0.3))
    if low:
        fluid = np.maximum(fluid, frame.ellipse(0, 0.06, 0.013 * size, 0.095))
        quadrigeminal = frame.curve([(-0.07, 0.26), (0, 0.21), (0.07, 0.26), (0.0, 0.30)])
        fluid = np.maximum(fluid, quadrigeminal)
    image.paint(fluid, "csf", "Ventricle")
    if low:
        image.paint(plexus, "plexus")


def coronal(image: Slice) -> None:
    """Draw a coronal slice through the ventricles and the cerebellum."""
    frame = image.frame
    outline = [(0, -0.88), (0.36, -0.80), (0.60, -0.52), (0.66, -0.15), (0.61, 0.18), (0.56, 0.42), (0.48, 0.62)]
    outline += [(0.44, 0.85), (0.45, 1.15)]
    head = frame.curve([*outline, *mirrored(outline)[::-1][:-1]], jitter=0.006)
    image.paint(head, "skin", "")
    image.paint(_inner(head, 0.014), "fat")
    image.paint(_inner(head, 0.045), "muscle", texture=1.2 * frame.noise(14))
    for side in (-1, 1):
        image.paint(frame.tube([(side * 0.2, 0.62), (side * 0.22, 0.8), (side * 0.2, 1.2)], 0.05), "fat")
        image.paint(frame.tube([(side * 0.34, 0.66), (side * 0.34, 0.85), (side * 0.36, 1.2)], 0.03), "fat")

    depth = (1 - frame.radius(0, -0.20, 0.585, 0.60, power=2.25)) * np.float32(0.59)
    bone = np.maximum(soft(depth), frame.ellipse(0, 0.36, 0.47, 0.32))
    image.paint(bone, "bone", "Skull")
    image.paint(soft(depth - 0.018) * (1 - soft(depth - 0.04)), "diploe", texture=frame.noise(40))
    for side in (-1, 1):  # air cells of the mastoid
        cells = frame.ellipse(side * 0.44, 0.44, 0.075, 0.085) * ramp(frame.noise(45) + 0.2, 0.8)
        image.paint(frame.ellipse(side * 0.44, 0.44, 0.09, 0.10), "bone")
        image.paint(cells, "air")
    fossa = frame.ellipse(0, 0.31, 0.405, 0.30)
    image.paint(np.maximum(soft(depth - 0.06), fossa), "csf", "")

    middle = frame.x + 0.007 * frame.noise(5)
    floor = np.float32(0.20) - 0.35 * np.abs(frame.x) ** 2 + 0.10 * np.cos(frame.x * 5) - frame.y
    inside = np.minimum(depth - 0.075, floor)
    clefts = np.exp(-((middle / 0.015) ** 2)) * np.clip((-0.22 - frame.y) / 0.05, 0, 1)
    for side in (-1, 1):
        sylvian = [(side * 0.62, -0.08), (side * 0.48, -0.10), (side * 0.38, -0.07), (side * 0.35, 0.02)]
        clefts = np.maximum(clefts, blur(frame.tube(sylvian, [0.05, 0.03, 0.025, 0.012]), 1.6) * 1.4)
    _cortex(image, _folds(frame, inside, clefts, centre=(0.0, -0.1)), soft(middle))
    image.paint(soft(0.005 - np.abs(middle)) * np.clip((-0.27 - frame.y) / 0.05, 0, 1) * soft(depth - 0.06), "falx")

    parts, fluid = np.zeros_like(frame.x), np.zeros_like(frame.x)
    size = frame.vary(1.0, 0.2)
    for side in (-1, 1):
        parts = np.maximum(parts, frame.ellipse(side * 0.105, -0.02, 0.08, 0.085))
        parts = np.maximum(parts, frame.ellipse(side * 0.24, -0.06, 0.055, 0.095, side * 0.2))
        parts = np.maximum(parts, frame.ellipse(side * 0.14, -0.17, 0.035, 0.035))
        horn = [(side * 0.02, -0.15), (side * 0.07, -0.20), (side * 0.15, -0.245)]
        fluid = np.maximum(fluid, frame.tube(horn, [0.03 * size, 0.075 * size, 0.02]))
        fluid = np.maximum(fluid, frame.ellipse(side * 0.30, 0.12, 0.035, 0.014 * size, side * 0.5))
    image.paint(blur(parts, 0.9) * 0.9, "grey")
    fluid = np.maximum(fluid, frame.ellipse(0, -0.04, 0.013 * size, 0.07))
    image.paint(fluid, "csf", "Ventricle")

    stem = frame.curve([(-0.1, 0.06), (0.1, 0.06), (0.14, 0.24), (0.09, 0.42), (0.07, 0.7),
        (-0.07, 0.7), (-0.09, 0.42), (-0.14, 0.24)])  # fmt: skip
    canal = frame.tube([(0, 0.5), (0, 1.2)], 0.2)
    image.paint(frame.tube([(0, 0.66), (0, 1.2)], 0.36), "marrow", "Spine", texture=frame.noise(20))
    image.paint(canal, "csf")
    image.paint(frame.tube([(0, 0.5), (0, 1.2)], 0.10), "cord")
    for side in (-1, 1):
        half = frame.curve([(side * p, q) for p, q in ((0.05, 0.27), (0.2, 0.24), (0.36, 0.31),
            (0.36, 0.42), (0.24, 0.53), (0.07, 0.52))])  # fmt: skip
        image.paint(half, "grey", "Cerebellum", texture=0.4 * frame.noise(16))
        folia = np.sin((frame.y * 1.0 + side * frame.x * 0.25 + 0.01 * frame.noise(8)) * np.float32(95))
        white = frame.ellipse(side * 0.19, 0.385, 0.12, 0.07, side * 0.2)
        image.paint(half * np.clip(folia, 0, 1) * 0.45, "csf")
        image.paint(blur(white, 1.2), "white")
    image.paint(stem, "white", "Brainstem", texture=0.5 * frame.noise(14))


def _inner(coverage: Array, distance: float) -> Array:
    """Return a shape drawn in by a distance (anatomical units)."""
    sigma = distance * 128
    return np.asarray(np.clip((blur(coverage, sigma) - 0.84) * np.float32(sigma * 1.6) + 0.5, 0, 1) * coverage)


def sagittal(image: Slice) -> None:
    """Draw the midline slice, the face to the left of the picture."""
    frame = image.frame
    profile = [
        (-0.20, -0.86), (-0.52, -0.68), (-0.70, -0.36), (-0.715, -0.14), (-0.70, -0.02), (-0.80, 0.14), (-0.83, 0.21),
        (-0.72, 0.25), (-0.755, 0.33), (-0.73, 0.39), (-0.75, 0.46), (-0.68, 0.52), (-0.70, 0.62), (-0.60, 0.70),
        (-0.40, 0.72), (-0.26, 0.82), (-0.24, 1.2), (0.52, 1.2), (0.50, 0.78), (0.58, 0.50),
        (0.72, 0.22), (0.78, -0.08), (0.70, -0.46), (0.44, -0.76), (0.12, -0.89),
    ]  # fmt: skip
    head = frame.curve(profile, jitter=0.005)
    image.paint(head, "skin", "")
    image.paint(_inner(head, 0.012), "fat")
    image.paint(_inner(head, 0.04), "muscle", texture=1.0 * frame.noise(14))
    image.paint(frame.curve([(0.30, 0.55), (0.5, 0.5), (0.46, 0.9), (0.44, 1.2), (0.34, 1.2)]), "fat")
    image.paint(frame.curve([(0.33, 0.5), (0.43, 0.5), (0.40, 0.9), (0.38, 1.2), (0.33, 1.2)]), "muscle")

    depth = (1 - frame.radius(0.03, -0.20, 0.675, 0.625, 0.10, 2.2)) * np.float32(0.65)
    image.paint(soft(depth), "bone", "Skull")
    image.paint(soft(depth - 0.018) * (1 - soft(depth - 0.045)), "diploe", texture=frame.noise(40))
    base = frame.curve([(-0.62, 0.02), (-0.3, 0.03), (-0.08, 0.12), (0.02, 0.3), (0.1, 0.42),
        (0.02, 0.47), (-0.1, 0.30), (-0.25, 0.16), (-0.6, 0.10)])  # fmt: skip
    fossa = frame.ellipse(0.32, 0.25, 0.33, 0.26, 0.35)
    image.paint(np.maximum(soft(depth - 0.065), fossa), "csf", "")
    image.paint(base, "marrow", "")
    # nose, mouth, throat
    image.paint(
        frame.curve([(-0.62, 0.12), (-0.35, 0.13), (-0.14, 0.26), (-0.15, 0.33), (-0.4, 0.30), (-0.66, 0.27)]), "air"
    )
    for row in range(3):
        image.paint(frame.tube([(-0.58, 0.165 + 0.045 * row), (-0.3, 0.18 + 0.045 * row)], 0.026), "grey")
    image.paint(frame.ellipse(-0.60, -0.02, 0.045, 0.05), "air")
    image.paint(frame.ellipse(-0.20, 0.13, 0.07, 0.05), "air")
    image.paint(frame.curve([(-0.66, 0.33), (-0.3, 0.335), (-0.15, 0.37), (-0.2, 0.39), (-0.64, 0.37)]), "bone")
    image.paint(frame.curve([(-0.60, 0.42), (-0.4, 0.385), (-0.22, 0.45), (-0.2, 0.6), (-0.4, 0.64),
        (-0.52, 0.56)]), "muscle", texture=1.5 * frame.noise(18))  # fmt: skip
    image.paint(frame.tube([(-0.13, 0.28), (-0.11, 0.5), (-0.1, 0.8), (-0.08, 1.2)], [0.05, 0.055, 0.07, 0.08]), "air")
    image.paint(frame.ellipse(-0.60, 0.575, 0.05, 0.07, 0.4), "marrow", "Mandible")
    for tooth in (0.385, 0.45):
        image.paint(frame.ellipse(-0.665, tooth, 0.022, 0.032), "bone")

    floor = np.float32(0.20) + 0.20 * np.clip(frame.x, -0.1, 0.25) - 0.20 * np.clip(-frame.x, 0, 1) - frame.y
    inside = np.minimum(depth - np.float32(0.085), floor - 0.10)
    callosal = np.exp(-(((frame.radius(0.06, -0.10, 0.36, 0.25) - 1.0) / 0.03) ** 2)) * soft(-0.06 - frame.y)
    folded = _folds(frame, inside, callosal * 0.5, centre=(0.05, -0.05), reach=0.28)
    _cortex(image, folded, np.zeros_like(folded))
    deep = frame.ellipse(0.05, -0.06, 0.30, 0.17)
    image.paint(deep, "csf", "Ventricle")
    image.paint(frame.ellipse(0.05, 0.01, 0.15, 0.10), "grey", "Right brain")
    arc = [(-0.21, -0.02), (-0.26, -0.09), (-0.22, -0.20), (-0.02, -0.275), (0.2, -0.25), (0.335, -0.14), (0.31, -0.06)]
    image.paint(frame.tube(arc, [0.035, 0.06, 0.062, 0.05, 0.05, 0.085, 0.05]), "white", "Right brain")
    fornix = [(0.28, -0.13), (0.1, -0.17), (-0.07, -0.10), (-0.1, 0.0)]
    image.paint(frame.tube(fornix, 0.028), "white")
    # vertebrae, cord and posterior fossa
    image.paint(frame.tube([(0.10, 0.42), (0.15, 0.7), (0.17, 1.2)], [0.17, 0.19, 0.21]), "csf", "")
    for number in range(4):
        top = 0.53 + 0.165 * number
        image.paint(frame.ellipse(0.005 + 0.03 * number, top, 0.068, 0.07, 0.1, 4), "bone")
        image.paint(frame.ellipse(0.005 + 0.03 * number, top, 0.056, 0.058, 0.1, 4), "marrow", "Spine")
        image.paint(frame.ellipse(0.30 + 0.012 * number, top + 0.06, 0.07, 0.032, 0.3), "marrow")
    image.paint(frame.tube([(0.15, 0.36), (0.155, 0.5), (0.16, 0.8), (0.17, 1.2)], [0.12, 0.10, 0.085, 0.085]), "cord")
    half = frame.curve([(0.23, 0.13), (0.38, 0.06), (0.54, 0.14), (0.57, 0.30), (0.44, 0.41),
        (0.29, 0.40), (0.24, 0.30)])  # fmt: skip
    image.paint(half, "grey", "Cerebellum", texture=0.4 * frame.noise(16))
    turn = np.arctan2(frame.y - 0.25, frame.x - 0.25)
    away = frame.radius(0.25, 0.25, 1, 1)
    folia = np.clip(np.sin(turn * 26 + 0.6 * frame.noise(7)), 0, 1) * np.clip((away - 0.07) / 0.1, 0, 1)
    image.paint(half * folia * 0.5, "csf")
    for angle in (-0.75, -0.25, 0.25, 0.75):
        tip = (0.25 + 0.24 * np.cos(angle), 0.25 + 0.24 * np.sin(angle))
        image.paint(frame.tube([(0.26, 0.25), tip], [0.045, 0.012]) * half, "white")
    image.paint(frame.curve([(0.215, 0.2), (0.26, 0.25), (0.215, 0.34), (0.2, 0.27)], jitter=0.004), "csf", "Ventricle")
    stem = [(0.0, 0.04), (0.13, 0.02), (0.2, 0.10), (0.205, 0.3), (0.21, 0.42), (0.11, 0.42),
        (0.06, 0.33), (0.02, 0.23), (0.05, 0.13)]  # fmt: skip
    image.paint(frame.curve(stem, jitter=0.005), "white", "Brainstem", texture=0.5 * frame.noise(14))

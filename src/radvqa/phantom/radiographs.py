"""Projections of skull, chest and abdomen: attenuation summed through depth, bone as tubes and shells."""

from itertools import pairwise

import numpy as np

from radvqa.phantom.canvas import Film
from radvqa.phantom.geometry import Array, Frame, Point, Stroke, blur, mirrored, ramp, smooth_open, soft
from radvqa.phantom.torso import tree


def _domed(coverage: Array, sigma: float) -> Array:
    """Turn an outline into a path length that thins out towards the edge, as a rounded organ does."""
    return np.asarray(coverage * (0.4 + 0.6 * np.clip(2 * blur(coverage, sigma) - 1, 0, 1)))


def _tubes(frame: Frame, lines: list[list[Point]], width: float) -> Array:
    """Project hollow bones: a bright rim of compact bone where the beam grazes the wall, less within."""
    full: list[tuple[Array, float]] = []
    for line in lines:
        full.append((frame.ribbon(line, width), 1.0))
        full.append((frame.ribbon(line, width * 0.62), 0.58))
    return blur(frame.polygons(full), 0.7)


def _ring(frame: Frame, points: list[Point], width: float, inside: float) -> Array:
    """Project a closed shell of bone: its rim bright, its face ``inside`` as bright."""
    closed = [*points, points[0]]
    face = frame.curve(points, jitter=0.0)
    return np.maximum(face * np.float32(inside), frame.tube(closed, width))


def _rib(number: int, side: int, bend: float) -> tuple[list[Point], list[Point]]:
    """Return the posterior and the anterior part of one rib, as seen from the front."""
    wide = 0.40 + 0.30 * (1 - np.exp(-(number + 0.35) / 1.7)) + 0.006 * number
    top = -0.79 + 0.135 * number
    fall = 0.10 + 0.045 * number * bend
    angles = np.linspace(0.10, np.pi * (0.82 if number < 7 else 0.74 - 0.055 * (number - 6)), 13)
    x = side * wide * np.sin(angles) ** 0.85
    y = top + fall * (1 - np.cos(angles)) * 0.55 - 0.06 * np.sin(angles * 1.3) * np.exp(-((angles - 0.6) ** 2) * 2)
    points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    return points[:8], points[7:]


def _cage(film: Film, numbers: range, strength: float) -> None:
    """Project the ribs: the posterior parts bright, the anterior ones, of softer bone, fainter."""
    frame = film.frame
    bend = frame.vary(1.0, 0.08)
    back: list[list[Point]] = []
    front: list[list[Point]] = []
    for number in numbers:
        for side in (-1, 1):
            rear, fore = _rib(number, side, bend)
            back.append(rear)
            front.append(fore)
    film.add(_tubes(frame, back, 0.058), strength)
    film.add(_tubes(frame, front, 0.064), strength * 0.55)


def _spine(film: Film, top: float, count: int, height: float, half: float, strength: float) -> None:
    """Project vertebral bodies with end plates, pedicles and spinous processes."""
    frame = film.frame
    shapes: list[tuple[Array, float]] = []
    for number in range(count):
        y, w, h = top + height * number, half * (1 + 0.018 * number), height * 0.40
        for grow, value in ((1.0, 0.95), (0.86, 0.62)):
            box = [(-w, -h), (0, -h * 0.9), (w, -h), (w * 0.86, 0), (w, h), (0, h * 0.9), (-w, h), (-w * 0.86, 0)]
            shapes.append((np.asarray([(a * grow, y + b * grow) for a, b in box]), value))
        for side in (-1, 1):
            arm = [(side * w * 0.8, y - h * 0.2), (side * w * 1.75, y - h * 0.35)]
            shapes.append((frame.ribbon(arm, [h * 0.6, h * 0.4]), 0.42))
            ring = np.linspace(0, 2 * np.pi, 13)[:-1]
            centre = np.asarray([side * w * 0.55, y - h * 0.25])
            for size, value in ((1.0, 1.0), (0.6, 0.6)):
                shapes.append((centre + size * np.stack([w * 0.22 * np.cos(ring), h * 0.42 * np.sin(ring)], 1), value))
        shapes.append((frame.ribbon([(0, y + h * 0.05), (0, y + h * 1.0)], [w * 0.25, w * 0.3]), 0.95))
    picture = blur(frame.polygons(shapes), 0.8)
    film.add(picture * (1 + 0.06 * frame.noise(40)), strength)
    column = frame.tube([(0, top - height), (0, top + height * count)], half * 2)
    film.mark(column, "Spine")


def chest(film: Film, heart: float) -> None:
    """Draw a frontal chest film.

    Args:
        film: an empty film.
        heart: width of the heart's silhouette, 1 for normal.
    """
    frame = film.frame
    outline = [(0.18, -1.2), (0.20, -0.98), (0.42, -0.90), (0.80, -0.84), (1.15, -0.70), (1.2, -0.35),
        (0.90, -0.25), (0.84, 0.1), (0.83, 0.5), (0.86, 1.2)]  # fmt: skip
    body = frame.curve([*outline, *mirrored(outline)[::-1]], jitter=0.008)
    trunk = frame.radius(0, 0.1, 0.98, 1.6, 0, 2.4)
    film.add(body * (0.75 + 0.85 * np.sqrt(np.maximum(1 - trunk * trunk, 0)) + 0.25 * ramp(frame.y - 0.4, 1.6)), 1.0)

    tilt = frame.vary(0.03, 0.5)
    high = frame.rng.normal(0.0, 0.03)
    right = [(-0.13, -0.74), (-0.30, -0.80), (-0.47, -0.66), (-0.60, -0.35), (-0.68, 0.05),
        (-0.71, 0.50 + high), (-0.60, 0.42 + high), (-0.42, 0.33 + high), (-0.22, 0.36 + high),
        (-0.13, 0.42 + high), (-0.12, 0.0), (-0.09, -0.4)]  # fmt: skip
    left = [(0.13, -0.74), (0.30, -0.80), (0.47, -0.66), (0.60, -0.35), (0.68, 0.05),
        (0.71, 0.53 + high), (0.62, 0.47 + high), (0.46, 0.38 + high + tilt),
        (0.26, 0.40 + high + tilt), (0.14, 0.46 + high), (0.14, 0.0), (0.10, -0.4)]  # fmt: skip
    air = [frame.curve(right, jitter=0.008), frame.curve(left, jitter=0.008)]
    for coverage, organ in zip(air, ("Right lung", "Left lung"), strict=True):
        film.add(_domed(coverage, 9), -1.02)
        film.mark(coverage, organ)
    lungs = np.maximum(air[0], air[1])
    strokes: list[Stroke] = []
    for side, place in ((-1, (-0.15, -0.10)), (1, (0.19, -0.14))):
        for angle in (-1.15, -0.55, 0.1, 0.55, 0.95, 1.3):
            turn = angle if side > 0 else np.pi - angle
            strokes += tree(frame, place, turn + frame.rng.normal(0, 0.1), frame.vary(0.16, 0.15), 0.036, 3)
    film.markings += 0.24 * blur(frame.strokes(strokes), 0.9) * lungs + 0.035 * np.abs(frame.noise(44)) * lungs
    for side, (x, y) in ((-1, (-0.17, -0.08)), (1, (0.20, -0.13))):
        film.integral += 0.28 * blur(frame.ellipse(x, y, 0.055, 0.12, side * -0.3), 3.0)

    middle = frame.curve([(-0.10, -1.2), (-0.11, -0.75), (-0.12, -0.3), (-0.13, 0.5), (0.14, 0.5),
        (0.13, -0.2), (0.17, -0.40), (0.15, -0.50), (0.10, -0.60), (0.09, -1.2)])  # fmt: skip
    big = heart
    silhouette = [(-0.10, -0.15), (-0.20 * big, 0.05), (-0.225 * big, 0.22), (-0.17 * big, 0.42),
        (0.10, 0.50), (0.36 * big, 0.47), (0.45 * big, 0.36), (0.38 * big, 0.16), (0.25, -0.02),
        (0.15, -0.17)]  # fmt: skip
    heart_shape = frame.curve(silhouette, jitter=0.008)
    film.integral += np.maximum(0.40 * blur(middle, 1.0), 0.60 * blur(_domed(heart_shape, 7), 0.8))
    film.mark(heart_shape, "Heart")
    film.add(blur(frame.tube([(0.03, -0.30), (0.07, -0.42), (0.15, -0.42), (0.15, -0.2),
        (0.10, 0.3)], [0.10, 0.11, 0.11, 0.09, 0.08]), 1.2), 0.22)  # fmt: skip
    for line, width in (([(0.0, -1.1), (-0.005, -0.6), (-0.01, -0.30)], 0.075), ([(-0.01, -0.31),
        (-0.13, -0.16)], 0.05), ([(-0.01, -0.31), (0.14, -0.19)], 0.045)):  # fmt: skip
        film.add(blur(frame.tube(line, width), 1.2), -0.30)
    film.mark(frame.tube([(0.0, -0.95), (-0.01, -0.30)], 0.075), "Trachea")
    under = frame.curve([(-0.85, 0.62), (-0.6, 0.44 + high), (-0.42, 0.35 + high), (-0.15, 0.45),
        (0.2, 0.5), (0.46, 0.42 + high), (0.85, 0.62), (0.9, 1.3), (-0.9, 1.3)])  # fmt: skip
    film.add(blur(under * (1 - lungs) * (1 - 0.9 * middle), 1.0), 0.50)
    film.add(blur(frame.ellipse(0.40, 0.56 + high, 0.12, 0.055, 0.1), 1.5), -0.42)
    _spine(film, -0.93, 14, 0.145, 0.075, 0.20)
    _cage(film, range(10), 0.25)
    for side in (-1, 1):
        collar = [(side * 0.09, -0.66), (side * 0.22, -0.74), (side * 0.42, -0.78), (side * 0.66, -0.86)]
        film.add(_tubes(frame, [collar], 0.065), 0.38)
        blade = [(side * 0.60, -0.76), (side * 0.72, -0.70), (side * 0.73, -0.45), (side * 0.66, -0.12),
            (side * 0.60, -0.22), (side * 0.58, -0.5)]  # fmt: skip
        film.add(blur(_ring(frame, blade, 0.022, 0.45), 0.8), 0.30)
        film.add(blur(_ring(frame, [(side * 0.78, -0.78), (side * 0.90, -0.76), (side * 0.92, -0.62),
            (side * 0.82, -0.56), (side * 0.76, -0.66)], 0.03, 0.7), 0.9), 0.4)  # fmt: skip
        film.add(blur(frame.tube([(side * 0.86, -0.62), (side * 0.95, -0.3), (side * 1.0, 0.1)], 0.11), 1.0), 0.35)
    if frame.rng.random() < 0.4:
        for side in (-1, 1):
            film.add(frame.chord(side * 0.43, 0.22, 0.27, 0.30, 0.28), 1.0)


def abdomen(film: Film) -> None:
    """Draw a supine film of the abdomen, from the lower ribs to the hips."""
    frame = film.frame
    outline = [(0.80, -1.2), (0.80, -0.5), (0.74, -0.05), (0.80, 0.35), (0.90, 0.8), (0.92, 1.2)]
    body = frame.curve([*outline, *mirrored(outline)[::-1]], jitter=0.01)
    depth = frame.radius(0, 0, 0.95, 2.6, 0, 2.6)
    film.add(body * (0.45 + 1.15 * np.sqrt(np.maximum(1 - depth * depth, 0))), 1.0)
    lungs = np.maximum(frame.ellipse(-0.36, -1.12, 0.30, 0.26), frame.ellipse(0.38, -1.12, 0.28, 0.24))
    film.add(blur(_domed(lungs, 6), 1.0), -0.6)
    liver = frame.curve([(-0.68, -0.55), (-0.55, -0.82), (-0.30, -0.86), (0.0, -0.76), (0.16, -0.68),
        (-0.05, -0.50), (-0.30, -0.30), (-0.55, -0.04), (-0.68, -0.14)])  # fmt: skip
    film.add(blur(_domed(liver, 10), 1.5), 0.24, "Liver")
    spleen = frame.curve([(0.66, -0.52), (0.60, -0.72), (0.44, -0.72), (0.42, -0.55), (0.52, -0.38), (0.62, -0.34)])
    film.add(blur(_domed(spleen, 7), 1.5), 0.20, "Spleen")
    for side, organ, y in ((-1, "Right kidney", -0.17), (1, "Left kidney", -0.26)):
        cx, cy = side * frame.vary(0.30, 0.05), y + frame.rng.normal(0, 0.02)
        film.add(blur(frame.chord(cx, cy, 0.115, 0.205, 0.26, side * -0.22), 1.2), 1.0, organ)
    for side in (-1, 1):
        psoas = frame.curve([(side * 0.10, -0.45), (side * 0.16, -0.38), (side * 0.30, 0.1),
            (side * 0.40, 0.5), (side * 0.3, 0.52), (side * 0.1, 0.25)])  # fmt: skip
        film.add(blur(psoas, 1.5), 0.15)
    _gas(film)
    back = []
    for number in range(4):
        for side in (-1, 1):
            top, reach = -0.98 + 0.19 * number, (0.66, 0.70, 0.62, 0.38)[number]
            fall = reach / 0.66
            back.append([(side * 0.10, top), (side * (0.05 + 0.45 * reach), top + 0.06 * fall),
                (side * reach * 0.87, top + 0.23 * fall), (side * reach, top + 0.40 * fall)])  # fmt: skip
    film.add(_tubes(frame, back, 0.062), 0.26)
    _spine(film, -0.94, 8, 0.20, 0.115, 0.42)
    _hips(film)


def _gas(film: Film) -> None:
    """Project the stomach's bubble, the colon with its pouches, and gas and stool in bowel."""
    frame = film.frame
    stomach = frame.curve(
        [(0.14, -0.66), (0.30, -0.76), (0.44, -0.66), (0.40, -0.50), (0.24, -0.44), (0.08, -0.40)], jitter=0.02
    )
    film.add(blur(_domed(stomach, 5), 1.2), -0.34, "Stomach")
    beads = np.asarray([(-0.52, 0.42), (-0.56, 0.20), (-0.55, 0.0), (-0.48, -0.12), (-0.25, -0.08),
        (0.0, 0.0), (0.25, -0.08), (0.50, -0.25), (0.58, -0.05), (0.56, 0.2), (0.5, 0.42), (0.3, 0.56),
        (0.08, 0.60)])  # fmt: skip
    path = smooth_open([(float(x), float(y)) for x, y in beads + frame.rng.normal(0, 0.025, beads.shape)])
    filled = frame.noise(6)
    pouches = np.zeros_like(frame.x)
    for index in range(0, len(path), 4):
        x, y = path[index]
        pouches = np.maximum(
            pouches, frame.ellipse(float(x), float(y), frame.vary(0.078, 0.18), frame.vary(0.07, 0.18))
        )
    some = pouches * ramp(filled - 0.1, 0.8)
    film.add(blur(some, 1.6) * (0.8 + 0.25 * frame.noise(30)), -0.40)
    film.mark(pouches * ramp(filled, 0.5), "Bowel")
    loops = (
        ramp(0.5 - np.abs(frame.noise(14)), 0.5)
        * ramp(frame.noise(7) - 0.8, 0.4)
        * frame.ellipse(0.0, 0.22, 0.42, 0.32)
    )
    film.add(blur(loops, 1.6), -0.24)


def _hips(film: Film) -> None:
    """Project iliac wings, sacrum, sacroiliac joints, pubis, hip joints and the bladder."""
    frame = film.frame
    sacrum = [(-0.22, 0.52), (0.0, 0.49), (0.22, 0.52), (0.16, 0.72), (0.05, 0.90), (-0.05, 0.90), (-0.16, 0.72)]
    film.add(blur(_ring(frame, sacrum, 0.025, 0.7), 0.9), 0.34)
    film.add(frame.chord(0, 0.90, 0.24, 0.17, 0.16), 1.0, "Bladder")
    for side in (-1, 1):
        wing = [(0.19, 0.56), (0.28, 0.42), (0.44, 0.33), (0.62, 0.34), (0.76, 0.46), (0.75, 0.58),
            (0.66, 0.70), (0.60, 0.86), (0.42, 0.90), (0.36, 0.82), (0.27, 0.74), (0.20, 0.66)]  # fmt: skip
        thin = np.clip(
            (frame.radius(side * 0.50, 0.55, 0.22, 0.20) - 0.2) / 0.9, 0, 1
        )  # the wing is thinnest in its middle
        shape = (
            _ring(frame, [(side * x, y) for x, y in wing], 0.024, 0.80)
            * (0.55 + 0.45 * thin)
            * (1 + 0.05 * frame.noise(40))
        )
        film.add(blur(shape, 0.9), 0.52)
        film.mark(shape, "Pelvis")
        socket = [(0.38, 0.82), (0.52, 0.80), (0.62, 0.90), (0.56, 1.02), (0.40, 1.05), (0.36, 0.95)]
        film.add(blur(_ring(frame, [(side * x, y) for x, y in socket], 0.03, 0.6), 0.9), 0.42)
        film.add(blur(frame.ellipse(side * 0.55, 0.96, 0.105, 0.105), 0.8), 0.36)
        film.add(_tubes(frame, [[(side * 0.60, 0.98), (side * 0.72, 1.02), (side * 0.80, 1.25)]], 0.16), 0.45)
        film.add(_tubes(frame, [[(side * 0.40, 0.98), (side * 0.2, 0.985), (side * 0.03, 1.04)]], 0.08), 0.40)


def head(film: Film) -> None:
    """Draw a frontal film of the skull with orbits, sinuses, nose, jaw, teeth and neck."""
    frame = film.frame
    outline = [(0, -0.94), (0.40, -0.86), (0.64, -0.58), (0.69, -0.2), (0.64, 0.1), (0.60, 0.35),
        (0.52, 0.62), (0.36, 0.84), (0.34, 1.2)]  # fmt: skip
    body = frame.curve([*outline, *mirrored(outline)[::-1][:-1]], jitter=0.006)
    film.add(_domed(body, 8), 0.42)
    rx, ry = frame.vary(0.615, 0.025), frame.vary(0.665, 0.02)
    cy = -0.215
    radius = frame.radius(0, cy, rx, ry, 0, 2.15)
    thickness = frame.vary(0.055, 0.12) + 0.003 * frame.noise(5)
    outer = np.sqrt(np.maximum(1 - radius**2, 0))
    inner = np.sqrt(np.maximum(1 - (radius / (1 - thickness / 0.62)) ** 2, 0))
    shell = (outer - inner) * (1 + 0.035 * frame.noise(46) + 0.06 * frame.noise(10))
    film.add(shell * (1 - 0.8 * ramp(frame.y - 0.12, 0.3)), 2.3)  # below, the base of the skull takes over
    film.add(outer, 0.40)  # brain and the far structures
    film.mark(soft(1 - radius), "Skull")
    seams: list[Stroke] = []
    for line in ([(-0.50, -0.30), (-0.3, -0.5), (0, -0.60), (0.3, -0.5), (0.50, -0.30)], [(0, -0.60), (0, -0.86)]):
        path = smooth_open(line) + frame.rng.normal(0, 0.008, (len(smooth_open(line)), 2))
        points = [(float(x), float(y)) for x, y in path]
        seams += [(a, b, 0.008, 1.0) for a, b in pairwise(points)]
    film.add(blur(frame.strokes(seams), 0.7), -0.16)
    lines: list[Stroke] = []
    for side in (-1, 1):  # the grooves of the meningeal vessels
        lines += tree(frame, (side * 0.50, -0.22), np.pi / 2 * -1 - side * 0.35, 0.2, 0.014, 2)
    film.add(blur(frame.strokes(lines), 0.9) * soft(0.93 - radius), -0.07)
    # base of the skull and face
    face = frame.curve(
        [(-0.50, 0.02), (0, -0.06), (0.50, 0.02), (0.46, 0.32), (0.28, 0.56), (-0.28, 0.56), (-0.46, 0.32)]
    )
    film.add(blur(face, 3.0), 0.38)
    for side in (-1, 1):
        ridge = [(side * 0.56, 0.16), (side * 0.36, 0.075), (side * 0.16, 0.13), (side * 0.10, 0.2)]
        film.add(blur(frame.tube(ridge, [0.11, 0.10, 0.07, 0.04]), 1.5), 0.38)
        orbit = [(0.09, -0.02), (0.20, -0.10), (0.36, -0.07), (0.42, 0.04), (0.36, 0.17), (0.22, 0.20), (0.11, 0.12)]
        placed = [(side * x, y) for x, y in orbit]
        film.add(blur(frame.curve(placed, jitter=0.004), 1.4), -0.40)
        film.add(blur(frame.tube([*placed, placed[0]], 0.024), 0.8), 0.34)
        film.add(blur(frame.tube([(side * 0.13, 0.13), (side * 0.44, -0.03)], 0.016), 0.7), 0.25)
        antrum = [
            (side * x, y)
            for x, y in ((0.12, 0.26), (0.22, 0.22), (0.36, 0.27), (0.30, 0.40), (0.19, 0.47), (0.13, 0.42))
        ]
        film.add(blur(frame.curve(antrum), 1.2), -0.36)
        film.add(blur(frame.tube([*antrum, antrum[0]], 0.014), 0.8), 0.20)
        film.add(blur(frame.ellipse(side * 0.06, -0.14, 0.055, 0.045), 1.0), -0.22)
        film.add(blur(frame.ellipse(side * 0.54, 0.30, 0.055, 0.09), 1.5) * (1 + 0.5 * frame.noise(46)), -0.15)
        jaw = [(side * 0.50, 0.22), (side * 0.485, 0.45), (side * 0.40, 0.66), (side * 0.22, 0.80), (0.0, 0.84)]
        film.add(_tubes(frame, [jaw], 0.115), 0.48)
        film.add(blur(frame.tube([(side * 0.40, 0.20), (side * 0.53, 0.19), (side * 0.58, 0.10)], 0.035), 0.9), 0.28)
    film.mark(frame.tube([(-0.40, 0.66), (-0.22, 0.80), (0, 0.84), (0.22, 0.80), (0.40, 0.66)], 0.11), "Mandible")
    nose = [(-0.03, 0.02), (0.03, 0.02), (0.105, 0.34), (0.07, 0.43), (-0.07, 0.43), (-0.105, 0.34)]
    film.add(blur(frame.curve(nose), 1.2), -0.40)
    film.add(blur(frame.tube([(0, 0.05), (frame.rng.normal(0, 0.01), 0.25), (0, 0.43)], 0.016), 0.8), 0.30)
    for side in (-1, 1):
        film.add(blur(frame.ellipse(side * 0.065, 0.32, 0.03, 0.075), 1.0), 0.22)
    _teeth(film)
    _spine(film, 0.78, 3, 0.16, 0.12, 0.35)


def _teeth(film: Film) -> None:
    frame = film.frame
    shapes: list[tuple[Array, float]] = []
    for row, bottom in ((0.545, 0.0), (0.655, 1.0)):
        for number in range(-5, 6):
            x = (number + 0.5 * (bottom - 0.5)) * 0.046
            y = row - 0.10 * (x / 0.25) ** 2 * 0.4
            root = y + (0.07 if bottom else -0.07)
            shapes.append((frame.ribbon([(x, y), (x * 0.96, root)], [0.034, 0.018]), 0.6))
            shapes.append((frame.ribbon([(x, y - 0.022), (x, y + 0.022)], [0.036, 0.036]), 1.0))
    film.add(blur(frame.polygons(shapes), 0.6), 0.48)

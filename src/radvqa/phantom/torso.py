"""What slices of chest and abdomen share: the body's wall, ribs, vertebrae, branching vessels, the table."""

import numpy as np

from radvqa.phantom.canvas import Slice
from radvqa.phantom.geometry import Array, Frame, Point, Stroke, ramp, soft


def wall(image: Slice, rx: float, ry: float, fat: float) -> Array:
    """Paint skin, subcutaneous fat and the muscular wall of a transverse slice.

    Args:
        image: an empty slice.
        rx: half the body's width.
        ry: half its depth.
        fat: thickness of the subcutaneous fat.

    Returns:
        Distance below the outer face of the muscle, in anatomical units; positive inside.
    """
    frame = image.frame
    if image.contrast == "CT":
        curve = frame.tube(
            [(-0.85, ry + 0.03), (-0.5, ry + 0.11), (0, ry + 0.14), (0.5, ry + 0.11), (0.85, ry + 0.03)], 0.022
        )
        image.paint(curve, "table")
    body = (1 - frame.radius(0, 0, rx, ry, 0, 2.35) + 0.012 * frame.noise(3)) * np.float32(np.sqrt(rx * ry))
    image.paint(soft(body), "skin", "")
    image.paint(soft(body - 0.014), "fat", texture=0.5 * frame.noise(30))
    uneven = fat * (1 + 0.35 * np.abs(frame.x) / rx + 0.12 * frame.noise(4))
    inside = np.asarray(body - uneven)
    image.paint(soft(inside), "muscle", texture=0.6 * frame.noise(24))
    for deep in (0.028, 0.05):  # fat planes between the layers of muscle
        plane = np.exp(-(((inside - np.float32(deep) - 0.004 * frame.noise(7)) / 0.007) ** 2))
        image.paint(plane * 0.55 * ramp(frame.noise(9) + 0.6, 1.0), "fat")
    return inside


def ribs(image: Slice, inside: Array, at: float, count: int) -> None:
    """Paint ribs cut obliquely around the cavity, ``at`` below the outer face of the muscle."""
    frame = image.frame
    turn = np.arctan2(frame.y * np.float32(1.5), frame.x)
    wave = np.sin(turn * count + np.float32(frame.rng.uniform(0, 6)) + 0.3 * frame.noise(4))
    gap = np.abs(np.abs(turn) - np.float32(np.pi / 2)) - np.float32(0.35)
    rib = soft(np.minimum((wave - 0.12) * 0.09, 0.028 - np.abs(inside - np.float32(at)))) * soft(gap)
    core = soft(np.minimum((wave - 0.30) * 0.09, 0.013 - np.abs(inside - np.float32(at)))) * soft(gap)
    image.paint(rib, "bone", "")
    image.paint(core, "marrow")


def vertebra(image: Slice, cx: float, cy: float, size: float, *, lumbar: bool) -> None:
    """Paint a vertebra from above: body, pedicles, canal with cord, transverse and spinous processes."""
    frame = image.frame
    wide = 1.5 if lumbar else 1.25
    for side in (-1, 1):
        image.paint(
            frame.ellipse(cx + side * size * 1.05, cy + size * 2.0, size * 0.85, size * 1.0, side * 0.2), "muscle", ""
        )
        image.paint(
            frame.ellipse(cx + side * size * 2.3, cy + size * 1.75, size * 0.75, size * 0.8, side * 0.5), "muscle"
        )
        arm = [
            (cx + side * size * 0.6, cy + size * 1.0),
            (cx + side * size * 1.5, cy + size * (1.1 if lumbar else 1.6)),
        ]
        image.paint(frame.tube(arm, [size * 0.5, size * 0.3]), "bone", "Spine")
        image.paint(frame.tube([(cx + side * size * 0.62, cy + size * 0.6),
            (cx + side * size * 0.62, cy + size * 1.2)], size * 0.36), "bone", "Spine")  # fmt: skip
        lamina = [(cx + side * size * 0.62, cy + size * 1.2), (cx, cy + size * 1.75), (cx, cy + size * 2.5)]
        image.paint(frame.tube(lamina, [size * 0.36, size * 0.34, size * 0.22]), "bone", "Spine")
    image.paint(frame.ellipse(cx, cy, size * wide * 0.85, size, 0, 2.6), "bone", "Spine")
    image.paint(frame.ellipse(cx, cy, size * wide * 0.74, size * 0.86, 0, 2.6), "marrow", texture=2.0 * frame.noise(46))
    image.paint(frame.ellipse(cx, cy + size * 1.18, size * 0.5, size * 0.36), "csf", "")
    image.paint(frame.ellipse(cx, cy + size * 1.18, size * 0.26, size * 0.19), "cord")


def tree(frame: Frame, start: Point, angle: float, length: float, width: float, depth: int) -> list[Stroke]:
    """Grow a branching vessel; returns strokes for ``Frame.strokes``, thinner and fainter with every branch."""
    rng = frame.rng
    strokes: list[Stroke] = []
    stack = [(start, angle, length, width, depth)]
    while stack:
        (x, y), turn, span, girth, left = stack.pop()
        bend = turn + rng.normal(0, 0.22)
        middle = (x + 0.5 * span * np.cos(turn), y + 0.5 * span * np.sin(turn))
        tip = (middle[0] + 0.5 * span * np.cos(bend), middle[1] + 0.5 * span * np.sin(bend))
        strokes.append(((x, y), middle, girth, min(1.0, 0.45 + girth * 20)))
        strokes.append((middle, tip, girth * 0.85, min(1.0, 0.45 + girth * 17)))
        if left > 0:
            spread = rng.uniform(0.3, 0.6)
            for way in (-1, 1):
                stack.append((tip, bend + way * spread, span * rng.uniform(0.62, 0.88), girth * 0.68, left - 1))
    return strokes


def mottled(image: Slice, coverage: Array, fill: str, share: float, cells: int = 16) -> None:
    """Paint loops of bowel: walls around contents, some filled with gas, some with fluid or ``fill``."""
    frame = image.frame
    loops = frame.noise(cells) + 0.4 * frame.noise(cells * 2)
    inside = ramp(0.75 - np.abs(loops), 0.25)
    image.paint(coverage, "mesentery", "Bowel")
    image.paint(coverage * ramp(1.0 - np.abs(loops), 0.25), "bowel wall")
    image.paint(coverage * inside * ramp(np.abs(loops) * -1 + 0.55, 0.25), fill, texture=0.8 * frame.noise(30))
    gas = coverage * ramp(frame.noise(cells // 2) - np.float32(1.2 - share), 0.3) * ramp(0.45 - np.abs(loops), 0.15)
    image.paint(gas, "gas")

"""What can be wrong: where each kind of finding may lie, its outline, and how slice and film show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from radvqa.phantom.canvas import ORGANS, Body, Film, Slice
from radvqa.phantom.geometry import SIZE, Array, blur, noise

Mask = npt.NDArray[np.bool_]

_BRAIN = ("Left brain", "Right brain")
_LUNGS = ("Left lung", "Right lung")
_KIDNEYS = ("Left kidney", "Right kidney")

SITES: Final[Mapping[tuple[str, str], Mapping[str, Sequence[str]]]] = {
    ("CT", "Head"): dict.fromkeys(("Hemorrhage", "Infarct", "Tumor", "Cyst"), _BRAIN),
    ("MRI", "Head"): dict.fromkeys(("Hemorrhage", "Infarct", "Tumor", "Cyst"), _BRAIN),
    ("X-Ray", "Head"): dict.fromkeys(("Lytic lesion", "Calcification", "Foreign body"), ("Left skull", "Right skull")),
    ("CT", "Chest"): dict.fromkeys(("Nodule", "Pneumonia", "Pleural effusion", "Pneumothorax"), _LUNGS),
    ("MRI", "Chest"): dict.fromkeys(("Nodule", "Pneumonia", "Pleural effusion"), _LUNGS),
    ("X-Ray", "Chest"): dict.fromkeys(("Nodule", "Pneumonia", "Pleural effusion", "Pneumothorax"), _LUNGS),
    ("CT", "Abdomen"): {"Cyst": ("Liver", *_KIDNEYS), "Tumor": ("Liver", "Spleen", *_KIDNEYS), "Stone": _KIDNEYS},
    ("MRI", "Abdomen"): dict.fromkeys(("Cyst", "Tumor", "Hemorrhage"), ("Liver", "Spleen", *_KIDNEYS)),
    ("X-Ray", "Abdomen"): {
        "Stone": (*_KIDNEYS, "Bladder"),
        "Foreign body": ("Stomach", "Bladder"),
        "Calcification": ("Liver", "Spleen"),
    },
}
"""Kinds of finding by modality and region, with the organs that may have them."""

ZONES: Final = frozenset({"Pleural effusion", "Pneumothorax"})
"""Kinds that fill a part of their organ instead of being a body of their own."""

_RIM: Final = 6
"""Pixels at the border of the picture where no finding lies, so that none is cut off."""

_FUZZY: Final = frozenset({"Pneumonia", "Infarct"})

_RADII: Final[Mapping[str, tuple[float, float]]] = {  # in pixels, small and large
    "Hemorrhage": (9.0, 18.0), "Infarct": (13.0, 23.0), "Tumor": (9.0, 17.0), "Cyst": (9.0, 17.0),
    "Lytic lesion": (8.0, 16.0), "Calcification": (7.0, 14.0), "Foreign body": (5.5, 11.5),
    "Nodule": (7.5, 15.0), "Pneumonia": (15.0, 27.0), "Stone": (4.5, 8.5),
    "Pleural effusion": (0.24, 0.46), "Pneumothorax": (13.0, 27.0),
}  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What a finding shall be like, before it is known where it fits.

    Attributes:
        kind: a key of ``SITES``.
        size: ``Small`` or ``Large``.
        shape: ``Round``, ``Oval`` or ``Irregular``; zones and fuzzy kinds have a shape of their own.
        seed: for outline and texture.
    """

    kind: str
    size: str
    shape: str
    seed: int


@dataclass(frozen=True)
class Finding:
    """A finding in its place.

    Attributes:
        kind: what it is.
        organ: where it is.
        size: ``Small`` or ``Large``.
        shape: ``Round``, ``Oval``, ``Irregular`` or ``Crescent``.
        x: centre in pixels.
        y: centre in pixels.
        radius: in pixels; for an effusion the share of the lung's height, for a pneumothorax its width.
        seed: for outline and texture.
    """

    kind: str
    organ: str
    size: str
    shape: str
    x: float
    y: float
    radius: float
    seed: int


def room(body: Body, organ: str) -> Mask:
    """Return where in the body an organ is; half of the skull's vault counts as an organ."""
    if organ.endswith("skull"):
        frame = body.frame
        side = frame.x > 0.10 if organ.startswith("Left") else frame.x < -0.10
        vault = (frame.radius(0, -0.215, 0.55, 0.60) < 1) & (frame.y < -0.16)
        return np.asarray(vault & side)
    mask = body.mask(organ)
    if organ.endswith("lung") and isinstance(body, Film):  # behind the heart a finding would be hard to see
        mask = mask & ~body.mask("Heart")
    return mask


def place(body: Body, wish: Wish, organ: str, taken: Mask, rng: np.random.Generator) -> Finding | None:
    """Find a place for a finding in one organ; None when there is no room.

    Args:
        body: the anatomy.
        wish: what to place.
        organ: where.
        taken: pixels that must stay free.
        rng: chooses among the places that fit.
    """
    low, high = _RADII[wish.kind]
    radius = (low if wish.size == "Small" else high) * rng.uniform(0.92, 1.10)
    inside = room(body, organ)
    free = inside & ~taken
    free[:_RIM], free[-_RIM:], free[:, :_RIM], free[:, -_RIM:] = False, False, False, False
    if wish.kind in ZONES:
        if inside.sum() < 3500 or (inside & taken).any():
            return None
        y, x = np.argwhere(inside).mean(axis=0)
        return Finding(wish.kind, organ, wish.size, "Crescent", float(x), float(y), radius, wish.seed)
    if organ.endswith("kidney") and wish.kind != "Stone":
        radius *= 0.72
    depth = ndimage.distance_transform_edt(free[::2, ::2]) * 2
    share = 0.62 if organ.endswith("kidney") or wish.kind in _FUZZY else 0.9
    deepest = float(depth.max())
    if deepest < radius * share * 0.8:
        return None
    spots = np.argwhere(depth >= min(radius * share, deepest))
    y, x = spots[rng.integers(len(spots))] * 2 + 0.5
    shape = "Irregular" if wish.kind in _FUZZY else wish.shape
    return Finding(wish.kind, organ, wish.size, shape, float(x), float(y), radius, wish.seed)


def _radius(finding: Finding, rng: np.random.Generator) -> Array:
    """Return the radius around the finding in units of its outline: 1 on it, less inside."""
    line = np.arange(SIZE, dtype=np.float32)
    u, v = np.meshgrid((line - finding.x) / finding.radius, (line - finding.y) / finding.radius)
    if finding.shape == "Oval":
        turn = rng.uniform(0, np.pi)
        c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        u, v = (u * c + v * s) / np.float32(1.42), (v * c - u * s) / np.float32(0.70)
    away = np.sqrt(u * u + v * v)
    if finding.shape == "Irregular":
        turn = np.arctan2(v, u)
        lobes = sum(rng.uniform(0.09, 0.15) * np.sin(n * turn + rng.uniform(0, 6.3)) for n in (2, 3, 5))
        away = away * (1 + lobes) + np.float32(0.07) * noise(rng, 24)
    else:
        away = away + np.float32(0.015) * noise(rng, 24)
    return np.asarray(away, dtype=np.float32)


def _coverage(body: Body, finding: Finding, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return a finding's coverage and its radius map (zones have depth below their edge instead)."""
    if finding.kind in ZONES:
        zone = _effusion(body, finding) if finding.kind == "Pleural effusion" else _pneumothorax(body, finding)
        return zone, zone
    away = _radius(finding, rng)
    width = 0.45 if finding.kind in _FUZZY else 1.4 / finding.radius
    cover = np.clip((1 - away) / np.float32(width) + np.float32(0.5), 0, 1)
    if finding.kind in _FUZZY or finding.organ.endswith("brain"):
        cover = cover * blur(room(body, finding.organ).astype(np.float32), 1.0)
    return np.asarray(cover, dtype=np.float32), away


def _effusion(body: Body, finding: Finding) -> Array:
    """Cover the lung below a curved level; below is down on upright films and backwards on a table."""
    lung = body.mask(finding.organ)
    rows, columns = np.flatnonzero(lung.any(axis=1)), np.flatnonzero(lung.any(axis=0))
    level = rows[-1] - finding.radius * (rows[-1] - rows[0])
    lateral = columns[-1] if finding.organ.startswith("Left") else columns[0]
    away = np.abs(np.arange(SIZE) - lateral) / (columns[-1] - columns[0])
    edge = level + 0.16 * (rows[-1] - rows[0]) * (1 - np.exp(-3 * away))
    below = np.clip((np.arange(SIZE)[:, None] - edge[None, :]) / 1.5 + 0.5, 0, 1)
    return np.asarray(below * blur(lung.astype(np.float32), 0.7), dtype=np.float32)


def _pneumothorax(body: Body, finding: Finding) -> Array:
    """Cover what the lung leaves when it shrinks away from its apex (its front, on a table) and the chest wall."""
    lung = body.mask(finding.organ)
    outward = 1 if finding.organ.startswith("Left") else -1
    across, down = round(-outward * finding.radius * 0.8), round(finding.radius)
    shrunk = np.roll(lung, (down, across), axis=(0, 1)) & lung
    gap = lung & ~shrunk
    edge = np.arange(SIZE)
    line = np.average(edge, weights=lung.any(axis=1))
    upper = np.clip((line + 0.25 * lung.any(axis=1).sum() - edge) / 12 + 0.5, 0, 1)[:, None]
    medial = np.arange(SIZE) * outward > finding.x * outward - 12
    cover = blur(gap.astype(np.float32), 0.8) * upper * np.maximum(medial, (edge < line)[:, None] * 1.0)
    return np.asarray(cover * lung, dtype=np.float32)


def mask_of(coverage: Array) -> Mask:
    """Return the pixels that count as the finding; tiny islands that the organ's edge cuts off are dropped."""
    solid = coverage > 0.5
    pieces, count = ndimage.label(solid)
    if count > 1:
        solid = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return np.asarray(solid)


def draw(body: Body, finding: Finding) -> Mask:
    """Draw a finding into a slice or a film and return its pixels."""
    rng = np.random.default_rng([finding.seed, 7])
    cover, away = _coverage(body, finding, rng)
    solid = mask_of(cover)
    if finding.kind in _FUZZY or finding.kind in ZONES:  # what the mask leaves out is not drawn either
        cover = cover * blur(ndimage.binary_dilation(solid, iterations=3).astype(np.float32), 1.0)
    if isinstance(body, Film):
        _on_film(body, finding, cover, away, rng)
    elif isinstance(body, Slice):
        _in_slice(body, finding, cover, away, rng)
    return solid


def _in_slice(body: Slice, finding: Finding, cover: Array, away: Array, rng: np.random.Generator) -> None:
    kind, local = finding.kind, noise(rng, 30)
    in_brain = finding.organ.endswith("brain")
    if kind == "Tumor":
        if in_brain:
            swelling = np.clip((1.75 + 0.18 * noise(rng, 12) - away) / 0.3, 0, 1)
            body.paint(swelling * blur(room(body, finding.organ).astype(np.float32), 1.0), "edema")
        body.paint(cover, "tumor rim")
        body.paint(cover * np.clip((0.80 + 0.08 * local - away) / 0.12, 0, 1), "tumor", texture=0.9 * local)
    elif kind == "Hemorrhage":
        if in_brain:
            ring = np.clip((1.28 - away) / 0.2, 0, 1) * blur(room(body, finding.organ).astype(np.float32), 1.0)
            body.paint(ring, "edema")
        body.paint(cover, "hemorrhage", texture=0.5 * local)
    elif kind == "Pneumonia":
        body.paint(cover * np.clip(0.82 + 0.14 * local, 0.4, 1), "pneumonia", texture=2.0 * local)
    elif kind == "Pneumothorax":
        edge = np.asarray(cover * (1 - cover) * 4)
        body.paint(cover, "pneumothorax")
        body.paint(np.clip(edge, 0, 1) * (body.mask(finding.organ)), "pleura")
    else:
        body.paint(cover, kind.lower(), texture=0.3 * local)


def _on_film(body: Film, finding: Finding, cover: Array, away: Array, rng: np.random.Generator) -> None:
    kind, local = finding.kind, noise(rng, 34)
    ball = cover * (0.45 + 0.55 * np.sqrt(np.clip(1 - away * away, 0, 1)))
    if kind == "Nodule":
        body.integral += 0.52 * ball
    elif kind == "Pneumonia":
        body.integral += 0.52 * cover * np.clip(0.85 + 0.22 * local, 0.3, 1.3)
    elif kind == "Pleural effusion":
        body.integral += 0.72 * cover
        body.markings *= 1 - cover
    elif kind == "Pneumothorax":
        body.markings *= 1 - cover
        body.integral += np.float32(0.16) * np.clip(cover * (1 - cover) * 4, 0, 1) - np.float32(0.20) * cover
    elif kind == "Lytic lesion":
        body.integral -= 0.36 * cover
    elif kind == "Calcification":
        body.integral += 0.62 * cover * np.clip(0.75 + 0.5 * noise(rng, 60), 0.15, 1.4)
    elif kind == "Stone":
        body.integral += 0.55 * ball + 0.12 * cover
    else:
        body.integral += 1.5 * cover


def side_of(organ: str) -> str:
    """Return the side of the body that an organ's name states: ``Left``, ``Right`` or nothing."""
    first = organ.split(" ")[0]
    return first if first in ("Left", "Right") else ""


def boxes(labels: npt.NDArray[np.uint8], names: Sequence[str]) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Return name and box (left, top, width, height in pixels) of every label above 0."""
    found = []
    for value, part in enumerate(ndimage.find_objects(labels.astype(np.int32)), start=1):
        if part is not None:
            rows, columns = part
            box = (columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
            found.append((names[value], box))
    return found


def organ_boxes(labels: npt.NDArray[np.uint8]) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Return the boxes of the organs in a map of organs."""
    return boxes(labels, ORGANS)

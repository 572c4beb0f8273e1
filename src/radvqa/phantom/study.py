"""One patient's pictures: anatomy drawn once, findings placed, each picture taken with the same machine and noise."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from radvqa.phantom import abdomen, acquisition, chest, findings, head, radiographs
from radvqa.phantom.canvas import Body, Film, Slice
from radvqa.phantom.facts import Facts, of_picture, signal_of
from radvqa.phantom.findings import SITES, Finding, Mask
from radvqa.phantom.geometry import SIZE, Frame
from radvqa.phantom.plan import Case

_MARGIN = 7  # pixels kept free between two findings


@dataclass(frozen=True)
class Picture:
    """A finished picture with its truth.

    Attributes:
        facts: what is true of it, in plain values.
        pixels: grey levels, uint8 of shape (SIZE, SIZE).
        organs: organ per pixel, an index into ``canvas.ORGANS``.
        marks: finding per pixel: 0, or one more than its place in ``facts.found``.
    """

    facts: Facts
    pixels: acquisition.Pixels
    organs: npt.NDArray[np.uint8]
    marks: npt.NDArray[np.uint8]


def make(case: Case, seed: int) -> list[Picture]:
    """Make all pictures of one case."""
    body = draw_body(case, np.random.default_rng([seed, 3, case.index]))
    sets = _choose(case, body, np.random.default_rng([seed, 4, case.index]))
    pictures = []
    for number, found in zip(case.images, sets, strict=True):
        marks = np.zeros((SIZE, SIZE), np.uint8)
        changed = copy.deepcopy(body) if found else body
        for place, finding in enumerate(found, start=1):
            marks[findings.draw(changed, finding)] = place
        pixels = _take(case, changed, body, np.random.default_rng([seed, 5, case.index]))
        change = signal_of(changed) - signal_of(body)
        facts = of_picture(case, number, pixels, body.labels, marks, tuple(found), change)
        pictures.append(Picture(facts, pixels, body.labels, marks))
    return pictures


def draw_body(case: Case, rng: np.random.Generator) -> Slice | Film:
    """Draw a case's healthy anatomy."""
    if case.modality == "X-Ray":
        if case.region == "Head":
            film = Film(Frame(rng, warp=0.012))
            radiographs.head(film)
        elif case.region == "Chest":
            film = Film(Frame(rng, warp=0.012, magnify=(1.14, 1.24), centre=(0.0, -0.10)))
            radiographs.chest(film, 1.30 if case.enlarged else 0.94)
        else:
            film = Film(Frame(rng, warp=0.012, magnify=(1.02, 0.97), centre=(0.0, 0.02)))
            radiographs.abdomen(film)
        return film
    if case.region == "Head":
        image = Slice(Frame(rng, warp=0.013), contrast=case.contrast)
        if case.plane == "Transverse plane":
            head.axial(image, case.level)
        elif case.plane == "Coronal plane":
            head.coronal(image)
        else:
            head.sagittal(image)
        return image
    image = Slice(Frame(rng, warp=0.016, magnify=(1.06, 1.06)), contrast=case.contrast)
    across = case.plane == "Transverse plane"
    if case.region == "Chest":
        chest.axial(image, case.level) if across else chest.coronal(image)
    elif across:
        abdomen.axial(image, case.level, case.kidneys)
    else:
        abdomen.coronal(image, case.kidneys)
    return image


def _take(case: Case, body: Body, healthy: Body, rng: np.random.Generator) -> acquisition.Pixels:
    if isinstance(body, Film) and isinstance(healthy, Film):
        return acquisition.radiograph(body.integral + body.markings, healthy.integral + healthy.markings, rng)
    if not isinstance(body, Slice):
        raise TypeError("a body and its healthy state must be of the same kind")
    if case.modality == "CT":
        return acquisition.computed_tomography(body.signal, case.window, rng)
    return acquisition.magnetic_resonance(body.signal, rng)


def _choose(case: Case, body: Body, rng: np.random.Generator) -> list[list[Finding]]:
    """Place the findings that were planned, for each picture of the case."""
    taken = np.zeros((SIZE, SIZE), bool)
    if not case.twin:
        found: list[Finding] = []
        for wish in case.wishes:
            finding = _fit(case, body, wish, taken, rng)
            if finding is not None:
                found.append(finding)
                taken |= _around(body, finding)
        return [found]
    common: list[str] = []
    if case.twin == "kind":
        sites = SITES[case.modality, case.region]
        common = [organ for organ in sites[case.wishes[0].kind] if organ in sites[case.wishes[1].kind]]
    first = _fit(case, body, case.wishes[0], taken, rng, common)
    if first is None:
        return [[], []]
    both: list[list[Finding]] = [[first], []]
    wish = case.wishes[0]
    if case.twin == "kind" and common:
        both[1] = [replace(first, kind=case.wishes[1].kind, shape=_shape(case.wishes[1].kind, case.wishes[1].shape))]
        both[0] = [replace(first, shape=_shape(first.kind, case.wishes[1].shape))]
    elif case.twin == "size":
        other = replace(wish, size="Small" if wish.size == "Large" else "Large")
        wider = _fit(case, body, other, taken, rng, [first.organ])
        if wider is not None:
            both[1] = [replace(wider, x=first.x, y=first.y) if wish.size == "Large" else wider]
            if wish.size == "Small":
                both[0] = [replace(first, x=wider.x, y=wider.y)]
    elif case.twin == "side" and findings.side_of(first.organ):
        side = findings.side_of(first.organ)
        across = first.organ.replace(side, "Right" if side == "Left" else "Left")
        moved = _fit(case, body, wish, taken, rng, [across])
        if moved is not None:
            both[1] = [moved]
    if rng.random() < 0.5:
        both.reverse()
    return both


def _shape(kind: str, wished: str) -> str:
    return "Irregular" if kind in ("Pneumonia", "Infarct") else wished


def _fit(
    case: Case, body: Body, wish: findings.Wish, taken: Mask, rng: np.random.Generator, organs: Sequence[str] = ()
) -> Finding | None:
    """Place a finding in one of the organs that may have it, the larger size giving way to the smaller one."""
    possible = list(organs or SITES[case.modality, case.region][wish.kind])
    rng.shuffle(possible)
    sizes = (wish,) if organs or wish.size == "Small" else (wish, replace(wish, size="Small"))
    for attempt in sizes:
        for organ in possible:
            finding = findings.place(body, attempt, organ, taken, rng)
            if finding is not None:
                return finding
    return None


def _around(body: Body, finding: Finding) -> Mask:
    """Return a finding's pixels with a margin; a zone takes its whole organ."""
    if finding.kind in findings.ZONES:
        return np.asarray(body.mask(finding.organ))
    line = np.arange(SIZE)
    far = finding.radius * 1.6 + _MARGIN
    near = (line[None, :] - finding.x) ** 2 + (line[:, None] - finding.y) ** 2 < far**2
    return np.asarray(ndimage.binary_dilation(near, iterations=1))

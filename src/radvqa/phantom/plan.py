"""What is made: which patients, machines, planes and findings, laid out so that nothing predicts the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radvqa.phantom.findings import SITES, ZONES, Wish

SPLITS: Final[Mapping[str, float]] = {"train": 0.70, "validate": 0.15, "test": 0.15}
"""Share of the images in each split."""

TWIN_SHARE: Final = 0.3
"""Pairs of twins for each image of a split."""

_COUNTS: Final = (0, 1, 2, 3, 0, 1, 2, 3, 2, 3, 0, 1)  # findings in pictures without a twin
_TWINS: Final = ("presence", "side", "kind", "size", "presence", "side")
_FREE_SHAPES: Final = ("Round", "Oval", "Irregular")


@dataclass(frozen=True)
class Case:
    """One patient: one picture, or two that differ in one finding.

    Attributes:
        index: number of the case in the whole data set; with the seed, it decides everything.
        split: the split that all its pictures are in.
        images: numbers of its pictures.
        modality: ``CT``, ``MRI`` or ``X-Ray``.
        region: ``Head``, ``Chest`` or ``Abdomen``.
        plane: ``Transverse plane``, ``Coronal plane`` or ``Sagittal plane``.
        level: which slice, where there are several.
        contrast: ``CT``, ``T1``, ``T2``, ``FLAIR`` or ``film``.
        window: of a CT.
        twin: how the twins differ: ``presence``, ``side``, ``kind``, ``size``, or nothing for a single picture.
        wishes: for a single picture, what to place; for twins one finding, and for ``kind`` also the other.
        enlarged: whether the heart is enlarged (films of the chest).
        kidneys: whether the right and left kidney are there.
    """

    index: int
    split: str
    images: tuple[int, ...]
    modality: str
    region: str
    plane: str
    level: str
    contrast: str
    window: str
    twin: str
    wishes: tuple[Wish, ...]
    enlarged: bool
    kidneys: tuple[bool, bool]

    @property
    def name(self) -> str:
        """The patient's name in the data set."""
        return f"patient-{self.index:04d}"


def split_sizes(images: int) -> dict[str, int]:
    """Return the number of images in each split."""
    held = {split: round(images * share) for split, share in SPLITS.items() if split != "train"}
    return {"train": images - sum(held.values()), **held}


def plan(images: int, seed: int, first: int = 0) -> list[Case]:
    """Lay out all cases; each depends on the seed and its own number alone, apart from its slot in the layout.

    Args:
        images: number of images.
        seed: decides everything.
        first: number of the first image.
    """
    cases: list[Case] = []
    for number, (split, size) in enumerate(split_sizes(images).items()):
        rng = np.random.default_rng([seed, 1, number])
        pairs = round(size * TWIN_SHARE)
        slots = [True] * pairs + [False] * (size - 2 * pairs)
        turns = {True: _Turns(rng), False: _Turns(rng)}
        rng.shuffle(slots)
        for paired in slots:
            numbers = tuple(range(first, first + 1 + paired))
            first += len(numbers)
            cases.append(
                _case(len(cases), split, numbers, paired, turns[paired], np.random.default_rng([seed, 2, len(cases)]))
            )
    return cases


class _Turns:
    """Deals out modality and region, and within them everything else, each as often as the others."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._decks: dict[object, list[int]] = {}

    def deal(self, what: object, options: int) -> int:
        """Return a number below ``options``; every ``options`` turns, each comes once."""
        deck = self._decks.setdefault(what, [])
        if not deck:
            deck.extend(self._rng.permutation(options).tolist())
        return deck.pop()


def _case(
    index: int, split: str, numbers: tuple[int, ...], paired: bool, turns: _Turns, rng: np.random.Generator
) -> Case:
    setting = list(SITES)[turns.deal("setting", len(SITES))]
    modality, region = setting
    plane = _plane(setting, turns)
    contrast = {"CT": "CT", "X-Ray": "film"}.get(modality, "")
    if modality == "MRI":
        contrasts = ("T1", "T2", "FLAIR") if region == "Head" else ("T1", "T2")
        contrast = contrasts[turns.deal((setting, "contrast"), len(contrasts))]
    kinds = list(SITES[setting])
    twin = _TWINS[turns.deal((setting, "twin"), len(_TWINS))] if paired else ""
    count = 1 if paired else _COUNTS[turns.deal((setting, "count"), len(_COUNTS))]
    if plane == "Sagittal plane" and twin == "side":
        twin = "presence"  # the midline slice shows one half only
    wishes = [_wish(setting, kinds[turns.deal((setting, "kind"), len(kinds))], turns, rng) for _ in range(count)]
    if twin == "kind":
        wishes = _pair_of_kinds(setting, kinds, wishes[0], turns, rng)
    if twin == "size" and wishes[0].kind == "Pneumothorax" and plane == "Coronal plane" and modality == "CT":
        twin = "presence"
    air = any(wish.kind == "Pneumothorax" for wish in wishes)
    windows = {"Head": ("brain",), "Chest": ("lung",) if air else ("mediastinum", "lung"), "Abdomen": ("abdomen",)}[
        region
    ]
    window = windows[turns.deal((setting, "window", air), len(windows))] if modality == "CT" else ""
    levels = _levels(setting, plane)
    spare = turns.deal((setting, "kidneys"), 5)
    return Case(
        index=index,
        split=split,
        images=numbers,
        modality=modality,
        region=region,
        plane=plane,
        level=levels[turns.deal((setting, "level", plane), len(levels))],
        contrast=contrast,
        window=window,
        twin=twin,
        wishes=tuple(wishes),
        enlarged=bool(turns.deal((setting, "heart"), 2)),
        kidneys=(
            spare != 0 or region != "Abdomen" or modality == "X-Ray",
            spare != 1 or region != "Abdomen" or modality == "X-Ray",
        ),
    )


def _plane(setting: tuple[str, str], turns: _Turns) -> str:
    if setting[0] == "X-Ray":
        return "Coronal plane"
    choices = ["Transverse plane", "Coronal plane", "Transverse plane"]
    if setting == ("MRI", "Head"):
        choices = ["Transverse plane", "Coronal plane", "Sagittal plane", "Transverse plane", "Sagittal plane"]
    return choices[turns.deal((setting, "plane"), len(choices))]


def _levels(setting: tuple[str, str], plane: str) -> Sequence[str]:
    if setting[0] == "X-Ray" or plane != "Transverse plane":
        return ("",)
    return {
        "Head": ("nuclei", "ventricles", "vertex"),
        "Chest": ("heart", "arch"),
        "Abdomen": ("liver", "kidneys"),
    }[setting[1]]


def _wish(setting: tuple[str, str], kind: str, turns: _Turns, rng: np.random.Generator) -> Wish:
    size = ("Small", "Large")[turns.deal((setting, kind, "size"), 2)]
    shape = _FREE_SHAPES[turns.deal((setting, "shape"), len(_FREE_SHAPES))]
    return Wish(kind, size, shape, int(rng.integers(2**31)))


def _pair_of_kinds(
    setting: tuple[str, str], kinds: list[str], first: Wish, turns: _Turns, rng: np.random.Generator
) -> list[Wish]:
    """Return two findings for the same place; kinds that fill a zone have no place to share."""
    solid = [kind for kind in kinds if kind not in ZONES]
    if first.kind in ZONES:
        first = _wish(setting, solid[int(rng.integers(len(solid)))], turns, rng)
    others = [kind for kind in solid if kind != first.kind]
    other = others[int(rng.integers(len(others)))]
    return [first, Wish(other, first.size, first.shape, first.seed)]

"""What a body part is drawn on: a slice, where tissue covers tissue, or a film, where tissue adds up in depth."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from radvqa.phantom import tissue
from radvqa.phantom.geometry import SIZE, Array, Frame

ORGANS: tuple[str, ...] = (
    "", "Left brain", "Right brain", "Cerebellum", "Brainstem", "Ventricle", "Skull", "Left lung", "Right lung",
    "Heart", "Aorta", "Trachea", "Liver", "Spleen", "Left kidney", "Right kidney", "Stomach", "Pancreas", "Gallbladder",
    "Bladder", "Bowel", "Spine", "Mandible", "Pelvis",
)  # fmt: skip
"""Organs by their value in the mask of organs; 0 is background."""

Labels = npt.NDArray[np.uint8]


@dataclass
class Body:
    """An anatomy in its frame, with a map of organs.

    Attributes:
        frame: the patient's coordinates.
        labels: organ per pixel, as an index into ``ORGANS``.
    """

    frame: Frame
    labels: Labels = field(default_factory=lambda: np.zeros((SIZE, SIZE), np.uint8))

    def mark(self, coverage: Array, organ: str) -> None:
        """Note an organ (or none, for an empty name) where it covers more than half a pixel."""
        self.labels[coverage > 0.5] = ORGANS.index(organ)

    def mask(self, organ: str) -> npt.NDArray[np.bool_]:
        """Return where an organ is."""
        return np.asarray(self.labels == ORGANS.index(organ))


@dataclass
class Slice(Body):
    """A cut through the body: each pixel shows the tissue painted last.

    Attributes:
        contrast: ``CT``, ``T1``, ``T2`` or ``FLAIR``; says what value a tissue has.
        signal: Hounsfield units, or MRI signal from 0 to 1.
    """

    contrast: str = "CT"
    signal: Array = field(init=False)

    def __post_init__(self) -> None:
        self.signal = np.full((SIZE, SIZE), self.value("air"), np.float32)

    def value(self, name: str) -> float:
        """Return a tissue's value in this contrast."""
        return tissue.CONTRASTS[self.contrast][name]

    @property
    def step(self) -> float:
        """Size of a faint difference between tissues, to scale textures with."""
        return 10.0 if self.contrast == "CT" else 0.05

    def paint(self, coverage: Array, name: str, organ: str | None = None, texture: Array | float = 0.0) -> None:
        """Cover with a tissue.

        Args:
            coverage: from 0 to 1.
            name: the tissue.
            organ: what to note in the map of organs; None leaves the map, "" clears it.
            texture: added to the tissue's value, in faint steps.
        """
        value = np.float32(self.value(name)) + texture * np.float32(self.step)
        self.signal += coverage * (value - self.signal)
        if organ is not None:
            self.mark(coverage, organ)


@dataclass
class Film(Body):
    """A projection: the line integral of attenuation along each ray.

    Attributes:
        integral: attenuation times length, summed through depth.
        markings: the same for fine lung vessels, apart, because air in the pleural space takes them away.
    """

    integral: Array = field(default_factory=lambda: np.zeros((SIZE, SIZE), np.float32))
    markings: Array = field(default_factory=lambda: np.zeros((SIZE, SIZE), np.float32))

    def add(self, length: Array, attenuation: float, organ: str | None = None) -> None:
        """Add a structure's path length times its attenuation; negative for what takes the place of soft tissue."""
        self.integral += length * np.float32(attenuation)
        if organ is not None:
            self.mark(length / np.float32(max(float(length.max()), 1e-6)) * 3, organ)

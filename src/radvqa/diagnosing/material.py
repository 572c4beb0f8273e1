"""All that a diagnosis looks at: the answers, whether each is right, and what is known of each picture and map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from radvqa.diagnosing.quality import Quality
from radvqa.diagnosing.template import templates
from radvqa.explaining.evidence.kept import Measured
from radvqa.prediction import Prediction
from radvqa.scoring.items import Items, in_order, items_of
from radvqa.scoring.statistics import FloatArray, IntArray
from radvqa.text import NORMALISERS, normaliser_for


@dataclass(frozen=True, eq=False)
class Material:
    """Answers of one run to one split, with what is known beside them.

    Attributes:
        predictions: in the order of their ids.
        items: the same, normalised and encoded as the scores have it.
        normaliser: its name.
        quality: measures by image name; empty where the pictures were not at hand.
        look: cluster by image name, for instance "cluster 3: Chest X-Ray"; empty where there are none.
        maps: what was measured of each question's map, by id; empty where there are no maps.
        method: that made the maps.
    """

    predictions: Sequence[Prediction]
    items: Items
    normaliser: str
    quality: Mapping[str, Quality] = field(default_factory=dict)
    look: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, Measured] = field(default_factory=dict)
    method: str = ""

    def __len__(self) -> int:
        return len(self.predictions)

    @cached_property
    def right(self) -> FloatArray:
        """1 for a right answer and 0 for a wrong one, as the accuracy has it, ``(n,)``."""
        right: FloatArray = (self.items.gold == self.items.prediction).astype(np.float64)
        return right

    @property
    def cluster(self) -> IntArray:
        """Code of the case or image of each question, ``(n,)``."""
        return self.items.cluster

    @cached_property
    def golds(self) -> list[str]:
        """Normalised gold answers."""
        return [self.items.texts[code] for code in self.items.gold]

    @cached_property
    def answers(self) -> list[str]:
        """Normalised given answers."""
        return [self.items.texts[code] for code in self.items.prediction]

    @cached_property
    def templates(self) -> list[str]:
        """Template of each question."""
        return templates([p.question for p in self.predictions])


def material(
    predictions: Sequence[Prediction],
    *,
    normaliser: str | None = None,
    quality: Mapping[str, Quality] | None = None,
    look: Mapping[str, str] | None = None,
    maps: Sequence[Measured] = (),
    method: str = "",
) -> Material:
    """Lay everything side by side.

    Args:
        predictions: of one run on one split.
        normaliser: of the run's scores; by default the one that suits the language, as scoring chooses it.
        quality: measures by image name.
        look: cluster by image name.
        maps: what was measured of maps.
        method: that made them.

    Raises:
        DataError: when there are no predictions, or an id is repeated.
    """
    ordered = in_order(predictions)
    name = normaliser or normaliser_for(p.language for p in ordered)
    return Material(
        predictions=ordered,
        items=items_of(ordered, NORMALISERS[name]),
        normaliser=name,
        quality=quality or {},
        look=look or {},
        maps={one.id: one for one in maps},
        method=method,
    )

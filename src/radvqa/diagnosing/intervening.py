"""The same questions with markers covered and margins cut off: does an answer hang on them?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from radvqa.data.dataset import Problems
from radvqa.diagnosing.material import Material
from radvqa.models.family import VqaModel
from radvqa.probing.prober import probe_model
from radvqa.sample import Sample
from radvqa.scoring.items import items_of
from radvqa.scoring.paired import holm, paired_test
from radvqa.text import NORMALISERS

PROBES = ("markers_covered", "borders_cut")


def intervened(
    model: VqaModel, samples: Sequence[Sample], material: Material, problems: Problems | None = None
) -> list[dict[str, Any]]:
    """Ask again after covering what is no anatomy.

    Args:
        model: of the run.
        samples: all of the split.
        material: the run's answers as they are.
        problems: where unusable pictures are reported.

    Returns:
        Of each change what ``probing.measure`` found of the questions whose pictures it can change, with ``p``, of no
        difference in accuracy, question by question (cluster bootstrap, by Holm for the two); None where it changes
        no picture.
    """
    probed = probe_model(model, samples, only=PROBES, problems=problems)
    row = {p.id: number for number, p in enumerate(material.predictions)}
    tests: dict[str, float] = {}
    for name in PROBES:
        after = [answer for answer in probed.answers[name] if answer.id in row]
        if after:
            rows = np.array([row[answer.id] for answer in after])
            items = items_of(after, NORMALISERS[material.normaliser])
            right = (items.gold == items.prediction).astype(np.float64)
            p = paired_test(material.right[rows], right, material.cluster[rows]).bootstrap_p
            if p is not None:
                tests[name] = p
    adjusted = dict(zip(tests, holm(list(tests.values())), strict=True))
    return [{**found, "p": adjusted.get(found["name"])} for found in probed.result["probes"]]

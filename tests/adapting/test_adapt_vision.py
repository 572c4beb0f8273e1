"""An image encoder learns captions and classes with its last blocks, and is a checkpoint like any other afterwards."""

import math
from pathlib import Path
from typing import Any

import adapting_parts
import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from radvqa.adapting import pool, probe, vision
from radvqa.adapting.blocks import LastBlocks, remember
from radvqa.adapting.heads import Heads, info_nce, total
from radvqa.adapting.pool import Pool
from radvqa.adapting.spec import Folder, VisionSpec, load_spec
from radvqa.commands.adapt import adapt_vision
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import random_checkpoints
from radvqa.models.vision import VisionSpec as TowerSpec
from radvqa.models.vision import VisionTower


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("parts")
    return adapting_parts.dinov2(folder / "dinov2"), adapting_parts.sentence_encoder(folder / "sentences")


@pytest.fixture
def spec(tmp_path: Path, parts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(adapting_parts.data(tmp_path / "data")))
    return adapting_parts.page(tmp_path / "spec.yaml", adapting_parts.vision_values(*parts))


def tower(folder: Path | str) -> VisionTower:
    return VisionTower(TowerSpec(str(folder), pooling="cls+mean")).eval()


def test_the_contrast_is_that_of_clip_where_no_text_comes_twice() -> None:
    from transformers.models.clip.modeling_clip import image_text_contrastive_loss

    pictures, captions = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor(7.0)
    unit = [x / x.norm(dim=1, keepdim=True) for x in (pictures, captions)]
    wanted = image_text_contrastive_loss(scale * unit[1] @ unit[0].T)
    torch.testing.assert_close(info_nce(pictures, captions, torch.eye(5, dtype=torch.bool), scale), wanted)


def test_a_text_that_comes_twice_is_not_its_own_rival() -> None:
    """Two pictures of one text and one of another, by hand."""
    pictures = torch.tensor([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]])
    captions = torch.tensor([[2.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    texts = torch.tensor([0, 0, 1])
    own = [1.0, 0.6, 1.0]
    rivals_of_pictures = [[0.0], [0.8], [0.0, 0.0]]  # of the first two, the other's text is left out
    rivals_of_captions = [[0.0], [0.0], [0.0, 0.8]]

    def surprise(cosine: float, rivals: list[float]) -> float:
        return math.log(sum(math.exp(2 * x) for x in [cosine, *rivals])) - 2 * cosine

    rows = [surprise(*line) for line in zip(own, rivals_of_pictures, strict=True)]
    columns = [surprise(*line) for line in zip(own, rivals_of_captions, strict=True)]
    found = info_nce(pictures, captions, texts[:, None] == texts[None], torch.tensor(2.0))
    assert found.item() == pytest.approx((sum(rows) + sum(columns)) / 6, rel=1e-6)


def test_losses_are_of_the_tasks_that_a_batch_has_something_for() -> None:
    heads = Heads(4, 3, 2, {"plane": 2, "organ": 3}, 0.5)
    assert heads.scale.exp().item() == pytest.approx(2.0)
    features, captions = torch.randn(3, 4), torch.randn(3, 3)
    none = torch.tensor([-1, -1, -1])
    told = heads.losses(
        features, captions, torch.tensor([0, -1, 1]), {"plane": torch.tensor([1, -1, 0]), "organ": none}
    )
    assert set(told) == {"captions", "plane"}
    wanted = torch.nn.functional.cross_entropy(heads.classifiers[0](heads.norm(features[[0, 2]])), torch.tensor([1, 0]))
    torch.testing.assert_close(told["plane"], wanted)
    torch.testing.assert_close(total(told, heads.labels), told["captions"] + told["plane"] / 2)
    alone = heads.losses(features, captions, torch.tensor([4, -1, 4]), {"plane": none, "organ": none})
    assert alone == {}  # one text has no rival


def test_the_blocks_go_on_where_the_frozen_ones_ended(spec: Path) -> None:
    page = load_spec(VisionSpec, spec, ["blocks=2"])
    whole, store = vision.load(page)
    _, held_out = pool.of_folder(page.classes[0], 0)
    keys = list(store.add([pictured.sample for pictured in held_out], Problems()).values())
    last = LastBlocks(whole, 2)
    seen = remember(whole, last, store, keys, torch.autocast("cpu", enabled=False))
    patches, pooled = last(seen.states.float(), 9)
    wanted = whole.tokens(torch.from_numpy(store.batch(keys)))
    for found, published in ((patches, wanted[0]), (pooled, wanted[1]), (seen.pooled, wanted[1])):
        torch.testing.assert_close(found, published, atol=0.02, rtol=0.01)  # states are kept in half precision
    assert {name for name, weight in whole.model.named_parameters() if weight.requires_grad} == {
        name
        for name, _ in whole.model.named_parameters()
        if name.startswith(("encoder.layer.1.", "encoder.layer.2.", "layernorm."))
    }


def test_too_many_blocks_and_other_encoders_are_refused(parts: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"blocks=4, but .* has 3"):
        LastBlocks(tower(parts[0]), 4)
    vit = random_checkpoints.write("linear_llm", "tiny", tmp_path, [])["vision"]
    with pytest.raises(WeightsError, match="kind 'vit'; `radvqa adapt vision` trains 'dinov2'"):
        LastBlocks(tower(vit), 1)


def test_labels_are_fields_and_lines_of_the_context(spec: Path) -> None:
    from radvqa.adapting.gather import gather

    page = load_spec(VisionSpec, spec)
    learned = pool.of_data_set(page.learn, gather(page.learn, Problems()))
    assert learned[0].classes == {"modality": "CT", "context.Plane": "Axial"}
    assert learned[0].caption == "Axial bright MPX0."
    assert adapting_parts.LEAKING not in {pictured.sample.case for pictured in learned}
    assert pool.names_of(learned, 2) == {"context.Plane": ["Axial", "Coronal"], "modality": ["CT", "MRI"]}
    with pytest.raises(DataError, match=r"context\.Plane: fewer than two classes have 8 pictures"):
        pool.names_of(learned, 8)
    with pytest.raises(RecipeError, match="no label 'modalty'; did you mean 'modality'"):
        pool.of_data_set(page.learn.model_copy(update={"labels": ("modalty",)}), [])


def test_folders_are_classes_and_some_of_each_are_held_out(spec: Path) -> None:
    learned, held_out = pool.of_folder(Folder(folder="limbs", per_class=4, held_out=0.25), 0)
    assert [(len(side), {p.classes["limbs"] for p in side}) for side in (learned, held_out)] == [
        (6, {"Foot", "Hand"}),
        (2, {"Foot", "Hand"}),
    ]
    assert not {p.sample.id for p in learned} & {p.sample.id for p in held_out}
    assert pool.of_folder(Folder(folder="limbs", per_class=4, held_out=0.25), 0) == (learned, held_out)
    with pytest.raises(DataError, match="no folder legs"):
        pool.of_folder(Folder(folder="legs"), 0)


def test_probes_are_ridge_regressions() -> None:
    drawn = np.random.default_rng(0)
    inputs, wanted, others = drawn.normal(size=(30, 5)), drawn.normal(size=(30, 2)), drawn.normal(size=(7, 5))
    found = probe._ridge(torch.from_numpy(inputs), torch.from_numpy(wanted), torch.from_numpy(others))
    for penalty, guess in zip(probe._PENALTIES, found, strict=True):
        reference = Ridge(alpha=penalty * len(inputs)).fit(inputs, wanted).predict(others)
        np.testing.assert_allclose(guess.numpy(), reference, rtol=1e-8, atol=1e-10)


def test_recall_counts_distinct_texts_that_are_nearer() -> None:
    """Twelve texts on a circle, 30° apart, one of them twice; the third guess has two texts nearer than its own."""
    angles = [30.0 * k for k in range(12)]
    place = {f"text {k}": angle for k, angle in enumerate(angles)}
    texts = [*place, "text 0"]

    def at(degrees: float) -> list[float]:
        return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]

    vectors = torch.tensor([at(place[text]) for text in texts], dtype=torch.float64)
    guesses = vectors.clone()
    guesses[2] = torch.tensor(at(110.0))  # own at 60, nearer: 120, 90
    found = probe.recalls(guesses, vectors, texts, torch.zeros(2, dtype=torch.float64))
    assert found == {"recall@1": pytest.approx(12 / 13), "recall@5": 1.0, "recall@10": 1.0}


def test_features_that_hold_the_class_are_told_from_those_that_do_not() -> None:
    classes = torch.arange(40) % 2
    pictures = Pool([str(k) for k in range(40)], [""] * 40, {"plane": classes}, {"plane": ["a", "b"]})
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(40, 3, generator=generator)
    knowing = noise + torch.stack([6.0 * classes, *torch.zeros(2, 40)], 1)
    none = torch.zeros(40, 4)
    assert probe.measure(knowing, pictures, none, knowing, pictures, none) == {"plane accuracy": 1.0, "score": 1.0}
    other = torch.randn(40, 3, generator=generator)
    assert probe.measure(noise, pictures, none, other, pictures, none)["score"] < 0.8


def test_what_is_learned_is_in_the_last_blocks_and_the_folder_is_a_checkpoint(
    spec: Path, parts: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "weights" / "adapted" / "tiny"
    facts = adapt_vision(spec, ["epochs=3", "keep=0"], out=out)
    assert facts["epoch"] > 0
    assert facts["history"][facts["epoch"]]["loss"] < facts["history"][0]["loss"]
    assert facts["data"]["learn"]["pictures"] == 14 + 8  # without the leaking case; and four of each limb
    assert facts["data"]["select"] == {**facts["data"]["select"], "pictures": 8 + 4, "captions": 8}
    assert set(facts["before"]) == set(facts["after"])
    assert 0.2 < facts["patch_cosine"] < 1
    monkeypatch.setenv("RADVQA_WEIGHTS", str(tmp_path / "weights"))
    before, after = tower(parts[0]).model.state_dict(), tower("adapted/tiny").model.state_dict()
    changed = {name for name, weight in before.items() if not torch.equal(weight, after[name])}
    assert changed == {name for name in before if name.startswith(("encoder.layer.2.", "layernorm."))}
    assert {path.name for path in out.iterdir()} == {
        *("README.md", "adaptation.json", "config.json", "model.safetensors"),
    }


def test_a_dear_keep_holds_the_patch_features(spec: Path, tmp_path: Path) -> None:
    cosines = [
        adapt_vision(spec, [f"keep={keep}", "epochs=3"], out=tmp_path / f"{keep}")["history"][-1]["patch_cosine"]
        for keep in (0, 100)
    ]
    assert cosines[0] < cosines[1]


def test_where_learning_does_not_help_the_encoder_is_as_it_was(
    spec: Path, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    facts = adapt_vision(spec, ["lr=3.0", "epochs=1", "head_learning_rate=3.0"], out=tmp_path / "out")
    assert (facts["epoch"], facts["before"]) == (0, facts["after"])
    before, after = tower(parts[0]).model.state_dict(), tower(tmp_path / "out").model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_one_seed_makes_the_same_encoder_byte_for_byte(spec: Path, tmp_path: Path) -> None:
    made: dict[str, Any] = {name: adapt_vision(spec, out=tmp_path / name) for name in "ab"}
    assert made["a"]["history"] == made["b"]["history"]
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]

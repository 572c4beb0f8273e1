"""A run and its backbone become one file, which answers as the run does, or says why it does not."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from starter_parts import SIDE, dinov2, everything, trained

from radvqa import files
from radvqa.commands import starter_build
from radvqa.commands.starter import PACKED, backbone
from radvqa.commands.starter_build import build
from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError, RunError, WeightsError
from radvqa.models.checkpoint import load_model
from radvqa.models.classifier import AnswerClassifier
from radvqa.run import Run
from radvqa.starter import file, model, packing
from radvqa.starter.model import Starter
from radvqa.starter.net import Seen

TARGET = 0.05  # random features teach little


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Run]:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADVQA_DATA", str(folder / "data"))
        return everything(folder)


@pytest.fixture
def parts(made: tuple[Path, Path, Run], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Run]:
    """Folder of the backbone and the run."""
    monkeypatch.setenv("RADVQA_DATA", str(made[0]))
    return made[1], made[2]


@pytest.fixture
def built(parts: tuple[Path, Run], tmp_path: Path) -> Path:
    build(parts[1].folder, parts[0], out=tmp_path / "starter.safetensors", target=TARGET)
    return tmp_path / "starter.safetensors"


def test_it_scores_answers_as_the_run_does(parts: tuple[Path, Run], built: Path) -> None:
    run, tensors = parts[1], file.read(built)[0]
    loaded = load_model(run.checkpoints, torch.device("cpu"))
    assert isinstance(loaded, AnswerClassifier)
    head = file.behind(tensors, "head")
    state = loaded.state()
    for name in state:  # the head as it comes out of its bits
        unpacked = torch.from_numpy(packing.unpack(name, head))
        state[name][: len(unpacked)] = unpacked
    loaded.load_state(state)
    samples = registry.load_split("slake:en", "test")
    prepared = loaded.prepare(samples, Problems())
    loaded.module.eval()
    with torch.inference_mode():
        expected = loaded.net.logits(prepared.inputs, torch.arange(len(samples)))[0, :, :-1].numpy()
    net = Starter.load(built).net
    seen = {sample.image: net.look(image.decode(sample.image_path)) for sample in samples}
    shown = dict(zip((sample.image for sample in samples), prepared.inputs.rows.tolist(), strict=True))
    for name, row in shown.items():
        laid_out = prepared.inputs.patches[row, 0].float().numpy()
        np.testing.assert_allclose(seen[name].looked.patches, laid_out, atol=3e-3)  # kept in half precision
    found = np.stack([net.logits(sample.question, seen[sample.image]) for sample in samples])
    assert np.ptp(expected, axis=0).max() > 0.1, "answers differ between questions"
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_packing_the_head_changes_little(parts: tuple[Path, Run], built: Path) -> None:
    loaded = load_model(parts[1].checkpoints, torch.device("cpu"))
    head = file.behind(file.read(built)[0], "head")
    for name, tensor in loaded.state().items():
        unpacked = packing.unpack(name, head)
        np.testing.assert_allclose(unpacked, tensor[: len(unpacked)], atol=max(5e-3 * float(tensor.abs().max()), 1e-6))


def test_it_says_where_it_comes_from(parts: tuple[Path, Run], built: Path) -> None:
    run, about = parts[1], Starter.load(built).about
    assert about["data"]["name"] == "slake:en"
    assert (about["data"]["licence"], about["data"]["digests"]) == ("CC BY 4.0", run.provenance["data"])
    assert "SLAKE" in about["data"]["attribution"]
    assert (about["seed"], about["recipe"]) == (0, run.recipe)
    overall = run.scores(run.answers())["subsets"]["overall"]
    assert about["test"]["accuracy"] == overall["accuracy"]
    assert about["validation"]["questions"] == 12
    samples = registry.load_split("slake:en", "validate")
    starter = Starter.load(built)
    right = [starter.answer(sample.image_path, sample.question).answer == sample.answer for sample in samples]
    assert about["validation"]["accuracy"] == pytest.approx(np.mean(right), abs=1e-6)


def test_the_same_run_makes_the_same_bytes(parts: tuple[Path, Run], built: Path, tmp_path: Path) -> None:
    build(parts[1].folder, parts[0], out=tmp_path / "again", target=TARGET)
    assert built.read_bytes() == (tmp_path / "again").read_bytes()
    backbone(tmp_path / "quantised", name=str(parts[0].parent / "published"), side=SIDE)
    for path in parts[0].iterdir():
        assert path.read_bytes() == (tmp_path / "quantised" / path.name).read_bytes(), path.name


def test_a_picture_is_looked_at_once(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starter = Starter.load(built)
    looked: list[image.Pixels] = []
    look = starter.net.look

    def noted(pixels: image.Pixels) -> Seen:
        looked.append(pixels)
        return look(pixels)

    monkeypatch.setattr(starter.net, "look", noted)
    pictures = [np.full((40, 30), 20 * number, np.uint8) for number in range(9)]
    for question in ("Which organ is shown?", "Is this an X-Ray?"):
        starter.answer(pictures[0], question)
    assert len(looked) == 1
    for pixels in pictures[1:]:
        starter.answer(pixels, "Which organ is shown?")
    starter.answer(pictures[0], "Which organ is shown?")
    assert len(looked) == 10, "the last eight pictures are kept"


def test_candidates_are_probabilities_best_first(built: Path) -> None:
    said = Starter.load(built).answer(np.full((40, 30), 90, np.uint8), "What modality is used?")
    shares = [share for _, share in said.candidates]
    assert said.candidates[0] == (said.answer, said.confidence)
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-5


def test_it_abstains_and_says_why(built: Path, tmp_path: Path) -> None:
    starter = Starter.load(built)
    shown = registry.load_split("slake:en", "train")[0]
    assert starter.answer(shown.image_path, shown.question).abstained is None
    flowers = np.random.default_rng(0).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    Image.fromarray(flowers).save(tmp_path / "flowers.png")
    said = starter.answer(tmp_path / "flowers.png", shown.question).abstained
    assert said is not None
    assert "does not look like the radiology pictures" in said
    said = starter.answer(shown.image_path, "Quel organe?").abstained
    assert said is not None
    assert "'quel', 'organe'" in said
    doubtful = Starter(
        starter.net,
        starter.pictures,
        starter.questions,
        type(starter.confidence)(1.0, 1.0, 0.9, 0.9, 0.1),
        starter.about,
    )
    said = doubtful.answer(shown.image_path, shown.question).abstained
    assert said is not None
    assert "not sure enough" in said
    with pytest.raises(RadvqaError, match="The question is empty"):
        starter.answer(shown.image_path, " ")


def test_another_backbone_is_refused(parts: tuple[Path, Run], tmp_path: Path) -> None:
    backbone(tmp_path / "other", name=str(dinov2(tmp_path / "published", seed=1)), side=SIDE)
    with pytest.raises(WeightsError, match=r"was not trained on the backbone in .*other"):
        build(parts[1].folder, tmp_path / "other", out=tmp_path / "x")
    shutil.copytree(parts[0], tmp_path / "mixed")
    shutil.copy(tmp_path / "other" / PACKED, tmp_path / "mixed" / PACKED)
    with pytest.raises(WeightsError, match=r"is not what it is in model\.safetensors"):
        build(parts[1].folder, tmp_path / "mixed", out=tmp_path / "x")
    with pytest.raises(WeightsError, match=r"packed\.safetensors does not exist"):
        build(parts[1].folder, tmp_path / "published", out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_another_kind_of_run_is_refused(parts: tuple[Path, Run], tmp_path: Path) -> None:
    other = trained(tmp_path / "members", parts[0], members=2)
    with pytest.raises(RunError, match="members is 2, not 1"):
        build(other.folder, parts[0], out=tmp_path / "x")
    shutil.copytree(parts[1].folder, tmp_path / "unscored")
    (tmp_path / "unscored" / "scores.json").unlink()
    with pytest.raises(RunError, match="is not scored on slake:en test"):
        build(tmp_path / "unscored", parts[0], out=tmp_path / "x")
    facts = files.read_json(parts[1].folder / "run.json")
    shutil.copytree(parts[1].folder, tmp_path / "unfinished")
    files.write_json(tmp_path / "unfinished" / "run.json", {**facts, "state": "training"})
    with pytest.raises(RunError, match="was not trained to its end"):
        build(tmp_path / "unfinished", parts[0], out=tmp_path / "x")


def test_a_file_that_is_too_large_is_refused(
    parts: tuple[Path, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starter_build, "LARGEST", 10_000)
    with pytest.raises(WeightsError, match="10,000 are allowed"):
        build(parts[1].folder, parts[0], out=tmp_path / "x", target=TARGET)
    assert not (tmp_path / "x").exists()


def test_only_a_dinov2_is_quantised_and_nothing_is_overwritten(tmp_path: Path) -> None:
    dinov2(tmp_path / "published")
    config = files.read_json(tmp_path / "published" / "config.json")
    with pytest.raises(WeightsError, match="exists already"):
        backbone(tmp_path / "published", name=str(tmp_path / "published"))
    files.write_json(tmp_path / "published" / "config.json", {**config, "model_type": "vit"})
    with pytest.raises(WeightsError, match="a checkpoint of the kind 'vit'"):
        backbone(tmp_path / "x", name=str(tmp_path / "published"))


def test_what_ships_is_small_and_knows_its_licence() -> None:
    assert model.FILE.stat().st_size <= starter_build.LARGEST
    about = Starter.load().about
    assert about["data"]["licence"] == "CC BY 4.0"
    assert "not for diagnosis" in about["use"]

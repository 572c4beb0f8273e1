"""CNN-LSTM: the seed's sizes, frozen means frozen, and checkpoints that answer the same."""

import shutil
from pathlib import Path

import pytest
import torch
from model_parts import built, pretrained_folder, section, split, steps
from safetensors.torch import load_file, save_file

from radvqa.answering import answer_prepared
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, RunError, WeightsError
from radvqa.models import zoo
from radvqa.models.checkpoint import load_model, read_weights, write_spec, write_weights
from radvqa.models.family import Context, VqaModel
from radvqa.prediction import Prediction
from radvqa.recipe import load_recipe
from radvqa.sample import Sample


def saved(model: VqaModel, folder: Path) -> Path:
    write_spec(folder, model, "cnn_lstm")
    write_weights(folder / "best.safetensors", model.state())
    return folder


def answers(model: VqaModel, samples: list[Sample]) -> list[Prediction]:
    return answer_prepared(model, model.prepare(samples, Problems()))[0]


def statistics(model: VqaModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.module.named_buffers() if "running_" in name}


def made_up(number: int) -> Sample:
    """One of 290 samples that hold 290 words and 220 answers."""
    return Sample(f"{number}", "made:up", "train", "x", Path("x"), f"word{number}", f"answer{min(number, 219)}", "OPEN")


@pytest.mark.parametrize(
    ("name", "trainable"), [("slake_cnn_lstm_frozen", 1_767_389), ("slake_cnn_lstm_unfrozen", 12_943_901)]
)
def test_the_seeds_parameters_are_counted(name: str, trainable: int) -> None:
    recipe = load_recipe(Path(name), ["model.pretrained=false"])
    model = zoo.build(recipe.model, Context(training=[made_up(number) for number in range(290)]))
    assert zoo.count_parameters(model) == {"total": 12_943_901, "trainable": trainable}


def test_a_frozen_backbone_does_not_move_in_training(mini_slake: Path) -> None:
    model = built(split("train"))
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    steps(model, split("train"))
    after = model.module.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert statistics(model)
    assert not {name for name in moved if name.startswith("vision.")}
    assert {name for name in before if not name.startswith("vision.")} - moved == set()


def test_with_batch_norm_drift_only_the_statistics_move(mini_slake: Path) -> None:
    model = built(split("train"), batch_norm_drift=True)
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    steps(model, split("train"))
    moved = {
        name
        for name, value in model.module.state_dict().items()
        if name.startswith("vision.") and not torch.equal(before[name], value)
    }
    assert moved
    assert all(name.rpartition(".")[2] in ("running_mean", "running_var", "num_batches_tracked") for name in moved)
    frozen = statistics(model)
    answers(model, split("test"))  # answering is in evaluation mode
    assert all(torch.equal(value, frozen[name]) for name, value in statistics(model).items())


def test_drift_weighs_a_picture_by_its_questions(mini_slake: Path) -> None:
    train = split("train")[:5]  # four questions about one picture, one about another
    model, reference = built(train, batch_norm_drift=True), built(train, batch_norm_drift=True)
    steps(model, train, 1)
    vision = reference.module.get_submodule("vision")
    net = reference.net  # type: ignore[attr-defined]
    keys = net.image_keys(train, Problems())
    vision.train()
    with torch.no_grad():
        net.vision.tokens(torch.from_numpy(net.store.batch([keys[s.id] for s in train])))
    for name, value in statistics(reference).items():
        torch.testing.assert_close(statistics(model)[name], value)


def test_a_trained_backbone_moves(mini_slake: Path) -> None:
    model = built(split("train"), frozen=False)
    before = {name: value.clone() for name, value in model.module.named_parameters()}
    steps(model, split("train"))
    still = {name for name, value in model.module.named_parameters() if torch.equal(before[name], value)}
    assert still == set()


def test_the_same_seed_builds_the_same_model_and_leaves_the_global_state_alone(mini_slake: Path) -> None:
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    one, two = (built(split("train")).state() for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_answers_say_what_they_are(mini_slake: Path) -> None:
    model = built(split("train"))
    predictions = answers(model, split("test"))
    assert [p.id for p in predictions] == [s.id for s in split("test")]
    for prediction in predictions:
        probabilities = [p for _, p in prediction.candidates]
        assert probabilities == sorted(probabilities, reverse=True)
        assert len(probabilities) == 5
        assert 0 < sum(probabilities) <= 1.00001
        assert (prediction.prediction, prediction.confidence) == prediction.candidates[0]
        assert prediction.answer_seen is True


@pytest.mark.parametrize("changes", [{}, {"batch_norm_drift": True}, {"frozen": False}, {"pool_over_padding": True}])
def test_a_checkpoint_gives_the_same_answers(mini_slake: Path, tmp_path: Path, changes: dict[str, bool]) -> None:
    model = built(split("train"), **changes)
    steps(model, split("train"))
    folder = saved(model, tmp_path / "checkpoints")
    loaded = load_model(folder, torch.device("cpu"))
    assert answers(loaded, split("test")) == answers(model, split("test"))
    assert not loaded.module.training


def test_frozen_pretrained_weights_are_found_again_and_others_are_refused(mini_slake: Path, tmp_path: Path) -> None:
    weights = pretrained_folder(tmp_path / "weights")
    changes = {"backbone": str(weights), "pretrained": True, "backbone_config": {}}
    model = built(split("train"), **changes)
    steps(model, split("train"))
    folder = saved(model, tmp_path / "checkpoints")
    assert not [name for name in load_file(folder / "best.safetensors") if name.startswith("vision.")]
    assert answers(load_model(folder, torch.device("cpu")), split("test")) == answers(model, split("test"))
    shutil.rmtree(weights)
    pretrained_folder(weights, seed=1)
    with pytest.raises(WeightsError, match="are not those that the run was trained with"):
        load_model(folder, torch.device("cpu"))


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_damaged_checkpoint_is_found(mini_slake: Path, tmp_path: Path) -> None:
    path = saved(built(split("train")), tmp_path) / "best.safetensors"
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    expected = read_weights(path)
    for place in range(0, header, max(1, header // 80)):
        path.write_bytes(_flipped(whole, place))
        try:
            found = read_weights(path)
        except RunError as error:
            assert "is damaged" in str(error)  # noqa: PT017 - some of the header is padding, and no harm
        else:
            assert found.keys() == expected.keys()
            assert all(torch.equal(found[name], expected[name]) for name in expected)
    for place in (header, header + 1001, len(whole) - 1):
        path.write_bytes(_flipped(whole, place))
        with pytest.raises(RunError, match="is damaged: its checksum does not fit"):
            read_weights(path)
    for length in (0, 7, header - 1, header + 5, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match="is damaged"):
            read_weights(path)
    path.write_bytes(whole)
    assert read_weights(path)
    path.unlink()
    with pytest.raises(RunError, match="does not exist"):
        read_weights(path)


def test_a_checkpoint_of_another_model_does_not_fit(mini_slake: Path, tmp_path: Path) -> None:
    folder = saved(built(split("train")), tmp_path)
    state = load_file(folder / "best.safetensors")
    state["surplus"] = torch.zeros(1)
    write_weights(folder / "best.safetensors", state)
    with pytest.raises(WeightsError, match="surplus missing or unexpected"):
        load_model(folder, torch.device("cpu"))
    save_file(state, folder / "best.safetensors")  # without our checksum
    with pytest.raises(RunError, match="checksum does not fit"):
        load_model(folder, torch.device("cpu"))


def test_when_no_picture_can_be_read_that_is_said(mini_slake: Path) -> None:
    model = built(split("train"))
    test = split("test")
    for sample in test:
        sample.image_path.write_bytes(b"not a picture of " + sample.image.encode())
    problems = Problems(skip=True)
    with pytest.raises(DataError, match="None of the 12 samples can be used"):
        model.prepare(test, problems)


def test_unreadable_pictures_are_left_out_with_all_their_questions(mini_slake: Path) -> None:
    model = built(split("train"))
    test = split("test")
    test[0].image_path.unlink()
    problems = Problems(skip=True)
    prepared = model.prepare(test, problems)
    assert [s.id for s in prepared.samples] == [s.id for s in test[4:]]
    assert len(problems.found) == 1


def test_loss_is_the_mean_cross_entropy(mini_slake: Path) -> None:
    train = split("train")
    model = built(train)
    prepared = model.prepare(train, Problems())
    rows = torch.tensor([3, 0, 3])
    model.module.eval()
    with torch.inference_mode():
        step = model.loss(prepared, rows)
        probabilities = model.net.logits(prepared.inputs, rows).softmax(1)  # type: ignore[attr-defined]
        answered = model.answer(prepared, rows)
    gold = probabilities[torch.arange(3), prepared.labels[rows]]
    assert step.loss.item() == pytest.approx(-gold.log().mean().item(), rel=1e-5)
    assert answered.loss_sum == pytest.approx(-gold.log().sum().item(), rel=1e-5)
    assert step.correct.item() == (probabilities.argmax(1) == prepared.labels[rows]).sum().item()


def test_a_convolutional_backbone_has_no_class_token(mini_slake: Path) -> None:
    with pytest.raises(RecipeError, match=r"has no class token; use model\.pooling: mean or pooler"):
        zoo.build(section(pooling="cls"), Context(training=split("train")))

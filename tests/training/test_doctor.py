"""The doctor: finds every real bug of the published systems, finds none where there is none, and leaves no trace."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sick_models as sick
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from miniature import recipe
from radvqa.cli import app
from radvqa.commands.doctor import doctor
from radvqa.commands.train import train
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import RadvqaError, RecipeError
from radvqa.models import zoo
from radvqa.models.family import Context, VqaModel
from radvqa.recipe import ModelSection
from radvqa.run import Run
from radvqa.sample import Sample
from radvqa.training.doctor.examine import CHECKS, Examination, examine
from radvqa.training.doctor.restore import untouched


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "train")[:120]


def examined(net: Any, samples: list[Sample], **options: Any) -> Examination:
    return examine(sick.model(net, samples, **options), samples, Problems())


def levels(found: Examination, level: str) -> set[str]:
    return {finding.check for finding in found.findings if finding.level == level}


def sentences(found: Examination, check: str) -> str:
    return " ".join(finding.sentence for finding in found.findings if finding.check == check)


@pytest.mark.parametrize("net", [sick.Healthy, sick.StillNorm])
def test_a_healthy_model_passes_every_check(samples: list[Sample], net: Any) -> None:
    found = examined(net, samples)
    assert [finding for finding in found.findings if finding.level != "ok"] == []
    assert levels(found, "ok") == set(CHECKS)


@pytest.mark.parametrize(
    ("net", "check", "says"),
    [
        (sick.PadsLearned, "pads_carry_no_loss", "positions of padding are learned"),  # A8.1
        (
            sick.OtherStart,
            "generation_starts_as_training",
            r"after '<start>' (1) but written after '<cls>' (3)",
        ),  # A8.2
        (sick.PaddingSeen, "answers_are_their_own", "depend on the other questions of the batch"),  # A8.3
        (sick.PaddingSeenInTraining, "losses_are_their_own", "padding takes part"),
        (sick.DriftingNorm, "frozen_is_frozen", "vision.norm.running_mean"),  # A8.4
        (sick.PromptKept, "prompt_not_in_answer", "answers hold the prompt"),  # B6
        (sick.Blind, "pictures_matter", "do not reach the model in training"),  # B6
        (sick.BlindInWriting, "pictures_matter", "do not reach the model in generation"),  # B6
        (sick.LabelsOfTheAnswerAlone, "labels_fit_inputs", "differ in shape"),  # B6
        (sick.LabelsWithoutShift, "labels_fit_inputs", "shifted against the inputs"),
        (sick.AnswersMisspelt, "labels_decode_to_gold", "but the gold answer is"),
        (sick.Endless, "end_is_learned", "will not stop"),
        (sick.PromptLearned, "prompts_carry_no_loss", "do not begin with the answer's"),
        (sick.ImageTokensLearned, "prompts_carry_no_loss", "image tokens have a target"),
        (sick.Truncated, "pictures_are_whole", "of 2: do not truncate"),
        (sick.TruncatedAlike, "pictures_are_whole", "with 1 of 2: do not truncate"),
        (sick.DeadTower, "trained_parts_learn", "vision should learn, but no gradient reaches"),
        (sick.MovingFrozen, "frozen_is_frozen", "1 frozen weights moved (vision.out.bias)"),
        (sick.Speechless, "few_samples_are_learned", "could be learned by heart"),
        (sick.OtherOrder, "answers_as_learned", "Training and generation disagree"),
    ],
)
def test_a_sick_model_is_found_out(samples: list[Sample], net: Any, check: str, says: str) -> None:
    found = examined(net, samples)
    assert check in levels(found, "error")
    assert says in sentences(found, check)


def test_a_wrong_layout_ends_the_examination_and_says_so(samples: list[Sample]) -> None:
    found = examined(sick.LabelsOfTheAnswerAlone, samples)
    assert [finding.check for finding in found.findings] == ["labels_fit_inputs"]
    assert "Nothing else was examined" in found.findings[0].sentence


def test_a_layer_that_nothing_uses_is_named(samples: list[Sample]) -> None:
    found = examined(sick.UnusedLayer, samples)
    assert levels(found, "error") == set()
    assert "2 tensors count as trained but never moved (vision.spare" in sentences(found, "trained_parts_learn")


def test_a_model_that_trains_nothing_is_examined_without_learning(samples: list[Sample]) -> None:
    found = examined(sick.NothingTrained, samples)
    assert levels(found, "error") == set()
    assert "trains nothing" in sentences(found, "few_samples_are_learned")


@pytest.mark.parametrize(("mode", "errors"), [("full", set()), ("frozen", {"frozen_is_frozen"})])
def test_what_the_recipe_says_is_held_against_what_is_trained(
    samples: list[Sample], mode: str, errors: set[str]
) -> None:
    found = examine(sick.model(sick.Healthy, samples), samples, Problems(), modes={"vision": mode})
    assert levels(found, "error") == errors


def test_a_part_that_should_learn_and_has_nothing_to_learn_with_is_named(samples: list[Sample]) -> None:
    found = examine(sick.model(sick.StillNorm, samples), samples, Problems(), modes={"vision": "lora"})
    assert "The recipe trains vision, but nothing in it has requires_grad" in sentences(found, "trained_parts_learn")


def test_answers_longer_than_the_limit_are_counted(samples: list[Sample]) -> None:
    longer = sum(len(sample.answer.split()) > 1 for sample in samples)
    longest = max(len(sample.answer.split()) for sample in samples)
    found = examined(sick.Healthy, samples, tokens=1)
    assert levels(found, "warning") == {"answers_fit_the_limit"}
    said = sentences(found, "answers_fit_the_limit")
    assert said.startswith(f"{longer} of {len(samples)} gold answers are longer than model.answering.tokens = 1")
    assert f"the longest has {longest}:" in said


def test_one_picture_says_nothing_about_pictures(samples: list[Sample]) -> None:
    found = examined(sick.Healthy, [sample for sample in samples if sample.image == samples[0].image])
    assert "All samples show one picture" in sentences(found, "pictures_matter")


def test_samples_are_shown_as_they_are_read_and_learned(samples: list[Sample]) -> None:
    found = examined(sick.Healthy, samples)
    by_id = {sample.id: sample for sample in samples}
    assert len(found.decoded) == 10
    width = {sum(row.ignored.values()) + len(row.learned.split()) for row in found.decoded}
    assert len(width) == 1  # every position of the batch is either learned or ignored, and of one kind
    for row in found.decoded[:8]:
        sample = by_id[row.id]
        assert (row.prompt, row.gold) == (sample.question, sample.answer)
        assert row.learned == f"{sample.answer} <end>"
        assert row.ignored["picture"] == 2
        assert row.ignored["text"] == len(sample.question.split())
    assert len({row.prompt for row in found.decoded[:8]}) == 8
    assert len({by_id[row.id].image for row in found.decoded[:8]}) > 1
    longest = max(samples, key=lambda sample: len(sample.question))
    assert found.decoded[8].prompt == longest.question


def classifier(samples: list[Sample], **changes: Any) -> VqaModel:
    tiny = {
        "family": "cnn_lstm",
        "backbone": "microsoft/resnet-18",
        "pretrained": False,
        "backbone_config": {"embedding_size": 16, "hidden_sizes": [16, 16], "depths": [1, 1]},
        "image_size": 32,
        "question_length": 12,
        "embedding_size": 16,
        "image_vector_size": 16,
        "hidden_size": 32,
    }
    return zoo.build(ModelSection.model_validate({**tiny, **changes}), Context(training=samples, seed=3))


@pytest.mark.parametrize("frozen", [True, False])
def test_a_healthy_classifier_passes_every_check_that_concerns_it(samples: list[Sample], frozen: bool) -> None:
    found = examine(classifier(samples, frozen=frozen), samples, Problems())
    assert [finding for finding in found.findings if finding.level != "ok"] == []
    assert len(found.findings) == 8
    assert {row.learned for row in found.decoded} <= {sample.answer for sample in samples}


def test_the_drift_of_seed_000_is_found(samples: list[Sample]) -> None:
    found = examine(classifier(samples, batch_norm_drift=True), samples, Problems())
    assert levels(found, "error") == {"frozen_is_frozen"}
    assert "statistics of frozen layers moved (vision.model." in sentences(found, "frozen_is_frozen")


def test_an_answer_that_is_no_class_is_found(samples: list[Sample]) -> None:
    model = classifier([sample for sample in samples if sample.answer in ("Yes", "No")])
    found = examine(model, samples, Problems())
    assert "for an unknown one), for instance '<unk>' for" in sentences(found, "labels_decode_to_gold")


@pytest.mark.parametrize("net", [sick.StillNorm, sick.DriftingNorm, sick.OtherStart])
def test_everything_is_put_back(samples: list[Sample], net: Any) -> None:
    model = sick.model(net, samples, tokens=2)
    model.module.train()
    model.parts["decoder"].eval()
    model.cut = 7
    before = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    modes = [module.training for module in model.module.modules()]
    states = torch.get_rng_state(), random.getstate(), np.random.get_state(legacy=False)
    examine(model, samples, Problems())
    after = model.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [module.training for module in model.module.modules()] == modes
    assert all(parameter.grad is None for parameter in model.module.parameters())
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert str(states[2]) == str(np.random.get_state(legacy=False))
    assert model.cut == 7


def test_the_same_model_is_found_to_be_the_same_whatever_was_drawn_before(samples: list[Sample]) -> None:
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append(examine(classifier(samples), samples, Problems()).findings)
    assert found[0] == found[1]  # dropout included


def test_everything_is_put_back_after_a_failure(samples: list[Sample]) -> None:
    model = sick.model(sick.Healthy, samples)
    weight = dict(model.module.named_parameters())["vision.out.weight"]
    before = weight.detach().clone()

    def fails() -> None:
        with untouched(model) as kept:
            weight.data += 1
            assert kept.moved() == {"vision.out.weight"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert torch.equal(weight, before)


def told(run: Run) -> tuple[list[dict[str, Any]], dict[str, torch.Tensor]]:
    history = [{key: value for key, value in row.items() if key != "seconds"} for row in run.history]
    return history, load_file(run.checkpoints / "last.safetensors")


@pytest.mark.parametrize("changes", [{}, {"model__frozen": False}], ids=["frozen", "trained"])
def test_training_after_the_doctor_is_the_same_to_the_last_bit(
    mini_slake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    path = recipe(tmp_path / "tiny.yaml", **changes)
    runs = []
    for name, examines in (("with", True), ("without", False)):
        monkeypatch.setenv("RADVQA_CACHE", str(tmp_path / f"cache-{name}"))
        runs.append(train(path, out=tmp_path / name, doctor=examines))
    (history, weights), (plain_history, plain_weights) = map(told, runs)
    assert history == plain_history
    assert weights.keys() == plain_weights.keys()
    assert all(torch.equal(weights[name], plain_weights[name]) for name in weights)
    report = json.loads((tmp_path / "with" / "doctor.json").read_text(encoding="utf-8"))
    assert report["errors"] == []
    assert runs[0].facts["doctor"] == {"seconds": report["seconds"], "warnings": [], "accepted": []}
    assert runs[1].facts["doctor"] == {"skipped": True}
    assert not (tmp_path / "without" / "doctor.json").exists()


def test_an_error_stops_the_training_unless_the_recipe_accepts_it(mini_slake: Path, tmp_path: Path) -> None:
    path = recipe(tmp_path / "tiny.yaml", model__batch_norm_drift=True)
    with pytest.raises(RadvqaError, match=r"1 errors in tiny: \[frozen_is_frozen\] .* named in training.accept"):
        train(path, out=tmp_path / "run")
    assert not (tmp_path / "run" / "history.jsonl").exists()
    run = train(path, ["accept=[frozen_is_frozen]"], out=tmp_path / "run")
    assert run.facts["doctor"]["accepted"] == ["frozen_is_frozen"]


def test_an_unknown_check_in_a_recipe_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = recipe(tmp_path / "tiny.yaml", training__accept=["frozen_is_forzen"])
    with pytest.raises(RecipeError, match=r"no check 'frozen_is_forzen'; did you mean 'frozen_is_frozen'"):
        doctor(path)


def test_the_doctor_writes_nothing_that_training_reads(mini_slake: Path, fresh_cache: Path, tmp_path: Path) -> None:
    report = doctor(recipe(tmp_path / "tiny.yaml"))
    assert report["errors"] == []
    assert not (fresh_cache / "features").exists()


def test_the_command_shows_samples_and_findings_and_ends_with_the_verdict(mini_slake: Path, tmp_path: Path) -> None:
    path = str(recipe(tmp_path / "tiny.yaml", model__batch_norm_drift=True))
    assert CliRunner().invoke(app, ["doctor", path, "accept=[frozen_is_frozen]"]).exit_code == 0
    done = CliRunner().invoke(app, ["doctor", path])
    assert isinstance(done.exception, RadvqaError)  # main prints it and exits with status 1
    assert "what is read and what is learned" in done.stdout
    assert "✗ frozen_is_frozen:" in done.stdout
    assert "✓ trained_parts_learn: A gradient reaches every trained part" in done.stdout
    told = CliRunner().invoke(app, ["doctor", path, "accept=[frozen_is_frozen]", "--json"])
    report = json.loads(told.stdout)
    assert (report["errors"], report["accepted"]) == ([], ["frozen_is_frozen"])
    assert {row["gold"] for row in report["decoded"]} >= {"Liver", "Lung"}

"""Co-attention: attention without key and value products, out-of-fold readings, views, and voting members."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_parts import split
from torch.nn import functional

from radvqa.answering import answer_prepared
from radvqa.data.dataset import Problems
from radvqa.models import region_head, zoo
from radvqa.models.checkpoint import load_model, write_spec, write_weights
from radvqa.models.classifier import AnswerClassifier
from radvqa.models.coattention import Coattention, CoattentionInputs
from radvqa.models.coattention_net import CoattentionNet, CoattentionOptions, Sizes
from radvqa.models.family import Context
from radvqa.models.questions import Questions
from radvqa.models.views import Views, view_key
from radvqa.models.vocabulary import WordVocabulary
from radvqa.recipe import ModelSection
from radvqa.sample import Region, Sample

TINY_VIT: dict[str, Any] = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 1, "image_size": 56}


def options(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "backbone": "facebook/dinov2-small",
        "pretrained": False,
        "backbone_config": TINY_VIT,
        "image_size": 56,
        "views": 2,
        "regions": True,
        "region_folds": 2,
        "members": 2,
        "embedding_size": 8,
        "hidden_size": 12,
        "classifier_size": 10,
        "heads": 3,
    }
    return {**values, **changes}


def upper_half(sample: Sample) -> list[Region]:
    """Every picture shows the same organ in its upper half."""
    return [Region("Lung", (0.0, 0.0, 1.0, 0.5))]


def built(training: list[Sample], **changes: Any) -> AnswerClassifier[CoattentionInputs]:
    section = ModelSection.model_validate({"family": "coattention", **options(**changes)})
    model = zoo.build(section, Context(training=training, regions=upper_half, seed=1))
    assert isinstance(model, AnswerClassifier)
    return model


def net_of(model: AnswerClassifier[CoattentionInputs]) -> Coattention:
    assert isinstance(model.net, Coattention)
    return model.net


def test_region_targets_by_hand() -> None:
    mask = np.zeros((8, 8), bool)
    mask[0:4, 4:8] = True  # the upper right of four patches, whole
    mask[4:6, 0:2] = True  # a quarter of the lower left
    regions = [Region("Heart", (0, 0, 1, 1), mask=mask), Region("Mass", (0.0, 0.5, 0.5, 0.25), "finding")]
    targets = region_head.patch_targets([regions], ["Heart", "Mass"], side=2)
    assert targets[0, :, 0].tolist() == pytest.approx([0, 1, 0.25, 0])
    assert targets[0, :, 1].tolist() == pytest.approx([0, 0, 0.5, 0])
    assert region_head.labels_of([regions] * 4) == ()
    assert region_head.labels_of([regions, regions[:1]] * 5) == ("Heart", "Mass")


def test_hops_equal_attention_with_explicit_keys_and_values() -> None:
    torch.manual_seed(0)
    parsed = CoattentionOptions.model_validate(options(hops=1, heads=1, dropout=0.0))
    net = CoattentionNet(parsed, Sizes(words=6, sentence=0, patch=5, picture=4, answers=3)).eval()
    words = WordVocabulary(("where", "is", "it", "now"), "seed000", 4)
    questions = Questions.encode(["where is it", "is it now"], words, torch.device("cpu"))
    rows, patches, picture = torch.arange(2), torch.randn(2, 7, 5), torch.randn(2, 4)
    with torch.no_grad():
        logits = net(questions, rows, None, patches, picture)
        # the textbook way: a query of the state, keys W k, values V v, with the products written out
        asked = net.question_state(net.question(questions, rows))
        both = asked * net.picture_state(picture)
        state = asked + both
        query, seen = net.queries[0], net.seen[0]
        assert isinstance(query, torch.nn.Linear)
        assert isinstance(seen, torch.nn.Sequential)
        value, norm = seen[1], seen[2]
        assert isinstance(value, torch.nn.Linear)
        keys = patches @ query.weight  # (b, n, hidden): the key projection, transposed
        scores = torch.einsum("bh,bnh->bn", state, keys) + torch.einsum("d,bnd->bn", query.bias, patches)
        values = functional.linear(patches, value.weight)
        attended = torch.einsum("bn,bnh->bh", (scores / 5**0.5).softmax(1), values) + value.bias
        state = state + norm(attended)
        expected = net.classifier(torch.cat([state, asked, both], 1))
    torch.testing.assert_close(logits, expected)


def test_training_pictures_are_read_out_of_fold_and_new_ones_by_the_whole_head(mini_slake: Path) -> None:
    model = built(split("train"))
    net = net_of(model)
    training, new = model.prepare(split("train"), Problems()), model.prepare(split("test"), Problems())
    assert training.inputs.patches.shape[1] == 3  # the picture and two views
    assert new.inputs.patches.shape[1] == 1
    places = 4 * 3 + 2
    read = training.inputs.patches[:, :, :, 24:-places].float()
    assert net.net.regions is not None
    keys = list(dict.fromkeys(net.image_keys(split("train"), Problems()).values()))
    whole = net.net.regions.probabilities(net._standard_patches(keys)).sqrt() * 3
    assert not torch.allclose(read[:, 0], whole, atol=1e-2)
    fresh = list(dict.fromkeys(net.image_keys(split("test"), Problems()).values()))
    expected = net.net.regions.probabilities(net._standard_patches(fresh)).sqrt() * 3
    torch.testing.assert_close(new.inputs.patches[:, 0, :, 24:-places].float(), expected, atol=2e-3, rtol=2e-3)


def test_a_second_run_on_the_same_pictures_takes_the_readings_from_the_cache(
    mini_slake: Path, fresh_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = built(split("train")).prepare(split("train"), Problems()).inputs

    def again(*args: object) -> None:
        raise AssertionError("it was learned again")

    monkeypatch.setattr(region_head, "out_of_fold", again)
    second = built(split("train")).prepare(split("train"), Problems()).inputs
    assert torch.equal(first.patches, second.patches)
    assert torch.equal(first.pictures, second.pictures)
    with pytest.raises(AssertionError, match="learned again"):
        built(split("train"), region_folds=3)


def test_where_organs_lie_is_learned_without_touching_the_random_state() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    region_head.fit(torch.zeros(4, 4, 6), torch.zeros(4, 4, 1), seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_views_are_fixed_differ_and_leave_the_picture_alone(mini_slake: Path) -> None:
    net = net_of(built(split("train"), regions=False))
    key = next(iter(net.image_keys(split("train"), Problems()).values()))
    views = Views(net.store)
    pictures = views.batch([view_key(key, number) for number in (0, 1, 2, 1)])
    assert np.array_equal(pictures[0], net.store.batch([key])[0])
    assert np.array_equal(pictures[1], pictures[3])
    assert not np.array_equal(pictures[1], pictures[2])


def test_members_vote_with_their_average_probability(mini_slake: Path) -> None:
    model = built(split("train"))
    prepared = model.prepare(split("test"), Problems())
    rows = torch.arange(len(prepared.samples))
    model.module.eval()
    with torch.no_grad():
        logits = model.net.logits(prepared.inputs, rows)
    average = logits.softmax(-1).mean(0)
    answered = model.answer(prepared, rows)
    for row, answer in enumerate(answered.answers):
        assert answer.confidence == pytest.approx(average[row].max().item(), abs=1e-5)
        assert answer.text == model.answers.spell(int(average[row].argmax()))
    assert answered.loss_sum == pytest.approx(
        functional.nll_loss(average.log(), prepared.labels, reduction="sum").item()
    )


def test_a_loaded_model_gives_the_same_answers(mini_slake: Path, tmp_path: Path) -> None:
    model = built(split("train"))
    write_spec(tmp_path, model, "coattention")
    write_weights(tmp_path / "best.safetensors", model.state())
    loaded = load_model(tmp_path, torch.device("cpu"))
    test = split("test")
    before = answer_prepared(model, model.prepare(test, Problems()))[0]
    after = answer_prepared(loaded, loaded.prepare(test, Problems()))[0]
    assert [p.candidates for p in before] == [p.candidates for p in after]

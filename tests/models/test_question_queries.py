"""Queries that read the question before they look."""

from pathlib import Path
from typing import Any

import pytest
import tiny_question_queries
import torch
from torch import Tensor, nn

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import RecipeError
from radvqa.models import places, region_head, zoo
from radvqa.models.family import Context
from radvqa.models.question_queries import QuestionQueries, Sizes, _Attention
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

SIZES = Sizes(queries=3, layers=2, heads=2, hidden=8, patches=2, patch=6, question=5, token=7, dropout=0.0)


def net() -> QuestionQueries:
    torch.manual_seed(0)
    made = QuestionQueries(SIZES).eval()
    nn.init.normal_(made.queries)
    return made


def given(questions: int = 4) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    real = torch.ones(questions, 3, dtype=torch.bool)
    return torch.randn(2, 4, 6), torch.tensor([0, 1, 0, 1])[:questions], torch.randn(questions, 3, 5), real


@torch.no_grad()
def test_attention_is_torch_s_own() -> None:
    torch.manual_seed(2)
    ours = _Attention(8, 8, 2)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.memory.weight]))
    theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.memory.bias]))
    theirs.out_proj.load_state_dict(ours.out.state_dict())
    states, memory = torch.randn(3, 2, 8), torch.randn(3, 5, 8)
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]]).bool()
    expected = theirs(states, memory, memory, key_padding_mask=~real, need_weights=False)[0]
    torch.testing.assert_close(ours(states, *ours.remembered(memory), real), expected)


@torch.no_grad()
def test_each_question_looks_at_its_own_picture_and_no_other() -> None:
    patches, index, words, real = given()
    looking = net()
    together = looking(patches, index, words, real)
    assert together.shape == (4, 3, 7)
    for row, picture in enumerate(index.tolist()):
        alone = looking(patches[picture][None], torch.tensor([0]), words[row][None], real[row][None])
        torch.testing.assert_close(together[row], alone[0])


@torch.no_grad()
def test_another_question_sees_something_else_in_the_same_picture() -> None:
    patches, index, words, real = given()
    first = net()(patches, index, words, real)
    words[2] += 1.0 * torch.randn(3, 5)
    second = net()(patches, index, words, real)
    torch.testing.assert_close(first[[0, 1, 3]], second[[0, 1, 3]])
    assert not torch.allclose(first[2], second[2], atol=1e-3)


@torch.no_grad()
def test_padding_of_a_question_is_never_read() -> None:
    patches, index, words, real = given()
    real[1, 1:] = False
    looking = net()
    first = looking(patches, index, words, real)
    words[1, 1:] = 100.0
    torch.testing.assert_close(looking(patches, index, words, real), first)


@torch.no_grad()
def test_where_a_patch_lies_is_seen() -> None:
    patches, index, words, real = given()
    turned = patches[:, [1, 0, 2, 3]]
    looking = net()
    assert not torch.allclose(looking(patches, index, words, real), looking(turned, index, words, real), atol=1e-5)


def test_places_are_coordinates_and_their_waves() -> None:
    found = places.waves(3)
    assert found.shape == (9, places.WIDTH)
    torch.testing.assert_close(found[:, -2:], torch.tensor([[x, y] for y in (-1.0, 0, 1) for x in (-1.0, 0, 1)]))
    torch.testing.assert_close(found[4, :-2], torch.tensor([0.0, 1.0] * 6))  # in the middle: sin 0, cos 0
    assert found[2, 0] == pytest.approx(1.0, abs=1e-5)  # sin(1.57 · 1) at the right edge


def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "train")[:12]


def built(values: dict[str, Any], **changes: Any) -> Any:
    context = Context(training=samples(), seed=1, regions=lambda sample: registry.regions("phantom:mini", sample.image))
    return zoo.build(ModelSection.model_validate({**values, **changes}), context)


def test_questions_about_one_picture_share_nothing_but_its_patches(tmp_path: Path) -> None:
    model = built(tiny_question_queries.section(tmp_path))
    inputs = model.prepare(samples(), Problems()).inputs.seen
    asked = {(sample.image, sample.question) for sample in samples()}
    assert len(inputs.pictures) == len(inputs.questions) == len(asked) > len(inputs.keys)
    for row, sample in enumerate(samples()):
        prefix = int(inputs.prefixes[row])
        assert int(inputs.pictures[prefix]) == int(inputs.rows[row])
        same = [other for other in range(len(samples())) if samples()[other].question == sample.question]
        assert {int(inputs.questions[int(inputs.prefixes[other])]) for other in same} == {int(inputs.questions[prefix])}


def test_image_tokens_begin_as_large_as_the_language_model_s_own(tmp_path: Path) -> None:
    model = built(tiny_question_queries.section(tmp_path))
    prepared = model.prepare(samples(), Problems())
    with torch.no_grad():
        read = model.net._read(prepared.inputs, torch.arange(4)).prefix.embeddings
    own = model.net.wrapped.get_input_embeddings().weight.detach().std()
    assert 0.3 < float(read[:, 1:].square().mean().sqrt() / own) < 3


def test_so_many_layers_are_kept_and_no_more_than_there_are(tmp_path: Path) -> None:
    values = tiny_question_queries.section(tmp_path)
    kept = built(values).net.wrapped
    assert len(kept.get_base_model().model.layers) == 1
    whole = built(values, language_layers=None).net.wrapped
    first, same = (model.get_base_model().model.layers[0].mlp.up_proj.weight for model in (kept, whole))
    torch.testing.assert_close(first, same)
    with pytest.raises(RecipeError, match=r"model.language_layers=3, but .* has 2 layers"):
        built(values, language_layers=3)


def test_readings_of_organs_are_kept_with_the_weights(
    tmp_path: Path, fresh_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_head, "_RAREST", 1)  # the samples show few pictures
    values = {**tiny_question_queries.section(tmp_path), "regions": True, "region_folds": 2}
    model = built(values)
    assert model.origin.organs
    again = zoo.rebuild({"family": "qformer_llm", **model.spec()}, torch.device("cpu"))
    again.load_state(model.state())
    patches = torch.randn(1, 9, 24)
    torch.testing.assert_close(model.net.sight.organs(["new"], patches), again.net.sight.organs(["new"], patches))  # type: ignore[attr-defined]
    assert {name for name in model.state() if name.startswith("organs.")} >= {"organs.mean", "organs.spread"}

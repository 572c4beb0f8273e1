"""Co-attention in front of a language model."""

from pathlib import Path
from typing import Any

import pytest
import tiny_coattention_llm
import torch

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import RecipeError
from radvqa.models import region_head, zoo
from radvqa.models.coattention_net import CoattentionNet, CoattentionOptions, CoattentionTrunk, Sizes
from radvqa.models.family import Context
from radvqa.models.questions import Questions
from radvqa.models.vocabulary import WordVocabulary
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

ROWS = torch.arange(12)


def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "train")[: len(ROWS)]


def built(folder: Path, **changes: Any) -> Any:
    values = tiny_coattention_llm.section(folder)
    values["sight"] |= changes.pop("sight", {})
    context = Context(training=samples(), seed=1, regions=lambda sample: registry.regions("phantom:mini", sample.image))
    model: Any = zoo.build(ModelSection.model_validate({**values, **changes}), context)
    model.module.eval()
    return model


def images(model: Any) -> torch.Tensor:
    inputs = model.prepare(samples(), Problems()).inputs
    with torch.no_grad():
        told: torch.Tensor = model.net.sight.images(inputs.seen, ROWS)
    return told


def test_the_trunk_is_what_the_discriminative_net_classifies() -> None:
    options = CoattentionOptions(backbone="none", embedding_size=4, hidden_size=6, hops=2, heads=2, dropout=0.0)
    sizes = Sizes(words=9, sentence=3, patch=5, picture=7, answers=4)
    torch.manual_seed(0)
    net = CoattentionNet(options, sizes).eval()
    trunk = CoattentionTrunk(options, sizes).eval()
    trunk.load_state_dict({k: v for k, v in net.state_dict().items() if not k.startswith("classifier.")})
    words = WordVocabulary(("what", "is", "this"), "seed000", 8)
    questions = Questions.encode(["What is this?", "Is this?"], words, torch.device("cpu"))
    given = (questions, torch.tensor([0, 1]), torch.randn(2, 3), torch.randn(2, 4, 5), torch.randn(2, 7))
    torch.testing.assert_close(net(*given), net.classifier(trunk(*given)))


def test_a_picture_is_seen_as_its_question_asks(tmp_path: Path) -> None:
    told = images(built(tmp_path))
    assert told.shape == (12, 2, 32)
    pictures = [sample.image for sample in samples()]
    same = [row for row in range(12) if pictures[row] == pictures[0]]
    assert len(same) > 1
    assert not torch.allclose(told[same[0]], told[same[1]], atol=1e-4)


def test_what_was_learned_while_building_is_kept(
    tmp_path: Path, fresh_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_head, "_RAREST", 1)  # the samples show few pictures
    model = built(tmp_path, sight={"regions": True, "region_folds": 2})
    assert model.origin.organs
    state = model.state()
    kept = {name for name in state if name.startswith("vision.")}
    assert {"vision.patch_mean", "vision.picture_spread", "vision.regions.net.1.weight"} <= kept
    assert not [name for name in kept if name.startswith("vision.vision.")]  # the backbone is found again by its name
    again: Any = zoo.rebuild({"family": "coattention_llm", **model.spec()}, torch.device("cpu"))
    again.load_state(state)
    again.module.eval()
    model.net.sight.seeing._out_of_fold.clear()  # a model that is built again has never seen a picture
    torch.testing.assert_close(images(again), images(model))


def test_views_are_seen_in_training_alone(tmp_path: Path) -> None:
    model = built(tmp_path, sight={"views": 2})
    inputs = model.prepare(samples(), Problems()).inputs
    assert inputs.seen.patches.shape[1] == 3
    torch.testing.assert_close(images(model), images(model))
    model.module.train()
    torch.manual_seed(0)
    first = model.net.sight.images(inputs.seen, ROWS)
    assert not torch.allclose(first, model.net.sight.images(inputs.seen, ROWS), atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sight": {"members": 2}}, "model.sight.members must be 1"),
        ({"train": {"vision": "full"}}, "model.train.vision must be frozen"),
    ],
)
def test_what_it_cannot_do_is_told(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        built(tmp_path, **changes)

"""``cnn_bert`` and ``clip_bert``: what their towers compute, what learns, and what is written for other tools."""

import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tiny_clip_bert
import tiny_cnn_bert
import torch
from model_parts import pretrained_folder
from model_parts import section as cnn_lstm_section
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file
from tiny_checkpoints import word_pieces
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AutoModel,
    BertModel,
    CLIPVisionModel,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    ResNetModel,
    RobertaConfig,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import zoo
from radvqa.models.classifier import PortableClassifier
from radvqa.models.families import clip_bert, cnn_bert
from radvqa.models.family import Context, ModelAnswer, Portable
from radvqa.models.image_processing import ImageProcessing
from radvqa.models.text_tower import TextSpec, TextTower
from radvqa.models.towers import Joined, Towers, TowersInputs, TowersOptions
from radvqa.models.vision import VisionSpec, VisionTower
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

LORA = {"r": 4, "alpha": 16, "dropout": 0.0, "targets": ["q_proj", "v_proj", "query", "value"]}
FULL = {"vision": "full", "text": "full"}
FROZEN = {"vision": "frozen", "text": "frozen"}
ADAPTED = {"vision": "lora", "text": "lora"}


@cache
def samples() -> list[Sample]:
    """Questions about several pictures, several about each."""
    return registry.load_split("phantom:mini", "train")[:24]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The ``model`` sections of both families, their checkpoints written once."""
    root = tmp_path_factory.mktemp("towers")
    return {"cnn_bert": tiny_cnn_bert.section(root / "cnn"), "clip_bert": tiny_clip_bert.section(root / "clip")}


Model = PortableClassifier[TowersInputs]


def section(values: Mapping[str, Any], **changes: Any) -> ModelSection:
    return ModelSection.model_validate({**values, **changes})


def build(values: Mapping[str, Any], **changes: Any) -> Model:
    model = zoo.build(section(values, **changes), Context(training=samples(), seed=3))
    assert isinstance(model, PortableClassifier)
    return model


def net_of(model: Model) -> Towers:
    net = model.net
    assert isinstance(net, Towers)
    return net


def steps(model: Model, number: int = 3) -> None:
    prepared = model.prepare(samples(), Problems())
    optimizer = torch.optim.AdamW([p for p in model.module.parameters() if p.requires_grad], 1e-2)
    model.module.train()
    for _ in range(number):
        optimizer.zero_grad()
        model.loss(prepared, torch.arange(len(samples()))).loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def logits(model: Model, rows: list[int]) -> Tensor:
    model.module.eval()
    inputs = model.prepare(samples(), Problems()).inputs
    with torch.no_grad():
        return model.net.logits(inputs, torch.tensor(rows))


def answers(model: Model) -> list[ModelAnswer]:
    return model.answer(model.prepare(samples(), Problems()), torch.arange(len(samples()))).answers


def gradients(model: Model) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in model.module.named_parameters() if p.grad is not None}


def plain_question(tokenizer: Any, model: Any, question: str, pooling: str) -> Tensor:
    """One question by itself, without padding, through plain ``transformers``."""
    with torch.no_grad():
        states: Tensor = model(**tokenizer(question, return_tensors="pt")).last_hidden_state[0]
    return states[0] if pooling == "cls" else states.mean(0)


def by_hand(head: Mapping[str, Tensor], picture: Tensor, question: Tensor, size: int) -> Tensor:
    """The head from its written tensors alone."""
    layers = nn.functional

    def projected(name: str, vector: Tensor) -> Tensor:
        linear = layers.linear(vector, head[f"{name}.0.weight"], head[f"{name}.0.bias"])
        return layers.layer_norm(linear, (size,), head[f"{name}.1.weight"], head[f"{name}.1.bias"])

    one, two = projected("picture", picture), projected("question", question)
    joined = layers.gelu(projected("joined", torch.cat([one, two, one * two], -1)))
    return layers.linear(joined, head["answers.weight"], head["answers.bias"])


# --- the towers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_question_in_a_padded_batch_is_read_as_by_plain_bert(
    folders: dict[str, dict[str, Any]], pooling: Any
) -> None:
    name = folders["cnn_bert"]["text"]
    tower = TextTower.load(TextSpec(name, pooling), family="test").eval()
    questions = ["is the heart large?", "what?", "is there anything abnormal in the left lung, and where is it?"]
    with torch.no_grad():
        ours = tower([tower.tokens(question) for question in questions])
    plain = BertModel.from_pretrained(name).eval()
    expected = [plain_question(tower.tokenizer, plain, question, pooling) for question in questions]
    torch.testing.assert_close(ours, torch.stack(expected), atol=1e-5, rtol=1e-5)


_SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
_KINDS = [
    DistilBertConfig(dim=16, n_layers=2, n_heads=2, hidden_dim=24, vocab_size=200),
    RobertaConfig(**_SIZES, vocab_size=200, pad_token_id=0, max_position_embeddings=140),
    MPNetConfig(**_SIZES, vocab_size=200, pad_token_id=0, max_position_embeddings=140),
    ElectraConfig(**_SIZES, vocab_size=200, embedding_size=16),
    AlbertConfig(**_SIZES, vocab_size=200, embedding_size=8),
    DebertaV2Config(**_SIZES, vocab_size=200),
    ModernBertConfig(**_SIZES, vocab_size=200, pad_token_id=0),
]


@pytest.mark.parametrize("config", _KINDS, ids=lambda config: str(config.model_type))
def test_every_kind_of_encoder_learns_whole_and_does_not_see_padding(tmp_path: Path, config: Any) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tower = TextTower(TextSpec(config.model_type), AutoModel.from_config(config), word_pieces(tmp_path)).eval()
    long, short = tower.tokens("is there a nodule in the lung?"), tower.tokens("where?")
    together = tower([long, short])
    torch.testing.assert_close(together[1:], tower([short]), atol=1e-5, rtol=1e-4)
    (together**2).sum().backward()
    assert [name for name, parameter in tower.named_parameters() if parameter.grad is None] == []


def test_an_unpooled_encoder_may_lack_the_pooler_and_nothing_else(
    folders: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "bert"
    shutil.copytree(folders["cnn_bert"]["text"], folder)
    BertModel.from_pretrained(folder, add_pooling_layer=False).save_pretrained(folder)
    TextTower.load(TextSpec(str(folder)), family="test")
    with torch.random.fork_rng():
        cut = BertModel.from_pretrained(folder, add_pooling_layer=False)
        state = {name: value for name, value in cut.state_dict().items() if not name.startswith("encoder.layer.1.")}
        cut.save_pretrained(folder, state_dict=state)
    with pytest.raises(WeightsError, match=r"lacks 16 of the weights that a bert needs.*encoder\.layer\.1"):
        TextTower.load(TextSpec(str(folder)), family="test")


@pytest.mark.parametrize("resizing", ["own", "stretch"])
def test_pictures_are_seen_as_by_plain_clip(folders: dict[str, dict[str, Any]], resizing: str) -> None:
    changes = {"resizing": resizing, "image_size": tiny_clip_bert.SIDE, "train": {**FULL, "vision": "frozen"}}
    model = build(folders["clip_bert"], **changes)
    ours = model.prepare(samples(), Problems()).inputs.pictures
    plain = CLIPVisionModel.from_pretrained(folders["clip_bert"]["vision"]).eval()
    processor: Any = ImageProcessing(Path(folders["clip_bert"]["vision"])).processor
    square = {"size": {"height": 32, "width": 32}, "resample": 2, "do_center_crop": False}
    for sample, row in [(samples()[0], 0), (samples()[-1], -1)]:
        picture = Image.open(sample.image_path).convert("RGB")
        values = processor(picture, return_tensors="pt", **(square if resizing == "stretch" else {}))["pixel_values"]
        with torch.no_grad():
            expected = plain(pixel_values=values).pooler_output[0]
        assert ours.features is not None
        torch.testing.assert_close(ours.features.pooled[ours.rows[row]], expected, atol=1e-4, rtol=1e-4)


def test_an_encoder_without_a_class_token_keeps_every_patch(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        SiglipVisionModel(SiglipVisionConfig(**_SIZES, image_size=32, patch_size=8)).save_pretrained(tmp_path)
    tower = VisionTower(VisionSpec(str(tmp_path), pooling="mean")).eval()
    pixels = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        patches, vector = tower.tokens(pixels)
        values = (pixels.permute(0, 3, 1, 2) / 255 - tower.mean) / tower.std
        expected = SiglipVisionModel.from_pretrained(tmp_path).eval()(pixel_values=values).last_hidden_state
    torch.testing.assert_close(patches, expected)
    torch.testing.assert_close(vector, expected.mean(1))


# --- what learns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["cnn_bert", "clip_bert"])
@pytest.mark.parametrize("train", [FULL, ADAPTED], ids=["full", "lora"])
def test_gradients_are_those_of_a_loop_over_the_questions(
    folders: dict[str, dict[str, Any]], family: str, train: dict[str, str]
) -> None:
    if family == "cnn_bert" and train is ADAPTED:
        train = {"vision": "full", "text": "lora"}
    lora = {**LORA, "targets": ["query", "value"]} if family == "cnn_bert" else LORA
    model = build(folders[family], train=train, lora=lora)
    if "lora" in train.values():
        steps(model)  # at first, nothing reaches what comes before the zeros
    model.module.eval()  # batch norm by its running statistics, which do not depend on the batch
    prepared = model.prepare(samples(), Problems())
    rows = list(range(0, 24, 2))
    model.module.zero_grad()
    model.loss(prepared, torch.tensor(rows)).loss.backward()  # type: ignore[no-untyped-call]
    shared = gradients(model)
    model.module.zero_grad()
    for row in rows:
        (model.loss(prepared, torch.tensor([row])).loss / len(rows)).backward()  # type: ignore[no-untyped-call]
    naive = gradients(model)
    assert {name for name, parameter in model.module.named_parameters() if parameter.requires_grad} == set(shared)
    for name, gradient in naive.items():
        torch.testing.assert_close(shared[name], gradient, atol=1e-5, rtol=1e-3, msg=name)


def test_batch_norm_that_learns_counts_each_picture_once(folders: dict[str, dict[str, Any]]) -> None:
    model = build(folders["cnn_bert"])
    net = net_of(model)
    prepared = model.prepare(samples(), Problems())
    model.module.train()
    model.loss(prepared, torch.arange(24))
    plain = ResNetModel.from_pretrained(folders["cnn_bert"]["vision"]).train()
    pixels = torch.from_numpy(net.store.batch(prepared.inputs.pictures.keys)).permute(0, 3, 1, 2) / 255
    assert len(pixels) < 24
    plain(pixel_values=(pixels - net.vision.mean) / net.vision.std)
    expected = dict(plain.named_buffers())
    for name, value in net.vision.model.named_buffers():
        torch.testing.assert_close(value, expected[name], msg=name)


@pytest.mark.parametrize("family", ["cnn_bert", "clip_bert"])
def test_frozen_towers_are_run_once_and_their_vectors_kept(
    folders: dict[str, dict[str, Any]], family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = build(folders[family], train=FROZEN, lora=None)
    whole = build(folders[family], train=FULL, lora=None)  # the same initial weights
    rows = list(range(24))
    torch.testing.assert_close(logits(frozen, rows), logits(whole, rows), atol=1e-5, rtol=1e-5)
    frozen.module.train()
    assert not net_of(frozen).vision.training
    assert not net_of(frozen).text.training
    prepared = frozen.prepare(samples(), Problems())
    asked = prepared.inputs.questions
    assert asked.vectors is not None
    assert len(asked.vectors) == len({sample.question for sample in samples()}) < 24

    def run(*_: Any, **__: Any) -> None:
        raise AssertionError("a frozen tower was run again")

    monkeypatch.setattr(VisionTower, "tokens", run)
    monkeypatch.setattr(TextTower, "forward", run)
    frozen.loss(prepared, torch.arange(24)).loss.backward()  # type: ignore[no-untyped-call]
    assert set(gradients(frozen)) == {f"head.{name}" for name, _ in net_of(frozen).head.named_parameters()}


def test_a_question_that_many_rows_ask_is_read_once(
    folders: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build(folders["cnn_bert"])
    prepared = model.prepare(samples(), Problems())
    passed: list[tuple[int, int]] = []
    text, vision = TextTower.forward, VisionTower.tokens

    def read(tower: TextTower, texts: Any) -> Tensor:
        vectors = text(tower, texts)
        passed.append((len(texts), len(vectors)))
        return vectors

    def see(tower: VisionTower, pixels: Tensor) -> tuple[Tensor, Tensor]:
        passed.append((len(pixels), len(pixels)))
        return vision(tower, pixels)

    monkeypatch.setattr(TextTower, "forward", read)
    monkeypatch.setattr(VisionTower, "tokens", see)
    model.loss(prepared, torch.arange(24))
    asked, shown = (len({getattr(s, field) for s in samples()}) for field in ("question", "image"))
    assert passed == [(shown, shown), (asked, asked)]


def test_low_rank_additions_and_the_head_are_all_that_learns(folders: dict[str, dict[str, Any]]) -> None:
    model = build(folders["clip_bert"])
    learned = {name for name, parameter in model.module.named_parameters() if parameter.requires_grad}
    for place, targets, stack in [("vision", ("q_proj", "v_proj"), 2), ("text", ("query", "value"), 2)]:
        inside = {name for name in learned if name.startswith(f"{place}.")}
        assert len(inside) == 2 * len(targets) * stack  # a matrix down and one up, for each target of each layer
        assert all(f".lora_{m}." in name for name in inside for m in ("A" if ".lora_A." in name else "B"))
        assert {name.split(".lora_")[0].rpartition(".")[2] for name in inside} == set(targets)
    assert {name for name in learned if name.startswith("head.")} == {
        f"head.{name}" for name, _ in net_of(model).head.named_parameters()
    }
    assert set(model.state()) == learned


def test_what_the_vector_does_not_depend_on_does_not_learn(folders: dict[str, dict[str, Any]]) -> None:
    changes = {"train": FULL, "lora": None}
    still = {
        pooling: {
            name.split("model.", 1)[1].removeprefix("vision_model.")
            for name, parameter in build(folders["clip_bert"], pooling=pooling, **changes).module.named_parameters()
            if not parameter.requires_grad
        }
        for pooling in ("pooler", "mean")
    }
    assert still == {"pooler": set(), "mean": {"post_layernorm.weight", "post_layernorm.bias"}}


def test_a_frozen_resnet_keeps_its_statistics(folders: dict[str, dict[str, Any]]) -> None:
    model = build(folders["cnn_bert"], train={"vision": "frozen"})
    before = {name: value.clone() for name, value in net_of(model).vision.state_dict().items()}
    steps(model)
    assert all(torch.equal(value, before[name]) for name, value in net_of(model).vision.state_dict().items())


# --- checkpoints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("train", [FROZEN, ADAPTED, FULL, {"vision": "frozen", "text": "lora"}], ids=str)
def test_a_checkpoint_holds_what_was_learned_and_gives_the_same_answers(
    folders: dict[str, dict[str, Any]], train: dict[str, str]
) -> None:
    targets = [name for place, names in (("vision", ("q_proj", "v_proj")), ("text", ("query",))) for name in names
               if train[place] == "lora"]  # fmt: skip
    lora = {**LORA, "targets": targets} if targets else None
    model = build(folders["clip_bert"], train=train, lora=lora)
    steps(model)
    state = model.state()
    for place, mode in train.items():
        kept = [name for name in state if name.startswith(f"{place}.")]
        assert bool(kept) == (mode != "frozen")
        assert all(("lora_" in name) == (mode == "lora") for name in kept)
    spec = json.loads(json.dumps({"family": "clip_bert", **model.spec()}))
    assert set(spec["digests"]) == {place for place, mode in train.items() if mode != "full"}
    again = zoo.rebuild(spec, torch.device("cpu"))
    again.load_state(state)
    assert isinstance(again, PortableClassifier)
    assert answers(again) == answers(model)


@pytest.mark.parametrize("place", ["vision", "text"])
def test_other_pretrained_weights_are_refused(folders: dict[str, dict[str, Any]], tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    shutil.copytree(folders["clip_bert"][place], folder)
    model = build(folders["clip_bert"], **{place: str(folder)})
    weights = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        next(iter(weights.parameters())).add_(1)
    weights.save_pretrained(folder)
    with pytest.raises(WeightsError, match=f"{place} are not those that the run was trained with"):
        zoo.rebuild({"family": "clip_bert", **model.spec()}, torch.device("cpu"))


def test_a_checkpoint_of_other_sizes_does_not_fit(folders: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(WeightsError, match="does not fit the model: head"):
        build(folders["clip_bert"]).load_state(build(folders["clip_bert"], hidden_size=12).state())


def test_runs_of_before_this_family_stay_readable(tmp_path: Path) -> None:
    weights = pretrained_folder(tmp_path / "weights")
    values = cnn_lstm_section(backbone=str(weights), pretrained=True, backbone_config={})
    model = zoo.build(values, Context(training=samples(), seed=3))
    spec = {"family": "cnn_lstm", **model.spec()}
    spec["vision_digest"] = spec.pop("digests")["vision"]  # as runs were written until then
    zoo.rebuild(spec, torch.device("cpu")).load_state(model.state())
    with pytest.raises(WeightsError, match="not those that the run was trained with"):
        zoo.rebuild({**spec, "vision_digest": "another"}, torch.device("cpu"))


# --- for other tools --------------------------------------------------------------------------------------------------


def test_adapters_load_with_plain_peft(folders: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    values = folders["clip_bert"]
    model = build(values)
    steps(model)
    expected = logits(model, [0, 7])
    assert isinstance(model, Portable)
    assert model.write_adapter(tmp_path)
    vision: Any = PeftModel.from_pretrained(CLIPVisionModel.from_pretrained(values["vision"]), str(tmp_path / "vision"))
    text: Any = PeftModel.from_pretrained(BertModel.from_pretrained(values["text"]), str(tmp_path / "text"))
    assert (
        json.loads((tmp_path / "text" / "adapter_config.json").read_text())["base_model_name_or_path"] == values["text"]
    )
    head = load_file(tmp_path / "head.safetensors")
    processor: Any = ImageProcessing(Path(values["vision"])).processor
    for row, ours in zip((0, 7), expected, strict=True):
        sample = samples()[row]
        pixels = processor(Image.open(sample.image_path).convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            picture = vision.eval()(pixel_values=pixels).pooler_output[0]
        question = plain_question(net_of(model).text.tokenizer, text.eval(), sample.question, "mean")
        torch.testing.assert_close(by_hand(head, picture, question, 24), ours, atol=1e-4, rtol=1e-4)
    classes = json.loads((tmp_path / "answers.json").read_text())
    assert answers(model)[0].text == classes[int(expected[0].argmax())]


@pytest.mark.parametrize("family", ["cnn_bert", "clip_bert"])
def test_merged_towers_load_with_plain_transformers(
    folders: dict[str, dict[str, Any]], tmp_path: Path, family: str
) -> None:
    model = build(folders[family])
    steps(model)
    expected = logits(model, [0, 7])
    model.write_merged(tmp_path)
    vision = AutoModel.from_pretrained(tmp_path / "vision").eval()
    text = BertModel.from_pretrained(tmp_path / "text", add_pooling_layer=False).eval()
    head = load_file(tmp_path / "head.safetensors")
    processor: Any = ImageProcessing(tmp_path / "vision").processor
    for row, ours in zip((0, 7), expected, strict=True):
        sample = samples()[row]
        pixels = processor(Image.open(sample.image_path).convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            picture = vision(pixel_values=pixels).pooler_output[0].flatten()
        question = plain_question(net_of(model).text.tokenizer, text, sample.question, "mean")
        torch.testing.assert_close(by_hand(head, picture, question, 24), ours, atol=1e-4, rtol=1e-4)


def test_merged_towers_can_be_the_towers_of_another_run(folders: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    model = build(folders["clip_bert"])
    steps(model)
    expected = logits(model, [3, 5])
    model.write_merged(tmp_path)
    changes = {"vision": str(tmp_path / "vision"), "text": str(tmp_path / "text"), "train": FROZEN, "lora": None}
    again = build(folders["clip_bert"], **changes)
    net_of(again).head.load_state_dict(load_file(tmp_path / "head.safetensors"))
    torch.testing.assert_close(logits(again, [3, 5]), expected, atol=1e-4, rtol=1e-4)


def test_writing_an_adapter_does_not_ask_the_hub(
    folders: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADVQA_WEIGHTS", str(tmp_path / "weights"))
    values = {**folders["clip_bert"], "vision": "some/clip", "text": "some/bert"}
    for place in ("vision", "text"):
        shutil.copytree(folders["clip_bert"][place], tmp_path / "weights" / values[place])

    def ask(*_: Any, **__: Any) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("peft.utils.save_and_load.check_file_exists_on_hf_hub", ask)
    assert build(values).write_adapter(tmp_path / "adapter")
    written = json.loads((tmp_path / "adapter" / "vision" / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] == "some/clip"


def test_a_tower_learned_whole_beside_an_adapter_is_written_whole(
    folders: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    lora = {**LORA, "targets": ["query"]}
    model = build(folders["clip_bert"], train={"vision": "full", "text": "lora"}, lora=lora)
    assert model.write_adapter(tmp_path)
    assert (tmp_path / "text" / "adapter_model.safetensors").is_file()
    CLIPVisionModel.from_pretrained(tmp_path / "vision")
    assert not build(folders["cnn_bert"]).write_adapter(tmp_path / "none")
    assert not (tmp_path / "none").exists()


# --- bad input --------------------------------------------------------------------------------------------------------


def test_checkpoints_of_another_kind_are_refused(folders: dict[str, dict[str, Any]]) -> None:
    resnet, bert = folders["cnn_bert"]["vision"], folders["cnn_bert"]["text"]
    with pytest.raises(WeightsError, match=r"kind 'resnet'; the family clip_bert loads 'clip' or"):
        build(folders["clip_bert"], vision=resnet)
    with pytest.raises(WeightsError, match="kind 'bert', which reads no pictures"):
        build(folders["cnn_bert"], vision=bert)
    with pytest.raises(WeightsError, match=r"kind 'resnet'; the family cnn_bert loads 'bert' or"):
        build(folders["cnn_bert"], text=resnet)


@pytest.mark.parametrize(
    ("family", "train", "targets", "says"),
    [
        ("clip_bert", ADAPTED, ["q_proj", "quary"], r"'quary' matches no linear layer of vision or text.*'query'"),
        ("clip_bert", ADAPTED, ["q_proj"], "q_proj match no linear layer of text, whose mode is lora"),
        ("cnn_bert", ADAPTED, ["query"], "no linear layer of vision, whose mode is lora; it has none"),
        ("clip_bert", ADAPTED, None, "model.train asks for lora, but there is no model.lora"),
        ("clip_bert", {"head": "frozen"}, ["query"], "model: train.head"),
        ("clip_bert", {"txet": "lora"}, ["query"], "unknown key 'train.txet'"),
    ],
)
def test_a_wrong_choice_of_what_learns_is_named(
    folders: dict[str, dict[str, Any]], family: str, train: dict[str, str], targets: list[str] | None, says: str
) -> None:
    lora = None if targets is None else {**LORA, "targets": targets}
    with pytest.raises(RecipeError, match=says):
        build(folders[family], train=train, lora=lora)


def test_a_question_is_never_cut(folders: dict[str, dict[str, Any]]) -> None:
    model = build(folders["cnn_bert"], question_tokens=9)
    with pytest.raises(DataError, match=r"has \d+ tokens, and model.question_tokens allows 9; raise it"):
        model.prepare(samples(), Problems())
    with pytest.raises(RecipeError, match=r"question_tokens=141, but .* reads at most 140 tokens"):
        build(folders["cnn_bert"], question_tokens=141)


def test_pictures_that_do_not_fit_the_encoder_are_named(folders: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"cannot read pictures of 48 pixels: .*\. Set model\.image_size"):
        build(folders["clip_bert"], resizing="stretch", image_size=48)
    with pytest.raises(RecipeError, match=r"has no preprocessor_config\.json.*model\.resizing: stretch"):
        build(folders["cnn_bert"], resizing="own")
    folder = tmp_path / "clip"
    shutil.copytree(folders["clip_bert"]["vision"], folder)
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps({**settings, "do_center_crop": False}))
    with pytest.raises(RecipeError, match="does not make squares of one size"):
        build(folders["clip_bert"], vision=str(folder))


# --- full size --------------------------------------------------------------------------------------------------------


def counts(module: nn.Module) -> dict[str, tuple[int, int]]:
    """All and the trained parameters of each part."""
    return {
        name: (
            sum(p.numel() for p in part.parameters()),
            sum(p.numel() for p in part.parameters() if p.requires_grad),
        )
        for name, part in module.named_children()
    }


def test_resnet_50_and_bert_base_have_135_million_parameters() -> None:
    module = cnn_bert.FAMILY.skeleton(cnn_bert.CnnBertOptions.model_validate({}))
    head = 2048 * 512 + 768 * 512 + 1536 * 512 + 3 * 512 + 3 * 2 * 512  # three linear layers with biases and norms
    assert counts(module) == {
        "vision": (23_508_032, 23_508_032),  # ResNet-50 without its 1,000 classes
        "text": (108_891_648, 108_891_648),  # BERT-base without its pooler
        "head": (head, head),
    }
    assert all(parameter.is_meta for parameter in module.parameters())
    assert round(sum(p.numel() for p in module.parameters()) / 1e6) == 135


def test_pubmedclip_and_bert_base_have_197_million_parameters_before_the_head() -> None:
    module = clip_bert.FAMILY.skeleton(clip_bert.ClipBertOptions.model_validate({}))
    found = counts(module)
    assert found["vision"] == (87_456_000, 87_456_000)
    assert found["text"] == (108_891_648, 108_891_648)
    adapted = clip_bert.ClipBertOptions.model_validate(
        {"train": ADAPTED, "lora": {"r": 8, "targets": ["q_proj", "v_proj", "query", "value"]}}
    )
    low_rank = 12 * 2 * 8 * (768 + 768)  # layers, targets, rank, down and up
    learned = counts(clip_bert.FAMILY.skeleton(adapted))
    assert learned["vision"] == (87_456_000 + low_rank, low_rank)
    assert learned["text"] == (108_891_648 + low_rank, low_rank)


def test_the_head_joins_by_its_vectors_and_their_product() -> None:
    head = Joined(3, 5, 4, 0.0, 2).eval()
    picture, question = torch.randn(6, 3), torch.randn(6, 5)
    torch.testing.assert_close(head(picture, question), by_hand(head.state_dict(), picture, question, 4))


def test_options_that_are_not_given_keep_their_defaults() -> None:
    options = TowersOptions.model_validate({"vision": "x/y", "train": {"text": "frozen"}})
    assert (options.train.vision, options.train.text, options.train.head) == ("full", "frozen", "full")

"""Qwen2-VL and Qwen2.5-VL: what transformers computes question by question, with each picture read once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_qwen2_vl
import torch
from PIL import Image
from tiny_checkpoints import llama
from torch import Tensor
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import zoo
from radvqa.models.chat_frame import ChatFrame
from radvqa.models.families.qwen2_vl import FAMILY, Qwen2VlOptions
from radvqa.models.family import Context
from radvqa.models.generator_net import IGNORED, IMAGE_TOKEN
from radvqa.models.qwen_pictures import QwenPictures, positions
from radvqa.recipe import ModelSection, load_recipe
from radvqa.sample import Sample

SIZES = {"wide": (20, 45), "tall": (50, 17), "grey": (30, 30)}  # height, width
QUESTIONS = ("Where is it?", "Is the left lung normal?", "What?")
KINDS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "qwen2_vl": tiny_qwen2_vl.section,
    "qwen2_5_vl": tiny_qwen2_vl.section_of_2_5,
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Three questions about each of three pictures of different sizes, one of them grey, pictures taking turns."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for name, size in SIZES.items():
        shape = size if name == "grey" else (*size, 3)
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(folder / f"{name}.png")
    return [
        Sample(f"{name}-{number}", "tiny:own", "train", name, folder / f"{name}.png", question, answer, "OPEN")
        for number, (question, answer) in enumerate(zip(QUESTIONS, ("lung", "No", "a mass here"), strict=True))
        for name in SIZES
    ]


@pytest.fixture(scope="module", params=KINDS)
def section(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return KINDS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def qwen2_vl(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return tiny_qwen2_vl.section(tmp_path_factory.mktemp("qwen2_vl"))


def built(section: dict[str, Any], asked: list[Sample], **changes: Any) -> tuple[Any, Any]:
    """A model and its prepared rows; low-rank additions are moved away from zero."""
    model: Any = zoo.build(ModelSection.model_validate({**section, **changes}), Context(training=asked, seed=1))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.module.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    model.module.eval()
    return model, model.prepare(asked, Problems())


class Plain:
    """The checkpoint as its publishers mean it to be used, one question at a time.

    Args:
        folder: holds tokeniser and image processor.
        model: of ``transformers``.
        max_pixels: of a picture.
    """

    def __init__(self, folder: Path, model: Any, **limits: int) -> None:
        self.model = model.eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **limits)

    def inputs(self, sample: Sample, prompt: str, answer: str = "") -> dict[str, Tensor]:
        picture = self.processor(images=Image.open(sample.image_path).convert("RGB"), return_tensors="pt")
        content = [{"type": "image"}, {"type": "text", "text": prompt}]
        text = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        tokens = int(picture["image_grid_thw"].prod()) // 4
        whole = text.replace("<|image_pad|>", "<|image_pad|>" * tokens) + answer
        ids = self.tokenizer(whole, return_tensors="pt", add_special_tokens=False)["input_ids"]
        kinds = (ids == self.model.config.image_token_id).int()
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "mm_token_type_ids": kinds, **picture}

    def logits(self, sample: Sample, prompt: str, answer: str) -> Tensor:
        """Score each token of the answer and its end, ``(k, v)``."""
        length = len(self.tokenizer(answer, add_special_tokens=False)["input_ids"]) + 1
        scored: Tensor = self.model(**self.inputs(sample, prompt, answer)).logits[0, -length:]
        return scored

    def written(self, sample: Sample, prompt: str, limit: int) -> str:
        inputs = self.inputs(sample, prompt)
        with torch.no_grad():
            told = self.model.generate(**inputs, max_new_tokens=limit, do_sample=False)[0]
        text: str = self.tokenizer.decode(told[inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return text.strip()


def plain_of(model: Any, section: dict[str, Any]) -> Plain:
    """The same weights, used question by question."""
    return Plain(Path(section["checkpoint"]), model.net.inner, max_pixels=section["max_pixels"])


def prompt_of(model: Any, sample: Sample) -> str:
    text: str = model.net.options.prompts.of(sample)
    return text


def scored(model: Any, prepared: Any, rows: Tensor) -> Tensor:
    lesson = model.lesson(prepared, rows)
    logits: Tensor = model.net.logits(prepared.inputs, rows, lesson)
    return logits


def test_logits_are_those_of_transformers_for_pictures_of_every_size(
    section: dict[str, Any], asked: list[Sample]
) -> None:
    model, prepared = built(section, asked)
    plain = plain_of(model, section)
    with torch.no_grad():
        ours = scored(model, prepared, torch.arange(len(asked)))
        theirs = torch.cat([plain.logits(sample, prompt_of(model, sample), sample.answer) for sample in asked])
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)
    assert len({tuple(row) for row in ours.topk(3).indices.tolist()}) > 3


def test_written_answers_are_those_of_generate(section: dict[str, Any], asked: list[Sample]) -> None:
    model, prepared = built(section, asked)
    plain = plain_of(model, section)
    ours = [answer.text for answer in model.answer(prepared, torch.arange(len(asked)), with_loss=False).answers]
    assert ours == [plain.written(sample, prompt_of(model, sample), 24) for sample in asked]
    assert len(set(ours)) > 3


def test_answers_do_not_depend_on_batch_order_or_padding(section: dict[str, Any], asked: list[Sample]) -> None:
    model, prepared = built(section, asked)
    order = torch.tensor([4, 0, 8, 2, 6, 1, 7, 3, 5])
    together = model.answer(prepared, order)
    alone = [model.answer(prepared, order[place : place + 1]) for place in range(len(order))]
    assert [one.text for one in together.answers] == [one.answers[0].text for one in alone]
    assert [one.confidence for one in together.answers] == pytest.approx(
        [one.answers[0].confidence for one in alone], abs=1e-4
    )
    assert together.loss_sum == pytest.approx(sum(one.loss_sum for one in alone), rel=1e-5)


@pytest.mark.parametrize("train", [{"vision": "lora"}, {"vision": "full"}, {"language_model": "full"}])
def test_gradients_are_those_of_one_question_after_another(
    section: dict[str, Any], asked: list[Sample], train: dict[str, str]
) -> None:
    targets = ["qkv", "q_proj", "v_proj"] if train.get("vision") == "lora" else ["q_proj", "v_proj"]
    model, prepared = built(section, asked, train=train, lora={**section["lora"], "targets": targets})
    model.module.train()
    model.loss(prepared, torch.arange(len(asked))).loss.backward()
    learned = {name: p for name, p in model.module.named_parameters() if p.requires_grad}
    together = {name: p.grad.clone() for name, p in learned.items()}
    assert any("visual" in name for name in together) == ("vision" in train)
    model.module.zero_grad()
    plain = plain_of(model, section)
    for row, sample in enumerate(asked):
        logits = plain.logits(sample, prompt_of(model, sample), sample.answer)
        torch.nn.functional.cross_entropy(logits, torch.tensor(prepared.answers[row])).backward()  # type: ignore[no-untyped-call]
    for name, parameter in learned.items():
        mean = parameter.grad / len(asked)
        assert torch.allclose(together[name], mean, atol=2e-6, rtol=1e-3), name


def counted(model: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of pictures that pass the vision tower together, from now on."""
    passes: list[int] = []
    see = model.net.inner.model.get_image_features

    def count(values: Tensor, grid: Tensor) -> Any:
        passes.append(len(grid))
        return see(values, grid)

    monkeypatch.setattr(model.net.inner.model, "get_image_features", count)
    return passes


def test_a_learned_tower_sees_each_picture_of_a_batch_once(
    section: dict[str, Any], asked: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, prepared = built(section, asked, train={"vision": "full"})
    passes = counted(model, monkeypatch)
    scored(model, prepared, torch.tensor([0, 1, 3, 4, 6, 7]))
    assert passes == [2]


def test_a_frozen_tower_sees_each_picture_once_for_all_runs(
    qwen2_vl: dict[str, Any], asked: list[Sample], monkeypatch: pytest.MonkeyPatch, fresh_cache: Path
) -> None:
    model: Any = zoo.build(ModelSection.model_validate(qwen2_vl), Context(training=asked, seed=1))
    passes = counted(model, monkeypatch)
    prepared = model.prepare(asked[:2], Problems())
    assert passes == [2]
    model.answer(prepared, torch.arange(2))
    model.prepare(asked, Problems())
    assert passes == [2, 1]
    other: Any = zoo.build(ModelSection.model_validate({**qwen2_vl, "max_pixels": 400}), Context(training=asked))
    passes = counted(other, monkeypatch)
    other.prepare(asked, Problems())
    assert passes == [3]


def test_image_tokens_that_find_no_room_are_refused(
    qwen2_vl: dict[str, Any], asked: list[Sample], monkeypatch: pytest.MonkeyPatch, fresh_cache: Path
) -> None:
    monkeypatch.setenv("RADVQA_FEATURES_GB", "1e-7")
    with pytest.raises(DataError, match="or use a smaller max_pixels"):
        built(qwen2_vl, asked)


def test_another_picture_moves_the_logits(section: dict[str, Any], asked: list[Sample]) -> None:
    model, prepared = built(section, asked)
    keys = list(prepared.inputs.keys)
    before = scored(model, prepared, torch.tensor([2]))
    prepared.inputs.keys[2] = keys[0]
    assert (scored(model, prepared, torch.tensor([2])) - before).abs().max() > 1e-2


def test_no_image_token_is_lost_and_only_the_answer_teaches(section: dict[str, Any], asked: list[Sample]) -> None:
    model, prepared = built(section, asked)
    lesson = model.lesson(prepared, torch.arange(len(asked)))
    for row, sample in enumerate(asked):
        inputs = plain_of(model, section).inputs(sample, prompt_of(model, sample), sample.answer)
        ids = inputs["input_ids"][0].clone()
        ids[inputs["mm_token_type_ids"][0] == 1] = IMAGE_TOKEN
        assert lesson.inputs[row][lesson.real[row]].tolist() == ids.tolist()
        learned = lesson.targets[row][lesson.targets[row] != IGNORED].tolist()
        assert model.net.tokenizer.decode(learned) == f"{sample.answer}<|im_end|>"


def test_the_adapter_loads_with_plain_peft(section: dict[str, Any], asked: list[Sample], tmp_path: Path) -> None:
    from peft import PeftModel

    model, prepared = built(section, asked, train={"vision": "full"})
    with torch.no_grad():
        before = scored(model, prepared, torch.arange(3))
        for parameter in model.parts["vision"].parameters():
            assert parameter.requires_grad
            parameter.mul_(1.1)
        ours = scored(model, prepared, torch.arange(3))
    assert (ours - before).abs().max() > 1e-2
    assert model.write_adapter(tmp_path / "adapter")
    base = AutoModelForImageTextToText.from_pretrained(section["checkpoint"])
    adapted: Any = PeftModel.from_pretrained(base, str(tmp_path / "adapter"))
    plain = Plain(Path(section["checkpoint"]), adapted, max_pixels=section["max_pixels"])
    with torch.no_grad():
        theirs = torch.cat([plain.logits(sample, prompt_of(model, sample), sample.answer) for sample in asked[:3]])
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)


def test_merged_weights_load_with_plain_transformers(
    section: dict[str, Any], asked: list[Sample], tmp_path: Path
) -> None:
    model, prepared = built(section, asked)
    rows = torch.arange(len(asked))
    ours = model.answer(prepared, rows, with_loss=False).answers
    prompts = [prompt_of(model, sample) for sample in asked]
    with torch.no_grad():
        logits = scored(model, prepared, rows)
    model.write_merged(tmp_path)
    plain = Plain(tmp_path, AutoModelForImageTextToText.from_pretrained(tmp_path))  # the limits were written too
    assert [plain.written(*pair, 24) for pair in zip(asked, prompts, strict=True)] == [one.text for one in ours]
    with torch.no_grad():
        theirs = torch.cat([plain.logits(s, p, s.answer) for s, p in zip(asked, prompts, strict=True)])
    torch.testing.assert_close(logits, theirs, atol=1e-4, rtol=1e-3)


def test_a_rebuilt_model_answers_the_same(qwen2_vl: dict[str, Any], asked: list[Sample]) -> None:
    model, prepared = built(qwen2_vl, asked)
    spec = json.loads(json.dumps(model.spec()))
    again: Any = FAMILY.rebuild(spec, torch.device("cpu"))
    again.load_state(model.state())
    rows = torch.arange(len(asked))
    assert again.answer(again.prepare(asked, Problems()), rows).answers == model.answer(prepared, rows).answers
    assert all("lora" in name for name in model.state())


def test_initial_weights_come_from_the_seed_alone(qwen2_vl: dict[str, Any], asked: list[Sample]) -> None:
    def fresh(seed: int, disturbed: int) -> Any:
        torch.manual_seed(disturbed)
        before = torch.random.get_rng_state()
        model = zoo.build(ModelSection.model_validate(qwen2_vl), Context(training=asked, seed=seed))
        assert torch.equal(before, torch.random.get_rng_state())
        return model.state()

    one, same, other = fresh(1, 10), fresh(1, 11), fresh(2, 10)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_pixel_values_are_the_processors_own(qwen2_vl: dict[str, Any], asked: list[Sample], tmp_path: Path) -> None:
    folder = Path(qwen2_vl["checkpoint"])
    pictures = QwenPictures(folder)
    store = ImageStore(pictures, tmp_path)
    keys = [store.add(asked)[sample.id] for sample in asked[:3]]
    ours = pictures.patches(store, keys, torch.device("cpu"))
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    theirs = processor(
        images=[Image.open(sample.image_path).convert("RGB") for sample in asked[:3]], return_tensors="pt"
    )
    assert torch.equal(ours.grid, theirs["image_grid_thw"])
    torch.testing.assert_close(ours.values, theirs["pixel_values"], atol=1e-6, rtol=1e-6)
    assert store.pixels(keys[2]).shape == (32, 32)  # a grey picture stays one channel on disk


@pytest.mark.parametrize("form", ["min_pixels and max_pixels", "size"])
def test_pixel_limits_hold_whichever_form_the_checkpoint_uses(
    qwen2_vl: dict[str, Any], tmp_path: Path, form: str
) -> None:
    values = json.loads((Path(qwen2_vl["checkpoint"]) / "preprocessor_config.json").read_text(encoding="utf-8"))
    if form == "size":
        values["size"] = {"shortest_edge": values.pop("min_pixels"), "longest_edge": values.pop("max_pixels")}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(values), encoding="utf-8")
    large, small = np.zeros((200, 100, 3), np.uint8), np.zeros((10, 20), np.uint8)
    assert QwenPictures(tmp_path).apply(large).shape == (88, 40, 3)  # 200 × 100 reduced to 64 tokens of 8 × 8 pixels
    assert QwenPictures(tmp_path, max_pixels=32 * 32).apply(large).shape == (40, 16, 3)
    assert QwenPictures(tmp_path, min_pixels=32 * 32).apply(small).shape == (24, 48)
    keys = {QwenPictures(tmp_path, max_pixels=limit).key for limit in (None, 32 * 32, 24 * 24)}
    assert len(keys) == 3


def test_limits_that_leave_no_room_are_refused(qwen2_vl: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=r"model\.max_pixels: 50 pixels .* takes 64 pixels"):
        QwenPictures(Path(qwen2_vl["checkpoint"]), max_pixels=50)
    with pytest.raises(RecipeError, match="has at least 900; raise max_pixels or lower min_pixels"):
        QwenPictures(Path(qwen2_vl["checkpoint"]), min_pixels=900, max_pixels=800)


def test_a_picture_like_a_thread_is_reported_and_left_out(
    qwen2_vl: dict[str, Any], asked: list[Sample], tmp_path: Path
) -> None:
    Image.fromarray(np.zeros((2, 500), np.uint8)).save(tmp_path / "thread.png")
    thread = Sample("t", "tiny:own", "train", "thread", tmp_path / "thread.png", "What?", "line", "OPEN")
    model: Any = zoo.build(ModelSection.model_validate(qwen2_vl), Context(training=asked, seed=1))
    problems = Problems(skip=True)
    assert len(model.prepare([*asked, thread], problems).samples) == len(asked)
    assert "500 × 2 pixels cannot be resized" in problems.found[0]


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (4, 1), (1, 1)])
def test_positions_are_those_of_get_rope_index(section: dict[str, Any], rows: int, columns: int) -> None:
    model = AutoModelForImageTextToText.from_pretrained(section["checkpoint"]).model
    kinds = torch.tensor([[0] * 5 + [1] * (rows * columns) + [0] * 3])
    theirs, delta = model.get_rope_index(
        torch.zeros_like(kinds), kinds, image_grid_thw=torch.tensor([[1, 2 * rows, 2 * columns]])
    )
    ours = positions(5, rows, columns, 3)
    assert torch.equal(ours, theirs[:, 0])
    assert int(ours.max()) + 1 == kinds.shape[1] + int(delta)


@pytest.mark.parametrize("system", [None, "You are a radiologist."])
def test_a_conversation_is_what_the_chat_template_writes(qwen2_vl: dict[str, Any], system: str | None) -> None:
    tokenizer = AutoTokenizer.from_pretrained(qwen2_vl["checkpoint"])
    image_token, closing = tokenizer.convert_tokens_to_ids(["<|image_pad|>", "<|vision_end|>"])
    frame = ChatFrame.of(tokenizer, "tiny", image_token, closing, system)
    question = "  Is it\n(a) mass? ü"
    content = [{"type": "image"}, {"type": "text", "text": question}]
    said = [] if system is None else [{"role": "system", "content": system}]
    asked = [*said, {"role": "user", "content": content}]
    ours = [*frame.before, image_token, *frame.after, *frame.prompt(tokenizer, question)]
    assert ours == tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template([*asked, {"role": "assistant", "content": "No"}], return_dict=False)
    answered = [*ours, *tokenizer("No")["input_ids"], frame.end]
    assert whole[: len(answered)] == answered
    assert tokenizer.decode(whole[len(answered) :]) == "\n"
    assert frame.lead == ""


def test_a_template_with_words_between_picture_and_question_keeps_them(qwen2_vl: dict[str, Any]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(qwen2_vl["checkpoint"])
    tokenizer.chat_template = tokenizer.chat_template.replace("<|vision_end|>'", "<|vision_end|>Look: '")
    image_token, closing = tokenizer.convert_tokens_to_ids(["<|image_pad|>", "<|vision_end|>"])
    frame = ChatFrame.of(tokenizer, "tiny", image_token, closing, None)
    assert list(frame.after) == [closing]
    assert tokenizer.decode(frame.prompt(tokenizer, "Why?")).startswith("Look: Why?<|im_end|>")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "carries no chat template"),
        ("{% for message in messages %}{{ message.role }}{% endfor %}", r"does not write one <\|image_pad\|>"),
        (
            "<|image_pad|>{{ messages[0].content[1].text }}:{{ (messages[1] or {}).content }}",
            "writes no token of its own",
        ),
    ],
)
def test_a_template_that_cannot_be_followed_is_refused(
    qwen2_vl: dict[str, Any], template: str | None, message: str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(qwen2_vl["checkpoint"])
    tokenizer.chat_template = template
    image_token, closing = tokenizer.convert_tokens_to_ids(["<|image_pad|>", "<|vision_end|>"])
    with pytest.raises(WeightsError, match=message):
        ChatFrame.of(tokenizer, "tiny", image_token, closing, None)


def test_prompts_count_the_image_tokens(qwen2_vl: dict[str, Any], asked: list[Sample]) -> None:
    model, prepared = built(qwen2_vl, asked, max_pixels=48 * 48)
    assert model.net.prompts(prepared.inputs, torch.tensor([0])) == [
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|><|image_pad|>×12"
        "<|vision_end|>Where is it? Answer with a word or a short phrase.<|im_end|>\n<|im_start|>assistant\n"
    ]


def test_a_head_with_weights_of_its_own_is_a_part(asked: list[Sample], tmp_path: Path) -> None:
    folder = tiny_qwen2_vl.checkpoint(tmp_path, tie_word_embeddings=False)
    section = {"family": "qwen2_vl", "checkpoint": str(folder), "max_pixels": 576, "train": {"head": "full"}}
    model, prepared = built(section, asked)
    assert set(model.parts) == {"vision", "language_model", "head"}
    model.loss(prepared, torch.arange(2)).loss.backward()
    assert any("lm_head" in name and p.grad is not None for name, p in model.module.named_parameters())


def test_modes_that_cannot_be_saved_are_refused(qwen2_vl: dict[str, Any], asked: list[Sample]) -> None:
    with pytest.raises(RecipeError, match="use lora for both or full for both"):
        built(qwen2_vl, asked, train={"vision": "lora", "language_model": "full"})
    with pytest.raises(RecipeError, match="there is no part 'head'"):
        built(qwen2_vl, asked, train={"head": "full"})


def test_a_checkpoint_of_another_family_is_refused(asked: list[Sample], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="'llama'; the family qwen2_vl loads 'qwen2_vl' or 'qwen2_5_vl'"):
        built({"family": "qwen2_vl", "checkpoint": str(llama(tmp_path))}, asked)


@pytest.mark.parametrize(
    ("name", "total", "learned"),
    [
        # 2.21 and 3.75 billion as published; 28 layers × 8 × (1536 + 1536 + 1536 + 256) for query and value
        ("Qwen/Qwen2-VL-2B-Instruct", 2_208_985_600, 28 * 8 * (1536 + 1536 + 1536 + 256)),
        ("Qwen/Qwen2.5-VL-3B-Instruct", 3_754_622_976, 36 * 8 * (2048 + 2048 + 2048 + 256)),
    ],
)
def test_published_sizes_are_counted_without_memory(name: str, total: int, learned: int) -> None:
    lora = {"r": 8, "targets": ["q_proj", "v_proj"]}
    parameters = list(FAMILY.skeleton(Qwen2VlOptions.model_validate({"checkpoint": name, "lora": lora})).parameters())
    assert {parameter.device.type for parameter in parameters} == {"meta"}
    assert sum(p.numel() for p in parameters) == total + learned
    assert sum(p.numel() for p in parameters if p.requires_grad) == learned


@pytest.mark.parametrize("name", ["vqa_rad_qwen2vl_lora", "slake_qwen2vl_lora"])
def test_recipes_name_a_model_that_can_be_built(name: str) -> None:
    recipe = load_recipe(Path(name))
    options = Qwen2VlOptions.model_validate(recipe.model.options)
    assert options.max_pixels == 448 * 448
    learned = sum(p.numel() for p in FAMILY.skeleton(options).parameters() if p.requires_grad)
    assert learned == 18_464_768


def test_decoding_and_resizing_see_the_same_picture(qwen2_vl: dict[str, Any], asked: list[Sample]) -> None:
    pictures = QwenPictures(Path(qwen2_vl["checkpoint"]))
    grey = image.decode(asked[2].image_path)
    assert np.array_equal(pictures.apply(np.stack([grey] * 3, -1))[..., 1], pictures.apply(grey))

"""PaliGemma reads, learns and writes what transformers' own model and processor do, one question at a time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tiny_paligemma
import torch
from peft import PeftModel
from PIL import Image
from pydantic import ValidationError
from torch import Tensor
from transformers import AutoTokenizer, PaliGemmaForConditionalGeneration, PaliGemmaProcessor

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import zoo
from radvqa.models.families.paligemma import FAMILY, PaliGemmaOptions, PaliGemmaPrompts
from radvqa.models.family import Context
from radvqa.models.generator_net import IGNORED, IMAGE_TOKEN
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

ROWS = 10
FROZEN = {"vision": "frozen", "projector": "frozen", "language_model": "frozen"}
STAGE_1 = {"vision": "frozen", "projector": "full", "language_model": "frozen"}
SEVEN = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return {
        "gemma": tiny_paligemma.section(tmp_path_factory.mktemp("paligemma")),
        "gemma2": tiny_paligemma.section_2(tmp_path_factory.mktemp("paligemma2")),
    }


@pytest.fixture(scope="module", params=["gemma", "gemma2"])
def section(request: pytest.FixtureRequest, sections: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return sections[request.param]


def samples() -> list[Sample]:
    """Questions about several pictures, several about each."""
    found = registry.load_split("phantom:mini", "train")
    assert len({sample.image_path for sample in found[:ROWS]}) in range(2, ROWS)
    return found[:ROWS]


def build(section: Mapping[str, Any], **changes: Any) -> Any:
    values = ModelSection.model_validate({**section, **changes})
    model = zoo.build(values, Context(training=samples(), seed=3))
    model.module.eval()
    return model


def learned(section: Mapping[str, Any], steps: int = 3, **changes: Any) -> Any:
    """A model after a few steps."""
    model = build(section, **changes)
    prepared = model.prepare(samples(), Problems())
    optimizer = torch.optim.Adam([p for p in model.module.parameters() if p.requires_grad], 1e-2)
    model.module.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(prepared, torch.arange(ROWS)).loss.backward()
        optimizer.step()
    model.module.eval()
    return model


def processed(processor: Any, sample: Sample, **more: Any) -> Any:
    """What the published processor makes of a sample."""
    picture = Image.open(sample.image_path).convert("RGB")
    text = f"<image>answer en {sample.question}"
    return processor(images=picture, text=text, return_tensors="pt", **more)


def plain(section: Mapping[str, Any]) -> tuple[Any, Any]:
    """The plain ``transformers`` model and its processor."""
    folder = section["checkpoint"]
    return PaliGemmaForConditionalGeneration.from_pretrained(folder).eval(), PaliGemmaProcessor.from_pretrained(folder)


def their_logits(model: Any, inputs: Any) -> Tensor:
    """What plain ``transformers`` scores at the positions that its processor's labels teach."""
    with torch.no_grad():
        found: Tensor = model(**inputs).logits[:, :-1][inputs["labels"][:, 1:] != IGNORED]
    return found


def our_logits(model: Any, rows: list[int]) -> list[Tensor]:
    """What we score, one tensor a question."""
    prepared = model.prepare(samples(), Problems())
    chosen = torch.tensor(rows)
    with torch.no_grad():
        lesson = model.lesson(prepared, chosen)
        logits = model.net.logits(prepared.inputs, chosen, lesson)
    return list(logits.split((lesson.targets != IGNORED).sum(1).tolist()))


def test_prompt_and_labels_are_the_processors(section: dict[str, Any]) -> None:
    model, (_, processor) = build(section), plain(section)
    prepared = model.prepare(samples(), Problems())
    lesson = model.lesson(prepared, torch.arange(ROWS))
    for row, sample in enumerate(samples()):
        theirs = processed(processor, sample, suffix=sample.answer)
        ids, labels = theirs["input_ids"][0], theirs["labels"][0]
        ours = lesson.inputs[row][lesson.real[row]]
        assert (
            ours.tolist()
            == [IMAGE_TOKEN if token == processor.image_token_id else token for token in ids.tolist()][:-1]
        )
        targets = lesson.targets[row]
        assert targets[targets != IGNORED].tolist() == labels[labels != IGNORED].tolist()
        assert int((ours == IMAGE_TOKEN).sum()) == tiny_paligemma.IMAGE_TOKENS
        assert targets[targets != IGNORED].tolist()[-1] == model.net.end
        pixels = model.net.processing.values(
            model.net.store, [prepared.inputs.keys[prepared.inputs.rows[row]]], ids.device
        )
        torch.testing.assert_close(pixels, theirs["pixel_values"])


def test_logits_are_those_of_transformers_for_each_question_alone(section: dict[str, Any]) -> None:
    theirs, processor = plain(section)
    ours = our_logits(build(section), list(range(ROWS)))
    for row, sample in enumerate(samples()):
        expected = their_logits(theirs, processed(processor, sample, suffix=sample.answer))
        torch.testing.assert_close(ours[row], expected, atol=2e-5, rtol=1e-4)


def test_answers_are_those_of_transformers_for_each_question_alone(section: dict[str, Any]) -> None:
    theirs, processor = plain(section)
    model = build(section)
    prepared = model.prepare(samples(), Problems())
    written = model.net.write(prepared.inputs, torch.arange(ROWS), 12)
    for row, sample in enumerate(samples()):
        inputs = processed(processor, sample)
        inputs.pop("labels")
        ids = theirs.generate(**inputs, max_new_tokens=12, do_sample=False)[0, inputs["input_ids"].shape[1] :].tolist()
        ended = model.net.end in ids
        assert list(written[row].tokens) == (ids[: ids.index(model.net.end)] if ended else ids)
        assert written[row].begins_after == inputs["input_ids"][0, -1]
    assert len({one.tokens for one in written}) > 2


def test_logits_and_answers_do_not_depend_on_the_batch(section: dict[str, Any]) -> None:
    model = learned(section)
    prepared = model.prepare(samples(), Problems())
    lengths = [len(prompt) for prompt in prepared.inputs.prompts]
    assert len(set(lengths)) > 1  # so that something is padded
    together = our_logits(model, list(range(ROWS)))
    answers = model.answer(prepared, torch.arange(ROWS)).answers
    for row in (lengths.index(min(lengths)), 4):
        torch.testing.assert_close(our_logits(model, [row])[0], together[row], atol=2e-5, rtol=1e-4)
        alone = model.answer(prepared, torch.tensor([row])).answers[0]
        assert alone.text == answers[row].text
        assert alone.confidence == pytest.approx(answers[row].confidence, abs=1e-4)


@pytest.mark.parametrize("train", [{}, {"projector": "full"}, STAGE_1], ids=["lora", "lora+projector", "projector"])
def test_gradients_are_those_of_transformers_question_by_question(section: dict[str, Any], train: Any) -> None:
    model = learned(section, train=train)
    prepared = model.prepare(samples(), Problems())
    model.module.zero_grad()
    model.loss(prepared, torch.arange(ROWS)).loss.backward()
    ours = {name: p.grad for name, p in model.net.wrapped.named_parameters() if p.requires_grad}
    model.module.zero_grad(set_to_none=True)
    processor = plain(section)[1]
    for sample in samples():
        inputs = processed(processor, sample, suffix=sample.answer)
        (model.net.wrapped(**inputs).loss / ROWS).backward()
    for name, parameter in model.net.wrapped.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None
            assert parameter.grad.abs().max() > 0
            torch.testing.assert_close(ours[name], parameter.grad, atol=2e-5, rtol=1e-3)


def test_a_picture_is_encoded_once_a_batch_and_a_question_is_read_once(sections: dict[str, dict[str, Any]]) -> None:
    model = build(sections["gemma"])
    prepared = model.prepare(samples(), Problems())
    seen: dict[str, list[int]] = {part: [] for part in model.parts}
    for part, module in model.parts.items():
        module.register_forward_hook(
            lambda _, args, told, part=part: (
                seen[part].append(len(told.last_hidden_state)) if part != "projector" else None
            )
        )
    pictures = len(prepared.image_rows.unique())
    with torch.no_grad():
        model.loss(prepared, torch.arange(ROWS))
        assert seen["vision"] == [pictures]
        assert seen["language_model"] == [ROWS, ROWS]  # prefixes, answers
        seen["vision"].clear()
        seen["language_model"].clear()
        model.score(prepared, torch.tensor(2), ["yes", "no", "left lung"])
    assert seen["vision"] == [1]
    assert seen["language_model"] == [1, 3]
    seen["vision"].clear()
    model.answer(prepared, torch.arange(ROWS))  # the answers and their loss
    assert seen["vision"] == [pictures]


def test_a_frozen_siglip_sees_a_picture_once_in_all(tmp_path: Path) -> None:
    section = tiny_paligemma.section(tmp_path, side=48)  # a checkpoint that no other test has used
    runs: list[int] = []
    for _ in range(2):
        model = build(section, train=STAGE_1)
        model.parts["vision"].register_forward_hook(lambda _, args, told: runs.append(len(told.last_hidden_state)))
        prepared = model.prepare(samples(), Problems())
        with torch.no_grad():
            model.loss(prepared, torch.arange(ROWS))
    assert sum(runs) == len(prepared.image_rows.unique())


def test_another_picture_moves_the_logits_and_the_answer_has_no_prompt(section: dict[str, Any]) -> None:
    model = learned(section)
    one, other = samples()[0], next(s for s in samples() if s.image_path != samples()[0].image_path)
    swapped = Sample(**{**{name: getattr(one, name) for name in one.__slots__}, "image_path": other.image_path})
    prepared = model.prepare([one], Problems()), model.prepare([swapped], Problems())
    rows = torch.tensor([0])
    with torch.no_grad():
        scored = [model.net.logits(made.inputs, rows, model.lesson(made, rows)) for made in prepared]
        written = [model.net.write(made.inputs, rows, 12)[0] for made in prepared]
    assert (scored[0] - scored[1]).abs().max() > 1e-3
    assert written[0].log_probability != written[1].log_probability
    for one_written in written:
        assert one.question not in model.net.tokenizer.decode(one_written.tokens)


@pytest.mark.parametrize(
    ("name", "train", "lora", "trained", "total"),
    [
        ("google/paligemma-3b-mix-224", {}, {"r": 8, "targets": SEVEN}, 11_298_816, 2_934_634_224),
        ("google/paligemma-3b-mix-448", {}, None, 12_966_912, 2_924_220_144 + 12_966_912),
        ("google/paligemma-3b-mix-448", STAGE_1, None, 1152 * 2048 + 2048, 2_924_220_144),
        ("google/paligemma2-3b-mix-448", STAGE_1, None, 1152 * 2304 + 2304, 3_032_242_416 + 768 * 1152),
    ],
)
def test_full_size_models_have_the_published_number_of_parameters(
    name: str, train: Any, lora: Any, trained: int, total: int
) -> None:
    changes = {} if lora is None else {"lora": lora}
    module = FAMILY.skeleton(PaliGemmaOptions.model_validate({"checkpoint": name, "train": train, **changes}))
    parameters = list(module.parameters())
    assert all(parameter.is_meta for parameter in parameters)
    assert sum(p.numel() for p in parameters if p.requires_grad) == trained
    assert sum(p.numel() for p in parameters) == total


def test_an_adapter_loads_with_plain_peft(section: dict[str, Any], tmp_path: Path) -> None:
    model = learned(section, train={"projector": "full"})
    assert model.write_adapter(tmp_path)
    base, processor = plain(section)
    adapted = PeftModel.from_pretrained(base, str(tmp_path)).eval()
    for row, ours in enumerate(our_logits(model, [0, 1, 2])):
        inputs = processed(processor, samples()[row], suffix=samples()[row].answer)
        torch.testing.assert_close(ours, their_logits(adapted, inputs), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("train", [{"projector": "full"}, STAGE_1], ids=["lora+projector", "projector"])
def test_merged_weights_load_with_plain_transformers(section: dict[str, Any], train: Any, tmp_path: Path) -> None:
    model = learned(section, train=train)
    assert model.write_adapter(tmp_path / "adapter") == (train != STAGE_1)
    ours = our_logits(model, [0, 1, 2])
    model.write_merged(tmp_path / "merged")
    merged, processor = plain({"checkpoint": str(tmp_path / "merged")})
    for row in range(3):
        inputs = processed(processor, samples()[row], suffix=samples()[row].answer)
        torch.testing.assert_close(ours[row], their_logits(merged, inputs), atol=1e-4, rtol=1e-4)
    again = build({"family": "paligemma", "checkpoint": str(tmp_path / "merged")}, train=FROZEN)
    torch.testing.assert_close(our_logits(again, [0, 1, 2]), ours, atol=1e-4, rtol=1e-4)


def test_the_whole_language_model_can_be_learned_head_included(
    sections: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    model = learned(sections["gemma"], train={**FROZEN, "language_model": "full"}, lora=None)
    assert model.net.wrapped.lm_head.weight.grad is not None
    ours = our_logits(model, [0])[0]
    model.write_merged(tmp_path)
    merged, processor = plain({"checkpoint": str(tmp_path)})
    inputs = processed(processor, samples()[0], suffix=samples()[0].answer)
    torch.testing.assert_close(ours, their_logits(merged, inputs), atol=1e-4, rtol=1e-4)


def test_no_image_token_of_448_pixels_is_cut(tmp_path: Path) -> None:
    section = tiny_paligemma.section(tmp_path, side=448, patch=14)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.model_max_length = 64
    tokenizer.save_pretrained(tmp_path)
    model = build(section)
    prepared = model.prepare(samples()[:1], Problems())
    lesson = model.lesson(prepared, torch.tensor([0]))
    asked = model.net.prompts(prepared.inputs, torch.tensor([0]))[0]
    assert int((lesson.inputs == IMAGE_TOKEN).sum()) == 1024
    assert asked == f"<s>answer en {samples()[0].question}\n"
    read = model.net._read(prepared.inputs, torch.tensor([0]))
    assert read.cache.get_seq_length() == read.states.shape[1] == 1024 + len(prepared.inputs.prompts[0])


def test_prompts_end_with_one_line_break(sections: dict[str, dict[str, Any]]) -> None:
    plain_words = build(sections["gemma"]).net
    with_break = build(sections["gemma"], prompts={"vqa": "answer en {question}\n"}).net
    assert with_break._prompt(samples()[0]) == plain_words._prompt(samples()[0])
    assert PaliGemmaPrompts.model_validate({"vqa": "q: {question}"}).caption == "caption en"
    with pytest.raises(ValidationError, match="no other braces"):
        PaliGemmaPrompts.model_validate({"vqa": "{answer}"})


def test_a_question_that_stands_for_a_picture_is_refused(sections: dict[str, dict[str, Any]]) -> None:
    sample = Sample(**{**{n: getattr(samples()[0], n) for n in Sample.__slots__}, "question": "<image> Which organ?"})
    with pytest.raises(DataError, match="stands for a picture"):
        build(sections["gemma"]).prepare([sample], Problems())


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"projector": "lora"}, "projector and head may be frozen or full"),
        ({"language_model": "full"}, "cannot be full beside"),
    ],
)
def test_modes_that_cannot_be_kept_are_refused(sections: dict[str, dict[str, Any]], train: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        build(sections["gemma"], train=train)


def test_an_image_processor_of_another_size_is_refused(tmp_path: Path) -> None:
    section = tiny_paligemma.section(tmp_path)
    settings = tmp_path / "processor_config.json"
    settings.write_text(settings.read_text().replace('"image_seq_length": 4', '"image_seq_length": 16'))
    with pytest.raises(WeightsError, match=r"announces 16 image tokens .* makes 4"):
        build(section)


def test_quantisation_asks_for_bitsandbytes(sections: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(WeightsError, match="pip install bitsandbytes"):
        build(sections["gemma"], quantisation="4bit")


def test_a_head_of_its_own_is_a_part(tmp_path: Path) -> None:
    section = tiny_paligemma.section(tmp_path)
    model = plain(section)[0]
    model.config.tie_word_embeddings = model.config.text_config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    model.save_pretrained(tmp_path)
    built = build(section, train={"head": "full"})
    assert built.parts["head"].modules_to_save["default"].weight.requires_grad
    held = [id(parameter) for part in built.parts.values() for parameter in part.parameters()]
    assert set(held) == {id(parameter) for parameter in built.module.parameters()}


def test_a_part_that_is_learned_whole_is_never_quantised(
    sections: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.quantizers.quantizers_utils import should_convert_module

    asked: list[Any] = []

    class Spy(PaliGemmaForConditionalGeneration):  # type: ignore[misc]
        @classmethod
        def from_pretrained(cls, folder: Path, *, quantization_config: Any, **rest: Any) -> Any:
            asked.append(quantization_config)
            raise OSError("seen enough")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr("radvqa.models.families.paligemma._class", lambda: Spy)
    with pytest.raises(WeightsError, match="seen enough"):
        build(sections["gemma"], quantisation="8bit", train=STAGE_1)
    assert asked[0].load_in_8bit
    names = [
        name for name, module in plain(sections["gemma"])[0].named_modules() if isinstance(module, torch.nn.Linear)
    ]
    kept = {name for name in names if not should_convert_module(name, asked[0].llm_int8_skip_modules)}
    assert kept == {"lm_head", "model.multi_modal_projector.linear"}


def test_rounded_weights_are_not_merged(sections: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    net = build(sections["gemma"]).net
    net.options = net.options.model_copy(update={"quantisation": "4bit"})
    with pytest.raises(RecipeError, match="merge with"):
        net.write_merged(tmp_path)


def test_another_kind_of_checkpoint_is_refused(tmp_path: Path) -> None:
    from tiny_checkpoints import llama

    with pytest.raises(WeightsError, match="'llama'; the family paligemma loads 'paligemma'"):
        build({"family": "paligemma", "checkpoint": str(llama(tmp_path))})

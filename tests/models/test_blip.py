"""BLIP: what is shared between questions changes nothing, and what the published code got wrong cannot happen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tiny_blip
import torch
from model_parts import steps
from peft import PeftModel
from PIL import Image
from tiny_checkpoints import llama
from torch import Tensor
from transformers import AutoTokenizer, BlipForQuestionAnswering, BlipImageProcessorPil

from radvqa import files
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import parts, zoo
from radvqa.models.families.blip import FAMILY, Blip, BlipOptions
from radvqa.models.family import Context, ModelAnswer
from radvqa.models.generator import Generator
from radvqa.models.generator_net import IGNORED
from radvqa.recipe import ModelSection, load_recipe
from radvqa.sample import Sample

PARTS = ("vision", "text_encoder", "text_decoder")
ALL_FULL, ALL_FROZEN = dict.fromkeys(PARTS, "full"), dict.fromkeys(PARTS, "frozen")
MIXED = {"vision": "frozen", "text_encoder": "lora", "text_decoder": "full"}
TEXT_LORA = {"r": 4, "dropout": 0.0, "targets": ["query", "key", "value"]}
ALL_LORA = {"r": 4, "dropout": 0.0, "targets": ["query", "key", "value", "qkv"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("blip")
    tiny_blip.section(place)
    return place


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Questions about three pictures, five, three and four of them, out of order."""
    training = registry.load_split("phantom:mini", "train")
    pictures = list(dict.fromkeys(sample.image_path for sample in training))[:3]
    about = [[sample for sample in training if sample.image_path == picture] for picture in pictures]
    chosen = [*about[0][:5], *about[1][2:5], *about[2][3:7]]
    return [chosen[place] for place in torch.randperm(12, generator=torch.Generator().manual_seed(1)).tolist()]


def built(folder: Path, samples: Sequence[Sample], **changes: Any) -> Generator[Any]:
    values = {"family": "blip", "checkpoint": str(folder), "answering": {"tokens": 12}, "lora": ALL_LORA}
    model = zoo.build(ModelSection.model_validate({**values, **changes}), Context(training=samples, seed=3))
    assert isinstance(model, Generator)
    return model


def plain(folder: Path) -> Any:
    return BlipForQuestionAnswering.from_pretrained(folder).eval()


@cache
def processors(folder: Path) -> tuple[Any, Any]:
    return BlipImageProcessorPil.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def transformers_inputs(folder: Path, sample: Sample) -> dict[str, Tensor]:
    """One question as the published processor makes it, unpadded."""
    picture = Image.open(sample.image_path).convert("RGB")
    processor, tokenizer = processors(folder)
    pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
    question = tokenizer(sample.question, return_tensors="pt")
    return {"pixel_values": pixels, "input_ids": question["input_ids"]}


def transformers_loss(model: Any, folder: Path, sample: Sample, answer: str | Sequence[int]) -> Tensor:
    """Mean loss of one answer by the model's own forward, with the labels given as they should be."""
    tokens = answer
    if isinstance(answer, str):
        tokens = processors(folder)[1](answer, add_special_tokens=False)["input_ids"]
    begin = model.config.text_config.bos_token_id
    loss: Tensor = model(
        **transformers_inputs(folder, sample),
        decoder_input_ids=torch.tensor([[begin, *tokens, tiny_blip.SEP]]),
        labels=torch.tensor([[IGNORED, *tokens, tiny_blip.SEP]]),
    ).loss
    return loss


def transformers_answer(model: Any, folder: Path, sample: Sample) -> list[int]:
    written = model.generate(**transformers_inputs(folder, sample), max_new_tokens=12)[0].tolist()
    return [token for token in written[1:] if token not in (tiny_blip.SEP, 0)]


def every(samples: Sequence[Sample]) -> Tensor:
    return torch.arange(len(samples))


def texts(answers: Sequence[ModelAnswer]) -> list[str]:
    return [answer.text for answer in answers]


def test_the_loss_is_the_one_of_transformers_question_by_question(folder: Path, samples: list[Sample]) -> None:
    model = built(folder, samples, train=ALL_FROZEN)
    prepared = model.prepare(samples, Problems())
    model.module.train()
    found = model.loss(prepared, every(samples)).loss
    reference = plain(folder)
    alone = torch.stack([transformers_loss(reference, folder, sample, sample.answer) for sample in samples])
    assert found.item() == pytest.approx(alone.mean().item(), rel=1e-5)
    assert model.answer(prepared, every(samples)).loss_sum == pytest.approx(alone.sum().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("modes", "lora"), [(ALL_FULL, None), ({}, ALL_LORA), (MIXED, TEXT_LORA)], ids=["full", "lora", "mixed"]
)
def test_gradients_are_those_of_one_question_after_the_other(
    folder: Path, samples: list[Sample], modes: dict[str, str], lora: dict[str, Any] | None
) -> None:
    model = built(folder, samples, train=modes, lora=lora)
    learned = {name: p for name, p in model.module.named_parameters() if p.requires_grad}
    for name, parameter in learned.items():
        if "lora_B" in name:  # zero at first, which would hide the gradients of lora_A
            torch.nn.init.normal_(parameter, std=0.1)
    model.module.train()
    model.loss(model.prepare(samples, Problems()), every(samples)).loss.backward()  # type: ignore[no-untyped-call]
    shared = {name: p.grad for name, p in learned.items()}
    model.module.zero_grad()
    assert isinstance(model.net, Blip)
    whole = parts.inner(model.net._model)
    losses = [transformers_loss(whole, folder, sample, sample.answer) for sample in samples]
    torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
    moved = 0
    for name, parameter in learned.items():
        expected = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(shared[name], expected, rtol=1e-3, atol=1e-6, msg=name)
        moved += bool(expected.abs().max() > 1e-6)
    assert moved > 0.8 * len(learned)


def test_every_question_is_answered_as_transformers_answers_it_alone(folder: Path, samples: list[Sample]) -> None:
    model = built(folder, samples)
    prepared = model.prepare(samples, Problems())
    model.module.eval()
    with torch.no_grad():
        written = model.net.write(prepared.inputs, every(samples), 12)
    reference = plain(folder)
    assert len({one.tokens for one in written}) > 5
    assert {one.ended for one in written} == {True, False}
    for one, sample in zip(written, samples, strict=True):
        assert list(one.tokens) == transformers_answer(reference, folder, sample)
        if one.ended:
            loss = transformers_loss(reference, folder, sample, one.tokens).item()
            assert one.log_probability == pytest.approx(-loss * (len(one.tokens) + 1), rel=1e-4)


@pytest.mark.parametrize("by", ["generate", "rank"])
def test_answers_do_not_depend_on_what_is_asked_beside(folder: Path, samples: list[Sample], by: str) -> None:
    model = built(folder, samples, answering={"by": by, "tokens": 12, "batch": 32})
    prepared = model.prepare(samples, Problems())
    together = model.answer(prepared, every(samples))
    backwards = model.answer(prepared, every(samples).flip(0))
    alone = [model.answer(prepared, row[None]) for row in every(samples)]
    assert texts(together.answers) == texts(backwards.answers)[::-1] == [one.answers[0].text for one in alone]
    for answer, other in zip(together.answers, alone, strict=True):
        assert answer.confidence == pytest.approx(other.answers[0].confidence, abs=1e-4)
    assert together.loss_sum == pytest.approx(sum(one.loss_sum for one in alone), rel=1e-5)


def test_ranking_is_the_softmax_over_the_likelihoods_of_whole_answers(folder: Path, samples: list[Sample]) -> None:
    model = built(folder, samples, answering={"by": "rank", "batch": 1})  # four candidates a pass
    answers = model.answer(model.prepare(samples, Problems()), every(samples)).answers
    reference, candidates = plain(folder), model.known.spellings
    assert len(candidates) > 4
    for place in (0, 7):
        with torch.no_grad():
            losses = [transformers_loss(reference, folder, samples[place], answer) for answer in candidates]
        whole = [
            -loss.item() * len(model.net.answer_tokens(answer)) for loss, answer in zip(losses, candidates, strict=True)
        ]
        best = sorted(zip(torch.tensor(whole).softmax(0).tolist(), candidates, strict=True), reverse=True)[:5]
        assert [answer for answer, _ in answers[place].candidates] == [answer for _, answer in best]
        assert [p for _, p in answers[place].candidates] == pytest.approx([p for p, _ in best], abs=1e-5)


def test_a_picture_is_looked_at_once_and_a_question_asked_once(folder: Path, samples: list[Sample]) -> None:
    model = built(folder, samples, answering={"by": "rank", "batch": 2, "tokens": 4})
    prepared = model.prepare(samples, Problems())
    towers: Any = model.parts
    looked, asked = [], []
    towers["vision"].register_forward_hook(lambda *call: looked.append(len(call[-1].last_hidden_state)))
    towers["text_encoder"].register_forward_pre_hook(
        lambda _, __, values: asked.append(tuple(values["input_ids"].shape)), with_kwargs=True
    )
    model.loss(prepared, every(samples))
    assert looked == [3]
    assert [rows for rows, _ in asked] == [3]
    looked.clear()
    asked.clear()
    model.answer(prepared, every(samples))
    assert sum(looked) == 4  # the one whose questions straddle the loss of a batch and the next ranking, twice
    assert len(asked) <= 12 + 6


def test_a_frozen_vision_tower_is_never_run_twice(
    folder: Path, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = built(folder, samples, train={"vision": "frozen"}, lora=TEXT_LORA)
    trained = built(folder, samples, train={"vision": "full"}, lora=TEXT_LORA)
    expected = trained.loss(trained.prepare(samples, Problems()), every(samples)).loss
    model.prepare(samples, Problems())

    def fail(pixels: Tensor) -> None:
        raise AssertionError("the frozen tower was run again")

    net: Any = model.net
    monkeypatch.setattr(net.reader, "look", fail)
    found = model.loss(model.prepare(samples, Problems()), every(samples)).loss
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_training_begins_and_ends_answers_as_writing_does(folder: Path, samples: list[Sample]) -> None:
    model = built(folder, samples)
    prepared = model.prepare(samples, Problems())
    lesson = model.lesson(prepared, every(samples))
    written = model.net.write(prepared.inputs, every(samples), 2)
    assert set(lesson.inputs[:, 0].tolist()) == {one.begins_after for one in written} == {len(model.net.tokenizer)}
    for row, sample in enumerate(samples):
        learned = lesson.targets[row][lesson.targets[row] != IGNORED].tolist()
        assert learned[-1] == tiny_blip.SEP
        assert model.net.tokenizer.decode(learned[:-1]).replace(" ", "") == sample.answer.lower().replace(" ", "")
        assert (lesson.targets[row] != IGNORED).tolist() == lesson.real[row].tolist()
    assert model.net.prompts(prepared.inputs, torch.tensor([0])) == [f"[CLS] {samples[0].question.lower()} [SEP]"]


def test_a_training_answer_is_spelt_as_it_was_published(folder: Path, samples: list[Sample]) -> None:
    asked = [sample for sample in registry.load_split("phantom:mini", "train") if sample.answer == "X-Ray"][:2]
    model = built(folder, asked, train=ALL_FULL)
    steps(model, asked, 20)
    assert texts(model.answer(model.prepare(asked, Problems()), every(asked)).answers) == ["X-Ray", "X-Ray"]


@pytest.mark.parametrize(("modes", "lora"), [({}, ALL_LORA), (MIXED, TEXT_LORA)], ids=["lora", "mixed"])
def test_the_adapter_loads_with_plain_peft(
    folder: Path, samples: list[Sample], tmp_path: Path, modes: dict[str, str], lora: dict[str, Any]
) -> None:
    model = built(folder, samples, train=modes, lora=lora)
    before = texts(model.answer(model.prepare(samples, Problems()), every(samples)).answers)
    steps(model, samples)
    written = _written(model, samples)
    assert texts(model.answer(model.prepare(samples, Problems()), every(samples)).answers) != before
    assert model.write_adapter(tmp_path)
    loaded = PeftModel.from_pretrained(plain(folder), str(tmp_path)).eval()
    assert [transformers_answer(loaded, folder, sample) for sample in samples] == written
    assert files.read_json(tmp_path / "adapter_config.json")["base_model_name_or_path"] == str(folder)


@pytest.mark.parametrize("modes", [{}, MIXED, ALL_FULL], ids=["lora", "mixed", "full"])
def test_merged_weights_load_with_plain_transformers(
    folder: Path, samples: list[Sample], tmp_path: Path, modes: dict[str, str]
) -> None:
    lora = TEXT_LORA if modes == MIXED else ALL_LORA
    model = built(folder, samples, train=modes, lora=lora)
    steps(model, samples)
    written = _written(model, samples)
    loss = model.answer(model.prepare(samples, Problems()), every(samples)).loss_sum
    model.write_merged(tmp_path)
    merged, info = BlipForQuestionAnswering.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert [transformers_answer(merged.eval(), tmp_path, sample) for sample in samples] == written
    again = built(tmp_path, samples, train=ALL_FROZEN)
    found = again.answer(again.prepare(samples, Problems()), every(samples)).loss_sum
    assert found == pytest.approx(loss, rel=1e-4)


def _written(model: Generator[Any], samples: Sequence[Sample]) -> list[list[int]]:
    model.module.eval()
    with torch.no_grad():
        found = model.net.write(model.prepare(samples, Problems()).inputs, every(samples), 12)
    return [list(one.tokens) for one in found]


def test_a_checkpoint_of_ours_gives_the_same_answers(folder: Path, samples: list[Sample]) -> None:
    model = built(folder, samples, train=MIXED, lora=TEXT_LORA)
    steps(model, samples)
    prepared = model.prepare(samples, Problems())
    again = zoo.rebuild({"family": "blip", **model.spec()}, torch.device("cpu"))
    again.load_state(model.state())
    found = again.answer(again.prepare(samples, Problems()), every(samples))
    assert found.answers == model.answer(prepared, every(samples)).answers


def test_initial_weights_follow_the_seed_and_nothing_else(folder: Path, samples: list[Sample]) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = built(folder, samples).state()
    assert torch.equal(torch.rand(3), expected)
    second = built(folder, samples).state()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_nothing_learns_where_nothing_is_trained(folder: Path, samples: list[Sample]) -> None:
    model = built(folder, samples, train=ALL_FROZEN)
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    assert not model.state()
    model.module.train()
    assert not any(module.training for part in model.parts.values() for module in part.modules())


@pytest.mark.parametrize(
    ("recipe", "trained", "total"),
    [
        ("slake_blip_zero_shot", 0, 361_230_140),
        ("slake_blip_lora_r8", 2_064_384, 363_294_524),
        ("slake_blip_lora_r16", 4_128_768, 365_358_908),
        ("slake_blip_lora_r32", 8_257_536, 369_487_676),
    ],
)
def test_the_published_recipes_have_the_published_sizes(recipe: str, trained: int, total: int) -> None:
    options = zoo.validate(load_recipe(Path(recipe)).model)[1]
    assert isinstance(options, BlipOptions)
    parameters = list(FAMILY.skeleton(options).parameters())
    assert sum(p.numel() for p in parameters if p.requires_grad) == trained
    assert sum(p.numel() for p in parameters) == total


def test_what_does_not_fit_is_refused_with_the_way_out(folder: Path, samples: list[Sample], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"'querry' matches no linear layer .*query"):
        built(folder, samples, lora={"targets": ["querry"]})
    with pytest.raises(RecipeError, match=r"answering\.tokens: 160 is more than the 159 tokens"):
        built(folder, samples, answering={"tokens": 160})
    with pytest.raises(WeightsError, match=r"kind 'llama'; the family blip loads 'blip'"):
        built(llama(tmp_path), samples)
    model = built(folder, samples)
    long = replace(samples[0], question="is " * 200)
    with pytest.raises(DataError, match=r"question of .* has 202 tokens; .* reads 160"):
        model.prepare([long], Problems())
    with pytest.raises(DataError, match=r"The answer .* has 201 tokens"):
        model.prepare([replace(samples[0], answer="no " * 200)], Problems())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config["text_config"].update(sep_token_id=4), "answers end with token 4 by config.json"),
        (lambda config: config["text_config"].update(bos_token_id=30522), "bos_token_id in config.json is 30522"),
    ],
)
def test_a_configuration_that_never_ends_or_begins_answers_is_refused(
    folder: Path, samples: list[Sample], tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = files.read_json(folder / "config.json")
    change(config)
    files.write_json(tmp_path / "config.json", config)
    with pytest.raises(WeightsError, match=message):
        built(tmp_path, samples)

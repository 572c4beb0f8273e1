"""A language model behind an image encoder: what plain peft and transformers make of what it learned."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tiny_linear_llm
import tiny_qformer_llm
import torch
from peft import PeftModel
from tiny_checkpoints import llama
from transformers import AutoModelForCausalLM

from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import features, zoo
from radvqa.models.family import Context, Portable
from radvqa.models.generator_net import IGNORED, IMAGE_TOKEN
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

if TYPE_CHECKING:
    from radvqa.models.generator import Generator

ROWS = torch.arange(12)


def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "train")[: len(ROWS)]


def built(values: dict[str, Any], **changes: Any) -> Any:
    return zoo.build(ModelSection.model_validate({**values, **changes}), Context(training=samples(), seed=1))


def taught(model: Any, steps: int = 5) -> Any:
    prepared = model.prepare(samples(), Problems())
    optimizer = torch.optim.AdamW([p for p in model.module.parameters() if p.requires_grad], 1e-2)
    model.module.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(prepared, ROWS).loss.backward()
        optimizer.step()
    model.module.eval()
    return model


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    """Of all learned tokens."""
    prepared = model.prepare(samples(), Problems())
    scored: torch.Tensor = model.net.logits(prepared.inputs, ROWS, model.lesson(prepared, ROWS))
    return scored


@torch.no_grad()
def logits_of(model: Any, language_model: Any) -> torch.Tensor:
    """The same, by a plain language model that reads image tokens, prompt and answer of one question at a time."""
    prepared = model.prepare(samples(), Problems())
    lesson = model.lesson(prepared, ROWS)
    found = []
    for row in ROWS.tolist():
        picture = prepared.inputs.seen.stored.tokens([prepared.inputs.seen.keys[int(prepared.image_rows[row])]]).float()
        images = model.net.sight.fusion(picture)[0]
        ids, real = lesson.inputs[row], lesson.real[row]
        embeddings = language_model.get_input_embeddings()(ids.clamp(min=0)).clone()
        embeddings[ids == IMAGE_TOKEN] = images
        scored = language_model(inputs_embeds=embeddings[real][None]).logits[0]
        found.append(scored[lesson.targets[row][real] != IGNORED])
    return torch.cat(found)


@pytest.mark.parametrize("made", [tiny_linear_llm, tiny_qformer_llm])
def test_adapter_merged_and_ours_give_the_same(made: Any, tmp_path: Path) -> None:
    values = made.section(tmp_path / "weights")
    model = taught(built(values))
    expected = logits(model)
    assert isinstance(model, Portable)
    assert model.write_adapter(tmp_path / "adapter")

    base = AutoModelForCausalLM.from_pretrained(values["language_model"])
    adapted = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    torch.testing.assert_close(logits_of(model, adapted), expected, atol=1e-4, rtol=1e-4)

    model.write_merged(tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged" / "language_model").eval()
    torch.testing.assert_close(logits_of(model, merged), expected, atol=1e-4, rtol=1e-4)


def test_the_adapter_names_the_published_weights_and_no_folder_of_this_machine(tmp_path: Path) -> None:
    values = tiny_linear_llm.section(tmp_path / "weights")
    model = built(values)
    model.write_adapter(tmp_path / "adapter")
    written = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] == values["language_model"]
    assert str(Path.cwd()) not in json.dumps({k: v for k, v in written.items() if k != "base_model_name_or_path"})


def test_the_prompt_is_read_and_not_answered(tmp_path: Path) -> None:
    model: Generator[Any] = built(tiny_linear_llm.section(tmp_path), prompts={"vqa": "Asked: {question} Told:"})
    prepared = model.prepare(samples(), Problems())
    assert model.net.prompts(prepared.inputs, ROWS[:1]) == [f"Asked: {samples()[0].question} Told:"]
    lesson = model.lesson(prepared, ROWS)
    for row, sample in enumerate(samples()):
        learned = lesson.targets[row][lesson.targets[row] != IGNORED].tolist()
        assert model.net.tokenizer.decode(learned) == f" {sample.answer}</s>"


@pytest.mark.parametrize(("by", "chosen_from"), [("rank", "known"), ("rank_closed", "closed")])
def test_ranking_chooses_the_likeliest_candidate(by: str, chosen_from: str, tmp_path: Path) -> None:
    model = taught(built(tiny_linear_llm.section(tmp_path), answering={"by": by, "tokens": 24}))
    prepared = model.prepare(samples(), Problems())
    given = model.answer(prepared, ROWS, with_loss=False).answers
    candidates = list(model.closed if chosen_from == "closed" else model.known.spellings)
    ranked = [row for row, sample in enumerate(samples()) if by == "rank" or sample.answer_type == "CLOSED"]
    assert ranked
    for row in ranked[:4]:
        alone = []
        for text in candidates:  # one candidate at a time
            lesson = model.net.lesson(prepared.inputs, ROWS[row : row + 1], [model.net.answer_tokens(text)])
            with torch.no_grad():
                scored = model.net.logits(prepared.inputs, ROWS[row : row + 1], lesson).log_softmax(1)
            targets = lesson.targets[lesson.targets != IGNORED]
            alone.append(scored.gather(1, targets[:, None]).sum())
        probabilities = torch.stack(alone).softmax(0)
        assert given[row].text == candidates[int(probabilities.argmax())]
        assert given[row].confidence == pytest.approx(probabilities.max().item(), abs=1e-4)


def test_gold_answers_over_the_limit_are_counted_and_learned_whole(tmp_path: Path) -> None:
    model = built(tiny_linear_llm.section(tmp_path), answering={"tokens": 4})
    prepared = model.prepare(samples(), Problems())
    long = [sample for sample in samples() if len(f" {sample.answer}".encode()) > 4]
    assert prepared.longer == len(long) > 0
    assert max(map(len, prepared.answers)) == max(len(f" {s.answer}".encode()) for s in samples()) + 1


def test_a_frozen_encoder_is_never_run_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = built(tiny_linear_llm.section(tmp_path))
    model.prepare(samples(), Problems())

    def fail(pixels: torch.Tensor) -> None:
        raise AssertionError("the frozen encoder was run again")

    monkeypatch.setattr(model.net.sight.vision, "tokens", fail)
    prepared = model.prepare(samples(), Problems())
    model.loss(prepared, ROWS)
    model.answer(prepared, ROWS)


def test_a_trained_encoder_passes_once_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = built(tiny_linear_llm.section(tmp_path), train={"vision": "full"})
    prepared = model.prepare(samples(), Problems())
    passed: list[int] = []
    tokens = model.net.sight.vision.tokens

    def counted(pixels: torch.Tensor) -> Any:
        passed.append(len(pixels))
        return tokens(pixels)

    monkeypatch.setattr(model.net.sight.vision, "tokens", counted)
    model.loss(prepared, ROWS)
    assert passed == [len({sample.image for sample in samples()})]
    assert passed[0] < len(ROWS)


def test_gradients_are_those_of_one_question_at_a_time(tmp_path: Path) -> None:
    values = tiny_linear_llm.section(tmp_path)
    found = []
    for together in (True, False):
        model = built(values, train={"vision": "full"})
        prepared = model.prepare(samples(), Problems())
        model.module.eval()
        groups = [ROWS] if together else list(torch.split(ROWS, 1))
        for rows in groups:
            (model.loss(prepared, rows).loss * (len(rows) / len(ROWS))).backward()
        found.append({name: p.grad for name, p in model.module.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], atol=1e-5, rtol=1e-3)


def test_features_that_would_not_fit_are_refused_before_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_cache: Path
) -> None:
    monkeypatch.setenv("RADVQA_FEATURES_GB", "0.000001")
    monkeypatch.setattr(features, "_PICTURES_PER_PASS", 1)
    with pytest.raises(DataError, match=r"pictures need .* GB in .*RADVQA_FEATURES_GB allows 1e-06"):
        built(tiny_linear_llm.section(tmp_path)).prepare(samples(), Problems())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"vision": "lora"}}, "model.train.vision may be frozen or full"),
        ({"train": {"fusion": "lora"}}, "model.train.fusion may be frozen or full"),
        ({"lora": None}, "there is no model.lora"),
        ({"lora": {"targets": ["q_pro"]}}, "'q_pro' matches no linear layer of language_model; did you mean 'q_proj'"),
        ({"projector": {"pooling": 2}}, "model.projector.pooling=2 does not divide the 9 patches"),
        ({"prompts": {"vqa": "{queston}"}}, "a prompt may hold"),
        ({"answring": {}}, "did you mean 'answering'"),
    ],
)
def test_options_that_cannot_work_are_told(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        built(tiny_linear_llm.section(tmp_path), **changes)


def test_other_weights_than_at_training_are_refused(tmp_path: Path) -> None:
    values = tiny_linear_llm.section(tmp_path)
    model = built(values)
    llama(tmp_path / "language_model", seed=9)
    with pytest.raises(WeightsError, match="are not those that the run was trained with"):
        zoo.rebuild({"family": "linear_llm", **model.spec()}, torch.device("cpu"))


def test_a_tokeniser_without_an_end_is_refused(tmp_path: Path) -> None:
    values = tiny_linear_llm.section(tmp_path)
    path = tmp_path / "language_model" / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    settings["eos_token"] = None
    path.write_text(json.dumps(settings))
    with pytest.raises(WeightsError, match="no token that ends a text"):
        built(values)

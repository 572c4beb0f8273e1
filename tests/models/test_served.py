"""Adapter, merged weights and a server of another project answer the same."""

from pathlib import Path
from typing import Any

import pytest
import tiny_blip
import tiny_endpoint
import tiny_paligemma
import tiny_qformer_llm
import tiny_qwen2_vl
import torch
from model_parts import steps

from model_server import serving_model
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.models import zoo
from radvqa.models.family import Context, VqaModel
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

ONLY_THE_QUESTION = (
    "{% for part in messages[-1]['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}"
)
"""A chat template for a model that knows no conversation; the processor writes the rest of its prompt."""


def built(values: dict[str, Any], training: list[Sample]) -> VqaModel:
    return zoo.build(ModelSection.model_validate(values), Context(training=training, seed=2))


def texts(model: VqaModel, samples: list[Sample]) -> list[str]:
    answered = model.answer(model.prepare(samples, Problems()), torch.arange(len(samples)), with_loss=False)
    return [answer.text for answer in answered.answers]


@pytest.mark.slow
def test_what_was_learned_answers_the_same_when_it_is_merged_and_served(tmp_path: Path) -> None:
    samples = registry.load_split("phantom:mini", "train")[:12]
    values = tiny_paligemma.section(tmp_path / "published")
    values["answering"] = {"tokens": 12}
    model: Any = built(values, samples)
    steps(model, samples, 25)
    expected = texts(model, samples)
    assert len(set(expected)) > 3

    model.write_merged(tmp_path / "merged")
    (tmp_path / "merged" / "chat_template.jinja").write_text(ONLY_THE_QUESTION, encoding="utf-8")
    frozen = {"vision": "frozen", "language_model": "frozen"}
    merged = built({**values, "checkpoint": str(tmp_path / "merged"), "train": frozen}, samples)
    assert texts(merged, samples) == expected
    with serving_model(tmp_path, "merged", tmp_path / "log.txt") as url:
        section = tiny_endpoint.section(url, model="merged", prompts={"vqa": "answer en {question}"}, max_tokens=12)
        assert texts(built(section, samples), samples) == expected


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 3e-2), (torch.float16, 4e-3)])
@pytest.mark.parametrize("made", [tiny_paligemma, tiny_blip, tiny_qwen2_vl, tiny_qformer_llm])
def test_half_precision_moves_the_loss_by_so_much(
    made: Any, dtype: torch.dtype, tolerance: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = registry.load_split("phantom:mini", "train")[:12]
    model: Any = built(made.section(tmp_path), samples)
    steps(model, samples, 3)
    prepared = model.prepare(samples, Problems())
    model.module.eval()
    with torch.no_grad():
        exact = model.loss(prepared, torch.arange(12)).loss.item()
        monkeypatch.setattr(model, "_precision", lambda: torch.autocast("cpu", dtype))
        rounded = model.loss(prepared, torch.arange(12)).loss.item()
    assert rounded == pytest.approx(exact, rel=tolerance)
    assert rounded != exact

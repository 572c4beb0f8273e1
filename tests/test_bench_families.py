"""``radvqa bench FAMILY`` on tiny random weights: what it says of the outputs is true. No test asserts a time."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from radvqa.commands.bench_families import bench_family, grouped
from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.data.image import Pixels
from radvqa.errors import DataError, RadvqaError
from radvqa.models import naive, random_checkpoints
from radvqa.models.family import ModelAnswer
from radvqa.models.naive import ForgetfulStore, Naive
from radvqa.report.bench import show_family_bench
from radvqa.sample import Sample

RATES = (
    "train_ratio",
    "predict_ratio",
    "memory_ratio",
    "train_ratio_first_epoch",
    "train_ratio_later_epochs",
    "ours_train_samples_per_second",
    "naive_train_samples_per_second",
    "ours_questions_per_second",
    "naive_questions_per_second",
    "ours_peak_memory_bytes",
    "naive_peak_memory_bytes",
)


def bench(family: str) -> dict[str, Any]:
    return bench_family(family, size="tiny", images=2, questions_per_image=3, repeats=1, epochs=2, device_name="cpu")


@pytest.fixture
def _without_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is measured in processes of its own, which start slowly; one test does it."""
    monkeypatch.setattr("radvqa.commands.bench_families._memory", lambda *_: 1)


@pytest.mark.slow
def test_memory_is_that_of_a_process_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    found = bench("qformer_llm")
    assert found["outputs_equal"] is True
    assert min(found["ours_peak_memory_bytes"], found["naive_peak_memory_bytes"]) > 50_000_000
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    show_family_bench(found)
    assert "Outputs equal: 0 of 6 answers differ" in capsys.readouterr().out


@pytest.mark.usefixtures("_without_children")
@pytest.mark.parametrize("family", sorted(random_checkpoints.MAKERS))
def test_outputs_are_equal(family: str) -> None:
    found = bench(family)
    assert found["outputs_equal"] is True
    assert found["answers_unequal"] == 0
    assert found["answers_compared"] == found["batch"] == 6
    assert all(found[key] > 0 for key in RATES)
    assert found["trained_parameters"] > 0


class _OtherAnswers(Naive):
    def answer(self, sample: Sample) -> ModelAnswer:
        answer = super().answer(sample)
        return ModelAnswer(f"{answer.text}!", answer.confidence)


class _LessSure(Naive):
    def answer(self, sample: Sample) -> ModelAnswer:
        answer = super().answer(sample)
        return ModelAnswer(answer.text, (answer.confidence or 0) + 0.01)


class _OtherPictures(Naive):
    def loss(self, samples: Any) -> Tensor:
        swapped = [
            Sample(**{**{f: getattr(one, f) for f in one.__slots__}, "image_path": other.image_path})
            for one, other in zip(samples, [*samples[1:], samples[0]], strict=True)
        ]
        return super().loss(swapped)


@pytest.mark.usefixtures("_without_children")
@pytest.mark.parametrize("sabotaged", [_OtherAnswers, _LessSure, _OtherPictures])
def test_a_difference_is_told(sabotaged: type[Naive], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radvqa.commands.bench_families.naive", lambda family, model: sabotaged(model))
    assert bench("qformer_llm")["outputs_equal"] is False


@pytest.mark.usefixtures("_without_children")
def test_plain_transformers_differ_where_blip_reads_other_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    reverse = lambda self, sample: self.model.net.tokenizer(sample.question[::-1])["input_ids"]  # noqa: E731
    monkeypatch.setattr(naive.NaiveBlip, "_question", reverse)
    assert bench("blip")["outputs_equal"] is False


def test_nothing_is_shared_and_nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = grouped(registry.load_split("phantom:mini", "train"), 1, 3)
    decoded: list[Path] = []
    original = image.decode

    def decode(path: Path) -> Pixels:
        decoded.append(path)
        return original(path)

    monkeypatch.setattr(image, "decode", decode)

    class Same:
        key = "same"

        def apply(self, pixels: Any) -> Any:
            return pixels

    store = ForgetfulStore(Same())
    for _ in range(2):
        keys = store.add(samples, Problems())
        assert len(set(keys.values())) == 3
        assert store.batch(list(keys.values())).shape[0] == 3
    assert decoded == [samples[0].image_path] * 6


def test_batches_have_as_many_questions_about_each_picture() -> None:
    samples = grouped(registry.load_split("phantom:mini", "train"), 3, 11)
    asked = {name: [s.question for s in samples if s.image == name] for name in {s.image for s in samples}}
    assert len({sample.id for sample in samples}) == 33
    assert [len(set(questions)) for questions in asked.values()] == [11, 11, 11]
    assert samples == grouped(registry.load_split("phantom:mini", "train"), 3, 11)


def test_too_many_pictures_or_questions_are_refused() -> None:
    with pytest.raises(DataError, match="42 pictures and 100 different questions"):
        bench_family("blip", images=43)
    with pytest.raises(DataError, match="different questions"):
        bench_family("blip", questions_per_image=101)


def test_unknown_sizes_and_families_without_random_weights_are_refused() -> None:
    with pytest.raises(RadvqaError, match="no size 'smal'; did you mean 'small'"):
        bench_family("blip", size="smal")
    with pytest.raises(RadvqaError, match="--recipe"):
        bench_family("qwen2_vl")


def test_random_weights_are_the_same_every_time(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    before = torch.get_rng_state()
    for place in ("one", "other"):
        random_checkpoints.write("blip", "tiny", tmp_path / place, ["Is it a lung?"])
    one, other = (load_file(tmp_path / place / "model.safetensors") for place in ("one", "other"))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    assert torch.equal(torch.get_rng_state(), before)

"""ViLT against ``transformers``' own forward, its full size, and what is written for other tools."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_vilt
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoImageProcessor, AutoTokenizer, ViltConfig, ViltForQuestionAnswering

from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import zoo
from radvqa.models.classifier import ClassifierRows
from radvqa.models.families.vilt import FAMILY, ViltClassifier, ViltInputs, ViltOptions
from radvqa.models.family import Context
from radvqa.recipe import ModelSection
from radvqa.sample import Sample

# width, height; the longer side is at most 5/3 of the shorter one's 32, and both are cut to multiples of 8
SIZES = ((40, 40), (90, 60), (33, 70), (64, 64))
QUESTIONS = ("is the lung in the image?", "what?", "is there liver there in the left?", "x ray?", "chest")


def sample_of(id_: str, question: str, answer: str, path: Path) -> Sample:
    return Sample(
        id=id_,
        dataset="own:1",
        split="train",
        question=question,
        answer=answer,
        answer_type="OPEN",
        image=path.name,
        image_path=path,
        source=f"row {id_}",
    )


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Every question about every picture; the pictures differ in size."""
    folder = tmp_path_factory.mktemp("pictures")
    found = []
    for number, (width, height) in enumerate(SIZES):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        for place, question in enumerate(QUESTIONS):
            answer = f"answer {(number + place) % 6}"
            found.append(sample_of(f"{number}-{place}", question, answer, path))
    return found


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vilt")
    tiny_vilt.section(folder)
    return folder


def build(checkpoint: Path, samples: Sequence[Sample], seed: int = 3, **options: Any) -> ViltClassifier:
    section = ModelSection.model_validate({"family": "vilt", "checkpoint": str(checkpoint), **options})
    model = zoo.build(section, Context(training=samples, seed=seed))
    assert isinstance(model, ViltClassifier)
    return model


def prepare(model: ViltClassifier, samples: Sequence[Sample]) -> ClassifierRows[ViltInputs]:
    return model.prepare(samples, Problems())


def trained(model: ViltClassifier, samples: Sequence[Sample], steps: int = 4) -> ViltClassifier:
    prepared = prepare(model, samples)
    optimizer = torch.optim.Adam([p for p in model.module.parameters() if p.requires_grad], 0.02)
    model.module.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model.loss(prepared, torch.arange(len(samples))).loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    model.module.eval()
    return model


def logits(model: ViltClassifier, samples: Sequence[Sample], rows: Sequence[int]) -> Tensor:
    model.module.eval()
    with torch.no_grad():
        return model.net.logits(prepare(model, samples).inputs, torch.tensor(rows))


def theirs(model: Any, folder: Path, sample: Sample) -> Tensor:
    """Logits of one question about one picture, by ``transformers`` alone."""
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pixels = processor(images=Image.fromarray(image.decode(sample.image_path)), return_tensors="pt")
    words = tokenizer(sample.question, return_tensors="pt")
    with torch.no_grad():
        found: Tensor = model.eval()(
            input_ids=words["input_ids"], attention_mask=words["attention_mask"], **pixels
        ).logits[0]
    return found


def test_logits_are_those_of_transformers_for_every_size_of_picture(checkpoint: Path, samples: list[Sample]) -> None:
    model = trained(build(checkpoint, samples, train={"transformer": "full"}), samples)
    ours = logits(model, samples, range(len(samples)))
    sizes = {model.net.store.pixels(key).shape[:2] for key in prepare(model, samples).inputs.keys}
    assert sizes == {(32, 32), (32, 48), (48, 24)}
    for row in (0, 6, 13, 16):
        torch.testing.assert_close(ours[row], theirs(model.net.model, checkpoint, samples[row]), rtol=1e-4, atol=1e-4)
    assert ours.std(0).max() > 0.01


def test_answers_depend_neither_on_the_batch_nor_on_the_random_state(checkpoint: Path, samples: list[Sample]) -> None:
    model = trained(build(checkpoint, samples), samples)
    together = logits(model, samples, range(len(samples)))
    before = torch.get_rng_state()
    for rows in ([7], [19, 2], [2, 19, 12, 6, 0], list(range(19, -1, -1))):
        torch.testing.assert_close(logits(model, samples, rows), together[rows], rtol=1e-5, atol=1e-5)
    torch.manual_seed(5)
    assert torch.equal(logits(model, samples, range(len(samples))), together)
    torch.set_rng_state(before)
    logits(model, samples, [0, 7])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_limit_on_patches_in_the_configuration_draws_none(checkpoint: Path, samples: list[Sample]) -> None:
    model = build(checkpoint, samples)
    expected = logits(model, samples, [0, 7])
    model.net.model.config.max_image_length = 4
    assert torch.equal(logits(model, samples, [0, 7]), expected)


def test_gradients_are_those_of_one_question_at_a_time(checkpoint: Path, samples: list[Sample]) -> None:
    model = build(checkpoint, samples, train={"transformer": "full"})
    model.module.eval()
    prepared, rows = prepare(model, samples), torch.tensor([0, 1, 7, 8, 12, 19])
    model.loss(prepared, rows).loss.backward()  # type: ignore[no-untyped-call]
    together = {name: p.grad.clone() for name, p in model.module.named_parameters() if p.grad is not None}
    model.module.zero_grad()
    for row in rows:
        (model.loss(prepared, row[None]).loss / len(rows)).backward()  # type: ignore[no-untyped-call]
    for name, parameter in model.module.named_parameters():
        assert parameter.grad is not None, name
        torch.testing.assert_close(parameter.grad, together[name], rtol=1e-3, atol=1e-6)


def test_a_picture_is_embedded_once_for_all_its_questions(checkpoint: Path, samples: list[Sample]) -> None:
    model = build(checkpoint, samples)
    seen: list[int] = []
    model.net.model.vilt.embeddings.patch_embeddings.register_forward_hook(
        lambda module, inputs, output: seen.append(len(inputs[0]))
    )
    model.net.logits(prepare(model, samples).inputs, torch.arange(15))
    assert sorted(seen) == [1, 1, 1]


def counts(module: torch.nn.Module) -> tuple[int, int]:
    parameters = list(module.parameters())
    return sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)


def test_parameters_of_the_published_checkpoint() -> None:
    size, labels = 768, 3129
    layer_norm = 2 * size
    linear = size * size + size
    embeddings = (30522 + 40 + 2) * size + layer_norm  # words, positions, segments
    embeddings += size + (1 + 12 * 12) * size + (3 * 32 * 32 + 1) * size + 2 * size  # class, places, patches, kinds
    layers = 12 * (4 * linear + size * 3072 + 3072 + 3072 * size + size + 2 * layer_norm)
    transformer = embeddings + layers + layer_norm + linear  # the last norm and the pooler
    classifier = size * 2 * size + 2 * size + 4 * size + 2 * size * labels + labels
    assert transformer + classifier == 117_588_537
    with_lora = FAMILY.skeleton(ViltOptions.model_validate({}))
    added = 12 * 3 * 2 * 8 * size
    assert added == 442_368
    # beside the classifier that is learned, peft keeps the one that was there
    assert counts(with_lora) == (117_588_537 + added + classifier, added + classifier)
    full = FAMILY.skeleton(ViltOptions.model_validate({"train": {"transformer": "full"}}))
    assert counts(full) == (117_588_537, 117_588_537)
    frozen = FAMILY.skeleton(ViltOptions.model_validate({"train": {"transformer": "frozen"}}))
    assert counts(frozen) == (117_588_537, classifier)


def test_only_what_is_learned_is_kept_and_other_weights_are_refused(
    checkpoint: Path, samples: list[Sample], tmp_path: Path
) -> None:
    model = trained(build(checkpoint, samples), samples)
    assert all("lora_" in name or "classifier" in name for name in model.state())
    other = tiny_vilt.section(tmp_path, positions=161)["checkpoint"]
    spec = model.spec()
    spec["options"] = {**spec["options"], "checkpoint": other}
    with pytest.raises(WeightsError, match="are not those that the run was trained with"):
        FAMILY.rebuild(spec, torch.device("cpu"))


def test_an_adapter_loads_with_plain_peft(checkpoint: Path, samples: list[Sample], tmp_path: Path) -> None:
    from peft import PeftModel

    model = trained(build(checkpoint, samples), samples)
    assert model.write_adapter(tmp_path)
    answers = json.loads((tmp_path / "answers.json").read_text())
    base = ViltForQuestionAnswering.from_pretrained(checkpoint, num_labels=len(answers), ignore_mismatched_sizes=True)
    plain = PeftModel.from_pretrained(base, tmp_path)
    ours = logits(model, samples, [0, 8])
    for place, row in enumerate((0, 8)):
        torch.testing.assert_close(ours[place], theirs(plain, checkpoint, samples[row]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["lora", "full", "frozen"])
def test_merged_weights_load_with_plain_transformers(
    checkpoint: Path, samples: list[Sample], tmp_path: Path, mode: str
) -> None:
    model = trained(build(checkpoint, samples, train={"transformer": mode}), samples)
    ours, answered = logits(model, samples, [0, 8]), model.answer(prepare(model, samples), torch.tensor([0, 8])).answers
    assert (mode == "lora") == model.write_adapter(tmp_path / "adapter")
    model.write_merged(tmp_path / "merged")
    plain, found = ViltForQuestionAnswering.from_pretrained(tmp_path / "merged", output_loading_info=True)
    assert not found["missing_keys"]
    assert not found["unexpected_keys"]
    for place, row in enumerate((0, 8)):
        logit = theirs(plain, tmp_path / "merged", samples[row])
        torch.testing.assert_close(logit, ours[place], rtol=1e-4, atol=1e-4)
        assert plain.config.id2label[int(logit.argmax())] == answered[place].text


def test_the_layer_before_the_answers_is_the_checkpoints_and_the_last_one_is_new(
    checkpoint: Path, samples: list[Sample]
) -> None:
    published = ViltForQuestionAnswering.from_pretrained(checkpoint)
    six = [sample for sample in samples if sample.answer != "answer 9"]
    model = build(checkpoint, six).net.model  # six answers and the unknown one: seven, as the checkpoint has
    assert model.config.num_labels == published.config.num_labels == 7
    head = model.classifier.modules_to_save["default"]
    assert torch.equal(head[0].weight, published.classifier[0].weight)
    assert not torch.equal(head[3].weight, published.classifier[3].weight)


def test_a_question_that_is_too_long_is_refused_left_out_or_cut_and_counted(
    samples: list[Sample], tmp_path: Path
) -> None:
    tiny_vilt.section(tmp_path, positions=8)  # [CLS], six pieces, [SEP]
    fits, long = "is the lung in the image", "is the lung in the image there"
    asked = [sample_of(question, question, "yes", samples[0].image_path) for question in (fits, long)]
    model = build(tmp_path, asked)
    with pytest.raises(DataError, match=r"The question of row .* has 9 tokens, but .* reads at most 8; model.long_q"):
        model.prepare(asked, Problems())
    problems = Problems(skip=True)
    assert [sample.id for sample in model.prepare(asked, problems).samples] == [fits]
    assert len(problems.found) == 1
    assert model.notes() == {"questions_cut": 0}
    cutting = build(tmp_path, asked, long_questions="cut")
    inputs = prepare(cutting, asked).inputs
    assert inputs.questions[0] == inputs.questions[1]
    assert cutting.notes() == {"questions_cut": 1}


def test_another_image_size_keeps_the_aspect(checkpoint: Path, samples: list[Sample]) -> None:
    model = build(checkpoint, samples, image_size=48)
    sizes = {model.net.store.pixels(key).shape[:2] for key in prepare(model, samples).inputs.keys}
    assert sizes == {(48, 48), (48, 72), (72, 32)}
    assert torch.isfinite(logits(model, samples, range(20))).all()


def test_a_picture_that_is_too_thin_is_reported(checkpoint: Path, samples: list[Sample], tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 400), np.uint8)).save(tmp_path / "thin.png")
    thin = sample_of("thin", "what", "yes", tmp_path / "thin.png")
    with pytest.raises(DataError, match="A picture of 400 × 4 pixels cannot be resized for ViLT"):
        prepare(build(checkpoint, samples), [thin])


def test_a_checkpoint_of_another_kind_is_refused(samples: list[Sample], tmp_path: Path) -> None:
    from transformers import BertConfig

    BertConfig().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(WeightsError, match="is a checkpoint of the kind 'bert'; the family vilt loads 'vilt'"):
        build(tmp_path, samples)


def test_a_target_that_matches_nothing_is_refused(checkpoint: Path, samples: list[Sample]) -> None:
    with pytest.raises(RecipeError, match="'qeury' matches no linear layer of transformer; did you mean 'query'"):
        build(checkpoint, samples, lora={"targets": ["qeury"]})


def test_the_published_text_limit_is_40() -> None:
    assert ViltConfig().max_position_embeddings == 40

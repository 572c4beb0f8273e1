"""A language model keeps its first layers, reads texts, and is a checkpoint like any other afterwards."""

import math
from pathlib import Path
from typing import Any

import adapting_parts
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from radvqa import files
from radvqa.adapting import language, texts
from radvqa.adapting.gather import gather
from radvqa.adapting.learner import Learner, rate
from radvqa.adapting.spec import LanguageSpec, Steps, Texts, load_spec
from radvqa.adapting.texts import Document
from radvqa.commands.adapt import adapt_language
from radvqa.data.dataset import Problems
from radvqa.errors import DataError, RadvqaError, RecipeError, RunError
from radvqa.models import hub


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adapting_parts.language_model(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def spec(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RADVQA_DATA", str(adapting_parts.data(tmp_path / "data")))
    return adapting_parts.page(tmp_path / "spec.yaml", adapting_parts.language_values(checkpoint))


def whole(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def test_the_first_layers_say_what_the_whole_model_would_say_after_them(checkpoint: Path) -> None:
    tokens = torch.tensor([[3, 9, 4, 7]])
    model, short = whole(checkpoint), language.load(str(checkpoint), 1).eval()
    with torch.inference_mode():
        after_one = model.model(input_ids=tokens, output_hidden_states=True).hidden_states[1]
        wanted = model.lm_head(model.model.norm(after_one))
        torch.testing.assert_close(short(input_ids=tokens).logits, wanted)
    assert short.config.num_hidden_layers == 1
    assert not torch.allclose(wanted, model(input_ids=tokens).logits)


def test_more_layers_than_there_are_is_an_error(checkpoint: Path) -> None:
    with pytest.raises(RecipeError, match=r"layers=3, but .* has 2"):
        language.load(str(checkpoint), 3)


def test_perplexity_is_that_of_tokens_given_those_before_them_in_their_block(checkpoint: Path) -> None:
    blocks = torch.tensor([[3, 9, 4, 7], [5, 5, 8, 2], [1, 2, 3, 4]])
    model = whole(checkpoint)
    with torch.inference_mode():
        surprise = -model(input_ids=blocks).logits.log_softmax(2)
    nats = [surprise[b, t, blocks[b, t + 1]].item() for b in range(3) for t in range(3)]
    learner = Learner({"model": (list(model.parameters()), 0.1)}, Steps(steps=0, batch_size=1, learning_rate=0.1), 0)
    assert language.perplexity(model, blocks, learner) == pytest.approx(math.exp(sum(nats) / 9), rel=1e-5)


def test_texts_end_with_the_token_that_ends_an_answer_and_fill_blocks(checkpoint: Path) -> None:
    tokenizer = hub.tokenizer(str(checkpoint))
    found = [Document("a", "bright dark"), Document("b", "stripe")]
    words = [tokenizer.convert_tokens_to_ids(word) for word in ("bright", "dark", "stripe")]
    wanted = [words[0], words[1], tokenizer.eos_token_id, words[2], tokenizer.eos_token_id]
    assert texts.blocks(tokenizer, found, 2).tolist() == [wanted[:2], wanted[2:4]]
    with pytest.raises(DataError, match="5 tokens, fewer than one block of 6"):
        texts.blocks(tokenizer, found, 6)


def test_a_case_text_is_read_once_and_captions_once_each(spec: Path) -> None:
    page = load_spec(LanguageSpec, spec)
    case_texts, captions = (texts.documents(source, gather(source, Problems())) for source in page.texts)
    assert len(case_texts) == 8
    assert len(captions) == 16
    assert case_texts[0].text.split("\n") == [
        *("Modality: any", "Plane: Axial", "Title: Title MPX0", "History: A cough.", "Diagnosis: Cancer"),
        *("Disease discussion: It is rare.", "Plane: Coronal"),
    ]
    assert captions[0] == Document("medpix2/MPX0", "Axial bright MPX0.")


def test_questions_come_with_their_answers(spec: Path) -> None:
    source = Texts(data="vqa_rad", split="train", text="question and answer", where={"image": "synpic3.jpg"})
    found = texts.documents(source, gather(source, Problems()))
    assert "Question: Is there a mass?\nAnswer: Yes" in [document.text for document in found]


def test_cases_of_pictures_that_another_data_set_shows_are_left_out(spec: Path) -> None:
    plain = Texts(data="medpix2", split="train", text="answer")
    kept = gather(plain.model_copy(update={"without_pictures_of": ("vqa_rad",)}), Problems())
    left_out = {sample.case for sample in gather(plain, Problems())} - {sample.case for sample in kept}
    assert left_out == {adapting_parts.LEAKING}
    assert len(kept) == 14


def test_phrases_leave_samples_out_and_nothing_left_is_an_error(spec: Path) -> None:
    plain = Texts(data="medpix2", split="train", text="answer")
    kept = gather(plain.model_copy(update={"without_phrases": ("Axial",)}), Problems())
    assert {sample.answer.split()[0] for sample in kept} == {"Coronal"}
    with pytest.raises(DataError, match="nothing is left"):
        gather(plain.model_copy(update={"without_phrases": ("MPX",)}), Problems())


@given(
    cases=st.lists(st.integers(0, 9), min_size=2, max_size=40).filter(lambda held: len(set(held)) > 1),
    share=st.floats(0.01, 0.6),
    seed=st.integers(0, 5),
)
def test_no_case_is_learned_from_and_measured_on(cases: list[int], share: float, seed: int) -> None:
    found = [Document(str(case), f"text {number}") for number, case in enumerate(cases)]
    learned, measured = texts.hold_out(found, share, seed)
    assert not {document.case for document in learned} & {document.case for document in measured}
    assert sorted(learned + measured, key=found.index) == found
    assert measured
    assert learned
    assert texts.hold_out(found, share, seed) == (learned, measured)


def test_one_case_cannot_be_held_out() -> None:
    with pytest.raises(DataError, match="one case only"):
        texts.hold_out([Document("a", "x"), Document("a", "y")], 0.5, 0)


def test_the_rate_rises_in_a_line_and_falls_as_half_a_cosine() -> None:
    shares = [rate(step, 10, 0.2) for step in range(10)]
    assert shares[:3] == [0.5, 1.0, 1.0]
    assert shares[6] == pytest.approx(0.5)
    assert shares[9] == pytest.approx(0.5 * (1 + math.cos(math.pi * 7 / 8)))


def test_a_loss_that_is_no_number_stops_before_the_step() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    learner = Learner({"w": ([weight], 0.1)}, Steps(steps=5, batch_size=1, learning_rate=0.1), 5)
    with pytest.raises(RunError, match="The loss is nan at step 1 of 5"):
        learner.step(weight.sum() * math.nan)
    assert weight.tolist() == [1, 1]


def test_vectors_do_not_decay_and_matrices_do() -> None:
    matrix, vector = (torch.nn.Parameter(torch.ones(size)) for size in ((1, 1), (1,)))
    learning = Steps(steps=1, batch_size=1, learning_rate=0.1, weight_decay=0.5, warmup=0)
    learner = Learner({"all": ([matrix, vector], 0.1)}, learning, 1)
    learner.step(0 * (matrix.sum() + vector.sum()))
    assert matrix.item() == pytest.approx(1 - 0.1 * 0.5)
    assert vector.item() == 1


def test_what_is_read_is_learned_and_the_folder_is_a_checkpoint(
    spec: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "weights" / "adapted" / "tiny"
    facts = adapt_language(spec, ["steps=60", "layers=1"], out=out)
    assert set(facts["perplexity"]) == {"whole", "before", "after"}
    assert facts["perplexity"]["after"] < 0.8 * facts["perplexity"]["before"]
    assert facts["tokens"]["learned"] == 60 * 2 * 16
    assert files.read_json(out / "adaptation.json")["spec"]["layers"] == 1
    assert "for diagnosis" in (out / "README.md").read_text(encoding="utf-8")
    monkeypatch.setenv("RADVQA_WEIGHTS", str(tmp_path / "weights"))
    again = language.load("adapted/tiny", None)  # by name, below RADVQA_WEIGHTS
    assert again.config.num_hidden_layers == 1
    assert not torch.equal(
        again.model.layers[0].mlp.up_proj.weight, whole(checkpoint).model.layers[0].mlp.up_proj.weight
    )
    text = "bright dark caption"
    assert hub.tokenizer("adapted/tiny")(text)["input_ids"] == hub.tokenizer(str(checkpoint))(text)["input_ids"]


def test_embeddings_stay_where_they_are_to_stay(spec: Path, checkpoint: Path, tmp_path: Path) -> None:
    adapt_language(spec, ["learn_embeddings=false"], out=tmp_path / "out")
    before, after = whole(checkpoint), whole(tmp_path / "out")
    assert torch.equal(before.model.embed_tokens.weight, after.model.embed_tokens.weight)
    assert not torch.equal(before.model.norm.weight, after.model.norm.weight)


def test_no_steps_take_the_first_layers_as_they_are(spec: Path, checkpoint: Path, tmp_path: Path) -> None:
    facts = adapt_language(spec, ["steps=0", "layers=1"], out=tmp_path / "out")
    assert facts["perplexity"]["after"] == facts["perplexity"]["before"]
    published, short = whole(checkpoint).state_dict(), whole(tmp_path / "out").state_dict()
    assert set(short) == {name for name in published if ".layers.1." not in name}
    assert all(torch.equal(short[name], published[name]) for name in short)


def test_one_seed_makes_the_same_bytes_and_another_does_not(spec: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        adapt_language(spec, [f"seed={seed}"], out=tmp_path / name)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
    assert weights[0] == weights[1] != weights[2]


def test_a_finished_folder_is_left_and_another_specification_refused(spec: Path, tmp_path: Path) -> None:
    adapt_language(spec, out=tmp_path / "out")
    changed = (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns
    adapt_language(spec, out=tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns == changed
    with pytest.raises(RunError, match="was not made from this specification"):
        adapt_language(spec, ["seed=2"], out=tmp_path / "out")
    with files.locked(tmp_path / ".other.lock", what="it"), pytest.raises(RadvqaError, match="in use by another"):
        adapt_language(spec, out=tmp_path / "other")


def test_an_interruption_leaves_no_folder_and_it_starts_over(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "made" / "out"

    def killed(path: Path, text: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            adapt_language(spec, ["steps=1"], out=out)
    assert not out.exists()
    (out.parent / ".out.torn.part").mkdir()  # what a kill leaves
    adapt_language(spec, ["steps=1"], out=out)
    assert sorted(path.name for path in out.parent.iterdir()) == [".out.lock", "out"]


def test_the_length_of_a_case_text_is_told(spec: Path, tmp_path: Path) -> None:
    told = adapt_language(spec, ["steps=0"], out=tmp_path / "out")["data"]
    assert [held["documents"] for held in told.values()] == [8, 16]

"""The shared prefix gives what transformers gives for each question on its own: states, gradients, words."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_checkpoints import byte_tokens
from torch import Tensor
from transformers import AutoModelForCausalLM, BloomConfig, Gemma2Config, LlamaConfig, Qwen2Config

from radvqa.errors import DataError
from radvqa.models.decoder import CausalDecoder, Prefix, Read
from radvqa.models.generator_net import IGNORED, IMAGE_TOKEN

WORDS = 40
END = 1
PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13], [14, 15]]
ANSWERS = [[20, 21, END], [22, END], [23, END], [24, 25, 26, END]]
INDEX = [0, 1, 0, 1]
CONFIGS: dict[str, Any] = {
    "llama": LlamaConfig(
        vocab_size=WORDS, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2,
    ),
    "qwen2": Qwen2Config(
        vocab_size=WORDS, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, tie_word_embeddings=True,
    ),
    "bloom": BloomConfig(vocab_size=WORDS, hidden_size=16, n_layer=2, n_head=2),
    "gemma2": Gemma2Config(
        vocab_size=WORDS, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, sliding_window=64, final_logit_softcapping=None,
    ),
}  # fmt: skip


def language_model(kind: str) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = AutoModelForCausalLM.from_config(CONFIGS[kind])
        for parameter in model.parameters():  # wide enough that likeliest tokens differ
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def decoder_of(model: Any) -> CausalDecoder:
    return CausalDecoder(model.base_model, model.get_input_embeddings(), model.get_output_embeddings(), [END])


def pictures() -> Tensor:
    """Embeddings of two pictures of three image tokens; of the second one only two are real."""
    return torch.randn(2, 3, 16, generator=torch.Generator().manual_seed(2))


def prefix_of(embeddings: Tensor) -> Prefix:
    real = torch.tensor([[True, True, True], [True, True, False]])
    return Prefix.plain(torch.full((2, 3), IMAGE_TOKEN), embeddings, real)


def taught(model: Any, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and targets of all learned tokens by the shared prefix."""
    decoder, prefix, index = decoder_of(model), prefix_of(embeddings), torch.tensor(INDEX)
    lesson = decoder.lesson(prefix, index, PROMPTS, ANSWERS)
    return decoder.logits(decoder.read(prefix), index, lesson), lesson.targets[lesson.targets != IGNORED]


def taught_alone(model: Any, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """The same, each question by the plain model with nothing shared and nothing padded."""
    logits, targets = [], []
    for row, picture in enumerate(INDEX):
        image = embeddings[picture, : 3 - picture]
        read = torch.tensor([*PROMPTS[row], *ANSWERS[row][:-1]])
        together = torch.cat([image, model.get_input_embeddings()(read)])[None]
        scored = model(inputs_embeds=together).logits[0]
        logits.append(scored[-len(ANSWERS[row]) :])
        targets.append(torch.tensor(ANSWERS[row]))
    return torch.cat(logits), torch.cat(targets)


@pytest.mark.parametrize("kind", CONFIGS)
def test_logits_are_those_of_the_plain_model_alone(kind: str) -> None:
    model = language_model(kind)
    with torch.no_grad():
        (ours, ours_targets), (plain, plain_targets) = taught(model, pictures()), taught_alone(model, pictures())
    assert torch.equal(ours_targets, plain_targets)
    torch.testing.assert_close(ours, plain, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "bloom"])
def test_gradients_are_those_of_the_plain_model_alone(kind: str) -> None:
    found = []
    for way in (taught, taught_alone):
        model, embeddings = language_model(kind), pictures().requires_grad_()
        logits, targets = way(model, embeddings)
        torch.nn.functional.cross_entropy(logits, targets).backward()  # type: ignore[no-untyped-call]
        found.append([embeddings.grad, *(parameter.grad for parameter in model.parameters())])
    for ours, plain in zip(*found, strict=True):
        assert ours is not None
        assert plain is not None
        torch.testing.assert_close(ours, plain, atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize("kind", CONFIGS)
def test_written_answers_are_those_of_generate(kind: str) -> None:
    model, embeddings, limit = language_model(kind), pictures(), 6
    decoder = decoder_of(model)
    with torch.no_grad():
        read = decoder.read(prefix_of(embeddings))
        written = decoder.write(read, torch.tensor(INDEX), PROMPTS, limit)
        for row, picture in enumerate(INDEX):
            asked = model.get_input_embeddings()(torch.tensor(PROMPTS[row]))
            together = torch.cat([embeddings[picture, : 3 - picture], asked])[None]
            expected = model.generate(
                inputs_embeds=together, attention_mask=torch.ones(together.shape[:2]), max_new_tokens=limit,
                do_sample=False, eos_token_id=END, pad_token_id=0,
            )[0].tolist()  # fmt: skip
            if END in expected:
                expected = expected[: expected.index(END)]
            assert list(written[row].tokens) == expected
            assert written[row].begins_after == PROMPTS[row][-1]


def test_the_probability_of_an_answer_counts_its_end() -> None:
    model, embeddings = language_model("llama"), pictures()
    head = model.get_output_embeddings()
    with torch.no_grad():
        head.weight[END] = head.weight[END] * 3
        decoder = decoder_of(model)
        read = decoder.read(prefix_of(embeddings))
        ended = [one for limit in range(1, 8) for one in decoder.write(read, torch.tensor([0, 1]), PROMPTS[:2], limit)]
        ended = [one for one in ended if one.ended]
        assert ended
        for one in ended:
            row = PROMPTS.index(next(p for p in PROMPTS if p[-1] == one.begins_after))
            answer = [*one.tokens, END]
            index = torch.tensor([row])
            lesson = decoder.lesson(prefix_of(embeddings), index, [PROMPTS[row]], [answer])
            scores = decoder.logits(read, index, lesson).log_softmax(-1)
            expected = scores.gather(1, torch.tensor(answer)[:, None]).sum().item()
            assert one.log_probability == pytest.approx(expected, abs=1e-4)


def test_an_answer_that_reaches_the_limit_has_not_ended() -> None:
    model = language_model("llama")
    decoder = CausalDecoder(model.base_model, model.get_input_embeddings(), model.get_output_embeddings(), [WORDS + 1])
    with torch.no_grad():
        written = decoder.write(decoder.read(prefix_of(pictures())), torch.tensor([0]), PROMPTS[:1], 3)
    assert (len(written[0].tokens), written[0].ended) == (3, False)


def test_only_the_answer_and_its_end_are_learned() -> None:
    decoder = decoder_of(language_model("llama"))
    lesson = decoder.lesson(prefix_of(pictures()), torch.tensor([1, 0]), [[5], [6, 7]], [[20, 21, END], [22, END]])
    assert lesson.inputs.tolist() == [[-1, -1, -1, 0, 5, 20, 21], [-1, -1, -1, 6, 7, 22, 0]]
    assert lesson.targets.tolist() == [[-100] * 4 + [20, 21, END], [-100] * 4 + [22, END, -100]]
    assert lesson.real.tolist() == [[True, True, False, False, True, True, True], [True] * 6 + [False]]


def test_a_whole_prefix_is_seen_by_each_of_its_tokens_and_tells_the_first_word() -> None:
    model = language_model("llama")
    decoder, embeddings = decoder_of(model), pictures()
    real = torch.tensor([[True, True, True], [True, True, False]])
    counted = real.long().cumsum(1)
    prefix = Prefix(
        torch.tensor([[IMAGE_TOKEN, 5, 6], [IMAGE_TOKEN, 7, 0]]), embeddings, real, counted - 1, counted[:, -1], True
    )
    index = torch.arange(2)
    lesson = decoder.lesson(prefix, index, [[], []], [[20, END], [21, 22, END]])
    assert lesson.targets.tolist() == [[-100, -100, 20, END, -100], [-100, 21, -100, 22, END]]
    with torch.no_grad():
        ours = decoder.logits(decoder.read(prefix), index, lesson)
        alone: list[Tensor] = []
        for row, (length, answer) in enumerate([(3, [20]), (2, [21, 22])]):
            together = torch.cat([embeddings[row, :length], model.get_input_embeddings()(torch.tensor(answer))])[None]
            width = length + len(answer)
            mask = torch.full((width, width), torch.finfo(torch.float32).min).triu(1)
            mask[:length, :length] = 0
            states = model.base_model(inputs_embeds=together, attention_mask=mask[None, None]).last_hidden_state
            alone.append(model.get_output_embeddings()(states[0, length - 1 :]))
        torch.testing.assert_close(ours, torch.cat(alone), atol=2e-5, rtol=1e-4)


def test_reading_again_from_one_prefix_changes_nothing() -> None:
    decoder = decoder_of(language_model("llama"))
    with torch.no_grad():
        read: Read = decoder.read(prefix_of(pictures()))
        first = decoder.write(read, torch.tensor(INDEX), PROMPTS, 4)
        assert decoder.write(read, torch.tensor(INDEX), PROMPTS, 4) == first


def test_more_than_a_sliding_window_holds_is_refused() -> None:
    model = language_model("gemma2")
    model.config.sliding_window = 6
    with pytest.raises(DataError, match=r"11 tokens together, but the language model's sliding window holds 6"):
        taught(model, pictures())


def test_bytes_without_a_pad_token_are_enough(tmp_path: Path) -> None:
    assert byte_tokens(tmp_path).pad_token is None

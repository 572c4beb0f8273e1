"""Methods beside LoRA: their formulas, their parameters, their checkpoints, their merged weights; against ``peft``."""

import math
from pathlib import Path
from typing import Any

import pytest
import tiny_qformer_llm
import torch
from model_parts import split, steps
from torch import Tensor, nn

from radvqa.answering import answer_prepared
from radvqa.data.dataset import Problems
from radvqa.errors import RecipeError
from radvqa.models import checkpoint, parts, zoo
from radvqa.models.family import Context, Portable, VqaModel
from radvqa.models.parts import LoraOptions, Method
from radvqa.recipe import ModelSection
from radvqa.training.learnable import Learnable

METHODS: tuple[Method, ...] = ("lora", "rslora", "dora", "ia3")
OTHERS = METHODS[1:]
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
WIDTHS = [(16, 16), (16, 8), (16, 8), (16, 16), (16, 24), (16, 24), (24, 16)]  # in and out of each target
RANK, ALPHA = 4, 6.0


def options(method: Method, targets: tuple[str, ...] = TARGETS) -> LoraOptions:
    return LoraOptions(method=method, r=RANK, alpha=ALPHA, dropout=0.0, targets=targets)


def llama(layers: int = 2) -> Any:
    """A Llama of 16 wide, with half as many keys as queries."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
    )
    return LlamaForCausalLM(config).eval()


def adapted(method: Method, model: Any = None, **changes: Any) -> Any:
    model = llama() if model is None else model
    return parts.set_trained(
        model, {"lm": model.base_model}, {"lm": "lora"}, options(method, **changes), base="org/tiny"
    )


def shaken(model: Any) -> Any:
    """Move what learns away from where it begins, by the tensors' names, so that nothing is nought or one."""
    for name, parameter in sorted(model.named_parameters()):
        if parameter.requires_grad:
            draw = torch.Generator().manual_seed(sum(name.encode()))
            parameter.data += 0.2 * torch.randn(parameter.shape, generator=draw)
    return model


def logits(model: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(input_ids=torch.arange(12).reshape(2, 6)).logits
    return found


class Feed(nn.Module):
    """A feed-forward block without its bend, so that its formula is short."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(5, 7), nn.Linear(7, 3)

    def forward(self, x: Tensor) -> Tensor:
        wide: Tensor = self.fc2(self.fc1(x))
        return wide


@pytest.mark.parametrize("method", METHODS)
def test_the_formula_is_that_of_the_paper(method: Method) -> None:
    torch.manual_seed(0)
    plain, x = Feed(), torch.randn(4, 5)
    first, second = ((layer.weight.detach().clone(), layer.bias.detach().clone()) for layer in (plain.fc1, plain.fc2))
    model = shaken(
        parts.set_trained(plain, {"all": plain}, {"all": "lora"}, options(method, ("fc1", "fc2")), base="own")
    )
    learned = {name.removeprefix("base_model.model."): p.detach() for name, p in model.named_parameters()}

    def layer(name: str, weight: Tensor, bias: Tensor, read: Tensor) -> Tensor:
        if method == "ia3":
            scale = learned[f"{name}.ia3_l.default"]
            # equation 1 of Liu et al. 2022: keys, values and hidden states are scaled; the last are what fc2 reads
            read, outer = (read * scale[0], torch.ones(())) if name == "fc2" else (read, scale[:, 0])
            return torch.mul(read @ weight.T + bias, outer)
        down, up = (learned[f"{name}.lora_{side}.default.weight"] for side in "AB")
        share = ALPHA / math.sqrt(RANK) if method == "rslora" else ALPHA / RANK
        moved = weight + share * up @ down
        if method == "dora":  # equation 5 of Liu et al. 2024: a learned length times the direction of what moved
            length = learned[f"{name}.lora_magnitude_vector.default.weight"]
            moved = moved * (length / torch.linalg.vector_norm(moved, dim=1))[:, None]
        return torch.add(read @ moved.T, bias)

    wanted = layer("fc2", *second, layer("fc1", *first, x))
    torch.testing.assert_close(model(x), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_forward_is_that_of_a_model_that_peft_made(method: Method) -> None:
    from peft import IA3Config, LoraConfig, get_peft_model

    named: dict[str, Any] = {"target_modules": list(TARGETS)}
    config: Any = (
        IA3Config(feedforward_modules=["down_proj"], **named)
        if method == "ia3"
        else LoraConfig(
            r=RANK, lora_alpha=6, lora_dropout=0.0, use_dora=method == "dora", use_rslora=method == "rslora", **named
        )
    )
    plain = llama()
    torch.manual_seed(7)
    ours = adapted(method, plain)
    plain = llama()
    torch.manual_seed(7)
    with pytest.warns(FutureWarning, match="is_gradient_checkpointing"):
        theirs = get_peft_model(plain, config)
    assert torch.equal(logits(ours), logits(theirs.eval()))
    torch.testing.assert_close(logits(ours), logits(llama()))  # nothing has been learned yet
    moved, moved_too = logits(shaken(ours)), logits(shaken(theirs))
    assert torch.equal(moved, moved_too)
    assert (moved - logits(llama())).abs().max() > 0.01


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("lora", sum(RANK * (wide + out) for wide, out in WIDTHS)),
        ("rslora", sum(RANK * (wide + out) for wide, out in WIDTHS)),
        ("dora", sum(RANK * (wide + out) + out for wide, out in WIDTHS)),
        ("ia3", 16 + 8 + 8 + 16 + 24 + 24 + 24),  # outputs, and what down_proj reads
    ],
)
def test_parameters_are_those_counted_by_hand_with_weights_and_without(method: Method, wanted: int) -> None:
    base = parts.count_parameters(llama())["total"]
    assert parts.count_parameters(adapted(method)) == {"total": base + 2 * wanted, "trainable": 2 * wanted}
    with torch.device("meta"):
        empty = llama()
    model = adapted(method, empty)
    assert parts.count_parameters(model) == {"total": base + 2 * wanted, "trainable": 2 * wanted}
    assert {p.device.type for p in model.parameters()} == {"meta"}


@pytest.mark.parametrize("method", METHODS)
def test_only_what_was_learned_is_kept_and_it_is_enough(method: Method) -> None:
    model = shaken(adapted(method))
    state = parts.trained_state(model)
    assert sum(tensor.numel() for tensor in state.values()) == parts.count_parameters(model)["trainable"]
    torch.manual_seed(99)
    again = adapted(method)
    parts.load_trained_state(again, state)
    assert torch.equal(logits(again), logits(model))


@pytest.mark.parametrize("method", METHODS)
def test_merged_weights_and_the_adapter_of_peft_give_the_same(method: Method, tmp_path: Path) -> None:
    from peft import PeftModel

    model = shaken(adapted(method, llama(layers=4)))  # 28 targets: peft shortens such lists when it writes them
    wanted = logits(model)
    parts.write_adapter(model, tmp_path / "adapter")
    with pytest.warns(FutureWarning, match="is_gradient_checkpointing"):
        loaded = PeftModel.from_pretrained(llama(layers=4), str(tmp_path / "adapter")).eval()
    assert torch.equal(logits(loaded), wanted)
    merged = parts.merge(model)
    assert not parts.is_adapted(merged)
    assert {name for name, _ in merged.named_parameters()} == {name for name, _ in llama(layers=4).named_parameters()}
    torch.testing.assert_close(logits(merged), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("model.layers.0.mlp.down_proj", True),
        ("encoder.layer.3.mlp.fc2", True),
        ("fc2", True),
        ("encoder.layer.0.output.dense", True),
        ("encoder.layer.0.attention.output.dense", False),
        ("encoder.layer.0.intermediate.dense", False),
        ("model.layers.0.self_attn.k_proj", False),
    ],
)
def test_the_second_layer_of_a_block_is_known_by_its_name(name: str, second: bool) -> None:
    assert parts._is_second_layer(name) is second


def test_what_older_runs_wrote_is_what_is_written_now() -> None:
    assert options("lora").model_dump(mode="json") == {
        "r": RANK,
        "alpha": ALPHA,
        "dropout": 0.0,
        "targets": list(TARGETS),
    }
    for method in OTHERS:
        plain = options(method).model_dump(mode="json")
        assert plain["method"] == method
        assert LoraOptions.model_validate(plain) == options(method)


def section(method: str, folder: Path, **lora: Any) -> ModelSection:
    values = tiny_qformer_llm.section(folder)
    return ModelSection.model_validate({**values, "lora": {**values["lora"], "method": method, **lora}})


def built(method: str, folder: Path) -> VqaModel:
    return zoo.build(section(method, folder), Context(training=split("train"), seed=3))


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
@pytest.mark.parametrize("method", ["dora", "ia3"])
def test_a_model_learns_comes_back_and_is_merged(method: Method, tmp_path: Path) -> None:
    model, training = built(method, tmp_path / "weights"), split("train")
    before = model.state()
    steps(model, training)
    learned = model.state()
    moved = {name for name in learned if not torch.equal(learned[name], before[name])}
    kind = {"ia3": "ia3_l", "dora": "magnitude"}.get(method, "lora_B")
    assert any(kind in name for name in moved)
    checkpoint.write_spec(tmp_path / "run", model, "qformer_llm")
    checkpoint.write_weights(tmp_path / "run" / "best.safetensors", learned)
    again = checkpoint.load_model(tmp_path / "run", torch.device("cpu"))
    asked = split("test")
    wanted, _ = answer_prepared(model, model.prepare(asked, Problems()))
    assert answer_prepared(again, again.prepare(asked, Problems()))[0] == wanted
    # training goes on from there as it would have
    again.module.train()
    steps(model, training, 1)
    steps(again, training, 1)
    for name, tensor in model.state().items():
        torch.testing.assert_close(again.state()[name], tensor)
    assert isinstance(again, Portable)
    assert again.write_adapter(tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_config.json").is_file()
    again.write_merged(tmp_path / "merged")
    assert (tmp_path / "merged" / "language_model" / "model.safetensors").is_file()


@pytest.mark.usefixtures("mini_slake", "fresh_cache")
@pytest.mark.parametrize("method", ["dora", "ia3"])
def test_a_stage_may_keep_it_still_and_the_next_let_it_learn(method: Method, tmp_path: Path) -> None:
    model, training = built(method, tmp_path / "weights"), split("train")
    learnable = Learnable(model)
    learnable.only({"language_model": "frozen", "fusion": "full"}, "stage one")
    before = model.parts["language_model"].state_dict()
    before = {name: tensor.clone() for name, tensor in before.items()}
    steps(model, training, 1)
    assert all(torch.equal(before[name], t) for name, t in model.parts["language_model"].state_dict().items())
    learnable.only({"language_model": "lora", "fusion": "frozen"}, "stage two")
    steps(model, training, 1)
    moved = [n for n, t in model.parts["language_model"].state_dict().items() if not torch.equal(before[n], t)]
    assert moved
    assert all("lora_" in name or "ia3_" in name for name in moved)


@pytest.mark.parametrize(
    ("lora", "said"),
    [
        ({"method": "adalora"}, "'lora', 'rslora', 'dora' or 'ia3'"),
        ({"method": "ia3", "targets": ["down_prj"]}, "'down_prj' matches no linear layer of language_model; did you"),
        ({"method": "dora", "r": 0}, "lora.r"),
    ],
)
@pytest.mark.usefixtures("mini_slake", "fresh_cache")
def test_what_cannot_be_is_said_in_one_sentence(lora: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        zoo.build(section(**{"folder": tmp_path, **lora}), Context(training=split("train")))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)

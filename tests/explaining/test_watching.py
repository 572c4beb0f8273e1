"""Attention captured from every way of computing it, and nothing left behind."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaModel

from radvqa.explaining.watching import attention_bytes, watching


class Plain(nn.Module):
    """Attention written out."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        attended: Tensor = scores.softmax(-1) @ value
        return attended


class Fused(nn.Module):
    """Attention by torch's own kernel."""

    def __init__(self, **options: object) -> None:
        super().__init__()
        self.options = options

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        attended: Tensor = F.scaled_dot_product_attention(query, key, value, **self.options)  # type: ignore[arg-type]
        return attended


def given(heads: int = 2, keys: int = 5, key_heads: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = ((1, heads, 5, 4), (1, key_heads or heads, keys, 4), (1, key_heads or heads, keys, 4))
    query, key, value = (torch.randn(shape, generator=generator) for shape in shapes)
    return query, key, value


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"is_causal": True},
        {"scale": 0.3},
        {"attn_mask": torch.ones(5, 5, dtype=torch.bool).tril()},
        {"attn_mask": torch.randn(1, 1, 5, 5, generator=torch.Generator().manual_seed(2))},
    ],
)
def test_the_fused_kernel_gives_what_it_gave_and_tells_its_weights(options: dict[str, object]) -> None:
    module, inputs = Fused(**options), given()
    told: list[tuple[str, Tensor]] = []
    with watching(module, lambda name, weights: told.append((name, weights))):
        watched = module(*inputs)
    torch.testing.assert_close(watched, module(*inputs))
    ((name, weights),) = told
    assert name == ""
    torch.testing.assert_close(weights @ inputs[2], watched)


def test_grouped_queries_share_keys() -> None:
    module, inputs = Fused(enable_gqa=True), given(heads=4, key_heads=2)
    told: list[Tensor] = []
    with watching(module, lambda _, weights: told.append(weights)):
        watched = module(*inputs)
    torch.testing.assert_close(watched, module(*inputs))
    assert told[0].shape == (1, 4, 5, 5)


def test_plain_products_are_seen_and_differentiated() -> None:
    module, (query, key, value) = Plain(), given()
    told: list[Tensor] = []
    query.requires_grad_()
    with watching(module, lambda _, weights: told.append(weights)):
        score = module(query, key, value).sum()
    (gradient,) = torch.autograd.grad(score, told)
    expected = value.sum(-1)[:, :, None].expand(-1, -1, 5, -1)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
def test_a_language_model_is_watched_layer_by_layer_and_left_as_it_was(kernel: str) -> None:
    config = LlamaConfig(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation=kernel,
    )
    model = LlamaModel(config).eval()
    tokens = torch.arange(6)[None]
    told: list[tuple[str, Tensor]] = []
    with torch.no_grad():
        before = model(tokens).last_hidden_state
        with watching(model, lambda name, weights: told.append((name, weights))):
            watched = model(tokens).last_hidden_state
        after = model(tokens).last_hidden_state
    torch.testing.assert_close(watched, before)
    torch.testing.assert_close(after, before)
    assert [name for name, _ in told] == [f"layers.{layer}.self_attn" for layer in range(3)]
    assert all(weights.shape == (1, 4, 6, 6) for _, weights in told)
    assert float(told[0][1][0, 0].triu(1).abs().max()) == 0  # causal
    assert model.config._attn_implementation == kernel
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def test_hooks_go_also_when_the_model_fails() -> None:
    module = Plain()
    with pytest.raises(RuntimeError), watching(module, lambda *_: None):
        module(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 5), torch.zeros(1, 2, 3, 4))
    assert not module._forward_hooks
    assert not module._forward_pre_hooks


def test_memory_is_as_the_formula_says() -> None:
    """A small model measured, and a 7B-sized one by the same formula: 32 layers of 32 heads over 700 tokens."""
    config = LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=3, num_attention_heads=4
    )
    model = LlamaModel(config).eval()
    sizes: list[int] = []
    kept: list[Tensor] = []

    def seen(_: str, weights: Tensor) -> None:
        sizes.append(weights.numel() * weights.element_size())
        kept.append(weights)

    with watching(model, seen):
        model(torch.arange(20)[None])
    layers = [(4, 20, 20)] * 3
    assert attention_bytes(layers, with_gradients=False) == max(sizes)
    gradients = torch.autograd.grad(kept[-1].sum() + sum(one.sum() for one in kept), kept)
    assert attention_bytes(layers, with_gradients=True) == sum(sizes) + sum(g.numel() * 4 for g in gradients)
    large = [(32, 700, 700)] * 32
    assert attention_bytes(large, with_gradients=False) == 32 * 700 * 700 * 4 == 62_720_000
    assert attention_bytes(large, with_gradients=True) == 4_014_080_000

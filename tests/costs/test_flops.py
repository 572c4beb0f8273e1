"""The operations of a step are those counted by hand, and counting changes nothing."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils import flop_counter
from torch.utils.flop_counter import FlopCounterMode

from radvqa.costs import flops
from radvqa.costs.flops import count_flops

B, T, D, H = 3, 5, 8, 12  # sequences, steps in time, features, hidden units


def counted(module: nn.Module, *inputs: Tensor) -> int:
    with count_flops() as found:
        out = module(*inputs)
        (out[0] if isinstance(out, tuple) else out).sum().backward()
    return found.flops


@pytest.mark.parametrize(("learns_input", "passes"), [(True, 3), (False, 2)])
def test_a_linear_layer_takes_two_operations_for_each_weight_and_row_forward_and_for_each_gradient(
    learns_input: bool, passes: int
) -> None:
    x = torch.randn(B, D, requires_grad=learns_input)
    assert counted(nn.Linear(D, H), x) == passes * 2 * B * D * H


def test_a_convolution_multiplies_its_kernel_at_every_place() -> None:
    x = torch.randn(B, 3, 9, 9, requires_grad=True)
    forward = 2 * B * (7 * 7) * 4 * (3 * 3 * 3)
    assert counted(nn.Conv2d(3, 4, 3), x) == 3 * forward


@pytest.mark.parametrize("directions", [1, 2])
def test_an_lstm_multiplies_four_gates_with_input_and_state_at_every_step(directions: int) -> None:
    lstm = nn.LSTM(D, H, batch_first=True, bidirectional=directions == 2)
    forward = directions * 2 * B * T * 4 * H * (D + H)
    assert counted(lstm, torch.randn(B, T, D, requires_grad=True)) == 3 * forward


def test_a_frozen_lstm_is_counted_forward() -> None:
    with count_flops() as found, torch.no_grad():
        nn.LSTM(D, H, batch_first=True)(torch.randn(B, T, D))
    assert found.flops == 2 * B * T * 4 * H * (D + H)


def test_cudnns_recurrent_layers_are_counted_as_those_of_processors() -> None:
    weights = [torch.Size(s) for s in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))]
    forward = 2 * B * T * 4 * H * (D + H)
    assert flops._cudnn_rnn(torch.Size((T, B, D)), weights) == forward
    packed = torch.Size((B * T, D))
    assert flops._cudnn_rnn(packed, weights) == forward
    for of_weights, passes in ((True, 2), (False, 1)):
        wanted = [True, True, True, of_weights]
        assert flops._cudnn_rnn_backward(torch.Size((T, B, D)), weights, 0, None, wanted) == passes * forward
    names = [a.name for a in torch.ops.aten._cudnn_rnn_backward.default._schema.arguments]
    assert (names[:2], names[-1]) == (["input", "weight"], "output_mask")
    assert [a.name for a in torch.ops.aten._cudnn_rnn.default._schema.arguments][:2] == ["input", "weight"]


@pytest.mark.parametrize("masked", [False, True])
def test_attention_on_a_processor_is_two_products_forward_and_five_backward(masked: bool) -> None:
    heads, queries, keys, width = 2, 4, 6, 8
    q = torch.randn(B, heads, queries, width, requires_grad=True)
    k = torch.randn(B, heads, keys, width, requires_grad=True)
    mask = torch.ones(queries, keys, dtype=torch.bool) if masked else None
    product = 2 * B * heads * queries * keys * width
    with count_flops() as found:
        out = F.scaled_dot_product_attention(q, k, k, attn_mask=mask)
    assert found.flops == 2 * product
    with count_flops() as found:
        out.sum().backward()  # type: ignore[no-untyped-call]
    assert found.flops == 5 * product  # scores are computed once more, then four gradients


def test_heads_that_share_keys_are_counted_by_the_queries_and_as_torch_counts_other_attention() -> None:
    query, key, value = torch.Size((B, 4, 5, 8)), torch.Size((B, 2, 7, 8)), torch.Size((B, 2, 7, 6))
    assert flops._attention(query, key, value) == 2 * B * 4 * 5 * 7 * (8 + 6)
    assert flops._attention(query, key, value) == flop_counter.sdpa_flop_count(query, key, value)  # type: ignore[no-untyped-call]
    grad = torch.Size((B, 4, 5, 6))
    theirs = flop_counter.sdpa_backward_flop_count(grad, query, key, value)  # type: ignore[no-untyped-call]
    assert flops._attention_backward(grad, query, key, value) == theirs


def test_a_transformer_layer_is_the_sum_of_its_products() -> None:
    heads, wide = 2, 16
    layer = nn.TransformerEncoderLayer(D, heads, wide, dropout=0.0, batch_first=True)
    x = torch.randn(B, T, D, requires_grad=True)
    linear = 2 * B * T * (3 * D * D + D * D + 2 * D * wide)  # query, key and value; output; the two wide ones
    product = 2 * B * T * T * D
    # forward and both gradients of the weights' products; of attention 2 products forward, 5 backward
    assert counted(layer, x) == 3 * linear + (2 + 5) * product


class Everything(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, D)
        self.lstm = nn.LSTM(D, D, batch_first=True, bidirectional=True)
        self.layer = nn.TransformerEncoderLayer(2 * D, 2, 16, dropout=0.3, batch_first=True)
        # PyTorch's own counter takes the gradient of SiLU apart, and its last bits change
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(2 * D, 40), nn.SiLU(), nn.Linear(40, 4))

    def forward(self, words: Tensor) -> Tensor:
        hidden: Tensor = self.layer(self.lstm(self.words(words))[0])
        with torch.no_grad():
            hidden = hidden + F.scaled_dot_product_attention(hidden, hidden, hidden)
        out: Tensor = self.head(hidden.mean(1))
        return out


def step(*, count: bool) -> tuple[list[Tensor], Tensor]:
    torch.manual_seed(3)
    model = Everything()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    words = torch.randint(20, (B, T))

    def once() -> None:
        model(words).square().sum().backward()
        optimizer.step()

    if count:
        with count_flops() as found:
            once()
        assert found.flops > 0
    else:
        once()
    return [p.detach().clone() for p in model.parameters()], torch.get_rng_state()


def test_what_runs_in_inference_mode_is_counted_too() -> None:
    linear, conv = nn.Linear(D, H), nn.Conv2d(3, 4, 3, groups=1)
    with count_flops() as found, torch.inference_mode():
        linear(torch.randn(B, T, D))
    assert found.flops == 2 * B * T * D * H
    with count_flops() as found, torch.inference_mode():
        conv(torch.randn(B, 3, 9, 9))
    assert found.flops == 2 * B * 7 * 7 * 4 * 3 * 9
    with count_flops() as found, torch.inference_mode():
        torch.randn(B, T, D) @ torch.randn(D, H)
        F.scaled_dot_product_attention(torch.randn(B, 2, T, D), torch.randn(B, 2, 7, D), torch.randn(B, 2, 7, D))
    assert found.flops == 2 * B * T * D * H + 2 * (2 * B * 2 * T * 7 * D)


def test_torchs_own_counter_counts_the_same() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, groups=1), nn.Flatten(), nn.Linear(64, 5))
    picture = torch.randn(B, 3, 9, 9, requires_grad=True)
    with FlopCounterMode(display=False) as theirs:
        model(picture).sum().backward()
    assert counted(model, picture) == theirs.get_total_flops()


def test_a_counted_step_gives_the_very_weights_and_random_state_of_an_uncounted_one() -> None:
    weights, state = step(count=True)
    plain_weights, plain_state = step(count=False)
    assert all(torch.equal(a, b) for a, b in zip(weights, plain_weights, strict=True))
    assert torch.equal(state, plain_state)


def test_checkpointed_layers_count_what_they_compute_again() -> None:
    from torch.utils.checkpoint import checkpoint

    layers = nn.Sequential(nn.Linear(D, H), nn.Linear(H, D))
    x = torch.randn(B, D, requires_grad=True)
    with count_flops() as found:
        checkpoint(layers, x, use_reentrant=False).sum().backward()
    assert found.flops == (3 + 3 + 1) * 2 * B * D * H  # the last layer's output is not needed again, so not computed

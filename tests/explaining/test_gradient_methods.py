"""Grad-CAM and Layer-CAM beside Captum, integrated gradients by their axiom."""

from typing import cast

import captum.attr as captum
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from radvqa.explaining.gradients.cam import grad_cam, layer_cam
from radvqa.explaining.gradients.pixels import integrated_gradients, over_cells, smooth_grad


class Net(nn.Module):
    """Two convolutions, an average, and a score."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(4)
            self.first = nn.Conv2d(3, 6, 3, padding=1)
            self.second = nn.Conv2d(6, 8, 3, padding=1)
            self.last = nn.Linear(8, 3)

    def forward(self, values: Tensor) -> Tensor:
        seen = torch.relu(self.second(torch.relu(self.first(values.permute(0, 3, 1, 2) / 255))))
        scores: Tensor = self.last(seen.mean((2, 3)))
        return scores


def picture() -> Tensor:
    return torch.rand(1, 12, 12, 3, generator=torch.Generator().manual_seed(0)) * 255


def captured(net: Net, values: Tensor) -> tuple[Tensor, Tensor]:
    """What the second convolution gives, and the slopes of the first class by it, ``(n, d)``."""
    kept: list[Tensor] = []
    handle = net.second.register_forward_hook(lambda *passed: kept.append(passed[2]))
    score = net(values)[0, 1]
    handle.remove()
    (slopes,) = torch.autograd.grad(score, kept)
    return tuple(cast("tuple[Tensor, Tensor]", [one[0].flatten(1).T.detach() for one in (kept[0], slopes)]))  # type: ignore[return-value]


def test_grad_cam_is_captums() -> None:
    net, values = Net(), picture()
    expected = captum.LayerGradCam(net, net.second).attribute(values, target=1, relu_attributions=True)
    found = grad_cam(*captured(net, values)).view(12, 12)
    assert found.max() > 0
    torch.testing.assert_close(found, expected[0, 0].detach(), atol=1e-4, rtol=1e-4)


def test_layer_cam_is_captums_gradient_times_activation() -> None:
    net, values = Net(), picture()
    features, slopes = captured(net, values)
    product = captum.LayerGradientXActivation(net, net.second).attribute(values, target=1)
    torch.testing.assert_close((features * slopes).T.view(8, 12, 12), product[0].detach(), atol=1e-4, rtol=1e-4)
    expected = torch.relu((torch.relu(slopes) * features).sum(1))
    torch.testing.assert_close(layer_cam(features, slopes), expected)


def test_integrated_gradients_add_up_to_the_difference() -> None:
    """Completeness (Sundararajan et al. 2017): attributions sum to what the score gained on the way."""
    net, values, baseline = Net(), picture(), torch.zeros(1, 12, 12, 3)

    def score(some: Tensor) -> Tensor:
        scores: Tensor = net(some)
        return scores[:, 1]

    found = integrated_gradients(score, values, baseline, steps=64)
    with torch.no_grad():
        gained = float(score(values) - score(baseline))
    assert float(found.sum()) == pytest.approx(gained, rel=0.02)


def test_smooth_grad_of_a_linear_score_is_its_slope() -> None:
    slope = torch.rand(1, 6, 6, 3, generator=torch.Generator().manual_seed(3))

    def score(some: Tensor) -> Tensor:
        return (some * slope).sum((1, 2, 3))

    found = smooth_grad(score, torch.zeros(1, 6, 6, 3), samples=4)
    torch.testing.assert_close(found, slope, atol=1e-5, rtol=1e-5)
    again = smooth_grad(score, torch.zeros(1, 6, 6, 3), samples=4)
    torch.testing.assert_close(found, again)


def test_cells_average_and_never_outnumber_pixels() -> None:
    values = torch.zeros(1, 4, 4, 3)
    values[0, :2, :2] = -1
    grid = over_cells(values, cells=2)
    assert grid.tolist() == [[3.0, 0.0], [0.0, 0.0]]
    assert over_cells(values, cells=24).shape == (4, 4)
    assert np.isfinite(grid).all()

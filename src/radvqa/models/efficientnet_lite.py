"""EfficientNet-Lite0: a small ImageNet convolutional net without squeeze-and-excitation, with ReLU6.

Architecture: Tan and Le, EfficientNet, ICML 2019, as simplified by its authors for the "lite" variants: stem and
head are not scaled, swish becomes ReLU6. transformers has no such model; parameter names follow the published
PyTorch state dict, so that it loads without a map.
"""

from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from radvqa.errors import WeightsError

_STAGES = (  # repeats, kernel, stride, expansion, channels out
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_EPSILON, _MOMENTUM = 1e-3, 0.01


class _SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding, which is lopsided for stride 2."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = []
        for side in (x.shape[-1], x.shape[-2]):
            total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        filtered: Tensor = self._conv_forward(F.pad(x, pads), self.weight, self.bias)
        return filtered


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON, momentum=_MOMENTUM)


class _Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self._expand_conv: nn.Module | None = None
        if expansion != 1:
            self._expand_conv = _SameConv(inputs, wide, 1, bias=False)
            self._bn0 = _norm(wide)
        self._depthwise_conv = _SameConv(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = _norm(wide)
        self._project_conv = _SameConv(wide, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self._expand_conv is None else F.relu6(self._bn0(self._expand_conv(x)))
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        out: Tensor = x + y if self.residual else y
        return out


class EfficientNetLite0(nn.Module):
    """The net without its ImageNet classifier; 3.4 M parameters, 1,280 features."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks, inputs = [], 32
        for repeats, kernel, stride, expansion, outputs in _STAGES:
            for number in range(repeats):
                blocks.append(_Block(inputs, outputs, kernel, stride if number == 0 else 1, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = _SameConv(320, 1280, 1, bias=False)
        self._bn1 = _norm(1280)

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        """Encode normalised pictures ``(b, 3, s, s)`` to a map ``(b, 1280, s / 32, s / 32)`` and its average."""
        x = F.relu6(self._bn0(self._conv_stem(pixel_values)))
        for block in self._blocks:
            x = block(x)
        x = F.relu6(self._bn1(self._conv_head(x)))
        return SimpleNamespace(last_hidden_state=x, pooler_output=x.mean((2, 3)))

    @classmethod
    def from_file(cls, path: Path) -> "EfficientNetLite0":
        """Load the published state dict.

        Raises:
            WeightsError: when a tensor is missing or has another shape.
        """
        from safetensors.torch import load_file

        model = cls()
        state = {name: tensor for name, tensor in load_file(path).items() if not name.startswith("_fc.")}
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            raise WeightsError(
                f"{path} does not fit EfficientNet-Lite0: {' '.join(str(error).split())[:300]}."
            ) from None
        return model


def classify(model: EfficientNetLite0, path: Path, pixel_values: Tensor) -> Tensor:
    """ImageNet logits ``(b, 1000)`` with the classifier of the same file; shows that the weights are understood."""
    from safetensors.torch import load_file

    state = load_file(path)
    with torch.inference_mode():
        return F.linear(model(pixel_values).pooler_output, state["_fc.weight"], state["_fc.bias"])

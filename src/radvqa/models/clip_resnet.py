"""CLIP's modified ResNet: three convolutions at the entrance, blurred strides, and a pooling that attends.

Architecture: Radford et al., CLIP, ICML 2021, section 2.4 and appendix; PMC-CLIP (Lin et al., MICCAI 2023) has the
same with 50 layers and 768 outputs. transformers has no such model; parameter names follow the published state
dicts, so that they load without a map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from radvqa.errors import RecipeError

_WIDENING = 4  # a block gives four times the channels that its inner convolutions have
_STRIDE = 32  # pixels a side of the picture per place of the map


@dataclass(frozen=True)
class ClipResNetSize:
    """What distinguishes one modified ResNet from another; CLIP's and PMC-CLIP's 50 layers by default.

    Attributes:
        depths: blocks of each stage.
        width: channels after the entrance; the map has 32 times as many.
        outputs: size of the pooled vector.
        image_size: side of a picture in pixels; the pooling knows the places of such pictures only.
        head_width: channels of one attention head of the pooling.
    """

    depths: tuple[int, ...] = (3, 4, 6, 3)
    width: int = 64
    outputs: int = 1024
    image_size: int = 224
    head_width: int = 64

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor], head_width: int = 64) -> "ClipResNetSize":
        """Read everything but the heads from the shapes of a state dict."""
        stages = sorted({name.split(".")[0] for name in state if name.startswith("layer")})
        depths = [len({name.split(".")[1] for name in state if name.startswith(f"{stage}.")}) for stage in stages]
        places = state["attnpool.positional_embedding"].shape[0] - 1
        return cls(
            tuple(depths),
            state["conv3.weight"].shape[0],
            state["attnpool.c_proj.weight"].shape[0],
            round(places**0.5) * _STRIDE,
            head_width,
        )


class _Block(nn.Module):
    """Narrow, filter, widen; a stride is an average over its square, so that no pixel is skipped."""

    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        outputs = inner * _WIDENING
        self.stride = stride
        self.conv1, self.bn1 = nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self._strided(y)))
        kept = x if self.downsample is None else self.downsample(self._strided(x))
        return F.relu(kept + y)

    def _strided(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.stride) if self.stride > 1 else x


class _AttentionPool(nn.Module):
    """The mean of the map asks, the mean and every place of the map answer."""

    def __init__(self, channels: int, size: ClipResNetSize) -> None:
        super().__init__()
        self.size = size
        self.heads = channels // size.head_width
        places = (size.image_size // _STRIDE) ** 2 + 1
        self.positional_embedding = nn.Parameter(torch.randn(places, channels) / channels**0.5)
        self.q_proj, self.k_proj = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.v_proj, self.c_proj = nn.Linear(channels, channels), nn.Linear(channels, size.outputs)

    def forward(self, map_: Tensor) -> Tensor:
        """Pool ``(b, d, rows, columns)`` to ``(b, outputs)``."""
        places = map_.flatten(2).transpose(1, 2)
        tokens = torch.cat([places.mean(1, keepdim=True), places], 1)
        if tokens.shape[1] != len(self.positional_embedding):
            raise RecipeError(
                f"This image encoder takes pictures of {self.size.image_size} × {self.size.image_size} pixels only; "
                f"set model.image_size to {self.size.image_size}."
            )
        tokens = tokens + self.positional_embedding
        asked = self._heads(self.q_proj(tokens[:, :1]))
        answered = F.scaled_dot_product_attention(
            asked, self._heads(self.k_proj(tokens)), self._heads(self.v_proj(tokens))
        )
        pooled: Tensor = self.c_proj(answered.transpose(1, 2).flatten(1))
        return pooled

    def _heads(self, x: Tensor) -> Tensor:
        """``(b, n, d)`` → ``(b, heads, n, d / heads)``."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class ClipResNet(nn.Module):
    """The image encoder; of CLIP's 50 layers 38,316,896 parameters, of PMC-CLIP's 37,792,352.

    Args:
        size: what is built.
    """

    def __init__(self, size: ClipResNetSize | None = None) -> None:
        super().__init__()
        size = size or ClipResNetSize()
        narrow = size.width // 2
        self.conv1 = nn.Conv2d(3, narrow, 3, stride=2, padding=1, bias=False)
        self.conv2 = nn.Conv2d(narrow, narrow, 3, padding=1, bias=False)
        self.conv3 = nn.Conv2d(narrow, size.width, 3, padding=1, bias=False)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(narrow), nn.BatchNorm2d(narrow), nn.BatchNorm2d(size.width)
        inputs = size.width
        self.stages: list[str] = []
        for number, depth in enumerate(size.depths):
            inner = size.width * 2**number
            self.stages.append(f"layer{number + 1}")
            self.add_module(self.stages[-1], _stage(inputs, inner, depth, stride=1 if number == 0 else 2))
            inputs = inner * _WIDENING
        self.attnpool = _AttentionPool(inputs, size)

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        """Encode normalised pictures ``(b, 3, s, s)`` to a map ``(b, 32 width, s / 32, s / 32)`` and one vector.

        Raises:
            RecipeError: when ``s`` is not the side that the weights were trained with.
        """
        x = F.relu(self.bn1(self.conv1(pixel_values)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.avg_pool2d(F.relu(self.bn3(self.conv3(x))), 2)
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return SimpleNamespace(last_hidden_state=x, pooler_output=self.attnpool(x))


def _stage(inputs: int, inner: int, depth: int, *, stride: int) -> nn.Sequential:
    first: Sequence[nn.Module] = [_Block(inputs, inner, stride)]
    return nn.Sequential(*first, *(_Block(inner * _WIDENING, inner, 1) for _ in range(depth - 1)))

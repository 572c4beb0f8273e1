"""Integrated gradients and SmoothGrad over pixels, by Captum, averaged over cells.

Single pixels of such maps are noise; what is shown and measured is their mean over cells as large as a patch.

Sources: Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017; Smilkov et al., SmoothGrad, 2017.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from radvqa.errors import RadvqaError
from radvqa.explaining import passes

Score = Callable[[Tensor], Tensor]
"""Log-probability of the answer on copies of a picture, ``(b, s, w, 3)`` → ``(b,)``."""

STEPS, SAMPLES, NOISE = 16, 16, 0.1
_AT_ONCE = 4
_CELLS = 24


def integrated_gradients(score: Score, values: Tensor, baseline: Tensor, steps: int = STEPS) -> Tensor:
    """Attribute the answer to pixels along the straight way from a baseline, ``(1, s, w, 3)``.

    Args:
        score: of the answer.
        values: the picture's pixels, ``(1, s, w, 3)``.
        baseline: the picture without what it shows, of the same shape.
        steps: of the integral (Gauss–Legendre).

    Returns:
        attributions, which sum to the difference of the two scores.
    """
    method = _captum().IntegratedGradients(score)
    passes.expected(steps)
    found: Tensor = method.attribute(values, baselines=baseline, n_steps=steps, internal_batch_size=_AT_ONCE)
    return found


def smooth_grad(score: Score, values: Tensor, samples: int = SAMPLES, seed: int = 0) -> Tensor:
    """Mean absolute gradient over noisy copies of the picture, ``(1, s, w, 3)``.

    Args:
        score: of the answer.
        values: ``(1, s, w, 3)``.
        samples: noisy copies; the noise's spread is a tenth of the range of pixels.
        seed: of the noise.
    """
    captum = _captum()
    method = captum.NoiseTunnel(captum.Saliency(score))
    passes.expected(samples)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        found: Tensor = method.attribute(
            values, nt_type="smoothgrad", nt_samples=samples, nt_samples_batch_size=_AT_ONCE, stdevs=255 * NOISE
        )
    return found.detach()


def over_cells(attributions: Tensor, cells: int = _CELLS) -> NDArray[np.float32]:
    """Mean strength over cells, ``(1, s, w, 3)`` → ``(cells, cells)`` or as many as there are pixels."""
    strength = attributions.detach().abs().sum(-1)[:, None]
    rows, columns = (min(cells, side) for side in strength.shape[-2:])
    found: NDArray[np.float32] = F.adaptive_avg_pool2d(strength, (rows, columns))[0, 0].float().numpy()
    return found


def _captum() -> Any:
    try:
        import captum.attr as captum
    except ImportError as error:
        raise RadvqaError(
            "Integrated gradients and SmoothGrad are Captum's, which is not installed: pip install 'radvqa[explain]'."
        ) from error
    return captum

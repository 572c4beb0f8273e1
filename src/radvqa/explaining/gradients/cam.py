"""Grad-CAM and Layer-CAM on the last features that know where they are.

Sources: Selvaraju et al., Grad-CAM, ICCV 2017; Jiang et al., LayerCAM, IEEE Transactions on Image Processing 2021.

Letters: ``n`` places, ``d`` channels.
"""

import torch
from torch import Tensor


def grad_cam(features: Tensor, slopes: Tensor) -> Tensor:
    """Channels weighed by their mean gradient, ``(n,)``; what speaks against the answer is 0.

    Args:
        features: ``(n, d)``.
        slopes: gradients of the answer's log-probability by them, ``(n, d)``.
    """
    return torch.relu(features @ slopes.mean(0))


def layer_cam(features: Tensor, slopes: Tensor) -> Tensor:
    """Each place's channels weighed by their own positive gradients, ``(n,)``; arguments as of ``grad_cam``."""
    return torch.relu((torch.relu(slopes) * features).sum(1))

"""What matrices are multiplied in: half precision where the device is fast at it."""

from typing import Literal

import torch

Precision = Literal["auto", "fp32", "bf16", "fp16"]

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def computed_in(precision: Precision, device: str) -> torch.dtype:
    """Return the number format of matrix products.

    Args:
        precision: as asked for; ``auto`` is fp32 on CPUs, where bf16 may be emulated and several times slower, bf16 on
            GPUs that have it, and fp16 on older ones.
        device: kind of the device.
    """
    if precision in _HALF:
        return _HALF[precision]
    if precision == "fp32" or device != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def autocast(precision: Precision, device: str) -> torch.autocast:
    """Multiply matrices in this precision inside the block."""
    half = computed_in(precision, device)
    return torch.autocast(device, half if half != torch.float32 else torch.bfloat16, enabled=half != torch.float32)

"""How many floating-point operations a device can do in a second: from its data sheet, else measured.

What is published is for dense matrices in perfect conditions; programs reach a part of it. A measured number is what
one large matrix product reaches here and now, so it is lower, and another program on the machine lowers it further.
"""

import time
from dataclasses import dataclass
from typing import Literal

import torch

Precision = Literal["fp32", "bf16", "fp16"]

_MEASURED_SECONDS = 0.3
_SMALLEST, _LARGEST = 256, 4096  # rows and columns of the measured matrices
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Peak:
    """A device's speed.

    Attributes:
        flops_per_second: of one device.
        how: how it is known.
    """

    flops_per_second: float
    how: str


@dataclass(frozen=True)
class _Sheet:
    """Teraflops of dense matrix products; None where the device has no such unit.

    Attributes:
        half: fp16, summed in fp32 as PyTorch does.
        bf16: bfloat16.
        tf32: fp32 matrices with shortened factors, where PyTorch is allowed to.
        fp32: plain.
    """

    half: float
    bf16: float | None
    tf32: float | None
    fp32: float


# NVIDIA's data sheets of each card, and for the GeForce cards the appendices of the architecture white papers (GA102,
# Ada, Blackwell). Numbers that the sheets give "with sparsity" are halved.
_SHEETS = {
    "P100 PCIE": _Sheet(18.7, None, None, 9.3),
    "V100 PCIE": _Sheet(112.0, None, None, 14.0),
    "V100 SXM2": _Sheet(125.0, None, None, 15.7),
    "V100S PCIE": _Sheet(130.0, None, None, 16.4),
    "T4": _Sheet(65.0, None, None, 8.1),
    "A10": _Sheet(125.0, 125.0, 62.5, 31.2),
    "A10G": _Sheet(70.0, 70.0, 35.0, 31.5),
    "A30": _Sheet(165.0, 165.0, 82.0, 10.3),
    "A40": _Sheet(149.7, 149.7, 74.8, 37.4),
    "A100 PCIE": _Sheet(312.0, 312.0, 156.0, 19.5),
    "A100 SXM4": _Sheet(312.0, 312.0, 156.0, 19.5),
    "RTX A6000": _Sheet(154.8, 154.8, 77.4, 38.7),
    "L4": _Sheet(121.0, 121.0, 60.0, 30.3),
    "L40": _Sheet(181.0, 181.0, 90.5, 90.5),
    "L40S": _Sheet(362.0, 362.0, 183.0, 91.6),
    "H100 PCIE": _Sheet(756.0, 756.0, 378.0, 51.0),
    "H100 NVL": _Sheet(835.0, 835.0, 417.0, 60.0),
    "H100": _Sheet(989.0, 989.0, 494.0, 67.0),  # "NVIDIA H100 80GB HBM3" is the SXM5 module
    "H200": _Sheet(989.0, 989.0, 494.0, 67.0),
    "RTX 2080 TI": _Sheet(53.8, None, None, 13.4),
    "RTX 3080": _Sheet(59.5, 59.5, 29.8, 29.8),
    "RTX 3090": _Sheet(71.0, 71.0, 35.6, 35.6),
    "RTX 4080": _Sheet(97.5, 97.5, 48.7, 48.7),
    "RTX 4090": _Sheet(165.2, 165.2, 82.6, 82.6),
    "RTX 5090": _Sheet(209.5, 209.5, 104.8, 104.8),
}


def peak(device: torch.device, precision: Precision = "fp32") -> Peak:
    """Return the most that a device can do; takes up to 0.3 seconds where it is measured.

    Args:
        device: the device.
        precision: that matrices are multiplied in.
    """
    if device.type == "cuda":
        known = published(torch.cuda.get_device_name(device), precision, tf32=_tf32_is_allowed())
        if known is not None:
            return known
    return measured(device, precision)


def published(name: str, precision: Precision, *, tf32: bool = False) -> Peak | None:
    """Return what the data sheet of a GPU says; None for one that is not listed, and for a slice of one (MIG).

    Args:
        name: as the driver gives it, for instance ``NVIDIA A100-SXM4-80GB``.
        precision: that matrices are multiplied in.
        tf32: whether fp32 may be shortened to TF32.
    """
    sheet = _SHEETS.get(_model(name))
    if sheet is None:
        return None
    used = "TF32" if precision == "fp32" and tf32 and sheet.tf32 else precision
    teraflops = {"TF32": sheet.tf32, "fp32": sheet.fp32, "bf16": sheet.bf16, "fp16": sheet.half}[used]
    return None if teraflops is None else Peak(teraflops * 1e12, f"data sheet of {name}, dense {used}")


def _model(name: str) -> str:
    """``NVIDIA A100-SXM4-80GB`` → ``A100 SXM4``: without the maker, the size and kind of memory."""
    words = name.upper().replace("-", " ").split()
    makers = {"NVIDIA", "TESLA", "GEFORCE", "QUADRO"}
    return " ".join(w for w in words if w not in makers and not w.startswith("HBM") and not w.endswith("GB"))


def _tf32_is_allowed() -> bool:
    return torch.get_float32_matmul_precision() != "highest"


def measured(device: torch.device, precision: Precision = "fp32") -> Peak:
    """Multiply square matrices of growing size for a moment and return the best speed of several."""
    best, size, spent = 0.0, _SMALLEST, 0.0
    while True:
        matrix = torch.ones(size, size, device=device, dtype=_DTYPES[precision])
        seconds = _product_seconds(matrix)
        spent += seconds
        best = max(best, 2 * size**3 / seconds)
        larger = size < _LARGEST and spent + 8 * seconds < _MEASURED_SECONDS
        size = size * 2 if larger else size
        if not larger and spent + seconds > _MEASURED_SECONDS:
            threads = f" with {torch.get_num_threads()} threads" if device.type == "cpu" else ""
            return Peak(best, f"measured: the best of some {precision} matrix products{threads}")


def _product_seconds(matrix: torch.Tensor) -> float:
    _finish(matrix.device)
    started = time.perf_counter()
    torch.mm(matrix, matrix)
    _finish(matrix.device)
    return max(time.perf_counter() - started, 1e-9)


def _finish(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)

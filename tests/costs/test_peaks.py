"""A device's speed is that of its data sheet, found by the driver's name for it, or is measured and said to be."""

import pytest
import torch

from radvqa.costs import peaks
from radvqa.costs.peaks import Precision, measured, peak, published


@pytest.mark.parametrize(
    ("name", "precision", "teraflops"),
    [
        ("Tesla T4", "fp16", 65.0),
        ("Tesla V100-SXM2-32GB", "fp16", 125.0),
        ("NVIDIA A10", "bf16", 125.0),
        ("NVIDIA A100-SXM4-80GB", "bf16", 312.0),
        ("NVIDIA A100 80GB PCIe", "fp32", 19.5),
        ("NVIDIA L4", "fp16", 121.0),
        ("NVIDIA L40S", "bf16", 362.0),
        ("NVIDIA H100 80GB HBM3", "bf16", 989.0),
        ("NVIDIA H100 PCIe", "bf16", 756.0),
        ("NVIDIA H200", "fp32", 67.0),
        ("NVIDIA GeForce RTX 3090", "fp16", 71.0),
        ("NVIDIA GeForce RTX 4090", "bf16", 165.2),
    ],
)
def test_known_cards_are_found_by_their_drivers_name(name: str, precision: Precision, teraflops: float) -> None:
    found = published(name, precision)
    assert found is not None
    assert found.flops_per_second == teraflops * 1e12
    assert name in found.how
    assert precision in found.how


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "bf16"),
        ("NVIDIA GeForce RTX 3090 Ti", "bf16"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "bf16"),
        ("NVIDIA GH200 480GB", "bf16"),
        ("AMD Instinct MI300X", "fp16"),
        ("Tesla T4", "bf16"),  # it has no unit for it
    ],
)
def test_other_cards_that_are_called_alike_are_not_taken_for_them(name: str, precision: Precision) -> None:
    assert published(name, precision) is None


def test_tf32_counts_where_it_is_allowed_and_exists() -> None:
    with_tf32, without = published("NVIDIA A100-SXM4-80GB", "fp32", tf32=True), published("Tesla T4", "fp32", tf32=True)
    assert with_tf32 is not None
    assert without is not None
    assert (with_tf32.flops_per_second, with_tf32.how) == (156e12, "data sheet of NVIDIA A100-SXM4-80GB, dense TF32")
    assert without.flops_per_second == 8.1e12


def test_a_processor_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_rng_state()
    found = peak(torch.device("cpu"))
    assert found.flops_per_second > 1e8
    assert found.how.startswith("measured")
    assert torch.equal(before, torch.get_rng_state())
    # the best of products that take 30 ms whatever their size is that of the largest matrix
    sizes: list[int] = []

    def constant(matrix: torch.Tensor) -> float:
        sizes.append(len(matrix))
        return 0.03

    monkeypatch.setattr(peaks, "_product_seconds", constant)
    assert measured(torch.device("cpu")).flops_per_second == pytest.approx(2 * max(sizes) ** 3 / 0.03)
    assert len(sizes) * 0.03 <= 0.31

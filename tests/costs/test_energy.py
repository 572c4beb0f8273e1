"""Counters of energy are read as what they are: they wrap, they belong to packages, and they may be out of reach."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from radvqa.costs import energy
from radvqa.costs.energy import Energy, Wrapping


def zone(folder: Path, name: str, label: str, count: int, full: int = 1_000_000) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "name").write_text(f"{label}\n", encoding="ascii")
    (place / "energy_uj").write_text(f"{count}\n", encoding="ascii")
    (place / "max_energy_range_uj").write_text(f"{full}\n", encoding="ascii")
    return place / "energy_uj"


def test_packages_are_added_up_and_their_parts_and_the_platform_are_not(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 100_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 900_000)
    core = zone(tmp_path, "intel-rapl:0:0", "core", 0)
    platform = zone(tmp_path, "intel-rapl:2", "psys", 0)
    found = energy._processor(tmp_path)
    assert found.total() == 0.0
    first.write_text("600000\n", encoding="ascii")
    second.write_text("200000\n", encoding="ascii")  # it was full once
    core.write_text("500000\n", encoding="ascii")
    platform.write_text("700000\n", encoding="ascii")
    assert found.total() == pytest.approx(0.5 + 0.3)
    assert found.total() == pytest.approx(0.8)
    assert "2 processor package(s)" in found.how


@settings(deadline=None)
@given(st.lists(st.integers(0, 999), max_size=30))
def test_a_counter_that_begins_anew_goes_on(tmp_path_factory: pytest.TempPathFactory, taken: list[int]) -> None:
    file = zone(tmp_path_factory.mktemp("rapl"), "intel-rapl:0", "package-0", 700, full=1000)
    counter, count = Wrapping(file, 1000), 700
    begun = counter.joules()
    for more in taken:
        count = (count + more) % 1000
        file.write_text(str(count), encoding="ascii")
        shown = counter.joules() - begun
    if taken:
        assert shown == pytest.approx(sum(taken) / 1e6)


def test_without_a_counter_nothing_is_known_and_it_is_said_why(tmp_path: Path) -> None:
    absent = energy._processor(tmp_path)
    assert (absent.total(), absent.how) == (None, "unknown: this machine shows no counter of energy (RAPL)")
    zone(tmp_path, "intel-rapl:0", "package-0", 0).unlink()
    unreadable = energy._processor(tmp_path)
    assert unreadable.total() is None
    assert "cannot be read" in unreadable.how


def test_a_counter_that_stops_to_answer_ends_the_count(tmp_path: Path) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 5)
    found = energy._processor(tmp_path)
    file.unlink()
    assert found.total() is None
    assert "stopped to answer" in found.how


def test_looking_reads_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[float] = []
    now = [0.0]
    monkeypatch.setattr("radvqa.costs.energy.time.monotonic", lambda: now[0])

    def read() -> float:
        reads.append(now[0])
        return 2 * now[0]

    found = Energy(read, "counted")
    for second in range(100):
        now[0] = float(second)
        found.look()
    assert reads == [0.0, 31.0, 62.0, 93.0]
    assert found.total() == pytest.approx(2 * 99.0)


class FakeNvml(ModuleType):
    """NVML's interface, with a counter that the test turns."""

    def __init__(self, millijoules: int | None) -> None:
        super().__init__("pynvml")
        self.NVMLError = type("NVMLError", (Exception,), {})
        self.millijoules, self.asked = millijoules, ""

    def nvmlInit(self) -> None:  # noqa: N802 - NVML's own name
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        self.asked = uuid
        return "handle"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        if self.millijoules is None:
            raise self.NVMLError("Not Supported")
        return self.millijoules


def on_a_gpu(monkeypatch: pytest.MonkeyPatch, nvml: Any) -> Energy:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="12-ab"))
    return Energy.of(torch.device("cuda", 1))


def test_a_gpu_is_asked_by_its_own_number_in_millijoules(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml(5_000)
    found = on_a_gpu(monkeypatch, nvml)
    nvml.millijoules = 7_500
    assert (found.total(), nvml.asked) == (2.5, "GPU-12-ab")


def test_a_gpu_that_does_not_tell_and_a_missing_package_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for nvml, said in ((FakeNvml(None), "Not Supported"), (None, "is not installed")):
        found = on_a_gpu(monkeypatch, nvml)
        assert found.total() is None
        assert said in found.how

"""Snapshots: whole or not used, the last two of them, and exactly what was put in."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from radvqa.errors import RunError
from radvqa.training import snapshot as module
from radvqa.training.snapshot import Snapshots
from radvqa.training.state import State, Stateful


@dataclass
class Part:
    """Holds a state."""

    held: State = field(default_factory=State)

    def state(self) -> State:
        return self.held

    def load(self, state: State) -> None:
        self.held = state


def parts(value: float = 0.5) -> dict[str, Stateful]:
    tensors = {"a": torch.full((2, 3), value), "deep/b": torch.arange(4), "none": torch.zeros(0), "one": torch.ones(())}
    return {"model": Part(State(tensors, {"steps": 3})), "model2": Part(State({"a": torch.ones(1)}, {"x": [1, None]}))}


def read(folder: Path) -> dict[str, State] | None:
    found = Snapshots(folder).newest()
    if found is None:
        return None
    empty: dict[str, Any] = {"model": Part(), "model2": Part()}
    found.put_back(empty)
    return {name: part.held for name, part in empty.items()}


def same(ours: State, expected: Any) -> bool:
    def equal(one: Tensor, other: Tensor) -> bool:
        return one.dtype == other.dtype and torch.equal(one, other)

    return (
        ours.plain == expected.state().plain
        and set(ours.tensors) == set(expected.state().tensors)
        and all(equal(tensor, expected.state().tensors[name]) for name, tensor in ours.tensors.items())
    )


def holds(folder: Path, value: float) -> bool:
    found = read(folder)
    return found is not None and all(same(found[name], part) for name, part in parts(value).items())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_put_in_comes_out(tmp_path: Path) -> None:
    assert read(tmp_path / "resume") is None
    Snapshots(tmp_path).write(7, parts())
    found = Snapshots(tmp_path).newest()
    assert found is not None
    assert found.step == 7
    assert holds(tmp_path, 0.5)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(width=32))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_number_comes_out_to_the_last_bit(tmp_path: Path, plain: float, single: float) -> None:
    Snapshots(tmp_path).write(1, {"p": Part(State({"t": torch.tensor(single)}, {"x": plain}))})
    found = Snapshots(tmp_path).newest()
    assert found is not None
    state = found.states["p"]
    assert float(state.plain["x"]).hex() == plain.hex()
    expected = torch.tensor(single).view(torch.int32)
    assert torch.equal(state.tensors["t"].view(torch.int32), expected)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 5, 10, 1_000_000_000):
        Snapshots(tmp_path).write(step, parts(step))
    assert names(tmp_path) == ["step-000000010.safetensors", "step-1000000000.safetensors"]
    assert holds(tmp_path, 1_000_000_000)


def test_damaged_ones_of_later_steps_do_not_push_out_good_ones(tmp_path: Path) -> None:
    for step in (10, 20):
        Snapshots(tmp_path).write(step, parts(step))
    (tmp_path / "step-000000020.safetensors").write_bytes(b"")
    Snapshots(tmp_path).write(12, parts(12))  # gone on from 10
    assert names(tmp_path) == ["step-000000010.safetensors", "step-000000012.safetensors"]
    assert holds(tmp_path, 12)


def test_all_are_dropped_in_the_end_with_what_kills_left(tmp_path: Path) -> None:
    folder = tmp_path / "resume"
    Snapshots(folder).write(1, parts())
    (folder / ".step-000000002.safetensors.x1.part").write_bytes(b"half")
    Snapshots(folder).drop()
    Snapshots(folder).drop()
    assert not folder.exists()


def damaged(folder: Path, change: Any) -> str:
    """Write two snapshots and damage the newer; returns its name."""
    folder.mkdir(exist_ok=True)
    for step in (1, 2):
        Snapshots(folder).write(step, parts(step))
    path = folder / "step-000000002.safetensors"
    path.write_bytes(change(path.read_bytes()))
    return path.name


def flipped(content: bytes, place: int, mask: int) -> bytes:
    return content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


@given(st.data())
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_flipped_byte_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    """Whatever byte is changed: the one before is used and the file named, or nothing that counts was changed."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # nothing is killed here

    def change(content: bytes) -> bytes:
        return flipped(content, data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255)))

    name = damaged(tmp_path / "resume", change)
    if holds(tmp_path / "resume", 2):
        assert "damaged" not in capsys.readouterr().err
        return
    assert holds(tmp_path / "resume", 1)
    said = capsys.readouterr().err
    assert name in said
    assert "is damaged" in said
    assert "Going on from the one before it." in said


def test_every_byte_of_the_tensors_counts(tmp_path: Path) -> None:
    """No flip in what holds numbers passes as whole; in the header only the padding does not count."""
    Snapshots(tmp_path).write(2, parts(2))
    path = tmp_path / "step-000000002.safetensors"
    content = path.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    assert len(content) > begin
    for place in [*range(begin, len(content)), *range(8)]:
        path.write_bytes(flipped(content, place, 1 << (place % 8)))
        with pytest.raises(RunError, match="is damaged"):
            module._read(path)


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_truncation_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    name = damaged(tmp_path / "resume", lambda content: content[: data.draw(st.integers(0, len(content) - 1))])
    assert holds(tmp_path / "resume", 1)
    assert name in capsys.readouterr().err


def test_when_none_is_whole_the_training_begins_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step in (1, 2):
        Snapshots(tmp_path).write(step, parts())
        (tmp_path / f"step-00000000{step}.safetensors").write_bytes(b"{}")
    assert Snapshots(tmp_path).newest() is None
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("Going on from the one before it.")
    assert said[1].endswith("None is left, so the training begins anew.")
    assert "step-000000001.safetensors is damaged" in said[1]


def test_a_snapshot_of_another_version_is_refused(tmp_path: Path) -> None:
    Snapshots(tmp_path).write(3, parts())
    found = Snapshots(tmp_path).newest()
    assert found is not None
    with pytest.raises(RunError, match=r"step 3 is of another version of radvqa \(it differs in model2, scaler\)"):
        found.put_back({"model": Part(), "scaler": Part()})


def test_a_failed_write_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Snapshots(tmp_path).write(1, parts(1))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Snapshots(tmp_path).write(2, parts(2))
    assert names(tmp_path) == ["step-000000001.safetensors"]
    assert holds(tmp_path, 1)

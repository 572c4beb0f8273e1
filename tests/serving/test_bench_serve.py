"""``radvqa bench serve`` counts what it says: every answer checked, another one's answer noticed."""

import pytest

from radvqa.commands.bench_serve import bench_serve
from radvqa.serving.load import clients
from radvqa.serving.load.clients import Expected, Load


@pytest.mark.slow
def test_all_answers_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_WARM_SECONDS", 1.0)
    found = bench_serve(Load(clients=4, requests=60, pictures=4), naive_seconds=2)
    assert (found["questions"], found["failed"], found["mixed_up"]) == (60, 0, 0)
    assert (found["naive_failed"], found["naive_mixed_up"]) == (0, 0)
    assert found["p99_s"] >= found["p50_s"] > 0
    assert found["first_view_bytes"] <= 300_000
    assert found["memory_begin_bytes"] > 50_000_000


@pytest.mark.parametrize(
    ("answer", "confidence", "right"),
    [("CT", 0.9, True), ("MRI", 0.9, False), ("CT", 0.8, False), ("CT", 0.90005, True)],
)
def test_an_answer_to_another_picture_is_noticed(answer: str, confidence: float, right: bool) -> None:
    said = {"choices": [{"message": {"content": answer}}], "radvqa": {"confidence": confidence}}
    assert clients.is_expected(said, Expected("CT", 0.9)) == right

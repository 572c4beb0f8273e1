"""How numbers are written."""

import pytest

from radvqa.report import numbers


@pytest.mark.parametrize(("fraction", "written"), [(0.798303, "79.8"), (0.0, "0.0"), (1.0, "100.0"), (None, "–")])
def test_percent(fraction: float | None, written: str) -> None:
    assert numbers.percent(fraction) == written


def test_interval_is_written_only_where_there_is_one() -> None:
    assert numbers.with_interval(0.798, [0.771, 0.8234]) == "79.8 [77.1, 82.3]"
    assert numbers.with_interval(0.798, None) == "79.8"
    assert numbers.with_interval(None, [0.1, 0.2]) == "–"


@pytest.mark.parametrize(
    ("difference", "written"), [(0.026, "+2.6"), (-0.0131, "−1.3"), (0.0, "0.0"), (-0.0001, "0.0"), (0.0001, "0.0")]
)
def test_differences_are_signed_and_zero_is_not(difference: float, written: str) -> None:
    assert numbers.points(difference) == written


def test_reported_values_round_halves_up() -> None:
    assert numbers.reported(83.25) == "83.3"
    assert numbers.reported(89.7) == "89.7"
    assert numbers.reported(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(3.14, "3.1 s"), (9.97, "10 s"), (59.4, "59 s"), (59.7, "1 m 00 s"), (683, "11 m 23 s"), (7500, "2 h 05 m")],
)
def test_durations(seconds: float, written: str) -> None:
    assert numbers.duration(seconds) == written


@pytest.mark.parametrize(
    ("number", "written"), [(512, "512 B"), (3 << 20, "3 MiB"), (3 << 30, "3.0 GiB"), (80 << 40, "81920.0 GiB")]
)
def test_sizes(number: int, written: str) -> None:
    assert numbers.size(number) == written


def test_absolute_paths_lose_their_folders_and_addresses_do_not() -> None:
    value = {
        "folder": "/home/someone/data/Slake1.0",
        "windows": r"C:\Users\someone\weights.bin",
        "home": "~/data/slake",
        "list": ["read from /srv/a/b.json today"],
        "address": "https://example.org/a/b",
        "relative": "recipes/cnn/lstm.yaml",
        "ratio": "km/h",
        "number": 3,
    }
    assert numbers.without_folders(value) == {
        "folder": "…/Slake1.0",
        "windows": "…/weights.bin",
        "home": "…/slake",
        "list": ["read from …/b.json today"],
        "address": "https://example.org/a/b",
        "relative": "recipes/cnn/lstm.yaml",
        "ratio": "km/h",
        "number": 3,
    }

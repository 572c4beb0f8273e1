"""What every test stands on: a cache of its own, no network, and real data, weights or WordNet only where marked."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import miniature

NEEDS = {"real_data": "RADVQA_DATA", "real_weights": "RADVQA_WEIGHTS", "real_wordnet": "RADVQA_WORDNET"}
LEFT_OUT = pytest.StashKey[dict[str, int]]()

os.environ["TQDM_DISABLE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported; no test reaches a network


def pytest_report_header() -> list[str]:
    return [
        f"{variable}: {'set' if os.environ.get(variable) else f'not set, tests marked {mark} are left out'}"
        for mark, variable in NEEDS.items()
    ]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lacking = [mark for mark, variable in NEEDS.items() if not os.environ.get(variable)]
    dropped = {mark: [item for item in items if item.get_closest_marker(mark)] for mark in lacking}
    config.stash[LEFT_OUT] = {mark: len(found) for mark, found in dropped.items() if found}
    gone = {item for found in dropped.values() for item in found}
    if gone:
        config.hook.pytest_deselected(items=[item for item in items if item in gone])
        items[:] = [item for item in items if item not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for mark, count in config.stash.get(LEFT_OUT, {}).items():
        terminalreporter.write_line(
            f"LEFT OUT: {count} tests marked {mark}, because {NEEDS[mark]} is not set.", yellow=True
        )


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is read from or written to the user's caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADVQA_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
        yield


@pytest.fixture(autouse=True)
def _only_what_is_asked_for(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is not marked runs the same whether or not this machine has data and weights."""
    for mark, variable in NEEDS.items():
        if not request.node.get_closest_marker(mark):
            monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, used by this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("RADVQA_CACHE", str(folder))
    return folder


@pytest.fixture
def mini_slake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up SLAKE in the published layout; see ``miniature``."""
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))
    return miniature.slake(tmp_path / "data" / "slake")


@pytest.fixture
def mini_vqa_rad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up VQA-RAD in the published layout; see ``miniature``."""
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))
    return miniature.vqa_rad(tmp_path / "data" / "vqa_rad")

"""What the README says is run: its chain and its Python block as they stand, every training line at least checked."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from radvqa.models import zoo
from radvqa.recipe import load_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL_BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def commands(block: str) -> list[list[str]]:
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [words for words in lines if words and words[0] == "radvqa"]


CHAIN = next(block for block in SHELL_BLOCKS if "radvqa ask" in block)
EVERY_COMMAND = [words for block in SHELL_BLOCKS for words in commands(block)]


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False, env=os.environ.copy()
    )


@pytest.mark.slow
def test_the_chain_runs_as_written(tmp_path: Path) -> None:
    ran = commands(CHAIN)
    assert [words[1] for words in ran] == [
        "data",
        "data",
        "data",
        "train",
        "predict",
        "score",
        "probe",
        "compare",
        "ask",
    ]
    for words in ran:
        done = run(words, tmp_path)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    assert (tmp_path / "comparison.html").stat().st_size > 10_000


@pytest.mark.slow
def test_the_python_block_runs_as_written(tmp_path: Path) -> None:
    assert len(PYTHON_BLOCKS) == 1
    done = subprocess.run(
        [sys.executable, "-c", PYTHON_BLOCKS[0]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    accuracy, interval = done.stdout.split(" ", 1)
    low, high = json.loads(interval)
    assert low <= float(accuracy) <= high


@pytest.mark.parametrize("words", [words for words in EVERY_COMMAND if words[1] == "train"], ids=" ".join)
def test_every_training_line_names_a_valid_recipe(words: list[str]) -> None:
    overrides = [word for word in words[3:] if "=" in word and not word.startswith("--")]
    recipe = load_recipe(Path(words[2]), overrides)
    zoo.validate(recipe.model)


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_every_command_and_option_exists(words: list[str], tmp_path: Path) -> None:
    sub = words[1:3] if words[1] in ("data", "bench", "adapt", "starter", "curate") else words[1:2]
    done = run(["radvqa", *sub, "--help"], tmp_path)
    assert done.returncode == 0, done.stderr
    for option in (word for word in words if word.startswith("--")):
        assert option in done.stdout


def test_the_table_of_families_is_complete() -> None:
    table = README.partition("| family | what | answers by |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == list(zoo.FAMILIES)

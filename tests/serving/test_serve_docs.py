"""What the pages on serving say can be typed: options exist, the examples run against a real service."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miniature import radvqa
from radvqa.data import registry
from radvqa.models import zoo
from radvqa.models.outside import KNOWN
from radvqa.starter.model import Starter
from service import Service, service

DOCS = Path(__file__).parents[2] / "docs"
SERVE, FAMILIES = ((DOCS / name).read_text(encoding="utf-8") for name in ("serve.md", "families.md"))
ADDRESS = "http://127.0.0.1:8000"


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)


COMMANDS = [
    words
    for text in (SERVE, FAMILIES)
    for block in blocks(text, "sh")
    for line in block.splitlines()
    if (words := shlex.split(line, comments=True)) and words[0] == "radvqa"
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("docs")
    content = registry.load_split("phantom:mini", "test")[0].image_path.read_bytes()
    (folder / "picture.png").write_bytes(content)
    with service(folder) as one:
        yield one


def asked(command: list[str], folder: Path, **env: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **env})
    assert done.returncode == 0, done.stderr
    return done.stdout


def folder_of(served: Service) -> Path:
    arguments: Any = served.process.args
    return Path(arguments[arguments.index("--runs") + 1]).parent


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_exists(words: list[str], tmp_path: Path) -> None:
    done = radvqa(words[1], "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for option in (word for word in words if word.startswith("--")):
        assert option in done.stdout


def test_the_table_of_options_is_complete(tmp_path: Path) -> None:
    shown = set(re.findall(r"--[a-z][a-z-]*", radvqa("serve", "--help", cwd=tmp_path).stdout)) - {"--help", "--token"}
    table = SERVE.partition("| option | what it does |")[2].partition("\n\n")[0]
    assert set(re.findall(r"--[a-z][a-z-]*", table)) == shown


def test_the_python_of_the_page_runs(served: Service) -> None:
    [code] = blocks(SERVE, "python")
    shown = asked([sys.executable, "-c", code.replace(ADDRESS, served.address)], folder_of(served))
    said = Starter.load().answer(folder_of(served) / "picture.png", "Which organ is shown?")
    assert shown.splitlines()[0] == (said.abstained or said.answer)
    assert repr(said.candidates[0][0]) in shown


def test_the_shell_of_the_page_runs(served: Service) -> None:
    [code] = [block for block in blocks(SERVE, "bash") if "curl" in block]
    shown = asked(["bash", "-c", code.replace(ADDRESS, served.address)], folder_of(served), RADVQA_SERVE_TOKEN="")
    said = Starter.load().answer(folder_of(served) / "picture.png", "Which organ is shown?")
    assert f'"content":"{said.candidates[0][0]}"' in shown


def test_the_table_of_families_is_complete_and_agrees_with_the_command() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", FAMILIES, flags=re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(zoo.FAMILIES)
    assert {name for name, exported in rows if exported.strip() == "yes"} == set(KNOWN)


@pytest.mark.parametrize("text", [SERVE, FAMILIES])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([\w./-]+\.md)\)", text):
        assert (DOCS / target).is_file(), target

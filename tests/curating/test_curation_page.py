"""What docs/curation.md says exists: its commands and options, its rules and prompts, its recipe."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from radvqa.cli import app
from radvqa.curating.filter import OF_TABLES
from radvqa.curating.rules.all import RULES
from radvqa.curating.template import built_in
from radvqa.recipe import load_recipe
from radvqa.recipe.curriculum import stages_of

PAGE = (Path(__file__).parents[2] / "docs" / "curation.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)).replace("\\\n", " ")
COMMANDS = [words for line in SHELL.splitlines() if "radvqa" in (words := shlex.split(line, comments=True))]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_exists(words: list[str]) -> None:
    words = words[words.index("radvqa") + 1 :]
    sub = words[:2] if words[0] in ("curate", "bench") else words[:1]
    told = CliRunner().invoke(app, [*sub, "--help"], env={"COLUMNS": "200"})
    assert told.exit_code == 0, told.output
    for option in (word for word in words if word.startswith("--")):
        assert f"{option} " in told.output or f"{option}\n" in told.output


def named_in(heading: str) -> set[str]:
    """Names in the first column of the first table after a heading."""
    table = PAGE.split(heading)[1].split("|---|")[1].split("\n\n")[0]
    return {name for line in table.splitlines()[1:] for name in re.findall(r"`([\w-]+)`", line.split("|")[1])}


def test_every_rule_and_every_prompt_is_named_and_no_other() -> None:
    assert named_in("## 4. Filter") == {*RULES, *OF_TABLES}
    assert named_in("## 3. Write") == set(built_in())


def test_the_recipe_can_be_read(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "mine.yaml").write_text(text)
    stages = stages_of(load_recipe(tmp_path / "mine.yaml"))
    assert [(stage.name, [source.name for source in stage.sources]) for stage in stages] == [
        ("curated", ["curated/data.yaml"]),
        ("slake", ["slake:en"]),
    ]

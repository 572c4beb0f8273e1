"""docs/explain.md: every method is explained, every command and option exists, and the memory is the formula's."""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from radvqa import cli
from radvqa.explaining.methods import METHODS
from radvqa.explaining.watching import attention_bytes

PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
LINES = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.splitlines()
    if line.startswith("radvqa")
]


def test_every_method_has_a_row() -> None:
    table = PAGE.partition("## The methods")[2].partition("\n\nThe first")[0]
    named = "\n".join(row.split("|")[1] for row in table.splitlines() if "|" in row)
    assert set(re.findall(r"`([a-z-]+)`", named)) == set(METHODS)


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_every_option_exists(words: list[str]) -> None:
    said = io.StringIO()
    sub = words[1:3] if words[1] == "bench" else words[1:2]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr(sys, "argv", ["radvqa", *sub, "--help"])
        with pytest.raises(SystemExit):
            cli.main()
    assert all(word in said.getvalue() for word in words if word.startswith("--"))


def test_the_memory_that_the_page_names_is_the_formulas() -> None:
    layers = [(32, 700, 700)] * 32
    assert f"{attention_bytes(layers, with_gradients=False) / 1e6:.0f} MB" in PAGE
    assert f"{attention_bytes(layers, with_gradients=True) / 1e9:.1f} GB" in PAGE.replace("\n", " ")

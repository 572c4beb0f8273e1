"""The worked example of the documentation is what the command prints."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from published import curve

from radvqa import cli

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def blocks(kind: str) -> list[str]:
    """The fenced blocks of one kind; fences come in pairs."""
    parts = re.split(r"^```(\w*)\n", PAGE.read_text(encoding="utf-8"), flags=re.M)
    return [text for opening, text in zip(parts[1::4], parts[2::4], strict=True) if opening == kind]


def test_the_table_is_the_published_curve() -> None:
    (text,) = blocks("csv")
    t, loss = curve("roco_medpix")
    assert text == "t,loss\n" + "".join(f"{a:g},{b:.4f}\n" for a, b in zip(t, loss, strict=True))


def test_the_printed_example_is_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (table,) = blocks("csv")
    Path("annealed.csv").write_text(table, encoding="utf-8")
    examples = [block for block in blocks("") if block.startswith("$ radvqa scaling")]
    assert len(examples) == 2
    for example in examples:
        command, _, expected = example.partition("\n")
        monkeypatch.setattr(sys, "argv", shlex.split(command.removeprefix("$ ")))
        with pytest.raises(SystemExit):
            cli.main()
        printed, errors = capsys.readouterr()
        assert [line.rstrip() for line in (printed + errors).splitlines()] == expected.splitlines()

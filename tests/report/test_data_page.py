"""The page about data sets is the generated one, the same on every machine, and its Markdown holds foreign text."""

from pathlib import Path

import pytest

from radvqa.commands.catalogue import data_page, describe
from radvqa.commands.data import list_data
from radvqa.data import registry
from radvqa.data.dataset import Download, Facts, Split, Version
from radvqa.report.data_page import HEADER, render

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_page(), "make it anew: radvqa data list --markdown docs/data.md"


def test_the_page_does_not_depend_on_what_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = data_page()
    for name in registry.DATASETS:
        (tmp_path / name).mkdir()
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    list_data(markdown=tmp_path / "data.md")
    assert (tmp_path / "data.md").read_text(encoding="utf-8") == without
    assert str(tmp_path) not in without


@pytest.mark.parametrize("name", registry.DATASETS)
def test_the_page_holds_every_version_with_its_numbers(name: str) -> None:
    facts = registry.DATASETS[name].facts
    section = data_page().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for version_name, version in facts.versions.items():
        assert f"- `{version_name}`" in section
        for split, known in version.splits.items():
            row = next(line for line in section.splitlines() if line.startswith(f"| `{version_name}` | {split} "))
            rows, images, digest = (cell.strip() for cell in row.split("|")[3:6])
            assert rows == (f"{known.rows:,}" if known.rows else "not published")
            assert images == (f"{known.images:,}" if known.images else "not published")
            assert digest == (f"`{known.digest}`" if known.digest else "")


MADE_UP = Facts(
    title="A | B",
    source="someone_",
    licence="<b>free</b>",
    folder="made_up",
    default="one",
    versions={"one": Version("First.", {"test": Split(12_345, 0)}), "two": Version("*", {}, warning="Leaks.")},
    notes=("Run `radvqa data leaks a_b` on *this*.",),
    downloads=(Download("https://example.org/a", "a"),),
    altered="smaller.",
)


def test_the_page_by_hand() -> None:
    assert render([describe("made_up", MADE_UP)]).partition("none was measured.\n")[2].splitlines() == [
        *("", "## made_up", "", "A \\| B", ""),
        "- Source: someone\\_",
        "- Licence: &lt;b&gt;free&lt;/b&gt;",
        "- How to get it: `radvqa data fetch made_up` downloads it.",
        "- Folder below `RADVQA_DATA`: `made_up/`",
        "- Altered in copies that were made smaller: smaller.",
        *("", "| version | split | rows | images | digest |", "|---|---|---:|---:|---|"),
        "| `one` | test | 12,345 | not published |  |",
        *("", "- `one`: First.", "- `two`: \\* **Warning:** Leaks.", ""),
        *("How the versions differ:", "", "- two beside one: no split test.", ""),
        *("Traps:", "", "- Run `radvqa data leaks a_b` on \\*this\\*."),
    ]


def test_the_head_of_the_page_links_every_data_set() -> None:
    page = data_page()
    assert page.startswith(f"{HEADER}\n\n# Data sets\n")
    assert [name for name in registry.DATASETS if f"\n| [`{name}`](#{name}) |" not in page] == []
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
    assert "\n\n\n" not in page

"""What is drawn and written about explored data sets: the counted numbers, readable, in one file without a script."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from figure_checks import bars, cut_off, overlaps, said
from hypothesis import given, settings
from hypothesis import strategies as st

from headless import tab
from radvqa.commands.explore import explore
from radvqa.data.dataset import Problems
from radvqa.data.explore.against import Training
from radvqa.data.explore.mix import mix
from radvqa.data.explore.near import count_near
from radvqa.data.explore.split import count_split
from radvqa.data.explore.texts import Texts
from radvqa.data.image import encode_webp
from radvqa.report.explore import tables
from radvqa.report.explore.page import page, write_page
from radvqa.report.explore.show import show_exploration
from radvqa.report.figures import explore_answers, explore_lengths, explore_mix, explore_shares, explore_sizes
from radvqa.sample import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EVIL = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
SIZES: dict[str, Any] = {
    "pictures": 30,
    "grey": 10,
    "colour": 20,
    "unreadable": 1,
    "why": "The picture lost.png does not exist.",
    "width": [240, 500.0, 1024],
    "height": [240, 400.0, 1024],
    "sizes": 3,
    "top": [[512, 400, 20], [1024, 1024, 7], [240, 240, 3]],
    "step": 32,
    "cells": [[7, 7, 3], [16, 12, 20], [32, 32, 7]],
}


def samples(seed: int, number: int = 400, **same: Any) -> list[Sample]:
    """Rows with a long tail of answers, long names, and texts of several lengths."""
    rng = random.Random(seed)
    answers = ["Yes", "No", "left lung", "the transverse plane of the upper abdomen, seen from below", *"abcdefghijklm"]
    rows = []
    for n in range(number):
        place = min(int(rng.expovariate(0.4)), len(answers) - 1)
        rows.append(
            Sample(
                id=f"{seed}/{n}",
                dataset=f"set{seed}:main",
                split="train" if n % 4 else "test",
                image=f"{n % 60}.png",
                image_path=Path(f"{n % 60}.png"),
                question=f"Is this {'very ' * rng.randint(0, 9)}large {n % 17}?",
                answer=answers[place],
                answer_type="CLOSED" if place < 2 else "OPEN",
                question_type=f"Kind_{n % (5 + 8 * seed)}",
                organ=("Lung", "Brain_Tissue", "Liver")[n % 3],
                modality="" if n % 5 == 0 else ("CT", "MRI")[n % 2],
            )
        )
    return [replace(row, **same) for row in rows]


SHOWN = ("id", "image", "question", "answer", "answer_type", "question_type", "modality", "organ")


def explored(*sets: list[Sample]) -> dict[str, Any]:
    data_sets: list[dict[str, Any]] = []
    for rows in sets:
        texts = Texts("seed000")
        splits = {split: [row for row in rows if row.split == split] for split in ("train", "test")}
        training = Training(splits["train"], texts)
        against: dict[str, Any] = {"train": None, "test": training.against(splits["test"])}
        data_sets.append(
            {
                "name": rows[0].dataset,
                "title": "Made up",
                "version": "the only one",
                "source": "here",
                "licence": "none",
                "warning": "",
                "notes": ["Beware of the dog."],
                "normaliser": "seed000",
                "training": "train",
                "splits": {
                    name: count_split(part, texts) | {"against_training": against[name], "pictures": SIZES}
                    for name, part in splits.items()
                },
                "all": {**count_split(rows, texts), "pictures": SIZES},
                "shown": [{key: getattr(row, key) for key in SHOWN} for row in rows[:8]],
            }
        )
    return {
        "names": [found["name"] for found in data_sets],
        "data_sets": data_sets,
        "mix": mix(data_sets),
        "near": None,
        "left_out": [],
    }


PICTURE = encode_webp(np.full((40, 60), 120, np.uint8))


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return explored(samples(0), samples(1, 150), samples(2, 40))


def counts(found: dict[str, Any]) -> dict[str, Any]:
    train: dict[str, Any] = found["data_sets"][0]["splits"]["train"]
    return train


FIGURES: dict[str, Callable[[dict[str, Any]], "Figure | None"]] = {
    "lengths": lambda found: explore_lengths.length_histograms(counts(found)),
    "lengths beside": lambda found: explore_lengths.lengths_beside(found["data_sets"]),
    "frequency": lambda found: explore_answers.answer_frequency(counts(found)),
    "top answers": lambda found: explore_answers.top_answers(counts(found)),
    "coverage": lambda found: explore_answers.coverage(counts(found)),
    "answer types": lambda found: explore_shares.answer_types(found["data_sets"][0]),
    "kinds": lambda found: explore_shares.kinds_of_rows(counts(found)),
    "many kinds": lambda found: explore_shares.kinds_of_rows(found["data_sets"][2]["all"]),
    "sizes": lambda found: explore_sizes.picture_sizes(SIZES),
    "mix": lambda found: explore_mix.mix_bars(found["mix"], "categories"),
    "mix of modalities": lambda found: explore_mix.mix_bars(found["mix"], "modalities"),
    "map": lambda found: explore_mix.mix_map(found["mix"], "categories"),
    "map of regions": lambda found: explore_mix.mix_map(found["mix"], "regions"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_lies_on_another_or_over_the_edge(name: str, found: dict[str, Any]) -> None:
    figure = FIGURES[name](found)
    assert figure is not None
    assert overlaps(figure) == []
    assert cut_off(figure) == []


def drawn(figure: "Figure | None") -> "Figure":
    assert figure is not None
    return figure


def test_bars_have_the_counted_lengths(found: dict[str, Any]) -> None:
    train = counts(found)
    lengths = drawn(explore_lengths.length_histograms(train))
    assert bars(lengths.axes[0], upright=True) == train["question_length"]["histogram"]
    assert bars(lengths.axes[1], upright=True) == train["answer_length"]["histogram"]
    assert f"mean {train['question_length']['mean']:.2f}" in said(lengths)
    top = drawn(explore_answers.top_answers(train))
    for axes, kind in zip(top.axes, ("CLOSED", "OPEN"), strict=True):
        assert bars(axes, upright=False) == [number for _, number in train["answer_types"][kind]["top"][:12]]
    shares = drawn(explore_shares.answer_types(found["data_sets"][0]))
    closed, opened = bars(shares.axes[0], upright=False)[:2]
    assert closed == pytest.approx(100 * train["answer_types"]["CLOSED"]["rows"] / train["rows"])
    assert closed + opened == pytest.approx(100)
    kinds = drawn(explore_shares.kinds_of_rows(train))
    assert bars(kinds.axes[1], upright=False) == [train["modalities"][m] for m in ("MRI", "CT", "")]
    assert "(not labelled)" in said(kinds)


def test_the_scales_of_answer_frequency(found: dict[str, Any]) -> None:
    figure = drawn(explore_answers.answer_frequency(counts(found)))
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "log"]
    ranks = explore_answers.ranks(counts(found)["answers"]["spread"])
    assert ranks == sorted(ranks, reverse=True)
    assert sum(ranks) == counts(found)["rows"]


def test_the_head_and_what_it_covers() -> None:
    spread = [[50, 1], [10, 2], [1, 7]]
    assert [explore_answers.covered(spread, head) for head in (0, 1, 2, 3, 4, 10)] == [0, 50, 60, 70, 71, 77]
    assert explore_answers.ranks(spread) == [50, 10, 10, 1, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("longest", "step"), [(1, 1), (39, 1), (40, 2), (79, 2), (199, 5), (500, 20), (10**7, 10**7)])
def test_long_lengths_share_a_bar(longest: int, step: int) -> None:
    assert explore_lengths.bar_step(longest) == step
    assert explore_lengths.binned([1, 2, 3, 4, 5], 2) == [3, 7, 5]


def test_nothing_to_show_is_no_figure() -> None:
    nothing = {**count_split([], Texts("seed000")), "pictures": SIZES}
    one = {"name": "x", "splits": {"train": nothing}, "all": nothing}
    empty = mix([one])
    assert explore_lengths.length_histograms(nothing) is None
    assert explore_lengths.lengths_beside([one]) is None
    assert explore_answers.answer_frequency(nothing) is None
    assert explore_answers.top_answers(nothing) is None
    assert explore_answers.coverage(nothing) is None
    assert explore_shares.answer_types(one) is None
    assert explore_shares.kinds_of_rows(nothing) is None
    assert explore_mix.mix_bars(empty, "regions") is None
    assert explore_mix.mix_map(empty, "regions") is None
    assert explore_sizes.picture_sizes({**SIZES, "sizes": 1}) is None


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=30))
@settings(max_examples=60)
def test_tiles_fill_the_box_in_proportion(sizes: list[int]) -> None:
    sizes = sorted(sizes, reverse=True)
    tiles = explore_mix.squarified(sizes, (10.0, 20.0, 100.0, 60.0))
    areas = [width * height for _, _, width, height in tiles]
    assert areas == pytest.approx([6000 * size / sum(sizes) for size in sizes])
    for left, top, width, height in tiles:
        assert left >= 10 - 1e-6
        assert top >= 20 - 1e-6
        assert left + width <= 110 + 1e-6
        assert top + height <= 80 + 1e-6
    for i, one in enumerate(tiles):
        for other in tiles[:i]:
            across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
            down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
            assert min(across, down) < 1e-6


def test_the_published_example_of_tiles() -> None:
    """Areas 6 6 4 3 2 2 1 in a box of 6 by 4, figure 4 of Bruls, Huizing and van Wijk."""
    tiles = explore_mix.squarified([6, 6, 4, 3, 2, 2, 1], (0, 0, 6, 4))
    assert tiles[:2] == [(0, 0, 3, 2), (0, 2, 3, 2)]
    third, fourth = tiles[2:4]
    assert third == pytest.approx((3, 0, 12 / 7, 7 / 3))
    assert fourth == pytest.approx((3 + 12 / 7, 0, 9 / 7, 7 / 3))


def test_the_page_is_one_file_that_loads_and_runs_nothing(found: dict[str, Any]) -> None:
    text = page(found, {sample["id"]: PICTURE for one in found["data_sets"] for sample in one["shown"]})
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert set(re.findall(r'(?:src|href)="([^"]{5})', text)) <= {"data:", *re.findall(r'href="(#[^"]{4})', text)}
    assert not re.search(r"url\(|@import|http://|https://", text)
    assert text.count('<article class="card example">') == 24
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)
    assert "Beware of the dog." in text
    assert "1 picture could not be read" in text


def test_one_data_set_has_no_mix(found: dict[str, Any]) -> None:
    text = page(explored(samples(0)), {})
    assert "The mix" not in text
    assert "What is in set0:main" in text
    assert "<article" not in text, "no picture, no card"


def test_foreign_texts_are_only_text() -> None:
    rows = samples(0, 40, question=EVIL, answer=EVIL, question_type=EVIL, organ=EVIL, image=EVIL, dataset=EVIL)
    text = page(explored(rows), {rows[0].id: PICTURE})
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;" in text
    page(explored(samples(0, 40, answer="half \ud800 of a pair")), {}).encode("utf-8")


def test_the_tables_say_what_was_counted(found: dict[str, Any]) -> None:
    one = found["data_sets"][:1]
    rows = {row.cells[0]: row.cells[1:] for row in tables.sizes_table(one).rows}
    train = counts(found)
    assert rows["train"][:2] == ("300", "45")
    assert rows["train"][5] == f"{train['question_length']['mean']:.2f} ({train['question_length']['max']})"
    assert [row.cells[0] for row in tables.sizes_table(found["data_sets"]).rows][:2] == [
        "set0:main train",
        "set0:main test",
    ]
    types = tables.types_table(one).rows[0].cells
    closed = train["answer_types"]["CLOSED"]
    assert types[1] == f"{closed['rows']} ({100 * closed['rows'] / 300:.1f} %)"
    assert types[3:] == (str(closed["unique"]), str(train["answer_types"]["OPEN"]["unique"]))
    labels = tables.labels_table(found["data_sets"][0], "modalities")
    assert labels is not None
    assert [row.cells[0] for row in labels.rows] == ["CT", "MRI", "(not labelled)"]
    assert sum(int(row.cells[1].split()[0]) for row in labels.rows) == 300
    together = tables.totals_table(found).rows[-1]
    assert (together.cells[0], together.cells[1], together.cells[-1]) == ("Together", "590", "100.0 %")
    mixed = tables.mix_table(found["mix"], "regions")
    assert mixed is not None
    assert {row.cells[0] for row in mixed.rows} == {"Chest", "Head", "Abdomen"}
    assert "Unreadable, the first: The picture lost.png does not exist." in tables.pictures_table(one).notes


def test_no_near_duplicates_is_said(fresh_cache: Path) -> None:
    near = count_near([("x train", {})], {}, Problems())
    assert "No two pictures are equal or nearly so." in tables.near_table(near).notes


def test_the_terminal_shows_every_table(mini_slake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = explore(["slake:en", "slake:zh"], html=tmp_path / "page.html", near=True)
    show_exploration(report)
    printed = capsys.readouterr().out
    for title in ("Rows, pictures and texts", "Answers", "What training has seen", "Pictures", "Size in tokens"):
        assert f"\n{title}\n" in f"\n{printed}"
    assert "肝脏" in printed
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count('src="data:image/webp;base64,') == 12
    assert "肝脏" in text


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (390, True)])
def test_the_page_fits_the_window_and_asks_for_nothing(
    found: dict[str, Any], tmp_path: Path, width: int, dark: bool
) -> None:
    path = tmp_path / "page.html"
    write_page(found, {sample["id"]: PICTURE for sample in found["data_sets"][0]["shown"]}, path)
    with tab(tmp_path / "profile") as browser:
        browser.view(width, 900, dark=dark, touch=width < 600)
        browser.open(path)
        assert browser.run("document.documentElement.scrollWidth") <= width
        wide = "[...document.querySelectorAll('main img')].filter(i => !i.complete || !i.naturalWidth).length"
        assert browser.run(wide) == 0, "every picture is shown"
        assert browser.console == []
        assert browser.asked_for == [path.as_uri()]

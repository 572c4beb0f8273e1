"""Texts of figures: which signs can be drawn, where lines end, where labels go, and what the PNG keeps."""

import logging
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from figure_checks import cut_off, overlaps
from hypothesis import given
from hypothesis import strategies as st

from radvqa.data.image import decode
from radvqa.report.figures.glyphs import font_families, missing_note, missing_signs, quiet_fonts
from radvqa.report.figures.labels import Label, place_labels
from radvqa.report.figures.style import BASELINES, INK, RIGHT, RUNS, WRONG, blank, look, png, zoomed
from radvqa.report.figures.wrapping import letters, wrap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOWHERE = "\U00013000"  # an Egyptian hieroglyph, which none of the named fonts has


def test_the_signs_that_figures_use_are_in_the_font_that_comes_with_matplotlib() -> None:
    assert missing_signs(["✓✗–…±−“”µ→ Ångström·"]) == []


def test_signs_without_a_font_are_found_and_named_by_their_script() -> None:
    assert missing_signs(["a b", f"x{NOWHERE}y", NOWHERE]) == [NOWHERE]
    assert missing_note([NOWHERE]) == (
        "Boxes stand for 1 sign (Egyptian) that no font on this machine has; install\none that has them."
    )
    assert missing_note(["plain"]) == ""


def test_chinese_signs_need_a_font_and_the_note_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radvqa.report.figures.glyphs.font_families", lambda: ("DejaVu Sans",))
    said = missing_note(["肺部 CT", "是什么？"]).replace("\n", " ")
    assert said == "Boxes stand for 6 signs (Chinese) that no font on this machine has; install Noto Sans CJK SC."


def test_an_installed_font_with_chinese_signs_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import font_manager

    entry = font_manager.FontEntry(fname="/no/such/file.ttc", name="WenQuanYi Zen Hei")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*font_manager.fontManager.ttflist, entry])
    assert "WenQuanYi Zen Hei" in font_families()
    assert font_families()[0] == "DejaVu Sans"


def _with_text(text: str) -> "Figure":
    with look():
        figure = blank(1.0)
        figure.text(0.1, 0.5, text)
    return figure


def test_a_figure_with_missing_signs_grows_by_a_line_that_says_so() -> None:
    whole, lacking = decode(png(_with_text("liver"))), decode(png(_with_text(NOWHERE)))
    assert lacking.shape[0] > whole.shape[0] + 20
    assert lacking.shape[1] == whole.shape[1]
    below = lacking[whole.shape[0] :]
    assert (below < 200).any(), "the line is written"


def test_rendering_leaves_the_figure_as_it_was() -> None:
    figure = _with_text(NOWHERE)
    first = png(figure)
    assert len(figure.texts) == 1
    assert png(figure) == first


def test_a_missing_bold_face_is_no_news_but_other_reports_of_fonts_are(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("matplotlib.font_manager")
    with caplog.at_level(logging.WARNING), quiet_fonts():
        log.warning("Failed to find font weight %s for X, now using 400.", "bold")
        log.warning("Font family X not found.")
    log.warning("Failed to find font weight bold for X, now using 400.")
    assert [record.getMessage()[:6] for record in caplog.records] == ["Font f", "Failed"]


def test_the_palette_keeps_white_white_and_the_colours_of_runs() -> None:
    colours = (*RUNS, *BASELINES, INK, RIGHT, WRONG)
    with look():
        figure = blank(2.0)
        axes = figure.subplots()
        axes.bar(range(len(colours)), [1] * len(colours), color=colours, width=1)
        axes.set_title("With a title, so that there are shades of grey")
    pixels = decode(png(figure)).astype(int)
    assert (pixels[2, 2] == 255).all()
    for colour in colours:
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=2) <= 4).sum() > 500, colour


def test_lines_end_at_spaces_and_between_chinese_signs() -> None:
    assert wrap("Is the heart enlarged?", 12) == ["Is the heart", "enlarged?"]
    assert wrap("✓ run: Upper Left", 10, "  ") == ["✓ run:", "  Upper", "  Left"]
    assert wrap("图中的器官是什么", 6) == ["图中的", "器官是", "什么"]
    assert wrap("a肺b", 3) == ["a肺", "b"]
    assert wrap("", 5) == [""]
    assert wrap("abcdefgh", 3) == ["abc", "def", "gh"]
    assert wrap("✗ a_very_long_name: no", 8, " ") == ["✗ a_very", " _long_n", " ame: no"]


@given(st.text(st.sampled_from("ab 肺是\n"), max_size=60), st.integers(4, 20), st.sampled_from(["", " ", "  "]))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, width: int, indent: str) -> None:
    lines = wrap(text, width, indent)
    assert all(letters(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.lists(st.floats(0, 100), min_size=1, max_size=5))
def test_zoomed_limits_show_everything_and_little_more(values: list[float]) -> None:
    low, high = zoomed(values)
    assert low <= min(values)
    assert high >= max(values)
    assert low >= -10
    assert high <= 110
    assert high > low


def _labelled(points: list[tuple[float, float]], avoid: list[tuple[float, float]] | None = None) -> "Figure":
    with look():
        figure = blank(3.0)
        axes = figure.subplots()
        axes.plot([x for x, _ in points], [y for _, y in points], "o")
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 10)
        place_labels(axes, [Label(x, y, f"run number {i}", INK) for i, (x, y) in enumerate(points)], avoid or [])
    return figure


@pytest.mark.parametrize(
    "points",
    [
        [(5, 5)],
        [(5, 5), (5.1, 5), (5, 5.1)],
        [(0, 0), (10, 10), (0, 10), (10, 0)],
        [(9.9, 5 + i / 4) for i in range(6)],
        [(i, 5) for i in range(1, 8)],
    ],
)
def test_labels_overlap_neither_each_other_nor_the_edge(points: list[tuple[float, float]]) -> None:
    figure = _labelled(points)
    assert overlaps(figure) == []
    assert cut_off(figure) == []
    assert len(figure.axes[0].texts) == len(points)


def test_labels_keep_off_points_and_other_marks() -> None:
    from matplotlib.text import Text

    points = [(5.0, 5.0), (6.0, 5.0), (4.0, 5.0)]
    strokes = [(5.0, 5 + i / 5) for i in range(-5, 6)]
    figure = _labelled(points, strokes)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    for x, y in [*points, *strokes]:
        at_x, at_y = axes.transData.transform((x, y))
        assert not any(box.contains(at_x, at_y) for box in boxes)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_the_check_for_overlaps_sees_them() -> None:
    with look():
        figure = blank(1.0)
        figure.text(0.1, 0.5, "one text")
        figure.text(0.15, 0.5, "another")
        figure.text(0.95, 0.1, "over the edge")
    assert overlaps(figure) == [("one text", "another")]
    assert cut_off(figure) == ["over the edge"]

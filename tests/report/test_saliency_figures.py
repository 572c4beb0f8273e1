"""Maps over pictures: colours follow the numbers, and a map of nothing says so."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from radvqa.report.figures.saliency import Titles, heads_figure, map_figure, overlay, patch_figure
from radvqa.report.figures.style import png

TITLES = Titles(
    "Is the left lung healthy?", "No", "Relevancy", "What the map shows, in a sentence that is long enough."
)
PICTURE = np.tile(np.linspace(20, 220, 48).astype(np.uint8), (40, 1))


def texts(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


def test_where_the_map_is_nothing_the_picture_stays_as_it_is() -> None:
    heat = np.zeros((40, 48))
    heat[10:20, 10:20] = 1
    shown = overlay(PICTURE, heat)
    outside = np.ones((40, 48), bool)
    outside[10:20, 10:20] = False
    assert np.array_equal(shown[outside], np.repeat(PICTURE[..., None], 3, 2)[outside])
    red, green, blue = shown[15, 15].astype(int)
    assert min(red, green) > blue + 20  # inferno ends in yellow
    assert np.array_equal(overlay(PICTURE, np.zeros((40, 48))), np.repeat(PICTURE[..., None], 3, 2))


def test_twice_the_map_is_the_same_picture() -> None:
    heat = np.random.default_rng(0).random((40, 48))
    assert np.array_equal(overlay(PICTURE, heat), overlay(PICTURE, 7 * heat))


@pytest.mark.parametrize("colours", [1, 3])
def test_a_figure_has_question_answer_words_and_tokens(colours: int) -> None:
    picture = PICTURE if colours == 1 else np.repeat(PICTURE[..., None], 3, 2)
    heat = np.random.default_rng(1).random((40, 48))
    words = [("Is", 0.1), ("the", 0.0), ("left", 0.6), ("lung", 0.3), ("healthy?", 0.2)] * 5
    figure = map_figure(picture, heat, TITLES, words=words, tokens=[("No", heat), ("⏎", heat)])
    said = texts(figure)
    assert all(part in said for part in (TITLES.question, "A: No", "healthy?", "Token “No”", "Whole answer"))
    with Image.open(io.BytesIO(png(figure, true_colours=True))) as drawn:
        assert len(drawn.convert("RGB").getcolors(1 << 24) or ()) > 200


def test_a_map_of_zeros_says_so() -> None:
    assert "zero everywhere" in texts(map_figure(PICTURE, np.zeros((40, 48)), TITLES)).replace("\n", " ")


def test_the_seven_tokens_that_look_most_are_underlined() -> None:
    tokens = [(f"word{number}", number / 100) for number in range(12)]
    said = texts(patch_figure(PICTURE, (4, 4, 8, 8), tokens, TITLES))
    assert said.count("▔") == 7
    assert "11.0%" in said


def test_heads_are_drawn_layer_by_layer() -> None:
    figure = heads_figure(np.arange(12).reshape(3, 4) / 12, TITLES)
    assert "Head" in texts(figure)
    assert len(png(figure, true_colours=True)) > 1000

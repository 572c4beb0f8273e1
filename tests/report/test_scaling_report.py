"""The figure and the page of a scaling law show the numbers of the fit, legibly, and escape what they are given."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figure_checks import cut_off, line, overlaps, said
from PIL import Image

from radvqa.report.figures.scaling import scaling_law
from radvqa.report.scaling import page, show_scaling, write_report
from radvqa.scaling.fit import fit
from radvqa.scaling.points import make
from radvqa.scaling.summary import summarise

ROCO = (2.1582, 2.0904, 2.0631, 2.0488, 2.0409, 2.0344, 2.0336, 2.0353, 2.0369, 2.0471)


def of_time(label: str = "epoch", **asked: Any) -> dict[str, Any]:
    points = make(("t",), [[t] for t in range(1, 11)], ROCO, [f"{label} {t}" for t in range(1, 11)])
    return described(summarise(fit(points), resamples=99, **asked))


def of_size_and_data(**asked: Any) -> dict[str, Any]:
    sizes = [(x, d) for x in (1.2e6, 4.8e6, 1.9e7) for d in (500.0, 1000, 2000, 4000, 8000)]
    rng = np.random.default_rng(1)
    loss = [16 * x**-0.1 * d**-0.28 + 0.6 + float(rng.normal(0, 0.01)) for x, d in sizes]
    return described(summarise(fit(make(("x", "d"), sizes, loss, [str(s) for s in sizes])), resamples=99, **asked))


def described(summary: dict[str, Any]) -> dict[str, Any]:
    for variable in summary["variables"]:
        variable["means"] = {"t": "epochs", "x": "trainable parameters", "d": "distinct training samples"}[
            variable["name"]
        ]
    return {"source": {"loss": "val_loss", "history": False}, **summary}


WITH_ANSWERS = of_size_and_data(targets=[0.8], places=[{"x": 1.9e7, "d": 16_000.0}])


def test_the_figure_shows_fit_points_and_residuals_of_the_result() -> None:
    result = of_time(targets=[2.05], places=[{"t": 20.0}])
    figure = scaling_law(result)
    upper, lower = figure.axes
    places, losses = line(upper, "fit, with its 95 % band")
    assert (places[0], places[-1]) == (1, 10)
    (curve,) = result["curves"]
    assert losses[-1] == curve["loss"][curve["at"].index(10.0)]
    assert line(upper, "target, and what it needs") == ([result["targets"][0]["needed"]], [2.05])
    assert line(upper, "predicted") == ([20.0], [result["predictions"][0]["loss"]])
    drawn = {(float(np.asarray(one.get_xdata())[0]), float(np.asarray(one.get_ydata())[0])) for one in lower.lines}
    assert {(point["t"], point["residual"]) for point in result["points"]} <= drawn
    assert (upper.get_xscale(), upper.get_yscale()) == ("log", "log")


@pytest.mark.parametrize(
    "result",
    [
        of_time(),
        of_time(targets=[2.03, 2.1], places=[{"t": 20.0}]),
        WITH_ANSWERS,
    ],
    ids=["a history", "with answers", "size and data"],
)
def test_no_text_of_the_figure_lies_on_another_or_is_cut_off(result: dict[str, Any]) -> None:
    figure = scaling_law(result)
    figure.draw_without_rendering()
    assert overlaps(figure) == []
    assert cut_off(figure) == []


def test_every_size_has_a_curve_of_its_own() -> None:
    text = said(scaling_law(WITH_ANSWERS))
    for name in ("X = 1.2 M", "X = 4.8 M", "X = 19 M", "D: distinct training samples", "validation loss"):
        assert name in text


def test_the_title_is_the_law_with_its_numbers() -> None:
    title = scaling_law(of_time()).axes[0].get_title("left")
    assert title == r"L(t) = 0.134·$\mathbf{t^{−1.19}}$ + 2.03"


def test_points_that_count_little_are_hollow() -> None:
    result = of_time()
    result["points"][3]["weight"] = 0.1
    upper = scaling_law(result).axes[0]
    hollow = [one for one in upper.lines if one.get_markerfacecolor() == "white"]
    assert [float(np.asarray(one.get_xdata())[0]) for one in hollow] == [4.0]


def test_a_law_that_does_not_fall_is_drawn_too() -> None:
    points = make(("t",), [[t] for t in range(1, 8)], [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6], ["p"] * 7)
    assert scaling_law(described(summarise(fit(points), resamples=99))).axes


def test_the_page_is_one_file_and_escapes_what_it_is_given(tmp_path: Path) -> None:
    result = of_time("<script>alert(1)</script>", targets=[2.03])
    place = write_report(result, tmp_path)
    text = place.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 3" in text
    assert "http" not in text.replace("http-equiv", "")
    for shown in ("2.026", "[2.001, 2.039]", "[8.057, no limit]", "The loss rises again"):
        assert shown in text
    with Image.open(tmp_path / "scaling.png") as picture:
        assert picture.width > 700


def test_the_page_says_the_headline_numbers() -> None:
    result = of_time(targets=[2.03])
    text = page(result, b"")
    assert "For a loss of 2.03" in text
    assert "17.5" in text
    assert "c, the floor" in text


def test_the_terminal_shows_tables_and_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    show_scaling(WITH_ANSWERS)
    text = capsys.readouterr().out
    for shown in ("L(X, D) = A·X^−α·D^−β + E, fitted to 15 points", "95 % interval", "Bootstrap", "X = 19,000,000"):
        assert shown in text
    assert "Warning: Target 0.8: D = " in text


def test_a_figure_is_the_same_picture_twice() -> None:
    from radvqa.report.figures.style import png

    one, other = (png(scaling_law(of_time())) for _ in range(2))
    assert one == other
    with Image.open(io.BytesIO(one)) as picture:
        assert picture.format == "PNG"

"""Figures show the numbers of the runs, survive strange texts, and are whole files."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from radvqa import files
from radvqa.data.image import decode
from radvqa.errors import DataError
from radvqa.report import figures
from radvqa.report.examples import examples
from radvqa.report.scored import Scored, load
from report_runs import make_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def one(tmp_path: Path, **options: Any) -> Scored:
    make_run(tmp_path / "a", **options)
    return load([tmp_path / "a"])[0]


def texts(figure: "Figure") -> str:
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


def ink(content: bytes) -> float:
    return float((decode(content) < 250).mean())


def test_bars_show_the_accuracy_of_run_and_baselines(tmp_path: Path) -> None:
    run = one(tmp_path)
    figure = figures.by_subset([run])
    assert figure is not None
    assert len(figure.axes) == 3
    for axes, subset in zip(figure.axes, ("overall", "open", "closed"), strict=True):
        widths = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
        shown = [values for name, values in run.scores["baselines"].items() if name != "echo_question"]
        expected = [run.scores["subsets"][subset], *(values[subset] for values in shown)]
        assert widths == pytest.approx([100 * values["accuracy"] for values in expected])
        whiskers = [float(x) for line in axes.lines for x in np.asarray(line.get_xdata())]
        limits = [100 * limit for values in expected for limit in values["accuracy_interval"]]
        assert whiskers == pytest.approx(limits)


def test_a_subset_without_questions_has_no_panel(tmp_path: Path) -> None:
    run = one(tmp_path)
    del run.scores["subsets"]["closed"]
    figure = figures.by_subset([run])
    assert figure is not None
    assert len(figure.axes) == 2


def test_curves_mark_the_epoch_that_was_kept(tmp_path: Path) -> None:
    run = one(tmp_path)
    figure = figures.training_curves(run)
    assert figure is not None
    best = run.facts["best_epoch"]
    assert f"kept: epoch {best}" in texts(figure)
    validation = figure.axes[0].lines[1]
    assert list(np.asarray(validation.get_ydata())) == [row["val_loss"] for row in run.history]


def test_a_run_without_history_or_examples_has_no_such_figures(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    (run.folder / "history.jsonl").unlink()
    (run.examples / "examples.json").unlink()
    loaded = load([tmp_path / "a"])
    assert figures.training_curves(loaded[0]) is None
    assert figures.answer_panel(loaded) is None


def test_one_epoch_can_be_drawn(tmp_path: Path) -> None:
    figure = figures.training_curves(one(tmp_path, epochs=1))
    assert figure is not None
    assert ink(base64.b64decode(figures.to_data_uri(figure).partition(",")[2])) > 0.005


def test_question_types_have_a_bar_for_each_run(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", name="blip", skill=0.5)
    runs = load([tmp_path / "a", tmp_path / "b"])
    figure = figures.by_question_type(runs)
    assert figure is not None
    widths = [patch.get_width() for patch in figure.axes[0].patches]  # type: ignore[attr-defined]
    kinds = sorted(runs[0].scores["slices"]["question_type"])
    expected = [100 * run.scores["slices"]["question_type"][kind]["accuracy"] for run in runs for kind in kinds]
    assert widths == pytest.approx(expected)


def test_ticks_follow_the_normaliser_of_the_metric(tmp_path: Path) -> None:
    make_run(tmp_path / "a", strange="??? ")
    run = load([tmp_path / "a"])[0]
    sample = next(iter(files.read_json(tmp_path / "a" / "examples" / "examples.json")))
    gold = run.predictions[sample].answer
    first = examples([run])[0]
    assert not first.answers[0].right
    rows = list(files.read_jsonl(tmp_path / "a" / "predictions.jsonl"))
    rows[0]["prediction"] = f" {gold.upper()}. "  # equal after normalisation, not before
    files.write_jsonl(tmp_path / "a" / "predictions.jsonl", rows)
    again = examples(load([tmp_path / "a"]))[0]
    assert again.answers[0].right
    figure = figures.answer_panel(load([tmp_path / "a"]))
    assert figure is not None
    assert "✓ a:" in texts(figure)


def test_a_predictions_file_without_a_run_has_the_figures_of_its_scores(tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    (tmp_path / "answers.jsonl").write_bytes((tmp_path / "a" / "predictions.jsonl").read_bytes())
    (alone,) = load([tmp_path / "answers.jsonl"])
    for draw in (figures.training_curves, figures.long_tail, figures.confusion):
        assert (draw(alone) is None) == (draw is figures.training_curves)
    beside = [alone, *load([tmp_path / "a"])]
    for several in (figures.by_subset, figures.metric_bars, figures.em_f1_lines, figures.slices, figures.rule_spread):
        assert several([alone]) is not None
        assert several(beside) is not None
    for unknown in (figures.overlay, figures.accuracy_against_cost, figures.answer_panel):
        assert unknown([alone]) is None
    assert figures.answer_panel(beside) is not None


@pytest.mark.parametrize("strange", ["$x^$ \\frac{", "肺 <b>&", "", "a" * 500])
def test_strange_answers_can_be_drawn(tmp_path: Path, strange: str) -> None:
    make_run(tmp_path / "a", strange=strange)
    figure = figures.answer_panel(load([tmp_path / "a"]))
    assert figure is not None
    figures.save_png(figure, tmp_path / "out" / "panel.png")
    assert ink((tmp_path / "out" / "panel.png").read_bytes()) > 0.2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["panel.png"]


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    run = one(tmp_path)
    one_figure, other = figures.by_subset([run]), figures.by_subset([run])
    assert one_figure is not None
    assert other is not None
    assert figures.to_data_uri(one_figure) == figures.to_data_uri(other)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "a/b.png", 3])
def test_examples_cannot_pull_in_other_files(tmp_path: Path, name: Any) -> None:
    run = one(tmp_path)
    (tmp_path / "a" / "secret.png").write_bytes(((tmp_path / "a" / "examples") / "0.png").read_bytes())
    files.write_json((tmp_path / "a" / "examples") / "examples.json", {next(iter(run.predictions)): name})
    with pytest.raises(DataError, match="not a file beside it"):
        examples([run])


def test_examples_cannot_be_links(tmp_path: Path) -> None:
    run = one(tmp_path)
    ((tmp_path / "a" / "examples") / "0.png").rename(tmp_path / "secret.png")
    ((tmp_path / "a" / "examples") / "0.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="not a file beside it"):
        examples([run])


def test_a_broken_example_is_named(tmp_path: Path) -> None:
    run = one(tmp_path)
    ((tmp_path / "a" / "examples") / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0\.png"):
        examples([run])

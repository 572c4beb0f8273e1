"""The long tail and the confusion matrix count what was answered, by hand-made answers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from figure_checks import bars, cut_off, line, overlaps, said

from radvqa.prediction import Prediction
from radvqa.report import figures
from radvqa.report.figures.heat import count_confusion
from radvqa.report.figures.tail import head_size, moving_accuracy, ranked, width_of_window
from radvqa.report.scored import Scored, load
from report_runs import make_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    folder = tmp_path_factory.mktemp("runs") / "a"
    make_run(folder)
    return load([folder])[0]


def with_classes(run: Scored, classes: Sequence[dict[str, Any]]) -> Scored:
    return replace(run, scores={**run.scores, "classes": list(classes)})


def entry(answer: str, n: int, correct: int, training: int | None) -> dict[str, Any]:
    return {"answer": answer, "n": n, "correct": correct, "training_count": training}


CLASSES = [
    entry("common", 100, 90, 20),
    entry("rare", 4, 0, 2),
    entry("most frequent in training", 5, 4, 900),
    entry("unseen", 6, 0, 0),
]


def dots(axes: "Axes") -> dict[float, float]:
    (points,) = axes.collections
    return {float(x): float(y) for x, y in np.asarray(points.get_offsets())}


def test_the_tail_is_in_the_order_of_training_and_dots_have_enough_questions(run: Scored) -> None:
    figure = figures.long_tail(with_classes(run, CLASSES))
    assert figure is not None
    counts, accuracy = figure.axes
    assert bars(counts, upright=True) == [900, 20, 2, 0]
    assert counts.get_yscale() == "log"
    assert dots(accuracy) == pytest.approx({1.0: 80.0, 2.0: 90.0, 4.0: 0.0})
    assert "at least 5 questions" in said(figure)
    assert "Times in training" in said(figure)
    assert overlaps(figure) == []
    assert cut_off(figure) == []


def test_the_minimum_can_be_chosen_and_is_said(run: Scored) -> None:
    tail = with_classes(run, CLASSES)
    figure = figures.long_tail(tail, minimum=1)
    assert figure is not None
    assert len(dots(figure.axes[1])) == 4
    assert "at least 1 question)" in said(figure)
    assert "the 4 of 4 answers with at least 1 scored question, which hold 115 of 115 questions" in (
        figures.tail_caption(tail, 1)
    )


def test_without_training_frequencies_the_figure_says_whose_it_shows(run: Scored) -> None:
    tail = with_classes(run, [*CLASSES, entry("unknown", 7, 7, None)])
    figure = figures.long_tail(tail)
    assert figure is not None
    assert bars(figure.axes[0], upright=True) == [100, 7, 6, 5, 4]
    assert "Times in the scored split" in said(figure)
    assert "training frequencies are not known" in figures.tail_caption(tail)
    assert "occurs in training." in figures.tail_caption(with_classes(run, CLASSES))


def test_the_line_is_weighted_by_questions(run: Scored) -> None:
    classes = [entry(str(i), 1 + i % 3, i % 2, 100 - i) for i in range(40)]
    tail = with_classes(run, classes)
    figure = figures.long_tail(tail)
    assert figure is not None
    values = line(figure.axes[1], "accuracy of 10 neighbouring answers")[1]
    assert len(values) == 40
    # the tenth place: ten answers from the fifth to the fourteenth, by hand
    near = classes[5:15]
    assert values[10] == pytest.approx(100 * sum(e["correct"] for e in near) / sum(e["n"] for e in near))
    assert min(values) >= 0
    assert max(values) <= 100


@pytest.mark.parametrize(
    ("classes", "window", "head"), [(1, 1, 1), (8, 8, 2), (40, 10, 8), (131, 13, 26), (2000, 200, 400)]
)
def test_window_and_head(classes: int, window: int, head: int) -> None:
    assert (width_of_window(classes), head_size(classes)) == (window, head)


def test_a_window_over_everything_is_the_accuracy() -> None:
    assert moving_accuracy([entry("a", 3, 1, 1), entry("b", 1, 1, 1)], 5)[1] == pytest.approx(0.5)


def test_the_head_line_is_at_a_fifth_of_the_classes(run: Scored) -> None:
    figure = figures.long_tail(with_classes(run, [entry(str(i), 5, 1, 100 - i) for i in range(50)]))
    assert figure is not None
    heads = [np.asarray(one.get_xdata()) for one in figure.axes[1].lines if one.get_linestyle() == "--"]
    assert [list(xs) for xs in heads] == [[10.5, 10.5]]


def test_real_scores_have_a_tail_and_none_without_classes(run: Scored) -> None:
    figure = figures.long_tail(run)
    assert figure is not None
    assert sum(e["n"] for e in ranked(run)) == run.scores["questions"]
    assert figures.long_tail(with_classes(run, [])) is None
    assert figures.long_tail(replace(run, scores={"subsets": {}})) is None


@pytest.mark.parametrize("number", [1, 2, 2000])
def test_one_class_and_very_many_can_be_drawn(run: Scored, number: int) -> None:
    figure = figures.long_tail(with_classes(run, [entry(f"a{i}", 1 + i % 9, 1, i % 50) for i in range(number)]))
    assert figure is not None
    assert overlaps(figure) == []
    assert len(figures.to_data_uri(figure)) < 70_000


def answered(run: Scored, pairs: Sequence[tuple[str, str]], *, missing: int = 0) -> Scored:
    """The run with other questions: (gold answer, answer given); the first of them not answered at all."""
    changed = replace(run, name="made")
    changed.__dict__["predictions"] = {
        str(i): Prediction(str(i), "?", gold, given, "OPEN", missing=i < missing)
        for i, (gold, given) in enumerate(pairs)
    }
    return changed


PAIRS = [
    *[("X-Ray", "x ray.")] * 0,
    *[("X-Ray", "X-RAY")] * 6,
    *[("X-ray", "CT")] * 2,
    *[("CT", "ct")] * 3,
    *[("CT", "ultrasound")] * 1,
    *[("MRI", "MRI")] * 1,
    *[("Lung", "MRI")] * 1,
]


def test_the_matrix_counts_after_normalisation_and_keeps_the_published_spelling(run: Scored) -> None:
    found = count_confusion(answered(run, PAIRS), most=3)
    assert found.answers == ("X-Ray", "CT", "Lung")
    assert found.counts.tolist() == [[6, 2, 0, 0], [0, 3, 0, 1], [0, 0, 0, 1]]
    assert found.shares.sum(axis=1) == pytest.approx([1, 1, 1])
    assert found.questions == len(PAIRS)


def test_an_answer_that_was_not_given_is_another_answer(run: Scored) -> None:
    found = count_confusion(answered(run, [("?", ""), ("?", ""), ("yes", "yes")], missing=1))
    # "?" is empty after normalisation, as is the empty answer; the missing one is not
    assert found.counts.tolist() == [[1, 0, 1], [0, 1, 0]]


def test_cells_have_their_number_from_five_percent_on(run: Scored) -> None:
    pairs = [*[("yes", "yes")] * 95, *[("yes", "no")] * 5, *[("no", "no")] * 96, *[("no", "yes")] * 4]
    figure = figures.confusion(answered(run, pairs))
    assert figure is not None
    axes = figure.axes[0]
    cells = {(round(x), round(y)): text.get_text() for text in axes.texts for x, y in (text.get_position(),)}
    assert cells == {(0, 0): "95", (1, 0): "5", (1, 1): "96"} or cells == {(1, 1): "95", (0, 1): "5", (0, 0): "96"}
    image = np.asarray(axes.images[0].get_array())
    assert image.sum(axis=1) == pytest.approx([1, 1])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["no", "yes", "other answer"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["no (100)", "yes (100)"]
    assert "The 2 most frequent gold answers: 200 of 200 questions" in said(figure)


def test_a_whole_matrix_can_be_read(run: Scored) -> None:
    pairs = [
        (f"answer number {i} of many long ones", f"answer number {(i * i) % 23}")
        for i in range(30)
        for _ in range(40 - i)
    ]
    figure = figures.confusion(answered(run, pairs + [(a, a) for a, _ in pairs]))
    assert figure is not None
    assert overlaps(figure) == []
    assert cut_off(figure) == []
    assert len(figures.to_data_uri(figure)) < 75_000


def test_the_diagonal_of_a_run_is_its_accuracy(run: Scored) -> None:
    found = count_confusion(run, most=10_000)
    right = np.trace(found.counts[:, :-1]) / found.questions
    assert right == pytest.approx(run.scores["subsets"]["overall"]["accuracy"], abs=1e-6)


def test_one_answer_alone_cannot_be_confused(run: Scored) -> None:
    assert figures.confusion(answered(run, [("yes", "no")] * 3)) is None
    assert figures.confusion(answered(run, [])) is None


def test_the_order_of_the_questions_does_not_matter(run: Scored, tmp_path: Path) -> None:
    one, other = count_confusion(answered(run, PAIRS)), count_confusion(answered(run, PAIRS[::-1]))
    assert one.answers == other.answers
    assert one.counts.tolist() == other.counts.tolist()

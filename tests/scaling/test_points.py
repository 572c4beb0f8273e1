"""What points can tell, and what is said of those that cannot."""

from pathlib import Path

import numpy as np
import pytest
from published import in_size_and_data, in_time, points

from radvqa.errors import DataError
from radvqa.scaling.points import told_apart
from radvqa.scaling.table import read_points


def test_a_variable_that_all_points_share_is_left_out_and_said() -> None:
    sizes = np.array([(8e6, d) for d in (1.0, 2, 4, 8)])
    kept, said = told_apart(in_size_and_data(sizes, np.array([4.0, 3, 2.5, 2.2])))
    assert kept.names == ("d",)
    assert kept.variables[:, 0].tolist() == [1, 2, 4, 8]
    assert said == [
        "The exponent of X cannot be told: all points have the same X = 8,000,000. The law is fitted in D alone."
    ]


def test_a_size_that_hardly_varies_is_left_out_too() -> None:
    sizes = np.array([(8e6 + 1e4 * d, d) for d in (1.0, 2, 4, 8)])
    kept, said = told_apart(in_size_and_data(sizes, np.array([4.0, 3, 2.5, 2.2])))
    assert kept.names == ("d",)
    assert "all points have nearly the same X = 8,010,000." in said[0]


def test_variables_that_only_grow_together_are_refused() -> None:
    sizes = np.array([(2 * d, d) for d in (1.0, 2, 4, 8, 16, 32)])
    with pytest.raises(DataError, match="α cannot be told apart from β: X and D grow together in all points"):
        told_apart(in_size_and_data(sizes, np.linspace(3, 2, 6)))


def test_points_of_one_place_are_refused() -> None:
    with pytest.raises(DataError, match="All points have the same X and D"):
        told_apart(in_size_and_data(np.ones((6, 2)), np.linspace(3, 2, 6)))


@pytest.mark.parametrize(("count", "message"), [(3, "needs 4 points at least"), (1, "All points have the same t")])
def test_too_few_points_are_refused(count: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        told_apart(in_time(np.arange(1.0, count + 1), np.linspace(3, 2, count)))


def test_repeats_of_few_places_do_not_make_a_law() -> None:
    with pytest.raises(DataError, match="needs points at as many places; found 2"):
        told_apart(in_time(np.array([1.0, 1, 2, 2]), np.array([3.0, 3.1, 2, 2.1])))


def test_points_are_cut_after_the_lowest_in_order_of_time() -> None:
    cut = points("medpix").to_lowest()
    assert cut.variables[:, 0].tolist() == [1, 2, 3, 4]
    assert cut.loss[-1] == 2.3871


def table(folder: Path, text: str) -> Path:
    path = folder / "points.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_by_its_header(tmp_path: Path) -> None:
    text = "\ufeffName, D ,loss,note,X\nsmall,500,1.5,first,1e6\nlarge,1000,1.25,,1e6\n"
    found = read_points(table(tmp_path, text))
    assert found.names == ("x", "d")
    assert found.variables.tolist() == [[1e6, 500], [1e6, 1000]]
    assert (found.loss.tolist(), found.labels) == ([1.5, 1.25], ("small", "large"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,loss\n1,2\n2,abc\n", "points.csv, line 3: loss is 'abc'; it must be a number above 0."),
        ("t,loss\n1,2\n0,1\n", "line 3: t is '0'"),
        ("t,loss\n1,2\n\n2,nan\n", "line 4: loss is 'nan'"),
        ("t,loss\n1,2\n2\n", "line 3: loss is None"),
        ("t,loss\n1,-2\n", "line 2: loss is '-2'"),
        ("t,loss\n1,inf\n", "line 2: loss is 'inf'"),
        ("loss,step\n1,2\n", "needs a header with loss and t, or loss and x, d or both; found loss, step."),
        ("t,d,loss\n1,2,3\n", "has a column t and also d"),
        ("t,t,loss\n1,2,3\n", "has two columns 't'"),
        ("", "needs a header"),
        ('t,loss\n1,"2\n', "is not CSV"),
    ],
)
def test_a_bad_table_is_one_sentence_that_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_points(table(tmp_path, text))
    assert message in str(caught.value)


def test_a_table_without_rows_has_no_points(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There are no points"):
        told_apart(read_points(table(tmp_path, "t,loss\n")))

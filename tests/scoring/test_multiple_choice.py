"""Reading choices, scoring them and comparing runs, by hand and by property."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from string import ascii_uppercase

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.scoring.multiple_choice import (
    letters,
    parse_choice,
    score_consistency,
    score_multiple_choice,
    shuffle_options,
)
from radvqa.scoring.statistics import Mean, cluster_intervals

ORGANS = ("Liver", "Left lung", "Lung", "Heart")

READ_AS_B = [
    "B",
    "b",
    " B \n",
    "(b)",
    "[B]",
    "B.",
    "B)",
    "**B**",
    "<b>B</b>",
    "Option B",
    "answer b",
    "B: Left lung",
    "B. left lung",
    "(B) Left lung",
    "**B.** Left lung",
    "B - Left lung",
    "B Left lung",
    "B because the heart is on the other side",
    "B.\nThe heart lies beside it.",
    "Answer: B",
    "ANSWER : b",
    "Answer:\nB",
    "Answer: **B**",
    "Answer: B: Left lung",
    "The answer is (B).",
    "The answer is B, because the heart is beside it.",
    "Looking at A and C first, the correct answer is option B.",
    "I choose B.",
    r"So it is \boxed{B}",
    "<think>A or C?</think><answer>B</answer>",
    "答案是B",
    "答案：B",
    "选B",
    "LEFT  lung.",
    "The answer is the left lung.",
    "It is the left lung.",
    "I see a left lung",
    "not the heart but the left lung",
]

READ_AS_NOTHING = [
    "",
    "?",
    "E",
    "I",
    "I think so",
    "a mass",
    "A mass is seen",
    "The answer is a mass",
    "The answer is A mass",
    "Hepatitis B",
    "B-mode",
    "T2",
    "A or B",
    "A and B",
    "A, B",
    "Answer: A, B",
    "Answer: B and C",
    "A. Liver\nB. Left lung",
    "The answer is A. No, the answer is B.",
    "Answer: B: Heart",
    "B) the heart",
    "A: Lung",
    "lung or heart",
    "Answer: left lung and heart",
    "The answer is not A",
    "It is not the liver",
    "Answer",
    "liverwort",
    "B" * 1_000_000,
    "heart, " * 100_000 + "lung",
]


@pytest.mark.parametrize("reply", READ_AS_B)
def test_forms_of_the_second_option(reply: str) -> None:
    assert parse_choice(reply, ORGANS) == 1


@pytest.mark.parametrize("reply", READ_AS_NOTHING, ids=lambda reply: reply[:30])
def test_what_is_ambiguous_or_absent_is_no_choice(reply: str) -> None:
    assert parse_choice(reply, ORGANS) is None


def test_a_longer_option_is_not_taken_for_the_shorter_one_inside_it() -> None:
    assert parse_choice("the left lung", ORGANS) == 1
    assert parse_choice("the lung", ORGANS) == 2
    assert parse_choice("the left lung and the other lung", ORGANS) is None


def test_the_letters_that_are_words() -> None:
    many = tuple(f"finding {number}" for number in range(9))
    assert parse_choice("A", many) == parse_choice("a", many) == parse_choice("The answer is A.", many) == 0
    assert parse_choice("I", many) == parse_choice("Answer: (I)", many) == 8
    assert parse_choice("The answer is I think unclear", many) is None
    assert parse_choice("A finding 0", many) == 0


def test_options_of_other_scripts_numbers_and_single_letters() -> None:
    assert parse_choice("这是左肺。", ("肝", "左肺", "心")) == 1
    assert parse_choice("الرئة", ("الكبد", "الرئة")) == 1
    assert parse_choice("-1", ("1", "-1")) == 1
    assert parse_choice("2.5 cm", ("25 cm", "2.5 cm")) == 1
    assert parse_choice("Answer: -1", ("1", "-1")) == 1
    assert parse_choice("Answer - 1", ("1", "-1")) == 0
    assert parse_choice("It measures 2.5 cm", ("5 cm", "2 cm", "2")) is None
    assert parse_choice("there are 3 nodules", ("2", "3")) == 1
    assert parse_choice("a vitamin", ("c", "a")) is None
    assert parse_choice("B", ("B", "A")) is None  # the text of the first, the letter of the second


@given(st.text(), st.lists(st.text(), max_size=30))
def test_any_text_is_read_as_an_option_or_as_nothing(reply: str, options: list[str]) -> None:
    choice = parse_choice(reply, options)
    assert choice is None or 0 <= choice < len(options)


@given(st.permutations(ORGANS), st.sampled_from(ORGANS), st.sampled_from(["{}", "Answer: {}", "The answer is {}."]))
def test_an_options_text_is_found_wherever_it_is_shown(options: list[str], option: str, form: str) -> None:
    assert parse_choice(form.format(option), options) == options.index(option)
    assert parse_choice(form.format(letters(4)[options.index(option)]), options) == options.index(option)


def test_letters() -> None:
    assert letters(4) == ("A", "B", "C", "D")
    assert letters(28) == (*ascii_uppercase, "AA", "AB")


@given(st.lists(st.text(), max_size=8), st.text())
def test_shuffling_is_a_permutation_that_the_key_decides(options: list[str], key: str) -> None:
    order = shuffle_options(options, key)
    assert sorted(order) == list(range(len(options)))
    assert shuffle_options(options, key) == order


def test_shuffling_reaches_every_order_about_as_often() -> None:
    orders = [tuple(shuffle_options("abc", f"seed 0, question {number}")) for number in range(6000)]
    counts = [orders.count(order) for order in permutations(range(3))]
    assert sum(counts) == 6000
    assert max(abs(count - 1000) for count in counts) < 150  # five standard deviations of 29


def test_shuffling_is_the_same_on_every_machine() -> None:
    # sha256sum of “0:question 1” begins with 4a, of “1:question 1” with 02, then ce and 6e
    assert shuffle_options(ORGANS, "question 1") == [1, 0, 3, 2]


def asked(name: str, gold: str, reply: str, options: Sequence[str] = ORGANS, image: str = "") -> Prediction:
    return Prediction(name, "Which organ?", gold, reply, "CLOSED", image=image, options=tuple(options))


def test_scores_by_hand() -> None:
    predictions = [
        asked("1", "B", "B", image="x"),
        asked("2", "left lung", "The answer is A.", image="x"),
        asked("3", "(d)", "no idea", image="y"),
        asked("4", "No", "No.", ("Yes", "No"), image="z"),
        Prediction("5", "What?", "mass", "mass", "OPEN"),
        replace(asked("6", "A", "A", image="z"), missing=True),
    ]
    scores = score_multiple_choice(predictions, resamples=200, seed=3)
    assert scores is not None
    clusters = np.array([0, 0, 1, 2, 2])
    right = np.array([1.0, 0, 0, 1, 0])
    assert scores == {
        "n": 5,
        "accuracy": pytest.approx(2 / 5),
        "accuracy_interval": cluster_intervals({"": Mean(right)}, clusters, resamples=200, seed=3)[""],
        "chance": pytest.approx((4 / 4 + 1 / 2) / 5),
        "unparsed": 2,
        "letters": {
            "A": {"gold": 1, "chosen": 1},
            "B": {"gold": 3, "chosen": 2},
            "C": {"gold": 0, "chosen": 0},
            "D": {"gold": 1, "chosen": 0},
        },
    }


def test_without_images_each_question_is_its_own_cluster() -> None:
    scores = score_multiple_choice([asked("1", "A", "A"), asked("2", "A", "B")], resamples=100, seed=0)
    assert scores is not None
    assert scores["accuracy_interval"] == (0, 1)


def test_without_options_there_is_no_multiple_choice() -> None:
    assert score_multiple_choice([Prediction("1", "?", "a", "a", "OPEN")], resamples=10, seed=0) is None


@pytest.mark.parametrize("gold", ["E", "", "spleen", "AB"])
def test_a_gold_that_is_no_option_is_an_error_that_names_the_question(gold: str) -> None:
    with pytest.raises(DataError, match=r"'question-7' is neither one of its options nor a letter from A to D\."):
        score_multiple_choice([asked("question-7", gold, "A")], resamples=10, seed=0)


def test_a_gold_is_read_as_text_before_it_is_read_as_a_letter() -> None:
    scores = score_multiple_choice([asked("1", "B", "Answer: A", ("B", "C"))], resamples=10, seed=0)
    assert scores is not None
    assert scores["letters"]["A"] == {"gold": 1, "chosen": 1}


def run(*replies: str, golds: Sequence[str] = ("yes", "no", "lung")) -> list[Prediction]:
    return [
        Prediction(str(number), "?", gold, reply, "OPEN")
        for number, (gold, reply) in enumerate(zip(golds, replies, strict=True))
    ]


def test_consistency_of_five_runs_by_hand() -> None:
    scores = score_consistency(
        [
            run("yes", "no", "lung"),
            run("Yes.", "yes", "liver"),
            run("yes", "yes", "heart"),
            run("no", "no", "spleen"),
            run("no", "no", "lung"),
        ]
    )
    # yes: 3 of 5, right, 2 differ; no: 3 of 5, right, 2 differ; lung: 2 of 5, right, 3 differ: docked.
    assert scores == {
        "runs": 5,
        "n": 3,
        "mean_accuracy": pytest.approx((3 + 1 + 1 + 1 + 2) / 15),
        "sd_accuracy": pytest.approx(np.std([1, 1 / 3, 1 / 3, 1 / 3, 2 / 3], ddof=1)),
        "majority_accuracy": 1,
        "agreement": pytest.approx((3 + 3 + 2) / 15),
        "docked": 1,
        "penalised_score": pytest.approx((3 - 1) / 3),
        "all_same": 0,
    }


def test_a_wrong_majority_can_be_docked_below_zero() -> None:
    answers = [["x"], ["x"], ["lung"], ["liver"], ["heart"]]
    scores = score_consistency([run(*given, golds=["lung"]) for given in answers])
    assert scores["majority_accuracy"] == 0
    assert scores["penalised_score"] == -1


@pytest.mark.parametrize(
    ("answers", "docked"),
    [
        ("ab", 0),  # of two, two would have to differ
        ("aab", 0),
        ("abc", 1),
        ("aabc", 0),
        ("abcd", 1),
        ("aaabc", 0),
        ("aabbc", 1),
        ("aaaabcdefg", 1),
        ("aaaaabcdef", 0),
    ],
)
def test_a_point_is_docked_when_60_percent_differ(answers: str, docked: int) -> None:
    assert score_consistency([run(answer, golds=["a"]) for answer in answers])["docked"] == docked


@pytest.mark.parametrize(("answers", "right"), [("lung liver", 1), ("liver lung", 0), ("x liver lung lung liver", 0)])
def test_of_equally_frequent_answers_the_first_given_is_the_majority(answers: str, right: int) -> None:
    scores = score_consistency([run(answer, golds=["lung"]) for answer in answers.split()])
    assert scores["majority_accuracy"] == right


def test_runs_with_shuffled_options_are_compared_by_the_options_text() -> None:
    shown = [("Liver", "Lung"), ("Lung", "Liver"), ("Liver", "Lung")]
    same = score_consistency([[asked("1", "Lung", reply, o)] for reply, o in zip("BAB", shown, strict=True)])
    assert (same["all_same"], same["majority_accuracy"], same["docked"]) == (1, 1, 0)
    other = score_consistency([[asked("1", "Lung", "B", options)] for options in shown])
    assert (other["all_same"], other["agreement"]) == (0, pytest.approx(2 / 3))
    lettered = [asked("1", gold, gold, o) for gold, o in zip("BAB", shown, strict=True)]
    assert score_consistency([[one] for one in lettered])["mean_accuracy"] == 1


def test_a_reply_without_a_choice_is_wrong_and_compared_as_text() -> None:
    scores = score_consistency([[asked("1", "Heart", reply)] for reply in ("none!", "None", "heart")])
    assert scores["mean_accuracy"] == pytest.approx(1 / 3)
    assert scores["majority_accuracy"] == 0
    assert scores["agreement"] == pytest.approx(2 / 3)


def test_missing_answers_are_wrong_even_where_the_gold_is_empty() -> None:
    lost = replace(run("", golds=["?"])[0], missing=True)
    assert score_consistency([[lost], [lost]])["majority_accuracy"] == 0


def test_answers_of_other_scripts_are_told_apart() -> None:
    runs = [[replace(run(answer, golds=["肺"])[0], language="zh")] for answer in ("肺", "肝")]
    scores = score_consistency(runs)
    assert (scores["mean_accuracy"], scores["agreement"]) == (0.5, 0.5)


def test_runs_of_other_questions_are_errors() -> None:
    full = run("a", "b", "c")
    with pytest.raises(DataError, match="Run 2 has no answer to '2'"):
        score_consistency([full, full[:2]])
    with pytest.raises(DataError, match="Run 3 answers '2', which the first run does not"):
        score_consistency([full[:2], full[:2], full])
    with pytest.raises(DataError, match="at least two runs of the same questions, found 1"):
        score_consistency([full])
    with pytest.raises(DataError, match="the first run has none"):
        score_consistency([[], []])


TABLES = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.sampled_from(["yes", "no", "lung"]), min_size=n, max_size=n), min_size=2, max_size=7)
)


@given(TABLES, st.randoms())
def test_consistency_properties(table: list[list[str]], random: np.random.RandomState) -> None:
    golds = ["yes"] * len(table[0])
    runs = [run(*answers, golds=golds) for answers in table]
    scores = score_consistency(runs)
    assert 0 <= scores["all_same"] <= scores["agreement"] <= 1
    assert scores["agreement"] >= 1 / len(runs)
    assert scores["penalised_score"] == pytest.approx(scores["majority_accuracy"] - scores["docked"] / scores["n"])
    assert scores["mean_accuracy"] == pytest.approx(np.mean(np.array(table) == "yes"))
    rows = list(zip(*runs, strict=True))
    random.shuffle(rows)
    assert score_consistency([list(column) for column in zip(*rows, strict=True)]) == pytest.approx(scores)
    twice = score_consistency([runs[0], runs[0]])
    assert twice["all_same"] == twice["agreement"] == 1
    assert twice["docked"] == twice["sd_accuracy"] == 0

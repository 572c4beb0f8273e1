"""Plain tables: columns found by name, whatever the file is written in."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_files import delimited, json_document, json_lines, row

from radvqa import files
from radvqa.errors import DataError
from radvqa.prediction import Prediction, read_predictions, write_predictions
from radvqa.prediction_files import read
from radvqa.prediction_files.columns import OURS, SYNONYMS
from radvqa.prediction_files.layout import LAYOUTS

FULL = Prediction(
    id="7",
    question="Which organ?",
    answer="Lung",
    prediction="Liver",
    answer_type="OPEN",
    question_type="Organ",
    image="a.png",
    case="p1",
    organ="Chest",
    modality="CT",
    language="zh",
    twin="8",
    answer_seen=True,
    confidence=0.25,
    candidates=(("Liver", 0.25), ("Lung", 0.125)),
    options=("Lung", "Liver"),
    answer_count=3,
    question_seen=False,
)


def test_our_own_file_comes_back_as_it_was(tmp_path: Path) -> None:
    gone = Prediction("9", "?", "Yes", "", "CLOSED", missing=True)
    write_predictions(tmp_path / "own.jsonl", [FULL, gone])
    found = read(tmp_path / "own.jsonl")
    assert (found.predictions, found.layout) == ([FULL, gone], "radvqa")
    assert found.notes == ["1 of the 2 answers in the file are missing; they count as wrong."]
    assert read_predictions(tmp_path / "own.jsonl") == [FULL, gone]


def test_a_table_of_text_says_the_same_as_json(tmp_path: Path) -> None:
    values = {**{name: getattr(FULL, name) for name in OURS}, "missing": False}
    cells = [json.dumps(v) if isinstance(v, tuple) else v for v in values.values()]
    path = delimited(tmp_path / "all.tsv", list(values), cells, separator="\t")
    assert read(path).predictions == [FULL]


@pytest.mark.parametrize(("ours", "theirs"), [(o, t) for o, others in SYNONYMS.items() for t in others])
def test_every_known_name_is_read_and_said(tmp_path: Path, ours: str, theirs: str) -> None:
    values = {"confidence": 0.5, "candidates": [["no", 0.5]], "options": ["a", "b"], "answer_count": 4}
    value = values.get(ours, "CLOSED" if ours == "answer_type" else "x1")
    given_row = row(**{ours: ...})
    path = json_lines(tmp_path / "a.jsonl", {**given_row, theirs: value})
    found = read(path, layout="table")
    expected = {"candidates": (("no", 0.5),), "options": ("a", "b")}.get(ours, value)
    assert getattr(found.predictions[0], ours) == expected
    assert f"Columns were read by meaning: {theirs!r} as {ours}." in found.notes


def test_names_are_found_in_any_case_and_with_spaces(tmp_path: Path) -> None:
    path = delimited(
        tmp_path / "a.csv", ["ID", "Question", "Answer", "Model Answer", "Answer-Type"], [1, "?", 2, 3, "open"]
    )
    assert read(path).predictions == [Prediction("1", "?", "2", "3", "OPEN")]


def test_unknown_columns_are_named_in_one_note(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(seconds=1), row(id="2", bytes=2))
    assert read(path).notes == ["Columns that were not used: seconds, bytes."]
    many = json_lines(tmp_path / "b.jsonl", row(**{f"x{n}": n for n in range(15)}))
    assert read(many).notes == [f"Columns that were not used: {', '.join(f'x{n}' for n in range(12))} and 3 more."]


def test_two_names_for_what_is_scored_must_be_told_apart(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(prediction=..., output="A", response="B"))
    with pytest.raises(
        DataError, match=r"'response' and 'output' may both be prediction.*--columns prediction=response"
    ):
        read(path)
    assert read(path, columns={"prediction": "output"}).predictions[0].prediction == "A"


def test_our_own_name_wins_over_a_synonym(tmp_path: Path) -> None:
    found = read(json_lines(tmp_path / "a.jsonl", row(pred="other")))
    assert (found.predictions[0].prediction, found.notes) == ("no", ["Columns that were not used: pred."])


def test_a_row_of_slake_with_an_answer_beside_it_is_enough(tmp_path: Path) -> None:
    slake = {"img_id": 1, "img_name": "xmlab1/source.jpg", "question": "What modality?", "answer": "CT", "q_lang": "EN"}
    rest = {"location": "Lung", "modality": "CT", "answer_type": "OPEN", "content_type": "Modality", "qid": 11}
    (found,) = read(json_document(tmp_path / "a.json", [{**slake, **rest, "pred": "MRI"}])).predictions
    assert (found.id, found.image, found.organ, found.language) == ("11", "xmlab1/source.jpg", "Lung", "en")


def test_the_user_names_columns_and_leaves_one_unread(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(prediction=..., answer_type=..., type="presence", mine="yes"))
    found = read(path, columns={"prediction": "mine", "answer_type": ""})
    assert found.predictions == [Prediction("1", "Is it there?", "Yes", "yes", "CLOSED")]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"predicton": "pred"}, "'predicton' is not a column of predictions; did you mean 'prediction'"),
        ({"prediction": "predd"}, "has no column 'predd' to read as prediction; did you mean 'pred'"),
    ],
)
def test_columns_that_are_not_there(tmp_path: Path, columns: dict[str, str], message: str) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(prediction=..., pred="x"))
    with pytest.raises(DataError, match=message):
        read(path, columns=columns)


def test_columns_of_our_own_file_may_be_exchanged_but_must_exist(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", row())
    (found,) = read(path, columns={"prediction": "question"}).predictions
    assert (found.prediction, found.question) == ("Is it there?", "Is it there?")
    with pytest.raises(DataError, match="has no column 'predd' to read as prediction"):
        read(path, columns={"prediction": "predd"})


@pytest.mark.parametrize("key", ["predictions", "results", "data", "samples", "whatever"])
def test_json_may_wrap_the_list_of_rows(tmp_path: Path, key: str) -> None:
    path = json_document(tmp_path / "a.json", {"model": "m", "scores": {"a": 1}, key: [row(), row(id="2")]})
    assert [p.id for p in read(path).predictions] == ["1", "2"]


def test_json_on_one_line_and_json_lines_are_told_apart(tmp_path: Path) -> None:
    files.write_text(tmp_path / "one.json", json.dumps({"results": [row(), row(id="2")]}))
    files.write_text(tmp_path / "lines.json", json.dumps(row()) + "\n" + json.dumps(row(id="2")) + "\n")
    files.write_text(tmp_path / "lines.txt", json.dumps(row()) + "\n")
    assert [len(read(tmp_path / name).predictions) for name in ("one.json", "lines.json", "lines.txt")] == [2, 2, 1]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_any_line_ending_with_or_without_a_byte_order_mark(tmp_path: Path, ending: str, mark: bytes, form: str) -> None:
    lines = ["id,question,answer,pred", '1,"a, b",yes,no', "2,?,2,3"]
    if form == "jsonl":
        lines = [
            json.dumps({"id": "1", "question": "a, b", "answer": "yes", "pred": "no"}),
            "",
            '{"id": 2, "question": "?", "answer": 2, "pred": 3}',
        ]
    path = tmp_path / f"a.{form}"
    files.write_bytes(path, mark + ending.join(lines).encode())
    assert read(path).predictions == [
        Prediction("1", "a, b", "yes", "no", "CLOSED"),
        Prediction("2", "?", "2", "3", "OPEN"),
    ]


@pytest.mark.parametrize(("separator", "name"), [(";", "a.csv"), ("\t", "a.csv"), ("\t", "a.txt"), ("\t", "a.tsv")])
def test_other_separators(tmp_path: Path, separator: str, name: str) -> None:
    path = delimited(
        tmp_path / name, ["id", "question", "answer", "pred"], ["1", "a\nb\t;", "x", "y"], separator=separator
    )
    assert read(path).predictions == [Prediction("1", "a\nb\t;", "x", "y", "OPEN")]


def test_what_is_not_given_is_inferred_and_said(tmp_path: Path) -> None:
    rows = [
        {"answer": "Yes", "pred": "a"},
        {"answer": "没有", "pred": "b"},
        {"answer": "No.", "pred": "c"},
        {"answer": "Lung", "pred": "d"},
        {"answer": "B", "pred": "e", "choices": ["x", "y"]},
    ]
    found = read(json_lines(tmp_path / "a.jsonl", *rows))
    assert [p.id for p in found.predictions] == ["1", "2", "3", "4", "5"]
    assert [p.answer_type for p in found.predictions] == ["CLOSED", "CLOSED", "CLOSED", "OPEN", "CLOSED"]
    assert found.predictions[4].options == ("x", "y")
    assert found.notes == [
        "Columns were read by meaning: 'pred' as prediction, 'choices' as options.",
        "There are no ids, so the questions are numbered in the order of the file.",
        "5 of 5 rows have no question.",
        "The answer type of 5 of 5 questions was inferred: CLOSED where the gold answer says yes or no or there are "
        "options, else OPEN.",
    ]


@pytest.mark.parametrize("label", ["CLOSED", "closed ", " Closed", "closed-ended", "Closed_Ended", "yes/no", "YES/NO"])
def test_spellings_of_closed(tmp_path: Path, label: str) -> None:
    assert read(json_lines(tmp_path / "a.jsonl", row(answer_type=label))).predictions[0].answer_type == "CLOSED"


@pytest.mark.parametrize("label", ["OPEN", "open ", "open-ended", "Open Ended"])
def test_spellings_of_open(tmp_path: Path, label: str) -> None:
    assert read(json_lines(tmp_path / "a.jsonl", row(answer_type=label))).predictions[0].answer_type == "OPEN"


def test_missing_answers_are_told_from_the_words_for_them(tmp_path: Path) -> None:
    written = ["null", "NaN", "-Infinity", None, '"nan"', '"None"', '""', '"null"']
    keys = [f', "pred": {value}' if value else "" for value in written]
    lines = [f'{{"id": {number}, "answer": "x"{key}}}' for number, key in enumerate(keys)]
    files.write_text(tmp_path / "a.jsonl", "\n".join(lines))
    found = read(tmp_path / "a.jsonl")
    assert [p.missing for p in found.predictions] == [True] * 4 + [False] * 4
    assert [p.prediction for p in found.predictions] == [""] * 4 + ["nan", "None", "", "null"]
    assert "4 of the 8 answers in the file are missing; they count as wrong." in found.notes


def test_an_empty_cell_is_a_missing_answer(tmp_path: Path) -> None:
    path = delimited(tmp_path / "a.csv", ["id", "answer", "pred"], [1, "x", ""], [2, "x", "nan"], [3, "x", "None"])
    assert [(p.prediction, p.missing) for p in read(path).predictions] == [("", True), ("nan", False), ("None", False)]


def test_long_answers_and_every_script_survive(tmp_path: Path) -> None:
    texts = [
        "x" * 1_000_000,
        "שלום עולם",
        "مرحبا \u202eabc",
        "👩🏽‍⚕️ 🫁",
        "<b>&amp;</b>",
        'a "quoted"\nline',
        "a\u2028b",
    ]
    rows = [[n, "gold", text] for n, text in enumerate(texts)]
    paths = [
        delimited(tmp_path / "a.csv", ["id", "answer", "pred"], *rows),
        delimited(tmp_path / "a.tsv", ["id", "answer", "pred"], *rows, separator="\t"),
        json_lines(tmp_path / "a.jsonl", *({"id": n, "answer": g, "pred": p} for n, g, p in rows)),
        json_document(tmp_path / "a.json", [{"id": n, "answer": g, "pred": p} for n, g, p in rows]),
    ]
    for path in paths:
        assert [p.prediction for p in read(path).predictions] == texts


def test_half_an_emoji_is_replaced_because_no_file_can_hold_it(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a.jsonl", '{"id": 1, "answer": "a", "pred": "\\ud83d cut, \\ud83e\\udec1 whole"}\n')
    assert read(tmp_path / "a.jsonl").predictions[0].prediction == "\ufffd cut, 🫁 whole"


def test_equal_texts_are_one_object(tmp_path: Path) -> None:
    rows = [row(id=str(n), image="xmlab1/source.jpg", candidates=[["a lung", 0.5]]) for n in range(2)]
    for one, other in (
        read(json_lines(tmp_path / "a.jsonl", *rows)).predictions,
        read_predictions(tmp_path / "a.jsonl"),
    ):
        assert one.image is other.image
        assert one.question is other.question
        assert one.candidates[0][0] is other.candidates[0][0]


@pytest.mark.parametrize(
    ("key", "value", "read_as"),
    [
        ("confidence", float("nan"), None),
        ("confidence", 1.0000001, 1.0),
        ("confidence", 1, 1.0),
        ("candidates", None, ()),
        ("options", {"B": "lung", "A": "liver"}, ("liver", "lung")),
        ("options", '["liver", "lung"]', ("liver", "lung")),
        ("answer_count", None, None),
        ("id", 12.0, "12"),
        ("answer", 2, "2"),
    ],
)
def test_values_in_other_forms(tmp_path: Path, key: str, value: Any, read_as: Any) -> None:
    (found,) = read(json_lines(tmp_path / "a.jsonl", row(**{key: value}))).predictions
    assert getattr(found, key) == read_as


TEXT = st.text(min_size=1, max_size=30)
ROWS = st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5)


@given(rows=ROWS, form=st.sampled_from(["jsonl", "json", "csv", "tsv"]))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(tmp_path: Path, rows: list[tuple[str, str, str]], form: str) -> None:
    path = tmp_path / f"a.{form}"
    names = ["id", "question", "answer", "prediction"]
    numbered = [[n, *texts] for n, texts in enumerate(rows)]
    if form == "jsonl":
        json_lines(path, *(dict(zip(names, texts, strict=True)) for texts in numbered))
    elif form == "json":
        json_document(path, [dict(zip(names, texts, strict=True)) for texts in numbered])
    else:
        delimited(path, names, *numbered, separator="\t" if form == "tsv" else ",")
    assert [(p.question, p.answer, p.prediction) for p in read(path).predictions] == rows


PAGE = (Path(__file__).parents[2] / "docs" / "prediction_files.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^## `(\w+)`$.*?^```(json|csv)$\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_documentation_shows_every_layout() -> None:
    assert sorted(name for name, _, _ in EXAMPLES) == list(LAYOUTS)


@pytest.mark.parametrize(("name", "form", "example"), EXAMPLES)
def test_examples_of_the_documentation_are_read_as_what_they_show(
    tmp_path: Path, name: str, form: str, example: str
) -> None:
    path = tmp_path / ("example.csv" if form == "csv" else "example.jsonl")
    files.write_text(path, example)
    found = read(path)
    assert found.layout == name
    assert len(found.predictions) == example.count("\n") - (form == "csv")
    assert [p.answer for p in found.predictions[:1]] == ["A" if name == "vlmevalkit" else "Lung"]

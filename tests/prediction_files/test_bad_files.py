"""Bad input: one sentence that names the file, the place and the way out."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_files import delimited, json_document, json_lines, row

from radvqa import files
from radvqa.errors import DataError
from radvqa.prediction import Prediction, read_predictions
from radvqa.prediction_files import read
from radvqa.prediction_files.columns import OURS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "is empty"),
        ("a.csv", b"\n\n", "holds no predictions"),
        ("a.csv", b"id,answer,prediction\n", "holds no predictions"),
        ("a.json", b"[]", "holds no predictions"),
        ("a.json", b'{"a": 1,\n"b": []}', "holds no list of objects"),
        ("a.json", b'{"a": [{"x": 1}],\n"b": [{"y": 1}]}', "holds several lists \\(a, b\\)"),
        ("a.json", b'[{"id": 1},\n 2]', "row 2: expected a JSON object, found int"),
        ("a.json", b'[{"id": 1},\n', "is not valid JSON: Expecting value at line 2, column 1"),
        ("a.jsonl", b'{"id": 1, "answer": "a", "prediction": "b"}\n{"id": 2,\n', "line 2 is not valid JSON"),
        ("a.jsonl", b'{"id": 1}\n[1]\n', "line 2: expected a JSON object, found list"),
        ("a.jsonl", b'{"id": ' + b"1" * 5000 + b"}\n", "line 1 is not valid JSON: a number in it is too long"),
        ("a.jsonl", b'{"id": ' + b"[" * 100_000 + b"\n", "line 1 is not valid JSON"),
        ("a.jsonl", b'{"id": 1, "answer": "a", "pred": "b"}\n{"id": "\xff"}\n', "line 2 is not UTF-8 text"),
        ("a.csv", b"id,answer,prediction\n1,a,b\n2,caf\xe9,b\n", "line 3 is not UTF-8 text"),
        ("a.csv", "id,answer\n1,a\n".encode("utf-16"), "line 1 is not UTF-8 text"),
        ("a.csv", b"id,answer,prediction\n1,a,b\n2,b\n", "line 3: the row has 2 cells, but the header names 3"),
        ("a.csv", b'id,answer,prediction\n1,"a\nb",c\n2,"a,b\n', "line 4: a quotation mark is not closed"),
        ("a.csv", b"id,answer,answer\n1,a,b\n", "two columns named 'answer'"),
        (
            "a.csv",
            b'"a\nb' + b"c" * 2_000 + b'",answer\n1,2\n',
            "no column with the model's answers; its columns are a bc",
        ),
        ("a.pkl", b"\x80\x04", "is a pickle, and reading one can run code"),
        ("a.xlsx", b"PK no workbook", "is not an Excel workbook"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    files.write_bytes(path, content)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_folder_and_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder; name a file"):
        read(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / "gone.csv")


BAD_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"prediction": True}, "'prediction' must be text, found True"),
    ({"prediction": ["a"]}, "'prediction' must be text, found \\['a'\\]"),
    ({"answer": {"a": 1}}, "'answer' must be text"),
    ({"question": ["x" * 1_000_000]}, "'question' must be text, found \\['x{55}…\\.$"),
    ({"image": False}, "'image' must be text, found False"),
    ({"organ": ["Lung"]}, "'organ' must be text"),
    ({"answer_type": "maybe"}, "answer_type must be one of OPEN, CLOSED, found 'maybe'"),
    ({"answer_type": 3}, "answer_type must be one of OPEN, CLOSED, found 3"),
    ({"confidence": "high"}, "'confidence' must be a probability from 0 to 1, found 'high'"),
    ({"confidence": 1.5}, "'confidence' must be a probability from 0 to 1, found 1.5"),
    ({"confidence": -0.1}, "'confidence' must be a probability"),
    ({"confidence": True}, "'confidence' must be a probability"),
    ({"candidates": "yes"}, "must be"),
    ({"candidates": [["yes"]]}, "candidates must be a list of \\[answer, probability from 0 to 1\\]"),
    ({"candidates": [["yes", 2]]}, "candidates must be a list"),
    ({"candidates": [["yes", float("nan")]]}, "candidates must be a list"),
    ({"candidates": {"yes": 0.5}}, "candidates must be a list"),
    ({"candidates": 0.5}, "candidates must be a list"),
    ({"options": 4}, "options must be a list of texts"),
    ({"options": ["a", None]}, "'options' must be text"),
    ({"answer_count": -1}, "'answer_count' must be a whole number of 0 or more"),
    ({"answer_count": 1.5}, "'answer_count' must be a whole number"),
    ({"question_seen": "often"}, "'question_seen' must be true or false, found 'often'"),
    ({"missing": "often"}, "'missing' must be true or false"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_VALUES)
@pytest.mark.parametrize("reader", [read, read_predictions])
def test_values_of_the_wrong_type(tmp_path: Path, reader: Any, changes: dict[str, Any], message: str) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(), row(id="2", **changes))
    with pytest.raises(DataError, match=message) as caught:
        reader(path)
    assert str(caught.value).startswith(f"{path}, line 2: ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": None}, "line 2: there is no gold answer"),
        ({"id": None}, "line 2: there is no id"),
        ({"options": "a b"}, "line 2: a list must be written as JSON, found 'a b'"),
        ({"id": "1"}, "line 2: the id '1' was already used in this file, at .*a.jsonl, line 1"),
        ({"id": 1}, "line 2: the id '1' was already used in this file"),
    ],
)
def test_rows_that_do_not_hold_what_is_needed(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(), {**row(id="2"), **changes})
    with pytest.raises(DataError, match=message):
        read(path)


def test_a_repeated_id_names_both_lines_in_our_own_files_too(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(), row(id="2"), row(id="1"))
    with pytest.raises(DataError, match="line 3: the id '1' was already used in this file, in line 1"):
        read_predictions(path)


def test_bad_values_in_a_table_name_the_line_where_the_row_begins(tmp_path: Path) -> None:
    columns = ["id", "question", "answer", "pred", "confidence"]
    path = delimited(tmp_path / "a.csv", columns, [1, "a\nb\nc", "x", "y", 0.5], [2, "?", "x", "y", "much"])
    with pytest.raises(DataError, match="line 5: 'confidence' must be a probability from 0 to 1, found 'much'"):
        read(path)


@pytest.mark.parametrize(("left_out", "what"), [("prediction", "the model's answers"), ("answer", "the gold answers")])
def test_a_column_that_is_needed(tmp_path: Path, left_out: str, what: str) -> None:
    path = json_lines(tmp_path / "a.jsonl", row(**{left_out: ...}))
    with pytest.raises(
        DataError, match=f"has no column with {what}; its columns are id, .*--columns {left_out}=COLUMN"
    ):
        read(path)


def test_unknown_layouts(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", row())
    with pytest.raises(DataError, match="There is no layout 'lmms-eval'; did you mean 'lmms_eval'"):
        read(path, layout="lmms-eval")
    with pytest.raises(DataError, match="is not laid out as evalscope; its columns are id, question"):
        read(path, layout="evalscope")


GOLD = [
    Prediction("1", "Is it there?", "Yes", "", "CLOSED", image="a.png", organ="Lung", answer_count=5),
    Prediction("2", "Which organ?", "Lung", "", "OPEN", image="a.png"),
    Prediction("3", "Which organ?", "Liver", "", "OPEN", image="b.png"),
]


def test_gold_from_elsewhere_is_joined_by_id_in_its_own_order(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path / "a.jsonl", {"qid": 3, "response": "Liver", "confidence": 0.5}, {"qid": 1, "response": None}
    )
    found = read(path, gold=GOLD)
    assert [(p.id, p.prediction, p.missing) for p in found.predictions] == [
        ("1", "", True),
        ("2", "", True),
        ("3", "Liver", False),
    ]
    assert (found.predictions[0].organ, found.predictions[0].answer_count) == ("Lung", 5)
    assert found.predictions[2].confidence == 0.5
    assert found.notes[-2:] == [
        "1 of the 2 answers in the file are missing; they count as wrong.",
        "1 of the 3 questions of the gold have no answer; they count as wrong.",
    ]


def test_gold_in_a_file_of_another_layout_joined_by_image_and_question(tmp_path: Path) -> None:
    gold = json_document(
        tmp_path / "test.json",
        [{"qid": 5, "img_name": g.image, "question": g.question, "answer": g.answer} for g in GOLD[:1]]
        + [{"qid": n, "img_name": "c.png", "question": "Same?", "answer": "No"} for n in (6, 7)],
    )
    columns = ["image", "question", "pred"]
    rows = [["c.png", "Same?", "one"], ["a.png", "Is it there? ", "yes"], ["c.png", "Same?", "two"]]
    found = read(delimited(tmp_path / "a.csv", columns, *rows), gold=gold)
    assert [(p.id, p.answer, p.prediction) for p in found.predictions] == [
        ("5", "Yes", "yes"),
        ("6", "No", "one"),
        ("7", "No", "two"),
    ]
    assert any(note.startswith("The answer type of 3 of 3 questions was inferred") for note in found.notes)
    with pytest.raises(DataError, match=r"'c.png' and 'Same\?' is answered more often than"):
        read(delimited(tmp_path / "b.csv", columns, *rows, rows[0]), gold=gold)


def test_gold_answers_that_differ_are_said(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", *(row(id=g.id, answer="Yes") for g in GOLD))
    found = read(path, gold=GOLD)
    assert [p.answer for p in found.predictions] == ["Yes", "Lung", "Liver"]
    assert found.notes == ["2 gold answers differ between the files; those of the gold are used."]


def test_answers_that_belong_to_no_question(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.jsonl: '4' is not among the 3 questions of the gold"):
        read(json_lines(tmp_path / "a.jsonl", row(id="1"), row(id="4")), gold=GOLD)
    with pytest.raises(DataError, match="cannot be laid beside the gold: one of them has no ids"):
        read(json_lines(tmp_path / "b.jsonl", {"pred": "yes"}), gold=GOLD)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = "pred doc_id doc target filtered_resps resps input slake_accuracy index A B category sample_score model_output"
KEYS = st.sampled_from([*OURS, *NAMES.split(), "messages", "metadata", "choices", "raw_input", "answer_id"])
SCORE = st.fixed_dictionaries({"score": st.dictionaries(st.sampled_from(["prediction", "extracted_prediction"]), JSON)})
LOGGED = st.fixed_dictionaries({"index": JSON, "sample_score": JSON | SCORE}) | st.fixed_dictionaries(
    {"doc_id": JSON, "filtered_resps": JSON, "target": JSON}
)
ROWS = st.lists(st.dictionaries(KEYS, JSON) | LOGGED, min_size=1, max_size=3)


def refusal(path: Path) -> str:
    """What was said against the file; empty when it was read."""
    try:
        found = read(path)
    except DataError as error:
        return str(error)
    assert all(isinstance(p.prediction, str) and isinstance(p.question, str) for p in found.predictions)
    return ""


def is_one_sentence(message: str, path: Path) -> bool:
    return not message or (str(path) in message and "\n" not in message and len(message) < 1_000)


@given(rows=ROWS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_read_or_refused_in_a_sentence(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert is_one_sentence(refusal(path), path)


@given(content=st.binary(max_size=60) | st.text(alphabet='{}[]":,;\n\r\t a1\ufeff\x00', max_size=60).map(str.encode))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.txt", "a.xlsx"])
def test_any_bytes_are_read_or_refused_in_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert is_one_sentence(refusal(path), path)

"""Sample logs of evaluation harnesses: small made-up files in exactly the layouts that their writers produce."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from made_files import delimited, json_document, json_lines

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.prediction_files import read

HASHES = {"doc_hash": "d0", "prompt_hash": "p0", "target_hash": "t0"}
POST_PROMPT = "\nAnswer the question using a single word or phrase."


def lmms_sample(number: int, answer: str, reply: str, **changes: Any) -> dict[str, Any]:
    """As ``save_results_samples`` leaves it for the task ``slake``: no ``doc``, a record under every metric."""
    record = {
        "id": f"1{number}",
        "prediction": reply,
        "prediction_normalized": reply.lower(),
        "target": answer,
        "target_normalized": answer.lower(),
        "language": "en",
        "answer_type": "open",
        "modality": "ct",
        "content_type": "organ",
        "is_correct": False,
    }
    sample = {
        "doc_id": number,
        "target": answer,
        "filtered_resps": [reply],
        **HASHES,
        "slake_accuracy": record,
        "slake_open_accuracy": record,
        "input": f"Which organ is shown?{POST_PROMPT}",
    }
    return {**sample, **changes}


def test_lmms_eval_samples_of_slake(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path / "20260101_samples_slake.jsonl", lmms_sample(0, "Lung", "Liver"), lmms_sample(1, "2", "2")
    )
    found = read(path)
    assert found.layout == "lmms_eval"
    assert found.predictions[0] == Prediction(
        "10", f"Which organ is shown?{POST_PROMPT}", "Lung", "Liver", "OPEN", question_type="organ", modality="ct"
    )
    assert found.notes == ["The log keeps no plain questions, so the prompts stand for them."]


def test_lmms_eval_samples_that_kept_their_document(tmp_path: Path) -> None:
    doc = {"question": "Is it there?", "answer": "yes", "answer_type": "CLOSED", "qid": 7, "img_name": "a.jpg"}
    samples = [
        {
            "doc_id": 0,
            "doc": doc,
            "target": "yes",
            "arguments": [["prompt", {}]],
            "resps": [["Yes."]],
            "exact_match": 0,
        },
        {"doc_id": 1, "doc": {**doc, "qid": 8}, "target": "yes", "filtered_resps": [["a", "b"]], "resps": [["a", "b"]]},
        {"doc_id": 2, "doc": {**doc, "qid": 9, "answer_type": "float"}, "target": "no", "filtered_resps": []},
    ]
    for path in (
        json_lines(tmp_path / "a.jsonl", *samples),
        json_document(tmp_path / "a.json", {"args": {}, "logs": samples}),
    ):
        found = read(path)
        assert [(p.id, p.question, p.prediction, p.missing, p.image) for p in found.predictions] == [
            ("7", "Is it there?", "Yes.", False, "a.jpg"),
            ("8", "Is it there?", "a", False, "a.jpg"),
            ("9", "Is it there?", "", True, "a.jpg"),
        ]
        assert "1 questions have several responses; the first of each is scored." in found.notes
        assert any("answer type of 1 of 3 questions was inferred" in note for note in found.notes)


def test_lmms_eval_prompts_inside_lists_and_columns_inside_objects(tmp_path: Path) -> None:
    sample = lmms_sample(0, "Lung", "Liver", input=["Where?", {"until": ["\n"]}])
    path = json_lines(tmp_path / "a.jsonl", sample)
    assert read(path).predictions[0].question == "Where?"
    found = read(path, columns={"id": "doc_id", "prediction": "slake_accuracy.prediction_normalized"})
    assert (found.predictions[0].id, found.predictions[0].prediction) == ("0", "liver")
    unread = read(path, columns={"id": "", "modality": ""}).predictions[0]
    assert (unread.id, unread.modality) == ("1", "")
    with pytest.raises(DataError, match=r"no row has 'slake.accuracy' to read as prediction"):
        read(path, columns={"prediction": "slake.accuracy"})
    with pytest.raises(DataError, match="'predict' is not a column of predictions"):
        read(path, columns={"predict": "target"})


def test_lmms_eval_likelihoods_are_no_answers(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", lmms_sample(0, "A", "", filtered_resps=[[-1.5, False], [-0.5, True]]))
    with pytest.raises(DataError, match="line 1: the responses are log-likelihoods of choices, not answers"):
        read(path)


KIT = [
    "index",
    "question",
    "A",
    "B",
    "C",
    "D",
    "answer",
    "category",
    "l2-category",
    "split",
    "image_path",
    "prediction",
]
KIT_ROWS: list[list[Any]] = [
    [0, "Which organ?", "Lung", "Liver", "Heart", None, "B", "organ", "all", "test", "/data/0.jpg", "The answer is B."],
    [1, "Is it there?", "yes", "no", None, None, "A", "finding", "all", "test", "/data/1.jpg", None],
    [
        2,
        "Where?",
        "left",
        "right",
        None,
        None,
        "A",
        "place",
        "all",
        "test",
        "/data/1.jpg",
        "Failed to obtain answer via API.",
    ],
]
KIT_READ = [
    Prediction(
        "0",
        "Which organ?",
        "B",
        "The answer is B.",
        "CLOSED",
        "organ",
        "/data/0.jpg",
        options=("Lung", "Liver", "Heart"),
    ),
    Prediction("1", "Is it there?", "A", "", "CLOSED", "finding", "/data/1.jpg", options=("yes", "no"), missing=True),
    Prediction("2", "Where?", "A", "", "CLOSED", "place", "/data/1.jpg", options=("left", "right"), missing=True),
]


def write_workbook(path: Path, *rows: list[Any]) -> Path:
    book = importlib.import_module("openpyxl").Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("form", ["tsv", "csv", "json", "xlsx"])
def test_vlmevalkit_tables(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"model_set.{form}"
    if form == "xlsx":
        write_workbook(path, KIT, *KIT_ROWS)
    elif form == "json":
        nan = float("nan")  # as pandas leaves an empty cell
        json_document(path, [{k: nan if v is None else v for k, v in zip(KIT, r, strict=True)} for r in KIT_ROWS])
    else:
        delimited(path, KIT, *KIT_ROWS, separator="\t" if form == "tsv" else ",")
    found = read(path)
    assert (found.predictions, found.layout) == (KIT_READ, "vlmevalkit")
    assert "1 answers say 'Failed to obtain answer': VLMEvalKit got none, so they are missing." in found.notes
    assert "2 of the 3 answers in the file are missing; they count as wrong." in found.notes
    assert "Columns that were not used: l2-category, split." in found.notes


def test_vlmevalkit_table_of_yes_and_no_without_choices(tmp_path: Path) -> None:
    columns = ["index", "category", "question", "answer", "prediction"]
    path = delimited(tmp_path / "a.tsv", columns, [3, "position", "Left?", "Yes", "yes"], separator="\t")
    found = read(path, columns={"organ": "category"})
    assert found.predictions == [Prediction("3", "Left?", "Yes", "yes", "CLOSED", organ="position")]


def test_a_workbook_without_openpyxl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_workbook(tmp_path / "a.xlsx", KIT, *KIT_ROWS)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"a.xlsx is an Excel workbook, which needs openpyxl .*save it as CSV or TSV"):
        read(path)


ABOUT = {"qid": 41, "img_name": "xmlab1/source.jpg", "answer_type": "OPEN", "content_type": "Organ", "modality": "CT"}
PROMPT = 'Which organ?\nThe last line of your response must be of the form "ANSWER: <answer>" (without quotes).'


def review(index: int, **changes: Any) -> dict[str, Any]:
    """As ``ReviewResult`` is written since version 1.0."""
    score = {
        "value": {"acc": 1.0},
        "extracted_prediction": "Lung",
        "prediction": "I see a lung.\nANSWER: Lung",
        "explanation": None,
        "metadata": {},
        "main_score_name": "acc",
    }
    made = {
        "index": index,
        "input": f"![image](data:image/jpeg;base64,AAAA)\n{PROMPT}",
        "target": "Lung",
        "sample_score": {
            "score": score,
            "sample_id": index,
            "group_id": index,
            "sample_metadata": {**ABOUT, "qid": 41 + index},
        },
    }
    return {**made, **changes}


def test_evalscope_reviews(tmp_path: Path) -> None:
    bare = {"score": {"value": {"acc": 0.0}, "extracted_prediction": None, "prediction": None}, "sample_metadata": None}
    parts = [{"type": "image", "image": "AAAA"}, {"type": "text", "text": "Is it there?"}]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}]
    path = json_lines(
        tmp_path / "slake_en_open.jsonl", review(0), review(1, sample_score=bare, input=messages, target="Yes")
    )
    found = read(path)
    assert found.layout == "evalscope"
    assert found.predictions == [
        Prediction("41", PROMPT, "Lung", "Lung", "OPEN", "Organ", "xmlab1/source.jpg", modality="CT"),
        Prediction("1", "Is it there?", "Yes", "", "CLOSED", missing=True),
    ]
    assert any(note.startswith("What is scored is the answer that EvalScope extracted") for note in found.notes)


def test_evalscope_whole_replies_when_asked_for(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", review(0))
    found = read(path, columns={"prediction": "sample_score.score.prediction"})
    assert found.predictions[0].prediction == "I see a lung.\nANSWER: Lung"
    assert found.notes == ["The file keeps no plain questions, so the prompts stand for them."]


def test_evalscope_predictions_need_gold_from_elsewhere(tmp_path: Path) -> None:
    content = [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Lung"}]
    output = {"model": "m", "choices": [{"message": {"role": "assistant", "content": content}, "stop_reason": "stop"}]}
    row = {
        "index": 0,
        "model": "m",
        "model_output": output,
        "messages": [{"role": "user", "content": "Which organ?"}],
        "metadata": ABOUT,
    }
    path = json_lines(tmp_path / "a.jsonl", row)
    with pytest.raises(DataError, match="line 1: there is no gold answer"):
        read(path)
    (found,) = read(path, gold=[Prediction("41", "Which organ?", "Lung", "", "OPEN")]).predictions
    assert (found.prediction, found.answer, found.question) == ("Lung", "Lung", "Which organ?")


def test_evalscope_reviews_before_version_1(tmp_path: Path) -> None:
    def old(index: int, gold: str, **reviewed: Any) -> dict[str, Any]:
        message = {"role": "assistant", "content": "The answer is A"}
        choice = {"index": 0, "message": message, "review": {"gold": gold, "result": True, **reviewed}}
        raw = {"id": f"q{index}", "question": "Which organ?", "answer": "A"}
        return {"choices": [choice], "raw_input": raw, "index": index, "answer_id": "answer-1", "reviewed": True}

    path = json_lines(tmp_path / "a.jsonl", old(0, "B", pred="A"), old(1, "*Same as Input*"))
    found = read(path)
    assert found.layout == "evalscope"
    assert [(p.id, p.question, p.answer, p.prediction) for p in found.predictions] == [
        ("q0", "Which organ?", "B", "A"),
        ("q1", "Which organ?", "A", "The answer is A"),
    ]
    whole = read(path, columns={"prediction": "choices.0.message.content"})
    assert [p.prediction for p in whole.predictions] == ["The answer is A"] * 2


def test_json_of_any_of_them_may_hold_nan(tmp_path: Path) -> None:
    text = json.dumps(lmms_sample(0, "Lung", "x")).replace('["x"]', "[NaN]")
    path = tmp_path / "a.jsonl"
    path.write_text(text + "\n", encoding="utf-8")
    assert read(path).predictions[0].missing

"""The review sheet: what is on it, nasty texts there and back, mistakes in filled sheets, and what verdicts come to."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import answers, right

from radvqa.diagnosing import judgements
from radvqa.diagnosing.groups import cut
from radvqa.diagnosing.material import material
from radvqa.diagnosing.ranking import ranked
from radvqa.diagnosing.reasons import Reasoned, best_method, reasoned
from radvqa.diagnosing.sheet import COUNTED, VERDICTS, Row, sheet
from radvqa.diagnosing.sheet_file import COLUMNS, Judged, guarded, read, unguarded, written
from radvqa.errors import DataError
from radvqa.explaining.evidence.kept import KeptMaps, Measured

NASTY = [
    '=HYPERLINK("http://x")',
    "+1",
    "-1,2",
    "@SUM(A1)",
    "'=already",
    "''@twice",
    "'plain quote",
    'say "hi", twice\nand again; tab\there',
    "Lunge – 肺 🫁",
    "\tleading tab",
    "",
]


def filled(path: Path, rows: list[Row], verdicts: Mapping[str, tuple[str, ...]], delimiter: str = ",") -> Path:
    """Fill a sheet in as a spreadsheet does: id → verdict, reviewer and, if any, failure and comment."""
    table = list(csv.reader(io.StringIO(written(rows).removeprefix("\ufeff"), newline="")))
    places = {name: table[0].index(name) for name in COLUMNS}
    for cells in table[1:]:
        said = verdicts.get(unguarded(cells[places["id"]]), ())
        for name, text in zip(("verdict", "reviewer", "failure", "comment"), said, strict=False):
            cells[places[name]] = guarded(text)
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, delimiter=delimiter).writerows(table)
    return path


def rows(*texts: str) -> list[Row]:
    return [Row(f"q{n}", "a.png", text, text, text, 0.5, text) for n, text in enumerate(texts)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_nasty_texts_come_back(tmp_path: Path, delimiter: str) -> None:
    made = rows(*NASTY)
    said = {row.id: ("gold-wrong", "Ann", text, text) for row, text in zip(made, NASTY, strict=True)}
    back = read(filled(tmp_path / "sheet.csv", made, said, delimiter))
    assert [one.prediction for one in back] == NASTY
    assert [one.gold for one in back] == NASTY
    assert [one.comment for one in back] == [text.strip() for text in NASTY]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12, alphabet=st.sampled_from("'=+-@\t\r\nab,\"")))
def test_guarding_is_undone(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_no_cell_begins_as_a_formula() -> None:
    table = list(csv.reader(io.StringIO(written(rows(*NASTY)).removeprefix("\ufeff"), newline="")))
    assert all(not cell.startswith(("=", "+", "-", "@", "\t")) for line in table for cell in line)
    assert table[0] == list(COLUMNS)


def test_rows_without_a_verdict_are_left_out_and_case_does_not_matter(tmp_path: Path) -> None:
    said = {"q1": (" Model-Wrong ", "  Ann   B ")}
    back = read(filled(tmp_path / "sheet.csv", rows("a", "b", "c"), said))
    assert [(one.id, one.verdict, one.reviewer) for one in back] == [("q1", "model-wrong", "Ann B")]


def broken(change: Callable[[str], str], tmp_path: Path) -> str:
    path = filled(tmp_path / "sheet.csv", rows("a", "b"), {"q0": ("model-wrong", "Ann"), "q1": ("gold-wrong", "Ann")})
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DataError) as found:
        read(path)
    return str(found.value)


def test_mistakes_name_the_row(tmp_path: Path) -> None:
    assert "row 3: there is no verdict 'gold-wrng'; did you mean 'gold-wrong'?" in broken(
        lambda text: text.replace("gold-wrong", "gold-wrng"), tmp_path
    )
    assert "lacks the column verdict; a review sheet has id, image," in broken(
        lambda text: text.replace("verdict", "judgement"), tmp_path
    )
    assert "lacks the columns id, prediction, gold, verdict, reviewer" in broken(lambda text: "", tmp_path)
    assert "row 2: the column reviewer is empty" in broken(lambda text: text.replace("Ann", "", 1), tmp_path)
    assert "row 3: Ann judged 'q0' already in row 2" in broken(lambda text: text.replace("q1", "q0"), tmp_path)
    assert "row 3 has more cells than the first row" in broken(lambda text: text.rstrip() + ",more", tmp_path)
    assert "is not CSV" in broken(lambda text: text + '"open', tmp_path)


def test_the_sheet_has_its_reasons_and_a_random_part() -> None:
    made = material(answers(90, chance=lambda p: 0.2 if p.question_type == "Position" else 0.9))
    found = ranked(made, cut(made))
    chosen = sheet(made, found.failing, Reasoned(0, (), ()), 30)
    assert len(chosen) == 30
    assert len({row.id for row in chosen}) == 30
    assert chosen == sheet(made, found.failing, Reasoned(0, (), ()), 30)
    assert sum(COUNTED in row.why for row in chosen) >= 10
    assert any("group: Question type: Position" in row.why for row in chosen)
    assert any("the model is sure of it" in row.why for row in chosen)
    wrong = {p.id for p, ok in zip(made.predictions, right(made.predictions), strict=True) if not ok}
    assert {row.id for row in chosen} <= wrong
    assert [row.image for row in chosen] == sorted(row.image for row in chosen)
    few = material(answers(10))
    assert len(sheet(few, [], Reasoned(0, (), ()), 60)) == few.right.tolist().count(0.0)


def test_right_for_the_wrong_reason_by_hand() -> None:
    predictions = answers(2, chance=lambda p: 1.0)[:6]
    predictions[3:] = [
        replace(p, prediction="four", confidence=c) for p, c in zip(predictions[3:], (0.1, 0.9, 0.5), strict=True)
    ]
    measured = [
        Measured("", hit=0.0, energy=0.05, area=0.2),  # right, off target
        Measured("", hit=1.0, energy=0.6, area=0.2),  # right, on target
        Measured("", hit=0.0, energy=0.3, area=0.2),  # right, its peak off and its energy on: in neither list
        Measured("", hit=1.0, energy=0.6, area=0.2),  # wrong, on target
        Measured("", hit=1.0, energy=0.6, area=0.2),  # wrong, on target, and surer
        Measured("", hit=None),  # no labelled target
    ]
    made = material(predictions)
    ids = [p.id for p in predictions]
    made = material(predictions, maps=[replace(m, id=id_) for m, id_ in zip(measured, ids, strict=True)])
    found = reasoned(made)
    rows_of = {p.id: row for row, p in enumerate(made.predictions)}
    assert found.judged == 5
    assert found.right_off_target == (rows_of[ids[0]],)
    assert found.wrong_on_target == (rows_of[ids[4]], rows_of[ids[3]])


def test_the_best_maps_lie_most_in_their_targets() -> None:
    import numpy as np

    def kept(method: str, energy: float) -> KeptMaps:
        return KeptMaps(method, [Measured("q", hit=1.0, energy=energy, area=0.2)], np.zeros((1, 2, 2), np.float16))

    best = best_method([kept("a", 0.3), kept("b", 0.5), kept("c", 0.4)])
    assert best is not None
    assert best.method == "b"
    assert best_method([]) is None


def judged(id_: str, reviewer: str, verdict: str, **more: str) -> Judged:
    p = {p.id: p for p in answers(30)}[id_]
    return Judged(id_, reviewer, verdict, gold=p.answer, prediction=p.prediction, **more)


def test_verdicts_correct_the_accuracy_and_reviewers_are_compared() -> None:
    made = material(answers(30))
    wrong = [p.id for p in made.predictions if p.answer != p.prediction]
    before = 1 - len(wrong) / 120
    said = [
        judged(wrong[0], "Ann", "gold-wrong", why=COUNTED),
        judged(wrong[1], "Ann", "both-acceptable", why=f"group: x; {COUNTED}"),
        judged(wrong[2], "Ann", "model-wrong", failure="side"),
        judged(wrong[0], "Ben", "gold-wrong"),
        judged(wrong[1], "Ben", "model-wrong"),
        judged(wrong[3], "Ben", "question-unclear"),
    ]
    found = judgements.summary(made, said)
    assert found is not None
    assert found["reviewers"] == {"Ann": 3, "Ben": 3}
    # on wrong[1] they disagree, so it changes nothing
    assert found["verdicts"] == {"model-wrong": 1, "gold-wrong": 1, "question-unclear": 1, "unsettled": 1}
    assert (found["excluded"], found["counted_right"]) == (1, 0)
    assert found["accuracy"] == pytest.approx(before, abs=1e-6)
    assert found["corrected"] == pytest.approx((120 - len(wrong)) / 119, abs=1e-6)
    assert found["of_wrong"] == {"gold-wrong": 1, "unsettled": 1}
    assert found["failures"] == {"side": 1}
    # on two questions: the same on one; by chance 1/2 · 1/2 for gold-wrong; (0.5 − 0.25) / 0.75
    assert found["agreement"] == [
        {"reviewers": ("Ann", "Ben"), "pairs": 2, "same": 0.5, "kappa": pytest.approx(1 / 3, abs=1e-4)}
    ]
    alone = judgements.summary(made, said[:3])
    assert alone is not None
    assert (alone["counted_right"], alone["agreement"]) == (1, [])
    assert alone["corrected"] == pytest.approx((120 - len(wrong) + 1) / 119, abs=1e-6)


def test_nothing_judged_and_outdated_judgements() -> None:
    made = material(answers(30))
    assert judgements.summary(made, []) is None
    old = replace(judged(made.predictions[0].id, "Ann", "gold-wrong"), prediction="something else")
    assert judgements.summary(made, [old]) is None
    both = judgements.summary(made, [old, judged(made.predictions[1].id, "Ann", "model-wrong")])
    assert both is not None
    assert (both["judged"], both["outdated"]) == (1, 1)


def test_a_later_verdict_replaces_an_earlier_one(tmp_path: Path) -> None:
    first, later = (judged("q000-Organ", "Ann", verdict) for verdict in ("gold-wrong", "model-wrong"))
    other = judged("q000-Organ", "Ben", "gold-wrong")
    judgements.keep(tmp_path / "judged.jsonl", judgements.joined([first, other], [later]))
    assert judgements.kept(tmp_path / "judged.jsonl") == [later, other]
    assert judgements.kept(tmp_path / "none.jsonl") == []
    (tmp_path / "judged.jsonl").write_text('{"idd": 1}\n')
    with pytest.raises(DataError, match="is not a list of judgements"):
        judgements.kept(tmp_path / "judged.jsonl")


def test_another_runs_sheet_is_refused() -> None:
    made = material(answers(30))
    with pytest.raises(DataError, match="no question with the id 'zebra'; is it the sheet of another run"):
        judgements.require_known([Judged("zebra", "Ann", "model-wrong")], made, Path("x.csv"))
    odd = replace(judged("q000-Organ", "Ann", "model-wrong"), prediction="zebra")
    with pytest.raises(DataError, match="was judged with other answers"):
        judgements.require_known([odd], made, Path("x.csv"))


def test_every_verdict_is_a_sentence() -> None:
    assert all(said.endswith(".") and name == name.lower() for name, said in VERDICTS.items())

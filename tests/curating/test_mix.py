"""Checked pairs become a data set: shares, splits without leaks, a card, and a table that recipes read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_pairs import pair

from radvqa import files
from radvqa.commands.curate import mix_tables
from radvqa.curating import pair_table, steps
from radvqa.curating.mix import ANNEAL, TRAIN, VALIDATE, Source, mix
from radvqa.curating.pair import Pair
from radvqa.curating.selecting import Wanted, not_selected
from radvqa.data import registry
from radvqa.data.image import encode_png
from radvqa.errors import DataError


def pairs_of(name: str, count: int, split: str = "train", **more: Any) -> list[Pair]:
    return [
        pair(
            f"Q{n}?",
            "x",
            id=f"{name}{n}",
            case=f"{name}-{n // 3}",
            image=f"{name}{n}.png",
            dataset=name,
            split=split,
            **more,
        )
        for n in range(count)
    ]


@given(st.integers(3, 60), st.integers(3, 60), st.floats(0.1, 5), st.floats(0.1, 5))
def test_shares_are_kept_and_as_many_pairs_as_possible(first: int, second: int, one: float, other: float) -> None:
    sources = [Source("a", pairs_of("a", first), one), Source("b", pairs_of("b", second), other)]
    try:
        mixed = mix(sources, validate=0)
    except DataError:
        return  # so little of one that nothing is left
    counts = [sum(name == source for source, _, _ in mixed.rows) for name in "ab"]
    whole = min(first / one, second / other)
    assert counts == [int(whole * one + 1e-9), int(whole * other + 1e-9)]
    assert counts[0] == first or counts[1] == second
    assert mixed.left_out.get("share", 0) == first + second - sum(counts)


def test_what_is_thinned_out_does_not_depend_on_what_filters_took() -> None:
    """A category that a cap has cut must not lose less, or more, than another one when shares are made."""
    made = [
        pair("Q?", "x", id=f"{organ}{n}", organ=organ, image=f"{organ}{n}")
        for organ in ("cut", "whole")
        for n in range(900)
    ]
    gone = not_selected([one for one in made if one.organ == "cut"], Wanted(cap=300))
    left = [one for one in made if one.id not in gone]
    mixed = mix([Source("a", left, 1), Source("b", [pair("Q?", "x", id=f"b{n}") for n in range(600)], 1)], validate=0)
    assert mixed.before["a"] == {"cut": 300, "whole": 900}
    assert mixed.after["a"]["cut"] == pytest.approx(150, abs=35)  # three standard deviations


def test_cases_stay_on_one_side_and_tests_stay_out() -> None:
    own = pairs_of("own", 30, organ="Brain")
    told = [*pairs_of("told", 6), *pairs_of("told-v", 6, "dev"), *pairs_of("told-t", 6, "test")]
    mixed = mix([Source("own", own), Source("told", told)], validate=0.2)
    sides = {part: {made.case for made in mixed.of_split(part)} for part in (TRAIN, VALIDATE)}
    assert not sides[TRAIN] & sides[VALIDATE]
    assert len([case for case in sides[VALIDATE] if case.startswith("own")]) == 2  # of ten
    assert {case for case in sides[VALIDATE] if case.startswith("told")} == {"told-v-0", "told-v-1"}
    assert mixed.left_out == {"test split": 6}
    assert mixed.before["own"] == {"Brain": 30}


def test_a_case_that_one_table_validates_on_is_trained_on_in_none() -> None:
    validated, trained = pairs_of("a", 3, "validate"), [pair("Q?", "x", id="b", case="a-0", dataset="a", split="train")]
    mixed = mix([Source("one", [*validated, *pairs_of("c", 3)]), Source("two", trained)], validate=0)
    assert [made.id for made in mixed.of_split(VALIDATE)] == ["a0", "a1", "a2", "b"]


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], "at least one table"),
        ([Source("a", []), Source("a", [])], "Two tables of the mix are called 'a'"),
        ([Source("a", pairs_of("a", 2), 0)], "a share must be above 0"),
        ([Source("a", pairs_of("x", 2)), Source("b", pairs_of("x", 2))], "'x0' is in a and in b"),
        ([Source("a", [pair(dropped="form", id="x")])], "No pair is left to train on"),
    ],
)
def test_what_cannot_be_mixed(sources: list[Source], said: str) -> None:
    with pytest.raises(DataError, match=said):
        mix(sources)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Two tables with real pictures, and one for the end of a training."""
    for name, count in (("one", 12), ("two", 6), ("last", 4)):
        made = []
        for n, before in enumerate(pairs_of(name, count, organ="Chest")):
            path = tmp_path / "pictures" / name / f"{n}.png"
            files.write_bytes(path, encode_png(np.full((8, 8), 10 * n, np.uint8)))
            made.append(
                Pair(
                    **{**before.plain(), "image_path": str(path), "options": (), "flags": (), "edited": (), "facts": ()}
                )
            )
        pair_table.write_pairs(tmp_path / f"{name}.jsonl", made)
    choice = pair(
        "Which?", "a", "choice", id="ch", options=("a", "b"), image_path=str(tmp_path / "pictures" / "one" / "0.png")
    )
    pair_table.write_pairs(tmp_path / "choice.jsonl", [choice])
    done = {"step": "generate", "model": "tiny", "data": "mine", "split": "train", "pairs": 12, "counts": {"asked": 4}}
    done |= {"templates": {"open@1": {"sha256": "0", "text": "Write, | please."}}}
    reviewed = {
        "reviewers": {"Ann": {"pass": 3}},
        "agreement": [{"reviewers": ["Ann", "Bob"], "pairs": 3, "same": 1.0, "kappa": None}],
    }
    filtered = {"step": "filter", "before": 12, "after": 10, "noticed": {"echo": 2}, "taken": {"echo": 2}}
    steps.write_steps(tmp_path / "one.jsonl", [done, filtered, {"step": "review", "statistics": reviewed}])
    return tmp_path


def test_a_recipe_can_name_what_was_mixed(tables: Path) -> None:
    made = mix_tables(
        [str(tables / "one.jsonl"), f"{tables / 'two.jsonl'}=1", str(tables / "choice.jsonl")],
        tables / "mixed",
        anneal=[tables / "last.jsonl"],
        validate=0.25,
    )
    data = made["data"]["vqa"]
    found = {split: registry.load_split(data, split) for split in (TRAIN, VALIDATE, ANNEAL)}
    assert sum(map(len, found.values())) == 22
    assert all(sample.image_path.is_file() for samples in found.values() for sample in samples)
    assert registry.load_split(made["data"]["choice"], TRAIN)[0].options == ("a", "b")
    stage = yaml.safe_load((tables / "mixed" / "stages.yaml").read_text())["stages"][0]
    assert stage["anneal"]["to"] == {"anneal": 1}
    assert [source["split"] for source in stage["data"]] == [TRAIN, ANNEAL]


def test_the_card_tells_prompts_models_yields_and_reviewers(tables: Path) -> None:
    made = mix_tables([str(tables / "one.jsonl"), str(tables / "two.jsonl")], tables / "mixed")
    text = Path(made["card"]).read_text()
    for said in (
        "For research only",
        "18 pairs about 18 pictures",
        "| Chest | 18 | 18 |",
        "**Written** by `tiny`",
        "Write, | please.",
        "| echo | The answer repeats the question. | 2 | 2 |",
        "Ann and Bob | 3 | 100 % | undefined: only one verdict was used",
        "Nothing is recorded about how this table came about.",
        "not known here",
    ):
        assert said in text
    assert (tables / "mixed" / "mix.png").stat().st_size > 5_000


def test_pairs_without_pictures_are_not_trained_on(tmp_path: Path) -> None:
    pair_table.write_pairs(tmp_path / "a.jsonl", pairs_of("a", 3))
    with pytest.raises(DataError, match="'a0' has no picture"):
        mix_tables([str(tmp_path / "a.jsonl")], tmp_path / "mixed", validate=0)
    with pytest.raises(DataError, match="must be a share"):
        mix_tables([f"{tmp_path / 'a.jsonl'}=much"], tmp_path / "mixed")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_tables_come_back_as_they_were(suffix: str, tmp_path: Path) -> None:
    made = [
        pair("Q?", "ä 肝", "choice", id="a", options=("x", "y"), facts=(("Plane", "Axial"),), flags=("echo",), turn=2),
        pair("Q?", "b", id="b", edited=("old?", "old"), whole=False),
    ]
    pair_table.write_pairs(tmp_path / f"t{suffix}", made)
    assert pair_table.read_pairs_of(tmp_path / f"t{suffix}") == made


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "a", "question": "Q?", "answer": "x"}, "line 1: the pair has no 'kind'"),
        ({"id": "a", "question": "Q?", "answer": "x", "kind": "opn"}, "'opn' is no kind of question"),
        ({"id": "a", "question": 3, "answer": "x", "kind": "open"}, "'question' must be a text, found 3"),
        ({"id": "a", "question": "Q?", "answer": "x", "kind": "open", "colour": "red"}, "a pair has no 'colour'"),
        ({"id": "a", "question": "Q?", "answer": "x", "kind": "open", "options": "x"}, "'options' must be a list"),
        ([1], "must be a JSON object"),
    ],
)
def test_rows_that_are_no_pairs(row: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=said):
        pair_table.read_pairs_of(path)


def test_tables_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no table"):
        pair_table.read_pairs_of(tmp_path / "t.jsonl")
    with pytest.raises(DataError, match=r"must end in .jsonl or .parquet"):
        pair_table.write_pairs(tmp_path / "t.csv", [])
    pair_table.write_pairs(tmp_path / "t.jsonl", [pair(id="a")] * 2)
    with pytest.raises(DataError, match=r"line 2: the id 'a' occurs twice"):
        pair_table.read_pairs_of(tmp_path / "t.jsonl")
    (tmp_path / "t.steps.json").write_text('{"no": "list"}')
    with pytest.raises(DataError, match="does not say how"):
        steps.read_steps(tmp_path / "t.jsonl")

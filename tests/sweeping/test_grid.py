"""Reading a grid, and naming its runs."""

import json
import re
from itertools import product

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from radvqa.errors import RecipeError
from radvqa.sweeping.grid import Grid, parse_grid, split_values
from radvqa.sweeping.naming import labels, slugs

SECTIONS = {"seed": "training.seed", "lr": "training.learning_rate", "lora.r": "model.lora.r"}


def grid(*arguments: str) -> Grid:
    return parse_grid(arguments, lambda key: SECTIONS.get(key, key))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(plain, min_size=1, max_size=4), st.sampled_from([",", ", ", " ,"]))
def test_commas_part_values_and_not_what_stands_in_brackets_or_quotes(values: list[object], comma: str) -> None:
    texts = [json.dumps(value) for value in values]  # JSON is YAML
    assert split_values(comma.join(texts)) == texts


@given(st.lists(st.text(max_size=10), min_size=1, max_size=4))
def test_single_quotes_are_doubled_as_in_yaml(values: list[str]) -> None:
    texts = ["'" + value.replace("'", "''") + "'" for value in values]
    assert split_values(",".join(texts)) == texts


@given(st.text(alphabet="abc,[]{}()'\"\\ :", max_size=12))
def test_any_text_is_split_without_loss_or_refused_in_a_sentence(text: str) -> None:
    try:
        values = split_values(text)
    except RecipeError:
        with pytest.raises(RecipeError, match=re.escape(repr(text))):
            split_values(text)
        return
    assert re.sub(r"\s*,\s*", ",", text).strip() == re.sub(r"\s*,\s*", ",", ",".join(values))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("8,16,32", ["8", "16", "32"]),
        ("[query, value],[qkv]", ["[query, value]", "[qkv]"]),
        ("{vision: lora, text: full},{vision: frozen}", ["{vision: lora, text: full}", "{vision: frozen}"]),
        ("'a, b',c", ["'a, b'", "c"]),
        ("don't,won't", ["don't", "won't"]),
        ("1e-4", ["1e-4"]),
        ("", [""]),
    ],
)
def test_values_as_people_write_them(text: str, values: list[str]) -> None:
    assert split_values(text) == values


def test_the_grid_is_the_product_of_its_axes_and_the_seed_is_no_setting() -> None:
    found = grid("epochs=2", "lora.r=8,16", "seed=0,1,2")
    runs = found.combinations
    assert [run.name for run in runs] == [f"r{r}-seed{seed}" for r, seed in product((8, 16), (0, 1, 2))]
    assert [run.setting for run in runs] == ["r8"] * 3 + ["r16"] * 3
    assert runs[4].overrides == ("epochs=2", "lora.r=16", "seed=1")
    assert runs[4].values == {"model.lora.r": "16", "training.seed": "1"}
    assert {run.setting for run in grid("training.seed=1,2").combinations} == {""}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("seed=0,1", "training.seed=2"), "training.seed is given twice, as 'seed=0,1' and as 'training.seed=2'"),
        (("seed=0,1,0",), "'seed=0,1,0' has the value 0 twice"),
        (("seed=0,,1",), "'seed=0,,1' has an empty value between its commas"),
        (("seed=0,1,",), "has an empty value"),
        (("seed=0",), "No key has several values; write one as key=a,b,c"),
        ((), "No key has several values"),
        (("seed",), "'seed' is no axis and no override"),
        (("a=[1,2",), "'[1,2' lacks its closing ]"),
        (("a='1,2",), "lacks its closing '"),
        (("a=1],2",), "has a ] too many"),
        (("a=[1},2",), "has a } too many"),
    ],
)
def test_a_mistake_is_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(said)):
        grid(*arguments)


def test_keys_that_end_alike_are_named_by_more_of_them() -> None:
    assert labels(["model.lora.r", "training.seed"]) == ["r", "seed"]
    assert labels(["stages.1.learning_rate", "stages.2.learning_rate", "model.r"]) == ["1_lr", "2_lr", "r"]


def test_names_are_readable() -> None:
    assert slugs("lr", ["1e-4", "0.001", "-1"]) == ["lr1e-4", "lr0.001", "lr_-1"]
    assert slugs("frozen", ["true", "false"]) == ["frozen_true", "frozen_false"]
    assert slugs("targets", ["[query, value]", "[qkv]"]) == ["targets_query_value", "targets_qkv"]


def test_values_that_differ_in_signs_alone_get_different_names() -> None:
    first, second, third = slugs("x", ["[a, b]", "a_b", "A/B"])
    assert len({first.lower(), second.lower(), third.lower()}) == 3
    assert all(name.startswith(("x_a_b_", "x_A_B_")) for name in (first, second, third))


values = st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=4, unique_by=lambda text: text.strip())


@given(values, values)
def test_every_combination_has_a_folder_of_its_own(ones: list[str], others: list[str]) -> None:
    texts = [",".join(json.dumps(value) for value in axis) for axis in (ones, others)]
    names = [run.name for run in grid(f"model.one={texts[0]}", f"model.two={texts[1]}").combinations]
    assert len({name.lower() for name in names}) == len(ones) * len(others)
    assert all(re.fullmatch(r"one[\w.+-]+-two[\w.+-]+", name, re.ASCII) for name in names)


def test_a_new_value_does_not_rename_the_others() -> None:
    assert slugs("r", ["8", "16", "32"])[:2] == slugs("r", ["8", "16"])


def test_overrides_keep_their_value() -> None:
    (first, second) = grid("targets=[query, value],[qkv]").combinations
    assert [yaml.safe_load(run.overrides[0].partition("=")[2]) for run in (first, second)] == [
        ["query", "value"],
        ["qkv"],
    ]

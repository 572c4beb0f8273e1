"""Rules over whole tables: duplicates, balance, tests, categories; and the account of what was taken out."""

import hashlib
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_pairs import pair

from radvqa.curating import near_duplicates as near
from radvqa.curating.apart_from_tests import asked_in_tests
from radvqa.curating.balance import surplus
from radvqa.curating.filter import Settings, filter_pairs
from radvqa.curating.near_duplicates import near_duplicates
from radvqa.curating.pair import Pair
from radvqa.curating.selecting import Wanted, not_selected
from radvqa.errors import DataError
from radvqa.sample import Sample


def likeness(one: Pair, other: Pair) -> float:
    def parts(made: Pair) -> set[tuple[str, ...]]:
        found: set[tuple[str, ...]] = set()
        for mark, text in (("q", made.question), ("a", made.answer)):
            words = text.lower().replace("?", "").split()
            found |= {(mark, word) for word in words} | {(mark, *two) for two in itertools.pairwise(words)}
        return found

    first, second = parts(one), parts(other)
    return len(first & second) / len(first | second)


_WORDS = st.lists(
    st.sampled_from(["a", "mass", "is", "in", "the", "left", "right", "lung", "liver", "large", "small"]),
    min_size=1,
    max_size=8,
)
_MANY = st.lists(st.tuples(_WORDS, _WORDS), min_size=2, max_size=25)


@pytest.mark.parametrize("few", [0, 64])
@settings(deadline=None)
@given(texts=_MANY)
def test_duplicates_are_those_that_comparing_every_two_finds(
    few: int, texts: list[tuple[list[str], list[str]]]
) -> None:
    """With ``few`` 0 every group goes through MinHash, with 64 none does."""
    pairs = [pair(" ".join(q) + "?", " ".join(a), id=str(n), image="x") for n, (q, a) in enumerate(texts)]
    expected: dict[str, str] = {}
    kept: list[Pair] = []
    for one in pairs:
        same = next((other for other in kept if likeness(one, other) >= 0.8), None)
        if same is None:
            kept.append(one)
        else:
            expected[one.id] = same.id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "_FEW", few)
        found = near_duplicates(pairs)
    assert found.keys() == expected.keys()
    assert few == 0 or found == expected


def test_the_same_question_about_other_pictures_is_none() -> None:
    pairs = [pair("Which plane is this?", "Axial", image=f"{n}.png", caption=f"c{n}") for n in range(3)]
    assert near_duplicates(pairs) == {}
    of_caption = [
        pair("Which plane is this?", "Axial", image=f"{n}.png", caption="the same", id=str(n)) for n in range(3)
    ]
    assert near_duplicates(of_caption) == {"1": "0", "2": "0"}


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.5, 1))
def test_neither_yes_nor_no_has_more_than_its_share(yes: int, no: int, most: float) -> None:
    pairs = [
        pair("Is it?", a, "closed", id=f"{a}{n}") for a, count in (("Yes.", yes), ("no", no)) for n in range(count)
    ]
    gone = surplus(pairs, most)
    left = [made for made in pairs if made.id not in gone]
    counts = sorted(sum(made.answer == a for made in left) for a in ("Yes.", "no"))
    assert counts[0] == min(yes, no)  # the rarer answer stays whole
    if counts[0]:
        assert counts[1] <= max(counts[0], most * sum(counts) + 1e-6)
    else:
        assert not gone


def test_questions_of_tests_are_not_learned() -> None:
    def asked(question: str, answer: str, image: str) -> Sample:
        path = Path(f"/{image}")
        return Sample(image, "t:t", "test", image, path, question, answer, "OPEN")

    tests = [
        asked("Which organ is shown?", "Liver", "a.png"),
        asked("What is seen?", "A mass in the left lung", "b.png"),
    ]
    pairs = [
        pair("Which organ is shown", "Spleen", image="a.png", id="same picture"),
        pair("Which organ is shown?", "Liver", image="c.png", id="asked of every picture"),
        pair("What is seen?", "a mass in the left lung.", image="d.png", id="the very words"),
        pair("What is seen?", "A cyst", image="d.png", id="another answer"),
    ]
    assert asked_in_tests(pairs, tests) == {"same picture", "the very words"}


def test_the_common_categories_are_enriched_up_to_a_cap() -> None:
    sizes = {"Brain": 6, "Chest": 4, "Eye": 1, "": 3}
    pairs = [
        pair(f"Q{n}?", "x", organ=organ, image=f"{organ}{n}.png", id=f"{organ}{n}")
        for organ, k in sizes.items()
        for n in range(k)
    ]

    def left(wanted: Wanted) -> dict[str, int]:
        gone = not_selected(pairs, wanted)
        kept = [made.organ for made in pairs if made.id not in gone]
        return {organ: kept.count(organ) for organ in sizes if organ in kept}

    assert left(Wanted(pictures=2)) == {"Brain": 6, "Chest": 4}
    assert left(Wanted(categories=1)) == {"Brain": 6}
    assert left(Wanted(cap=3)) == {"Brain": 3, "Chest": 3, "Eye": 1}
    assert left(Wanted(only=("Eye", "Chest"))) == {"Chest": 4, "Eye": 1}
    few, many = (set(not_selected(pairs, Wanted(cap=cap))) for cap in (2, 4))
    assert many < few
    with pytest.raises(DataError, match="No pair has the organ 'Brian'; did you mean 'Brain'"):
        not_selected(pairs, Wanted(only=("Brian",)))


def test_categories_may_be_what_the_texts_speak_of() -> None:
    pairs = [
        pair("Where?", "Left", caption="A Pleural Effusion.", image="1", id="a"),
        pair("What?", "A mass", caption="", image="2", id="b"),
        pair("What?", "Masses", caption="effusions", image="3", id="c"),
        pair("What?", "An effusion and a mass", caption="", image="4", id="d"),
    ]
    assert not_selected(pairs, Wanted(terms=("effusion", "mass"))) == {"c"}
    assert not_selected(pairs, Wanted(terms=("effusion", "mass"), pictures=2)) == {"b", "c"}
    with pytest.raises(DataError, match="No pair has the term 'fracture'"):
        not_selected(pairs, Wanted(terms=("effusion", "fracture"), only=("fracture",)))


def test_every_pair_is_accounted_for_and_rules_can_be_switched_off() -> None:
    pairs = [
        pair("Where is the mass?", "Left lung", image="1"),
        pair("Where is the mass?", "Left lung.", image="1"),
        pair("How large is it?", "3 cm", image="1"),
        pair("Is there a mass?", "Perhaps", image="1", flags=("commands", "old rule"), dropped="old rule"),
    ]
    found = filter_pairs(pairs)
    assert [made.dropped for made in found.pairs] == ["", "duplicate", "measures", "form"]
    assert found.taken == {"form": 1, "measures": 1, "duplicate": 1}
    assert found.noticed == {"form": 1, "measures": 1, "duplicate": 1, "commands": 1}
    assert found.pairs[3].flags == ("commands", "form")
    assert len(found.kept) + sum(found.taken.values()) == len(pairs)
    again = filter_pairs(found.pairs)
    assert again == found
    loose = filter_pairs(found.pairs, Settings(without=("measures", "duplicate", "form")))
    assert not loose.taken
    with pytest.raises(DataError, match="no rule 'measure'; did you mean 'measures'"):
        filter_pairs(pairs, Settings(without=("measure",)))


def test_what_goes_depends_on_ids_alone() -> None:
    pairs = [
        pair("Is it?", "Yes" if n % 4 else "No", "closed", id=hashlib.sha256(str(n).encode()).hexdigest(), image=str(n))
        for n in range(80)
    ]
    first = {made.id for made in filter_pairs(pairs).kept}
    assert first == {made.id for made in filter_pairs(pairs[::-1]).kept}
    assert len(first) == 50  # 20 no, and at most 60 % yes

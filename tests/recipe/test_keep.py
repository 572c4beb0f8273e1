"""A part of a data set: what is kept, and that a larger cap holds all of a smaller one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radvqa.data import keep
from radvqa.sample import Sample

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


def sample(number: int, image: str, **more: str) -> Sample:
    values = {"answer_type": "OPEN", "modality": "CT", **more}
    return Sample(
        id=f"s{number}",
        dataset="made:up",
        split="train",
        image=image,
        image_path=Path(image),
        question=f"question {number}?",
        answer="yes",
        **values,  # type: ignore[arg-type]
    )


SAMPLES = st.lists(st.integers(0, 9), min_size=1, max_size=40).map(
    lambda pictures: [sample(number, f"picture{picture}") for number, picture in enumerate(pictures)]
)


@UNHURRIED
@given(SAMPLES, st.integers(1, 45), st.integers(1, 45))
def test_a_larger_cap_holds_all_of_a_smaller_one(samples: list[Sample], one: int, other: int) -> None:
    few, many = (keep.capped(samples, count) for count in sorted((one, other)))
    assert {s.id for s in few} <= {s.id for s in many}
    assert len(few) == min(min(one, other), len(samples))
    places = [samples.index(s) for s in many]
    assert places == sorted(places)  # in their order


@UNHURRIED
@given(SAMPLES, st.integers(1, 45))
def test_a_cap_cuts_through_one_picture_at_most(samples: list[Sample], count: int) -> None:
    kept = {s.id for s in keep.capped(samples, count)}
    cut = {s.image for s in samples if s.id in kept} & {s.image for s in samples if s.id not in kept}
    assert len(cut) <= 1


@UNHURRIED
@given(SAMPLES, st.integers(1, 45), st.randoms())
def test_which_pictures_are_kept_follows_from_their_names_alone(samples: list[Sample], count: int, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(samples)
    random.shuffle(shuffled)
    whole = [len([s for s in samples if s.image == name]) for name in dict.fromkeys(s.image for s in samples)]
    if len(set(whole)) == 1 and count % whole[0] == 0:  # no picture is cut
        assert {s.image for s in keep.capped(samples, count)} == {s.image for s in keep.capped(shuffled, count)}


def test_no_cap_keeps_all() -> None:
    samples = [sample(n, "a") for n in range(3)]
    assert keep.capped(samples, None) == samples
    assert keep.capped(samples, 3) == samples


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({}, [0, 1, 2, 3]),
        ({"modality": "CT"}, [0, 2]),
        ({"modality": "ct"}, [0, 2]),  # letters' case does not count
        ({"modality": ("CT", "MRI")}, [0, 1, 2]),
        ({"modality": "CT", "answer_type": "CLOSED"}, [2]),
        ({"modality": "US"}, []),
    ],
)
def test_a_filter_keeps_what_has_the_value_or_one_of_the_values(wanted: dict[str, object], kept: list[int]) -> None:
    samples = [
        sample(0, "a"),
        sample(1, "b", modality="MRI"),
        sample(2, "c", answer_type="CLOSED"),
        sample(3, "d", modality="X-Ray"),
    ]
    assert keep.where(samples, wanted) == [samples[row] for row in kept]


def test_samples_are_put_as_another_task_with_one_of_several_prompts_always_the_same() -> None:
    samples = [sample(number, "a") for number in range(60)]
    put = keep.put_as(samples, "caption", ("one", "two", "three"))
    assert {s.task for s in put} == {"caption"}
    assert {s.prompt for s in put} == {"one", "two", "three"}
    assert keep.put_as(samples[30:], "caption", ("one", "two", "three")) == put[30:]
    assert keep.put_as(samples, None, ()) == samples
    assert {s.task for s in keep.put_as(samples, None, ("one",))} == {"vqa"}

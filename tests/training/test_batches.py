"""Batches: every row once an epoch, and as few pictures as asked for."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from radvqa.training.batches import by_images, shuffled


@given(st.integers(1, 200), st.integers(1, 50), st.integers(0, 5))
def test_shuffled_yields_every_row_once(rows: int, size: int, seed: int) -> None:
    batches = list(shuffled(rows, size, torch.Generator().manual_seed(seed)))
    assert sorted(torch.cat(batches).tolist()) == list(range(rows))
    assert all(len(batch) == size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= size


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=150), st.integers(1, 40), st.integers(1, 20), st.integers(0, 5)
)
def test_by_images_yields_every_row_once_in_full_batches(images: list[int], size: int, shown: int, seed: int) -> None:
    rows = torch.tensor(images)
    batches = list(by_images(rows, size, shown, torch.Generator().manual_seed(seed)))
    assert sorted(torch.cat(batches).tolist()) == list(range(len(images)))
    assert all(len(batch) == size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= size


def test_by_images_shows_few_pictures_a_batch() -> None:
    rows = torch.arange(60).repeat_interleave(10)  # 60 pictures, 10 questions each
    few = list(by_images(rows, 40, 8, torch.Generator().manual_seed(0)))  # 5 questions a picture
    assert {len(batch) for batch in few} == {40}
    assert max(len(torch.unique(rows[batch])) for batch in few) <= 8
    free = list(shuffled(600, 40, torch.Generator().manual_seed(0)))
    assert min(len(torch.unique(rows[batch])) for batch in free) > 16


def test_epochs_differ_and_seeds_repeat() -> None:
    rows = torch.arange(6).repeat_interleave(4)
    generator = torch.Generator().manual_seed(1)
    first, second = (torch.cat(list(by_images(rows, 8, 2, generator))).tolist() for _ in range(2))
    assert first != second
    again = torch.Generator().manual_seed(1)
    assert torch.cat(list(by_images(rows, 8, 2, again))).tolist() == first

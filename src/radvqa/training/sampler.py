"""Which rows make up each step of a stage: every row once an epoch, or sources drawn by their shares."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Protocol

import torch
from torch import Tensor

from radvqa.training import batches
from radvqa.training.seeds import derived
from radvqa.training.state import State


class Sampler(Protocol):
    """Rows of one step after another; its state is its place."""

    @property
    def epoch_steps(self) -> int:
        """Steps of an epoch."""
        ...

    def next(self, step: int) -> Tensor:
        """Rows of a step, ``(b,)``; steps are asked for in order."""
        ...

    def shares(self, step: int) -> Mapping[str, float]:
        """Share of each source in the questions of a step."""
        ...

    def state(self) -> State:
        """Its place."""
        ...

    def load(self, state: State) -> None:
        """Go on from a place."""
        ...


class WholeEpochs:
    """Every row so often as its source is repeated in an epoch, shuffled anew for each.

    Args:
        sources: rows of each source by name; a row stands in it as often as it is repeated.
        image_rows: which distinct picture each row shows, ``(rows,)``.
        batch_size: rows a step.
        images_per_batch: of rows about so many pictures; None shuffles freely.
        seed: of the shuffling.
    """

    def __init__(
        self,
        sources: Mapping[str, Tensor],
        image_rows: Tensor,
        batch_size: int,
        images_per_batch: int | None,
        seed: int,
    ) -> None:
        self._rows = torch.cat(list(sources.values()))
        self._shares = {name: len(rows) / len(self._rows) for name, rows in sources.items()}
        self._pictures = image_rows.cpu()[self._rows]
        self._size, self._images = batch_size, images_per_batch
        self._generator = torch.Generator().manual_seed(seed)
        self._begun = self._generator.get_state()
        self._left: list[Tensor] = []
        self._place = 0
        self.epoch_steps = -(-len(self._rows) // batch_size)

    def next(self, step: int) -> Tensor:
        """Rows of a step; the last of an epoch may be fewer."""
        if self._place == len(self._left):
            self._begin_epoch()
        rows = self._left[self._place]
        self._place += 1
        return rows

    def shares(self, step: int) -> Mapping[str, float]:
        """Share of each source; always the same."""
        return self._shares

    def state(self) -> State:
        """The random state that the epoch began from, and how many of its batches are done."""
        return State({"begun": self._begun}, {"place": self._place, "of": len(self._left)})

    def load(self, state: State) -> None:
        """Shuffle the epoch again, and go on inside it."""
        self._generator.set_state(state.tensors["begun"])
        self._left, self._place = [], 0
        if state.plain["of"]:
            self._begin_epoch()
            self._place = int(state.plain["place"])

    def _begin_epoch(self) -> None:
        self._begun = self._generator.get_state()
        if self._images is None:
            drawn = batches.shuffled(len(self._rows), self._size, self._generator)
        else:
            drawn = batches.by_images(self._pictures, self._size, self._images, self._generator)
        self._left, self._place = [self._rows[rows] for rows in drawn], 0


class Mixture:
    """Sources drawn by shares that may move linearly at the end of a stage.

    Each source goes through its own rows in random order, again and again; a picture's questions stay side by side in
    groups of ``batch_size / images_per_batch``. The questions of every source are counted against what its shares
    promised so far, and the source that lags most gives the next group, so that no count is ever further from its
    promise than one group per source.

    Args:
        sources: rows of each source by name.
        begin: share of each source, summing to 1.
        end: shares at the end of the stage.
        anneal_from: the step from which shares move.
        steps: of the stage.
        image_rows: which distinct picture each row shows, ``(rows,)``.
        batch_size: rows a step.
        images_per_batch: None draws rows one by one.
        seed: of the order in each source.
    """

    def __init__(
        self,
        sources: Mapping[str, Tensor],
        begin: Mapping[str, float],
        end: Mapping[str, float],
        anneal_from: float,
        steps: int,
        image_rows: Tensor,
        batch_size: int,
        images_per_batch: int | None,
        seed: int,
    ) -> None:
        self._names = list(sources)
        self._begin = [begin[name] for name in self._names]
        self._end = [end[name] for name in self._names]
        self._from, self._steps = anneal_from, steps
        self._size = batch_size
        group = 1 if images_per_batch is None else max(1, batch_size // images_per_batch)
        pictures = image_rows.cpu()
        self._orders = [_Order(rows, pictures[rows], group, (seed, n)) for n, rows in enumerate(sources.values())]
        self._promised = [0.0] * len(self._names)
        self._given = [0] * len(self._names)
        self.epoch_steps = -(-sum(len(rows) for rows in sources.values()) // batch_size)

    def next(self, step: int) -> Tensor:
        """Rows of a step, always ``batch_size`` of them."""
        shares = self._shares(step)
        self._promised = [held + share * self._size for held, share in zip(self._promised, shares, strict=True)]
        drawn = [source for source, share in enumerate(shares) if share > 0]
        rows: list[Tensor] = []
        room = self._size
        while room:
            source = max(drawn, key=lambda one: self._promised[one] - self._given[one])
            taken = self._orders[source].take(room)
            self._given[source] += len(taken)
            room -= len(taken)
            rows.append(taken)
        return torch.cat(rows)

    def shares(self, step: int) -> Mapping[str, float]:
        """Share of each source at a step."""
        return dict(zip(self._names, self._shares(step), strict=True))

    def state(self) -> State:
        """What was promised and given so far, and the place in each source."""
        places = [order.place for order in self._orders]
        return State(plain={"promised": list(self._promised), "given": list(self._given), "places": places})

    def load(self, state: State) -> None:
        """Go on from there."""
        self._promised, self._given = list(state.plain["promised"]), list(state.plain["given"])
        for order, place in zip(self._orders, state.plain["places"], strict=True):
            order.go_to(place)

    def _shares(self, step: int) -> list[float]:
        if step < self._from:
            return self._begin
        moved = min(1.0, (step - self._from) / max(1.0, self._steps - 1 - self._from))
        return [begin + (end - begin) * moved for begin, end in zip(self._begin, self._end, strict=True)]


class _Order:
    """The rows of a source, pass after pass, each in a random order that its number decides."""

    def __init__(self, rows: Tensor, pictures: Tensor, group: int, seed: tuple[int, int]) -> None:
        self._rows, self._pictures, self._group, self._seed = rows, pictures, group, seed
        self.go_to((0, 0))

    @property
    def place(self) -> list[int]:
        """Number of the pass, and rows of it that are done."""
        return [self._pass, self._done]

    def go_to(self, place: Sequence[int]) -> None:
        """Go on from a place."""
        self._pass, self._done = place
        generator = torch.Generator().manual_seed(derived(*self._seed, self._pass))
        groups = batches.groups(self._pictures, self._group, generator)
        self._order = self._rows[torch.cat(groups)]
        self._ends = list(accumulate(len(group) for group in groups))

    def take(self, room: int) -> Tensor:
        """The rest of the present group, or as much of it as there is room for."""
        if self._done == len(self._rows):
            self.go_to((self._pass + 1, 0))
        end = self._ends[bisect_right(self._ends, self._done)]
        taken = self._order[self._done : min(end, self._done + room)]
        self._done += len(taken)
        return taken

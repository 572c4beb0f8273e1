"""Image tokens of a frozen vision tower, as many as each picture needs, computed once and kept on disk.

Letters: ``n`` tokens of one picture, ``d`` their size.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from radvqa import console, files, waiting
from radvqa.models import features
from radvqa.table import Table

if TYPE_CHECKING:
    from pathlib import Path

_PICTURES_PER_PASS = 8
_PICTURES_PER_SHARD = 256


class ImageTokens:
    """A frozen tower's tokens by picture, shared by every run that needs them.

    Args:
        name: everything that decides the tokens but the picture, as a file name.
        compute: keys of pictures → the tokens of each, ``(n, d)``.
        setting: of the recipe, that makes them fewer; for the message when there is no room.
    """

    def __init__(self, name: str, compute: Callable[[Sequence[str]], Sequence[Tensor]], *, setting: str) -> None:
        self._name, self._compute, self._setting = name, compute, setting
        self._tables: dict[Path, Table] = {}
        self._held: features.Readable | None = None

    @classmethod
    def of_frozen(
        cls,
        name: str,
        encode: Callable[[Sequence[str]], Iterable[Tensor]],
        keys: Sequence[str],
        device: torch.device,
        *,
        full_precision: bool,
        setting: str,
    ) -> "ImageTokens":
        """Tokens of pictures by a frozen tower: without gradients, and in bf16 on GPUs that may round.

        Args:
            name: everything that decides the tokens but the picture and the precision.
            encode: keys of pictures → the tokens of each, ``(n, d)``.
            keys: of the pictures that are wanted.
            device: where the tower lives.
            full_precision: compute in fp32 on GPUs too.
            setting: of the recipe, that makes tokens fewer.
        """
        half = device.type == "cuda" and not full_precision

        def compute(some: Sequence[str]) -> Sequence[Tensor]:
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=half):
                return list(encode(some))

        # what a GPU computes in half precision must not pass for what is computed in full
        stored = cls(f"{name}{'-bf16' if half else ''}", compute, setting=setting)
        stored.add(keys)
        return stored

    @property
    def _table(self) -> Table:
        """The table in the cache folder of now, which benchmarks change to an empty one."""
        folder = files.cache_folder() / "features" / f"{self._name}-float32"
        if folder not in self._tables:
            self._tables = {folder: Table(folder, "float32")}  # what a folder of before held is let go
        return self._tables[folder]

    def add(self, keys: Sequence[str]) -> None:
        """Compute the tokens of pictures that are not on disk yet.

        Raises:
            DataError: when they would need more room than ``RADVQA_FEATURES_GB`` allows or the disk has.
        """
        if features.forgets():
            self._held = features.Held(dict(self._passes(keys, lambda done: None)))
            return
        if not self._table.missing(keys):
            return
        with self._table.writing():
            missing = self._table.missing(keys)
            starts = [0, *range(_PICTURES_PER_PASS, len(missing), _PICTURES_PER_SHARD)]
            with console.progress("computing image tokens", len(missing)) as advance:
                for start, end in zip(starts, [*starts[1:], len(missing)], strict=True):
                    shard = self._passes(missing[start:end], advance)
                    if not start:
                        largest = max(tokens.nbytes for _, tokens in shard)
                        features.check_room(len(missing), largest, self._table.folder.parent, setting=self._setting)
                    self._table.append(shard)

    def of(self, keys: Sequence[str], device: torch.device) -> list[Tensor]:
        """Tokens of pictures that were added, ``(n, d)`` each."""
        with waiting.for_data():
            return [torch.from_numpy(np.array((self._held or self._table).read(key))).to(device) for key in keys]

    def _passes(self, keys: Sequence[str], advance: console.Advance) -> list[tuple[str, NDArray[np.float32]]]:
        done = []
        for start in range(0, len(keys), _PICTURES_PER_PASS):
            part = keys[start : start + _PICTURES_PER_PASS]
            done += [(key, tokens.float().cpu().numpy()) for key, tokens in zip(part, self._compute(part), strict=True)]
            advance(len(part))
        return done

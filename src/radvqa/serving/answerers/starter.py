"""The starter model behind the service; needs no torch."""

import math
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from radvqa.serving.answerers.answerer import Asked, Reply, Token
from radvqa.starter.model import Starter

if TYPE_CHECKING:
    from radvqa.starter.net import Seen

_KEPT = 128  # looked-at pictures, about 0.5 MB each


class StarterAnswerer:
    """Answers with the model that comes with the package; pictures that were looked at are kept, the last ones.

    Args:
        starter: loaded here when None.
    """

    writes = False

    def __init__(self, starter: Starter | None = None) -> None:
        self.starter = starter or Starter.load()
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._eyes = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="looking")

    def answer(self, asked: Sequence[Asked]) -> list[Reply]:
        """Look at the new pictures side by side, then answer every question."""
        new = {one.digest: one.pixels for one in asked if one.digest not in self._seen}
        if len(new) > 1:  # a picture on each core is faster than all cores on one picture
            with threadpool_limits(1, "blas"):
                looked = list(self._eyes.map(self.starter.net.look, new.values()))
        else:
            looked = [self.starter.net.look(pixels) for pixels in new.values()]
        self._seen.update(zip(new, looked, strict=True))
        replies = [self._one(one) for one in asked]
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        return replies

    def _one(self, asked: Asked) -> Reply:
        self._seen.move_to_end(asked.digest)
        said = self.starter.answer_about(self._seen[asked.digest], asked.question)
        others = tuple((answer, math.log(max(p, 1e-9))) for answer, p in said.candidates)
        return Reply(
            None if said.abstained else said.answer,
            said.confidence,
            said.abstained,
            said.candidates,
            () if said.abstained else (Token(said.answer, math.log(max(said.confidence, 1e-9)), others),),
        )

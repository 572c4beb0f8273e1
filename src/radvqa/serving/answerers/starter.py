"""The starter model behind the service; needs no torch."""

import math
from collections.abc import Sequence

from radvqa.serving.answerers.answerer import Asked, Reply, Token
from radvqa.starter.model import Starter


class StarterAnswerer:
    """Answers with the model that comes with the package.

    Args:
        starter: loaded here when None.
    """

    writes = False

    def __init__(self, starter: Starter | None = None) -> None:
        self.starter = starter or Starter.load()

    def answer(self, asked: Sequence[Asked]) -> list[Reply]:
        """Answer question by question; a picture that was looked at is not looked at again."""
        return [self._one(one) for one in asked]

    def _one(self, asked: Asked) -> Reply:
        said = self.starter.answer(asked.pixels, asked.question)
        others = tuple((answer, math.log(max(p, 1e-9))) for answer, p in said.candidates)
        return Reply(
            None if said.abstained else said.answer,
            said.confidence,
            said.abstained,
            said.candidates,
            () if said.abstained else (Token(said.answer, math.log(max(said.confidence, 1e-9)), others),),
        )

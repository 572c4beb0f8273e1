"""A model opened for an answer, and kept, so that another method, layer or word of the same answer is quick."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from radvqa import files
from radvqa.explaining.asking import Asked as BlackBox
from radvqa.explaining.asking import Reply as Said
from radvqa.explaining.explain import found_by
from radvqa.explaining.inside.opened import Opened
from radvqa.explaining.inside.opening import can_open, opened
from radvqa.explaining.methods import Found, Wishes
from radvqa.explaining.session import Session
from radvqa.explaining.words import Dropped, dropped, left_out
from radvqa.serving.answerers.answerer import Answerer, Asked, Reply
from radvqa.serving.answerers.trained import TrainedAnswerer
from radvqa.serving.pictures.pictures import digest_of

_TOKENS = 3  # of an answer whose passes are kept; each may hold all attention
_MAPS = 16


class Sessions:
    """The last answer that was explained of one model; used in the model's turns only.

    Args:
        answerer: the model.
    """

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer
        self._about: tuple[str, str] | None = None
        self._whole: Session | BlackBox | None = None
        self._tokens: OrderedDict[int, Session] = OrderedDict()
        self._maps: OrderedDict[tuple[str, int | None, Wishes], Found] = OrderedDict()

    @property
    def opens(self) -> bool:
        """Whether the model can be looked into."""
        return isinstance(self.answerer, TrainedAnswerer) and can_open(self.answerer.family)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What is computed in the block lies where the model's pictures lie, and goes with them."""
        if isinstance(self.answerer, TrainedAnswerer):
            with files.cache_in(self.answerer.room.cache()):
                yield
        else:
            yield

    def session(self, asked: Asked, token: int | None) -> Session | BlackBox:
        """Open the model for an answer, or take what is open.

        Raises:
            RadvqaError: when the model says nothing, or the answer has no such token.
        """
        about = (asked.digest, asked.question)
        if self._whole is None or self._about != about:
            self._whole, self._about = None, None  # what is kept goes before its like is made
            self._tokens.clear()
            self._maps.clear()
            self._whole, self._about = self._opened(asked), about
        whole = self._whole
        if token is None or isinstance(whole, BlackBox):
            return whole
        if token not in self._tokens:
            self._tokens[token] = Session(whole.opened, whole.picture, token)
        self._tokens.move_to_end(token)
        while len(self._tokens) > _TOKENS:
            self._tokens.popitem(last=False)
        return self._tokens[token]

    def found(self, name: str, session: Session | BlackBox, wishes: Wishes) -> Found:
        """Make the map of a method of what ``session`` gave last, or take the one that was made.

        Raises:
            RadvqaError: when the method does not apply.
        """
        key = (name, session.token, wishes)
        if key not in self._maps:
            self._maps[key] = found_by(name, session, wishes)
        self._maps.move_to_end(key)
        while len(self._maps) > _MAPS:
            self._maps.popitem(last=False)
        return self._maps[key]

    def words(self, asked: Asked) -> Dropped:
        """Leave each word out of the question."""
        session = self.session(asked, None)
        if isinstance(session, BlackBox):
            return dropped(asked.question, lambda question: self._sure(asked, question, session.said.text))
        answerer = self._trained()
        return left_out(answerer.model, answerer.family, answerer.sample(asked), session)

    def opened(self, asked: Asked) -> Opened:
        """Open the model for an answer; it is not kept."""
        answerer = self._trained()
        found = opened(answerer.model, answerer.family, answerer.sample(asked))
        _ = found.features, found.mixing()  # both ask for the stored picture, which may be gone later
        return found

    def _opened(self, asked: Asked) -> Session | BlackBox:
        if self.opens:
            return Session(self.opened(asked), asked.pixels)

        def ask(pictures: Sequence[NDArray[np.uint8]]) -> list[Said]:
            some = [Asked(one, digest_of(one), asked.question) for one in pictures]
            return [_said(reply) for reply in self.answerer.answer(some)]

        return BlackBox(ask, asked.pixels)

    def _sure(self, asked: Asked, question: str, answer: str) -> float:
        if not question.strip():
            return 0.0
        reply = self.answerer.answer([Asked(asked.pixels, asked.digest, question)])[0]
        return _said(reply).sure_of(answer)

    def _trained(self) -> TrainedAnswerer:
        if not isinstance(self.answerer, TrainedAnswerer):
            raise TypeError("only trained runs are looked into")
        return self.answerer


def _said(reply: Reply) -> Said:
    """A model that abstains has a guess all the same, and it is the guess that is explained."""
    guess = reply.candidates[0][0] if reply.candidates else ""
    return Said(guess if reply.answer is None else reply.answer, reply.confidence, dict(reply.candidates))

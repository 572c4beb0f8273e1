"""One answer for a chat: asked of a model in a batch or heard while it is written, then cut as the asker wishes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from radvqa.serving.answerers.answerer import Answerer, Reply, Token

_HALF = "\ufffd"  # stands for the first bytes of a letter whose last ones are still to come


@dataclass(frozen=True)
class Said:
    """An answer as it is sent.

    Attributes:
        text: of it.
        finish: ``length`` where it was cut at the limit of tokens.
        tokens: of the answer; empty when the model tells nothing about them.
        reply: the model's.
    """

    text: str
    finish: Literal["stop", "length"]
    tokens: tuple[Token, ...]
    reply: Reply


@dataclass(frozen=True)
class Cut:
    """Where answers end.

    Attributes:
        stops: texts before which they end.
        limit: of tokens.
    """

    stops: tuple[str, ...] = ()
    limit: int | None = None

    def before_stop(self, text: str) -> str:
        """The text up to the first stop."""
        return text[: min((at for stop in self.stops if (at := text.find(stop)) >= 0), default=len(text))]

    def sure(self, text: str) -> str:
        """What of an unfinished text will stay: no half letters, and nothing that may begin a stop."""
        kept = self.before_stop(text).rstrip(_HALF)
        begun = max((n for stop in self.stops for n in range(1, len(stop)) if kept.endswith(stop[:n])), default=0)
        return kept[: len(kept) - begun]


class Spelling:
    """Knows of which models a text can be sent while it is written; looked up once a model."""

    def __init__(self) -> None:
        self._surely: dict[str, bool] = {}

    def sure(self, name: str, answerer: Answerer) -> bool:
        """What ``spells_surely`` finds; call it in the model's own thread."""
        if name not in self._surely:
            self._surely[name] = spells_surely(answerer)
        return self._surely[name]


def own_limit(answerer: Answerer) -> int | None:
    """How many tokens a model writes at most; None when it says nothing about it."""
    answering = getattr(getattr(answerer, "model", None), "answering", None)
    return getattr(answering, "tokens", None)


def spells_surely(answerer: Answerer) -> bool:
    """Whether the beginning of a text stays when its end is written; call it in the model's own thread.

    Word pieces are joined by rules that look ahead (``don ' t``), and an answer of the training data then gets its own
    spelling back (``x - ray`` becomes ``X-Ray``): nothing can be sent of it before it is whole.
    """
    model = getattr(answerer, "model", None)
    known, net = getattr(model, "known", None), getattr(model, "net", None)
    if known is None or net is None:
        return False
    return all(
        net.tokenizer.decode(list(net.answer_tokens(answer)[:-1]), skip_special_tokens=True).strip() == answer.strip()
        for answer in (*_HARD, *known.spellings[:_ENOUGH])
    )


_HARD = ("X-Ray", "don't", "It is 3.5 cm, isn't it?", "left  lung")
"""What tokenisers that lose something lose first."""
_ENOUGH = 2000  # answers that are tried


def said(reply: Reply, cut: Cut, texts: Sequence[str] = (), *, guess: bool = False) -> Said:
    """Turn a reply into what is sent.

    Args:
        reply: of a model.
        cut: where it ends.
        texts: the answer after each token, of a model that was heard.
        guess: give the best guess where the model abstains.
    """
    if guess and reply.answer is None and reply.candidates:
        answer, probability = reply.candidates[0]
        others = tuple((other, math.log(max(p, 1e-9))) for other, p in reply.candidates)
        reply = replace(reply, answer=answer, abstained=None, confidence=probability)
        reply = replace(reply, tokens=(Token(answer, math.log(max(probability, 1e-9)), others),))
    if cut.limit is not None and cut.limit < len(texts) and texts[cut.limit - 1] != texts[-1]:
        written = texts[cut.limit - 1].rstrip(_HALF)
        return Said(cut.before_stop(written), "length", reply.tokens[: cut.limit], reply)
    return Said(cut.before_stop(reply.text), "stop", reply.tokens, reply)


class Deltas:
    """What is new of an answer that is being written.

    Args:
        cut: where it ends.
    """

    def __init__(self, cut: Cut) -> None:
        self._cut, self._count, self._sent = cut, 0, ""

    def more(self, text: str) -> str:
        """What can be sent now; nothing where it may still change."""
        self._count += 1
        if self._cut.limit is not None and self._count > self._cut.limit:
            return ""
        return self._advance(self._cut.sure(text))

    def rest(self, text: str) -> str:
        """What is left of the whole answer."""
        return self._advance(text)

    def _advance(self, text: str) -> str:
        if not text.startswith(self._sent):
            return ""
        new, self._sent = text[len(self._sent) :], text
        return new

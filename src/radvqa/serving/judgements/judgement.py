"""What a reader says about an answer."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from radvqa.text import NORMALISERS

Verdict = Literal["right", "wrong", "unsure"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Judgement:
    """One reader on one answer. Neither the picture nor its file name is kept, only its digest.

    Attributes:
        token: made by the page for each judgement, so that the same one sent twice counts once.
        reader: who judges.
        verdict: ``right``, ``wrong`` or ``unsure``.
        model: that answered.
        picture: digest of the pixels that the model saw.
        question: as asked.
        answer: as given; None where the model gave none.
        confidence: of the model; None when it tells none.
        better: the answer that the reader would give; empty when not said.
        comment: anything else.
        data: data set of a sample; empty for a picture of somebody's own.
        split: of a sample.
        sample: id of a sample.
        gold: stored answer of a sample; None for a picture of somebody's own.
        at: seconds since 1970, by the server's clock.
        number: in the order of coming; 0 before it is kept.
        replaced: whether the same reader said something later about the same answer.
    """

    token: str
    reader: str
    verdict: Verdict
    model: str
    picture: str
    question: str
    answer: str | None
    confidence: float | None = None
    better: str = ""
    comment: str = ""
    data: str = ""
    split: str = ""
    sample: str = ""
    gold: str | None = None
    at: float = 0.0
    number: int = 0
    replaced: bool = False

    @property
    def asked(self) -> tuple[str, str]:
        """What was asked: picture and question."""
        return self.picture, self.question

    @property
    def judged(self) -> tuple[str, str, str, str | None]:
        """What was judged: an answer of a model to a question about a picture."""
        return self.model, self.picture, self.question, self.answer

    @property
    def automatic(self) -> bool | None:
        """Whether the answer is the stored one by the rule of the accuracy; None where there is no stored one."""
        if self.gold is None:
            return None
        normalise = NORMALISERS["seed000" if self.gold.isascii() else "unicode"]
        return self.answer is not None and normalise(self.answer) == normalise(self.gold)

    def plain(self) -> dict[str, Any]:
        """As plain values, with what the rule of the accuracy says."""
        return {**asdict(self), "automatic": self.automatic}

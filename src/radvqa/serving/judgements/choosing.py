"""Which judgements are meant."""

from collections.abc import Iterable
from dataclasses import dataclass

from radvqa.serving.judgements.judgement import Judgement


@dataclass(frozen=True)
class Wanted:
    """A choice among judgements; empty takes all.

    Attributes:
        model: that answered.
        reader: who judged.
        verdict: that was given.
        data: data set of the sample.
        search: text in question, answers or comment.
        replaced: take those too that a later one replaces.
    """

    model: str = ""
    reader: str = ""
    verdict: str = ""
    data: str = ""
    search: str = ""
    replaced: bool = False

    def among(self, judgements: Iterable[Judgement]) -> list[Judgement]:
        """Return those that are meant, in their order."""
        return [one for one in judgements if self._is(one)]

    def _is(self, one: Judgement) -> bool:
        if one.replaced and not self.replaced:
            return False
        named = (self.model, one.model), (self.reader, one.reader), (self.verdict, one.verdict), (self.data, one.data)
        if any(wanted and wanted != found for wanted, found in named):
            return False
        texts = (one.question, one.answer or "", one.better, one.comment, one.gold or "")
        return not self.search or self.search.casefold() in "\n".join(texts).casefold()

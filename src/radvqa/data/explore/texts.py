"""What is counted of a text, once for each distinct text."""

from dataclasses import dataclass

from radvqa.text import NORMALISERS, tokens

CHARACTERS_PER_TOKEN = 4
"""Rule of thumb for texts of Latin script; a sign of a script without spaces counts as a token of its own."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text in numbers.

    Attributes:
        normalised: after the normaliser.
        length: tokens of the normalised text, as ``radvqa.text.tokens`` splits it.
        words: tokens of the text as published.
        subwords: estimate of a language model's tokens.
    """

    normalised: str
    length: int
    words: int
    subwords: int


class Texts:
    """Texts under one normaliser; what is known of a text is remembered, because questions repeat.

    Args:
        normaliser: a name of ``radvqa.text.NORMALISERS``.
    """

    def __init__(self, normaliser: str) -> None:
        self.normaliser = normaliser
        self._normalise = NORMALISERS[normaliser]
        self._known: dict[str, Text] = {}

    def of(self, text: str) -> Text:
        """Return a text's numbers."""
        found = self._known.get(text)
        if found is None:
            normalised, words = self._normalise(text), tokens(text)
            subwords = sum(-(-len(word) // CHARACTERS_PER_TOKEN) for word in words)
            found = self._known[text] = Text(normalised, len(tokens(normalised)), len(words), subwords)
        return found

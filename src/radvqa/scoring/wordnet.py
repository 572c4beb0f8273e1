"""WordNet's nouns, read from a folder of its own database files, and the similarity of Wu and Palmer between words.

The files are those of every WordNet since 1.7 (manual page wndb(5WN)): ``index.noun`` lists the senses of each word,
``data.noun`` holds one sense a line at the byte that the index names, ``noun.exc`` irregular plurals. They are read
here and not by nltk, whose reader needs a file that Debian's package lacks and seconds to open; a test holds the
similarities against nltk's.
"""

import os
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path

from radvqa.errors import DataError

HOW_TO_GET = (
    "install Debian's package wordnet-base (apt install wordnet-base), or name a folder that holds index.noun, "
    "data.noun and noun.exc in RADVQA_WORDNET"
)

_DEBIAN = Path("/usr/share/wordnet")
_FILES = ("index.noun", "data.noun", "noun.exc")
_ENDINGS = (  # of regular plurals and what the word ends in; morphy(7WN)
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("ves", "f"),
)
_LONGEST = 100  # characters; no entry of WordNet is as long
_REMEMBERED = 1 << 16  # words, and pairs of words
_KINDS_OF = ("@", "@i")  # pointers to what a sense is a kind of, or an instance of


def open_wordnet() -> "Nouns":
    """Open the first WordNet among ``RADVQA_WORDNET``, Debian's folder and nltk's data folders.

    Raises:
        DataError: when there is none, or ``RADVQA_WORDNET`` holds none; the message says how to get it.
    """
    named = os.environ.get("RADVQA_WORDNET")
    for folder in [Path(named)] if named else [_DEBIAN, *_nltk_folders()]:
        if all((folder / file).is_file() for file in _FILES):
            return Nouns(*((folder / file).read_bytes() for file in _FILES), source=str(folder))
        if folder.suffix == ".zip" and folder.is_file():
            with zipfile.ZipFile(folder) as packed:
                return Nouns(*(packed.read(f"{folder.stem}/{file}") for file in _FILES), source=str(folder))
    if named:
        raise DataError(f"RADVQA_WORDNET={named} holds no WordNet; it must be a folder with {', '.join(_FILES)}.")
    raise DataError(f"WordNet is not on this machine; {HOW_TO_GET}.")


def _nltk_folders() -> list[Path]:
    """Where nltk's downloader puts WordNet, unpacked or packed."""
    named = [Path(folder) for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    usual = [Path.home() / "nltk_data", *(Path(sys.prefix) / place / "nltk_data" for place in ("", "share", "lib"))]
    system = [Path(place) / "nltk_data" for place in ("/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib")]
    roots = [*named, *usual, *system]
    return [root / "corpora" / name for root in roots for name in ("wordnet", "wordnet.zip")]


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning, and everything that it is a kind of.

    Attributes:
        offset: its byte in ``data.noun``, which names it.
        distances: offset → fewest steps up to it, the sense itself included.
        shallowest: fewest steps up to a root.
        deepest: most steps up to a root.
    """

    offset: int
    distances: dict[int, int]
    shallowest: int
    deepest: int


class Nouns:
    """The nouns of one WordNet.

    Args:
        index: bytes of ``index.noun``.
        data: bytes of ``data.noun``.
        exceptions: bytes of ``noun.exc``.
        source: named in error messages.
    """

    def __init__(self, index: bytes, data: bytes, exceptions: bytes, *, source: str) -> None:
        self._index, self._data, self._exceptions, self._source = index, data, exceptions, source
        self._senses: dict[int, Sense] = {}
        self._of_word = lru_cache(_REMEMBERED)(self._look_up)
        self._of_words = lru_cache(_REMEMBERED)(self._compare)
        self._names: dict[int, str] = {}

    def senses(self, word: str) -> list[Sense]:
        """Return every sense of a word in singular or plural; none when WordNet does not have it.

        Case does not matter; a word may hold blanks: ``"spinal cord"``.
        """
        return self._of_word("_".join(word.lower().split())) if len(word) <= _LONGEST else []

    def similarity(self, one: str, other: str) -> float:
        """Return the largest similarity of a sense of one word with a sense of the other; 0 when one is unknown."""
        return self._of_words(one, other) if len(one) <= _LONGEST and len(other) <= _LONGEST else 0.0

    def _look_up(self, entry: str) -> list[Sense]:
        bases = self._irregular.get(entry) or [entry[: -len(a)] + b for a, b in _ENDINGS if entry.endswith(a)]
        offsets = dict.fromkeys(offset for base in [entry, *bases] for offset in self._offsets(base))
        return [self._sense(offset) for offset in offsets]

    def _compare(self, one: str, other: str) -> float:
        pairs = product(self.senses(one), self.senses(other))
        return max((self.wu_palmer(a, b) for a, b in pairs), default=0.0)

    def wu_palmer(self, one: Sense, other: Sense) -> float:
        """Compare two senses by the depth of what both are a kind of, in (0, 1]; 0 when they share no root.

        Twice the depth of the common subsumer over the depths of both senses reached through it. Source: Z. Wu,
        M. Palmer, ACL 1994, section 4; where several subsumers or paths compete, the choice is that of nltk's
        ``wup_similarity``, with which published scores were computed: the subsumer whose shortest way to the root is
        the longest, at the depth of its longest way.
        """
        common = one.distances.keys() & other.distances.keys()
        if not common:
            return 0.0
        lowest = max(self._sense(offset).shallowest for offset in common)
        subsumers = [offset for offset in common if self._sense(offset).shallowest == lowest]
        chosen = one.offset if one.offset in subsumers else min(subsumers, key=self._name)
        subsumer = self._sense(chosen)
        steps = _steps(one, subsumer) + _steps(other, subsumer)
        depth = subsumer.deepest + 1
        return 2 * depth / (steps + 2 * depth)

    @cached_property
    def _entries(self) -> dict[str, str]:
        """Line of the index by word."""
        lines = self._index.decode("utf-8").split("\n")
        return {line.partition(" ")[0]: line for line in lines if line and not line.startswith(" ")}

    @cached_property
    def _irregular(self) -> dict[str, list[str]]:
        """Base forms by irregular plural."""
        lines = map(str.split, self._exceptions.decode("utf-8").splitlines())
        return {words[0]: words[1:] for words in lines if words}

    def _offsets(self, entry: str) -> list[int]:
        """Senses of an entry, the most frequent first."""
        if entry not in self._entries:
            return []
        fields = self._entries[entry].split()
        return [int(offset) for offset in fields[len(fields) - int(fields[2]) :]]

    def _fields(self, offset: int) -> list[str]:
        """One sense's line: offset, file, type, number of words, words with their ids, number of pointers, pointers."""
        end = self._data.find(b"|", offset)
        fields = self._data[offset : end if end >= 0 else None].decode("utf-8").split()
        if not fields or fields[0] != f"{offset:08d}":
            raise DataError(
                f"{self._source}: data.noun holds no sense at byte {offset}; its files do not fit together."
            )
        return fields

    def _sense(self, offset: int) -> Sense:
        if offset not in self._senses:
            fields = self._fields(offset)
            pointers = fields[5 + 2 * int(fields[3], 16) :]
            above = [self._sense(int(pointers[i + 1])) for i in range(0, len(pointers), 4) if pointers[i] in _KINDS_OF]
            distances = {offset: 0}
            for parent in above:
                for ancestor, steps in parent.distances.items():
                    distances[ancestor] = min(steps + 1, distances.get(ancestor, steps + 1))
            self._senses[offset] = Sense(
                offset,
                distances,
                min((parent.shallowest + 1 for parent in above), default=0),
                max((parent.deepest + 1 for parent in above), default=0),
            )
        return self._senses[offset]

    def _name(self, offset: int) -> str:
        """Name a sense by its first word and the rank of this sense among that word's."""
        if offset not in self._names:
            word = self._fields(offset)[4].lower()
            self._names[offset] = f"{word}.n.{self._offsets(word).index(offset) + 1:02d}"
        return self._names[offset]


def _steps(sense: Sense, subsumer: Sense) -> int:
    """Fewest steps between a sense and one that subsumes it, over any common ancestor."""
    below = sense.distances
    return min(below[offset] + steps for offset, steps in subsumer.distances.items() if offset in below)

"""The one record of curation: a question with its answer, where it came from, and what was decided about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from radvqa.errors import DataError

Kind = Literal["open", "closed", "choice", "literature", "conversation", "description", "rewrite"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a question is: ``literature`` needs no picture, ``rewrite`` is a caption put anew."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with its answer.

    Attributes:
        id: unique in a table, and the same whenever the same is made from the same.
        question: what is asked.
        answer: what is right.
        kind: of question.
        image: name of the picture inside its data set.
        image_path: where its file lies.
        dataset: ``name:version`` that the material is from.
        split: of the material.
        case: patient or case, where known.
        caption: what the pair was written from.
        organ: as the data set says.
        modality: as the data set says.
        facts: what else the data set says of the picture, by name (``Plane``, ``Location`` …).
        options: of a choice, in the order shown; else empty.
        turn: place in a conversation, from 0 on.
        template: ``name@version`` of the prompt; empty for pairs that nothing was asked for.
        model: that wrote it.
        reply: key of the reply in the cache of replies.
        whole: whether the answer has an end.
        flags: what rules noticed, by name, in their order.
        dropped: name of the first rule that took the pair out; empty while it stays.
        edited: question and answer as they were before a reviewer changed them; else empty.
    """

    id: str
    question: str
    answer: str
    kind: Kind
    image: str = ""
    image_path: str = ""
    dataset: str = ""
    split: str = ""
    case: str = ""
    caption: str = ""
    organ: str = ""
    modality: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    turn: int = 0
    template: str = ""
    model: str = ""
    reply: str = ""
    whole: bool = True
    flags: tuple[str, ...] = ()
    dropped: str = ""
    edited: tuple[str, ...] = ()

    def fact(self, name: str) -> str:
        """What the data set says of the picture under a name; empty where it says nothing."""
        return dict(self.facts).get(name, "")

    def plain(self) -> dict[str, Any]:
        """As a row of a table."""
        row = asdict(self)
        return {**row, "facts": dict(self.facts), **{key: list(row[key]) for key in ("options", "flags", "edited")}}

    @classmethod
    def of_plain(cls, row: Mapping[str, Any], where: str) -> "Pair":
        """Take up a row of a table.

        Raises:
            DataError: for a row that lacks a key, has an unknown one, or a value of another type.
        """
        unknown = [key for key in row if key not in _TYPES]
        if unknown:
            raise DataError(f"{where}: a pair has no {unknown[0]!r}; `radvqa curate` wrote its tables otherwise.")
        lacking = [key for key in ("id", "question", "answer", "kind") if key not in row]
        if lacking:
            raise DataError(f"{where}: the pair has no {lacking[0]!r}.")
        values = {key: _taken(key, value, where) for key, value in row.items()}
        if values["kind"] not in KINDS:
            raise DataError(f"{where}: {values['kind']!r} is no kind of question; one of {', '.join(KINDS)}.")
        return cls(**values)


_TYPES = {field.name: field.type for field in fields(Pair)}
_LISTS = ("options", "flags", "edited")


def _taken(key: str, value: Any, where: str) -> Any:
    if key == "facts":
        pairs = value.items() if isinstance(value, Mapping) else value or ()
        return tuple((str(name), str(text)) for name, text in pairs if text is not None)
    if key in _LISTS:
        if value is not None and not isinstance(value, list | tuple):
            raise DataError(f"{where}: {key!r} must be a list, found {value!r}.")
        return tuple(map(str, value or ()))
    wanted = {"turn": int, "whole": bool}.get(key, str)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise DataError(f"{where}: {key!r} must be {_NAMES[wanted]}, found {value!r}.")
    return value


_NAMES = {int: "a whole number", bool: "true or false", str: "a text"}

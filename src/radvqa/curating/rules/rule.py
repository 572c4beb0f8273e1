"""What a rule is."""

from collections.abc import Callable
from dataclasses import dataclass

from radvqa.curating.rules.words import Texts

Check = Callable[[Texts], bool]


@dataclass(frozen=True)
class Rule:
    """One reason to leave a pair out.

    Attributes:
        title: the reason, as cards say it.
        check: whether it holds for a pair.
    """

    title: str
    check: Check

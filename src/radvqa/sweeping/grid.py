"""The grid of a sweep: ``lora.r=8,16,32 seed=0,1`` is six runs."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from radvqa.errors import RecipeError
from radvqa.sweeping.naming import labels, slugs

SEED = "training.seed"
"""The axis that is no setting: runs that differ in it alone are repeats of one setting."""

_OPENS, _CLOSES = {"[": "]", "{": "}", "(": ")"}, {"]", "}", ")"}
_BEFORE_A_QUOTE = ",[{(:"  # elsewhere a quote is an apostrophe


@dataclass(frozen=True)
class Axis:
    """A key with several values.

    Attributes:
        key: of the recipe, with its section.
        said: the key as it was typed.
        values: what it takes, as YAML text, in the order given.
    """

    key: str
    said: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Combination:
    """One run of a sweep.

    Attributes:
        name: of its folder, for instance ``r8-seed0``.
        setting: the same without the seed, for instance ``r8``; empty when nothing but the seed varies.
        values: full key → value as text, the seed among them.
        overrides: what ``radvqa train`` is given.
    """

    name: str
    setting: str
    values: dict[str, str]
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """What a sweep varies and what it sets.

    Attributes:
        axes: the keys with several values.
        fixed: overrides that every run gets.
    """

    axes: tuple[Axis, ...]
    fixed: tuple[str, ...]

    @property
    def combinations(self) -> list[Combination]:
        """Every combination of values; the last axis varies fastest."""
        return list(self._combine())

    def _combine(self) -> Iterator[Combination]:
        called = labels([axis.key for axis in self.axes])
        parts = [slugs(label, axis.values) for label, axis in zip(called, self.axes, strict=True)]
        for chosen in itertools.product(*(range(len(axis.values)) for axis in self.axes)):
            picked = list(zip(self.axes, chosen, strict=True))
            named = [names[i] for names, i in zip(parts, chosen, strict=True)]
            settled = [name for name, axis in zip(named, self.axes, strict=True) if axis.key != SEED]
            overrides = (*self.fixed, *(f"{axis.said}={axis.values[i]}" for axis, i in picked))
            values = {axis.key: axis.values[i] for axis, i in picked}
            yield Combination("-".join(named), "-".join(settled), values, overrides)


def parse_grid(arguments: Sequence[str], full_key: Callable[[str], str]) -> Grid:
    """Read ``key=value`` arguments; a key with several values, separated by commas, is an axis.

    Args:
        arguments: as typed; commas within brackets or quotes belong to a value.
        full_key: returns a key with its section, so that ``seed`` and ``training.seed`` are known to be one key.

    Raises:
        RecipeError: for an argument that is no override, a key or value given twice, an empty value, brackets that
            do not close, and when no key has several values.
    """
    axes, fixed, known = list[Axis](), list[str](), dict[str, str]()
    for argument in arguments:
        said, equals, text = argument.partition("=")
        if not equals or not said:
            raise RecipeError(f"{argument!r} is no axis and no override; write key=value or key=a,b,c.")
        key = full_key(said)
        if key in known:
            raise RecipeError(f"{key} is given twice, as {known[key]!r} and as {argument!r}; put all values into one.")
        known[key] = argument
        values = split_values(text)
        if len(values) == 1:
            fixed.append(argument)
            continue
        for value in values:
            if not value:
                raise RecipeError(f"{argument!r} has an empty value between its commas.")
            if values.count(value) > 1:
                raise RecipeError(f"{argument!r} has the value {value} twice.")
        axes.append(Axis(key, said, tuple(values)))
    if not axes:
        raise RecipeError("No key has several values; write one as key=a,b,c, or use `radvqa train` for a single run.")
    return Grid(tuple(axes), tuple(fixed))


def split_values(text: str) -> list[str]:
    """Split at commas that stand outside of brackets and quotes: ``[a, b],[c]`` → ``[a, b]`` and ``[c]``.

    Raises:
        RecipeError: when a bracket or quote does not close.
    """
    values, closing, quote, start, last = [], list[str](), "", 0, ","
    at = 0
    while at < len(text):
        letter = text[at]
        if quote:
            if quote == '"' and letter == "\\":
                at += 1  # the next letter is escaped
            elif letter == quote:
                quote = ""  # a doubled single quote closes and opens again
        elif letter in "'\"" and last in _BEFORE_A_QUOTE + "'":
            quote = letter
        elif letter in _OPENS:
            closing.append(_OPENS[letter])
        elif letter in _CLOSES:
            if not closing or closing.pop() != letter:
                raise RecipeError(f"{text!r} has a {letter} too many.")
        elif letter == "," and not closing:
            values.append(text[start:at].strip())
            start = at + 1
        if not letter.isspace():
            last = letter
        at += 1
    if quote or closing:
        raise RecipeError(f"{text!r} lacks its closing {quote or closing[-1]}.")
    return [*values, text[start:].strip()]

"""What differs between the recipes of runs, key by key: the reason, or the doubt, behind every difference in scores."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radvqa.report.grid import Row, Table
from radvqa.report.numbers import UNDEFINED, without_folders
from radvqa.report.scored import Group

_LONGEST = 120  # letters of a value
_SAYS_NOTHING = ("name", "title", "notes", "reproduces")
_NO_MATTER = ("seed", "checkpoint_seconds", "trackers", "log_every", "accept", "device", "threads")  # of training
_USUAL: dict[str, Any] = {"temperature": 1.0, "repeat": 1, "weights": "best", "optimizer": False}  # of stage and mix


def differing_table(groups: Sequence[Group]) -> Table | None:
    """Show the keys whose values differ between recipes, a column each; None for one recipe, or where none differ.

    Of a stage, what it says itself is compared; where it says what ``training`` says for all stages, it says nothing.
    """
    known = [group for group in groups if group.runs[0].recipe]
    if len(known) < 2:
        return None
    flat = [dict(_keys(group.runs[0].recipe)) for group in known]
    keys = [key for key in _in_order(flat) if len({_shown(recipe.get(key)) for recipe in flat}) > 1]
    rows = tuple(Row((key, *(_shown(recipe.get(key)) for recipe in flat))) for key in keys)
    if not rows:
        return None
    labels = tuple(group.label for group in known)
    notes = ["Seeds, and what changes nothing in the weights, are left out."]
    if any(group.runs[0].stages for group in known):
        notes.append("Of a stage only what it says itself is shown; for the rest it is as “training” says.")
    columns = ("Key", *labels)
    return Table("What differs between the recipes", columns, rows, tuple(notes), frozenset(labels))


def differing_keys(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the keys whose values differ between two recipes, with both values as text; the same as in the table."""
    flat = [dict(_keys(recipe)) for recipe in (first, second)]
    shown = {key: (_shown(flat[0].get(key)), _shown(flat[1].get(key))) for key in _in_order(flat)}
    return {key: values for key, values in shown.items() if values[0] != values[1]}


def _keys(recipe: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    training = recipe.get("training", {})
    matters = {key: value for key, value in training.items() if key not in _NO_MATTER}
    sections = {key: value for key, value in recipe.items() if key not in (*_SAYS_NOTHING, "training", "stages")}
    yield from _flat({**sections, "training": matters})
    for number, stage in enumerate(recipe.get("stages") or [], start=1):
        for key, value in _flat(_own(stage, training)):
            if not _is_usual(key, value):
                yield f"stages.{number}.{key}", value


def _own(stage: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a stage says otherwise than ``training``, a source of its mix and a section in one line each."""
    name = {"name": stage.get("name")}
    own = {key: value for key, value in stage.items() if key not in training or value != training[key]}
    for key, value in own.items():
        if key == "data":
            own[key] = {str(number): _line(source) for number, source in enumerate(value or [], start=1)}
        elif isinstance(value, Mapping):
            own[key] = _line(value)
    return {**name, **own}


def _line(section: Mapping[str, Any]) -> str:
    """Write a section in a line, without what is usual; a label that repeats the name is."""
    said = {key: value for key, value in section.items() if value not in (None, [], "", {})}
    if said.get("label") == said.get("name"):
        said.pop("label", None)
    return ", ".join(
        f"{key} {_line(value) if isinstance(value, Mapping) else _text(value)}"
        for key, value in said.items()
        if not _is_usual(key, value)
    )


def _is_usual(key: str, value: Any) -> bool:
    return key in _USUAL and bool(value == _USUAL[key])


def _flat(values: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from _flat(value, f"{place}.{name}" if place else str(name))
    elif values not in (None, [], ""):
        yield place, values


def _in_order(recipes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return all keys, in the order of the recipes; those of one section together."""
    keys = list(dict.fromkeys(key for recipe in recipes for key in recipe))
    sections = list(dict.fromkeys(_section(key) for key in keys))
    return sorted(keys, key=lambda key: sections.index(_section(key)))


def _section(key: str) -> str:
    parts = key.split(".")
    return ".".join(parts[:2]) if parts[0] == "stages" else parts[0]


def _shown(value: Any) -> str:
    return UNDEFINED if value is None else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value)
    text = " ".join(str(without_folders(value)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

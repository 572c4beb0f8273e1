"""A recipe that is another one with something changed: ``base``, ``change`` and ``without``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from radvqa.errors import RecipeError, nearest
from radvqa.recipe.overrides import full_key, put, remove

_OWN = ("name", "title", "reproduces", "notes")
_KEYS = [*_OWN, "base", "change", "without"]


def written_out(
    path: Path, values_of: Callable[[Path], dict[str, Any]], below: tuple[Path, ...] = ()
) -> dict[str, Any]:
    """Return the plain values of a recipe, with what its base says.

    Args:
        path: of the recipe.
        values_of: reads a recipe by path or name.
        below: recipes whose base this is.

    Raises:
        RecipeError: for a key that a variant cannot have, a change without a place, and bases that go round.
    """
    values = values_of(path)
    if "base" not in values:
        return values
    if path in below:
        raise RecipeError(f"{path}: its base leads back to itself ({' → '.join(str(one) for one in below)}).")
    for key in values:
        if key not in _KEYS:
            raise RecipeError(
                f"{path}: a recipe with a base says what differs under `change`, not as {key!r}; {nearest(key, _KEYS)}"
            )
    beside = path.parent / f"{values['base']}.yaml"
    base = written_out(beside if beside.is_file() else Path(str(values["base"])), values_of, (*below, path))
    base |= {key: values[key] for key in _OWN if key in values}
    for key in values.get("without") or ():
        remove(base, full_key(base, str(key)), str(key))
    change = values.get("change") or {}
    if not isinstance(change, Mapping):
        raise RecipeError(f"{path}: `change` must be a mapping from dotted keys to values, like `model.lora.r: 4`.")
    for key, value in change.items():
        put(base, full_key(base, str(key)), value, f"{key}: {value}")
    return base

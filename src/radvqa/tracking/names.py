"""Which trackers there are: those that ``accelerate`` knows."""

from collections.abc import Sequence

from radvqa.errors import RecipeError, nearest

_PACKAGES = {"comet_ml": "comet-ml"}  # where the package is not called as the tracker


def known() -> dict[str, bool]:
    """Return every tracker's name, and whether its library is installed; empty without ``accelerate``."""
    try:
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers
    except ModuleNotFoundError:
        return {}
    installed = {str(name) for name in get_available_trackers()}
    return {name: name in installed for name in LOGGER_TYPE_TO_CLASS}


def require_known(names: Sequence[str]) -> None:
    """Refuse names that nobody knows.

    Raises:
        RecipeError: for the first such name, with the nearest that is known.
    """
    found = list(known())
    for name in names:
        if found and name not in found:
            raise RecipeError(f"training.trackers: there is no tracker {name!r}; {nearest(name, found)}")


def package(name: str) -> str:
    """Return what to install for a tracker."""
    return _PACKAGES.get(name, name)

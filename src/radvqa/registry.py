"""Name → object, one file each: the file ``sets/slake.py`` is what the name ``slake`` means."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """The modules of one package as a read-only dictionary; a module is imported when its entry is asked for.

    Args:
        package: dotted name of the package; each of its public modules is an entry of the module's name.
        attribute: the module-level name that holds the entry.
    """

    def __init__(self, package: str, attribute: str) -> None:
        self.package, self.attribute = package, attribute

    def __getitem__(self, name: str) -> Entry:
        if name not in self:
            raise KeyError(name)
        entry: Entry = getattr(importlib.import_module(f"{self.package}.{name}"), self.attribute)
        return entry

    def __iter__(self) -> Iterator[str]:
        modules = pkgutil.iter_modules(importlib.import_module(self.package).__path__)
        return iter(sorted(module.name for module in modules if not module.name.startswith("_")))

    def __contains__(self, name: object) -> bool:
        return any(name == known for known in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

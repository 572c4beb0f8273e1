"""Name → data set, and the one way to load one. Adding a data set is adding a file to ``sets/``."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from radvqa import console
from radvqa.data import collector, split_file
from radvqa.data.dataset import DataSet, Problems, Version
from radvqa.data.own.description import names_a_file
from radvqa.data.own.row import VERSION as OWN_VERSION
from radvqa.data.own.table_set import open_own
from radvqa.errors import DataError, nearest
from radvqa.registry import Registry
from radvqa.sample import Region, Sample

DATASETS: Registry[DataSet] = Registry("radvqa.data.sets", "DATA_SET")


@dataclass(frozen=True)
class Selection:
    """A data set and one of its versions, as named by ``name`` or ``name:version``, or by a file of one's own.

    Attributes:
        data_set: the data set.
        version_name: the version's name.
        file: the YAML file that describes a user's own data; None for a data set that is known by name.
    """

    data_set: DataSet
    version_name: str
    file: Path | None = None

    @property
    def name(self) -> str:
        """The full name, ``name:version``."""
        return f"{self.data_set.name}:{self.version_name}"

    @property
    def place(self) -> str:
        """What ``select`` finds it by again: the full name, or the path of the YAML file."""
        return str(self.file) if self.file is not None else self.name

    @property
    def version(self) -> Version:
        """What is known about the version."""
        return self.data_set.facts.versions[self.version_name]

    @property
    def folder(self) -> Path:
        """Where the data lies (or is made, for a data set that is generated).

        Raises:
            DataError: when ``RADVQA_DATA`` is not set or does not hold the data set.
        """
        if self.file is not None:
            return self.file.parent
        wanted = self.data_set.facts.folder
        if not wanted:
            return Path()
        root = os.environ.get("RADVQA_DATA")
        if not root:
            raise DataError(
                f"{self.data_set.name} is read from the folder {wanted}/ below RADVQA_DATA, which is not set; "
                f"export RADVQA_DATA=/path/to/data sets, or use the data set 'phantom', which needs none."
            )
        folder = Path(root) / wanted
        if not folder.is_dir():
            raise DataError(f"{self.data_set.name}: RADVQA_DATA is {root}, but there is no folder {wanted}/ in it.")
        return folder


def select(name: str) -> Selection:
    """Find a data set by ``name`` or ``name:version``, or by the path of the YAML file that describes one's own.

    Raises:
        DataError: for an unknown name or version, with the nearest known one, and for a file that cannot be used.
    """
    if is_own(name):
        return _select_own(name)
    base, _, version = name.partition(":")
    if base not in DATASETS and version == OWN_VERSION:
        raise DataError(f"{name} is data of your own; name it by the path of its YAML file.")
    if base not in DATASETS:
        raise DataError(f"There is no data set {base!r}; {nearest(base, list(DATASETS))}")
    facts = DATASETS[base].facts
    version = version or facts.default
    if version not in facts.versions:
        raise DataError(f"{base} has no version {version!r}; {nearest(version, list(facts.versions))}")
    return Selection(DATASETS[base], version)


def is_own(name: str) -> bool:
    """Tell whether a name is the path of a YAML file that describes a user's own data."""
    return names_a_file(name)


def knows(name: str) -> bool:
    """Tell whether a name is meant for a data set: a known one, of any version, or a user's own."""
    return is_own(name) or name.partition(":")[0] in DATASETS


def _select_own(name: str) -> Selection:
    data_set = open_own(name)
    if data_set.name in DATASETS:
        raise DataError(f"{name}: {data_set.name!r} is the name of a data set that comes with radvqa; choose another.")
    return Selection(data_set, OWN_VERSION, Path(name))


def load(name: str, problems: Problems | None = None) -> list[Sample]:
    """Load every split of a data set, in published order.

    Args:
        name: ``name`` or ``name:version``, or a YAML file of one's own.
        problems: where bad rows are reported; by default the first one raises.

    Raises:
        DataError: when the data is absent, a row is bad, an id is repeated, or a published split is empty.
    """
    selection = select(name)
    problems = problems or Problems()
    if selection.version.warning:
        _warn(f"{selection.name}: {selection.version.warning}")
    with collector.paused():
        samples = _without_repeated_ids(
            selection.data_set.load(selection.folder, selection.version_name, problems), problems
        )
    counts = Counter(sample.split for sample in samples)
    for split in selection.version.splits:
        if not counts[split]:
            raise DataError(f"{selection.name}: the split {split!r} is empty; check the files in {selection.folder}.")
    return samples


def load_split(name: str, split: str, problems: Problems | None = None) -> list[Sample]:
    """Load one split of a data set.

    Args:
        name: ``name`` or ``name:version``, or a YAML file of one's own.
        split: a published split, or the path of a split file (``….json``) that keeps a part of one.
        problems: where bad rows are reported; by default the first one raises.

    Raises:
        DataError: as ``load``, for an unknown split, and for a split file that does not fit the data set.
    """
    if split_file.names_a_file(split):
        return _load_part(name, Path(split), problems or Problems())
    require_split(name, split)
    return [sample for sample in load(name, problems) if sample.split == split]


def require_split(name: str, split: str) -> None:
    """Refuse a split that a data set does not have, without reading it; the path of a split file passes.

    Raises:
        DataError: names the nearest split.
    """
    known = list(select(name).version.splits)
    if split not in known and not split_file.names_a_file(split):
        raise DataError(f"{name} has no split {split!r}; {nearest(split, known)}")


def regions(name: str, image: str) -> list[Region]:
    """Return the labelled regions of one image of a data set."""
    selection = select(name)
    return selection.data_set.regions(selection.folder, image)


def _load_part(name: str, path: Path, problems: Problems) -> list[Sample]:
    part = split_file.read(path)
    if part.dataset != select(name).name:
        raise DataError(f"{path} is a part of {part.dataset}, not of {select(name).name}; load {part.dataset} with it.")
    before = len(problems.found)
    samples = load_split(name, part.split, problems)
    return split_file.keep(part, samples, path, rows_skipped=len(problems.found) > before)


@cache
def _warn(sentence: str) -> None:
    """Say it once in a process, however many splits are loaded."""
    console.say(sentence)


def _without_repeated_ids(samples: Iterable[Sample], problems: Problems) -> list[Sample]:
    first: dict[str, Sample] = {}
    for sample in samples:
        if sample.id in first:
            problems.report(f"{sample.source}: the id {sample.id} was already used at {first[sample.id].source}.")
        else:
            first[sample.id] = sample
    return list(first.values())

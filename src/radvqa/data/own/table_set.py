"""A user's own table as a data set like any other."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from radvqa.data.dataset import Facts, Problems, Split, Version
from radvqa.data.own import description
from radvqa.data.own.pictures import Pictures
from radvqa.data.own.row import VERSION, RowReader
from radvqa.data.own.sides import Dealer
from radvqa.data.own.tables import Table, open_tables
from radvqa.errors import DataError, nearest
from radvqa.sample import Region, Sample


class TableSet:
    """A table, a folder of pictures, and the YAML file that describes them; the table is read once.

    Args:
        path: the YAML file.

    Raises:
        DataError: as ``description.read``, and when the table or the folder of pictures cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = description.read(path)
        self.name = self.description.name
        self._samples, self._found = self._read()
        self.facts = self._facts()

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Return the samples of every split; ``folder`` and ``version`` are not used: there is one of each.

        Raises:
            DataError: when a row is bad, no row can be used, or a split stays empty.
        """
        for message in self._found:
            problems.report(message)
        if not self._samples:
            raise DataError(f"{self.path}: no row can be used; {self._found[0]}")
        empty = [split for split, known in self.facts.versions[VERSION].splits.items() if not known.rows]
        if empty:
            by = f"no {self.description.split_by} fell into it; give it a larger fraction, or name splits in a column"
            why = by if self.description.split_by else "its file holds no row that can be used"
            raise DataError(f"{self.path}: the split {empty[0]!r} is empty: {why}.")
        return list(self._samples)

    def regions(self, folder: Path, image: str) -> list[Region]:
        """A table has no labelled regions."""
        return []

    def _facts(self) -> Facts:
        """What the YAML file says, and what its table holds now: nothing about it was published."""
        own, samples = self.description, self._samples
        languages = {sample.language for sample in samples} or {own.language}
        return Facts(
            title=own.title or own.name,
            source=f"your own data, {self.path.name}",
            licence=own.licence or "not stated",
            folder="",
            default=VERSION,
            versions={
                VERSION: Version(
                    summary=f"{len(samples):,} rows as {self.path.name} describes them.",
                    splits=self._splits(),
                    language=languages.pop() if len(languages) == 1 else "mul",
                    warning=_shared(samples, self.path),
                )
            },
            notes=own.notes,
            citation=own.citation,
            task=own.task,
        )

    def _read(self) -> tuple[list[Sample], list[str]]:
        """Read every row: the samples, and a sentence for each row that cannot be used."""
        own = self.description
        reader = RowReader(own, Pictures(self._images()))
        dealer = Dealer(own.split_by, own.fractions or description.FRACTIONS) if own.split_by else None
        samples: list[Sample] = []
        found: list[str] = []
        first: dict[str, str] = {}
        for split, key, where, cells in self._rows():
            try:
                sample = reader.read(cells, split=split or dealer, key=key, source=where)
                if first.setdefault(sample.id, where) != where:
                    raise ValueError(f"the id {sample.id} was already used at {first[sample.id]}.")  # noqa: TRY301
                samples.append(sample)
            except ValueError as error:
                found.append(f"{where}: {error}")
        return samples, found

    def _rows(self) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
        """Yield split (empty when the file does not say it), key, place and cells of every row."""
        for split, part, table in self._tables():
            self._check_columns(table)
            number = 0
            for number, (place, cells) in enumerate(table.rows(), start=1):
                yield split, f"{part}-{number}" if part else str(number), f"{table.path}, {place}", cells
            if not number:
                raise DataError(f"{table.path} holds no rows.")

    def _tables(self) -> Iterator[tuple[str, str, Table]]:
        """Yield split and table; the part's name stands between where rows of several parts are dealt together."""
        own = self.description
        for named, file in (own.splits or {"": own.file or ""}).items():
            opened = open_tables(self.path.parent / file)
            if named and "" not in opened:
                if named not in opened:
                    raise DataError(f"{self.path}: {file} has no split {named!r}; {nearest(named, list(opened))}")
                opened = {"": opened[named]}
            for part, table in opened.items():
                split = "" if own.columns.split or own.split_by else named or part
                if not (split or own.columns.split or own.split_by):
                    raise DataError(
                        f"{self.path}: nothing says which split a row belongs to; name a column (columns.split), a "
                        f"file for each (splits), or let the rows be dealt (split_by: case or image)."
                    )
                yield split, "" if split else part, table

    def _check_columns(self, table: Table) -> None:
        for ours, theirs in self.description.columns:
            for column in theirs if isinstance(theirs, list) else [theirs] if theirs else []:
                if column not in table.columns:
                    raise DataError(
                        f"{self.path}: columns.{ours} is {column!r}, but {table.path} has no such column; "
                        f"it has: {', '.join(table.columns)}."
                    )

    def _images(self) -> Path | None:
        if self.description.images is None:
            return None
        folder = self.path.parent / self.description.images
        if not folder.is_dir():
            raise DataError(f"{self.path}: images is {self.description.images!r}, but there is no folder {folder}.")
        return folder

    def _splits(self) -> dict[str, Split]:
        own, samples = self.description, self._samples
        declared = own.splits or ((own.fractions or description.FRACTIONS) if own.split_by else {})
        rows = Counter(sample.split for sample in samples)
        images: dict[str, set[str]] = defaultdict(set)
        for sample in samples:
            images[sample.split].add(sample.image)
        return {split: Split(rows[split], len(images[split])) for split in dict.fromkeys([*declared, *rows])}


def open_own(name: str) -> TableSet:
    """Open the data set that a YAML file describes; as long as no file of it changes, the table is read once.

    Raises:
        DataError: as ``TableSet``.
    """
    path = Path(name)
    own = description.read(path)
    tables = [path.parent / file for file in (own.splits or {"": own.file or ""}).values()]
    return _opened(path, path.absolute(), tuple(_state(file) for file in (path, *tables)))


@lru_cache(maxsize=4)
def _opened(path: Path, _absolute: Path, _states: tuple[tuple[int, int], ...]) -> TableSet:
    return TableSet(path)


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _shared(samples: Sequence[Sample], path: Path) -> str:
    """Return a warning when splits share pictures or cases; a score then says little about new patients."""
    counts = []
    for what in ("picture", "case"):
        splits: dict[str, set[str]] = defaultdict(set)
        for sample in samples:
            unit = sample.image if what == "picture" else sample.case
            if unit:
                splits[unit].add(sample.split)
        shared = sum(len(found) > 1 for found in splits.values())
        if shared:
            counts.append(f"{shared:,} of {len(splits):,} {what}s")
    if not counts:
        return ""
    return (
        f"{' and '.join(counts)} are in more than one split, so a score says little about new patients; "
        f"`radvqa data leaks {path.name}` tells more, and split_by keeps them apart."
    )

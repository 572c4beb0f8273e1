"""What is compared: a split of a data set, a split file, or a folder of pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from radvqa.data import registry, split_file
from radvqa.data.dataset import Linked, Problems
from radvqa.errors import DataError
from radvqa.sample import Sample

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp"}


@dataclass(frozen=True)
class Part:
    """One side of a comparison.

    Attributes:
        name: ``name:version split``, or the folder as it was named.
        dataset: ``name:version``; empty for a folder.
        split: the published split that it is, or is a part of; empty for a folder.
        pictures: file of each picture, by the picture's name.
        samples: questions; a folder has none.
        links: the record that a sample asks about, by id, where the data set knows it.
    """

    name: str
    dataset: str
    split: str
    pictures: Mapping[str, Path]
    samples: Sequence[Sample] = ()
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def held_out(self) -> int:
        """How far the part is kept from training: 0 to learn from, 1 to choose on, 2 to test on."""
        return {"validate": 1, "validation": 1, "val": 1, "dev": 1, "test": 2}.get(self.split, 0)


def parts_of(names: Sequence[str], problems: Problems) -> list[Part]:
    """Read what is to be compared, each part once.

    Args:
        names: data sets as ``name`` or ``name:version``, split files (``….json``), or folders of pictures.
        problems: where bad rows are reported.

    Raises:
        DataError: for a name that is none of these, and as ``registry.load``.
    """
    parts: dict[str, Part] = {}
    for name in names:
        for part in _read(name, problems):
            parts.setdefault(part.name, part)
    if len(parts) < 2:
        raise DataError(f"{names[0] if names else 'Nothing'} has no second split to compare with; name one more.")
    return list(parts.values())


def _read(name: str, problems: Problems) -> Iterator[Part]:
    if split_file.names_a_file(name):
        kept = split_file.read(Path(name))
        samples = registry.load_split(kept.dataset, name, problems)
        yield _of_samples(f"{kept.dataset} {kept.name}", registry.select(kept.dataset), kept.split, samples)
    elif registry.knows(name):
        selection = registry.select(name)
        samples = registry.load(name, problems)
        for split in selection.version.splits:
            own = [sample for sample in samples if sample.split == split]
            yield _of_samples(f"{selection.name} {split}", selection, split, own)
    elif Path(name).is_dir():
        folder = Path(name)
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
        if not found:
            raise DataError(f"The folder {name} holds no pictures ({', '.join(sorted(_SUFFIXES))}).")
        yield Part(name, "", "", {path.relative_to(folder).as_posix(): path for path in found})
    else:
        try:
            registry.select(name)
        except DataError as error:
            raise DataError(f"{name!r} is no folder of pictures. {error}") from None


def _of_samples(name: str, selection: registry.Selection, split: str, samples: Sequence[Sample]) -> Part:
    data_set = selection.data_set
    known = data_set.links(selection.folder, selection.version_name) if isinstance(data_set, Linked) else {}
    links = {sample.id: f"{data_set.name} {known[sample.id]}" for sample in samples if known.get(sample.id)}
    return Part(name, selection.name, split, {s.image: s.image_path for s in reversed(samples)}, samples, links)

"""Pictures with what there is to learn about them: a caption, classes, or both."""

import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from radvqa import fingerprint
from radvqa.adapting.spec import Folder, Pictures
from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.errors import DataError, RecipeError, nearest
from radvqa.sample import Sample

_SUFFIXES = {".png", ".jpg", ".jpeg"}
_CONTEXT = "context."
_NO_CLASS = -1


@dataclass(frozen=True)
class Pictured:
    """A picture, as a sample.

    Attributes:
        sample: says where it lies.
        caption: what is said about it; empty when nothing is.
        classes: its class in each label set that it belongs to.
    """

    sample: Sample
    caption: str
    classes: Mapping[str, str]


@dataclass(frozen=True)
class Pool:
    """Pictures in an order, ``n`` of them.

    Attributes:
        keys: content keys in the image store.
        captions: empty where there is none.
        classes: class of each picture in each label set, ``(n,)``; -1 where it has none.
        names: of the classes of each label set.
    """

    keys: Sequence[str]
    captions: Sequence[str]
    classes: Mapping[str, Tensor]
    names: Mapping[str, Sequence[str]]

    @property
    def digest(self) -> str:
        """Fingerprint of the pictures and of all that is said about them."""
        told = {name: numbers.tolist() for name, numbers in self.classes.items()}
        return fingerprint.of_value([list(self.keys), list(self.captions), told, self.names])


def of_data_set(source: Pictures, samples: Sequence[Sample]) -> list[Pictured]:
    """Read captions and classes of samples.

    Raises:
        RecipeError: for a label that samples do not have.
    """
    readers = {label: _reader(label) for label in source.labels}
    return [
        Pictured(
            sample,
            sample.answer.strip() if source.captions else "",
            {label: value for label, read in readers.items() if (value := read(sample))},
        )
        for sample in samples
    ]


def of_folder(source: Folder, seed: int) -> tuple[list[Pictured], list[Pictured]]:
    """Draw pictures of each class, to learn from and held out.

    Raises:
        DataError: when the folder is absent, or a class has fewer than two pictures.
    """
    root = Path(source.folder)
    if not root.is_dir():
        root = Path(os.environ.get("RADVQA_DATA", "")) / source.folder
    if not root.is_dir():
        raise DataError(f"There is no folder {source.folder}, neither here nor below RADVQA_DATA.")
    learned: list[Pictured] = []
    held_out: list[Pictured] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
        random.Random(f"{seed} {folder.name}").shuffle(found)
        found = found[: source.per_class]
        if len(found) < 2:
            raise DataError(f"{folder} holds {len(found)} pictures; two are needed, one to learn and one to measure.")
        measured = max(1, round(source.held_out * len(found)))
        for number, path in enumerate(found):
            pictured = Pictured(_sample(root, path), "", {root.name: folder.name})
            (held_out if number < measured else learned).append(pictured)
    if not learned:
        raise DataError(f"{root} holds no folders of pictures; it needs one for each class.")
    return learned, held_out


def names_of(pictures: Sequence[Pictured], least: int) -> dict[str, list[str]]:
    """Return the classes of each label set that enough pictures have.

    Raises:
        DataError: when fewer than two are left of a label set.
    """
    counts: dict[str, Counter[str]] = {}
    for pictured in pictures:
        for label, value in pictured.classes.items():
            counts.setdefault(label, Counter())[value] += 1
    names = {label: sorted(v for v, n in held.items() if n >= least) for label, held in sorted(counts.items())}
    for label, held in names.items():
        if len(held) < 2:
            raise DataError(f"{label}: fewer than two classes have {least} pictures; leave it out, or lower `least`.")
    return names


def pool(
    pictures: Sequence[Pictured], names: Mapping[str, Sequence[str]], store: ImageStore, problems: Problems
) -> Pool:
    """Decode pictures and number their classes; those that nothing is said about, or cannot be decoded, are left out.

    Raises:
        DataError: for the first picture that cannot be decoded, unless bad ones are skipped.
    """
    told = [p for p in pictures if p.caption or any(v in names.get(label, ()) for label, v in p.classes.items())]
    found = store.add([pictured.sample for pictured in told], problems)
    told = [pictured for pictured in told if pictured.sample.id in found]
    numbers = {label: {value: number for number, value in enumerate(held)} for label, held in names.items()}
    classes = {
        label: torch.tensor([known.get(p.classes.get(label, ""), _NO_CLASS) for p in told], dtype=torch.long)
        for label, known in numbers.items()
    }
    return Pool([found[p.sample.id] for p in told], [p.caption for p in told], classes, dict(names))


def _reader(label: str) -> Callable[[Sample], str]:
    if label.startswith(_CONTEXT):
        begin = f"{label.removeprefix(_CONTEXT)}: "
        return lambda sample: next((x[len(begin) :] for x in sample.context.split("\n") if x.startswith(begin)), "")
    fields = [name for name, kind in Sample.__annotations__.items() if kind is str]
    if label not in fields:
        raise RecipeError(f"samples have no label {label!r}; {nearest(label, fields)}")
    return lambda sample: str(getattr(sample, label))


def _sample(root: Path, path: Path) -> Sample:
    name = path.relative_to(root).as_posix()
    return Sample(f"{root.name}/{name}", root.name, "", name, path, "", path.parent.name, "OPEN", source=str(path))

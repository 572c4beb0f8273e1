"""The seam for data sets: what a file in this folder must offer to be one name away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from radvqa.errors import DataError
from radvqa.sample import Region, Sample, Task


@dataclass(frozen=True)
class Split:
    """What was published about one split, to check a copy against.

    Attributes:
        rows: number of question–answer pairs; 0 where no exact number was published.
        images: number of distinct images; 0 where none was published.
        digest: SHA-256 over the split's rows as ``fingerprint.of_samples`` computes it; empty when not known.
    """

    rows: int
    images: int
    digest: str = ""


@dataclass(frozen=True)
class Version:
    """One version of a data set: a language or a published variant, never silently mixed with another.

    Attributes:
        summary: what it is, in a line.
        splits: what was published about each split, in published order.
        language: ISO 639-1 code; ``mul`` when languages are mixed.
        warning: a sentence that is shown whenever the version is loaded; empty when it can be used as it is.
        files: what it is read from, files or folders below the data set's folder (``*`` for the number of a part); the
            first is the one without which nothing can be read. Empty when the folder says it all.
    """

    summary: str
    splits: Mapping[str, Split]
    language: str = "en"
    warning: str = ""
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Download:
    """One file of the public source.

    Attributes:
        url: where it is.
        path: where it goes below the data set's folder; of an archive, the folder that it is unpacked into.
        sha256: of the file; empty when its publishers give none and it was not measured.
        size: bytes; None when not known.
        unpack: whether it is an archive (zip, tar) whose members are wanted.
    """

    url: str
    path: str
    sha256: str = ""
    size: int | None = None
    unpack: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known about a data set before it is read.

    Attributes:
        title: full name.
        source: paper or page that published it.
        licence: as stated by the publishers.
        folder: the folder's name below ``RADVQA_DATA``; empty when the data is made, not found.
        default: the version used when none is named.
        versions: by name.
        notes: traps that a user should know.
        citation: whom to cite.
        address: page of the public source.
        terms: what a user must agree to before downloading; empty when the licence asks for nothing more.
        downloads: the files of the public source that ``radvqa data fetch`` gets; empty when they cannot be fetched.
        how_to_get: how to come by the data where it cannot be fetched, in one or two sentences.
        task: what its rows are for: ``vqa``, ``choice`` (multiple choice) or ``caption``.
        pictures_apart: where the pictures come from when they are published apart from the rows, in a sentence; a copy
            without any picture is then whole. Empty when they belong to it.
        altered: what copies that were made smaller have altered, in a sentence; empty when none are known.
        medical: whether its pictures are of medicine.
    """

    title: str
    source: str
    licence: str
    folder: str
    default: str
    versions: Mapping[str, Version]
    notes: Sequence[str] = ()
    citation: str = ""
    address: str = ""
    terms: str = ""
    downloads: Sequence[Download] = ()
    how_to_get: str = ""
    task: Task = "vqa"
    pictures_apart: str = ""
    altered: str = ""
    medical: bool = True


@dataclass
class Problems:
    """Where loaders report rows and images that cannot be used.

    Attributes:
        skip: leave the bad ones out and go on, instead of stopping at the first.
        found: one sentence for each that was left out.
    """

    skip: bool = False
    found: list[str] = field(default_factory=list)

    def report(self, message: str) -> None:
        """Record one bad row or image.

        Raises:
            DataError: when bad ones are not to be skipped.
        """
        if not self.skip:
            raise DataError(f"{message} Mend it, or leave such rows out with --skip-bad.")
        self.found.append(message)


class DataSet(Protocol):
    """A data set: facts, samples, and the labelled regions of its images."""

    name: str
    facts: Facts

    def load(self, folder: Path, version: str, problems: Problems) -> list[Sample]:
        """Read every split of one version, in published order."""
        ...

    def regions(self, folder: Path, image: str) -> list[Region]:
        """Return the labelled regions of one image; empty when the data set has none."""
        ...


@runtime_checkable
class Linked(Protocol):
    """A data set that knows which of its rows put the same question in other words."""

    def links(self, folder: Path, version: str) -> Mapping[str, str]:
        """Return the record that a sample asks about, by sample id; equal records are rephrasings of each other."""
        ...


@runtime_checkable
class Generated(Protocol):
    """A data set that is made, not found."""

    def is_quick(self, version: str) -> bool:
        """Whether a version is there already, or is made in seconds."""
        ...

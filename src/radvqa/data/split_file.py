"""A split by name of a file: the rows of a published split that are kept, and why the others are not."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa import files, fingerprint
from radvqa.errors import DataError
from radvqa.sample import Sample

FORMAT = 1


@dataclass(frozen=True)
class SplitFile:
    """A part of a split.

    Attributes:
        name: what to call it; its samples carry it as their split.
        dataset: ``name:version`` that it is taken from.
        split: the published split that it is a part of.
        ids: samples that are kept, in the order of the data set.
        left_out: why each of the others is not kept, by id.
        digest: ``fingerprint.of_samples`` over the kept samples.
    """

    name: str
    dataset: str
    split: str
    ids: Sequence[str]
    left_out: Mapping[str, str]
    digest: str


def names_a_file(split: str) -> bool:
    """Tell whether a split's name is the path of a split file."""
    return split.endswith(".json")


def write(path: Path, dataset: str, split: str, samples: Sequence[Sample], left_out: Mapping[str, str]) -> SplitFile:
    """Write what is left of a split.

    Args:
        path: the file, ``NAME.json``.
        dataset: ``name:version``.
        split: the published split.
        samples: every sample of it.
        left_out: reason by id of the samples that are not kept.
    """
    kept = [sample for sample in samples if sample.id not in left_out]
    written = SplitFile(path.stem, dataset, split, [s.id for s in kept], dict(left_out), fingerprint.of_samples(kept))
    reasons = [{"id": id_, "reason": reason} for id_, reason in left_out.items()]
    files.write_json(path, {"format": FORMAT, **dataclasses.asdict(written), "left_out": reasons})
    return written


def read(path: Path) -> SplitFile:
    """Read a split file.

    Raises:
        DataError: when the file is absent or is no split file; names the key.
    """
    content = files.read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path} is no split file of format {FORMAT}; `radvqa data leaks --out FOLDER` writes them.")
    for key in ("name", "dataset", "split", "digest"):
        if not isinstance(content.get(key), str):
            raise DataError(f"{path}: {key!r} must be text, found {content.get(key)!r}.")
    ids = content.get("ids")
    if not isinstance(ids, list) or not all(isinstance(id_, str) for id_ in ids):
        raise DataError(f"{path}: 'ids' must be a list of sample ids.")
    return SplitFile(
        content["name"], content["dataset"], content["split"], ids, _reasons(content, path), content["digest"]
    )


def keep(split: SplitFile, samples: Sequence[Sample], path: Path, *, rows_skipped: bool = False) -> list[Sample]:
    """Take the kept samples out of the published split.

    Args:
        split: what to keep.
        samples: the published split.
        path: the split file, for messages.
        rows_skipped: bad rows of the data set were left out, so that some of the kept may be absent.

    Raises:
        DataError: when a kept sample is absent or the samples are not those that the file was written for.
    """
    by_id = {sample.id: sample for sample in samples}
    unknown = [id_ for id_ in split.ids if id_ not in by_id]
    if unknown and not rows_skipped:
        raise DataError(
            f"{path} keeps {unknown[0]}, which the split {split.split!r} of {split.dataset} does not have"
            f"{f' (nor {len(unknown) - 1} more)' if len(unknown) > 1 else ''}; write the file anew."
        )
    kept = [by_id[id_] for id_ in split.ids if id_ in by_id]
    if not rows_skipped and fingerprint.of_samples(kept) != split.digest:
        raise DataError(
            f"{path} was written for other rows than {split.dataset} now has (the digest differs); write it anew."
        )
    return [dataclasses.replace(sample, split=split.name) for sample in kept]


def _reasons(content: Mapping[str, Any], path: Path) -> dict[str, str]:
    try:
        return {str(row["id"]): str(row["reason"]) for row in content["left_out"]}
    except (KeyError, TypeError):
        raise DataError(f"{path}: 'left_out' must be a list of {{id, reason}}.") from None

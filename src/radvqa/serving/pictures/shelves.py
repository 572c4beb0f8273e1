"""Data sets on this machine, read when somebody looks into them; no picture is decoded for a list."""

import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import urlencode

from radvqa import fingerprint
from radvqa.data import image, presence, registry
from radvqa.data.dataset import Generated, Problems
from radvqa.errors import DataError, nearest
from radvqa.sample import Sample
from radvqa.serving.pictures.picture import Truth

_LOADED = 3  # data sets that are kept in memory


class Shelves:
    """The data sets."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, dict[tuple[str, str], Sample]] = OrderedDict()
        self._loading = threading.Lock()

    def listed(self) -> list[dict[str, Any]]:
        """List versions of data sets that are whole, with their splits and how many questions were published.

        Those of medicine come first, and of each data set the version that is meant when none is named.
        """
        return [{name: value for name, value in one.items() if name != "order"} for one in self._ordered()]

    def _ordered(self) -> list[dict[str, Any]]:
        found = [
            {
                "name": f"{name}:{version_name}",
                "title": data_set.facts.title,
                "summary": version.summary,
                "splits": list(version.splits),
                "questions": sum(split.rows for split in version.splits.values()),
                "order": (not data_set.facts.medical, name, version_name != data_set.facts.default),
            }
            for name, data_set in registry.DATASETS.items()
            for version_name, version in data_set.facts.versions.items()
            if data_set.facts.task != "caption"
            and presence.of_version(data_set.facts, version).state == "here"
            and (not isinstance(data_set, Generated) or data_set.is_quick(version_name))
        ]
        return sorted(found, key=lambda one: one["order"])

    def found(self, data: str, split: str, search: str, offset: int, limit: int) -> dict[str, Any]:
        """Return a part of the samples that hold every word of a search, and how many there are.

        Raises:
            DataError: when there is no such data set or split.
        """
        words = search.casefold().split()
        matching = [
            sample
            for (of_split, _), sample in self._samples(data).items()
            if (not split or of_split == split) and all(word in _text(sample) for word in words)
        ]
        return {
            "samples": [_plain(data, sample) for sample in matching[offset : offset + limit]],
            "total": len(matching),
        }

    def opened(self, data: str, split: str, name: str) -> tuple[bytes, Truth]:
        """Return the picture of a sample, and what the data set says about it.

        Raises:
            DataError: when there is none of this name, or its picture cannot be read.
        """
        sample = self._samples(data).get((split, name))
        if sample is None:
            raise DataError(f"{data} has no sample {name!r} in {split!r}.")
        _, part = fingerprint.split_fragment(sample.image_path)
        content = image.encode_png(image.decode(sample.image_path)) if part else image.read_bytes(sample.image_path)
        truth = Truth(data, sample.split, sample.id, sample.question, sample.answer, sample.answer_type, sample.image)
        return content, truth

    def _samples(self, data: str) -> dict[tuple[str, str], Sample]:
        known = [one["name"] for one in self.listed()]
        if data not in known:  # by these names alone: a name could also be a file
            raise DataError(f"There is no data set {data!r} here; {nearest(data, known)}")
        with self._loading:
            if data not in self._loaded:
                loaded = registry.load(data, Problems(skip=True))
                there = {path for path in {sample.image_path for sample in loaded} if _exists(path)}
                self._loaded[data] = {
                    (sample.split, sample.id): sample
                    for sample in loaded
                    if sample.question and sample.image_path in there
                }
            self._loaded.move_to_end(data)
            while len(self._loaded) > _LOADED:
                self._loaded.popitem(last=False)
            return self._loaded[data]


def _exists(path: Any) -> bool:
    return bool(fingerprint.split_fragment(path)[0].is_file())


def _text(sample: Sample) -> str:
    return f"{sample.question} {sample.answer} {sample.image}".casefold()


def _plain(data: str, sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.id,
        "split": sample.split,
        "question": sample.question,
        "answer": sample.answer,
        "answer_type": sample.answer_type,
        "image": sample.image,
        "thumbnail": f"api/thumbnails?{urlencode({'data': data, 'split': sample.split, 'id': sample.id})}",
    }

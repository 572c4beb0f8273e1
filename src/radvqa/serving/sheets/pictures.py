"""Pictures of review sheets: of the data set where it is at hand, else the small copies in the run folder."""

import threading
from functools import lru_cache
from pathlib import Path

from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.diagnosing.taking_in import Diagnosed
from radvqa.errors import DataError, RadvqaError
from radvqa.explaining.evidence import kept
from radvqa.report.diagnosis.overlay import overlaid
from radvqa.report.examples import listed_files
from radvqa.serving.sheets.sheets import question

SIDE = 768
"""Longest side, in pixels, of what the page is shown."""


class SheetPictures:
    """Finds and draws pictures; a data set is read once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[tuple[str, str], dict[str, Path]] = {}

    def drawn(self, sheet: Diagnosed, row: str, *, with_map: bool = False) -> bytes:
        """Return the picture of a question as WebP, with the map of its answer laid over where one is wanted.

        Raises:
            DataError: when there is no such question, picture or map.
        """
        asked = question(sheet, row)
        path = self._path(sheet, asked.image)
        if path is None:
            raise DataError(f"The picture {asked.image!r} is not at hand.")
        pixels = image.shrink(image.decode(path), SIDE)
        if with_map:
            folder, method = maps_of(sheet)
            maps = _kept(folder, method, _changed(folder, method)) if method else None
            place = next((n for n, one in enumerate(maps.measured) if one.id == row), None) if maps else None
            if maps is None or place is None:
                raise DataError("There is no map of this answer; `radvqa explain` makes it.")
            pixels = overlaid(pixels, maps.maps[place])
        return image.encode_webp(pixels, 85)

    def _path(self, sheet: Diagnosed, name: str) -> Path | None:
        small = listed_files(sheet.run.thumbnails(sheet.answers) / "index.json").get(name)
        return self._of_data_set(sheet).get(name) or small

    def _of_data_set(self, sheet: Diagnosed) -> dict[str, Path]:
        answers = sheet.answers
        if answers.split.endswith(".json"):
            return {}
        place = str(sheet.run.recipe.get("data", {}).get("file") or answers.dataset)
        with self._lock:
            key = place, answers.split
            if key not in self._files:
                try:
                    samples = registry.load(place, Problems(skip=True))
                except RadvqaError:
                    samples = []
                self._files[key] = {sample.image: sample.image_path for sample in samples if sample.split == key[1]}
            return self._files[key]


def maps_of(sheet: Diagnosed) -> tuple[Path, str]:
    """Return where a run keeps its maps, and whose maps the diagnosis took; no name where it took none."""
    folder = sheet.run.folder / f"explained{sheet.answers.suffix}"
    return folder, str((sheet.result().get("maps") or {}).get("method") or "")


def _changed(folder: Path, method: str) -> float:
    path = folder / f"{method}.npz"
    return path.stat().st_mtime if path.is_file() else 0.0


@lru_cache(maxsize=4)
def _kept(folder: Path, method: str, _changed: float) -> kept.KeptMaps:
    return kept.read(folder, method)

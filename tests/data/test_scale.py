"""Many rows and pictures: what is shared is shared, what must not depend on the machine does not, memory is bounded."""

import csv
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import made_captions
import numpy as np
import pytest

from radvqa import fingerprint
from radvqa.commands import bench_data as program
from radvqa.commands.bench_data import bench_data
from radvqa.data import registry
from radvqa.data.pictures_by_stem import PicturesByStem
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.sample import Sample

ROWS, FIGURES = 6000, 2000


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up PMC-VQA whose figures are asked about three times each."""
    monkeypatch.setenv("RADVQA_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "pmc_vqa"
    names = [f"PMC{number}_F1.jpg" for number in range(FIGURES)]
    rows = [
        (names[number % FIGURES], f"What is {number}?", "x", *(f"{letter}:{number}{letter}" for letter in "ABCD"), "C")
        for number in range(ROWS)
    ]
    for file, part in (("train.csv", rows[:-2]), ("test.csv", rows[-2:-1]), ("test_clean.csv", rows[-1:])):
        made_captions.table(folder / file, made_captions.V1, part)
    (folder / "images").mkdir()
    for name in names:
        (folder / "images" / name).touch()
    return folder


def test_a_row_costs_less_than_two_kilobytes_and_a_figure_is_held_once(many: Path) -> None:
    registry.load("pmc_vqa")  # what is imported and remembered does not count
    tracemalloc.start()
    samples = registry.load("pmc_vqa")
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(samples) == ROWS
    assert len({id(s.image_path) for s in samples}) == len({id(s.image) for s in samples}) == FIGURES
    assert held / ROWS < 1700  # 227,000 rows: 386 MB
    assert peak < 1.25 * held  # no second copy of the table


def test_order_of_the_folder_locale_and_seed_of_hashes_change_nothing(many: Path, tmp_path: Path) -> None:
    code = (
        "from radvqa import fingerprint\nfrom radvqa.data import registry\n"
        "samples = registry.load('pmc_vqa')\n"
        "print(fingerprint.of_samples(samples), [s.image_path.name for s in samples[:3]])"
    )
    other = tmp_path / "other" / "pmc_vqa"
    (other / "images").mkdir(parents=True)
    for name in sorted((path.name for path in (many / "images").iterdir()), reverse=True):
        (other / "images" / name).touch()
    for path in many.glob("*.csv"):
        (other / path.name).write_bytes(path.read_bytes())
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "RADVQA_DATA": str(root), "PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONUTF8": "0"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for root, seed, locale in ((many.parent, "1", "C"), (other.parent, "2", "C.UTF-8"))
    }
    here = registry.load("pmc_vqa")
    assert found == {f"{fingerprint.of_samples(here)} {[s.image_path.name for s in here[:3]]}\n"}


def test_files_and_sub_folders_are_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_captions.picture(tmp_path / "a.jpg")
    made_captions.picture(tmp_path / "deep" / "down" / "b.png")
    pictures = PicturesByStem(tmp_path)
    assert pictures.path("a.jpg") == tmp_path / "a.jpg"
    monkeypatch.setattr(os, "walk", lambda *_: pytest.fail("listed again"))
    assert pictures.path("deep/down/b.jpg") == tmp_path / "deep" / "down" / "b.png"
    assert pictures.path("c.jpg") == tmp_path / "c.jpg"


def test_building_the_store_holds_few_pictures_at_a_time(tmp_path: Path) -> None:
    size, many = 128, 200
    samples = []
    for number in range(many):
        path = tmp_path / "pictures" / f"{number}.png"
        made_captions.picture(path, number)
        samples.append(Sample(str(number), "made:up", "train", path.name, path, "What?", "That.", "OPEN"))
    store = ImageStore(Preprocessing(size), tmp_path)
    tracemalloc.start()
    keys = store.add(samples)
    _, building = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    greys = [int(store.batch([keys[sample.id]])[0, 0, 0, 0]) for sample in samples]
    _, reading = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    whole = many * size * size
    assert building < whole / 2
    assert reading - before < whole / 4
    assert np.array_equal(greys, np.arange(many))


def test_the_benchmark_runs_and_says_that_it_extrapolates(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = bench_data(1000, 40, size=32)
    assert capfd.readouterr().out == ""
    assert (result["rows"], result["figures"], result["pictures"]) == (1000, 656, 40)
    assert result["store_disk_bytes"] >= 20 * 32 * 32 + 20 * 32 * 32 * 3  # half of them grey, half in colour
    assert result["extrapolated_pictures"] == 149_000
    assert result["extrapolated_store_disk_bytes"] == round(result["store_disk_bytes"] * 149_000 / 40)
    assert result["extrapolation_is_a_straight_line"] is True
    assert result["ours_peak_memory_bytes"] > 0
    assert result["naive_dict_reader_seconds"] > 0


def test_the_benchmarks_ways_make_the_same_samples(many: Path) -> None:
    naive = []
    for split, path in program._tables(many):
        with path.open(encoding="utf-8", newline="") as handle:
            rows = enumerate(csv.DictReader(handle), start=1)
            naive += [program._naive_sample(many, split, path, number, row) for number, row in rows]
    assert naive == registry.load("pmc_vqa")

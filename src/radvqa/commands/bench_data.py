"""``radvqa bench data``: a large made-up data set is read and its pictures stored, against the naive way to read."""

import csv
import importlib
import io
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from radvqa import console, files

_PICTURES_OF_PMC_VQA = 149_000
_ROWS_PER_PICTURE = 227 / 149  # as PMC-VQA has them
_HEADER = ("Figure_path", "Question", "Answer", "Choice A", "Choice B", "Choice C", "Choice D", "Answer_label")
_SIDE = 128  # of a made-up picture, in pixels
_READ_AT_A_TIME = 64
_MAKING_STEP = 1000


def bench_data(rows: int = 227_000, pictures: int = 20_000, *, size: int = 224) -> dict[str, Any]:
    """Time loading a made-up PMC-VQA and storing its pictures, each in a process of its own.

    The naive ways make the same samples: ``csv.DictReader`` with a path joined for every row, and, where pandas is
    installed, ``iterrows``. All ways read the same files. Only ``pictures`` of the figures are pictures, which are
    stored and read back; the others are empty files, which are listed and never read. Time and disk of the whole of
    PMC-VQA's 149,000 figures are extrapolated in a straight line, and the result says so.

    Args:
        rows: how many questions.
        pictures: how many pictures to store.
        size: side of the stored pictures in pixels.

    Returns:
        Seconds and peak memory (bytes) of each way, ``speedup_ratio`` against the faster naive way, and for the store
        seconds, bytes on disk and the most memory that was the process's own: pages of mapped files, which the
        system takes back when it needs them, do not count.
    """
    names = _names(max(pictures, round(rows / _ROWS_PER_PICTURE)))
    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as place:
        root, cache = Path(place), Path(place) / "cache"
        _make(root / "pmc_vqa", names, rows, pictures)
        ours = _measured(_load_ours, root, cache)
        naive = {way: _measured(read, root, cache) for way, read in _NAIVE.items()}
        console.say(f"loading: {ours['seconds']:.1f} s; now storing {pictures:,} pictures")
        built = _measured(_build_store, root, cache, pictures, size)
        read = _measured(_read_store, root, cache, pictures, size)
        on_disk = sum(path.stat().st_size for path in (cache / "images").rglob("*") if path.is_file())
    fastest = min(way["seconds"] for way in naive.values() if way["seconds"] is not None)
    scale = _PICTURES_OF_PMC_VQA / pictures
    return {
        "rows": rows,
        "figures": len(names),
        "ours_seconds": round(ours["seconds"], 2),
        "ours_peak_memory_bytes": ours["peak"],
        **{f"naive_{way}_seconds": found["seconds"] and round(found["seconds"], 2) for way, found in naive.items()},
        **{f"naive_{way}_peak_memory_bytes": found["peak"] for way, found in naive.items()},
        "speedup_ratio": round(fastest / ours["seconds"], 2),
        "pictures": pictures,
        "picture_size": size,
        "store_build_seconds": round(built["seconds"], 1),
        "store_build_own_memory_bytes": built["own"],
        "store_read_seconds": round(read["seconds"], 1),
        "store_read_own_memory_bytes": read["own"],
        "store_disk_bytes": on_disk,
        "extrapolated_pictures": _PICTURES_OF_PMC_VQA,
        "extrapolated_store_build_seconds": round(built["seconds"] * scale),
        "extrapolated_store_read_seconds": round(read["seconds"] * scale),
        "extrapolated_store_disk_bytes": round(on_disk * scale),
        "extrapolation_is_a_straight_line": True,
    }


def _names(many: int) -> list[str]:
    """Return names of figures; three are from one article."""
    return [f"PMC{number // 3:07}_F{number % 3 + 1}.jpg" for number in range(many)]


def _make(folder: Path, names: list[str], rows: int, pictures: int) -> None:
    """Write version 1 of PMC-VQA in its published layout; the text is made of words that mean nothing."""
    dice = random.Random(0)
    words = [f"{dice.choice('bcdfghlmnprst')}{dice.choice('aeiou')}{number}" for number in range(4000)]
    unverified, verified = round(rows * 50_000 / 227_000), round(rows * 2_000 / 227_000)
    for file, many in (
        ("train.csv", rows - unverified - verified),
        ("test.csv", unverified),
        ("test_clean.csv", verified),
    ):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(_HEADER)
        for _ in range(many):
            choices = [" ".join(dice.choices(words, k=dice.randint(1, 6))) for _ in "ABCD"]
            right = dice.randrange(4)
            lettered = [f" {letter}:{choice} " for letter, choice in zip("ABCD", choices, strict=True)]
            question = f"What is the {' '.join(dice.choices(words, k=8))}?"
            writer.writerow([dice.choice(names), question, choices[right], *lettered, "ABCD"[right]])
        files.write_text(folder / file, text.getvalue())
    (folder / "images").mkdir()
    with console.progress(f"making {pictures} pictures", pictures) as advance:
        for number, name in enumerate(names):
            if number >= pictures:
                (folder / "images" / name).touch()
                continue
            files.write_bytes(folder / "images" / name, _picture(number))
            if (number + 1) % _MAKING_STEP == 0:
                advance(_MAKING_STEP)


def _picture(number: int) -> bytes:
    """Make a small JPEG, grey or, every second one, in colour; each number has its own."""
    import numpy as np
    from PIL import Image

    dice = np.random.default_rng(number)
    coarse = dice.integers(0, 256, (8, 8, 3) if number % 2 else (8, 8), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((_SIDE, _SIDE)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _measured(work: Callable[..., float | None], root: Path, cache: Path, *arguments: int) -> dict[str, Any]:
    """Run it in a fresh process, which starts with nothing loaded."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_in_child, work, root, cache, *arguments).result()


def _in_child(work: Callable[..., float | None], root: Path, cache: Path, *arguments: int) -> dict[str, Any]:
    os.environ["RADVQA_DATA"] = str(root)
    with files.cold_cache(cache), _own_memory() as own:
        seconds = work(root / "pmc_vqa", *arguments)
    return {"seconds": seconds, "peak": _peak_bytes(), "own": own[0]}


def _load_ours(folder: Path) -> float:
    from radvqa.data import registry

    started = time.perf_counter()
    registry.load("pmc_vqa:v1")
    return time.perf_counter() - started


def _load_with_dict_reader(folder: Path) -> float:
    started = time.perf_counter()
    samples = []
    for split, path in _tables(folder):
        with path.open(encoding="utf-8", newline="") as handle:
            for number, row in enumerate(csv.DictReader(handle), start=1):
                samples.append(_naive_sample(folder, split, path, number, row))
    return time.perf_counter() - started


def _load_with_pandas(folder: Path) -> float | None:
    try:
        pandas = importlib.import_module("pandas")  # optional, and without stubs
    except ImportError:
        return None
    started = time.perf_counter()
    samples = []
    for split, path in _tables(folder):
        for number, (_, row) in enumerate(pandas.read_csv(path, dtype=str).iterrows(), start=1):
            samples.append(_naive_sample(folder, split, path, number, row))
    return time.perf_counter() - started


_NAIVE: dict[str, Callable[[Path], float | None]] = {
    "dict_reader": _load_with_dict_reader,
    "pandas_iterrows": _load_with_pandas,
}


def _tables(folder: Path) -> list[tuple[str, Path]]:
    return [
        ("train", folder / "train.csv"),
        ("test_unverified", folder / "test.csv"),
        ("test", folder / "test_clean.csv"),
    ]


def _naive_sample(folder: Path, split: str, path: Path, number: int, row: Any) -> Any:
    from radvqa.sample import Sample

    name = row["Figure_path"]
    image_path = folder / "images" / name
    if not image_path.exists():
        raise FileNotFoundError(image_path)
    options = tuple(row[f"Choice {letter}"].strip().removeprefix(f"{letter}:").strip() for letter in "ABCD")
    return Sample(
        id=f"pmc_vqa/v1/{split}/{number}",
        dataset="pmc_vqa:v1",
        split=split,
        image=name,
        image_path=image_path,
        question=row["Question"].strip(),
        answer=options["ABCD".index(row["Answer_label"].strip())],
        answer_type="CLOSED",
        case=name.split("_")[0],
        task="choice",
        options=options,
        source=f"{path}, row {number}",
    )


def _samples(folder: Path, pictures: int) -> list[Any]:
    """Return one sample of each real picture."""
    from radvqa.sample import Sample

    paths = [folder / "images" / name for name in _names(pictures)]
    return [Sample(path.name, "pmc_vqa:v1", "train", path.name, path, "What?", "That.", "OPEN") for path in paths]


def _build_store(folder: Path, pictures: int, size: int) -> float:
    from radvqa.data.store import ImageStore, Preprocessing

    samples = _samples(folder, pictures)
    started = time.perf_counter()
    ImageStore(Preprocessing(size)).add(samples)
    return time.perf_counter() - started


def _read_store(folder: Path, pictures: int, size: int) -> float:
    from radvqa.data.store import ImageStore, Preprocessing

    samples = _samples(folder, pictures)
    store = ImageStore(Preprocessing(size))
    started = time.perf_counter()
    keys = list(store.add(samples).values())
    for first in range(0, len(keys), _READ_AT_A_TIME):
        store.batch(keys[first : first + _READ_AT_A_TIME])
    return time.perf_counter() - started


@contextmanager
def _own_memory() -> Iterator[list[int]]:
    """Watch how much memory is the process's own; yields a list whose only number is the most so far, in bytes."""
    most, done = [_own_bytes()], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], _own_bytes())

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield most
    finally:
        done.set()
        watching.join()


def _own_bytes() -> int:
    return _from_status("RssAnon") or _peak_bytes()


def _peak_bytes() -> int:
    """Return the most memory in use; the operating system's own record may count the process that started this one."""
    import resource

    return _from_status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _from_status(key: str) -> int:
    """Read a number of bytes from Linux's status of this process; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:")), 0)

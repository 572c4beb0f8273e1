"""``radvqa bench ask``: from a picture and a question to an answer; the starter model against loading a torch run."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from radvqa import console, files
from radvqa.errors import RadvqaError

QUESTION = "What modality is used to take this image?"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def bench_ask(run: Path | None = None, *, repeats: int = 5, threads: int = 2) -> dict[str, Any]:
    """Time an answer, each way in processes of its own with so many threads.

    Cold is a new process of ``radvqa ask``, from its start to its end; one that is not counted comes first, so that
    the files are in memory. Warm is a picture that was not seen before, with the model loaded; every picture is
    decoded from its file. Nothing is taken from a cache of features.

    Args:
        run: a finished run, for instance the one that the starter model was made of, which answers through torch;
            without one only ours is timed.
        repeats: timed answers of each kind; the median counts.
        threads: of NumPy and torch.

    Returns:
        Median seconds ``cold``, ``warm`` and, of ours, ``further_question`` on the same picture, and the peak memory
        of the warm process in bytes; with a run also its own and the ratios.

    Raises:
        RadvqaError: when a way fails to answer.
    """
    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as place, _threads(threads):
        scratch = Path(place)
        pictures = phantoms(scratch, repeats + 1)
        ours = {"cold": _cold(pictures[0], ["--model", "starter"], repeats)} | _apart(_warm_starter, pictures)
        console.say(f"ours: {ours['cold']:.2f} s cold, {1000 * ours['warm']:.0f} ms warm")
        found = {"question": QUESTION, "repeats": repeats, "threads": threads}
        found |= {f"ours_{key}": value for key, value in ours.items()}
        if run is not None:
            folder = str(Path(run).absolute())
            with files.cold_cache(scratch / "cache"):
                cold = _cold(pictures[0], ["--model", folder, "--device", "cpu"], repeats, scratch / "cold")
                naive = {"cold": cold} | _apart(_warm_run, pictures, folder, threads, scratch / "warm")
            found |= {f"naive_{key}": value for key, value in naive.items()}
            found |= {f"{key}_ratio": round(naive[key] / ours[key], 1) for key in ("cold", "warm")}
        return found


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    """Let processes that are started inside compute in so many threads."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def phantoms(folder: Path, many: int) -> list[Path]:
    """Draw pictures that the model has not seen."""
    from radvqa.data import image
    from radvqa.phantom import plan, study

    paths = []
    for number, case in enumerate(plan.plan(many * 3, 0)[:many]):
        paths.append(folder / f"{number}.png")
        files.write_bytes(paths[-1], image.encode_png(study.make(case, 0)[0].pixels))
    return paths


def _cold(picture: Path, model: list[str], repeats: int, caches: Path | None = None) -> float:
    """Ask in new processes; the first fills the memory with files and is not counted."""
    seconds = []
    for number in range(repeats + 1):
        if caches is not None:
            os.environ["RADVQA_CACHE"] = str(caches / str(number))  # inside ``cold_cache``, which puts it back
        command = [sys.executable, "-m", "radvqa", "ask", str(picture), QUESTION, "--json", *model]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds.append(time.perf_counter() - started)
        if done.returncode:
            raise RadvqaError(f"`radvqa ask` failed and was not timed: {done.stderr.strip()}")
    return round(median(seconds[1:]), 4)


def _apart(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Do work in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _peak_memory_bytes() -> int:
    """``device.peak_memory_bytes`` without its module, which would bring torch into the memory that is measured."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _warm_starter(pictures: list[Path]) -> dict[str, Any]:
    from radvqa.starter.model import Starter

    starter = Starter.load()
    starter.answer(pictures[0], QUESTION)
    warm, further = [], []
    for picture in pictures[1:]:
        started = time.perf_counter()
        starter.answer(picture, QUESTION)
        answered = time.perf_counter()
        starter.answer(picture, "Does the picture contain lung?")
        warm.append(answered - started)
        further.append(time.perf_counter() - answered)
    return {
        "warm": round(median(warm), 5),
        "further_question": round(median(further), 5),
        "peak_memory_bytes": _peak_memory_bytes(),
    }


def _warm_run(pictures: list[Path], run: str, threads: int, caches: Path) -> dict[str, Any]:
    import torch

    from radvqa.answering import answer_prepared
    from radvqa.data.dataset import Problems
    from radvqa.models.checkpoint import load_model
    from radvqa.run import Run
    from radvqa.sample import Sample

    torch.set_num_threads(threads)
    opened = Run(Path(run))
    opened.require_model()
    loaded = load_model(opened.checkpoints, torch.device("cpu"))
    seconds = []
    for number, picture in enumerate(pictures):
        sample = Sample(str(number), "", "", picture.name, picture, QUESTION, "", "OPEN")
        with files.cold_cache(caches / str(number)):
            started = time.perf_counter()
            answer_prepared(loaded, loaded.prepare([sample], Problems()), with_loss=False)
            seconds.append(time.perf_counter() - started)
    return {"warm": round(median(seconds[1:]), 5), "peak_memory_bytes": _peak_memory_bytes()}

"""Makes the whole folder: pictures by several processes, then questions over them all; trusted only when complete."""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radvqa import files
from radvqa.errors import RadvqaError
from radvqa.phantom import balance, canvas, study
from radvqa.phantom.facts import Facts, image_name
from radvqa.phantom.plan import Case, split_sizes

GENERATOR_VERSION = 1
"""Changes whenever the same seed would give other pictures or questions."""

MASK_STEP = np.uint8(32)
"""A mask's value is the organ plus this times the finding; there are fewer organs than this."""

Progress = Callable[[int], None]


def generate(
    folder: Path, *, images: int, seed: int, first: int = 0, workers: int = 1, progress: Progress | None = None
) -> None:
    """Make a data set of pictures with known truth.

    Writes ``images/*.png`` (grey, 256 × 256), ``masks/*.png`` (organ and finding in one value; the legend is in
    ``scene.json``), ``scene.json``, ``questions.json`` and ``regions.json``. Equal seeds give equal bytes, however
    many workers there are.

    Args:
        folder: where to; must not exist yet, and appears only when everything is written.
        images: number of images.
        seed: decides everything.
        first: number of the first image, so that data sets can be told apart by the names of their images.
        workers: number of processes.
        progress: called with the number of images made since the last call.

    Raises:
        RadvqaError: when a worker process fails.
    """
    with files.atomic_folder(folder) as temporary:
        (temporary / "images").mkdir()
        (temporary / "masks").mkdir()
        made = _by_processes(temporary, (images, seed, first), workers, progress or (lambda _: None))
        made.sort(key=lambda facts: facts.number)
        _write_truth(temporary, made, seed)


def make_case(folder: Path, case: Case, seed: int) -> list[Facts]:
    """Make and write the pictures of one case; returns what is true of them."""
    result = []
    for picture in study.make(case, seed):
        Image.fromarray(picture.pixels).save(folder / picture.facts.image, compress_level=1)
        mask = picture.organs + MASK_STEP * picture.marks
        Image.fromarray(mask).save(folder / mask_name(picture.facts.number), compress_level=1)
        result.append(picture.facts)
    return result


def mask_name(number: int) -> str:
    """Return the name of the mask of an image."""
    return image_name(number).replace("images/", "masks/")


def _by_processes(folder: Path, what: tuple[int, int, int], workers: int, progress: Progress) -> list[Facts]:
    """Share the cases among processes of our own.

    They are started as a module of this package, not forked and not spawned by ``multiprocessing``: a fork copies the
    locks of a caller's threads, and a spawn runs the caller's script again. Even a single one is a process, because
    only in a new process can the threads of linear algebra be kept from waiting for each other on small matrices.

    Args:
        folder: where to write.
        what: number of images, seed and number of the first image.
        workers: number of processes.
        progress: called for each image.
    """
    made: list[Facts] = []
    lock = threading.Lock()

    def read(process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            facts = Facts.from_json(json.loads(line))
            with lock:
                made.append(facts)
                progress(1)

    share = [sys.executable, "-m", "radvqa.phantom.worker", str(folder), *(str(number) for number in (*what, workers))]
    running = [
        subprocess.Popen([*share, str(part)], stdout=subprocess.PIPE, text=True, encoding="utf-8")
        for part in range(workers)
    ]
    readers = [threading.Thread(target=read, args=(process,), daemon=True) for process in running]
    try:
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        codes = [process.wait() for process in running]
    finally:
        for process in running:
            process.kill()  # does nothing to those that have ended
            process.wait()
            if process.stdout:
                process.stdout.close()
    if any(codes) or len(made) != what[0]:
        raise RadvqaError(f"A process that makes phantom images ended with exit code {max(codes, key=abs)}; try again.")
    return made


def _write_truth(folder: Path, made: Sequence[Facts], seed: int) -> None:
    rows: list[dict[str, Any]] = []
    by_split: dict[str, list[Facts]] = defaultdict(list)
    for facts in made:
        by_split[facts.split].append(facts)
    for number, split in enumerate(split_sizes(len(made))):
        rows += _rows(by_split[split], balance.choose(by_split[split], seed + number))
    regions = {
        facts.image: [
            *({"label": name, "kind": "organ", "box": box} for name, box in facts.organs),
            *({"label": one.kind, "kind": "finding", "box": one.box} for one in facts.found),
        ]
        for facts in made
    }
    scene = {
        "generator": GENERATOR_VERSION,
        "seed": seed,
        "mask": {
            "organ": "value modulo step, an index into organs",
            "finding": "value divided by step, rounded down: 0, or one more than the place in the image's found",
            "step": int(MASK_STEP),
            "organs": list(canvas.ORGANS),
        },
        "images": [facts.as_json() for facts in made],
    }
    files.write_json(folder / "scene.json", scene)
    files.write_json(folder / "questions.json", rows)
    files.write_json(folder / "regions.json", regions)


def _rows(pictures: Sequence[Facts], kept: Sequence[balance.Asked]) -> list[dict[str, Any]]:
    """Turn the questions of a split into rows, and link those of twins that have different answers."""
    facts = {picture.number: picture for picture in pictures}
    order: dict[int, int] = defaultdict(int)
    rows: list[dict[str, Any]] = []
    by_case: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for asked in kept:
        picture = facts[asked.number]
        row = {
            "id": f"{picture.split}/{asked.number:06d}-{order[asked.number]:02d}",
            "split": picture.split,
            "image": picture.image,
            "question": asked.text,
            "answer": asked.question.answer,
            "answer_type": asked.question.answer_type,
            "content_type": asked.question.type,
            "modality": picture.modality,
            "region": picture.region,
            "case": picture.case,
            "twin": "",
        }
        order[asked.number] += 1
        rows.append(row)
        by_case[picture.case, asked.text].append(row)
    for pair in by_case.values():
        if len(pair) == 2 and pair[0]["answer"] != pair[1]["answer"]:
            pair[0]["twin"], pair[1]["twin"] = pair[1]["id"], pair[0]["id"]
    return rows

"""One process of several that make phantom pictures.

Usage: ``python -m radvqa.phantom.worker FOLDER IMAGES SEED FIRST OF PART``.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the processes share the cores already
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from radvqa.phantom.generate import make_case
from radvqa.phantom.plan import plan


def main(arguments: list[str]) -> None:
    """Make every case whose number leaves ``PART`` over when divided by ``OF``; print its facts as lines of JSON."""
    folder = Path(arguments[0])
    images, seed, first, of, part = (int(text) for text in arguments[1:])
    for case in plan(images, seed, first)[part::of]:
        for facts in make_case(folder, case, seed):
            print(json.dumps(facts.as_json()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

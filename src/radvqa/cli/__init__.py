"""The command line: a table from command to function. What the commands do is in ``radvqa.commands``."""

import os
import sys
import time

from radvqa import console
from radvqa.cli import (  # noqa: F401 - each registers its commands
    answering,
    bench,
    curating,
    data,
    explaining,
    scoring,
    serving,
    training,
)
from radvqa.cli.shared import app
from radvqa.errors import RadvqaError

__all__ = ["app", "main"]

_MAIN_FIRST_SECONDS = 2.0
"""Where all processes find the same mistake, the first one says it, and the others are ended meanwhile."""


def main() -> None:
    """Run the command line; a user's mistake is one paragraph on stderr and exit status 1."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    if "LOCAL_RANK" in os.environ:  # DDP warns of each model without unused weights that it looked for some
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        app()
    except RadvqaError as error:
        if not console.speaks():
            time.sleep(_MAIN_FIRST_SECONDS)
        print(f"radvqa: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("radvqa: stopped.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os._exit(141)  # the reader went away; nothing is left to say

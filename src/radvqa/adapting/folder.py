"""The folder that an adaptation leaves: a checkpoint in the hub's layout, what it was made from, and a short card."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import RunError
from radvqa.weights import find_weights

FACTS = "adaptation.json"

_BESIDE = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "chat_template*",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "LICENSE*",
)
"""Files of a checkpoint that its adaptation shares: how text and pictures are read."""


@contextmanager
def held(out: Path, spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any] | None]:
    """Hold the place of a folder that is to be made; yields what is known of it when it is there already.

    An adaptation that was interrupted left no folder, and starts over.

    Args:
        out: the folder.
        spec: that it is to be made from.

    Raises:
        RunError: when the folder holds something else.
        RadvqaError: when another process makes it.
    """
    with files.locked(out.with_name(f".{out.name}.lock"), what=str(out), wait=False):
        for torn in out.parent.glob(f".{out.name}.*.part"):
            shutil.rmtree(torn)
        if not out.exists():
            yield None
            return
        facts = files.read_json(out / FACTS) if (out / FACTS).is_file() else {}
        if facts.get("spec") != spec:
            raise RunError(f"{out} exists and was not made from this specification; choose another --out.")
        yield facts


def write(out: Path, model: Any, checkpoint: str, facts: Mapping[str, Any], card: str) -> None:
    """Write a folder, whole or not at all.

    Args:
        out: the folder; see ``held``.
        model: of ``transformers``, on the CPU.
        checkpoint: that it was made from, whose tokeniser or picture settings go with it.
        facts: for ``adaptation.json``.
        card: Markdown.
    """
    origin = find_weights(checkpoint)
    with files.atomic_folder(out) as folder:
        model.save_pretrained(folder)
        for pattern in _BESIDE:
            for path in sorted(origin.glob(pattern)):
                shutil.copyfile(path, folder / path.name)
        files.write_json(folder / FACTS, facts)
        files.write_text(folder / "README.md", card)

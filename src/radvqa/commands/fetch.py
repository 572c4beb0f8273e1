"""``radvqa data fetch``: a data set from its public source, after its licence was agreed to."""

import os
import sys
from pathlib import Path
from typing import Any

from radvqa import console
from radvqa.data import registry
from radvqa.data.dataset import Facts
from radvqa.data.fetch.collect import collect
from radvqa.errors import DataError
from radvqa.report.fetch import licence_text


def fetch(
    name: str, *, accept_licence: bool = False, out: Path | None = None, address: str | None = None
) -> dict[str, Any]:
    """Download a data set's files with resume and checksums, and unpack them.

    Args:
        name: ``name`` or ``name:version``; the files of a data set serve all its versions.
        accept_licence: agree to licence and terms without being asked; else a terminal is needed to ask at.
        out: folder to write; by default the data set's own below ``RADVQA_DATA``.
        address: a mirror that holds the same paths, such as ``http://127.0.0.1:8000``, instead of the published hosts.

    Returns:
        ``name``, ``folder``, ``licence``, ``terms``, ``citation``, ``how_to_get`` (where what is not among the files
        comes from), ``already`` (it was there before) and ``files``, each with ``url``, ``path``, ``size``,
        ``sha256``, ``published`` and ``members``.

    Raises:
        DataError: when the data set cannot be fetched (the message says how to come by it), nobody agreed, a file
            cannot be had or is not what was published, or there is no room.
    """
    data_set = registry.select(name).data_set
    facts = data_set.facts
    _require_public(data_set.name, facts)
    folder = Path(out) if out else _usual_folder(data_set.name, facts)
    if not accept_licence:
        _agree(data_set.name, facts)
    record = collect(data_set.name, facts, folder.absolute(), mirror=address)
    return {
        "name": data_set.name,
        "folder": str(folder),
        "licence": facts.licence,
        "terms": facts.terms,
        "citation": facts.citation,
        "how_to_get": facts.how_to_get,
        "already": record["already"],
        "files": record["files"],
    }


def _require_public(name: str, facts: Facts) -> None:
    if not facts.folder:
        raise DataError(f"{name} needs no fetching: it is not kept in a folder below RADVQA_DATA.")
    if not facts.downloads:
        how = facts.how_to_get or f"Its files have no address that can be fetched from; see {_page(facts)}."
        raise DataError(f"{name} cannot be fetched. {how}")


def _page(facts: Facts) -> str:
    return facts.address or facts.source


def _usual_folder(name: str, facts: Facts) -> Path:
    root = os.environ.get("RADVQA_DATA")
    if not root:
        raise DataError(
            f"{name} goes into the folder {facts.folder}/ below RADVQA_DATA, which is not set; export "
            f"RADVQA_DATA=/path/to/data, or name a folder with --out."
        )
    return Path(root) / facts.folder


def _agree(name: str, facts: Facts) -> None:
    """Show licence and terms and ask.

    Raises:
        DataError: when nobody can be asked, or the answer is not yes.
    """
    if not sys.stdin.isatty():
        raise DataError(
            f"{name} is under this licence: {facts.licence}. Nobody can be asked here whether you agree; read "
            f"{_page(facts)}, and say --accept-licence."
        )
    for line in licence_text(name, facts.title, facts.licence, facts.terms, _page(facts)):
        console.say(line)
    print("Do you agree? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise DataError(f"{name} was not fetched, because its licence was not agreed to.")

"""``radvqa export``: a run as a folder that servers of other projects load, with all that they must be told."""

import hashlib
from pathlib import Path
from typing import Any

from radvqa import files, fingerprint
from radvqa.commands.merge import merging
from radvqa.errors import RunError
from radvqa.run import Run

_GREEDY = {"do_sample": False, "num_beams": 1}
_OWN_ENDS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
_CHUNK = 1 << 22


def export(run: Path, out: Path, *, which: str = "best") -> dict[str, Any]:
    """Write merged weights, processor, prompt, provenance and a page that says how to start a server.

    Args:
        run: a finished run folder.
        out: a folder that does not exist yet.
        which: checkpoint, ``best`` or ``last``.

    Returns:
        What ``radvqa.json`` of the folder holds.

    Raises:
        RunError: when the run is unfinished, no other software runs its family, or the folder exists.
    """
    from radvqa.models.outside import KNOWN
    from radvqa.report.card import model_card
    from radvqa.report.exported import readme

    opened = Run(Path(run))
    opened.require_model()
    family = str(opened.recipe["model"]["family"])
    if family not in KNOWN:
        raise RunError(
            f"No other server runs the family {family}, whose parts radvqa itself joins; serve it with `radvqa serve "
            f"--model {opened.folder}`, which speaks the same API."
        )
    with merging(run, out, which=which) as merged:
        new, known = merged.folder, KNOWN[family]
        options = files.read_json(opened.checkpoints / "model.json")["options"]
        if known.template and not _has_template(new):
            files.write_text(new / "chat_template.jinja", known.template)
        _write_greedy(new, options)
        facts = {
            "format": 1,
            "name": opened.name,
            "family": family,
            "checkpoint": which,
            "began_from": options.get("checkpoint"),
            "loaded_by": known.loaded_by,
            "servers": list(known.servers),
            "needs": known.needs,
            "own_template": bool(known.template),
            "asking": {
                "system": options.get("system"),
                "prompts": options.get("prompts"),
                "pixels": [options.get("min_pixels"), options.get("max_pixels")],
                "by": options.get("answering", {}).get("by", "choosing"),
                "tokens": options.get("answering", {}).get("tokens"),
            },
            "licences": _licences(opened),
            "recipe": opened.recipe,
            "provenance": files.read_json(opened.folder / "provenance.json"),
            "weights_sha256": fingerprint.of_value(_digests(new, "*.safetensors")),
        }
        files.write_text(new / "README.md", readme(facts, Path(out).name))
        files.write_text(new / "model_card.md", model_card(opened.folder))
        files.write_json(new / "radvqa.json", {**facts, "files": _digests(new, "*")})
    return {"folder": str(out), **facts}


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file():
        return True
    settings = folder / "tokenizer_config.json"
    return settings.is_file() and "chat_template" in files.read_json(settings)


def _write_greedy(folder: Path, options: dict[str, Any]) -> None:
    """Other software answers as the run did: the likeliest token, no penalties, no more tokens than the run's limit."""
    path = folder / "generation_config.json"
    if not path.is_file():
        return
    published = files.read_json(path)
    kept = {name: published[name] for name in (*_OWN_ENDS, "transformers_version") if name in published}
    limit = {"max_new_tokens": options["answering"]["tokens"]} if "answering" in options else {}
    files.write_json(path, {**kept, **_GREEDY, **limit})


def _licences(run: Run) -> dict[str, str]:
    """What the publishers of the data say; of one's own data nothing is known."""
    from radvqa.data.registry import DATASETS

    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            named = {str(value["name"])} if isinstance(value.get("name"), str) else set()
            return named | {name for inner in value.values() for name in names(inner)}
        return {name for inner in value for name in names(inner)} if isinstance(value, list) else set()

    data = {name.partition(":")[0] for part in ("data", "stages") for name in names(run.recipe.get(part))}
    return {name: DATASETS[name].facts.licence for name in sorted(data) if name in DATASETS}


def _digests(folder: Path, pattern: str) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob(pattern)):
        if path.is_file():
            digest = hashlib.sha256()
            with path.open("rb") as content:
                while part := content.read(_CHUNK):
                    digest.update(part)
            found[path.relative_to(folder).as_posix()] = digest.hexdigest()
    return found

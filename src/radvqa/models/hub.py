"""Checkpoints in the hub's own layout: loaded whole or not at all, and named by what they hold."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from radvqa import fingerprint
from radvqa.errors import WeightsError
from radvqa.models.architectures import ARCHITECTURES
from radvqa.weights import find_weights

Quantisation = Literal["4bit", "8bit"]


def config(name: str, kinds: Sequence[str], *, family: str) -> Any:
    """Return a checkpoint's configuration: its ``config.json``, or what is known of a published name.

    Args:
        name: ``org/name`` or a folder.
        kinds: the ``model_type`` that the caller can load; any, when empty.
        family: of the caller, for messages.

    Raises:
        WeightsError: when nothing is known about the checkpoint, or it is of another kind.
    """
    from transformers import AutoConfig

    if name in ARCHITECTURES:
        values = dict(ARCHITECTURES[name])
        found = AutoConfig.for_model(values.pop("model_type"), **values)
    else:
        found = _config_of(find_weights(name), name)
    _check_kind(found, kinds, name, family)
    return found


def skeleton(model_class: Any, name: str, kinds: Sequence[str], *, family: str) -> nn.Module:
    """Build a checkpoint's architecture without memory, on the meta device, to count its parameters."""
    with torch.device("meta"):
        model: nn.Module = model_class._from_config(config(name, kinds, family=family))
    return model


def load(
    model_class: Any,
    name: str,
    kinds: Sequence[str],
    *,
    family: str,
    new: Sequence[str] = (),
    quantisation: Quantisation | None = None,
    unquantised: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
    part: str = "",
) -> Any:
    """Load a checkpoint in fp32; every weight must be found in it.

    Args:
        model_class: of ``transformers``, with ``from_pretrained``.
        name: ``org/name`` or a folder.
        kinds: the ``model_type`` that the caller can load; any, when empty.
        family: of the caller, for messages.
        new: beginnings of parameter names that the checkpoint may lack or hold in another shape, because they are
            learned anew (a classifier).
        quantisation: of frozen linear layers, where bitsandbytes is installed.
        unquantised: paths of modules that keep their precision, the head among them; by default the head alone.
        changes: of the configuration.
        part: name of the nested configuration (``vision_config``) whose model alone is loaded, where there is one.

    Raises:
        WeightsError: when it is not found, of another kind, incomplete, damaged, or cannot be quantised.
    """
    from safetensors import SafetensorError

    folder = find_weights(name)
    settings = _config_of(folder, name)
    _check_kind(settings, kinds, name, family)
    settings = getattr(settings, part, settings) if part else settings
    for key, value in (changes or {}).items():
        setattr(settings, key, value)
    quantised = {"quantization_config": _quantisation(quantisation, unquantised)} if quantisation else {}
    try:
        model, found = model_class.from_pretrained(
            folder,
            config=settings,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=bool(new),
            output_loading_info=True,
            **quantised,
        )
    except (SafetensorError, OSError, EOFError) as error:
        raise WeightsError(f"{name}: the weights in {folder} are damaged or cut off: {_brief(error)}.") from None
    except RuntimeError as error:
        raise WeightsError(f"{name}: the weights in {folder} do not fit its config.json: {_brief(error)}.") from None
    lacking = [*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])]
    lost = sorted(key for key in lacking if not key.startswith(tuple(new)))
    if lost:
        raise WeightsError(
            f"{name}: {folder} lacks {len(lost)} of the weights that a {settings.model_type} needs, the first is "
            f"{lost[0]}; is it the whole checkpoint?"
        )
    return model


def digest(name: str) -> str:
    """Name a checkpoint by the content of its weight files, read once and remembered."""
    hashes = fingerprint.FileHashes().of(sorted(find_weights(name).glob("*.safetensors")))
    return fingerprint.of_value({path.name: found for path, found in hashes.items()})


def check_digest(name: str, known: str) -> None:
    """Make sure that a checkpoint is the one that a run was trained on.

    Raises:
        WeightsError: when it holds other weights.
    """
    if digest(name) != known:
        raise WeightsError(
            f"The weights found for {name} are not those that the run was trained with; point RADVQA_WEIGHTS at the "
            f"same ones."
        )


def tokenizer(name: str) -> Any:
    """Load a checkpoint's tokeniser.

    Raises:
        WeightsError: when the folder holds none.
    """
    from transformers import AutoTokenizer

    folder = find_weights(name)
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{name}: {folder} holds no tokeniser that can be loaded: {_brief(error)}.") from None


def _config_of(folder: Path, name: str) -> Any:
    from transformers import AutoConfig

    if not (folder / "config.json").is_file():
        raise WeightsError(f"{name}: {folder} has no config.json, so its architecture is unknown.")
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, json.JSONDecodeError) as error:
        raise WeightsError(f"{name}: {folder / 'config.json'} cannot be used: {_brief(error)}.") from None


def _check_kind(found: Any, kinds: Sequence[str], name: str, family: str) -> None:
    if kinds and found.model_type not in kinds:
        raise WeightsError(
            f"{name} is a checkpoint of the kind {found.model_type!r}; the family {family} loads "
            f"{' or '.join(map(repr, kinds))}."
        )


def _quantisation(bits: Quantisation, unquantised: Sequence[str]) -> Any:
    from importlib.util import find_spec

    from transformers import BitsAndBytesConfig

    if find_spec("bitsandbytes") is None:
        raise WeightsError(
            f"model.quantisation={bits} needs bitsandbytes, which is not installed: pip install bitsandbytes, or leave "
            f"model.quantisation out."
        )
    kept = list(unquantised) or None  # the name says int8, but it holds for 4 bits too
    if bits == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=kept)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=kept,
    )


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__

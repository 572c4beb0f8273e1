"""The parts of a model, and what of each is learned: nothing, all of it, or a small addition to its linear layers.

LoRA: Hu et al., ICLR 2022; rsLoRA: Kalajdzievski, 2023; DoRA: Liu et al., ICML 2024; (IA)³: Liu et al., NeurIPS 2022;
all by ``peft``.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer
from torch import Tensor, nn

from radvqa.errors import RecipeError, WeightsError, nearest

Mode = Literal["frozen", "lora", "full"]


Method = Literal["lora", "rslora", "dora", "ia3"]

_SECOND_LAYERS = ("down_proj", "fc2", "w2", "wo", "dense_4h_to_h", "mlp.c_proj", "output.dense")
"""Names that the second layer of a feed-forward block goes by; what it reads is what (IA)³ scales there."""


class LoraOptions(BaseModel):
    """Additions to linear layers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Method = Field(
        "lora",
        description="What is learned beside the weights: lora (Hu et al. 2022); rslora, scaled by alpha / √r "
        "(Kalajdzievski 2023); dora, which also learns the length of each output's weights (Liu et al. 2024); ia3, "
        "which learns a factor for every output of a target, or input where it is the second layer of a feed-forward "
        "block, and has no rank, alpha or dropout (Liu et al. 2022).",
    )
    r: int = Field(8, ge=1, description="Rank.")
    alpha: float = Field(32, gt=0, description="The addition is scaled by alpha / r.")
    dropout: float = Field(0.05, ge=0, lt=1, description="Before the addition, in training.")
    targets: tuple[str, ...] = Field(
        description="Last names of the linear layers, in every part whose mode is lora; each must match something."
    )

    @model_serializer(mode="wrap")
    def _as_older_runs_say_it(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Runs of older versions know one method, and do not name it."""
        values: dict[str, Any] = plain(self)
        return {key: value for key, value in values.items() if (key, value) != ("method", "lora")}


class Assembly(nn.Module):
    """Modules under one roof; what is frozen stays in evaluation mode, whatever mode the rest is in.

    A frozen part in training mode would still move its batch-norm statistics and drop units at random
    (seed_systems A8.4).

    Args:
        modules: by name.
    """

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def train(self, mode: bool = True) -> "Assembly":
        """Set the mode of what is learned."""
        super().train(mode)
        if mode:
            for child in self.children():
                _still(child)
        return self


def _still(module: nn.Module) -> None:
    """Put every subtree that has parameters, none of them trained, into evaluation mode."""
    parameters = list(module.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        module.eval()
        return
    for child in module.children():
        _still(child)


def set_trained(
    model: nn.Module, parts: Mapping[str, nn.Module], modes: Mapping[str, Mode], lora: LoraOptions | None, *, base: str
) -> Any:
    """Freeze a ``transformers`` model and let learn what the modes say.

    Args:
        model: holds all parts; LoRA is put into it in place.
        parts: by name; each a submodule of the model, none inside another.
        modes: of every part.
        lora: needed when a mode is ``lora``.
        base: name of the checkpoint, written into the adapter.

    Returns:
        the model, wrapped by ``peft`` when a mode is ``lora``. Its own submodules stay where they are; only a part
        that is learned whole beside LoRA is wrapped, so that the adapter holds it.

    Raises:
        RecipeError: for a mode of an unknown part, LoRA without options, or a target that matches nothing.
    """
    for name in modes:
        if name not in parts:
            raise RecipeError(f"model.train: there is no part {name!r}; {nearest(name, list(parts))}")
    places = {id(module): name for name, module in model.named_modules()}
    paths = {name: places[id(part)] for name, part in parts.items()}
    model.requires_grad_(False)
    if "lora" not in modes.values():
        for name, mode in modes.items():
            parts[name].requires_grad_(mode == "full")
        return model
    if lora is None:
        raise RecipeError("model.train asks for lora, but there is no model.lora; give it r and targets.")
    adapted = [name for name, mode in modes.items() if mode == "lora"]
    full = [paths[name] for name, mode in modes.items() if mode == "full"]
    return _adapted(model, _targets(parts, paths, adapted, lora), full, lora, base)


def _targets(
    parts: Mapping[str, nn.Module], paths: Mapping[str, str], adapted: Sequence[str], lora: LoraOptions
) -> list[str]:
    linear = [
        f"{paths[part]}.{name}".strip(".")
        for part in adapted
        for name, module in parts[part].named_modules()
        if isinstance(module, nn.Linear) or type(module).__name__ in ("Linear4bit", "Linear8bitLt", "Conv1D")
    ]
    found = [name for name in linear if name.rpartition(".")[2] in lora.targets]
    ends = {name.rpartition(".")[2] for name in linear}
    for target in lora.targets:
        if target not in ends:
            raise RecipeError(
                f"model.lora.targets: {target!r} matches no linear layer of {' or '.join(adapted)}; "
                f"{nearest(target, sorted(ends))}"
            )
    return found


def _adapted(model: nn.Module, targets: list[str], full: list[str], lora: LoraOptions, base: str) -> Any:
    from peft import IA3Config, LoraConfig, get_peft_model

    config: IA3Config | LoraConfig
    if lora.method == "ia3":
        second = [name for name in targets if _is_second_layer(name)]
        config = IA3Config(target_modules=targets, feedforward_modules=second, modules_to_save=full or None)
    else:
        config = LoraConfig(
            r=lora.r,
            lora_alpha=lora.alpha,  # type: ignore[arg-type]
            lora_dropout=lora.dropout,
            use_rslora=lora.method == "rslora",
            use_dora=lora.method == "dora",
            bias="none",
            target_modules=targets,
            modules_to_save=full or None,
        )
    with warnings.catch_warnings():  # peft reads an attribute of transformers' models that is about to be renamed
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
        wrapped = get_peft_model(model, config)
    wrapped.peft_config["default"].base_model_name_or_path = base  # not the folder on this machine
    return wrapped


def _is_second_layer(name: str) -> bool:
    return f".{name}".endswith(tuple(f".{second}" for second in _SECOND_LAYERS)) and ".attention.output." not in name


def is_adapted(model: nn.Module) -> bool:
    """Whether a model is wrapped by ``peft``."""
    return hasattr(model, "peft_config")


def inner(model: Any) -> Any:
    """The ``transformers`` model itself, whether or not ``peft`` wraps it."""
    return model.get_base_model() if is_adapted(model) else model


def write_adapter(model: Any, folder: Path) -> None:
    """Write what was learned of a wrapped model in PEFT's own format."""
    # embeddings are never adapted; left to itself, peft would ask the hub whether they were
    model.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)


def merge(model: Any) -> Any:
    """Put what was learned beside the weights into them; the model is plain ``transformers`` afterwards."""
    return model.merge_and_unload() if is_adapted(model) else model


def trained_names(module: nn.Module) -> set[str]:
    """Names of what training changes.

    Trained parameters, running statistics of trained normalisation layers, and what was learned while building.
    """
    names = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    for path, layer in module.named_modules():
        if any(parameter.requires_grad for parameter in layer.parameters(recurse=False)):
            names |= {f"{path}.{name}".strip(".") for name, _ in layer.named_buffers(recurse=False)}
        kept = getattr(layer, "learned_at_build", ())  # True, or how the names of what was learned begin
        if kept:
            own = layer.state_dict()
            names |= {f"{path}.{name}".strip(".") for name in own if kept is True or name.startswith(kept)}
    return names


def trained_state(module: nn.Module) -> dict[str, Tensor]:
    """What training changes, as tensors to keep."""
    names, state = trained_names(module), module.state_dict()
    return {name: state[name].detach().cpu().contiguous().clone() for name in state if name in names}


def load_trained_state(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put back what ``trained_state`` gave.

    Raises:
        WeightsError: when it does not fit.
    """
    expected = trained_state(module)
    odd = sorted(set(expected).symmetric_difference(state))
    odd += sorted(name for name in set(expected) & set(state) if expected[name].shape != state[name].shape)
    if odd:
        raise WeightsError(f"The checkpoint does not fit the model: {', '.join(odd[:5])} missing or unexpected.")
    module.load_state_dict(dict(state), strict=False)


def count_parameters(module: nn.Module) -> dict[str, int]:
    """Count all and the trained parameters; the untouched copy that ``peft`` keeps of a part learned whole is not one.

    Returns:
        ``total`` and ``trainable``.
    """
    counted = [p for name, p in module.named_parameters() if ".original_module." not in f".{name}"]
    return {
        "total": sum(parameter.numel() for parameter in counted),
        "trainable": sum(parameter.numel() for parameter in counted if parameter.requires_grad),
    }

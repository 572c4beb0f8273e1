"""The language model behind a sight: loaded, cut, adapted; and the layer that chooses instead of it."""

from typing import Any

import torch
from torch import nn

from radvqa.errors import RecipeError
from radvqa.models import hub, parts, precision
from radvqa.models.picture_llm_options import LanguageModelOptions, modes_of

_DROPPED = 0.3  # before the chooser


def load_language_model(options: LanguageModelOptions, family: str, device: torch.device) -> Any:
    """Load it with its head, and keep the layers that the options say.

    Raises:
        WeightsError: when it is not found, or not whole.
        RecipeError: when it has fewer layers.
    """
    from transformers import AutoModelForCausalLM

    language_model = hub.load(
        AutoModelForCausalLM, options.language_model, (), family=family, quantisation=options.quantisation
    )
    keep_layers(language_model, options)
    if device.type == "cpu" and precision.computed_in(options.precision, "cpu") != torch.float32:
        # torch's fused attention has no fast backward pass in half precision on CPUs; plain products have
        language_model.set_attn_implementation("eager")
    return language_model


def keep_layers(language_model: Any, options: LanguageModelOptions) -> None:
    """Keep the language model's first layers alone, where the options say so.

    Raises:
        RecipeError: when it has not so many.
    """
    kept, config = options.language_layers, language_model.config
    if kept is None:
        return
    if kept > config.num_hidden_layers:
        raise RecipeError(
            f"model.language_layers={kept}, but {options.language_model} has {config.num_hidden_layers} layers."
        )
    stacks = [module for module in language_model.base_model.children() if isinstance(module, nn.ModuleList)]
    (stack,) = [module for module in stacks if len(module) == config.num_hidden_layers]
    del stack[kept:]
    config.num_hidden_layers = kept
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:kept]


def adapted(language_model: Any, options: LanguageModelOptions) -> Any:
    """Let learn of it what the options say; wrapped by ``peft`` where its mode is ``lora``."""
    mode = modes_of(options)["language_model"]
    wrapped = parts.set_trained(
        language_model,
        {"language_model": language_model.base_model},
        {"language_model": mode},
        options.lora,
        base=options.language_model,
    )
    if mode == "full" and not options.learn_embeddings:
        for embeddings in (language_model.get_input_embeddings(), language_model.get_output_embeddings()):
            embeddings.requires_grad_(False)
    return wrapped


def chooser_of(options: LanguageModelOptions, token: int, answers: int) -> dict[str, nn.Module]:
    """The layer that chooses among the training answers, where it is learned in any stage; by its name.

    Args:
        options: of the family.
        token: size of the language model's tokens.
        answers: that training holds, and one class for every other.
    """
    if modes_of(options)["chooser"] == "frozen":
        return {}
    return {"chooser": nn.Sequential(nn.LayerNorm(token), nn.Dropout(_DROPPED), nn.Linear(token, answers))}

"""Options of the families that put an image encoder in front of a language model, and what they let learn."""

from typing import Literal

from pydantic import Field

from radvqa.errors import RecipeError
from radvqa.models import hub
from radvqa.models.generative_options import GenerativeOptions
from radvqa.models.parts import LoraOptions, Mode
from radvqa.models.prompts import Prompts

PartName = Literal["vision", "fusion", "language_model", "chooser"]
TRAINED: dict[PartName, Mode] = {"vision": "frozen", "fusion": "full", "language_model": "lora"}


class LanguageModelOptions(GenerativeOptions):
    """Options of the language model behind a sight, and of what is learned."""

    language_model: str = Field(description="Causal language model: org/name or a folder.")
    language_layers: int | None = Field(
        None, ge=1, description="Keep so many of the language model's layers, the first ones; null keeps all."
    )
    learn_embeddings: bool = Field(
        True,
        description="Learn the language model's word vectors too where it is learned whole; they are a large share of "
        "a small one, and most words never occur.",
    )
    quantisation: hub.Quantisation | None = Field(
        None, description="Load the frozen weights of the language model in 4 or 8 bits (needs bitsandbytes)."
    )
    train: dict[PartName, Mode] = Field(
        TRAINED,
        description="What is learned of each part; parts that are not named keep the default. `chooser: full` adds a "
        "linear layer that chooses among the training answers from the image tokens: where it learns and the language "
        "model does not, the loss is that choice alone and the language model is not run (a stage of its own, as "
        "BLIP-2's query transformer has one); where both learn, the sum of both losses.",
    )
    lora: LoraOptions | None = Field(
        LoraOptions(targets=("q_proj", "k_proj", "v_proj", "o_proj")),
        description="Of the language model, where its mode is lora.",
    )
    prompts: Prompts = Field(Prompts(), description="How samples are put to the model.")


class PictureLlmOptions(LanguageModelOptions):
    """Options that the families share which read patches, beside ``family`` in a recipe."""

    vision: str = Field(description="Image encoder: org/name or a folder.")
    image_size: int = Field(224, ge=16, le=2048, description="Side in pixels; the aspect is not kept.")
    regions: bool = Field(
        False, description="Lay beside each patch where organs lie, learned from the training images' masks and boxes."
    )
    region_folds: int = Field(5, ge=2, description="Parts that are left out in turn while reading training images.")


def modes_of(options: LanguageModelOptions) -> dict[str, Mode]:
    """What is learned of each part.

    Raises:
        RecipeError: for a mode that a part cannot have.
    """
    modes: dict[str, Mode] = {part: options.train.get(part, mode) for part, mode in TRAINED.items()}
    modes["chooser"] = options.train.get("chooser", "frozen")
    for part in ("vision", "fusion", "chooser"):
        if modes[part] == "lora":
            raise RecipeError(f"model.train.{part} may be frozen or full; LoRA is put on the language model.")
    return modes

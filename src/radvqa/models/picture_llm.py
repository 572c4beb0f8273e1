"""Any image encoder in front of any causal language model: patches become image tokens, then prompt, then answer.

Source: seed 003 (frozen domain encoder → query transformer → domain language model with LoRA); with a projector
instead of the query transformer it is the plan of LLaVA and, with a frozen encoder, of seed 002's first stage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.errors import RecipeError, WeightsError
from radvqa.models import checkpoint, features, hub, parts
from radvqa.models.decoder import CausalDecoder, Prefix, Read
from radvqa.models.fusion import Projector, QueryTransformer
from radvqa.models.generator import IMAGE_TOKEN, GenerativeOptions, Lesson, Written
from radvqa.models.parts import Assembly, LoraOptions, Mode
from radvqa.models.prompts import Prompts
from radvqa.models.vision import VisionSpec, VisionTower, feature_sizes
from radvqa.sample import Sample

PartName = Literal["vision", "fusion", "language_model"]
TRAINED: dict[PartName, Mode] = {"vision": "frozen", "fusion": "full", "language_model": "lora"}


class PictureLlmOptions(GenerativeOptions):
    """Options that both families share, beside ``family`` in a recipe."""

    vision: str = Field(description="Image encoder: org/name or a folder.")
    image_size: int = Field(224, ge=16, le=2048, description="Side in pixels; the aspect is not kept.")
    language_model: str = Field(description="Causal language model: org/name or a folder.")
    quantisation: hub.Quantisation | None = Field(
        None, description="Load the frozen weights of the language model in 4 or 8 bits (needs bitsandbytes)."
    )
    train: dict[PartName, Mode] = Field(
        TRAINED, description="What is learned of each part; parts that are not named keep the default."
    )
    lora: LoraOptions | None = Field(
        LoraOptions(targets=("q_proj", "k_proj", "v_proj", "o_proj")),
        description="Of the language model, where its mode is lora.",
    )
    prompts: Prompts = Field(Prompts(), description="How samples are put to the model.")


@dataclass(frozen=True)
class PictureLlmInputs:
    """What the net indexes by row.

    Attributes:
        rows: which distinct picture each row shows, ``(rows,)``.
        keys: content keys of the distinct pictures.
        stored: their patches, where the encoder is frozen.
        prompts: tokens of each row's prompt.
    """

    rows: Tensor
    keys: Sequence[str]
    stored: features.Stored | None
    prompts: Sequence[Sequence[int]]


class PictureLlm:
    """A ``GeneratorNet``: encoder, fusion, language model.

    Args:
        options: shared options.
        vision: the encoder.
        fusion: patches → image tokens; has ``tokens``, their number.
        language_model: with its head.
        tokenizer: of the language model.
    """

    def __init__(
        self,
        options: PictureLlmOptions,
        vision: VisionTower,
        fusion: Projector | QueryTransformer,
        language_model: Any,
        tokenizer: Any,
    ) -> None:
        self.options, self.modes, self.tokenizer = options, modes_of(options), tokenizer
        self.vision, self.fusion = vision, fusion
        self.module = skeleton(options, vision, fusion, language_model)
        self.parts: Mapping[str, nn.Module] = dict(self.module.named_children())
        self.wrapped: Any = self.parts["language_model"]
        inner = parts.inner(self.wrapped)
        self.end = _end_of(tokenizer, options.language_model)
        self.decoder = CausalDecoder(inner.base_model, inner.get_input_embeddings(), _head_of(inner), [self.end])
        begin = tokenizer.bos_token_id
        self.begins = [] if begin is None else [int(begin)]
        self.store = ImageStore(Preprocessing(options.image_size))

    def digests(self) -> dict[str, str]:
        """Fingerprints of encoder and language model as published."""
        names = (self.options.vision, self.options.language_model)
        return {name: hub.digest(name) for name in names}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> PictureLlmInputs:
        """Tokenise the prompts; patches of a frozen encoder are computed once for all runs."""
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        device = self.vision.mean.device
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=device)
        frozen = self.modes["vision"] == "frozen"
        stored = features.store(self.vision, self.store, distinct, tokens=True) if frozen else None
        prompts = [self._tokens(self.options.prompts.of(sample)) for sample in samples]
        return PictureLlmInputs(rows, distinct, stored, prompts)

    def image_rows(self, inputs: PictureLlmInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def answer_tokens(self, answer: str) -> list[int]:
        """The answer after a space, and the end."""
        return [*self._tokens(f" {answer.strip()}"), self.end]

    def prompts(self, inputs: PictureLlmInputs, rows: Tensor) -> list[str]:
        """What is read after the image tokens."""
        return [self.tokenizer.decode(inputs.prompts[row]) for row in rows.tolist()]

    def lesson(self, inputs: PictureLlmInputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        """Image tokens, prompt, answer."""
        shown, index = torch.unique(inputs.rows[rows], return_inverse=True)
        tokens = self._prefix_tokens(len(shown))
        blank = torch.empty(*tokens.shape, 0, device=tokens.device)
        prefix = Prefix.plain(tokens, blank, torch.ones_like(tokens, dtype=torch.bool))
        return self.decoder.lesson(prefix, index, [inputs.prompts[row] for row in rows.tolist()], answers)

    def logits(self, inputs: PictureLlmInputs, rows: Tensor, lesson: Lesson) -> Tensor:
        """Read each distinct picture once, then every question about it."""
        shown, index = torch.unique(inputs.rows[rows], return_inverse=True)
        return self.decoder.logits(self._read(inputs, shown), index, lesson)

    def write(self, inputs: PictureLlmInputs, rows: Tensor, limit: int) -> list[Written]:
        """Read each distinct picture once, then write."""
        shown, index = torch.unique(inputs.rows[rows], return_inverse=True)
        prompts = [inputs.prompts[row] for row in rows.tolist()]
        return self.decoder.write(self._read(inputs, shown), index, prompts, limit)

    def write_merged(self, folder: Path) -> None:
        """Write ``language_model/`` for plain ``transformers``, ``fusion.safetensors``, and a learned encoder."""
        parts.merge(self.wrapped).save_pretrained(folder / "language_model")
        self.tokenizer.save_pretrained(folder / "language_model")
        fusion = {name: tensor.detach().cpu().contiguous() for name, tensor in self.fusion.state_dict().items()}
        checkpoint.write_weights(folder / "fusion.safetensors", fusion)
        if self.modes["vision"] == "full":
            vision: Any = self.vision.model
            vision.save_pretrained(folder / "vision")

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _prefix_tokens(self, pictures: int) -> Tensor:
        row = torch.tensor([*self.begins, *[IMAGE_TOKEN] * self.fusion.tokens], device=self.vision.mean.device)
        return row.expand(pictures, -1)

    def _read(self, inputs: PictureLlmInputs, shown: Tensor) -> Read:
        keys = [inputs.keys[row] for row in shown.tolist()]
        device = self.vision.mean.device
        if inputs.stored is not None:
            patches = inputs.stored.tokens(keys).to(device, torch.float32)
        else:
            patches = self.vision.tokens(torch.from_numpy(self.store.batch(keys)).to(device))[0]
        tokens = self._prefix_tokens(len(keys))
        images = self.fusion(patches)
        first = self.decoder.embed(tokens[:, : len(self.begins)])
        embeddings = torch.cat([first, images.to(first.dtype)], 1)
        return self.decoder.read(Prefix.plain(tokens, embeddings, torch.ones_like(tokens, dtype=torch.bool)))


def modes_of(options: PictureLlmOptions) -> dict[str, Mode]:
    """What is learned of each part.

    Raises:
        RecipeError: for a mode that a part cannot have.
    """
    modes: dict[str, Mode] = {part: options.train.get(part, mode) for part, mode in TRAINED.items()}
    for part in ("vision", "fusion"):
        if modes[part] == "lora":
            raise RecipeError(f"model.train.{part} may be frozen or full; LoRA is put on the language model.")
    return modes


def skeleton(options: PictureLlmOptions, vision: nn.Module, fusion: nn.Module, language_model: Any) -> Assembly:
    """Put the parts under one roof and let learn what the options say."""
    modes = modes_of(options)
    adapted = parts.set_trained(
        language_model,
        {"language_model": language_model.base_model},
        {"language_model": modes["language_model"]},
        options.lora,
        base=options.language_model,
    )
    return Assembly(
        vision=vision.requires_grad_(modes["vision"] == "full"),
        fusion=fusion.requires_grad_(modes["fusion"] == "full"),
        language_model=adapted,
    )


def load_parts(
    options: PictureLlmOptions, seed: int, family: str
) -> tuple[VisionTower, Any, Any, tuple[int, int, int]]:
    """Load encoder, language model and tokeniser, and measure the encoder's patches.

    Returns:
        the encoder, the language model, its tokeniser, and (number of patches, their size, token size).
    """
    from transformers import AutoModelForCausalLM

    vision = VisionTower(VisionSpec(options.vision, pretrained=True, pooling="mean", seed=seed))
    language_model = hub.load(
        AutoModelForCausalLM, options.language_model, (), family=family, quantisation=options.quantisation
    )
    patches, size, _ = feature_sizes(vision, options.image_size)
    width = int(language_model.get_input_embeddings().embedding_dim)
    return vision, language_model, hub.tokenizer(options.language_model), (patches, size, width)


def skeleton_parts(options: PictureLlmOptions, family: str) -> tuple[VisionTower, Any, tuple[int, int, int]]:
    """As ``load_parts`` on the meta device, from the configurations alone."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        language_model = AutoModelForCausalLM.from_config(hub.config(options.language_model, (), family=family))
        vision = VisionTower(VisionSpec(options.vision, pretrained=False, pooling="mean"))
        patches, size, _ = feature_sizes(vision, options.image_size)
    width = int(language_model.get_input_embeddings().embedding_dim)
    return vision, language_model, (patches, size, width)


def _end_of(tokenizer: Any, name: str) -> int:
    if tokenizer.eos_token_id is None:
        raise WeightsError(
            f"{name}: its tokeniser names no token that ends a text (eos_token), so no answer would ever end; set it "
            f"in tokenizer_config.json."
        )
    return int(tokenizer.eos_token_id)


def _head_of(language_model: Any) -> Any:
    """States → logits, as the whole model computes them."""
    head = language_model.get_output_embeddings()
    cap = getattr(language_model.config, "final_logit_softcapping", None)
    if cap is None:
        return head
    return lambda states: torch.tanh(head(states) / cap) * cap

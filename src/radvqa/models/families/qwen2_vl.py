"""Qwen2-VL and Qwen2.5-VL: a picture of any size, a question, a written answer (seed 001).

The checkpoint's chat template is kept to the token. System message and picture come before the question and see
nothing of it, so they are read once a picture, however many questions are asked about it.

Sources: Wang et al., Qwen2-VL, arXiv 2409.12191; Bai et al., Qwen2.5-VL, arXiv 2502.13923.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.errors import RecipeError
from radvqa.models import hub, parts
from radvqa.models.chat_frame import ChatFrame
from radvqa.models.decoder import CausalDecoder, Prefix, Read
from radvqa.models.family import Context, VqaModel
from radvqa.models.generative_options import GenerativeOptions
from radvqa.models.generator import Generator
from radvqa.models.generator_net import IMAGE_TOKEN, Lesson, Written
from radvqa.models.image_tokens import ImageTokens
from radvqa.models.origin import Origin
from radvqa.models.padding import pad
from radvqa.models.parts import Assembly, LoraOptions, Mode
from radvqa.models.prompts import Prompts
from radvqa.models.qwen_pictures import QwenPictures, positions
from radvqa.models.seeding import seeded
from radvqa.sample import Sample
from radvqa.weights import find_weights

KINDS = ("qwen2_vl", "qwen2_5_vl")
PartName = Literal["vision", "language_model", "head"]
TRAINED: dict[PartName, Mode] = {"vision": "frozen", "language_model": "lora"}
LORA = LoraOptions.model_validate({"targets": ("q_proj", "k_proj", "v_proj", "o_proj")})
PROMPTS = Prompts(
    vqa="{question} Answer with a word or a short phrase.",
    choice="{question} Options: {options} Answer with the text of one option.",
    caption="Describe the picture.",
)


class Qwen2VlOptions(GenerativeOptions):
    """Options of the family, beside ``family`` in a recipe."""

    checkpoint: str = Field(description="Qwen2-VL or Qwen2.5-VL: org/name or a folder.")
    system: str | None = Field(None, description="System message; null keeps the chat template's own.")
    min_pixels: int | None = Field(
        None, ge=1, description="Smaller pictures are enlarged to this many pixels; null keeps the checkpoint's limit."
    )
    max_pixels: int | None = Field(
        None, ge=1, description="Larger pictures are reduced to this many pixels; null keeps the checkpoint's limit."
    )
    train: dict[PartName, Mode] = Field(
        TRAINED, description="What is learned of each part; head is one where it does not share the word embeddings."
    )
    lora: LoraOptions | None = Field(LORA, description="Of the parts whose mode is lora.")
    prompts: Prompts = Field(PROMPTS, description="How samples are put to the model, inside the chat template.")


@dataclass(frozen=True)
class Qwen2VlInputs:
    """What the net indexes by row.

    Attributes:
        rows: which distinct picture each row shows, ``(rows,)``.
        keys: content keys of the distinct pictures.
        stored: their image tokens, where the vision tower is frozen.
        prompts: tokens of each row after the picture, up to where the answer begins.
    """

    rows: Tensor
    keys: Sequence[str]
    stored: ImageTokens | None
    prompts: Sequence[Sequence[int]]


class Qwen2Vl:
    """A ``GeneratorNet``: vision tower with dynamic resolution, language model with M-RoPE.

    Args:
        options: of the family.
        model: the checkpoint, as ``transformers`` loads it.
        tokenizer: carries the chat template.
        pictures: resizes and cuts pictures.
    """

    def __init__(self, options: Qwen2VlOptions, model: Any, tokenizer: Any, pictures: QwenPictures) -> None:
        self.options, self.tokenizer, self.pictures = options, tokenizer, pictures
        settings = model.config
        self.frame = ChatFrame.of(
            tokenizer, options.checkpoint, settings.image_token_id, settings.vision_end_token_id, options.system
        )
        self.image = str(tokenizer.convert_ids_to_tokens(settings.image_token_id))
        self.wrapped = trained(options, model)
        self.module = Assembly(model=self.wrapped)
        self.inner: Any = parts.inner(self.wrapped)
        self.parts = parts_of(self.inner)
        self.decoder = CausalDecoder(
            self.inner.model.language_model,
            self.inner.get_input_embeddings(),
            self.inner.lm_head,
            _ends(self.frame.end, model.generation_config),
        )
        self.store = ImageStore(pictures)
        self._digest = hub.digest(options.checkpoint)
        self._frozen = not any(parameter.requires_grad for parameter in self.parts["vision"].parameters())

    def digests(self) -> dict[str, str]:
        """Fingerprint of the checkpoint as published."""
        return {self.options.checkpoint: self._digest}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store, each at its own size."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> Qwen2VlInputs:
        """Tokenise the prompts; image tokens of a frozen tower are computed once for all runs."""
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=self._device)
        prompts = [self.frame.prompt(self.tokenizer, self.options.prompts.of(sample)) for sample in samples]
        stored = self._stored(distinct) if self._frozen else None
        return Qwen2VlInputs(rows, distinct, stored, prompts)

    def image_rows(self, inputs: Qwen2VlInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def answer_tokens(self, answer: str) -> list[int]:
        """The answer, and the token that the chat template ends it with."""
        ids: list[int] = self.tokenizer(answer.strip(), add_special_tokens=False)["input_ids"]
        return [*ids, self.frame.end]

    def prompts(self, inputs: Qwen2VlInputs, rows: Tensor) -> list[str]:
        """All that is read before the answer; image tokens are counted instead of repeated."""
        before, after = (self.tokenizer.decode(list(part)) for part in (self.frame.before, self.frame.after))
        found = []
        for row in rows.tolist():
            height, width = self.pictures.grid(self.store, inputs.keys[int(inputs.rows[row])])
            asked = self.tokenizer.decode(list(inputs.prompts[row]))
            found.append(f"{before}{self.image}×{height * width}{after}{asked}")
        return found

    def lesson(self, inputs: Qwen2VlInputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        """System message and picture, question, answer; every image token of a picture is there."""
        shown, index = torch.unique(inputs.rows[rows], return_inverse=True)
        layout = self._layout([inputs.keys[row] for row in shown.tolist()])
        return self.decoder.lesson(layout, index, [inputs.prompts[row] for row in rows.tolist()], answers)

    def logits(self, inputs: Qwen2VlInputs, rows: Tensor, lesson: Lesson) -> Tensor:
        """Read each distinct picture once, then every question about it."""
        shown, index = torch.unique(inputs.rows[rows], return_inverse=True)
        return self.decoder.logits(self._read(inputs, shown), index, lesson)

    def write(self, inputs: Qwen2VlInputs, rows: Tensor, limit: int) -> list[Written]:
        """Read each distinct picture once, then write."""
        shown, index = torch.unique(inputs.rows[rows], return_inverse=True)
        prompts = [inputs.prompts[row] for row in rows.tolist()]
        return self.decoder.write(self._read(inputs, shown), index, prompts, limit)

    def write_merged(self, folder: Path) -> None:
        """Write model, tokeniser with its chat template, and image processor with the limits of training."""
        parts.merge(self.wrapped).save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        self.pictures.processor.save_pretrained(folder)

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def _stored(self, keys: Sequence[str]) -> ImageTokens:
        name = f"{self._digest[:24]}-{self.pictures.key}"
        exact, device = self.options.precision == "fp32", self._device
        return ImageTokens.of_frozen(name, self._seen, keys, device, full_precision=exact, setting="max_pixels")

    def _seen(self, keys: Sequence[str]) -> list[Tensor]:
        """Image tokens of pictures, through the vision tower now."""
        cut = self.pictures.patches(self.store, keys, self._device)
        return list(self.inner.model.get_image_features(cut.values, cut.grid).pooler_output)

    def _layout(self, keys: Sequence[str]) -> Prefix:
        """Prefixes of some pictures without their embeddings, which a lesson does not need."""
        before, after = self.frame.before, self.frame.after
        grids = [self.pictures.grid(self.store, key) for key in keys]
        tokens, real = pad([[*before, *[IMAGE_TOKEN] * (rows * columns), *after] for rows, columns in grids], 0)
        places = torch.zeros(3, *tokens.shape, dtype=torch.long)
        for picture, (rows, columns) in enumerate(grids):
            counted = positions(len(before), rows, columns, len(after))
            places[:, picture, : counted.shape[1]] = counted
        following = places.amax((0, 2)) + 1
        tokens, real, places, following = (part.to(self._device) for part in (tokens, real, places, following))
        return Prefix(tokens, torch.empty(*tokens.shape, 0, device=self._device), real, places, following)

    def _read(self, inputs: Qwen2VlInputs, shown: Tensor) -> Read:
        keys = [inputs.keys[row] for row in shown.tolist()]
        return self.read(keys, torch.cat(inputs.stored.of(keys, self._device) if inputs.stored else self._seen(keys)))

    def read(self, keys: Sequence[str], images: Tensor) -> Read:
        """Read prefixes of pictures whose image tokens lie end to end, ``(tokens, h)``."""
        layout = self._layout(keys)
        words = self.decoder.embed(layout.tokens.clamp(min=0))
        from_picture = (layout.tokens == IMAGE_TOKEN)[..., None]
        embeddings = words.masked_scatter(from_picture, images.to(words.dtype))
        return self.decoder.read(Prefix(layout.tokens, embeddings, layout.real, layout.positions, layout.next_position))


class Qwen2VlFamily:
    """Builds Qwen2-VL and Qwen2.5-VL models."""

    options = Qwen2VlOptions

    def build(self, options: Qwen2VlOptions, context: Context) -> VqaModel:
        """Load the checkpoint; low-rank additions begin from the seed."""
        return _model(options, Origin.of_training(context))

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return _model(Qwen2VlOptions.model_validate(spec["options"]), Origin.of_spec(spec, device))

    def skeleton(self, options: Qwen2VlOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        return Assembly(
            model=trained(options, hub.skeleton(_kind(options), options.checkpoint, KINDS, family="qwen2_vl"))
        )


def parts_of(model: Any) -> dict[str, nn.Module]:
    """Vision tower with its merger, language model, and the head where it has weights of its own."""
    found = {"vision": model.model.visual, "language_model": model.model.language_model}
    if model.lm_head.weight is not model.get_input_embeddings().weight:
        found["head"] = model.lm_head
    return {name: _used(part) for name, part in found.items()}


def _used(part: nn.Module) -> nn.Module:
    """The copy that learns, where ``peft`` wraps a part that is learned whole beside LoRA; else the part itself."""
    copies = getattr(part, "modules_to_save", None)
    return part if copies is None else copies["default"]


def trained(options: Qwen2VlOptions, model: Any) -> Any:
    """Let learn what the options say; returns the model, wrapped by ``peft`` where a mode is lora.

    Raises:
        RecipeError: for a language model learned whole beside LoRA on the vision tower.
    """
    modes: dict[str, Mode] = {str(part): mode for part, mode in {**TRAINED, **options.train}.items()}
    if modes["language_model"] == "full" and "lora" in modes.values():
        raise RecipeError(
            "model.train: a language model that is learned whole cannot be saved beside LoRA on another part, because "
            "it shares its word embeddings with the head; use lora for both or full for both."
        )
    return parts.set_trained(model, parts_of(model), modes, options.lora, base=options.checkpoint)


def _kind(options: Qwen2VlOptions) -> Any:
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2VLForConditionalGeneration

    kinds = {"qwen2_vl": Qwen2VLForConditionalGeneration, "qwen2_5_vl": Qwen2_5_VLForConditionalGeneration}
    return kinds[hub.config(options.checkpoint, KINDS, family="qwen2_vl").model_type]


def _model(options: Qwen2VlOptions, origin: Origin) -> Generator[Qwen2VlInputs]:
    kind = _kind(options)
    pictures = QwenPictures(find_weights(options.checkpoint), options.min_pixels, options.max_pixels)
    model = hub.load(kind, options.checkpoint, KINDS, family="qwen2_vl")
    with seeded(origin.seed):
        net = Qwen2Vl(options, model, hub.tokenizer(options.checkpoint), pictures)
    return Generator(net, options, origin)


def _ends(end: int, generation: Any) -> list[int]:
    """The template's end first, then what else the checkpoint's own generation stops at."""
    others = getattr(generation, "eos_token_id", None)
    listed = [] if others is None else [others] if isinstance(others, int) else list(others)
    return list(dict.fromkeys([end, *listed]))


FAMILY = Qwen2VlFamily()

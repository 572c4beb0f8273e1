"""PaliGemma (1 and 2): SigLIP, a linear projector, and a Gemma that reads picture and question both ways.

Sources: Beyer et al., PaliGemma, 2024; Steiner et al., PaliGemma 2, 2024; seed 002. The prefix is what the published
processor writes: the image tokens, ``<bos>``, the prompt, a line break. Its tokens all see each other, so it is read
once a question; pictures pass through SigLIP once. With LoRA of rank 8 on the seven linear layers of seed 002's code,
``google/paligemma-3b-mix-224`` has 11,298,816 trained of 2,934,634,224 parameters; with rank 12 on the six of its
paper, ``-mix-448`` has 12,966,912.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import hub, parts
from radvqa.models.decoder import CausalDecoder, Prefix, Read
from radvqa.models.family import Context, VqaModel
from radvqa.models.generative_options import GenerativeOptions
from radvqa.models.generator import Generator
from radvqa.models.generator_net import IMAGE_TOKEN, Lesson, Written
from radvqa.models.image_processing import ImageProcessing
from radvqa.models.image_tokens import ImageTokens
from radvqa.models.origin import Origin
from radvqa.models.padding import pad
from radvqa.models.parts import Assembly, LoraOptions, Mode
from radvqa.models.prompts import Prompts
from radvqa.models.seeding import seeded
from radvqa.sample import Sample
from radvqa.weights import find_weights

_KINDS = ("paligemma",)
_FILLER = 0  # any token; masked everywhere

PartName = Literal["vision", "projector", "language_model", "head"]
_TRAINED: dict[PartName, Mode] = {"vision": "lora", "projector": "frozen", "language_model": "lora"}
_PLACES: dict[PartName, str] = {
    "vision": "model.vision_tower",
    "projector": "model.multi_modal_projector",
    "language_model": "model.language_model",
    "head": "lm_head",
}
_LORA = LoraOptions.model_validate(
    {"r": 12, "alpha": 32, "targets": ("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj")}
)


class PaliGemmaPrompts(Prompts):
    """The words that PaliGemma's mixture was trained with; the line break that ends a prompt is added."""

    vqa: str = Field("answer en {question}", description="Of a question.")
    choice: str = Field("answer en {question} {options}", description="Of a multiple-choice question.")
    caption: str = Field("caption en", description="Of a picture that is to be described.")


_PROMPTS = PaliGemmaPrompts.model_validate({})


class PaliGemmaOptions(GenerativeOptions):
    """Options of the family, beside ``family`` in a recipe."""

    checkpoint: str = Field(description="PaliGemma or PaliGemma 2: org/name or a folder.")
    quantisation: hub.Quantisation | None = Field(
        None, description="Load linear layers that are not learned whole in 4 or 8 bits (needs bitsandbytes)."
    )
    train: dict[PartName, Mode] = Field(
        _TRAINED,
        description="What is learned of each part; parts that are not named keep the default. There is a head where "
        "it does not share the word embeddings.",
    )
    lora: LoraOptions | None = Field(_LORA, description="Of the parts whose mode is lora.")
    prompts: PaliGemmaPrompts = Field(_PROMPTS, description="How samples are put to the model.")


@dataclass(frozen=True)
class PaliGemmaInputs:
    """What the net indexes by row.

    Attributes:
        rows: which distinct picture each row shows, ``(rows,)``.
        keys: content keys of the distinct pictures.
        stored: what SigLIP makes of them, where it is frozen.
        prompts: tokens that follow the image tokens, of each row.
    """

    rows: Tensor
    keys: Sequence[str]
    stored: ImageTokens | None
    prompts: Sequence[Sequence[int]]


class PaliGemma:
    """A ``GeneratorNet`` around ``PaliGemmaForConditionalGeneration``.

    Args:
        options: of the family.
        model: the pretrained model.
        tokenizer: of the checkpoint.
        processing: of its pictures.

    Raises:
        WeightsError: when tokeniser, processor and model do not fit each other.
    """

    def __init__(self, options: PaliGemmaOptions, model: Any, tokenizer: Any, processing: ImageProcessing) -> None:
        self.options, self.tokenizer, self.processing = options, tokenizer, processing
        self.image_tokens = _image_tokens(model.config)
        self.processor = _processor(tokenizer, processing, self.image_tokens, options.checkpoint)
        self.begin, self.end = (_special(tokenizer, name, options.checkpoint) for name in ("bos_token", "eos_token"))
        self.wrapped = _with_modes(options, model)
        self.module = Assembly(paligemma=self.wrapped)
        inner = parts.inner(self.wrapped)
        self.decoder = CausalDecoder(
            inner.model.language_model, inner.get_input_embeddings(), _head_of(inner), [self.end]
        )
        self.store = ImageStore(processing)
        self._digest = hub.digest(options.checkpoint)
        self._remembers = False
        self._last: tuple[tuple[int, ...], Read] | None = None

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """SigLIP, projector, Gemma, and its head where that has weights of its own."""
        return _parts(parts.inner(self.wrapped))

    def digests(self) -> dict[str, str]:
        """Fingerprint of the checkpoint."""
        return {self.options.checkpoint: self._digest}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> PaliGemmaInputs:
        """Tokenise the prompts; what a frozen SigLIP makes of the pictures is computed once for all runs."""
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=self._device)
        prompts = [self._prompt(sample) for sample in samples]
        stored = self._stored(distinct) if _modes(self.options)["vision"] == "frozen" else None
        return PaliGemmaInputs(rows, distinct, stored, prompts)

    def image_rows(self, inputs: PaliGemmaInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def answer_tokens(self, answer: str) -> list[int]:
        """The answer and ``<eos>``, as the processor tokenises its ``suffix``."""
        return [*self.tokenizer(answer.strip(), add_special_tokens=False)["input_ids"], self.end]

    def prompts(self, inputs: PaliGemmaInputs, rows: Tensor) -> list[str]:
        """What is read after the image tokens, line break included."""
        return [self.tokenizer.decode(inputs.prompts[row]) for row in rows.tolist()]

    def lesson(self, inputs: PaliGemmaInputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        """Image tokens, prompt, answer."""
        asked, index = torch.unique(rows, return_inverse=True)
        tokens, real = self._prefix_tokens(inputs, asked)
        blank = torch.empty(*tokens.shape, 0, device=tokens.device)
        return self.decoder.lesson(Prefix.plain(tokens, blank, real), index, [()] * len(rows), answers)

    def logits(self, inputs: PaliGemmaInputs, rows: Tensor, lesson: Lesson) -> Tensor:
        """Encode each distinct picture once, read each distinct question once, then every answer to it."""
        asked, index = torch.unique(rows, return_inverse=True)
        return self.decoder.logits(self._read(inputs, asked), index, lesson)

    def write(self, inputs: PaliGemmaInputs, rows: Tensor, limit: int) -> list[Written]:
        """Encode each distinct picture once, then write."""
        asked, index = torch.unique(rows, return_inverse=True)
        return self.decoder.write(self._read(inputs, asked), index, [()] * len(rows), limit)

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Keep the questions that were read last, until the end of the block; weights must not change inside."""
        self._remembers = True
        try:
            yield
        finally:
            self._remembers, self._last = False, None

    def write_merged(self, folder: Path) -> None:
        """Write one checkpoint for plain ``transformers``, with its processor.

        Raises:
            RecipeError: for a quantised model, whose weights are rounded.
        """
        if self.options.quantisation is not None:
            raise RecipeError(
                "model.quantisation: what was learned cannot be added to rounded weights; merge with "
                "model.quantisation=null, or use the adapter."
            )
        parts.merge(self.wrapped).save_pretrained(folder)
        self.processor.save_pretrained(folder)

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def _prompt(self, sample: Sample) -> list[int]:
        """Tokens of ``<bos>``, prompt and line break; a picture's token in a question would stand for a picture."""
        asked = self.options.prompts.of(sample).removesuffix("\n")
        text = f"{self.processor.image_token}{self.tokenizer.bos_token}{asked}\n"
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        first, rest = ids[0], ids[1:]
        if first != self.processor.image_token_id or rest[0] != self.begin or first in rest:
            raise DataError(
                f"{sample.source or sample.id}: the prompt {asked!r} holds {self.processor.image_token}, which stands "
                f"for a picture; take it out of the question."
            )
        return rest

    def _prefix_tokens(self, inputs: PaliGemmaInputs, asked: Tensor) -> tuple[Tensor, Tensor]:
        """Image tokens and prompts ``(m, p)``, and which are real; padding stands at the end."""
        image = [IMAGE_TOKEN] * self.image_tokens
        tokens, real = pad([[*image, *inputs.prompts[row]] for row in asked.tolist()], _FILLER)
        return tokens.to(self._device), real.to(self._device)

    def _stored(self, keys: Sequence[str]) -> ImageTokens:
        # what is computed in few bits must not pass for what is computed in full
        name = f"siglip-{self._digest[:24]}-{self.processing.key}{self.options.quantisation or ''}"
        exact, device = self.options.precision == "fp32", self._device
        return ImageTokens.of_frozen(name, self._seen, keys, device, full_precision=exact, setting="checkpoint")

    def _seen(self, keys: Sequence[str]) -> Tensor:
        """What SigLIP makes of pictures now, before the projector, ``(pictures, n, d)``."""
        pixels = self.processing.values(self.store, keys, self._device)
        states: Tensor = parts.inner(self.wrapped).model.vision_tower(pixels).last_hidden_state
        return states

    def _read(self, inputs: PaliGemmaInputs, asked: Tensor) -> Read:
        wanted = tuple(asked.tolist())
        if self._last is not None and self._last[0] == wanted:
            return self._last[1]
        shown, picture = torch.unique(inputs.rows[asked], return_inverse=True)
        keys = [inputs.keys[row] for row in shown.tolist()]
        seen = torch.stack(inputs.stored.of(keys, self._device)) if inputs.stored else self._seen(keys)
        read = self.read(inputs, asked, seen, picture)
        self._last = (wanted, read) if self._remembers else None
        return read

    def read(self, inputs: PaliGemmaInputs, asked: Tensor, seen: Tensor, picture: Tensor) -> Read:
        """Read pictures and questions, each seeing all of both.

        Args:
            inputs: of all rows.
            asked: wanted rows, ``(m,)``.
            seen: what SigLIP makes of pictures, ``(pictures, n, d)``.
            picture: which of them each row shows, ``(m,)``.
        """
        tokens, real = self._prefix_tokens(inputs, asked)
        images = parts.inner(self.wrapped).model.multi_modal_projector(seen)[picture]
        words = self.decoder.embed(tokens[:, self.image_tokens :])  # Gemma's embeddings scale themselves
        embeddings = torch.cat([images.to(words.dtype), words], 1)
        return self.decoder.read(replace(Prefix.plain(tokens, embeddings, real, first=1), bidirectional=True))


class PaliGemmaFamily:
    """Builds PaliGemma models."""

    options = PaliGemmaOptions

    def build(self, options: PaliGemmaOptions, context: Context) -> VqaModel:
        """Load the checkpoint; what LoRA adds begins from random weights."""
        return _model(options, Origin.of_training(context))

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return _model(PaliGemmaOptions.model_validate(spec["options"]), Origin.of_spec(spec, device))

    def skeleton(self, options: PaliGemmaOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        model = hub.skeleton(_class(), options.checkpoint, _KINDS, family="paligemma")
        with torch.device("meta"):
            return Assembly(paligemma=_with_modes(options, model))


def _model(options: PaliGemmaOptions, origin: Origin) -> Generator[PaliGemmaInputs]:
    model = hub.load(
        _class(),
        options.checkpoint,
        _KINDS,
        family="paligemma",
        quantisation=options.quantisation,
        unquantised=[_PLACES["head"], *(_PLACES[part] for part, mode in _modes(options).items() if mode == "full")],
    )
    processing = ImageProcessing(find_weights(options.checkpoint))
    with seeded(origin.seed):
        net = PaliGemma(options, model, hub.tokenizer(options.checkpoint), processing)
    return Generator(net, options, origin)


def _class() -> Any:
    from transformers import PaliGemmaForConditionalGeneration

    return PaliGemmaForConditionalGeneration


def _modes(options: PaliGemmaOptions) -> dict[PartName, Mode]:
    """What is learned of each part.

    Raises:
        RecipeError: for a combination that cannot be saved and found again.
    """
    modes: dict[PartName, Mode] = {**_TRAINED, **options.train}
    if "lora" in (modes["projector"], modes.get("head")):
        raise RecipeError("model.train: projector and head may be frozen or full; each is one linear layer.")
    if modes["language_model"] == "full" and modes["vision"] == "lora":
        raise RecipeError(
            "model.train: language_model cannot be full beside LoRA on vision, because its head shares the weights of "
            "its embeddings; use lora for both, or make vision frozen or full."
        )
    return modes


def _with_modes(options: PaliGemmaOptions, model: Any) -> Any:
    modes = {str(part): mode for part, mode in _modes(options).items()}
    return parts.set_trained(model, _parts(model), modes, options.lora, base=options.checkpoint)


def _parts(model: Any) -> dict[str, nn.Module]:
    tied = model.lm_head.weight is model.get_input_embeddings().weight
    return {part: model.get_submodule(place) for part, place in _PLACES.items() if part != "head" or not tied}


def _image_tokens(config: Any) -> int:
    side = config.vision_config.image_size // config.vision_config.patch_size
    return int(side * side)


def _processor(tokenizer: Any, processing: ImageProcessing, image_tokens: int, name: str) -> Any:
    """The checkpoint's processor; it teaches the tokeniser the tokens of pictures, places and masks."""
    from transformers import PaliGemmaProcessor

    made = getattr(processing.processor, "image_seq_length", None)
    if made != image_tokens:
        raise WeightsError(
            f"{name}: its preprocessor_config.json announces {made} image tokens (image_seq_length), but its vision "
            f"tower makes {image_tokens}; the two files belong to different checkpoints."
        )
    return PaliGemmaProcessor(image_processor=processing.processor, tokenizer=tokenizer)


def _special(tokenizer: Any, token: str, name: str) -> int:
    number = getattr(tokenizer, f"{token}_id")
    if number is None:
        raise WeightsError(f"{name}: its tokeniser names no {token}; set it in tokenizer_config.json.")
    return int(number)


def _head_of(model: Any) -> Any:
    """States → logits, as the whole model computes them: Gemma 2 keeps them within a bound."""
    head = model.lm_head
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    if cap is None:
        return head
    return lambda states: torch.tanh(head(states) / cap) * cap


FAMILY = PaliGemmaFamily()

"""BLIP-VQA: a vision transformer, a question encoder and an answer decoder, with LoRA on any of them.

Source: seed 000 (BLIP-VQA with LoRA on SLAKE). Its adapter lies on query, key and value of both text towers, self-
and cross-attention, and on qkv of the vision tower: 2,064,384 trained parameters of 363,294,524 at rank 8.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.errors import DataError, RecipeError, WeightsError
from radvqa.models import hub, parts
from radvqa.models.blip_net import Asked, BlipReader
from radvqa.models.family import Context, VqaModel
from radvqa.models.generative_options import GenerativeOptions
from radvqa.models.generator import Generator
from radvqa.models.generator_net import IGNORED, Lesson, Written
from radvqa.models.image_processing import ImageProcessing
from radvqa.models.image_tokens import ImageTokens
from radvqa.models.origin import Origin
from radvqa.models.padding import pad
from radvqa.models.parts import Assembly, LoraOptions, Mode
from radvqa.models.prompts import Prompts
from radvqa.models.seeding import seeded
from radvqa.sample import Sample
from radvqa.weights import find_weights

PartName = Literal["vision", "text_encoder", "text_decoder"]
TRAINED: dict[PartName, Mode] = {"vision": "lora", "text_encoder": "lora", "text_decoder": "lora"}
_KINDS = ("blip",)


class BlipOptions(GenerativeOptions):
    """Options of the family, beside ``family`` in a recipe."""

    checkpoint: str = Field(
        "Salesforce/blip-vqa-base", description="BLIP for question answering: org/name or a folder."
    )
    train: dict[PartName, Mode] = Field(
        TRAINED, description="What is learned of each part; parts that are not named keep the default."
    )
    lora: LoraOptions | None = Field(
        LoraOptions(r=8, alpha=32, dropout=0.05, targets=("query", "key", "value", "qkv")),
        description="Of the parts whose mode is lora.",
    )
    prompts: Prompts = Field(
        Prompts(vqa="{question}", choice="{question} {options}", caption="Caption:"),
        description="What the question encoder reads.",
    )


@dataclass(frozen=True)
class BlipInputs:
    """What the net indexes by row.

    Attributes:
        rows: which distinct picture each row shows, ``(rows,)``.
        keys: content keys of the distinct pictures.
        stored: the encoded pictures, where the vision tower is frozen.
        questions: tokens of each row's question.
    """

    rows: Tensor
    keys: Sequence[str]
    stored: ImageTokens | None
    questions: Sequence[Sequence[int]]


@dataclass
class _Memory:
    """What the last batch read: encoded pictures by row of ``BlipInputs.keys``, and its questions."""

    images: dict[int, Tensor] = field(default_factory=dict)
    questions: tuple[int, ...] = ()
    asked: Asked | None = None


class Blip:
    """A ``GeneratorNet``: pictures are looked at once a batch, and questions asked once.

    Args:
        options: of the family.

    Raises:
        WeightsError: when the checkpoint is none of BLIP for question answering, or lacks something.
        RecipeError: when answers may be longer than the decoder's positions.
    """

    def __init__(self, options: BlipOptions) -> None:
        from transformers import BlipForQuestionAnswering

        self.options = options
        loaded = hub.load(BlipForQuestionAnswering, options.checkpoint, _KINDS, family="blip")
        self.tokenizer: Any = hub.tokenizer(options.checkpoint)
        self.processing = ImageProcessing(find_weights(options.checkpoint))
        self.store = ImageStore(self.processing)
        self._model = _trained(loaded, options)
        self.module = Assembly(model=self._model)
        self.reader = BlipReader(self._model, options.checkpoint)
        self._memory: _Memory | None = None
        self._digest = hub.digest(options.checkpoint)
        if self.tokenizer.sep_token_id != self.reader.end:
            raise WeightsError(
                f"{options.checkpoint}: answers end with token {self.reader.end} by config.json and with "
                f"{self.tokenizer.sep_token_id} by the tokeniser; set text_config.sep_token_id to the tokeniser's."
            )
        if options.answering.tokens >= self.reader.longest:
            raise RecipeError(
                f"model.answering.tokens: {options.answering.tokens} is more than the {self.reader.longest - 1} tokens "
                f"that {options.checkpoint} can write."
            )

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The three towers."""
        return _parts(parts.inner(self._model))

    def digests(self) -> dict[str, str]:
        """Fingerprint of the checkpoint as published."""
        return {self.options.checkpoint: self._digest}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store, at the checkpoint's own size."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> BlipInputs:
        """Tokenise the questions; none is cut. Pictures of a frozen vision tower are encoded once for all runs.

        Raises:
            DataError: when a question is longer than the encoder's positions.
        """
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=self.reader.device)
        questions: list[list[int]] = [self.tokenizer(self.options.prompts.of(one))["input_ids"] for one in samples]
        for sample, tokens in zip(samples, questions, strict=True):
            self._check_length(tokens, f"The question of {sample.source or sample.id}")
        frozen = _modes(self.options)["vision"] == "frozen"
        return BlipInputs(rows, distinct, self._stored(distinct) if frozen else None, questions)

    def image_rows(self, inputs: BlipInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def answer_tokens(self, answer: str) -> list[int]:
        """The answer, and ``[SEP]``.

        Raises:
            DataError: when it is longer than the decoder's positions.
        """
        tokens = [*self.tokenizer(answer.strip(), add_special_tokens=False)["input_ids"], self.reader.end]
        self._check_length(tokens, f"The answer {answer[:40]!r}…")
        return tokens

    def prompts(self, inputs: BlipInputs, rows: Tensor) -> list[str]:
        """What the question encoder reads."""
        return [self.tokenizer.decode(inputs.questions[row]) for row in rows.tolist()]

    def lesson(self, inputs: BlipInputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        """The decoder reads the token that begins answers, as in writing, and then the answer."""
        read, real = pad([[self.reader.begin, *answer[:-1]] for answer in answers], self.reader.filler)
        targets, _ = pad(answers, IGNORED)
        return Lesson(read.to(rows.device), targets.to(rows.device), real.to(rows.device))

    def logits(self, inputs: BlipInputs, rows: Tensor, lesson: Lesson) -> Tensor:
        """Look at each distinct picture and ask each distinct question once, then score the answers."""
        distinct, index = torch.unique(rows, return_inverse=True)
        return self.reader.score(self._ask(inputs, distinct), index, lesson)

    def write(self, inputs: BlipInputs, rows: Tensor, limit: int) -> list[Written]:
        """Look at each distinct picture and ask each distinct question once, then write."""
        distinct, index = torch.unique(rows, return_inverse=True)
        return self.reader.write(self._ask(inputs, distinct), index, limit)

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Keep what the last batch read, until the end of the block; weights must not change inside."""
        self._memory = _Memory()
        try:
            yield
        finally:
            self._memory = None

    def write_merged(self, folder: Path) -> None:
        """Write weights, tokeniser and image processor, as ``transformers`` loads them."""
        parts.merge(self._model).save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        self.processing.processor.save_pretrained(folder)

    def _ask(self, inputs: BlipInputs, distinct: Tensor) -> Asked:
        memory = _Memory() if self._memory is None else self._memory
        wanted = tuple(distinct.tolist())
        if memory.asked is None or memory.questions != wanted:
            shown, picture = torch.unique(inputs.rows[distinct], return_inverse=True)
            images = self._look(inputs, shown, memory)
            memory.questions = wanted
            memory.asked = self.reader.ask(images, [inputs.questions[row] for row in wanted], picture)
        return memory.asked

    def _look(self, inputs: BlipInputs, shown: Tensor, memory: _Memory) -> Tensor:
        pictures = shown.tolist()
        new = [row for row in pictures if row not in memory.images]
        if new:
            keys = [inputs.keys[row] for row in new]
            seen = inputs.stored.of(keys, self.reader.device) if inputs.stored else self._seen(keys)
            memory.images.update(zip(new, seen, strict=True))
        memory.images = {row: memory.images[row] for row in pictures}
        return torch.stack(list(memory.images.values()))

    def _seen(self, keys: Sequence[str]) -> Tensor:
        """Encode pictures now, ``(pictures, n, d)``."""
        return self.reader.look(self.processing.values(self.store, keys, self.reader.device))

    def _stored(self, keys: Sequence[str]) -> ImageTokens:
        name = f"blip-{self._digest[:24]}-{self.processing.key}"
        exact, device = self.options.precision == "fp32", self.reader.device
        return ImageTokens.of_frozen(name, self._seen, keys, device, full_precision=exact, setting="checkpoint")

    def _check_length(self, tokens: Sequence[int], what: str) -> None:
        if len(tokens) > self.reader.longest:
            raise DataError(
                f"{what} has {len(tokens)} tokens; {self.options.checkpoint} reads {self.reader.longest}. Shorten it, "
                f"or leave the sample out."
            )


class BlipFamily:
    """Builds BLIP models."""

    options = BlipOptions

    def build(self, options: BlipOptions, context: Context) -> VqaModel:
        """Load the checkpoint; what LoRA adds begins from the seed."""
        return _generator(options, Origin.of_training(context))

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        return _generator(BlipOptions.model_validate(spec["options"]), Origin.of_spec(spec, device))

    def skeleton(self, options: BlipOptions) -> nn.Module:
        """Everything that has parameters, on the meta device."""
        from transformers import BlipForQuestionAnswering

        model = hub.skeleton(BlipForQuestionAnswering, options.checkpoint, _KINDS, family="blip")
        return Assembly(model=_trained(model, options))


def _parts(model: Any) -> dict[str, nn.Module]:
    return {"vision": model.vision_model, "text_encoder": model.text_encoder, "text_decoder": model.text_decoder}


def _modes(options: BlipOptions) -> dict[str, Mode]:
    return {part: options.train.get(part, mode) for part, mode in TRAINED.items()}


def _trained(model: Any, options: BlipOptions) -> Any:
    return parts.set_trained(model, _parts(model), _modes(options), options.lora, base=options.checkpoint)


def _generator(options: BlipOptions, origin: Origin) -> Generator[BlipInputs]:
    with seeded(origin.seed):
        net = Blip(options)
    return Generator(net, options, origin)


FAMILY = BlipFamily()

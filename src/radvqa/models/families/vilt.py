"""ViLT: one transformer reads the words of the question and the patches of the picture side by side.

Source: Kim, Son and Kim, ViLT, ICML 2021; seed 001 adapts the checkpoint that was trained on VQAv2 by LoRA and a new
last layer. Of that checkpoint with 3,129 answers, 117,588,537 parameters, LoRA of rank 8 on query, key and value
adds 442,368.

The transformer sees question and picture at once, so a picture cannot be encoded for several questions together:
only the patch embedding and its positions are computed once for each distinct picture of a batch.

``transformers`` draws the patches of a picture in random order, and pads pictures of different sizes with randomly
chosen blank patches, so that what a picture becomes depends on its neighbours and on the state of the random
generator. Here the patches are embedded row by row and handed over with an exact mask. All of them are used: a
``max_image_length`` in the configuration, which would draw some at random, is not heeded.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from radvqa import text
from radvqa.data.dataset import Problems
from radvqa.data.image import Pixels
from radvqa.data.store import ImageStore
from radvqa.errors import ImageError
from radvqa.models import hub, parts
from radvqa.models.classifier import PortableClassifier, Published
from radvqa.models.family import Context, VqaModel
from radvqa.models.image_processing import ImageProcessing
from radvqa.models.padding import pad
from radvqa.models.parts import Assembly, LoraOptions, Mode
from radvqa.models.seeding import seeded
from radvqa.models.vocabulary import AnswerVocabulary
from radvqa.sample import Sample
from radvqa.weights import find_weights

_KINDS = ("vilt",)
_ROWS_PER_PASS = 32  # while answering: the attention of a row holds 250 × 250 × 12 numbers
_PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")


class ViltOptions(BaseModel):
    """Options of the family, beside ``family`` in a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: str = Field("dandelin/vilt-b32-finetuned-vqa", description="ViLT: org/name or a folder.")
    image_size: int | None = Field(
        None,
        ge=16,
        le=2048,
        description="Shorter side in pixels; the aspect is kept, the longer side is at most 5/3 of it. Null is the "
        "checkpoint's own (384).",
    )
    train: dict[Literal["transformer"], Mode] = Field(
        {"transformer": "lora"},
        description="What is learned of the transformer; the classifier over the answers is always learned whole.",
    )
    lora: LoraOptions | None = Field(
        LoraOptions(r=8, alpha=32, dropout=0.05, targets=("query", "key", "value")),
        description="Where the transformer's mode is lora.",
    )
    long_questions: Literal["refuse", "cut"] = Field(
        "refuse",
        description="A question with more tokens than the checkpoint has positions (40, two of them marks) is "
        "reported as unusable, or cut and counted.",
    )


@dataclass(frozen=True)
class ViltInputs:
    """What the net indexes by row.

    Attributes:
        rows: which distinct picture each row shows, ``(rows,)``.
        keys: content keys of the distinct pictures.
        questions: tokens of each row's question.
    """

    rows: Tensor
    keys: Sequence[str]
    questions: Sequence[Sequence[int]]


class _Processing(ImageProcessing):
    """The checkpoint's own; a picture too thin to keep a row of patches is an unusable one."""

    def apply(self, pixels: Pixels) -> Pixels:
        """Resize a picture, keeping its aspect."""
        try:
            return super().apply(pixels)
        except ValueError as error:
            height, width = pixels.shape[:2]
            raise ImageError(f"A picture of {width} × {height} pixels cannot be resized for ViLT: {error}.") from None


class Vilt:
    """A ``ClassifierNet``: tokens and patches in, logits out.

    Args:
        options: of the family.
        labels: the answers, one for each class.
        seed: of the new last layer and of the low-rank additions.
    """

    def __init__(self, options: ViltOptions, labels: Sequence[str], *, seed: int) -> None:
        self.options = options
        with seeded(seed):
            self.wrapped = _trained(_pretrained(options.checkpoint, labels), options)
        self.module = Assembly(vilt=self.wrapped)
        self.model = parts.inner(self.wrapped)
        self.tokenizer = hub.tokenizer(options.checkpoint)
        self.longest = int(self.model.config.max_position_embeddings)
        changes = {"size": {"shortest_edge": options.image_size}} if options.image_size else None
        self.processing = _Processing(find_weights(options.checkpoint), changes)
        self.store = ImageStore(self.processing)
        self.cut = 0

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The transformer with its embeddings, and the classifier over the answers."""
        return _parts(self.model)

    @property
    def found_again(self) -> Mapping[str, Published]:
        """The checkpoint; the classifier is learned, so it is kept."""
        return {"vilt": Published(self.options.checkpoint, hub.digest(self.options.checkpoint))}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store; questions that are too long are reported and left out."""
        return self.store.add([sample for sample in samples if self._fits(sample, problems)], problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> ViltInputs:
        """Tokenise the questions; too long ones, where they may be cut, are counted."""
        questions = [self._tokens(sample) for sample in samples]
        self.cut += sum(len(tokens) > self.longest for tokens in questions)
        fitting = [[*tokens[:-1][: self.longest - 1], tokens[-1]] for tokens in questions]  # the end mark stays
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=self.model.device)
        return ViltInputs(rows, distinct, fitting)

    def image_rows(self, inputs: ViltInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def logits(self, inputs: ViltInputs, rows: Tensor) -> Tensor:
        """Score answers of some rows."""
        if torch.is_grad_enabled():
            return self._logits(inputs, rows)
        return torch.cat([self._logits(inputs, some) for some in torch.split(rows, _ROWS_PER_PASS)])

    def _logits(self, inputs: ViltInputs, rows: Tensor) -> Tensor:
        shown, index = torch.unique(inputs.rows[rows], return_inverse=True)
        patches, there = self._patches([inputs.keys[row] for row in shown.tolist()])
        tokens, real = pad([inputs.questions[row] for row in rows.tolist()], self.tokenizer.pad_token_id or 0)
        logits: Tensor = self.model(
            input_ids=tokens.to(rows.device),
            attention_mask=real.long().to(rows.device),
            image_embeds=self.model.vilt.embeddings.dropout(patches[index]),
            pixel_mask=there[index],
        ).logits
        return logits

    def _patches(self, keys: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Image tokens of pictures of any sizes, ``(b, n, d)``, and 1 where they are not padding, ``(b, n)``."""
        sizes: dict[tuple[int, ...], list[int]] = {}
        for place, key in enumerate(keys):
            sizes.setdefault(self.store.pixels(key).shape[:2], []).append(place)
        device = self.model.device
        found: dict[int, Tensor] = {}
        for places in sizes.values():
            values = self.processing.values(self.store, [keys[place] for place in places], device)
            found.update(zip(places, image_tokens(self.model.vilt.embeddings, values).unbind(), strict=True))
        embedded = nn.utils.rnn.pad_sequence([found[place] for place in range(len(keys))], batch_first=True)
        lengths = torch.tensor([len(found[place]) for place in range(len(keys))], device=device)
        there = torch.arange(embedded.shape[1], device=device) < lengths[:, None]
        return embedded, there.long()

    def _tokens(self, sample: Sample) -> list[int]:
        found: list[int] = self.tokenizer(sample.question, verbose=False)["input_ids"]
        return found

    def _fits(self, sample: Sample, problems: Problems) -> bool:
        if self.options.long_questions == "cut" or len(tokens := self._tokens(sample)) <= self.longest:
            return True
        problems.report(
            f"The question of {sample.source or sample.id} has {len(tokens)} tokens, but {self.options.checkpoint} "
            f"reads at most {self.longest}; model.long_questions=cut reads its beginning."
        )
        return False

    def write_adapter(self, folder: Path) -> bool:
        """Write the low-rank additions and the classifier in PEFT's own format; False when there are none."""
        if not parts.is_adapted(self.wrapped):
            return False
        parts.write_adapter(self.wrapped, folder)
        return True

    def write_merged(self, folder: Path) -> None:
        """Write a ``ViltForQuestionAnswering`` whose configuration names the answers; the net is spent."""
        parts.merge(self.wrapped).save_pretrained(folder, safe_serialization=True)
        self.tokenizer.save_pretrained(folder)
        for name in _PROCESSOR_FILES:
            if (find_weights(self.options.checkpoint) / name).is_file():
                shutil.copy(find_weights(self.options.checkpoint) / name, folder / name)


def image_tokens(embeddings: Any, values: Tensor) -> Tensor:
    """What ViLT's transformer reads of pictures of one size, row by row; the same as ``transformers``, unshuffled.

    Args:
        embeddings: of a ``ViltModel``.
        values: normalised pictures, ``(b, 3, h, w)``.

    Returns:
        the class token and the patches, with their positions but not yet their kind, ``(b, n, d)``.
    """
    map_: Tensor = embeddings.patch_embeddings(values)
    positions = embeddings.position_embeddings
    side = round((positions.shape[1] - 1) ** 0.5)
    grid = positions[:, 1:].mT.unflatten(2, (side, side))
    grid = F.interpolate(grid, size=map_.shape[2:], mode="bilinear", align_corners=True)
    patches = (map_ + grid).flatten(2).mT
    first = (embeddings.cls_token + positions[:, :1]).expand(len(values), -1, -1)
    return torch.cat([first, patches], 1)


def _parts(model: Any) -> dict[str, nn.Module]:
    return {"transformer": model.vilt, "classifier": model.classifier}


def _pretrained(name: str, labels: Sequence[str]) -> Any:
    """The checkpoint with a last layer for other answers; the layer before it is the checkpoint's."""
    from transformers import ViltForQuestionAnswering

    answers = {"id2label": dict(enumerate(labels)), "label2id": {label: k for k, label in enumerate(labels)}}
    model = hub.load(ViltForQuestionAnswering, name, _KINDS, family="vilt", new=("classifier",), changes=answers)
    last = model.classifier[-1]  # anew even where the checkpoint happens to have as many answers
    nn.init.normal_(last.weight, std=model.config.initializer_range)
    nn.init.zeros_(last.bias)
    return model


def _trained(model: Any, options: ViltOptions) -> Any:
    modes: dict[str, Mode] = {"transformer": options.train.get("transformer", "lora"), "classifier": "full"}
    return parts.set_trained(model, _parts(model), modes, options.lora, base=options.checkpoint)


class ViltClassifier(PortableClassifier[ViltInputs]):
    """A ``PortableClassifier`` that counts the questions that it cut."""

    net: Vilt

    def notes(self) -> dict[str, Any]:
        """How many questions were cut."""
        return {"questions_cut": self.net.cut}


class ViltFamily:
    """Builds ViLT models."""

    options = ViltOptions

    def build(self, options: ViltOptions, context: Context) -> VqaModel:
        """Count the training answers and build."""
        normaliser = text.normaliser_for(sample.language for sample in context.training)
        answers = AnswerVocabulary.count([sample.answer for sample in context.training], normaliser)
        return _model(options, answers, context.seed, context.device)

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        options = ViltOptions.model_validate(spec["options"])
        model = _model(options, AnswerVocabulary.from_plain(spec["answers"]), spec["seed"], device)
        model.check_found_again(spec)
        return model

    def skeleton(self, options: ViltOptions) -> nn.Module:
        """The architecture with as many answers as the checkpoint has."""
        from transformers import ViltForQuestionAnswering

        model = hub.skeleton(ViltForQuestionAnswering, options.checkpoint, _KINDS, family="vilt")
        return Assembly(vilt=_trained(model, options))


def _model(options: ViltOptions, answers: AnswerVocabulary, seed: int, device: torch.device) -> ViltClassifier:
    net = Vilt(options, [answers.spell(k) for k in range(len(answers))], seed=seed)
    net.module.to(device)
    return ViltClassifier(net, answers, options.model_dump(), {"seed": seed})


FAMILY = ViltFamily()

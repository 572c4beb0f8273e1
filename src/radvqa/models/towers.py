"""Two towers, joined: an image encoder and a text encoder, their vectors joined and classified.

Letters: ``b`` questions, ``p`` size of picture vectors, ``t`` of question vectors, ``c`` answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from radvqa import files, text
from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.errors import RecipeError, nearest
from radvqa.models import checkpoint, hub, parts, pictures, text_tower
from radvqa.models.classifier import PortableClassifier, Published
from radvqa.models.family import Context
from radvqa.models.image_processing import ImageProcessing
from radvqa.models.parts import Assembly, LoraOptions, Mode
from radvqa.models.pictures import Pictures
from radvqa.models.seeding import seeded
from radvqa.models.text_tower import Asked, TextPooling, TextSpec, TextTower
from radvqa.models.vision import Pooling, VisionSpec, VisionTower, feature_sizes
from radvqa.models.vocabulary import AnswerVocabulary
from radvqa.sample import Sample
from radvqa.weights import find_weights

_CONFIGURED = ("preprocessor_config.json", "processor_config.json")


class Trained(BaseModel):
    """What is learned of each part."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vision: Mode = Field(default="full", description="Frozen: its features are computed once for all runs.")
    text: Mode = Field(default="full", description="Frozen: a question's vector is computed once a run.")
    head: Literal["full"] = Field(
        default="full", description="What joins and classifies begins at random, so it learns."
    )


class TowersOptions(BaseModel):
    """Options that both families share, beside ``family`` in a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vision: str = Field(description="Image encoder: org/name or a folder.")
    pooling: Pooling = Field("pooler", description="How image tokens become one vector.")
    resizing: Literal["stretch", "own"] = Field(
        "stretch",
        description="Stretch pictures to the square of image_size, or resize and crop them by the checkpoint's own "
        "image processor.",
    )
    image_size: int = Field(224, ge=16, le=2048, description="Side in pixels, where pictures are stretched.")
    text: str = Field("google-bert/bert-base-uncased", description="Text encoder: org/name or a folder.")
    text_pooling: TextPooling = Field("mean", description="How token states become one vector.")
    question_tokens: int = Field(128, ge=3, description="Longest question in tokens; a longer one is an error.")
    hidden_size: int = Field(512, ge=1, description="Of the projected vectors and of the layer that joins them.")
    dropout: float = Field(0.2, ge=0, lt=1, description="After the layer that joins.")
    train: Trained = Field(Trained(), description="What is learned: frozen, lora or full.")
    lora: LoraOptions | None = Field(None, description="Of the towers whose mode is lora.")


class Joined(nn.Module):
    """Both vectors projected to one size; they and their product are classified.

    Args:
        picture: size ``p``.
        question: size ``t``.
        hidden: size of the projections.
        dropout: before the last layer.
        answers: number of classes ``c``.
    """

    def __init__(self, picture: int, question: int, hidden: int, dropout: float, answers: int) -> None:
        super().__init__()
        self.picture = nn.Sequential(nn.Linear(picture, hidden), nn.LayerNorm(hidden))
        self.question = nn.Sequential(nn.Linear(question, hidden), nn.LayerNorm(hidden))
        self.joined = nn.Sequential(nn.Linear(3 * hidden, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(dropout))
        self.answers: nn.Module = nn.Linear(hidden, answers)

    def forward(self, pictures: Tensor, questions: Tensor) -> Tensor:
        """``(b, p)`` and ``(b, t)`` → logits ``(b, c)``."""
        picture, question = self.picture(pictures), self.question(questions)
        logits: Tensor = self.answers(self.joined(torch.cat([picture, question, picture * question], 1)))
        return logits


@dataclass(frozen=True)
class TowersInputs:
    """What the net indexes by row."""

    pictures: Pictures
    questions: Asked


class Towers:
    """A ``PortableNet``: pictures and questions in, logits out.

    A picture passes a learned image encoder once for all questions about it in a batch, and a question that several
    rows ask passes the text encoder once. So a batch norm that learns counts every picture of a batch once, however
    many questions are asked about it.

    Args:
        options: of the family.
        answers: number of classes.
        seed: of initial weights.
        family: for messages.
    """

    def __init__(self, options: TowersOptions, answers: int, seed: int, *, family: str) -> None:
        self.options = options
        self.processing = _own_processing(options.vision) if options.resizing == "own" else None
        self.store = ImageStore(self.processing or Preprocessing(options.image_size))
        side = _side_of(self.processing) if self.processing else options.image_size
        with seeded(seed):
            self.vision = VisionTower(VisionSpec(options.vision, pooling=options.pooling))
            self.text = TextTower.load(_text_spec(options), family=family)
            self.module, self.head = _assembled(options, self.vision, self.text, answers, side)
        self.parts: Mapping[str, nn.Module] = dict(self.module.named_children())

    @property
    def found_again(self) -> Mapping[str, Published]:
        """The towers that are not learned whole."""
        names = {"vision": self.options.vision, "text": self.options.text}
        modes = self._modes
        return {place: Published(name, hub.digest(name)) for place, name in names.items() if modes[place] != "full"}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> TowersInputs:
        """Index pictures and questions, and compute what is frozen."""
        shown = pictures.gather(self.vision, self.store, image_keys, cached=self._modes["vision"] == "frozen")
        questions = [sample.question for sample in samples]
        return TowersInputs(shown, text_tower.gather(self.text, questions, cached=self._modes["text"] == "frozen"))

    def image_rows(self, inputs: TowersInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.pictures.rows

    def logits(self, inputs: TowersInputs, rows: Tensor) -> Tensor:
        """Score answers of some rows, ``(b, c)``."""
        shown = pictures.pooled(self.vision, self.store, inputs.pictures, rows, every_sample=False)
        logits: Tensor = self.head(shown, text_tower.pooled(self.text, inputs.questions, rows))
        return logits

    def write_adapter(self, folder: Path) -> bool:
        """Write ``vision/`` and ``text/`` as far as they were learned, and ``head.safetensors``.

        An adapted tower is written in PEFT's own format, for the checkpoint that it adapts; one that was learned whole
        in the hub's layout.
        """
        if "lora" not in self._modes.values():
            return False
        for place, mode in self._modes.items():
            if mode == "lora":
                parts.write_adapter(self._tower(place).model, folder / place)
            elif mode == "full":
                self._write_tower(place, folder / place)
        self._write_head(folder)
        return True

    def write_merged(self, folder: Path) -> None:
        """Write ``vision/`` and ``text/`` for plain ``transformers``, and ``head.safetensors``."""
        for place in self._modes:
            tower = self._tower(place)
            tower.model = parts.merge(tower.model)
            self._write_tower(place, folder / place)
        self._write_head(folder)

    @property
    def _modes(self) -> dict[str, Mode]:
        return {"vision": self.options.train.vision, "text": self.options.train.text}

    def _tower(self, place: str) -> VisionTower | TextTower:
        return self.vision if place == "vision" else self.text

    def _write_tower(self, place: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        model: Any = self._tower(place).model
        if hasattr(model, "save_pretrained"):
            model.save_pretrained(folder)
        else:  # an image encoder that ``transformers`` does not have
            _write_tensors(model, folder / "model.safetensors")
        if place == "text":
            self.text.tokenizer.save_pretrained(folder)
        elif self.processing is not None:
            self.processing.processor.save_pretrained(folder)
        else:
            files.write_json(folder / "preprocessor_config.json", _stretching(self.vision, self.options.image_size))

    def _write_head(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _write_tensors(self.head, folder / "head.safetensors")


def build(options: TowersOptions, context: Context, family: str) -> PortableClassifier[TowersInputs]:
    """Count the answers of the training samples, and load the towers."""
    normaliser = text.normaliser_for(sample.language for sample in context.training)
    answers = AnswerVocabulary.count([sample.answer for sample in context.training], normaliser)
    return _classifier(options, answers, context.seed, context.device, family)


def rebuild(
    options: TowersOptions, spec: Mapping[str, Any], device: torch.device, family: str
) -> PortableClassifier[TowersInputs]:
    """Build the model that a spec describes.

    Raises:
        WeightsError: when the pretrained weights are other ones than at training.
    """
    model = _classifier(options, AnswerVocabulary.from_plain(spec["answers"]), spec["seed"], device, family)
    model.check_found_again(spec)
    return model


def _classifier(
    options: TowersOptions, answers: AnswerVocabulary, seed: int, device: torch.device, family: str
) -> PortableClassifier[TowersInputs]:
    net = Towers(options, len(answers), seed, family=family)
    net.module.to(device)
    return PortableClassifier(net, answers, options.model_dump(mode="json"), {"seed": seed})


def skeleton(options: TowersOptions, family: str) -> nn.Module:
    """Everything that has parameters, on the meta device.

    The last layer is left out, because its size depends on the data: ``hidden_size + 1`` parameters an answer.
    """
    with torch.device("meta"):
        vision = VisionTower(VisionSpec(options.vision, pretrained=False, pooling=options.pooling))
        words = TextTower.skeleton(_text_spec(options), family=family)
        module, head = _assembled(options, vision, words, 1, options.image_size)
    head.answers = nn.Identity()
    return module


def _assembled(
    options: TowersOptions, vision: VisionTower, words: TextTower, answers: int, side: int
) -> tuple[Assembly, Joined]:
    """Choose what is learned of the towers, and put a head on them."""
    try:
        size = feature_sizes(vision, side)[2]
    except ValueError as error:
        why = " ".join(str(error).split())[:200].rstrip(".")
        raise RecipeError(
            f"{options.vision} cannot read pictures of {side} pixels: {why}. Set model.image_size."
        ) from None
    head = Joined(size, words.size, options.hidden_size, options.dropout, answers)
    towers: dict[str, VisionTower | TextTower] = {"vision": vision, "text": words}
    modes: dict[str, Mode] = {"vision": options.train.vision, "text": options.train.text}
    chosen = _lora_of({place: towers[place].model for place, mode in modes.items() if mode == "lora"}, options.lora)
    for place, tower in towers.items():
        name = tower.spec.name
        whole = {place: tower.model}
        tower.model = parts.set_trained(tower.model, whole, {place: modes[place]}, chosen.get(place), base=name)
    _freeze_what_is_not_used(vision, side)
    return Assembly(vision=vision, text=words, head=head), head


def _lora_of(adapted: Mapping[str, nn.Module], lora: LoraOptions | None) -> dict[str, LoraOptions]:
    """Give each adapted tower its own targets; two towers rarely name their layers alike.

    Raises:
        RecipeError: for a target that matches nothing, or a tower that no target matches.
    """
    if lora is None:
        return {}
    linear = {
        place: {name.rpartition(".")[2] for name, layer in tower.named_modules() if isinstance(layer, nn.Linear)}
        for place, tower in adapted.items()
    }
    every = sorted(set().union(*linear.values()))
    for target in lora.targets:
        if adapted and target not in every:
            raise RecipeError(
                f"model.lora.targets: {target!r} matches no linear layer of {' or '.join(adapted)}; "
                f"{nearest(target, every)}"
            )
    for place, names in linear.items():
        if not names.intersection(lora.targets):
            raise RecipeError(
                f"model.lora.targets: {', '.join(lora.targets)} match no linear layer of {place}, whose mode is lora; "
                f"{nearest(lora.targets[0], sorted(names)) if names else 'it has none, so let it be frozen or full.'}"
            )
    return {
        place: lora.model_copy(update={"targets": tuple(target for target in lora.targets if target in names)})
        for place, names in linear.items()
    }


def _freeze_what_is_not_used(vision: VisionTower, side: int) -> None:
    """Keep still what the picture's vector does not depend on: mask tokens, a pooler that another pooling replaces."""
    learned = [parameter for parameter in vision.parameters() if parameter.requires_grad]
    if not learned:
        return
    vision.eval()
    with torch.enable_grad():
        _, vector = vision.tokens(torch.zeros(1, side, side, 3, dtype=torch.uint8, device=vision.mean.device))
        gradients = torch.autograd.grad(vector.sum(), learned, allow_unused=True)
    for parameter, gradient in zip(learned, gradients, strict=True):
        parameter.requires_grad_(gradient is not None)


def _text_spec(options: TowersOptions) -> TextSpec:
    return TextSpec(options.text, options.text_pooling, options.question_tokens)


def _own_processing(name: str) -> ImageProcessing:
    folder = find_weights(name)
    if not any((folder / file).is_file() for file in _CONFIGURED):
        raise RecipeError(
            f"{name}: {folder} has no {_CONFIGURED[0]}, so it is unknown how its pictures are resized; set "
            f"model.resizing: stretch, or copy the file from where the checkpoint was published."
        )
    return ImageProcessing(folder)


def _side_of(processing: ImageProcessing) -> int:
    """The side of the squares that an image processor makes of pictures of any shape.

    Raises:
        RecipeError: when it makes others.
    """
    import numpy as np

    shapes = {processing.apply(np.zeros(shape, np.uint8)).shape for shape in ((64, 96, 3), (96, 64, 3))}
    (height, width, _), *others = shapes
    if others or height != width:
        raise RecipeError(
            "model.resizing=own, but this checkpoint's image processor does not make squares of one size; set "
            "model.resizing: stretch."
        )
    return int(height)


def _stretching(vision: VisionTower, side: int) -> dict[str, Any]:
    """What an image processor of ``transformers`` needs to know to do what ``Preprocessing`` and the tower do."""
    return {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": side, "width": side},
        "resample": 2,  # bilinear
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": vision.mean.flatten().tolist(),
        "image_std": vision.std.flatten().tolist(),
    }


def _write_tensors(module: nn.Module, path: Path) -> None:
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    checkpoint.write_weights(path, tensors)

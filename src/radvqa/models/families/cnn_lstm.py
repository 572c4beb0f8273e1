"""CNN-LSTM: one image vector and one question vector, side by side, classified over the training answers.

Source: seed 000 (CNN-LSTM on SLAKE). With ResNet-18 and SLAKE's 292 words and 221 answers it has 12,943,901
parameters, 1,767,389 of them trained when the backbone is frozen. What the seed did by accident is a switch, off
by default: ``batch_norm_drift`` and ``pool_over_padding``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.models import pictures
from radvqa.models.classifier import AnswerClassifier, Published
from radvqa.models.family import Context, VqaModel
from radvqa.models.pictures import Pictures
from radvqa.models.questions import QuestionEncoder, Questions
from radvqa.models.seeding import seeded
from radvqa.models.vision import VisionSpec, VisionTower, feature_sizes
from radvqa.models.vocabulary import AnswerVocabulary, WordVocabulary, count_vocabularies
from radvqa.sample import Sample


class CnnLstmOptions(BaseModel):
    """Options of the family, beside ``family`` in a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backbone: str = Field(description="Image backbone: org/name or a folder.")
    pretrained: bool = Field(True, description="Load weights; false begins from random ones.")
    backbone_config: dict[str, Any] = Field(
        default_factory=dict, description="Changes to the backbone's configuration; random weights only."
    )
    frozen: bool = Field(True, description="Keep the backbone as it is; its features are then computed once.")
    pooling: Literal["pooler", "mean", "cls", "cls+mean"] = Field(
        "pooler", description="How image tokens become one vector."
    )
    image_size: int = Field(224, ge=16, le=2048, description="Side in pixels; the aspect is not kept.")
    question_length: int = Field(32, ge=1, description="Questions are cut to this many words.")
    embedding_size: int = Field(256, ge=1, description="Of words, and of the LSTM's state in each direction.")
    image_vector_size: int = Field(256, ge=1, description="Of the projected image vector.")
    hidden_size: int = Field(512, ge=1, description="Of the classifier's hidden layer.")
    dropout: float = Field(0.2, ge=0, lt=1, description="After the image projection and the hidden layer.")
    batch_norm_drift: bool = Field(
        False,
        description="Seed 000's accident: a frozen backbone in training mode, so that its batch-norm statistics "
        "follow the batches; features then cannot be computed once. No effect on backbones without batch norm.",
    )
    pool_over_padding: bool = Field(
        False, description="Seed 000's accident: the maximum over time also sees the padding."
    )


class CnnLstmNet(nn.Module):
    """The layers of seed 000, section A3."""

    def __init__(self, options: CnnLstmOptions, vision: VisionTower, words: int, answers: int) -> None:
        super().__init__()
        self.vision = vision
        vector = options.image_vector_size
        self.image = nn.Sequential(
            nn.Linear(feature_sizes(vision, options.image_size)[2], vector),
            nn.LayerNorm(vector),
            nn.GELU(),
            nn.Dropout(options.dropout),
        )
        self.question = QuestionEncoder(words, options.embedding_size, pool_over_padding=options.pool_over_padding)
        self.classifier = nn.Sequential(
            nn.Linear(vector + self.question.output_size, options.hidden_size),
            nn.LayerNorm(options.hidden_size),
            nn.GELU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.hidden_size, answers),
        )

    def forward(self, image: Tensor, questions: Questions, rows: Tensor) -> Tensor:
        """Score answers: image vectors ``(b, p)`` and the questions of ``rows`` ``(b,)`` → logits ``(b, c)``."""
        both = torch.cat([self.image(image), self.question(questions, rows)], 1)
        logits: Tensor = self.classifier(both)
        return logits


@dataclass(frozen=True)
class CnnLstmInputs:
    """What the net indexes by row."""

    pictures: Pictures
    questions: Questions


class CnnLstm:
    """A ``ClassifierNet``: pictures and questions in, logits out."""

    def __init__(self, options: CnnLstmOptions, words: WordVocabulary, answers: int, *, seed: int) -> None:
        spec = VisionSpec(options.backbone, options.pretrained, options.pooling, options.backbone_config, seed)
        self.options, self.words = options, words
        self.vision = VisionTower(spec)
        with seeded(seed):
            self.net = CnnLstmNet(options, self.vision, len(words), answers)
        self.vision.requires_grad_(not options.frozen)
        self._drifts = options.frozen and options.batch_norm_drift and self.vision.has_batch_norm
        self.store = ImageStore(Preprocessing(options.image_size))

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self.net

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Backbone, question encoder, and what joins and classifies."""
        head = {"image_vector": self.net.image, "classifier": self.net.classifier}
        return {"vision": self.vision, "question": self.net.question, **head}

    @property
    def vision_is_cached(self) -> bool:
        """Frozen, and no batch-norm drift."""
        return self.options.frozen and not self._drifts

    @property
    def found_again(self) -> Mapping[str, Published]:
        """A pretrained backbone that nothing changes."""
        kept = self.vision_is_cached and self.options.pretrained
        return {"vision": Published(self.options.backbone, self.vision.digest())} if kept else {}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> CnnLstmInputs:
        """Index words and pictures."""
        shown = pictures.gather(self.vision, self.store, image_keys, cached=self.vision_is_cached)
        questions = [sample.question for sample in samples]
        return CnnLstmInputs(shown, Questions.encode(questions, self.words, self.vision.mean.device))

    def image_rows(self, inputs: CnnLstmInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.pictures.rows

    def logits(self, inputs: CnnLstmInputs, rows: Tensor) -> Tensor:
        """Score answers of some rows."""
        learning = not self.options.frozen and self.net.training
        statistics_count = self.vision.has_batch_norm and self.vision.training
        with torch.set_grad_enabled(learning and torch.is_grad_enabled()):
            vectors = pictures.pooled(
                self.vision, self.store, inputs.pictures, rows, every_sample=statistics_count and self._drifts
            )
        logits: Tensor = self.net(vectors, inputs.questions, rows)
        return logits


class CnnLstmFamily:
    """Builds CNN-LSTM models."""

    options = CnnLstmOptions

    def build(self, options: CnnLstmOptions, context: Context) -> VqaModel:
        """Count the vocabularies on the training samples and build."""
        words, answers = count_vocabularies(context.training, options.question_length)
        return _model(options, words, answers, context.seed, context.device)

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        options = CnnLstmOptions.model_validate(spec["options"])
        words, answers = WordVocabulary.from_plain(spec["words"]), AnswerVocabulary.from_plain(spec["answers"])
        model = _model(options, words, answers, spec["seed"], device)
        model.check_found_again(spec)
        return model


def _model(
    options: CnnLstmOptions, words: WordVocabulary, answers: AnswerVocabulary, seed: int, device: torch.device
) -> AnswerClassifier[CnnLstmInputs]:
    net = CnnLstm(options, words, len(answers), seed=seed)
    net.module.to(device)
    return AnswerClassifier(net, answers, options.model_dump(), {"words": asdict(words), "seed": seed})


FAMILY = CnnLstmFamily()

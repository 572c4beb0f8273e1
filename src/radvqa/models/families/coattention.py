"""Co-attention: the question looks at the patches of a frozen backbone, several times; answers are classes.

A stronger discriminative model of CNN-LSTM's size on the same frozen features. What the seed lists as future work
is here: text embeddings for the question, more than one image vector, regularisation, and masks and boxes as
supervision. Attention in hops follows Yang et al., Stacked Attention Networks, CVPR 2016; several heads follow
Vaswani et al., NeurIPS 2017. Keys and values are the frozen patches themselves: the key projection is moved to the
query's side (``q·(W k) = (Wᵀ q)·k``) and the value projection behind the sum, so that a step costs nothing per
patch but two products.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.models import features, places, region_head
from radvqa.models.classifier import AnswerClassifier, Published
from radvqa.models.family import Context, VqaModel
from radvqa.models.organs import Labelled
from radvqa.models.questions import QuestionEncoder, Questions
from radvqa.models.region_head import RegionHead
from radvqa.models.seeding import seeded
from radvqa.models.sentences import SentenceEncoder
from radvqa.models.views import Views, view_key
from radvqa.models.vision import VisionSpec, VisionTower, feature_sizes
from radvqa.models.vocabulary import AnswerVocabulary, WordVocabulary, count_vocabularies
from radvqa.sample import Sample

_REGION_SCALE = 3.0  # brings probabilities to the spread of standardised features


class CoattentionOptions(BaseModel):
    """Options of the family, beside ``family`` in a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backbone: str = Field(description="Frozen image backbone: org/name or a folder.")
    pretrained: bool = Field(True, description="Load weights; false begins from random ones.")
    backbone_config: dict[str, Any] = Field(
        default_factory=dict, description="Changes to the backbone's configuration; random weights only."
    )
    pooling: Literal["pooler", "mean", "cls", "cls+mean"] = Field(
        "cls+mean", description="How image tokens become the one vector beside the patches."
    )
    image_size: int = Field(224, ge=16, le=2048, description="Side in pixels; the aspect is not kept.")
    views: int = Field(0, ge=0, le=32, description="Changed copies of each training picture, computed once.")
    text_encoder: str | None = Field(
        None, description="Frozen sentence encoder whose vector joins the LSTM's; null uses none."
    )
    regions: bool = Field(False, description="Learn from the training images' masks and boxes where organs lie.")
    region_folds: int = Field(5, ge=2, description="Parts that are left out in turn while reading training images.")
    members: int = Field(1, ge=1, le=16, description="Independent nets whose probabilities are averaged.")
    question_length: int = Field(24, ge=1, description="Questions are cut to this many words.")
    embedding_size: int = Field(256, ge=1, description="Of words, and of the LSTM's state in each direction.")
    hidden_size: int = Field(384, ge=1, description="Of the joint state.")
    classifier_size: int = Field(512, ge=1, description="Of the classifier's hidden layer.")
    hops: int = Field(2, ge=1, description="Looks at the picture, each guided by the one before.")
    heads: int = Field(8, ge=1, description="Places looked at in one hop.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Everywhere between layers.")
    word_dropout: float = Field(0.1, ge=0, lt=1, description="Share of words hidden in training.")


@dataclass(frozen=True)
class Sizes:
    """Sizes that follow from the data and the frozen parts.

    Attributes:
        words: of the question vocabulary.
        sentence: of the sentence vector; 0 without one.
        patch: of a patch with everything that is laid beside it.
        picture: of the picture's one vector with everything that is laid beside it.
        answers: number of classes.
    """

    words: int
    sentence: int
    patch: int
    picture: int
    answers: int


class CoattentionNet(nn.Module):
    """One member: question and patches → logits."""

    def __init__(self, options: CoattentionOptions, sizes: Sizes) -> None:
        super().__init__()
        hidden, dropout = options.hidden_size, options.dropout
        self.heads = options.heads
        self.question = QuestionEncoder(sizes.words, options.embedding_size, word_dropout=options.word_dropout)
        read = self.question.output_size + sizes.sentence
        self.question_state = nn.Sequential(nn.LayerNorm(read), nn.Dropout(dropout), nn.Linear(read, hidden), nn.GELU())
        self.picture_state = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(sizes.picture, hidden), nn.LayerNorm(hidden), nn.GELU()
        )
        self.queries = nn.ModuleList(nn.Linear(hidden, options.heads * sizes.patch) for _ in range(options.hops))
        self.seen = nn.ModuleList(
            nn.Sequential(nn.Dropout(dropout), nn.Linear(options.heads * sizes.patch, hidden), nn.LayerNorm(hidden))
            for _ in range(options.hops)
        )
        for query in self.queries:  # begin by looking everywhere alike
            nn.init.normal_(query.weight, std=0.02)  # type: ignore[arg-type]
        self.classifier = nn.Sequential(
            nn.Linear(3 * hidden, options.classifier_size),
            nn.LayerNorm(options.classifier_size),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(options.classifier_size, sizes.answers),
        )

    def forward(
        self, questions: Questions, rows: Tensor, sentences: Tensor | None, patches: Tensor, picture: Tensor
    ) -> Tensor:
        """Score answers.

        Args:
            questions: of all rows.
            rows: wanted rows, ``(b,)``.
            sentences: sentence vectors, ``(b, t)``, or None.
            patches: ``(b, n, d)``.
            picture: ``(b, p)``.

        Returns:
            Logits, ``(b, c)``.
        """
        read = self.question(questions, rows)
        if sentences is not None:
            read = torch.cat([read, sentences], 1)
        asked = self.question_state(read)
        both = asked * self.picture_state(picture)
        state = asked + both
        batch, _, size = patches.shape
        turned = patches.transpose(1, 2)
        for query, seen in zip(self.queries, self.seen, strict=True):
            scores = torch.bmm(query(state).view(batch, self.heads, size), turned) / size**0.5
            state = state + seen(torch.bmm(scores.softmax(-1), patches).flatten(1))
        logits: Tensor = self.classifier(torch.cat([state, asked, both], 1))
        return logits


class CoattentionModule(nn.Module):
    """Everything with parameters: the frozen backbone, the region head, the statistics and the members."""

    patch_mean: Tensor
    patch_spread: Tensor
    picture_mean: Tensor
    picture_spread: Tensor

    def __init__(
        self, options: CoattentionOptions, vision: VisionTower, regions: RegionHead | None, sizes: Sizes
    ) -> None:
        super().__init__()
        self.vision = vision
        self.regions = regions
        self.members = nn.ModuleList(CoattentionNet(options, sizes) for _ in range(options.members))
        _, patch, picture = feature_sizes(vision, options.image_size)
        for name, size in (("patch", patch), ("picture", picture)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_spread", torch.ones(size))


@dataclass(frozen=True)
class CoattentionInputs:
    """What the net indexes by row.

    Attributes:
        questions: of all rows.
        sentences: vector of each distinct question, ``(distinct, t)``, or None.
        rows: which distinct picture each row shows, ``(rows,)``.
        patches: of each picture and view, half precision, ``(pictures, 1 + views, n, d)``.
        pictures: ``(pictures, 1 + views, p)``.
    """

    questions: Questions
    sentences: Tensor | None
    rows: Tensor
    patches: Tensor
    pictures: Tensor


class Coattention:
    """A ``ClassifierNet``: pictures and questions in, logits of every member out."""

    def __init__(
        self, options: CoattentionOptions, words: WordVocabulary, answers: int, labels: Sequence[str], seed: int
    ) -> None:
        self.options, self.words, self.labels = options, words, tuple(labels)
        spec = VisionSpec(options.backbone, options.pretrained, options.pooling, options.backbone_config, seed)
        self.vision = VisionTower(spec).requires_grad_(False)
        self.store = ImageStore(Preprocessing(options.image_size))
        self.views = Views(self.store)
        self.sentences = SentenceEncoder(options.text_encoder) if options.text_encoder else None
        tokens, patch, picture = feature_sizes(self.vision, options.image_size)
        self.side = round(tokens**0.5)
        sizes = Sizes(
            words=len(words),
            sentence=self.sentences.size if self.sentences else 0,
            patch=patch + len(self.labels) + places.WIDTH,
            picture=picture + 2 * len(self.labels),
            answers=answers,
        )
        with seeded(seed):
            regions = RegionHead(patch, self.side, len(self.labels)) if self.labels else None
            if regions is not None:
                regions.requires_grad_(False)
            self.net = CoattentionModule(options, self.vision, regions, sizes)
        self._out_of_fold: dict[str, Tensor] = {}
        self._learned_from: set[str] = set()

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Backbone, members, and the readers of organs where there are any."""
        regions = {"regions": self.net.regions} if self.net.regions is not None else {}
        return {"vision": self.vision, "members": self.net.members, **regions}

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self.net

    @property
    def found_again(self) -> Mapping[str, Published]:
        """The backbone, which is frozen, where it is pretrained."""
        pretrained = self.options.pretrained
        return {"vision": Published(self.options.backbone, self.vision.digest())} if pretrained else {}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.store.add(samples, problems)

    def learn_statistics(self, keys: Sequence[str]) -> None:
        """Measure mean and spread of the training pictures' features, to standardise with."""
        self._learned_from = set(keys)
        computed = features.compute(self.vision, self.views, keys, tokens=True)
        patches = computed.tokens.float().flatten(0, 1)
        for name, values in (("patch", patches), ("picture", computed.pooled)):
            getattr(self.net, f"{name}_mean").copy_(values.mean(0))
            getattr(self.net, f"{name}_spread").copy_(values.std(0).clamp(min=1e-4))

    def learn_regions(self, keys: Sequence[str], targets: Tensor, seed: int) -> None:
        """Learn where organs lie, and keep out-of-fold readings of the training pictures and their views."""
        if self.net.regions is None:
            return
        sources = [self._standard_patches([view_key(key, v) for key in keys]) for v in range(1 + self.options.views)]
        head, read = region_head.out_of_fold(sources[0], targets, sources[1:], self.options.region_folds, seed)
        self.net.regions.load_state_dict(head.state_dict())
        for number, probabilities in enumerate(read):
            for key, reading in zip(keys, probabilities, strict=True):
                self._out_of_fold[view_key(key, number)] = reading

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> CoattentionInputs:
        """Index words and compute everything that is frozen.

        Views are kept for the pictures that the model was built to learn from, and for no others.
        """
        device = self.net.patch_mean.device
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=device)
        learned = self.options.views > 0 and self._learned_from.issuperset(distinct)
        numbers = range(1 + self.options.views) if learned else range(1)
        patches, pictures = zip(*(self._laid_out([view_key(key, v) for key in distinct]) for v in numbers), strict=True)
        questions = Questions.encode([sample.question for sample in samples], self.words, device)
        asked = list(dict.fromkeys(sample.question for sample in samples))
        sentences = self.sentences.encode(asked).to(device) if self.sentences else None
        return CoattentionInputs(questions, sentences, rows, torch.stack(patches, 1), torch.stack(pictures, 1))

    def image_rows(self, inputs: CoattentionInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def logits(self, inputs: CoattentionInputs, rows: Tensor) -> Tensor:
        """Score answers with every member, ``(members, b, c)``; in training each row shows a random view."""
        shown = inputs.rows[rows]
        views = inputs.patches.shape[1] if self.net.training else 1
        view = torch.randint(0, views, shown.shape, device=shown.device)
        patches, pictures = inputs.patches[shown, view].float(), inputs.pictures[shown, view]
        sentences = inputs.sentences[inputs.questions.rows[rows]] if inputs.sentences is not None else None
        return torch.stack(
            [member(inputs.questions, rows, sentences, patches, pictures) for member in self.net.members]
        )

    def _standard_patches(self, keys: Sequence[str]) -> Tensor:
        """Standardised patches of pictures or views, ``(m, n, d)``."""
        tokens = features.compute(self.vision, self.views, keys, tokens=True).tokens.float()
        return (tokens.to(self.net.patch_mean.device) - self.net.patch_mean) / self.net.patch_spread

    def _laid_out(self, keys: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Patches and pictures with region readings and places beside them, half precision for the patches."""
        device = self.net.patch_mean.device
        pooled = features.compute(self.vision, self.views, keys, tokens=True).pooled.to(device)
        pictures = (pooled - self.net.picture_mean) / self.net.picture_spread
        patches = self._standard_patches(keys)
        where = places.waves(self.side).to(device).expand(len(keys), -1, -1)
        if self.net.regions is None:
            return torch.cat([patches, where], 2).half(), pictures
        read = self.net.regions.probabilities(patches)
        for row, key in enumerate(keys):
            if key in self._out_of_fold:
                read[row] = self._out_of_fold[key]
        summary = torch.cat([read.amax(1), 4 * read.mean(1)], 1) * _REGION_SCALE
        return torch.cat([patches, read.sqrt() * _REGION_SCALE, where], 2).half(), torch.cat([pictures, summary], 1)


class CoattentionFamily:
    """Builds co-attention models."""

    options = CoattentionOptions

    def build(self, options: CoattentionOptions, context: Context) -> VqaModel:
        """Count vocabularies, measure features and learn regions on the training samples, and build."""
        words, answers = count_vocabularies(context.training, options.question_length)
        labelled = Labelled.of(context) if options.regions else None
        net = Coattention(options, words, len(answers), labelled.labels if labelled else (), context.seed)
        net.module.to(context.device)
        shown: dict[tuple[str, str], Sample] = {}
        for sample in context.training:
            shown.setdefault((sample.dataset, sample.image), sample)
        known = net.image_keys(list(shown.values()), context.problems)
        net.learn_statistics(list(dict.fromkeys(known.values())))
        if labelled is not None and labelled.labels:
            keys, targets = labelled.targets(known, net.side)
            net.learn_regions(keys, targets.to(context.device), context.seed)
        return _classifier(net, answers, context.seed)

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes."""
        options = CoattentionOptions.model_validate(spec["options"])
        answers = AnswerVocabulary.from_plain(spec["answers"])
        words = WordVocabulary.from_plain(spec["words"])
        net = Coattention(options, words, len(answers), spec["labels"], spec["seed"])
        net.module.to(device)
        model = _classifier(net, answers, spec["seed"])
        model.check_found_again(spec)
        return model


def _classifier(net: Coattention, answers: AnswerVocabulary, seed: int) -> AnswerClassifier[CoattentionInputs]:
    extra = {"words": asdict(net.words), "labels": list(net.labels), "seed": seed}
    return AnswerClassifier(net, answers, net.options.model_dump(), extra)


FAMILY = CoattentionFamily()

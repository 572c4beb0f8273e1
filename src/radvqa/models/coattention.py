"""Everything that co-attention is given, computed once: standardised patches, readings of organs, places, questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.models import features, places, region_head
from radvqa.models.classifier import Published
from radvqa.models.coattention_net import CoattentionNet, CoattentionOptions, Sizes
from radvqa.models.family import Context
from radvqa.models.organs import Labelled
from radvqa.models.questions import Questions
from radvqa.models.region_head import RegionHead
from radvqa.models.seeding import seeded
from radvqa.models.sentences import SentenceEncoder
from radvqa.models.views import Views, view_key
from radvqa.models.vision import VisionSpec, VisionTower, feature_sizes
from radvqa.models.vocabulary import WordVocabulary
from radvqa.sample import Sample

_REGION_SCALE = 3.0  # brings probabilities to the spread of standardised features


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

    def some(self, rows: Tensor, *, changed: bool) -> tuple[Tensor | None, Tensor, Tensor]:
        """Sentence vectors ``(b, t)``, patches ``(b, n, d)`` and pictures ``(b, p)`` of some rows.

        Args:
            rows: wanted ones.
            changed: show a random view of each picture instead of the picture.
        """
        shown = self.rows[rows]
        view = torch.randint(0, self.patches.shape[1] if changed else 1, shown.shape, device=shown.device)
        sentences = self.sentences[self.questions.rows[rows]] if self.sentences is not None else None
        return sentences, self.patches[shown, view].float(), self.pictures[shown, view]


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
        self.sizes = sizes = Sizes(
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
        learned, read = region_head.learned(sources[0], targets, sources[1:], self.options.region_folds, seed)
        self.net.regions.load_state_dict(learned)
        for number, probabilities in enumerate(read):
            for key, reading in zip(keys, probabilities, strict=True):
                self._out_of_fold[view_key(key, number)] = reading

    def encode(
        self, samples: Sequence[Sample], image_keys: Sequence[str], texts: Sequence[str] | None = None
    ) -> CoattentionInputs:
        """Index words and compute everything that is frozen; ``texts`` are read instead of the questions.

        Views are kept for the pictures that the model was built to learn from, and for no others.
        """
        texts = [sample.question for sample in samples] if texts is None else texts
        device = self.net.patch_mean.device
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=device)
        learned = self.options.views > 0 and self._learned_from.issuperset(distinct)
        numbers = range(1 + self.options.views) if learned else range(1)
        patches, pictures = zip(*(self._laid_out([view_key(key, v) for key in distinct]) for v in numbers), strict=True)
        questions = Questions.encode(texts, self.words, device)
        asked = list(dict.fromkeys(texts))
        sentences = self.sentences.encode(asked).to(device) if self.sentences else None
        return CoattentionInputs(questions, sentences, rows, torch.stack(patches, 1), torch.stack(pictures, 1))

    def image_rows(self, inputs: CoattentionInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def logits(self, inputs: CoattentionInputs, rows: Tensor) -> Tensor:
        """Score answers with every member, ``(members, b, c)``; in training each row shows a random view."""
        given = inputs.some(rows, changed=self.net.training)
        return torch.stack([member(inputs.questions, rows, *given) for member in self.net.members])

    def _standard_patches(self, keys: Sequence[str]) -> Tensor:
        """Standardised patches of pictures or views, ``(m, n, d)``."""
        return self._standard(features.compute(self.vision, self.views, keys, tokens=True).tokens)

    def _standard(self, tokens: Tensor) -> Tensor:
        return (tokens.to(self.net.patch_mean.device).float() - self.net.patch_mean) / self.net.patch_spread

    def _laid_out(self, keys: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Patches and pictures with region readings and places beside them, half precision for the patches."""
        computed = features.compute(self.vision, self.views, keys, tokens=True)
        patches, pictures = self.lay_out(computed.tokens, computed.pooled, [self._out_of_fold.get(key) for key in keys])
        return patches.half(), pictures

    def lay_out(
        self, tokens: Tensor, pooled: Tensor, known: Sequence[Tensor | None] = (), *, differentiable: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Standardise what the backbone found, and lay readings of organs and places beside it.

        Args:
            tokens: patches of pictures, ``(m, n, d)``.
            pooled: of the pictures, ``(m, p)``.
            known: readings that are taken instead of the head's own, picture by picture.
            differentiable: let gradients flow through the readings, to explain an answer.
        """
        device = self.net.patch_mean.device
        pictures = (pooled.to(device) - self.net.picture_mean) / self.net.picture_spread
        patches = self._standard(tokens)
        where = places.waves(self.side).to(device).expand(len(patches), -1, -1)
        if self.net.regions is None:
            return torch.cat([patches, where], 2), pictures
        read = self.net.regions.probabilities(patches, differentiable=differentiable)
        for row, reading in enumerate(known):
            if reading is not None:
                read[row] = reading
        summary = torch.cat([read.amax(1), 4 * read.mean(1)], 1) * _REGION_SCALE
        return torch.cat([patches, read.sqrt() * _REGION_SCALE, where], 2), torch.cat([pictures, summary], 1)


def learn(seeing: Coattention, labelled: Labelled | None, context: Context) -> None:
    """Measure the training pictures, and learn where organs lie in them.

    Args:
        seeing: in place.
        labelled: training pictures that tell where organs lie; None without.
        context: of training.
    """
    shown: dict[tuple[str, str], Sample] = {}
    for sample in context.training:
        shown.setdefault((sample.dataset, sample.image), sample)
    known = seeing.image_keys(list(shown.values()), context.problems)
    seeing.learn_statistics(list(dict.fromkeys(known.values())))
    if labelled is not None and labelled.labels:
        keys, targets = labelled.targets(known, seeing.side)
        seeing.learn_regions(keys, targets.to(context.device), context.seed)

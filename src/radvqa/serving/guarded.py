"""What the service allows: see ``radvqa.guarding``."""

from radvqa.guarding.rules import Rules
from radvqa.serving.settings import Settings

STREAMS = ("/api/pictures",)
"""Doors that take a file as it is, and limit it themselves."""

_OF_PICTURES = 3  # bytes of JSON for two bytes of a picture in base64, and the rest


def rules(settings: Settings) -> Rules:
    """Turn settings into rules."""
    limits = settings.limits
    return Rules(
        names=settings.hosts,
        token=settings.token,
        sign_in=True,
        open=("/page/icon.svg",),
        bodies={"/v1/": limits.picture_bytes * _OF_PICTURES // 2},
        streams=STREAMS,
        per_minute=limits.per_minute,
        free=("/page/",),
    )

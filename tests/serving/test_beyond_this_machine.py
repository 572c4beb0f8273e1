"""Where other machines reach the service, a token is demanded and requests are limited."""

from dataclasses import replace

import pytest

from radvqa.commands.serve import PER_MINUTE, beyond
from radvqa.errors import RadvqaError
from radvqa.serving.settings import Limits, Settings

TOKEN = "a secret of enough letters"


def test_requests_are_limited_unless_a_number_is_set() -> None:
    settings = Settings(token=TOKEN)
    assert settings.limits.per_minute == 0
    assert beyond(settings, "0.0.0.0").limits.per_minute == PER_MINUTE
    own = replace(settings, limits=Limits(per_minute=7))
    assert beyond(own, "0.0.0.0").limits.per_minute == 7


@pytest.mark.parametrize("token", ["", "short"])
def test_a_token_is_demanded(token: str) -> None:
    with pytest.raises(RadvqaError, match="secret of at least 16 letters"):
        beyond(Settings(token=token), "192.0.2.1")


def test_its_own_names_are_known() -> None:
    assert "192.0.2.1" in beyond(Settings(token=TOKEN), "192.0.2.1").hosts

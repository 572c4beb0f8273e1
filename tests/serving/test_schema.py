"""Every door of a real service keeps what its OpenAPI description promises, whatever it is sent."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from radvqa.data import registry
from service import Service, service

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 20  # of each door


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("schema")) as one:
        yield one


def test_every_door_keeps_its_promises(served: Service) -> None:
    schema: Any = schemathesis.openapi.from_url(f"{served.address}/api/openapi.json")
    doors: list[Any] = [found.ok() for found in schema.get_all_operations()]
    assert len(doors) >= 5
    for door in doors:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(*(door.as_strategy(generation_mode=mode) for mode in GenerationMode)))
        def keeps_its_promises(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        keeps_its_promises()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["starter", "starter:guess"])
def test_answers_are_as_described(served: Service, model: str, stream: bool) -> None:
    shown = registry.load_split("phantom:mini", "test")[0]
    url = f"data:image/png;base64,{base64.b64encode(shown.image_path.read_bytes()).decode()}"
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": shown.question}]
    body: Any = {"model": model, "messages": [{"role": "user", "content": parts}], "stream": stream, "logprobs": True}
    schema: Any = schemathesis.openapi.from_url(f"{served.address}/api/openapi.json")
    response = schema["/v1/chat/completions"]["POST"].Case(body=body).call_and_validate(checks=CHECKS)
    assert response.status_code == 200


def test_every_door_says_how_it_refuses(served: Service) -> None:
    with served.client() as http:
        paths = http.get("/api/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method, door in methods.items():
            declared = set(door["responses"])
            assert declared >= {"401", "404", "413", "429"}, f"{method} {path}"
            shown = str(door["responses"]["404"]["content"]["application/json"]["schema"])
            assert ("Refused" if path.startswith("/v1/") else "Refusal") in shown, f"{method} {path}"

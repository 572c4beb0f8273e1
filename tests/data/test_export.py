"""Exports read back: nothing is lost, pictures are the same bytes, and the tools that they are for read them."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from radvqa import files
from radvqa.commands.export import export
from radvqa.data.dataset import Facts, Problems, Split, Version
from radvqa.data.export.folder import read_export, write_export
from radvqa.data.export.format import FORMATS
from radvqa.data.export.pictures import Images
from radvqa.data.export.prompt import prompt
from radvqa.data.registry import load
from radvqa.errors import DataError
from radvqa.report.fetch import show_export
from radvqa.sample import Sample

ALL = ["hf", "jsonl", "llava"]
VERSION = Version("the only one", {"train": Split(1, 1)}, warning="It leaks.")
FACTS = Facts(
    title="A made-up set: of pictures",
    source="A. Author, 2020",
    licence="CC BY 4.0",
    folder="made_up",
    default="v1",
    versions={"v1": VERSION},
    notes=("A trap.",),
    citation="Author et al., 2020",
    address="https://data.example.org/page",
    terms="No commercial use.",
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two pictures, and bytes that no decoder takes, which an export must not mind."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, colour in enumerate(("white", "red")):
        Image.new("RGB", (7, 5), colour).save(folder / f"{number}.png")
    (folder / "2.jpg").write_bytes(bytes(range(256)) * 9)
    return sorted(folder.iterdir())


def sample(path: Path, number: int = 0, **changes: Any) -> Sample:
    made = Sample(
        id=f"made_up/v1/train/{number}",
        dataset="made_up:v1",
        split="train",
        image=path.name,
        image_path=path,
        question="Is there a mass?",
        answer="Yes",
        answer_type="CLOSED",
    )
    return dataclasses.replace(made, **changes)


def write(samples: Sequence[Sample], folder: Path, format_: str, images: Images = "copy") -> dict[str, Any]:
    return write_export(samples, folder, name="made_up:v1", facts=FACTS, version=VERSION, format=format_, images=images)


def assert_the_same(samples: Sequence[Sample], folder: Path) -> None:
    back = list(read_export(folder))
    in_splits = [s for split in dict.fromkeys(s.split for s in samples) for s in samples if s.split == split]
    assert len(back) == len(in_splits)
    for ours, theirs in zip(in_splits, back, strict=True):
        assert dataclasses.replace(theirs.sample, image_path=ours.image_path) == ours
        assert theirs.picture() == ours.image_path.read_bytes()


def test_the_formats_are_those_of_the_folder() -> None:
    assert list(FORMATS) == ALL


text = st.text(max_size=30) | st.sampled_from(
    ["مرحبا", "שלום\u200f!", "🫁👩🏽‍⚕️", "a\x00b", "\u2028\u2029\x85", "<image>", "\r\n", '"],{', "NaN", " "]
)


@st.composite
def rows(draw: st.DrawFn, paths: Sequence[Path]) -> list[Sample]:
    made = []
    for number in range(draw(st.integers(1, 6))):
        texts = {
            name: draw(text)
            for name in (
                *("question", "answer", "question_type", "language", "case", "organ"),
                *("modality", "twin", "context", "source", "dataset"),
            )
        }
        path = draw(st.sampled_from(list(paths)))
        made.append(
            sample(
                path,
                number,
                id=f"{number}{draw(text)}",
                split=draw(st.sampled_from(["train", "validate", "a split/1", "A_split_1", "../x"]) | text),
                image=draw(st.sampled_from([path.name, "x/y.png", "x", "../../etc/passwd", "/etc/x"]) | text),
                answer_type=draw(st.sampled_from(["OPEN", "CLOSED"])),
                task=draw(st.sampled_from(["vqa", "choice", "caption"])),
                options=tuple(draw(st.lists(text, max_size=4))),
                **texts,
            )
        )
    return made


@pytest.mark.parametrize("images", ["copy", "reference"])
@pytest.mark.parametrize("format_", ALL)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_round_trip_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, pictures: list[Path], format_: str, images: Images, data: st.DataObject
) -> None:
    made = data.draw(rows(pictures))
    folder = tmp_path_factory.mktemp("export") / "out"
    write(made, folder, format_, images)
    assert_the_same(made, folder)
    assert all(path.resolve().is_relative_to(folder) for path in folder.rglob("*"))
    assert not list(folder.parent.glob("*.jpg")), "nothing is written beside the export"


@pytest.mark.parametrize("format_", ALL)
def test_a_megabyte_of_text_comes_back(tmp_path: Path, pictures: list[Path], format_: str) -> None:
    long = "הריאות 🫁 " * 60_000
    assert len(long.encode()) > 2**20
    made = [sample(pictures[0], n, context=long, question=f"{n}{long}", options=(long, "b")) for n in range(3)]
    write(made, tmp_path / "out", format_)
    assert_the_same(made, tmp_path / "out")


@pytest.mark.parametrize("format_", ALL)
def test_a_data_set_comes_back_and_its_card_names_the_licence(
    tmp_path: Path, mini_slake: Path, format_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = export("slake:en", tmp_path / "out", format=format_)
    assert_the_same(load("slake:en"), tmp_path / "out")
    assert result["splits"] == {"train": 24, "validate": 12, "test": 12}
    assert (result["rows"], result["pictures"]) == (48, 12)
    show_export(result)
    said = capsys.readouterr().out
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for part in ("CC BY 4.0", "SLAKE"):
        assert part in card
    assert "Licence: CC BY 4.0" in said
    assert "| validate | 12 |" in card


def test_one_split_is_exported_alone(tmp_path: Path, mini_slake: Path) -> None:
    assert export("slake", tmp_path / "out", split="test", format="jsonl")["splits"] == {"test": 12}
    assert {one.sample.split for one in read_export(tmp_path / "out")} == {"test"}


def test_the_card_says_what_must_be_known(tmp_path: Path, pictures: list[Path]) -> None:
    write([sample(pictures[0])], tmp_path / "out", "hf", "reference")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["license_name"] == "CC BY 4.0"
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "data/train.parquet"}]
    for part in (
        "- Terms: No commercial use.",
        "- Cite: Author et al., 2020",
        "- Source: https://data.example.org/page",
        "It leaks.",
        "A trap.",
        "Pictures are not copied",
        "For research only, not for diagnosis.",
    ):
        assert part in card


LOADS = """
import json, sys
from datasets import Image, load_dataset
files = json.loads(sys.argv[1])
found = load_dataset("parquet", data_files=files)
raw = {s: rows.cast_column("images", [Image(decode=False)]) for s, rows in found.items()}
print(json.dumps({s: [
    [r["id"], r["messages"], list(r["images"][0].size), r["images"][0].mode, raw[s][n]["images"][0]["bytes"].hex(),
     r["options"], r["context"]]
    for n, r in enumerate(rows)] for s, rows in found.items()}))
"""


def test_hf_datasets_loads_the_parquet_without_a_network(
    tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [
        sample(pictures[0], 0),
        sample(pictures[1], 1, split="test", task="choice", options=("a", "b"), answer="b", context="Fever."),
    ]
    write(made, tmp_path / "out", "hf")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    named = {split: str(tmp_path / "out" / "data" / f"{split}.parquet") for split in ("train", "test")}
    done = subprocess.run(
        [sys.executable, "-c", LOADS, json.dumps(named)], capture_output=True, text=True, check=True, timeout=240
    )

    def turns(question: str, answer: str) -> list[dict[str, Any]]:
        asked = [{"type": "image", "text": None}, {"type": "text", "text": question}]
        return [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": [{"type": "text", "text": answer}]},
        ]

    bytes_of = [path.read_bytes().hex() for path in pictures]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "train": [[made[0].id, turns("Is there a mass?", "Yes"), [7, 5], "RGB", bytes_of[0], [], ""]],
        "test": [
            [
                made[1].id,
                turns("Fever.\nIs there a mass?\nA. a\nB. b", "b"),
                [7, 5],
                "RGB",
                bytes_of[1],
                ["a", "b"],
                "Fever.",
            ]
        ],
    }


def test_llava_rows_are_as_its_training_reads_them(tmp_path: Path, pictures: list[Path]) -> None:
    made = [sample(pictures[0], image="xmlab0/source.png"), sample(pictures[1], 1, question="", task="caption")]
    write(made, tmp_path / "out", "llava")
    first, second = json.loads((tmp_path / "out" / "train.json").read_text(encoding="utf-8"))
    assert {key: first[key] for key in ("id", "image", "conversations")} == {
        "id": "made_up/v1/train/0",
        "image": "images/xmlab0/source.png",
        "conversations": [
            {"from": "human", "value": "<image>\nIs there a mass?"},
            {"from": "gpt", "value": "Yes"},
        ],
    }
    assert second["conversations"][0]["value"] == "<image>\nDescribe the image."
    assert (tmp_path / "out" / first["image"]).read_bytes() == pictures[0].read_bytes()


def test_choices_have_letters_as_long_as_there_are_some(pictures: list[Path]) -> None:
    many = tuple(f"o{n}" for n in range(len(ascii_uppercase) + 1))
    assert prompt(sample(pictures[0], options=many[:-1])).endswith("Y. o24\nZ. o25")
    assert prompt(sample(pictures[0], options=many)).endswith("26. o25\n27. o26")


@pytest.mark.parametrize("format_", ["jsonl", "llava"])
def test_a_picture_is_copied_once_and_two_of_one_name_stay_two(
    tmp_path: Path, pictures: list[Path], format_: str
) -> None:
    made = [sample(pictures[n % 2], n, image="same.png") for n in range(4)]
    assert write(made, tmp_path / "out", format_)["pictures"] == 2
    assert len(list((tmp_path / "out" / "images").iterdir())) == 2
    assert_the_same(made, tmp_path / "out")


def test_parquet_keeps_a_picture_once_for_the_rows_that_show_it(tmp_path: Path) -> None:
    noise = Image.effect_noise((600, 600), 90)
    noise.save(tmp_path / "noise.png")
    made = [sample(tmp_path / "noise.png", n) for n in range(20)]
    write(made, tmp_path / "out", "hf")
    size = (tmp_path / "noise.png").stat().st_size
    assert size < (tmp_path / "out" / "data" / "train.parquet").stat().st_size < 2 * size
    assert_the_same(made, tmp_path / "out")


@pytest.mark.parametrize("images", ["copy", "reference"])
def test_references_leave_the_pictures_where_they_are(tmp_path: Path, pictures: list[Path], images: Images) -> None:
    write([sample(pictures[0])], tmp_path / "out", "jsonl", images)
    (back,) = read_export(tmp_path / "out")
    assert (back.sample.image_path == pictures[0]) is (images == "reference")
    assert (tmp_path / "out" / "images").exists() is (images == "copy")


def test_a_folder_that_exists_is_refused(tmp_path: Path, pictures: list[Path]) -> None:
    with pytest.raises(DataError, match="exists; name a folder that does not"):
        write([sample(pictures[0])], tmp_path, "hf")


def test_what_cannot_be_exported_says_so(tmp_path: Path, pictures: list[Path]) -> None:
    out = tmp_path / "out"
    with pytest.raises(DataError, match=r"no format 'lava'; did you mean 'llava'\?"):
        write([sample(pictures[0])], out, "lava")
    with pytest.raises(DataError, match="known: copy, reference"):
        write([sample(pictures[0])], out, "hf", "move")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no rows to export"):
        write([], out, "hf")
    with pytest.raises(DataError, match=r"'answer' holds half of a surrogate pair at character 1"):
        write([sample(pictures[0], answer="a\ud83e")], out, "jsonl")
    with pytest.raises(DataError, match=r"rows.json, row 3: the picture .*gone.png is missing"):
        write([sample(tmp_path / "gone.png", source="rows.json, row 3")], out, "hf")
    assert not out.exists()


def test_rows_without_a_picture_are_left_out_when_asked(tmp_path: Path, pictures: list[Path]) -> None:
    made, problems = [sample(pictures[0]), sample(tmp_path / "gone.png", 1)], Problems(skip=True)
    result = write_export(made, tmp_path / "out", name="made_up:v1", facts=FACTS, version=VERSION, problems=problems)
    assert (result["rows"], len(problems.found)) == (1, 1)
    assert_the_same(made[:1], tmp_path / "out")


@pytest.mark.parametrize("format_", ALL)
def test_a_damaged_export_is_not_read(tmp_path: Path, pictures: list[Path], format_: str) -> None:
    folder = tmp_path / "out"
    write([sample(pictures[0], n) for n in range(3)], folder, format_)
    file = folder / json.loads((folder / "export.json").read_text())["parts"][0]["file"]
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=file.name):
        list(read_export(folder))
    file.unlink()
    with pytest.raises(DataError, match="does not exist"):
        list(read_export(folder))


def test_rows_that_went_missing_or_were_bent_are_noticed(tmp_path: Path, pictures: list[Path]) -> None:
    folder = tmp_path / "out"
    write([sample(pictures[0], n) for n in range(3)], folder, "jsonl")
    lines = (folder / "train.jsonl").read_text().splitlines()
    (folder / "train.jsonl").write_text("\n".join(lines[:2]) + "\n")
    with pytest.raises(DataError, match="holds 2 rows where 3 were written"):
        list(read_export(folder))
    for key, value in (("answer", 3), ("task", "else"), ("options", [1]), ("picture", None)):
        (folder / "train.jsonl").write_text(json.dumps({**json.loads(lines[0]), key: value}) + "\n")
        with pytest.raises(DataError, match=rf"row 1: '{key}' must be"):
            list(read_export(folder))
    files.write_json(folder / "export.json", {"version": 1})
    with pytest.raises(DataError, match="is not what `radvqa data export` writes"):
        list(read_export(folder))


def test_parquet_says_what_it_needs(tmp_path: Path, pictures: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"needs pyarrow, which is not installed: pip install 'radvqa\[parquet\]'"):
        write([sample(pictures[0])], tmp_path / "out", "hf")
    assert not (tmp_path / "out").exists()


PEAK = """
import resource, sys
from pathlib import Path
from radvqa.data.dataset import Facts, Version
from radvqa.data.export.folder import write_export
from radvqa.sample import Sample
rows, folder, format_ = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
picture = [folder / f"p{n}.bin" for n in range(50)]
for n, path in enumerate(picture):
    path.write_bytes(bytes([n]) * 200_000)
made = [Sample(f"id/{n}", "d:v", "train", picture[n % 50].name, picture[n % 50], f"q{n}?", "a", "OPEN")
        for n in range(rows)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
version = Version("v", {})
facts = Facts("t", "s", "l", "", "v", {"v": version})
write_export(made, folder / "out", name="d:v", facts=facts, version=version, format=format_)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("format_", ALL)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, format_: str) -> None:
    """20,000 rows show 4 GB of pictures; less than a tenth of that is ever held."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, "20000", str(tmp_path), format_], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < 400 * 2**20


@pytest.mark.real_data
@pytest.mark.parametrize("format_", ALL)
def test_vqa_rad_comes_back(tmp_path: Path, format_: str) -> None:
    export("vqa_rad", tmp_path / "out", format=format_)
    assert_the_same(load("vqa_rad"), tmp_path / "out")

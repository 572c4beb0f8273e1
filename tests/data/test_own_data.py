"""A user's own data: one YAML file, any table, and a sentence for every mistake."""

import importlib
import io
import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import own_data
from radvqa import fingerprint
from radvqa.commands.data import check_data, explain_data, require_ok
from radvqa.commands.leaks import leaks
from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.data.own.sides import side
from radvqa.errors import DataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with ``mine.yaml``, eight pictures and sixteen questions."""
    place = tmp_path / "work"
    own_data.made(place)
    monkeypatch.chdir(place)
    return place


def message(name: str = "mine.yaml") -> str:
    with pytest.raises(DataError) as raised:
        registry.load(name)
    return str(raised.value)


def test_a_row_becomes_a_sample(folder: Path) -> None:
    samples = registry.load("mine.yaml")
    assert Counter(sample.split for sample in samples) == {"train": 8, "validate": 4, "test": 4}
    sample = samples[1]
    assert (sample.id, sample.dataset) == ("mine/table/train/2", "mine:table")
    assert (sample.image, sample.image_path) == ("scan00.png", Path("pictures/scan00.png"))
    assert (sample.question, sample.answer, sample.answer_type) == ("Is this a CT?", "Yes", "CLOSED")
    assert (sample.case, sample.language, sample.task) == ("p0", "en", "vqa")
    assert sample.source == "questions.csv, line 3"
    assert samples[0].answer_type == "OPEN"


def test_the_path_stands_wherever_a_name_does(folder: Path) -> None:
    selection = registry.select("mine.yaml")
    assert (selection.name, selection.place, selection.file) == ("mine:table", "mine.yaml", Path("mine.yaml"))
    assert {split: (s.rows, s.images) for split, s in selection.version.splits.items()} == {
        "train": (8, 4),
        "validate": (4, 2),
        "test": (4, 2),
    }
    assert len(registry.load_split("mine.yaml", "test")) == 4
    assert registry.regions("mine.yaml", "scan00.png") == []
    assert check_data("mine.yaml")["ok"]
    assert explain_data("mine.yaml")["name"] == "mine"
    found = leaks(["mine.yaml"])
    assert [part["name"] for part in found["parts"]] == ["mine:table train", "mine:table validate", "mine:table test"]
    assert registry.load(str(folder / "mine.yaml"))[0].id == registry.load("mine.yaml")[0].id


def test_a_split_file_keeps_a_part_of_it(folder: Path) -> None:
    rows = own_data.rows(8)
    own_data.table(folder / "questions.csv", [*rows, ("scan07.png", "Is this a CT?", "No", "train", "p3")])
    written = leaks(["mine.yaml"], out=folder / "clean")["written"]
    path = next(part["path"] for part in written if part["split"] == "train")
    assert len(registry.load_split("mine.yaml", "train")) == 9
    assert len(registry.load_split("mine.yaml", path)) == 8


def test_a_changed_table_is_read_anew(folder: Path) -> None:
    assert len(registry.load("mine.yaml")) == 16
    own_data.table(folder / "questions.csv", own_data.rows(8)[:-1])
    assert len(registry.load("mine.yaml")) == 15


def test_the_yaml_says_licence_citation_and_notes(folder: Path) -> None:
    own_data.describe(folder / "mine.yaml", licence="ours", citation="Us, 2026", notes=["Small."], title="Mine")
    facts = registry.select("mine.yaml").data_set.facts
    assert (facts.title, facts.licence, facts.citation, list(facts.notes)) == ("Mine", "ours", "Us, 2026", ["Small."])
    own_data.describe(folder / "mine.yaml")
    assert registry.select("mine.yaml").data_set.facts.licence == "not stated"


# ---- tables of every kind


def records(count: int = 8) -> list[dict[str, str]]:
    return [dict(zip(own_data.HEADER, row, strict=True)) for row in own_data.rows(count)]


def write(path: Path, records: list[dict[str, Any]]) -> None:
    """Write records by the libraries that users write them with."""
    pandas = importlib.import_module("pandas")
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(records), encoding="utf-8")
    elif path.suffix == ".tsv":
        pandas.DataFrame(records).to_csv(path, sep="\t", index=False)
    elif path.suffix == ".xlsx":
        pandas.DataFrame(records).to_excel(path, index=False)
    elif path.suffix == ".parquet":
        pandas.DataFrame(records).to_parquet(path)
    else:
        importlib.import_module("datasets").Dataset.from_list(records).save_to_disk(path)


@pytest.mark.parametrize("file", ["q.jsonl", "q.json", "q.tsv", "q.xlsx", "q.parquet", "saved"])
def test_every_kind_of_table_gives_the_same_samples(file: str, folder: Path) -> None:
    expected = fingerprint.of_samples(registry.load("mine.yaml"))
    write(folder / file, records())
    own_data.describe(folder / "mine.yaml", file=file)
    assert fingerprint.of_samples(registry.load("mine.yaml")) == expected


@pytest.mark.parametrize(
    "options",
    [{"encoding": "utf-8-sig"}, {"lineterminator": "\r\n"}, {"delimiter": ";"}, {"quoting": 1}],
    ids=["byte-order mark", "CRLF", "semicolons", "quoted"],
)
def test_csv_as_programs_write_it(options: dict[str, Any], folder: Path) -> None:
    expected = fingerprint.of_samples(registry.load("mine.yaml"))
    own_data.table(folder / "questions.csv", own_data.rows(8), **options)
    assert fingerprint.of_samples(registry.load("mine.yaml")) == expected


def test_any_text_comes_through_as_it_is(folder: Path) -> None:
    texts = ["هل يوجد كسر؟", '🫁 ja, "links"\nund unten', "x" * 1_000_000, "=1+1", "null"]
    own_data.table(
        folder / "questions.csv",
        [(f"scan0{n}.png", text, text, "test", "p") for n, text in enumerate(texts)],
    )
    samples = registry.load("mine.yaml")
    assert [sample.answer for sample in samples] == texts == [sample.question for sample in samples]


def test_numbers_are_text_and_whole_ones_have_no_fraction(folder: Path) -> None:
    row = {"image": "scan00.png", "question": "How many?", "split": "test", "patient": 7.0}
    write(folder / "q.parquet", [{**row, "answer": 2.0}, {**row, "answer": 1.5}])
    own_data.describe(folder / "mine.yaml", file="q.parquet")
    assert [(sample.answer, sample.case) for sample in registry.load("mine.yaml")] == [("2", "7"), ("1.5", "7")]


def test_optional_columns(folder: Path) -> None:
    names = ("id", "answer_type", "question_type", "organ", "modality", "language", "context")
    header = (*own_data.HEADER, *names)
    first = ("scan00.png", "¿TC?", "sí", "test", "", "a/1", "closed", "modality", "Chest", "CT", "ES", "cough")
    own_data.table(folder / "questions.csv", [first], header)
    own_data.describe(folder / "mine.yaml", **{f"columns__{name}": name for name in names})
    (sample,) = registry.load("mine.yaml")
    assert (sample.id, sample.answer_type, sample.question_type) == ("mine/table/test/a/1", "CLOSED", "modality")
    assert (sample.organ, sample.modality, sample.language, sample.context) == ("Chest", "CT", "es", "cough")
    assert (sample.case, registry.select("mine.yaml").version.language) == ("", "es")


@pytest.mark.parametrize("cell", ['["Liver", "Lung"]', '{"A": "Liver", "B": "Lung"}', "Liver | Lung"])
@pytest.mark.parametrize("answer", ["Lung", "B", "b"])
def test_choices(cell: str, answer: str, folder: Path) -> None:
    row = ("scan00.png", "Which?", answer, "test", "p", cell)
    own_data.table(folder / "questions.csv", [row], (*own_data.HEADER, "choices"))
    own_data.describe(folder / "mine.yaml", task="choice", columns__options="choices")
    (sample,) = registry.load("mine.yaml")
    assert (sample.task, sample.options, sample.answer) == ("choice", ("Liver", "Lung"), "Lung")
    assert sample.answer_type == "CLOSED"


def test_a_column_for_each_choice(folder: Path) -> None:
    row = ("scan00.png", "Which?", "C", "test", "p", "Liver", "Lung", "Spleen", "")
    own_data.table(folder / "questions.csv", [row], (*own_data.HEADER, "A", "B", "C", "D"))
    own_data.describe(folder / "mine.yaml", task="choice", columns__options=["A", "B", "C", "D"])
    (sample,) = registry.load("mine.yaml")
    assert (sample.options, sample.answer) == (("Liver", "Lung", "Spleen"), "Spleen")
    own_data.table(folder / "questions.csv", [(*row[:2], "Heart", *row[3:])], (*own_data.HEADER, "A", "B", "C", "D"))
    assert message().startswith(
        "questions.csv, line 2: the answer 'Heart' is none of the options Liver, Lung, Spleen. Mend it"
    )


def test_captions_have_no_question(folder: Path) -> None:
    own_data.describe(folder / "mine.yaml", task="caption", columns__question=None)
    sample = registry.load("mine.yaml")[1]
    assert (sample.task, sample.question, sample.answer, sample.answer_type) == ("caption", "", "Yes", "OPEN")


# ---- pictures


def test_a_picture_is_found_by_its_stem_and_called_by_its_file(folder: Path) -> None:
    own_data.table(
        folder / "questions.csv",
        [(name, "?", "a", "test", "p") for name in ("scan00.dcm", "scan00", "./scan00.png", " scan00.png")],
    )
    assert {(s.image, s.image_path) for s in registry.load("mine.yaml")} == {
        ("scan00.png", Path("pictures/scan00.png"))
    }


def test_a_picture_in_a_subfolder_by_any_slash_or_from_the_root(folder: Path) -> None:
    own_data.pictures(folder / "pictures" / "a", 1)
    names = ("a/scan00.png", "a\\scan00.png", str(folder / "pictures/a/scan00.png"))
    own_data.table(folder / "questions.csv", [(name, "?", "a", "test", "p") for name in names])
    assert [sample.image for sample in registry.load("mine.yaml")] == ["a/scan00.png"] * 3


@pytest.mark.parametrize("name", ["../secret.png", "/etc/secret.png", "a/../../secret.png"])
def test_a_picture_outside_the_folder_is_refused(name: str, folder: Path) -> None:
    own_data.picture(0).save(folder / "secret.png")
    own_data.table(folder / "questions.csv", [(name, "?", "a", "test", "p")])
    assert "the picture 'secret.png' lies outside the folder pictures; put it there" in message()


def encoded(number: int, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    own_data.picture(number).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize("file", ["q.parquet", "saved"])
def test_pictures_inside_the_table_are_kept_by_content(file: str, folder: Path, fresh_cache: Path) -> None:
    datasets: Any = importlib.import_module("datasets")
    features = datasets.Features(
        {name: datasets.Value("string") for name in ("question", "split", "patient")}
        | {"image": datasets.Image(), "answer": datasets.ClassLabel(names=["no", "yes"])}
    )
    rows = [
        {
            "image": {"bytes": encoded(n // 2, "JPEG" if n == 4 else "PNG"), "path": "x.png"},
            "question": "?",
            "answer": n % 2,
            "split": "test",
            "patient": "p",
        }
        for n in range(6)
    ]
    saved = datasets.Dataset.from_list(rows, features=features)
    if file == "saved":
        saved.save_to_disk(folder / file)
    else:
        saved.to_parquet(folder / file)
    own_data.describe(folder / "mine.yaml", file=file, images=None)
    samples = registry.load("mine.yaml")
    assert [sample.answer for sample in samples] == ["no", "yes"] * 3  # the names of the classes, not their numbers
    assert [sample.answer_type for sample in samples] == ["CLOSED"] * 6
    assert len({sample.image for sample in samples[:4]}) == 2  # two rows about each
    assert samples[0].image == fingerprint.of_bytes(encoded(0))[:32] + ".png"
    assert samples[4].image.endswith(".jpg")
    kept = [path for path in (fresh_cache / "pictures").rglob("*") if path.is_file()]
    assert len(kept) == 4
    assert (image.decode(samples[0].image_path) == own_data.picture(0)).all()
    assert check_data("mine.yaml")["ok"]


def test_a_saved_dataset_dict_knows_its_splits(folder: Path) -> None:
    datasets: Any = importlib.import_module("datasets")
    parts = {split: [r for r in records() if r["split"] == split] for split in ("train", "validate", "test")}
    saved = {split: datasets.Dataset.from_list(rows).remove_columns("split") for split, rows in parts.items()}
    datasets.DatasetDict(saved).save_to_disk(folder / "saved")
    own_data.describe(folder / "mine.yaml", file="saved", columns__split=None)
    samples = registry.load("mine.yaml")
    assert Counter(sample.split for sample in samples) == {"train": 8, "validate": 4, "test": 4}
    assert samples[-1].id == "mine/table/test/4"
    own_data.describe(folder / "mine.yaml", file="saved", columns__split=None, split_by="case", fractions={"test": 1.0})
    pooled = registry.load("mine.yaml")
    assert (pooled[0].id, pooled[-1].id) == ("mine/table/test/train-1", "mine/table/test/test-4")


def test_a_changed_order_is_saved_and_read_in_that_order(folder: Path) -> None:
    datasets: Any = importlib.import_module("datasets")
    datasets.Dataset.from_list(records()).select([3, 1]).save_to_disk(folder / "saved")
    own_data.describe(folder / "mine.yaml", file="saved")
    assert [sample.image for sample in registry.load("mine.yaml")] == ["scan01.png", "scan00.png"]


@pytest.mark.parametrize("file", ["q.parquet", "saved"])
def test_without_pyarrow_one_sentence_says_how_to_get_it(
    file: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / file, records())
    own_data.describe(folder / "mine.yaml", file=file)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert message() == (
        f"{file} needs pyarrow, which is not installed: pip install 'radvqa[parquet]'; or save it as CSV or JSON."
    )


# ---- splits


def test_a_file_for_each_split(folder: Path) -> None:
    for split in ("train", "test"):
        own_data.table(folder / f"{split}.csv", [row for row in own_data.rows(8) if row[3] == split])
    own_data.describe(
        folder / "mine.yaml", file=None, columns__split=None, splits={"train": "train.csv", "test": "test.csv"}
    )
    samples = registry.load("mine.yaml")
    assert [sample.split for sample in samples] == ["train"] * 8 + ["test"] * 4
    assert samples[8].id == "mine/table/test/1"


def test_dealing_follows_names_alone(folder: Path) -> None:
    # sha256sum: "p3" 43bb00d0…, 0.265 of 2**32; "p8" 9b85c082…, 0.608; "p1" f64551fc…, 0.962
    rows = [(f"scan0{n}.png", "?", "a", "", case) for n, case in enumerate(("p3", "p8", "p1"))]
    own_data.describe(
        folder / "mine.yaml", columns__split=None, split_by="case", fractions={"train": 0.4, "test": 0.3, "rest": 0.3}
    )
    for order in (rows, rows[::-1]):
        own_data.table(folder / "questions.csv", order)
        dealt = {sample.case: sample.split for sample in registry.load("mine.yaml")}
        assert dealt == {"p3": "train", "p8": "test", "p1": "rest"}


@given(st.lists(st.text(min_size=1), unique=True, max_size=50), st.randoms(use_true_random=False))
def test_more_data_moves_nothing_that_was_there(names: list[str], shuffle: random.Random) -> None:
    fractions = {"train": 0.5, "test": 0.5}
    before = {name: side(name, fractions) for name in names[: len(names) // 2]}
    shuffle.shuffle(names)
    assert {name: side(name, fractions) for name in names if name in before} == before


def test_shares_are_met_on_average() -> None:
    dealt = Counter(side(f"image{n}.png", {"train": 0.7, "validate": 0.15, "test": 0.15}) for n in range(10_000))
    # 4.5 standard deviations of a binomial: sqrt(10,000 × 0.7 × 0.3) = 46, sqrt(10,000 × 0.15 × 0.85) = 36
    assert abs(dealt["train"] - 7000) < 207
    assert abs(dealt["test"] - 1500) < 162


def test_no_picture_is_on_two_sides(folder: Path) -> None:
    count = 60
    own_data.pictures(folder / "pictures", count)
    own_data.table(folder / "questions.csv", own_data.rows(count))
    for by in ("case", "image"):
        own_data.describe(folder / "mine.yaml", columns__split=None, split_by=by)
        sides: dict[str, set[str]] = {}
        for sample in registry.load("mine.yaml"):
            unit = sample.case if by == "case" else sample.image
            sides.setdefault(unit, set()).add(sample.split)
        assert {len(found) for found in sides.values()} == {1}
        assert {split for found in sides.values() for split in found} == {"train", "validate", "test"}


def test_one_picture_of_two_cases_cannot_be_dealt(folder: Path) -> None:
    own_data.table(folder / "questions.csv", [("scan00.png", "?", "a", "", case) for case in ("p0", "p1")])
    own_data.describe(folder / "mine.yaml", columns__split=None, split_by="case", fractions={"test": 1.0})
    assert "the picture 'scan00.png' belongs to the case 'p1' here and to 'p0' at questions.csv, line 2" in message()


def test_a_split_that_nothing_fell_into_is_an_error(folder: Path) -> None:
    own_data.table(folder / "questions.csv", own_data.rows(8)[:1])
    own_data.describe(folder / "mine.yaml", columns__split=None, split_by="image")
    assert "is empty: no image fell into it; give it a larger fraction, or name splits in a column" in message()


def test_pictures_and_cases_on_several_sides_are_warned_about(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = own_data.rows(8)
    own_data.table(folder / "questions.csv", [*rows, ("scan07.png", "Again?", "No", "train", "p3")])
    own_data.describe(folder / "mine.yaml", name="warned")
    registry.load("mine.yaml")
    err = capsys.readouterr().err
    assert "warned:table: 1 of 8 pictures and 1 of 4 cases are in more than one split" in err


# ---- mistakes in the YAML file

KEYS: list[tuple[dict[str, object], str]] = [
    ({"colour": "red"}, "mine.yaml: unknown key 'colour'; "),
    ({"imags": "pictures", "images": None}, "mine.yaml: unknown key 'imags'; did you mean 'images'?"),
    ({"columns__anser": "answer", "columns__answer": None}, "unknown key 'columns.anser'; did you mean 'answer'?"),
    ({"columns__answer": None, "kind": None}, "the key 'kind' and the key 'columns.answer' are missing."),
    ({"columns__question": None}, "the key 'columns.question' is missing; only `task: caption` needs none."),
    ({"kind": "tabel"}, "kind: input should be 'table' (found 'tabel')."),
    ({"name": "My Data"}, "'name' is made of a-z, 0-9, _ and - only, found 'My Data'."),
    ({"name": "slake"}, "'slake' is the name of a data set that comes with radvqa; choose another."),
    ({"file": None}, "name either `file`, one table for all splits, or `splits`, a table for each."),
    ({"split_by": "case"}, "columns.split and split_by both say which split a row belongs to; keep one."),
    ({"columns__split": None}, "nothing says which split a row belongs to; name a column (columns.split), a file"),
    ({"columns__split": None, "columns__case": None, "split_by": "case"}, "`split_by: case` needs `columns.case`"),
    ({"fractions": {"train": 1.0}}, "`fractions` are used with `split_by: case` or `split_by: image` only"),
    (
        {"columns__split": None, "split_by": "image", "fractions": {"train": 0.7, "test": 0.2}},
        "`fractions` must lie between 0 and 1 and add up to 1, found {'train': 0.7, 'test': 0.2}.",
    ),
    ({"task": "choice"}, "`task: choice` needs `columns.options`"),
    ({"images": "imgs"}, "mine.yaml: images is 'imgs', but there is no folder imgs."),
    ({"file": "rows.csv"}, "The table rows.csv does not exist."),
    ({"file": "pictures/scan00.png"}, "pictures/scan00.png is no table in a known format (.csv, .tsv"),
    (
        {"file": "pictures"},
        "The folder pictures was not written by datasets' save_to_disk (it has no state.json); name",
    ),
    (
        {"columns__answer": "gold"},
        "mine.yaml: columns.answer is 'gold', but questions.csv has no such column; it has: image, question, answer, "
        "split, patient.",
    ),
    ({"images": None}, "the picture 'scan00.png' is a file name, but `images` names no folder; add it."),
]


@pytest.mark.parametrize(("changes", "expected"), KEYS, ids=[str(changes) for changes, _ in KEYS])
def test_a_mistake_in_the_yaml_file_is_named(changes: dict[str, object], expected: str, folder: Path) -> None:
    own_data.describe(folder / "mine.yaml", **changes)
    assert expected in message()


TEXTS = [
    ("name: mine\n\tkind: table\n", "is not valid YAML: found character '\\t' that cannot start any token in line 2"),
    (
        "- name: mine\n- kind: table\n",
        "mine.yaml must hold keys with values (name, kind, file, images, columns), found",
    ),
    ("", "mine.yaml must hold keys with values (name, kind, file, images, columns), found nothing;"),
    ("just words", "found a str;"),
    ("name: [mine", "is not valid YAML: "),
    ("!!python/object/apply:os.system ['true']", "is not valid YAML: could not determine a constructor"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_text_that_is_no_description_is_named(text: str, expected: str, folder: Path) -> None:
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    said = message()
    assert expected in said
    assert "\n" not in said


def test_a_yaml_file_that_is_absent(folder: Path) -> None:
    assert message("mien.yaml") == "mien.yaml does not exist."


def test_the_full_name_alone_does_not_find_it() -> None:
    assert message("mine:table") == "mine:table is data of your own; name it by the path of its YAML file."


def test_an_unknown_split_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"mine.yaml has no split 'tets'; did you mean 'test'\?"):
        registry.load_split("mine.yaml", "tets")


# ---- mistakes in the table

ROWS = [
    (("scan09.png", "?", "a", "test", "p"), "the picture 'scan09.png' is not in the folder pictures."),
    (("", "?", "a", "test", "p"), "there is no picture: expected a file name, found nothing."),
    (("scan00.png", "?", " ", "test", "p"), "there is no answer: the column 'answer' is empty."),
    (("scan00.png", "", "a", "test", "p"), "there is no question: the column 'question' is empty."),
    (("scan00.png", "?", "a", "", "p"), "there is no split: the column 'split' is empty."),
]


@pytest.mark.parametrize(("row", "expected"), ROWS)
def test_a_bad_row_is_named_or_left_out(row: own_data.Row, expected: str, folder: Path) -> None:
    own_data.table(folder / "questions.csv", [*own_data.rows(8), row])
    assert message() == f"questions.csv, line 18: {expected} Mend it, or leave such rows out with --skip-bad."
    problems = Problems(skip=True)
    assert len(registry.load("mine.yaml", problems)) == 16
    assert problems.found == [f"questions.csv, line 18: {expected}"]
    report = check_data("mine.yaml", skip_bad=True)
    with pytest.raises(DataError, match=r"mine:table .*1 bad rows or pictures"):
        require_ok(report)


def test_an_id_that_occurs_twice_in_a_split(folder: Path) -> None:
    header = (*own_data.HEADER, "number")
    rows = [(*row, number) for row, number in zip(own_data.rows(8)[:3], (1, 2, 1), strict=True)]
    own_data.table(folder / "questions.csv", rows, header)
    own_data.describe(folder / "mine.yaml", columns__id="number")
    assert message().startswith(
        "questions.csv, line 4: the id mine/table/train/1 was already used at questions.csv, line 2."
    )


def test_a_broken_picture_is_found_by_the_check(folder: Path) -> None:
    path = folder / "pictures/scan03.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"pictures/scan03.png is broken .* the picture of questions.csv, line 8"):
        check_data("mine.yaml")


@pytest.mark.parametrize("content", [b"", b"image,question,answer,split,patient\n", b"\xef\xbb\xbf\n"])
def test_an_empty_csv(content: bytes, folder: Path) -> None:
    (folder / "questions.csv").write_bytes(content)
    assert message() == "questions.csv holds no rows."


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("q.json", b"[]", "q.json holds no rows."),
        ("q.jsonl", b"\n\n", "q.jsonl holds no rows."),
        ("q.jsonl", b'{"image": 1}\n{"image"\n', "q.jsonl, line 2 is not valid JSON"),
        ("q.csv", b"image,question\na,b,c\n", "q.csv, line 2: the row has 3 cells, but the header names 2 columns"),
        ("q.csv", b"image,image\na,b\n", "q.csv has two columns named 'image'"),
        ("q.csv", b"im\xe4ge,question\n", "q.csv, line 1 is not UTF-8 text; save the file as UTF-8."),
        ("q.parquet", b"PAR1 and then nothing", "q.parquet is broken or no Parquet or Arrow file"),
        ("q.parquet", b"", "q.parquet is broken or no Parquet or Arrow file"),
    ],
)
def test_a_table_that_cannot_be_read(file: str, content: bytes, expected: str, folder: Path) -> None:
    (folder / file).write_bytes(content)
    own_data.describe(folder / "mine.yaml", file=file)
    said = message()
    assert expected in said
    assert "\n" not in said


@pytest.mark.parametrize("state", ["{}", '{"_data_files": [{"filename": "../other.arrow"}]}', '{"_data_files": 1}'])
def test_a_saved_folder_reads_nothing_outside_itself(state: str, folder: Path) -> None:
    (folder / "saved").mkdir()
    (folder / "saved" / "state.json").write_text(state, encoding="utf-8")
    own_data.describe(folder / "mine.yaml", file="saved")
    assert message() == f"{Path('saved/state.json')}: '_data_files' must name the files of the table."


def test_json_values_that_are_no_text(folder: Path) -> None:
    write(folder / "q.jsonl", [{**records()[0], "answer": True}])
    own_data.describe(folder / "mine.yaml", file="q.jsonl")
    assert "q.jsonl, line 1: the column 'answer' must hold text or numbers, found 'True'." in message()


def test_no_row_can_be_used(folder: Path) -> None:
    own_data.table(folder / "questions.csv", [("gone.png", "?", "a", "test", "p")])
    with pytest.raises(
        DataError, match=r"mine.yaml: no row can be used; questions.csv, line 2: the picture 'gone.png'"
    ):
        registry.load("mine.yaml", Problems(skip=True))


def test_nothing_says_where_on_the_machine_it_lies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, ids and digest are the same from another folder, by an absolute path, and after moving."""
    expected = fingerprint.of_samples(registry.load("mine.yaml"))
    path = str(folder / "mine.yaml")
    monkeypatch.chdir("/")
    assert fingerprint.of_samples(registry.load(path)) == expected
    sample = registry.load(path)[0]
    assert str(folder) not in yaml.safe_dump([sample.id, sample.dataset, sample.image, sample.case])

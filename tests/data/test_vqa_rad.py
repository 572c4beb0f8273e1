"""VQA-RAD: a made-up miniature in the published layout, and the published file itself."""

import hashlib
import json
from pathlib import Path

import leak_data
import pytest

from miniature import change
from radvqa import fingerprint
from radvqa.commands.data import check_data
from radvqa.data import registry
from radvqa.data.dataset import Linked, Problems
from radvqa.data.registry import DATASETS
from radvqa.data.sets.vqa_rad import VqaRad
from radvqa.errors import DataError
from radvqa.sample import Sample
from radvqa.scoring.published import rows_for
from radvqa.text import seed000


def test_rows_become_samples(mini_vqa_rad: Path) -> None:
    samples = registry.load("vqa_rad")
    assert [s.split for s in samples] == ["train", "train", "test"] * 6
    sample = samples[4]
    assert sample.id == "vqa_rad/official/train/4"
    assert sample.image_path == mini_vqa_rad / "VQA_RAD Image Folder" / "synpic1.jpg"
    assert (sample.answer, sample.answer_type, sample.question_type) == ("2", "OPEN", "PRES")  # a number in the file
    assert (sample.organ, sample.case) == ("Chest", "https://example.org/case?id=0")
    assert sample.source.endswith("VQA_RAD Dataset Public.json, row 5")


def test_an_answer_type_with_a_space_is_the_answer_type(mini_vqa_rad: Path) -> None:
    content = json.loads((mini_vqa_rad / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8"))
    assert content[9]["answer_type"] == "CLOSED "
    assert registry.load("vqa_rad")[9].answer_type == "CLOSED"


def test_it_has_no_regions(mini_vqa_rad: Path) -> None:
    assert registry.regions("vqa_rad", "synpic0.jpg") == []


def test_a_row_without_a_phrase_type_has_no_split(mini_vqa_rad: Path) -> None:
    change(mini_vqa_rad / "VQA_RAD Dataset Public.json", lambda rows: rows[3].pop("phrase_type"))
    with pytest.raises(DataError, match=r"Public.json, row 4: the key 'phrase_type' is missing"):
        registry.load("vqa_rad")


def test_the_mevf_files_add_rephrasings(mini_vqa_rad: Path) -> None:
    leak_data.mevf(mini_vqa_rad)
    samples = registry.load("vqa_rad:mevf")
    official = registry.load("vqa_rad:official")
    assert [s.split for s in samples] == ["train"] * 15 + ["test"] * 6
    added = [s for s in samples if s.question.startswith("Put otherwise")]
    assert [s.id for s in added] == [f"vqa_rad/mevf/train/{number}" for number in (4, 7, 9)]
    assert [s.case for s in added] == [f"https://example.org/case?id={case}" for case in (0, 0, 0)]
    clean = registry.load("vqa_rad:clean")
    assert [s.id for s in clean if s.question.startswith("Put otherwise")] == ["vqa_rad/clean/train/7"]

    def rows(version: list[Sample]) -> set[tuple[str, str, str, str]]:
        return {(s.image, s.question, s.answer, s.case) for s in version}

    assert rows(official) == rows([s for s in samples if s not in added])
    assert len(clean) == len(samples) - 2


def test_the_hub_copy_drops_repeated_training_rows(mini_vqa_rad: Path) -> None:
    path = mini_vqa_rad / "VQA_RAD Dataset Public.json"
    assert [s.id.rpartition("/")[2] for s in registry.load("vqa_rad:hf")] == [str(number) for number in range(18)]

    def repeat(rows: list[dict[str, object]]) -> None:
        taken = ("image_name", "question", "answer")
        rows[4].update({key: rows[3][key] for key in taken})  # an earlier training row
        rows[6].update({key: rows[17][key] for key in taken})  # a later test row
        rows[11].update({key: rows[8][key] for key in taken})  # test rows stay

    change(path, repeat)
    samples = registry.load("vqa_rad:hf")
    assert [s.id for s in samples if s.split == "test"] == [f"vqa_rad/hf/test/{n}" for n in (2, 5, 8, 11, 14, 17)]
    train = [f"vqa_rad/hf/train/{n}" for n in (0, 1, 3, 7, 9, 10, 12, 13, 15, 16)]
    assert [s.id for s in samples if s.split == "train"] == train
    assert {s.answer_type for s in samples} == {"OPEN", "CLOSED"}


def test_the_image_disjoint_split_keeps_images_and_cases_together(mini_vqa_rad: Path) -> None:
    path = mini_vqa_rad / "VQA_RAD Dataset Public.json"
    change(path, lambda rows: [row.update(image_name="synpic11.jpg") for row in rows[6:9]])
    # SHA-256 of the first image of each of the three cases, over 2 ** 256; a text sorts 11 before 3
    first = ("synpic0.jpg", "synpic11.jpg", "synpic4.jpg")
    hashes = [int(hashlib.sha256(name.encode()).hexdigest(), 16) / 2**256 for name in first]
    assert [value < 0.2 for value in hashes] == [False, True, False]
    expected = ["train"] * 6 + ["test"] * 6 + ["train"] * 6
    samples = registry.load("vqa_rad:image_disjoint")
    assert [s.split for s in samples] == expected
    assert [s.id for s in samples] == [f"vqa_rad/image_disjoint/{split}/{n}" for n, split in enumerate(expected)]
    # a row about the last image that names the second case joins both cases
    change(path, lambda rows: rows[17].update(image_case_url=rows[6]["image_case_url"]))
    joined = registry.load("vqa_rad:image_disjoint")
    assert [s.split for s in joined] == ["train"] * 6 + ["test"] * 12
    # the order of the rows has no say
    change(path, lambda rows: rows.reverse())
    assert {s.id for s in registry.load("vqa_rad:image_disjoint")} == {s.id for s in joined}


def test_the_random_split_draws_rows_whatever_their_picture(mini_vqa_rad: Path) -> None:
    samples = registry.load("vqa_rad:random")
    assert [s.id.rpartition("/")[2] for s in samples] == [str(number) for number in range(18)]
    tested = {int(s.id.rpartition("/")[2]) for s in samples if s.split == "test"}
    ranked = sorted(range(18), key=lambda number: hashlib.sha256(f"seed 0 {number}".encode()).hexdigest())
    assert tested == set(ranked[:4])  # a fifth of 18, rounded up as 449.6 of the published rows are
    change(mini_vqa_rad / "VQA_RAD Dataset Public.json", lambda rows: rows.reverse())
    assert {s.id for s in registry.load("vqa_rad:random")} == {s.id for s in samples}


def test_loading_the_random_split_says_that_it_leaks() -> None:
    warning = registry.select("vqa_rad:random").version.warning
    assert "all 246 test images are training images too" in warning


@pytest.mark.parametrize("version", ["hf", "image_disjoint", "random"])
def test_rows_that_lack_a_key_are_named_in_every_version(mini_vqa_rad: Path, version: str) -> None:
    change(mini_vqa_rad / "VQA_RAD Dataset Public.json", lambda rows: rows[3].pop("image_name"))
    with pytest.raises(DataError, match=r"Public.json, row 4: the key 'image_name' is missing"):
        registry.load(f"vqa_rad:{version}")
    problems = Problems(skip=True)
    assert len(VqaRad().load(mini_vqa_rad, version, problems)) == 17
    assert len(problems.found) == 1


def test_links_name_the_official_record(mini_vqa_rad: Path) -> None:
    leak_data.mevf(mini_vqa_rad)
    data_set = registry.select("vqa_rad").data_set
    assert isinstance(data_set, Linked)
    assert data_set.links(mini_vqa_rad, "official")["vqa_rad/official/train/4"] == "link-4"
    assert data_set.links(mini_vqa_rad, "hf")["vqa_rad/hf/train/4"] == "link-4"
    links = data_set.links(mini_vqa_rad, "mevf")
    # rows 0 to 4 of the official file are numbers 1, 2, 3, 5 and 6; the rephrasings of 2 and 4 are 4 and 7
    assert [links[f"vqa_rad/mevf/{at}"] for at in ("test/3", "train/4", "train/6", "train/7")] == [
        *("link-2", "link-2", "link-4", "link-4")
    ]
    change(mini_vqa_rad / "VQA_RAD Dataset Public.json", lambda rows: rows[1].pop("qid_linked_id"))
    assert len(data_set.links(mini_vqa_rad, "official")) == 17


def test_published_rows_stand_beside_the_version_they_were_trained_on() -> None:
    why = {}
    for version in ("official", "clean", "mevf"):
        (row,) = (r for r in rows_for(f"vqa_rad:{version}", "test") if (r.method, r.subset) == ("MEVF+BAN", "open"))
        why[version] = (row.comparable, row.why)
    assert why["official"] == why["clean"]
    assert not why["clean"][0]
    assert "284 rows rephrase test questions" in why["clean"][1]
    assert why["mevf"][0]
    assert "trains on the same 3,064 rows" in why["mevf"][1]
    assert not any(r.comparable for r in rows_for("vqa_rad:mevf", "test") if r.protocol != "classification accuracy")


def test_the_random_split_stands_beside_what_was_measured_on_one_and_nothing_else() -> None:
    rows = rows_for("vqa_rad:random", "test")
    beside = {r.method: r.value_percent for r in rows if r.comparable}
    assert beside == {"ResNet50+BERT": 60.89, "PubMedCLIP+BERT": 60.44, "ViLT LoRA": 56.89, "Qwen2-VL-2B LoRA": 56.0}
    assert not any(r.comparable for r in rows_for("vqa_rad:official", "test") if r.method in beside)
    assert not any(r.comparable for r in rows_for("vqa_rad:image_disjoint", "test"))
    (mevf,) = (r for r in rows if (r.method, r.subset) == ("MEVF+BAN", "open"))
    assert "this version has other test rows" in mevf.why


def test_mevf_files_that_do_not_fit_the_official_file(mini_vqa_rad: Path) -> None:
    with pytest.raises(DataError, match=r"trainset\.json does not exist"):
        registry.load("vqa_rad:mevf")
    leak_data.mevf(mini_vqa_rad)
    change(mini_vqa_rad / "mevf_split" / "trainset.json", lambda rows: rows.pop(0))
    with pytest.raises(DataError, match=r"set.json, row \d+: the row does not fit the records of .*Public.json"):
        registry.load("vqa_rad:clean")
    change(mini_vqa_rad / "mevf_split" / "trainset.json", lambda rows: rows[0].update(qid="seven"))
    with pytest.raises(DataError, match="'qid' must be a number, found 'seven'"):
        registry.load("vqa_rad:mevf")


@pytest.mark.real_data
@pytest.mark.parametrize(("version", "rows"), [("mevf", 3064), ("clean", 2780)])
def test_the_published_rows_of_the_mevf_files(version: str, rows: int) -> None:
    samples = registry.load(f"vqa_rad:{version}")
    splits = {name: [s for s in samples if s.split == name] for name in ("train", "test")}
    for name, facts in DATASETS["vqa_rad"].facts.versions[version].splits.items():
        assert fingerprint.of_samples(splits[name]) == facts.digest
        assert (len(splits[name]), len({s.image for s in splits[name]})) == (facts.rows, facts.images)
    assert len(splits["train"]) == rows

    def asked(part: list[Sample]) -> list[tuple[str, str, str, str]]:
        return [(s.image, s.question, s.answer, s.case) for s in part]

    assert asked(splits["test"]) == asked(registry.load_split("vqa_rad:official", "test"))


@pytest.mark.real_data
def test_the_published_rows() -> None:
    samples = registry.load("vqa_rad")
    splits = {name: [s for s in samples if s.split == name] for name in ("train", "test")}
    for name, facts in DATASETS["vqa_rad"].facts.versions["official"].splits.items():
        assert fingerprint.of_samples(splits[name]) == facts.digest
        assert len({s.image for s in splits[name]}) == facts.images
    assert (len(splits["train"]), len(splits["test"])) == (1797, 451)
    # 202 of the 203 test images are training images too
    assert len({s.image for s in splits["test"]} - {s.image for s in splits["train"]}) == 1
    numbers = {s.id.rpartition("/")[2]: s.answer for s in samples}
    assert [numbers[qid] for qid in ("1511", "1568", "1683", "2234", "2235")] == ["4", "2", "2", "12", "12"]


@pytest.mark.real_data
@pytest.mark.parametrize("version", ["hf", "image_disjoint", "random"])
def test_other_divisions_of_the_official_rows(version: str) -> None:
    samples = registry.load(f"vqa_rad:{version}")
    splits = DATASETS["vqa_rad"].facts.versions[version].splits
    train, test = ([s for s in samples if s.split == name] for name in ("train", "test"))
    for part, facts in zip((train, test), splits.values(), strict=True):
        assert fingerprint.of_samples(part) == facts.digest
        assert (len(part), len({s.image for s in part})) == (facts.rows, facts.images)
    shared = [len({getattr(s, part) for s in train} & {getattr(s, part) for s in test}) for part in ("image", "case")]
    triplets = {(s.image, s.question, s.answer) for s in train}
    if version == "hf":
        assert (len(train), len(test)) == (1793, 451)  # as the card of the copy counts them
        assert len(triplets) == 1793
        assert not triplets & {(s.image, s.question, s.answer) for s in test}
        assert shared[0] == 202
    elif version == "random":
        assert (len(train), len(test), len({s.image for s in test})) == (1798, 450, 246)
        assert shared[0] == 246
        links = VqaRad().links(registry.select("vqa_rad").folder, "random")
        answers: dict[str, set[str]] = {}
        for s in train:
            answers.setdefault(links[s.id], set()).add(seed000(s.answer))
        known = [s for s in test if links[s.id] in answers]
        assert len(known) == 256
        assert sum(seed000(s.answer) in answers[links[s.id]] for s in known) == 214
    else:
        assert shared == [0, 0]
        assert len(samples) == 2248
        assert 0.18 < len({s.image for s in test}) / 314 < 0.22


@pytest.mark.real_data
def test_the_published_oddities_are_still_in_the_file() -> None:
    rows = json.loads((registry.select("vqa_rad").folder / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8"))
    assert sum(isinstance(row["answer"], int) for row in rows) == 5
    assert [row["answer_type"] for row in rows if row["answer_type"].strip() != row["answer_type"]] == ["CLOSED "] * 2
    assert {s.answer_type for s in registry.load("vqa_rad")} == {"OPEN", "CLOSED"}


@pytest.mark.real_data
@pytest.mark.slow
def test_the_published_pictures_are_all_there() -> None:
    report = check_data("vqa_rad")
    assert report["ok"] is True
    assert report["pictures_decoded"] == 314

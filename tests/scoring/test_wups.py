"""WUPS: Wu and Palmer's similarity against nltk's, the score of sets by hand, and WordNet absent or damaged."""

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import nltk.data
import pytest
import small_wordnet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nltk.corpus.reader.wordnet import WordNetCorpusReader

from radvqa.errors import DataError
from radvqa.prediction import Prediction
from radvqa.scoring import wordnet
from radvqa.scoring.items import items_of
from radvqa.scoring.metric import METRICS, Undefined
from radvqa.scoring.metrics import wups
from radvqa.scoring.statistics import value
from radvqa.scoring.wordnet import Nouns, open_wordnet
from radvqa.text import NORMALISERS


class Reference(WordNetCorpusReader):  # type: ignore[misc]
    """nltk's reader, for folders that hold no list of lexicographer files and no second WordNet to map to."""

    def open(self, file: str) -> Any:
        names = "".join(f"{number:02d}\tnoun.x\t1\n" for number in range(45))
        return io.StringIO(names) if file == "lexnames" else super().open(file)

    def map_wn(self, version: str = "wordnet") -> None:
        return None


@contextmanager
def nltk_reader(folder: Path) -> Iterator[Any]:
    nltk.data.path.append(str(folder))  # nltk reads below these folders only
    reader = Reference(str(folder), omw_reader=object())
    try:
        yield reader
    finally:
        for file in reader._data_file_map.values():
            file.close()
        nltk.data.path.remove(str(folder))


def by_nltk(reader: Any, one: str, other: str) -> float:
    pairs = product(reader.synsets(one, pos="n"), reader.synsets(other, pos="n"))
    return max((a.wup_similarity(b) or 0.0 for a, b in pairs), default=0.0)


@pytest.fixture
def organs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nouns:
    folder = small_wordnet.write(tmp_path / "wordnet", small_wordnet.ORGANS, {"vertebrae": "vertebra"})
    monkeypatch.setenv("RADVQA_WORDNET", str(folder))
    return open_wordnet()


def measured(name: str, pairs: list[tuple[str, str]]) -> float:
    statistic = METRICS[name].measure(given_items(pairs))
    assert not isinstance(statistic, Undefined)
    return value(statistic, len(pairs))


def given_items(pairs: list[tuple[str, str]]) -> Any:
    predictions = [Prediction(str(i), "?", gold, answer, "OPEN") for i, (gold, answer) in enumerate(pairs)]
    return items_of(predictions, NORMALISERS["seed000"])


@pytest.mark.parametrize("seed", range(8))
def test_similarity_equals_nltks_on_tangled_hierarchies(seed: int, tmp_path: Path) -> None:
    tree = small_wordnet.at_random(seed)
    folder = small_wordnet.write(tmp_path / "wordnet", tree)
    words = sorted({sense.rpartition(".")[0] for sense in tree})
    ours = Nouns(*((folder / name).read_bytes() for name in ("index.noun", "data.noun", "noun.exc")), source="small")
    with nltk_reader(folder) as reader:
        for one, other in product(words, words):
            assert ours.similarity(one, other) == pytest.approx(by_nltk(reader, one, other), abs=1e-12), (one, other)


@pytest.mark.real_wordnet
def test_similarity_equals_nltks_on_wordnet() -> None:
    ours = open_wordnet()
    words = ["lung", "lungs", "kidneys", "vertebrae", "head", "disease", "men", "x-ray", "left", "right", "no", "chef"]
    with nltk_reader(Path(os.environ["RADVQA_WORDNET"])) as reader:
        for one, other in product(words, words):
            assert ours.similarity(one, other) == pytest.approx(by_nltk(reader, one, other), abs=1e-12), (one, other)


@pytest.mark.real_wordnet
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("curtain", "blinds", 16 / 17),  # 0.94
        ("carton", "box", 16 / 17),
        ("stove", "fire extinguisher", 14 / 17),  # 0.82
        ("lung", "lungs", 1),
        ("garbage bin", "bed", 0),  # WordNet has no garbage bin
    ],
)
def test_similarity_of_household_things(one: str, other: str, expected: float) -> None:
    assert open_wordnet().similarity(one, other) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("lung", "liver", 2 * 3 / (4 + 4)),  # entity, body_part, organ: depth 3, each one step below
        ("lung", "vertebra", 2 * 2 / (4 + 4)),  # body_part, two steps above both
        ("lung", "organ", 2 * 3 / (4 + 3)),  # the sense that is a body part, not the instrument
        ("organ", "organ", 1),
        ("Lungs", "lung", 1),
        ("vertebrae", "vertebra", 1),
        ("Spinal  Cord", "body part", 2 * 2 / (3 + 2)),
        ("lung", "left lung", 0),
    ],
)
def test_similarity_by_hand(organs: Nouns, one: str, other: str, expected: float) -> None:
    assert organs.similarity(one, other) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("gold", "answer", "at_0", "at_09"),
    [
        ("lung", "Lung", 1, 1),
        ("lung", "liver", 6 / 8, 0.1 * 6 / 8),
        ("lung, liver", "liver , lung", 1, 1),
        ("lung, liver", "lung", 6 / 8, 0.1 * 6 / 8),  # the liver finds a lung only
        ("lung", "lung, liver", 6 / 8, 0.1 * 6 / 8),
        ("lung, liver", "vertebra", (4 / 8) ** 2, (0.1 * 4 / 8) ** 2),
        ("lung", "pneumothorax", 0, 0),
        ("pneumothorax", "pneumothorax", 1, 1),
        ("lung", "", 0, 0),
        ("", "lung", 0, 0),
        (",", "", 1, 1),
        ("X-Ray", "xray", 1, 1),  # equal after normalisation, although WordNet has neither
    ],
)
@pytest.mark.usefixtures("organs")
def test_score_of_sets_by_hand(gold: str, answer: str, at_0: float, at_09: float) -> None:
    assert measured("wups00", [(gold, answer)]) == pytest.approx(at_0)
    assert measured("wups09", [(gold, answer)]) == pytest.approx(at_09)


WORDS = st.sampled_from(["lung", "Lungs", "liver", "vertebra", "organ", "pneumothorax", "spinal cord", "", "🙂", "نص"])
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(", ".join)


@pytest.mark.usefixtures("organs")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the folder is the same for every example
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=10))
def test_never_below_accuracy_and_falling_with_the_threshold(pairs: list[tuple[str, str]]) -> None:
    accuracy, strict, loose = (measured(name, pairs) for name in ("accuracy", "wups09", "wups00"))
    assert accuracy - 1e-12 <= strict <= loose + 1e-12
    assert loose <= 1


def test_long_lists_of_words_end_early(organs: Nouns) -> None:
    long = ", ".join(f"liver{'s' * (i % 2)}, word {i}" for i in range(50_000))
    assert wups.set_score(organs, 0.0, "lung", long) == 0
    assert wups.set_score(organs, 0.0, long, long) == 1
    assert wups.set_score(organs, 0.0, "lung", "lung" * 250_000) == 0


def test_where_wordnet_is_absent_the_reason_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADVQA_WORDNET", raising=False)
    monkeypatch.setattr(wordnet, "_DEBIAN", Path("/nowhere"))
    monkeypatch.setattr(wordnet, "_nltk_folders", list)
    wups._nouns.cache_clear()
    try:
        statistic = METRICS["wups09"].measure(given_items([("lung", "lung")]))
    finally:
        wups._nouns.cache_clear()
    assert isinstance(statistic, Undefined)
    assert statistic.reason == (
        "WordNet is not on this machine; install Debian's package wordnet-base (apt install wordnet-base), or name a "
        "folder that holds index.noun, data.noun and noun.exc in RADVQA_WORDNET."
    )


def test_a_named_folder_without_wordnet_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADVQA_WORDNET", str(tmp_path))
    with pytest.raises(DataError, match=r"RADVQA_WORDNET=.* holds no WordNet; it must be a folder with index\.noun"):
        open_wordnet()


def test_files_that_do_not_fit_together_make_it_undefined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_wordnet.write(tmp_path / "wordnet", small_wordnet.ORGANS)
    (folder / "data.noun").write_text("  shifted\n" + (folder / "data.noun").read_text())
    monkeypatch.setenv("RADVQA_WORDNET", str(folder))
    statistic = METRICS["wups09"].measure(given_items([("lung", "liver")]))
    assert isinstance(statistic, Undefined)
    assert "data.noun holds no sense at byte" in statistic.reason


def test_nltks_packed_folder_is_read_without_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_wordnet.write(tmp_path / "wordnet", small_wordnet.ORGANS)
    (tmp_path / "data" / "corpora").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "data" / "corpora" / "wordnet.zip", "w") as packed:
        for file in folder.iterdir():
            packed.write(file, f"wordnet/{file.name}")
    monkeypatch.delenv("RADVQA_WORDNET", raising=False)
    monkeypatch.setattr(wordnet, "_DEBIAN", Path("/nowhere"))
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "data"))
    assert open_wordnet().similarity("lung", "liver") == pytest.approx(6 / 8)

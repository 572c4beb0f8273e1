"""The image store: decoded once, shared, and whole after a kill at any moment."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from miniature import python, starting
from radvqa.data import image, registry
from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.errors import DataError
from radvqa.sample import Sample

SIDE = 16


@pytest.fixture
def samples(mini_slake: Path, fresh_cache: Path) -> list[Sample]:
    return registry.load("slake:en")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The pictures that were decoded, as they are."""
    found: list[Path] = []
    really = image.decode

    def noted(source: Path) -> image.Pixels:
        found.append(source)
        return really(source)

    monkeypatch.setattr(image, "decode", noted)
    return found


def table(cache: Path) -> Path:
    (folder,) = (cache / "images").iterdir()
    return folder


def rows(cache: Path) -> int:
    with closing(sqlite3.connect(table(cache) / "index.sqlite")) as database:
        count: int = database.execute("SELECT count(*) FROM arrays").fetchone()[0]
    return count


def assert_holds(samples: list[Sample], store: ImageStore) -> None:
    keys = store.add(samples)
    assert set(keys) == {s.id for s in samples}
    for sample in samples:
        expected = image.resize(image.decode(sample.image_path), SIDE, SIDE)
        assert np.array_equal(store.pixels(keys[sample.id]), expected)


def test_every_picture_is_decoded_once(samples: list[Sample], decoded: list[Path]) -> None:
    store = ImageStore(Preprocessing(SIDE))
    keys = store.add(samples)
    assert sorted(decoded) == sorted({s.image_path for s in samples})
    assert len(decoded) == 12
    decoded.clear()
    assert store.add(samples) == keys
    assert ImageStore(Preprocessing(SIDE)).add(samples[:9]) == {s.id: keys[s.id] for s in samples[:9]}
    assert decoded == []
    ImageStore(Preprocessing(SIDE + 1)).add(samples)
    assert len(decoded) == 12  # another size is another table


def test_the_store_holds_what_decoding_gives(samples: list[Sample]) -> None:
    assert_holds(samples, ImageStore(Preprocessing(SIDE)))


def test_grey_takes_one_byte_a_pixel_on_disk_and_three_in_a_batch(samples: list[Sample], fresh_cache: Path) -> None:
    store = ImageStore(Preprocessing(SIDE))
    key = store.add(samples)[samples[0].id]
    assert sum(path.stat().st_size for path in table(fresh_cache).glob("*.bin")) == 12 * SIDE * SIDE
    batch = store.batch([key, key])
    assert batch.shape == (2, SIDE, SIDE, 3)
    assert all(np.array_equal(batch[1, ..., channel], store.pixels(key)) for channel in range(3))


def test_colour_and_grey_share_a_batch(samples: list[Sample]) -> None:
    colour = np.zeros((SIDE, SIDE, 3), np.uint8)
    colour[..., 1] = 200
    samples[0].image_path.write_bytes(image.encode_png(colour))
    store = ImageStore(Preprocessing(SIDE))
    keys = store.add(samples)
    batch = store.batch([keys[samples[0].id], keys[samples[-1].id]])
    assert np.array_equal(batch[0], colour)


def test_equal_bytes_under_two_names_are_one_picture(
    samples: list[Sample], decoded: list[Path], fresh_cache: Path
) -> None:
    first, other = samples[0], samples[-1]
    assert first.image_path != other.image_path
    shutil.copy(first.image_path, other.image_path)
    keys = ImageStore(Preprocessing(SIDE)).add(samples)
    assert keys[first.id] == keys[other.id]
    assert (len(decoded), rows(fresh_cache)) == (11, 11)


def test_a_picture_that_was_replaced_is_decoded_anew(samples: list[Sample], decoded: list[Path]) -> None:
    store = ImageStore(Preprocessing(SIDE))
    before = store.add(samples)
    decoded.clear()
    Image.new("L", (50, 50), 99).save(samples[0].image_path)
    after = store.add(samples)
    assert decoded == [samples[0].image_path]
    assert {key for key in before if before[key] != after[key]} == {s.id for s in samples[:4]}
    assert (store.pixels(after[samples[0].id]) == 99).all()


def test_a_bad_picture_is_named_with_its_row_and_nothing_else_is_lost(samples: list[Sample]) -> None:
    whole = len(samples)
    samples[0].image_path.write_bytes(samples[0].image_path.read_bytes()[:300])
    samples[-1].image_path.unlink()
    store = ImageStore(Preprocessing(SIDE))
    with pytest.raises(DataError, match=r"xmlab.*--skip-bad"):
        store.add(samples)
    for _ in range(2):  # the second time the good ones come from the table
        problems = Problems(skip=True)
        keys = store.add(samples, problems)
        assert len(keys) == whole - 8
        gone, cut = sorted(problems.found, key=lambda found: "broken" in found)
        assert "xmlab11/source.jpg does not exist. It is the picture of" in gone
        assert "test.json, row 13 (and 3 more rows)." in gone
        assert "xmlab0/source.jpg is broken or cut off" in cut
        assert "train.json, row 1 (and 3 more rows)." in cut
        assert len(problems.found) == 2


def test_a_store_of_only_bad_pictures_is_empty_and_says_so(samples: list[Sample]) -> None:
    for sample in samples:
        sample.image_path.write_bytes(b"no picture of " + sample.image.encode())
    problems = Problems(skip=True)
    assert ImageStore(Preprocessing(SIDE)).add(samples, problems) == {}
    assert len(problems.found) == 12


def test_damage_on_disk_is_found(samples: list[Sample], fresh_cache: Path) -> None:
    keys = ImageStore(Preprocessing(SIDE)).add(samples)
    (shard,) = table(fresh_cache).glob("*.bin")
    content = bytearray(shard.read_bytes())
    content[5] ^= 1
    shard.write_bytes(content)
    store = ImageStore(Preprocessing(SIDE))
    with pytest.raises(DataError, match=r"\.bin is damaged; delete the folder"):
        store.batch(list(keys.values()))


BUILD = """
import os, signal, sys, time
from pathlib import Path
from radvqa.data import image, registry, store
from radvqa.table import Table

moment, number = sys.argv[1], int(sys.argv[2])
counts = {"decode": 0, "rename": 0, "index": 0}
store._PICTURES_PER_SHARD, store._PICTURES_IN_FLIGHT = 4, 2
decode, replace, append = image.decode, Path.replace, Table.append

def reached(what, when):
    if moment == when and counts[what] == number:
        os.kill(os.getpid(), signal.SIGKILL)

def counted_decode(source):
    counts["decode"] += 1
    reached("decode", "decoding")
    if moment == "slowly":
        time.sleep(0.02)
    return decode(source)

def counted_replace(self, target):
    counts["rename"] += 1
    reached("rename", "before the rename")
    replace(self, target)
    reached("rename", "after the rename")

def counted_append(self, arrays):
    append(self, arrays)
    counts["index"] += 1
    reached("index", "after the index")

image.decode, Path.replace, Table.append = counted_decode, counted_replace, counted_append
store.ImageStore(store.Preprocessing(16)).add(registry.load("slake:en"))
print(counts["decode"])
"""


@pytest.mark.parametrize(
    ("moment", "number", "left"),
    [
        ("decoding", 1, 12),
        ("decoding", 7, 8),  # the first shard of four is whole
        ("before the rename", 2, 8),
        ("after the rename", 2, 8),  # the second shard lies there, but the index does not name it
        ("after the index", 2, 4),
    ],
)
def test_a_killed_builder_leaves_what_the_next_completes(
    samples: list[Sample], decoded: list[Path], fresh_cache: Path, moment: str, number: int, left: int
) -> None:
    killed = python(BUILD, moment, number)
    assert killed.returncode == -9, killed.stderr
    store = ImageStore(Preprocessing(SIDE))
    store.add(samples)
    assert len(decoded) == left
    assert_holds(samples, store)
    with closing(sqlite3.connect(table(fresh_cache) / "index.sqlite")) as database:
        named = {row[0] for row in database.execute("SELECT DISTINCT shard FROM arrays")}
    assert {path.name for path in table(fresh_cache).iterdir()} == {*named, ".lock", "index.sqlite"}


def test_two_builders_at_once_share_the_work_and_make_one_table(samples: list[Sample], fresh_cache: Path) -> None:
    builders = [starting(["-c", BUILD, "slowly", 0]) for _ in range(2)]
    ended = [builder.communicate() for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0], ended
    assert sorted(int(out) for out, _ in ended) == [0, 12]
    assert rows(fresh_cache) == 12
    assert_holds(samples, ImageStore(Preprocessing(SIDE)))

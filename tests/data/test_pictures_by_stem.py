"""Pictures under another suffix than the rows name."""

from pathlib import Path

import pytest

from radvqa.data.pictures_by_stem import PicturesByStem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "a.jpg", "b.JPEG", "c.txt", "1.2.3.webp", "deep/b.png", "d.bmp", "d.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.jpg", "a.jpg"),  # as named, although a.png comes first
        ("a.tif", "a.png"),
        ("a", "a.png"),
        ("b.png", "b.JPEG"),
        ("deep/b.jpg", "deep/b.png"),
        ("1.2.3.png", "1.2.3.webp"),
        ("1.2.3", "1.2.3.webp"),
        ("d", "d.bmp"),
        ("c.png", "c.png"),  # a text is no picture
        ("gone.png", "gone.png"),
        ("../secret.png", "../secret.png"),
    ],
)
def test_a_picture_is_found_by_its_stem(folder: Path, name: str, found: str) -> None:
    assert PicturesByStem(folder).path(name) == folder / found


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert PicturesByStem(tmp_path / "gone").path("a.png") == tmp_path / "gone" / "a.png"

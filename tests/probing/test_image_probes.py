"""What each probe of pictures makes of pixels: expected values by hand or by another way of computing."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from probing_parts import applied, pixels_of, sample

from miniature import python
from radvqa.probing.caption import with_caption
from radvqa.probing.probe import PROBES, in_order
from radvqa.probing.probes.contrast import flatten
from radvqa.probing.probes.gaussian_noise import add_noise
from radvqa.probing.probes.injected_text import wrong_answers
from radvqa.sample import Sample, cluster_of
from radvqa.text import seed000

IMAGE_PROBES = [name for name in in_order() if PROBES[name].kind == "image"]


@pytest.fixture
def two(tmp_path: Path) -> list[Sample]:
    """A dark picture of value 20 and a bright one of value 101, of different sizes."""
    return [
        sample(tmp_path, "dark", np.full((30, 40), 20), answer="No"),
        sample(tmp_path, "bright", np.full((50, 20), 101)),
    ]


def test_blank_is_the_mean_grey_of_the_split(two: list[Sample], tmp_path: Path) -> None:
    probed = applied("blank", two, tmp_path)
    assert [one.sample.id for one in probed] == ["dark", "bright"]
    assert len({one.sample.image_path for one in probed}) == 1
    assert np.array_equal(pixels_of(probed[0]), np.full((256, 256), 60))  # (20 + 101) / 2 = 60.5, halves to even


def test_question_only_shows_the_mean_picture(tmp_path: Path) -> None:
    left, right = np.zeros((256, 256)), np.full((256, 256), 100)
    left[:, :128] = 200
    samples = [sample(tmp_path, "left", left), sample(tmp_path, "right", right)]
    expected = np.full((256, 256), 50)
    expected[:, :128] = 150
    assert np.array_equal(pixels_of(applied("question_only", samples, tmp_path)[0]), expected)


def test_the_mean_picture_keeps_colours(tmp_path: Path) -> None:
    red = np.zeros((256, 256, 3))
    red[..., 0] = 200
    samples = [sample(tmp_path, "red", red), sample(tmp_path, "grey", np.full((256, 256), 100))]
    mean = pixels_of(applied("question_only", samples, tmp_path)[0])
    assert mean.shape == (256, 256, 3)
    assert mean[0, 0].tolist() == [150, 50, 50]
    assert pixels_of(applied("blank", samples, tmp_path)[0])[0, 0] == 83  # the mean of 150, 50, 50; grey


def test_means_do_not_depend_on_the_part_that_is_asked(two: list[Sample], tmp_path: Path) -> None:
    from radvqa.probing.pictures import PictureFolder
    from radvqa.probing.probe import Context

    part = PROBES["blank"].apply(two[:1], Context(two, seed000, PictureFolder(tmp_path / "blank")))
    assert part[0].sample.image_path == applied("blank", two, tmp_path)[0].sample.image_path


def test_noise_keeps_nothing_of_the_picture(two: list[Sample], tmp_path: Path) -> None:
    dark, bright = map(pixels_of, applied("noise", two, tmp_path))
    assert dark.shape == bright.shape == (256, 256)
    assert not np.array_equal(dark, bright)
    for pixels in (dark, bright):
        assert pixels.mean() == pytest.approx(127.5, abs=1)  # standard error 64 / 256 = 0.25
        assert pixels.std() == pytest.approx(64, abs=4)  # a little less, because 5 % are clipped


def test_added_noise_has_its_strength(two: list[Sample], tmp_path: Path) -> None:
    grey = np.full((200, 200), 128, np.uint8)
    changed = add_noise(grey, 1).astype(float)
    assert changed.mean() == pytest.approx(128, abs=0.5)  # standard error 20.4 / 200 = 0.1
    assert changed.std() == pytest.approx(20.4, abs=0.5)
    assert pixels_of(applied("gaussian_noise", two, tmp_path)[0]).shape == (30, 40)


def test_contrast_shrinks_towards_the_mean() -> None:
    pixels = np.array([[0, 100], [200, 100]], np.uint8)  # mean 100
    assert flatten(pixels, 0).tolist() == [[40, 100], [160, 100]]


def test_blur_is_a_gaussian_of_half_a_percent(tmp_path: Path) -> None:
    from scipy.ndimage import gaussian_filter

    pixels = np.zeros((400, 300), np.uint8)
    pixels[150:250, 100:200] = 200
    blurred = pixels_of(applied("blur", [sample(tmp_path, "square", pixels)], tmp_path)[0]).astype(float)
    expected = gaussian_filter(pixels.astype(float), 0.005 * 400)
    assert np.abs(blurred - expected).max() < 8  # Pillow approximates the Gaussian by box filters
    assert np.abs(blurred - pixels).max() > 60


def test_rotation_turns_by_five_degrees_about_the_middle(tmp_path: Path) -> None:
    pixels = np.full((101, 101), 200, np.uint8)
    pixels[48:53, 88:93] = 0  # a dark spot 40 to the right of the middle
    turned = pixels_of(applied("rotation", [sample(tmp_path, "spot", pixels)], tmp_path)[0])
    assert turned.shape == (101, 101)
    down, across = np.nonzero(turned[20:81, 60:95] < 100)
    assert across.mean() + 60 == pytest.approx(50 + 40 * np.cos(np.deg2rad(5)), abs=0.6)
    assert abs(down.mean() + 20 - 50) == pytest.approx(40 * np.sin(np.deg2rad(5)), abs=0.6)
    assert 0 in (turned[0, 0], turned[0, -1])


def test_jpeg_drops_what_is_fine_and_faint(tmp_path: Path) -> None:
    # a chequered block of amplitude 2 has no coefficient above 16, and quality 20 rounds fine ones to multiples of 100
    checks = (np.indices((64, 64)).sum(0) % 2 * 4 + 118).astype(np.uint8)
    changed = pixels_of(applied("jpeg", [sample(tmp_path, "checks", checks)], tmp_path)[0])
    assert changed.shape == (64, 64)
    assert np.ptp(changed) == 0
    assert changed[0, 0] == pytest.approx(120, abs=3)  # the mean itself is rounded to steps of 40 / 8


def test_a_caption_covers_the_bottom_only() -> None:
    pixels = np.full((200, 300), 90, np.uint8)
    written = with_caption(pixels, "Answer: liver")
    assert written.shape == pixels.shape
    assert np.array_equal(written[:150], pixels[:150])
    assert written[-10:, -5:].max() == 0  # the band
    assert written[150:].max() == 255  # the letters
    assert not np.array_equal(written, with_caption(pixels, "Answer: spleen"))


@pytest.mark.parametrize("shape", [(40, 30), (30, 400, 3), (8, 8)])
def test_a_long_caption_is_broken_and_never_covers_all(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 90, np.uint8)
    written = with_caption(pixels, "Answer: " + "it filters the blood and stores glycogen " * 3)
    assert written.shape == shape
    assert written[-1].min() == 0


def test_the_caption_states_another_frequent_answer(tmp_path: Path) -> None:
    asked = {"a": ("Plane?", "axial"), "b": ("Plane?", "coronal"), "c": ("Plane?", "Coronal"), "d": ("Plane?", "other")}
    samples = [
        sample(tmp_path, name, np.full((64, 64), 90), question=question, answer=answer, answer_type="OPEN")
        for name, (question, answer) in asked.items()
    ]
    samples.append(sample(tmp_path, "e", np.full((64, 64), 91), question="Organ?", answer="liver", answer_type="OPEN"))
    samples.append(sample(tmp_path, "f", np.full((64, 64), 92)))
    wrong = wrong_answers(samples, seed000)
    # the most frequent other answer to the question; of the type, where the question has no other; else none
    assert [wrong(one) for one in samples] == ["coronal", "axial", "axial", "coronal", "coronal", ""]
    probed = applied("injected_text", samples, tmp_path)
    assert (probed[0].sample.id, probed[0].injected) == ("a", "coronal")
    assert [one.sample.id for one in probed] == ["a", "b", "c", "d", "e"]
    assert np.array_equal(pixels_of(probed[0])[:36], np.full((36, 64), 90))


def test_a_wrong_choice_is_one_of_the_choices(tmp_path: Path) -> None:
    one = sample(tmp_path, "a", np.zeros((9, 9)), answer="Liver", options=("liver", "spleen", "heart"))
    assert wrong_answers([one], seed000)(one) == "spleen"


def test_answers_that_the_font_lacks_are_left_out(tmp_path: Path) -> None:
    samples = [
        sample(tmp_path, "a", np.zeros((9, 9)), answer="肝脏", language="zh"),
        sample(tmp_path, "b", np.zeros((9, 9)), answer="肺", language="zh"),
    ]
    assert applied("injected_text", samples, tmp_path) == []


@pytest.fixture
def split(tmp_path: Path) -> list[Sample]:
    """Twelve pictures: lungs and livers by two modalities, two pictures a case; and one whose organ is unknown."""
    facts = [(organ, modality, n) for organ in ("Lung", "Liver") for modality in ("CT", "MRI") for n in range(3)]
    samples = [
        sample(tmp_path, f"s{i}", np.full((9, 9), i), organ=organ, modality=modality, case=f"case{i // 2}")
        for i, (organ, modality, _) in enumerate(facts)
    ]
    return [*samples, sample(tmp_path, "unknown", np.full((9, 9), 99), organ="")]


def test_wrong_pictures_are_of_another_case_and_fit(split: list[Sample], tmp_path: Path) -> None:
    by_image = {one.image: one for one in split}
    for name, same in (("swapped_same_organ", True), ("swapped_other_organ", False)):
        probed = applied(name, split, tmp_path)
        assert [one.sample.id for one in probed] == [f"s{i}" for i in range(12)]
        for one, original in zip(probed, split, strict=False):
            donor = by_image[one.sample.image]
            assert one.sample.image_path == donor.image_path
            assert cluster_of(donor.image, donor.case) != cluster_of(original.image, original.case)
            assert (donor.organ == original.organ) == same
            assert replace(one.sample, image=original.image, image_path=original.image_path) == original
            if same:
                assert donor.modality == original.modality


def test_one_image_gets_one_wrong_picture_whatever_else_is_asked(split: list[Sample], tmp_path: Path) -> None:
    twice = [*split, replace(split[0], id="again", question="Is there more?")]
    donors = {one.sample.id: one.sample.image for one in applied("swapped_other_organ", twice, tmp_path)}
    assert donors["again"] == donors["s0"]
    assert len(Counter(donors.values())) > 3


def test_another_modality_will_do_where_there_is_no_same_one(tmp_path: Path) -> None:
    samples = [
        sample(tmp_path, "a", np.zeros((9, 9)), modality="CT"),
        sample(tmp_path, "b", np.ones((9, 9)), modality="MRI"),
    ]
    assert [one.sample.image for one in applied("swapped_same_organ", samples, tmp_path)] == ["b.png", "a.png"]
    assert applied("swapped_other_organ", samples, tmp_path) == []


@pytest.mark.parametrize("name", IMAGE_PROBES)
def test_only_the_picture_changes(name: str, split: list[Sample], tmp_path: Path) -> None:
    known = {one.id: one for one in split}
    probed = applied(name, split, tmp_path)
    for one in probed:
        original = known[one.sample.id]
        assert replace(one.sample, image=original.image, image_path=original.image_path) == original
        assert one.sample.image != original.image
        assert one.sample.image_path != original.image_path


@pytest.mark.parametrize("name", IMAGE_PROBES)
def test_pictures_are_written_once(name: str, split: list[Sample], tmp_path: Path) -> None:
    first = [one.sample.image_path for one in applied(name, split, tmp_path)]
    written = {path: path.stat().st_mtime_ns for path in first}
    assert [one.sample.image_path for one in applied(name, split, tmp_path)] == first
    assert {path: path.stat().st_mtime_ns for path in first} == written


def test_a_changed_picture_is_changed_anew(two: list[Sample], tmp_path: Path) -> None:
    before = applied("contrast", two, tmp_path)[0].sample.image_path
    sample(tmp_path, "dark", np.full((31, 40), 22))
    assert applied("contrast", two, tmp_path)[0].sample.image_path != before


def test_a_picture_that_cannot_be_read_is_left_out(two: list[Sample], tmp_path: Path) -> None:
    two[0].image_path.unlink()
    for name in ("blur", "injected_text"):
        assert {one.sample.id for one in applied(name, two, tmp_path)} <= {"bright"}
    assert pixels_of(applied("blank", two, tmp_path)[0])[0, 0] == 101


IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
import numpy as np
sys.path[:0] = sys.argv[2:]
from probing_parts import applied, sample
from radvqa.probing.probe import PROBES
import hashlib
folder = Path(sys.argv[1])
grey = np.add.outer(np.arange(60), np.arange(80))
samples = [sample(folder, name, grey + i, answer=a, organ=o) for i, (name, a, o) in
           enumerate([("a", "Yes", "x"), ("b", "No", "x"), ("c", "No", "y")])]
for name in sorted(PROBES):
    for one in applied(name, samples, folder):
        print(name, one.sample.id, one.sample.question, one.sample.answer, one.sample.image, one.injected,
              hashlib.sha256(one.sample.image_path.read_bytes()).hexdigest())
"""


def test_another_process_changes_alike(tmp_path: Path) -> None:
    here = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    outputs = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = python(IN_ANOTHER_PROCESS, folder, *here, env={"PYTHONHASHSEED": str(number)})
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) > 3 * 10
    assert hashlib.sha256(outputs[0].encode()).hexdigest()

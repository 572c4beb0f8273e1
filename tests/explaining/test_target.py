"""What a question is about, among labelled regions."""

import numpy as np
import pytest

from radvqa.data import registry
from radvqa.explaining.evidence.target import pixels, target
from radvqa.sample import Region

LEFT = Region("Left Lung", (0.0, 0.0, 0.25, 1.0))
RIGHT = Region("Right Lung", (0.75, 0.0, 0.25, 1.0))
LIVER = Region("Liver", (0.25, 0.5, 0.25, 0.5))
CANCER = Region("Liver Cancer", (0.25, 0.5, 0.125, 0.125), "finding")
EDEMA = Region("Brain Edema", (0.5, 0.0, 0.25, 0.25), "finding")
STEM = Region("Brain Stem", (0.5, 0.5, 0.25, 0.25))
ALL = (LEFT, RIGHT, LIVER, CANCER, EDEMA, STEM)


@pytest.mark.parametrize(
    ("question", "answer", "meant"),
    [
        ("Does the picture contain lung?", "Yes", (LEFT, RIGHT)),
        ("Are the lungs healthy?", "No", (LEFT, RIGHT, CANCER, EDEMA)),
        ("Is the left lung abnormal?", "Yes", (LEFT, CANCER, EDEMA)),
        ("Where is the right lung?", "Left", (RIGHT,)),
        ("Which is bigger, the left lung or the right lung?", "Left lung", (LEFT, RIGHT)),
        ("Where is the liver?", "Right", (LIVER,)),
        ("Where is the liver cancer?", "Right", (LIVER, CANCER)),
        ("Is there a tumor?", "Yes", (CANCER,)),
        ("What disease is shown?", "Liver Cancer", (CANCER, EDEMA)),
        ("What is the largest organ?", "Liver", (LIVER,)),
        ("Where is the brain-stem?", "In the middle", (STEM,)),
        ("What modality is this?", "CT", ()),
        ("Is there a delivery of gas?", "No", ()),
    ],
)
def test_regions_that_are_meant(question: str, answer: str, meant: tuple[Region, ...]) -> None:
    found = target(question, answer, ALL, 16, 16)
    if not meant:
        assert found is None
        return
    assert found is not None
    assert np.array_equal(found, np.any([pixels(region, 16, 16) for region in meant], 0))


def test_pixels_of_boxes_and_masks() -> None:
    assert pixels(LEFT, 4, 8).sum() == 4 * 2
    tiny = Region("Nodule", (0.99, 0.99, 0.001, 0.001), "finding")
    assert np.argwhere(pixels(tiny, 4, 8)).tolist() == [[3, 7]]
    mask = np.zeros((8, 8), bool)
    mask[1, 6] = True
    seen = Region("Nodule", (0, 0, 1, 1), mask=mask)
    assert np.argwhere(pixels(seen, 4, 4)).tolist() == [[0, 3]]
    assert pixels(seen, 16, 16).sum() == 4
    assert np.array_equal(pixels(seen, 8, 8), mask)


@pytest.mark.real_data
def test_slakes_questions_about_labelled_places() -> None:
    selection = registry.select("slake:en")
    samples = registry.load_split("slake:en", "test")
    regions = {image: selection.data_set.regions(selection.folder, image) for image in {s.image for s in samples}}
    assert (len(regions), sum(map(bool, regions.values())), sum(map(len, regions.values()))) == (96, 87, 231)
    about = [s for s in samples if target(s.question, s.answer, regions[s.image], 32, 32) is not None]
    assert len(about) == 372

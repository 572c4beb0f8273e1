"""What is known of questions and pictures: templates, thirds, quality, looks, and the groups made of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import answers
from PIL import Image, ImageDraw, ImageFont

from radvqa.diagnosing.clusters import cluster_names, clustered
from radvqa.diagnosing.dimensions import DIMENSIONS
from radvqa.diagnosing.groups import cut
from radvqa.diagnosing.looks import Looks, grey_looks
from radvqa.diagnosing.material import material
from radvqa.diagnosing.quality import Quality, measured, quality_of
from radvqa.diagnosing.ranking import ranked
from radvqa.diagnosing.shortcuts import associations
from radvqa.diagnosing.template import beginning, templates
from radvqa.diagnosing.thirds import thirds
from radvqa.explaining.evidence.kept import Measured


@pytest.mark.parametrize(
    ("question", "template"),
    [
        ("Is the left lung healthy?", "is the [organ] [state]"),
        ("Is the liver abnormal?", "is the [organ] [state]"),
        ("How many kidneys are there in this image?", "how many [organ] are there in this image"),
        ("Is this a CT or an MRI?", "is this a [modality] or an [modality]"),
        ("Are there 2 nodules?", "are there [number] [finding]"),
        ("", ""),
        ("图中有什么?", ""),
    ],
)
def test_templates_by_hand(question: str, template: str) -> None:
    frame = ["Is the x healthy?", "How many are there in this image?", "Is this a an or?", "Are there in the image?"]
    others = [f"{text} {number}" for number in "abcd" for text in frame]
    assert templates([question, *others])[0] == template


def test_rare_words_are_masked_and_what_remains_is_shared() -> None:
    asked = [f"Where does the {word} end?" for word in ("catheter", "line", "tube", "wire", "drain")]
    assert set(templates(asked)) == {"where does the … end"}
    assert templates(["Zebra?"]) == [""]  # nothing but rare words is no template


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=20))
def test_templates_of_any_text(questions: list[str]) -> None:
    found = templates(questions)
    assert len(found) == len(questions)
    assert templates(list(reversed(questions))) == list(reversed(found))


def test_beginnings() -> None:
    assert beginning("Is/are there any?") == "is/are there"
    assert beginning("?") == ""


def test_thirds_count_pictures_and_take_ties_together() -> None:
    assert set(thirds({str(n): float(n) for n in range(9)}, str).values()) == {
        "low (below 3.0)",
        "middle (3.0 to 6.0)",
        "high (6.0 and more)",
    }
    assert thirds({"a": 1.0, "b": 1.0}, str) == {}
    assert thirds({}, str) == {}
    two = thirds({"a": 0.0, "b": 0.0, "c": 0.0, "d": 5.0, "e": 5.0}, str)
    assert two["a"] == "below 5.0"
    assert two["d"] == "5.0 and more"


def drawn(folder: Path, name: str, *, text: str = "", frame: int = 0, spread: int = 200) -> Path:
    y, x = np.mgrid[-1:1:200j, -1:1:240j]
    grey = 20 + spread * np.exp(-(((x / 0.5) ** 2 + (y / 0.6) ** 2) ** 2))
    grey += np.random.default_rng(len(name)).normal(0, 2, grey.shape)
    picture = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
    if text:
        ImageDraw.Draw(picture).text((6, 4), text, fill=255, font=ImageFont.load_default(16))
    if frame:
        framed = Image.new("L", (240 + 2 * frame, 200 + 2 * frame))
        framed.paste(picture, (frame, frame))
        picture = framed
    picture.save(folder / f"{name}.png")
    return folder / f"{name}.png"


def test_quality_sees_what_was_drawn(tmp_path: Path) -> None:
    paths = {
        "plain": drawn(tmp_path, "plain"),
        "faint": drawn(tmp_path, "faint", spread=40),
        "text": drawn(tmp_path, "text", text="PORTABLE 1234"),
        "framed": drawn(tmp_path, "framed", frame=30),
        "gone": tmp_path / "gone.png",
    }
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    found = measured({**paths, "broken": tmp_path / "broken.png"})
    assert set(found) == {"plain", "faint", "text", "framed"}
    assert (found["plain"].width, found["plain"].height) == (240, 200)
    assert found["faint"].contrast < 0.4 * found["plain"].contrast
    assert found["text"].text > 0.01 > found["plain"].text == 0
    assert found["framed"].border == pytest.approx(1 - 240 * 200 / (300 * 260), abs=0.01)
    assert found["plain"].border < 0.06  # the faint edge of the ellipse is of one shade
    assert measured(paths) == {name: found[name] for name in ("plain", "faint", "text", "framed")}  # from the cache


def test_quality_of_the_smallest_pictures() -> None:
    for shape in ((1, 1), (1, 5), (3, 3, 3)):
        assert quality_of(np.full(shape, 7, np.uint8)).contrast == 0


def looks(*centres: float) -> Looks:
    draw = np.random.default_rng(1)
    rows = [centre + draw.normal(0, 0.1, 20) for centre in centres for _ in range(12)]
    return Looks(tuple(f"image{n:03d}.png" for n in range(len(rows))), np.array(rows, np.float32), "made up")


def test_clusters_are_what_lies_together_and_named_by_labels() -> None:
    made = looks(0.0, 3.0, 9.0)
    member = clustered(made)
    assert len(set(member.values())) == 4  # the root of 36 / 2 is 4.2
    for start in (0, 12, 24):
        own = {member[f"image{n:03d}.png"] for n in range(start, start + 12)}
        other = {number for name, number in member.items() if not start <= int(name[5:8]) < start + 12}
        assert not own & other
    assert clustered(made) == member
    names = cluster_names(
        {"a": 1, "b": 1, "c": 2}, [replace(p, image=i) for p, i in zip(answers(3)[::4], "abc", strict=True)]
    )
    assert names["c"] == "cluster 2: Brain MRI"
    assert names["a"].startswith("cluster 1")
    assert clustered(Looks(("a",), np.zeros((1, 3), np.float32), "")) == {}


def test_equal_pictures_do_not_stop_clustering() -> None:
    same = Looks(tuple(map(str, range(40))), np.ones((40, 5), np.float32), "")
    assert set(clustered(same)) == set(map(str, range(40)))


def test_grey_looks_need_no_weights(tmp_path: Path) -> None:
    found = grey_looks({"a": drawn(tmp_path, "a"), "gone": tmp_path / "gone.png"})
    assert found.names == ("a",)
    assert found.vectors.shape == (1, 32 * 32)


def quality(**values: float) -> Quality:
    plain = dict.fromkeys(Quality.__slots__, 0.0)
    return Quality(**{**plain, "width": 512.0, "height": 512.0, "contrast": 0.5, **values})


def test_every_dimension_labels_every_question() -> None:
    predictions = [replace(p, answer_count=n % 30, question_seen=n % 2 == 0) for n, p in enumerate(answers(30))]
    measures = {
        f"image{n:03d}.png": quality(text=n % 2, contrast=n / 30, border=n / 40, markers=n % 3) for n in range(29)
    }
    maps = [
        Measured(p.id, hit=float(n % 2), energy=0.2, area=0.1, outside_body=n / 120, on_text=0.0)
        for n, p in enumerate(predictions[:100])
    ]
    made = material(
        predictions, quality=measures, look={name: f"cluster {1 + n % 2}" for n, name in enumerate(measures)}, maps=maps
    )
    for name, dimension in DIMENSIONS.items():
        labels = dimension.labels(made)
        assert len(labels) == len(made), name
        assert all(isinstance(label, str) for label in labels)
    assert set(DIMENSIONS["target"].labels(made)) == {"its peak off target", "its peak on target", ""}
    assert DIMENSIONS["text"].labels(made)[-1] == ""  # the last picture was not measured
    assert "10 to 29 times" not in DIMENSIONS["answer_frequency"].labels(made)


def test_questions_without_a_map_are_not_what_maps_are_compared_with() -> None:
    predictions = answers(60, chance=lambda p: 0.2 if p.question_type == "Position" else 0.95, seed=1)
    maps = [Measured(p.id, hit=float(int(p.image[5:8]) % 4 < 2)) for p in predictions if p.question_type == "Position"]
    made = material(predictions, maps=maps)
    groups = [group for group in cut(made).groups if group.parts[0][0] == "target"]
    assert groups
    assert all(len(group.among) == 60 for group in groups)
    assert not any(one.sure and one.group.parts[0][0] == "target" for one in ranked(made, cut(made)).failing)


def test_a_model_that_follows_a_marker_is_caught_and_an_honest_one_is_not() -> None:
    marked = {f"image{n:03d}.png": quality(markers=n % 2) for n in range(90)}

    def said(follows: bool) -> list[str]:
        predictions = []
        for n, p in enumerate(answers(90, chance=lambda p: 0.9)):
            beside = int(p.image[5:8]) % 2 == 1
            p = replace(p, modality="CT")
            if follows and p.question_type == "Size" and beside and n % 3:
                p = replace(p, prediction="Yes")
            predictions.append(p)
        found = associations(material(predictions, quality=marked))
        return [one.outcome for one in found if one.adjusted < 0.05 and one.difference > 0 and one.cue == "marker"]

    assert "yes" in said(follows=True)
    assert said(follows=False) == []
    assert associations(material(answers(30))) == []  # no picture was measured

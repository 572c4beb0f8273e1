"""Checks of maps: random weights come and go, equal maps are equal, and a map that ignores the model is flagged."""

import numpy as np
import pytest
import torch
from torch import nn

from radvqa.explaining.evidence.body import body, letters, share_in
from radvqa.explaining.evidence.sanity import alike, made_random
from radvqa.explaining.summary import summarise
from radvqa.explaining.table import flagged, other_question, packed, unpacked
from radvqa.report.explained import explained_page


def net() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))


def test_weights_are_random_in_the_block_and_come_back() -> None:
    model = net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with made_random(model, 0.34):
        inside = model.state_dict()
        assert torch.equal(inside["0.weight"], before["0.weight"])
        assert not torch.equal(inside["2.weight"], before["2.weight"])
        assert float(inside["2.weight"].std()) == pytest.approx(float(before["2.weight"].std()), rel=0.6)
    with pytest.raises(RuntimeError, match="shape"), made_random(model, 1.0):
        model(torch.zeros(1, 5))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_maps_are_compared_by_rank() -> None:
    heat = np.random.default_rng(0).random((64, 48)).astype(np.float32)
    assert alike(heat, heat**2) > 0.9  # a growing change of every pixel keeps most ranks of cells
    assert alike(heat, 3 * heat + 1) == pytest.approx(1)
    assert alike(heat, -heat) == pytest.approx(-1)
    flat = np.zeros_like(heat)
    assert (alike(flat, flat), alike(flat, heat)) == (1.0, 0.0)


def test_methods_that_ignore_weights_or_question_are_flagged() -> None:
    assert flagged({"all_random": 0.95, "other_question": 0.2}) == [
        "stays the same when the model's weights are random"
    ]
    assert flagged({"all_random": 0.1, "other_question": 1.0}) == ["stays the same when another question is asked"]
    assert flagged({"all_random": 0.1, "other_question": 0.1}) == []
    assert flagged({}) == []


def test_the_other_side_is_asked_about() -> None:
    assert other_question("Is the left lung healthy?") == "Is the right lung healthy?"
    assert other_question("What is on the Right?") == "What is on the left?"
    assert other_question("Which organ?") == "What modality is used to take this image?"
    assert other_question("What modality is used to take this image?") == "Which organ is shown?"


def test_maps_are_packed_small_and_keep_their_shape() -> None:
    heat = np.zeros((100, 60), np.float32)
    heat[:25, :30] = 4.0
    grid = unpacked(packed(heat))
    assert grid.shape == (24, 24)
    assert grid[0, 0] == 1
    assert grid[-1, -1] == 0
    assert unpacked(packed(np.zeros((5, 5), np.float32))).max() == 0


def test_a_body_is_what_is_not_dark_ground_and_letters_are_found() -> None:
    from PIL import Image, ImageDraw

    drawn = Image.new("L", (200, 200), 4)
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((50, 40, 150, 170), fill=140)
    pen.ellipse((80, 80, 120, 120), fill=6)  # a cavity belongs to the body
    pen.text((8, 6), "LEFT AP", fill=250)
    picture = np.asarray(drawn)
    inside = body(picture)
    assert inside[100, 100]
    assert not inside[190, 10]
    marked = letters(picture)
    assert marked.any()
    assert not marked[100, 100]
    heat = np.zeros((200, 200), np.float32)
    heat[100, 100] = 3
    assert (share_in(heat, inside), share_in(heat, marked)) == (1.0, 0.0)
    assert body(np.zeros((8, 8), np.uint8)).all()


def test_a_summary_counts_pictures_as_clusters_and_holds_methods_against_the_centre() -> None:
    rows = []
    for number in range(8):
        name = f"q{number}"
        rows += [
            {"id": name, "method": "raw", "hit": 1.0, "energy": 0.5, "area": 0.1, "flat": False, "other_question": 0.9},
            {
                "id": name,
                "method": "baseline:centre",
                "hit": float(number % 2),
                "energy": 0.2,
                "area": 0.1,
                "flat": False,
            },
        ]
    found = summarise(rows, {f"q{number}": f"picture{number // 2}" for number in range(8)})
    assert (found["questions"], found["with_place"]) == (8, 8)
    raw = found["methods"]["raw"]
    assert raw["hit"] == {"mean": 1.0, "interval": [1.0, 1.0], "n": 8}
    assert raw["hit_above_centre"]["mean"] == 0.5
    assert raw["energy_above_centre"] == {"mean": 0.3, "interval": [0.3, 0.3], "n": 8}
    assert raw["flags"] == ["stays the same when another question is asked"]
    assert "deletion" not in raw


def test_the_page_of_a_split_says_how_to_make_it_again_and_who_beats_the_middle() -> None:
    rows = []
    for number in range(8):
        for name, energy in (("raw", 0.5), ("rollout", 0.05), ("baseline:centre", 0.2)):
            rows.append({"id": f"q{number}", "method": name, "hit": 1.0, "energy": energy, "area": 0.1})
    summary = summarise(rows, {f"q{number}": f"picture{number // 2}" for number in range(8)})
    plan = {"methods": ("raw", "rollout", "flow"), "faithful": 3, "sane": 1, "seed": 0}
    found = {"run": "runs/a", "data": "d:v", "split": "test", "plan": plan, "limit": 8, "summary": summary}
    page = explained_page(found)
    methods = "--method raw --method rollout --method flow"
    numbers = "--faithful 3 --sane 1 --seed 0 --limit 8"
    assert f"radvqa explain runs/a --data d:v --split test {methods} {numbers} --markdown FILE" in page
    assert "raw: hit +0.0 [+0.0, +0.0], energy +30.0 [+30.0, +30.0] points; by energy better than the middle." in page
    assert "flow: no map of any question" in page
    assert "by energy worse than the middle" in page
    assert "8 of 8 questions are about a labelled place" in page

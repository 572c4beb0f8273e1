"""The page of results: what was reached, what differs, what is missing, all from run folders."""

from pathlib import Path
from typing import Any

import pytest
from results_pages import QUESTIONS, answering, cells, page, probed, row

from radvqa import files
from radvqa.errors import RadvqaError, RunError
from radvqa.report.results_page.ablation import _within
from radvqa.report.results_page.numbers import met
from radvqa.report.results_page.page import MOST_LINES, opening
from radvqa.report.results_page.part import Part


def headline(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "headline", "title": "SLAKE", "data": "slake:en", "rows": list(rows), **more}


def ablation(*variants: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "ablation", "title": "Parts", "base": row("Base", "base"), "variants": list(variants)}


@pytest.mark.parametrize(
    ("value", "wanted", "said"),
    [
        (80.0, 80, "met, 0.0"),
        (81.34, 80, "met, +1.3"),
        (78.4, 80, "missed, −1.6"),
        (79.97, 80, "missed, −0.03"),
        (80.02, 80, "met, +0.02"),
    ],
)
def test_met_or_missed_is_never_rounded_into_its_opposite(value: float, wanted: float, said: str) -> None:
    assert met(value, wanted) == said


def test_a_number_is_met_by_the_mean_over_the_seeds(tmp_path: Path) -> None:
    for seed, wrong in enumerate((16, 20, 12)):  # 80, 75 and 85 % of 80 questions
        answering(tmp_path / "runs" / f"a-seed{seed}", wrong, seed=seed)
    answering(tmp_path / "runs" / "b", 20, name="other")
    made = page(
        tmp_path,
        headline(row("Seeds", "a-seed{0,1,2}", reach=80, moonshot=87.5), row("Alone", "b", reach=80)),
    )
    assert cells(made.text, "Seeds")[0] == "0, 1, 2"
    assert cells(made.text, "Seeds")[1].startswith("80.0 ± 5.0 [")
    assert cells(made.text, "Seeds")[-2:] == ["80: met, 0.0", "87.5: missed, −7.5"]
    assert cells(made.text, "Alone")[-2:] == ["80: missed, −5.0", "–"]
    assert made.lines == [
        "SLAKE, Seeds: 80.0 % right (mean of 3 seeds); the 80 to be reached is met, by 0.0 points, the 87.5 hoped for "
        "is missed by 7.5 points.",
        "SLAKE, Alone: 75.0 % right (one seed); the 80 to be reached is missed by 5.0 points.",
    ]
    facts = made.sections[0]["rows"]
    assert [fact["by"] for fact in facts] == [0.0, -5.0]
    low, high = facts[0]["exact_match"]["interval"]
    assert low < 0.8 < high
    assert "Seeds: met or missed is said of the mean; its interval holds 80" in made.text


def test_it_is_enough_that_one_of_either_reaches_it(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a", 40)
    answering(tmp_path / "runs" / "b", 20, name="other")
    rows = row("First", "a", reach=60), row("Second", "b", reach=60)
    assert page(tmp_path, headline(*rows, either=True)).lines == [
        "SLAKE: First 50.0 %, Second 75.0 % right; the 60 to be reached by one of them is met by Second."
    ]
    missed = tuple({**one, "reach": 90} for one in rows)
    assert (
        page(tmp_path, headline(*missed, either=True))
        .lines[0]
        .endswith("the 90 to be reached by one of them is missed by all.")
    )
    third = row("Third", "c", reach=90)
    draft = page(tmp_path, headline(*missed, third, either=True), partial=True)
    assert draft.lines[0].endswith("is not met yet, 1 to come.")


def test_a_model_that_is_too_large_reaches_nothing(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a")  # of 12,943,901 parameters
    made = page(tmp_path, headline(row("A", "a", reach=80, most_parameters=12_000_000)))
    assert cells(made.text, "A")[-1] == "80: too large"
    assert made.lines == ["SLAKE, A: 100.0 % right (one seed), but of a model with more than 12,000,000 parameters."]
    assert (
        cells(page(tmp_path, headline(row("A", "a", reach=80, most_parameters=13_000_000))).text, "A")[-1]
        == "80: met, +20.0"
    )


def test_published_rows_of_another_protocol_stand_apart_with_the_reason(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a")
    text = page(tmp_path, headline(row("A", "a"), others=["RadBloomz-7b + BiomedCLIP", "MUMC"])).text
    main, apart = text.split("### Published by another protocol, not comparable")
    assert cells(main, "M3AE (published)")[1] == "83.3"
    assert "RadBloomz" not in main
    assert cells(apart, "RadBloomz-7b + BiomedCLIP")[0] == "87.5"
    assert "The rule that decides what is correct was not published." in apart
    assert "MedVInT-TD" not in text
    with pytest.raises(RadvqaError, match="no published row is called 'MUMK'; did you mean 'MUMC'"):
        page(tmp_path, headline(row("A", "a"), others=["MUMK"]))


def test_a_run_on_other_data_has_no_place_in_the_section(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a", dataset="vqa_rad:official")
    with pytest.raises(RadvqaError, match=r"a answers vqa_rad:official test, not slake:en test"):
        page(tmp_path, headline(row("A", "a")))


def test_what_is_not_distinguishable_is_said_with_what_goes_unseen(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "base", 40)
    answering(tmp_path / "runs" / "one", 41, changed={"training.epochs": 13})
    answering(tmp_path / "runs" / "all", QUESTIONS, changed={"training.epochs": 14})
    answering(tmp_path / "runs" / "none", 0, changed={"training.epochs": 15})
    named = [row(label, label.lower(), differs="training.epochs") for label in ("One", "All", "None")]
    made = page(tmp_path, ablation(*named))
    # One question of 80 is lost, in one of 16 clusters of 5: the clustered standard error is 1/80, and a test at 5 %
    # finds 2.8016 of it with 80 % power.
    assert cells(made.text, "One")[2].startswith("−1.2 [")
    assert cells(made.text, "One")[4] == "not distinguishable; below 3.5 goes unseen"
    assert [cells(made.text, label)[4] for label in ("All", "None")] == ["worse", "better"]
    assert made.lines == [
        "Parts: 3 of 3 variants tested against Base; better: None (+50.0 [+25.0, +75.0]); "
        "worse: All (−50.0 [−75.0, −25.0]); not distinguishable: 1."
    ]
    holm = [fact["paired"]["holm_p"] for fact in made.sections[0]["variants"]]
    raw = [fact["paired"]["bootstrap_p"] for fact in made.sections[0]["variants"]]
    assert holm[1] == pytest.approx(3 * raw[1])
    assert holm[0] == pytest.approx(raw[0])


def test_a_variant_that_differs_in_more_or_less_than_it_says_is_named(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "base")
    answering(tmp_path / "runs" / "true", changed={"training.epochs": 20, "training.seed": 4, "title": "Other"})
    answering(tmp_path / "runs" / "more", changed={"training.epochs": 20, "model.frozen": False, "model.lora.r": 4})
    answering(tmp_path / "runs" / "less", changed={"training.log_every": 3})
    section = ablation(
        row("True", "true", differs="training.epochs"),
        row("More", "more", differs=["training", "model.lora"]),
        row("Less", "less", differs="model.lora"),
        row("Unnamed", "more"),
    )
    made = page(tmp_path, section)
    assert made.sections[0]["doubts"] == [
        "More differs from the base in more than training, model.lora: also in model.frozen.",
        "Less is said to differ in model.lora, but its recipe does not.",
    ]
    assert "- More differs from the base in more than" in made.text
    assert cells(made.text, "Unnamed")[0] == "model.frozen, model.lora.r, training.epochs"
    assert cells(made.text.split("### What differs, key by key")[1], "True") == ["training.epochs", "12", "20"]


@pytest.mark.parametrize(
    ("key", "named", "within"),
    [
        ("model.lora.r", "model.lora", True),
        ("model.lora.r", "model", True),
        ("model.lora_rank", "model.lora", False),
        ("stages.2.anneal", "stages.*.anneal", True),
        ("stages.2.train", "stages.*.anneal", False),
        ("stages.2.name", "stages", True),
        ("model", "model.lora", False),
    ],
)
def test_a_section_stands_for_its_keys(key: str, named: str, within: bool) -> None:
    assert _within(key, named) is within


def blind(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "blind", "title": "Pictures", "rows": list(rows)}


def test_what_the_picture_is_worth_comes_of_the_probes(tmp_path: Path) -> None:
    for seed, after in enumerate((0.5, 0.6)):
        run = answering(tmp_path / "runs" / f"a-seed{seed}", 16, seed=seed)
        probed(run, 0.8, after)
    answering(tmp_path / "runs" / "b", 16, name="other")
    rows = row("A", "a-seed{0,1}", reach=20), row("B", "b", reach=20)
    with pytest.raises(RunError, match=r"b \(B\) is not yet probed; .*radvqa probe runs/b --only blank"):
        page(tmp_path, blind(*rows))
    made = page(tmp_path, blind(*rows), partial=True)
    assert cells(made.text, "A, mean of 2") == ["80.0", "55.0", "+25.0", "20: met, +5.0"]
    assert cells(made.text, "· a-seed1") == ["80.0", "60.0", "+20.0 [+10.0, +30.0]", ""]
    assert cells(made.text, "B")[0] == "not yet probed"
    assert made.lines == [
        "Pictures, A: +25.0 points. The 20 to be reached are met, by 5.0 points.",
        "Pictures, B: not yet probed; 20 points are to be reached.",
    ]


def test_the_leak_is_what_the_random_division_gives_more(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "official", 20, dataset="vqa_rad:official")
    answering(tmp_path / "runs" / "random", 8, dataset="vqa_rad:own")
    section: dict[str, Any] = {"kind": "protocol", "title": "Leak", "published": ["ResNet50+BERT"]}
    section |= {"official": row("O", "official"), "random": row("R", "random")}
    made = page(tmp_path, section)
    assert made.sections[0]["difference"] == pytest.approx(0.15)  # 90 minus 75 %
    low, high = made.sections[0]["interval"]
    assert low < 0.15 < high
    assert made.lines[0].startswith("Leak: the random division is worth +15.0 [")
    apart = made.text.split("Published on a random division")[1]
    assert cells(apart, "ResNet50+BERT")[0] == "60.9"


def fair(**more: Any) -> dict[str, Any]:
    section = {"kind": "fair", "title": "Which?", "discriminative": row("D", "d"), "generative": row("G", "g"), **more}
    seed = [{"method": "CNN-LSTM frozen", "budget": "50 epochs"}, {"method": "BLIP-VQA LoRA r8, 20 epochs"}]
    return {**section, "seed": seed}


def test_an_unequal_budget_is_said_beside_the_seeds_own(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "d", 20)
    answering(tmp_path / "runs" / "g", 0, name="blip", epochs=12)
    made = page(tmp_path, fair())
    assert cells(made.text, "BLIP-VQA LoRA r8, 20 epochs")[-1] == "−10.6"  # 69.27 − 79.83
    assert made.sections[0]["unequal"] == []
    assert made.lines[0].startswith("Which? Under equal budgets, G minus D is +25.0 [")
    answering(tmp_path / "runs" / "longer", 0, name="blip", epochs=24)
    unequal = page(tmp_path, fair(generative=row("G", "longer")))
    assert unequal.lines[0].startswith("Which? Not under equal budgets, G minus D is")
    assert "Not an equal comparison: different epochs, 12 (d); 24 (longer)." in unequal.text
    with pytest.raises(
        RadvqaError, match="no published row is called 'CNN-LSTM frozn'; did you mean 'CNN-LSTM frozen'"
    ):
        page(tmp_path, {**fair(), "seed": [{"method": "CNN-LSTM frozn"}]})


def test_the_page_begins_with_eight_lines_at_most_what_was_to_be_reached_first() -> None:
    parts = [
        Part([], found=["found"]),
        Part([], reached=[f"reached {n}" for n in range(MOST_LINES - 1)], found=["more"]),
    ]
    assert opening(parts) == [*(f"reached {n}" for n in range(MOST_LINES - 1)), "found"]


def test_costs_and_protocol_stand_below_the_numbers(tmp_path: Path) -> None:
    run = answering(tmp_path / "runs" / "a")
    cost: dict[str, Any] = {
        "wall_seconds": 100.0,
        "evaluation_seconds": 20.0,
        "flops": 4.2e12,
        "energy_joules": 36_000.0,
    }
    cost |= {"flops_how": "counted", "energy_how": "RAPL", "peak_gpu_memory_bytes": 2 << 30}
    cost |= {"parameters": {"total": 2900, "trainable": 960}}
    files.write_json(run.folder / "run.json", {**run.facts, "cost": cost})
    text = page(tmp_path, headline(row("A", "a"))).text
    told = cells(text.split("### What it cost")[1], "A")
    assert told == [
        "2,900",
        "960",
        "12 epochs",
        "2 m 00 s",
        "4.20 TFLOP",
        "36.0 kJ",
        "3.0 GiB",
        "2.0 GiB",
        "12 ms",
        "NVIDIA H100 80GB",
    ]
    protocol = cells(text.split("### Protocol")[1], "A")
    assert protocol[:4] == ["0", "slake:en train", "accuracy, the validate split", "slake:en test"]
    assert protocol[4:] == ["80 on 16 images", "seed000", "radvqa 0.1.0 0123abc"]

"""Which runs a page shows: names, what is missing, the commands that make them, examples drawn by lot."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from results_pages import answering, cells, page, row, write

import radvqa
from radvqa import files
from radvqa.commands.results import results
from radvqa.commands.scaling import scaling
from radvqa.data.image import decode
from radvqa.errors import RadvqaError, RunError
from radvqa.recipe import load_recipe, shipped_recipes
from radvqa.report.comparison import compare_runs
from radvqa.report.results import section as compared
from radvqa.report.results_page.again import overrides
from radvqa.report.results_page.draw import SIDE, chosen_ids, draw
from radvqa.report.results_page.plan import Runs, read_plan
from radvqa.report.results_page.shelf import Shelf
from radvqa.report.scored import load

TRIED = {"kind": "tried", "title": "Tried", "text": "Nothing else."}


def headline(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "headline", "title": "SLAKE", "data": "slake:en", "rows": list(rows)}


def test_a_missing_run_is_an_error_that_names_it_and_its_command(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a-seed0")
    rows = row("A", "a-seed{0,1,2}", recipe="slake_cnn_lstm", overrides=["model.hops=3"]), row("B", "b")
    with pytest.raises(RunError) as caught:
        page(tmp_path, headline(*rows))
    made_by = (
        "radvqa train slake_cnn_lstm model.hops=3 seed=1 --out runs/a-seed1 && radvqa predict runs/a-seed1 && "
        "radvqa score runs/a-seed1"
    )
    assert "a-seed1 (A) is not yet run" in str(caught.value)
    assert made_by in str(caught.value)
    assert "2 more are not ready either" in str(caught.value)
    made = page(tmp_path, headline(*rows), partial=True)
    assert made.missing == ["a-seed1", "a-seed2", "b"]
    assert cells(made.text, "A")[:2] == ["0 (1 of 3)", "100.0 [100.0, 100.0]"]
    assert cells(made.text, "B")[1] == "not yet run"
    assert f"- A, `a-seed1`, not yet run: `{made_by}`" in made.text
    assert "radvqa results results.yaml --runs runs --partial" in made.text.splitlines()[0]


def test_what_a_run_lacks_is_told_apart(tmp_path: Path) -> None:
    for name in ("training", "unanswered", "unscored"):
        answering(tmp_path / "runs" / name)
    run = tmp_path / "runs" / "training"
    files.write_json(run / "run.json", {**files.read_json(run / "run.json"), "state": "training"})
    (tmp_path / "runs" / "unanswered" / "predictions.jsonl").unlink()
    (tmp_path / "runs" / "unscored" / "scores.json").unlink()
    names = ("training", "unanswered", "unscored", "absent")
    made = page(tmp_path, headline(*(row(name, name) for name in names)), partial=True)
    assert [cells(made.text, name)[0] for name in names] == [
        "not yet run to its end",
        "not yet answered",
        "not yet scored",
        "not yet run",
    ]


def test_stars_and_braces_stand_for_several_in_the_order_of_the_seeds(tmp_path: Path) -> None:
    for seed in (10, 2, 0):
        answering(tmp_path / "runs" / f"a-seed{seed}", seed=seed)
    (tmp_path / "runs" / "a-seed-notes").mkdir()
    rows = [Runs(label="Stars", runs=("a-seed*",)), Runs(label="Braces", runs=("a-seed{2, 10}",))]
    shelf = Shelf(tmp_path / "runs", rows, partial=False)
    assert [list(shelf.take(one).runs) for one in rows] == [["a-seed0", "a-seed2", "a-seed10"], ["a-seed2", "a-seed10"]]
    nothing = Runs(label="None", runs=("b-*",))
    draft = Shelf(tmp_path / "runs", [nothing], partial=True)
    assert [lacking.name for lacking in draft.take(nothing).missing] == ["b-*"]
    for outside in ("../a", "/etc"):
        with pytest.raises(RadvqaError, match="does not lie below the folder of the runs"):
            Shelf(tmp_path / "runs", [Runs(label="Out", runs=(outside,))], partial=True)


def test_an_ablation_may_show_the_split_that_was_chosen_on(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "base", split="validate")
    answering(tmp_path / "runs" / "more", 2, split="validate", changed={"training.batch_size": 64})
    answering(tmp_path / "runs" / "tested")
    variants = [row("More", "more", differs=["training.batch_size"])]
    section = {"kind": "ablation", "title": "What matters", "base": row("Base", "base"), "variants": variants}
    tested = headline(row("Tested", "tested"))
    with pytest.raises(RunError, match=r"base \(Base\) is not yet answered"):
        page(tmp_path, tested, section)
    text = page(tmp_path, tested, {**section, "split": "validate"}).text
    assert "Against Base, slake:en, validate split" in text
    assert cells(text, "Base")[1].startswith("100.0")
    assert "radvqa predict runs/base-again --split validate && radvqa score runs/base-again --split validate" in text
    assert "radvqa score runs/tested-again\n" in text
    odd = {**section, "split": "validate", "base": row("Base", "base", split="test")}
    with pytest.raises(RadvqaError, match="Base names the split test, the section validate"):
        page(tmp_path, tested, odd)


def test_seeds_that_differ_in_more_than_the_seed_are_named(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a-seed0")
    answering(tmp_path / "runs" / "a-seed1", seed=1, changed={"training.batch_size": 64, "training.log_every": 3})
    text = page(tmp_path, headline(row("A", "a-seed*"))).text
    assert "A: these runs differ in more than the seed, in training.batch_size." in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"titel": "x", "sections": [TRIED]}, "unknown key 'titel'; did you mean 'title'"),
        ({"sections": [{**TRIED, "kind": "headlin"}]}, "section 1 is of kind 'headlin'; did you mean 'headline'"),
        (
            {"sections": [TRIED, {**TRIED, "intor": ""}]},
            r"section 2 \(tried\): unknown key 'intor'; did you mean 'intro'",
        ),
        ({"sections": [headline({"lable": "A", "runs": "a"})]}, "unknown key 'rows.1.lable'; did you mean 'label'"),
        (
            {"sections": [headline(row("A", "a", reach=180))]},
            r"rows.1.reach: input should be less than or equal to 100",
        ),
        ({"sections": [{"title": "x"}]}, "section 1 says no kind"),
        (["no mapping"], "must hold a mapping with the keys title, intro, sections"),
    ],
)
def test_a_wrong_key_is_named_with_the_nearest_known(tmp_path: Path, content: Any, said: str) -> None:
    (tmp_path / "page.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(RadvqaError, match=said):
        read_plan(tmp_path / "page.yaml")


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("slake_cnn_lstm", ["seed=3"]),
        ("slake_cnn_lstm", ["seed=3", "training.batch_size=64", "model.frozen=false", "data.cap=100"]),
        ("slake_cnn_lstm", ["training.steps=500", "training.learning_rate=3e-05"]),
        ("curriculum_smollm2", ["seed=1", "stages.2.learning_rate=0.00025"]),
    ],
)
def test_the_overrides_of_a_run_lead_to_its_recipe(tmp_path: Path, recipe: str, changes: list[str]) -> None:
    file = shipped_recipes() / f"{recipe}.yaml"
    wanted = load_recipe(file, changes).resolved()
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(wanted))
    found = overrides(file, tmp_path / "recipe.yaml")
    assert found is not None
    assert load_recipe(file, found).resolved() == wanted
    assert len(found) <= len(changes) + 1  # another length unsays the first


def test_a_recipe_that_few_overrides_do_not_reach_is_taken_from_the_run(tmp_path: Path) -> None:
    file = shipped_recipes() / "slake_cnn_lstm.yaml"
    other = load_recipe(shipped_recipes() / "curriculum_smollm2.yaml").resolved()
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(other))
    assert overrides(file, tmp_path / "recipe.yaml") is None
    answering(tmp_path / "runs" / "a", name="slake_cnn_lstm")
    text = page(tmp_path, headline(row("A", "a"))).text
    assert "radvqa train runs/a/recipe.yaml --out runs/a-again && radvqa predict runs/a-again" in text


def test_a_run_of_a_shipped_recipe_prints_the_command_that_makes_it_again(tmp_path: Path) -> None:
    run = answering(tmp_path / "runs" / "a")
    recipe = load_recipe(shipped_recipes() / "slake_cnn_lstm.yaml", ["seed=5"]).resolved()
    files.write_text(run.folder / "recipe.yaml", yaml.safe_dump(recipe))
    text = page(tmp_path, headline(row("A", "a"))).text
    assert "\nradvqa train slake_cnn_lstm seed=5 --out runs/a && radvqa predict runs/a && radvqa score runs/a\n" in text


def test_commands_of_the_page_file_name_run_and_seed(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "e-seed1", seed=1)
    rows = row(
        "E", "e-seed{1,2}", commands=["radvqa ensemble runs/a-seed{seed} runs/b --out {run}", "radvqa score {run}"]
    )
    text = page(tmp_path, headline(rows), partial=True).text
    assert "\nradvqa ensemble runs/a-seed1 runs/b --out runs/e-seed1 && radvqa score runs/e-seed1\n" in text
    assert "`radvqa ensemble runs/a-seed2 runs/b --out runs/e-seed2 && radvqa score runs/e-seed2`" in text


def examples(**more: Any) -> dict[str, Any]:
    section = {"kind": "examples", "title": "Examples", "run": row("A", "a"), "right": 3, "wrong": 2}
    return {**section, "attribution": "Pictures: ours.", **more}


def test_pictures_of_a_known_data_set_say_whose_they_are(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a", [1, 5])
    results(write(tmp_path, examples(attribution="")), runs=tmp_path / "runs")
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "Pictures: SLAKE 1.0, Liu et al., SLAKE, ISBI 2021, arXiv 2102.09542, CC BY 4.0; made smaller." in text


def test_examples_are_drawn_by_the_stated_seed(tmp_path: Path) -> None:
    run = answering(tmp_path / "runs" / "a", [1, 5, 9, 60])
    rights = {p.id: p.prediction == p.answer for p in run.predictions(run.answers())}
    lot = random.Random(7)
    right = lot.sample(sorted(key for key, value in rights.items() if value), 3)
    wrong = lot.sample(sorted(key for key, value in rights.items() if not value), 2)
    made = page(tmp_path, examples(seed=7))
    assert made.sections[0]["ids"] == [*right, *wrong]
    assert "`random.Random(7)` from the sorted ids of the 76 right and the 4 wrong answers" in made.text
    assert page(tmp_path, examples(seed=8)).sections[0]["ids"] != made.sections[0]["ids"]
    again = page(tmp_path, examples(seed=7))
    assert (again.text, again.figures) == (made.text, made.figures)


def test_pictures_of_examples_are_small(tmp_path: Path) -> None:
    run = answering(tmp_path / "runs" / "a", [1, 5])
    index = files.read_json(run.folder / "thumbnails" / "index.json")
    for name in index.values():
        Image.new("L", (400, 300)).save(run.folder / "thumbnails" / name, "WEBP")
    (scored,) = load([run.folder])
    drawn = draw(scored, right=1, wrong=1, seed=0)
    assert decode(drawn.wrong[0].picture).shape[:2] == (150, SIDE)
    assert (drawn.of_right, drawn.of_wrong) == (78, 2)


def test_all_are_shown_where_there_are_fewer_than_wanted() -> None:
    right, wrong = chosen_ids({"a": True, "b": False, "c": True}, wanted=(5, 5), seed=1)
    assert (sorted(right), wrong) == (["a", "c"], ["b"])


def test_a_run_without_pictures_or_of_unknown_data_is_refused(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a", thumbnails=False)
    with pytest.raises(RunError, match=r"a keeps no small picture of .*radvqa predict"):
        page(tmp_path, examples())
    answering(tmp_path / "runs" / "own", dataset="clinic:own")
    with pytest.raises(RadvqaError, match="whose pictures those of clinic:own are; give an `attribution`"):
        page(tmp_path, examples(run=row("Own", "own"), attribution=""))


def test_curves_a_law_other_runs_and_text_are_shown(tmp_path: Path) -> None:
    for seed in (0, 1):
        answering(tmp_path / "runs" / f"a-seed{seed}", 8, seed=seed)
    answering(tmp_path / "runs" / "b", 8, name="other")
    points = tmp_path / "points.csv"
    points.write_text("loss,d\n3.2,100\n2.6,250\n2.2,500\n1.95,1000\n1.8,2000\n1.7,4000\n")
    scaling(points=points, targets=[1.6], out=tmp_path / "runs" / "law", resamples=100)
    needed = files.read_json(tmp_path / "runs" / "law" / "scaling.json")["targets"][0]["needed"]
    all_rows = [row("A", "a-seed*"), row("B", "b")]
    file = write(
        tmp_path,
        {"kind": "curves", "title": "Curves", "rows": all_rows},
        {"kind": "scaling", "title": "Law", "file": "law/scaling.json"},
        {"kind": "existing", "title": "Others", "rows": all_rows},
        TRIED,
    )
    out = tmp_path / "docs" / "page.md"
    found = results(file, runs=tmp_path / "runs", out=out)
    text = out.read_text(encoding="utf-8")
    assert [Path(path).name for path in found["figures"]] == ["curves.png", "scaling.png"]
    for name in ("curves.png", "scaling.png"):
        assert f"](page/{name})" in text
        assert decode(out.parent / "page" / name).shape[1] > 500
    assert found["lines"][0].startswith(f"Law: A loss of 1.6 needs {float(f'{needed:.3g}'):,.0f} of D")
    runs = [tmp_path / "runs" / name for name in ("a-seed0", "a-seed1", "b")]
    for block in compared(compare_runs(runs)[0], 3):
        assert block in text
    assert "\n## Tried\n\nNothing else.\n" in text
    assert json.loads(json.dumps(found)) == found


def test_a_law_that_is_not_there_is_an_error_or_said(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    section = {
        "kind": "scaling",
        "title": "Law",
        "file": "law/scaling.json",
        "command": "radvqa scaling --out runs/law",
    }
    with pytest.raises(RunError, match="radvqa scaling --out runs/law"):
        page(tmp_path, section)
    assert "Not yet fitted: `radvqa scaling --out runs/law`" in page(tmp_path, section, partial=True).text


def test_two_sections_of_one_kind_have_figures_of_their_own(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a", [1, 5, 9])
    made = page(tmp_path, examples(seed=1), examples(seed=2))
    assert [path.name for path in made.figures] == ["examples.png", "examples-2.png"]
    with pytest.raises(RadvqaError, match="Two sections are named 'same'"):
        page(tmp_path, examples(name="same"), examples(name="same"))


def test_the_page_file_of_the_docs_is_whole_before_any_run(tmp_path: Path) -> None:
    docs = Path(radvqa.__file__).parents[2] / "docs" / "results.yaml"
    (tmp_path / "runs").mkdir()
    found = results(docs, runs=tmp_path / "runs", out=tmp_path / "results.md", partial=True)
    assert 0 < len(found["lines"]) <= 8
    assert found["missing"]
    assert "RadBloomz-7b + BiomedCLIP" in (tmp_path / "results.md").read_text(encoding="utf-8")


def test_the_command_writes_the_page_and_refuses_in_one_sentence(tmp_path: Path) -> None:
    answering(tmp_path / "runs" / "a", 16)
    file = write(tmp_path, headline(row("A", "a", reach=75)))
    order = [sys.executable, "-m", "radvqa", "results", "results.yaml", "--json"]
    done = subprocess.run(order, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)["page"] == "results.md"
    assert (
        (tmp_path / "results.md")
        .read_text(encoding="utf-8")
        .startswith("<!-- generated by `radvqa results results.yaml")
    )
    assert str(tmp_path) not in (tmp_path / "results.md").read_text(encoding="utf-8")
    write(file.parent, headline(row("A", "a"), row("B", "b")))
    failed = subprocess.run(order, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("radvqa: runs/b (B) is not yet run")

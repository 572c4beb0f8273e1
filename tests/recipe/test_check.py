"""Contradictions are found before any data is read, and the sentence names the place and the way out."""

from collections.abc import Callable
from typing import Any

import pytest
from pages import page, read, single

from radvqa.commands.prepare import checked
from radvqa.errors import DataError, RadvqaError, RecipeError

Edit = Callable[[dict[str, Any]], Any]


def test_the_page_itself_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADVQA_DATA", raising=False)
    stages, _ = checked(read(page()))
    assert [stage.name for stage in stages] == ["captions", "mixed", "slake"]
    assert checked(read(single()))[0][0].name == "training"


def stage(number: int, **values: Any) -> Edit:
    return lambda page: page["stages"][number - 1].update(values)


def source(number: int, row: int, **values: Any) -> Edit:
    return lambda page: page["stages"][number - 1]["data"][row - 1].update(values)


def without(number: int, key: str) -> Edit:
    return lambda page: page["stages"][number - 1].pop(key)


CONTRADICTIONS: list[tuple[Edit, str]] = [
    (stage(3, name="mixed"), r"stages.2 \(mixed\): two stages have this name; give each its own"),
    (stage(1, name="a/b"), r"stages.1.name: string should match pattern"),
    (
        stage(2, epochs=3),
        r"stages.2 \(mixed\): say how long it is, by one of epochs, steps, tokens \(found epochs and st",
    ),
    (lambda p: p["training"].pop("epochs"), r"stages.1 \(captions\): say how long it is.*\(found none of them\)"),
    (stage(1, warmup_steps=3, warmup_epochs=1), r"warmup_epochs or in warmup_steps, not in both"),
    (stage(2, warmup_steps=41), r"stages.2 \(mixed\): warmup_steps \(41\) are more than its 40 steps"),
    (stage(1, warmup_epochs=3), r"stages.1 \(captions\): warmup_epochs \(3\) are more than its epochs \(2\)"),
    (stage(1, images_per_batch=33), r"images_per_batch cannot be larger than batch_size \(32\)"),
    (stage(1, epochs=1, average_decay=0.9), r"average_decay needs at least two epochs, or evaluate_every"),
    (source(2, 2, label="path"), r"stages.2 \(mixed\): two sources are called 'path'; give each a label of its own"),
    (source(2, 1, samples=5, cap=5), r"path: say `samples` \(exactly\) or `cap` \(at most\), not both"),
    (
        lambda p: p["stages"][1]["data"][0].pop("weight"),
        r"some sources have a weight and some have none; give one to al",
    ),
    (
        lambda p: [row.update(weight=0) for row in p["stages"][1]["data"]],
        r"stages.2 \(mixed\): the weights sum to 0, so nothing would be drawn; give one source a weight above 0",
    ),
    (source(2, 1, weight=-1), r"stages.2.data.1.weight: input should be greater than or equal to 0 \(found -1\)"),
    (source(2, 1, repeat=0), r"stages.2.data.1.repeat: input should be greater than or equal to 1"),
    (
        source(2, 1, where={"modalty": "CT"}),
        r"stages.2.data.1.where: samples have no field 'modalty'; did you mean 'mod",
    ),
    (
        source(2, 1, prompt="{qestion}"),
        r"stages.2.data.1.prompt: a prompt may hold {question}, {options} and {context}",
    ),
    (stage(2, temperature=0), r"stages.2.temperature: input should be greater than 0"),
    (
        stage(2, anneal={"over": 0.5, "to": {"slaek": 1}}),
        r"anneal.to: there is no source 'slaek' in this stage; did you",
    ),
    (stage(3, anneal={"over": 0.5, "to": {"slake": 1}}), r"anneal.to: there is no source 'slake'.*names no data"),
    (stage(2, anneal={"over": 0.5}), r"stages.2 \(mixed\): anneal changes nothing; give it `to` or `learning_rate`"),
    (stage(2, anneal={"over": 0.5, "to": {"slake": -1}}), r"stages.2.anneal.to: weights must not be negative"),
    (stage(2, anneal={"over": 0.5, "to": {"slake": 0}}), r"stages.2.anneal.to: the weights sum to 0"),
    (stage(2, anneal={"over": 0, "to": {"slake": 1}}), r"stages.2.anneal.over: input should be greater than 0"),
    (source(2, 2, split="test"), r"slake is learned from its split 'test', which is for testing; that would leak"),
    (source(1, 1, split="Test"), r"medpix2:captions is learned from its split 'Test', which is for testing"),
    (source(2, 2, split="validate"), r"slake is learned from its split 'validate', on which the run chooses"),
    (source(1, 1, split="dev"), r"medpix2:captions is learned from its split 'dev', on which the stage chooses"),
    (
        stage(1, select={"name": "medpix2:captions", "split": "test"}),
        r"select.split is 'test'; a test split is never ch",
    ),
    (stage(1, carry={"weights": "last"}), r"stages.1 \(captions\): the first stage has nothing to carry over"),
    (
        stage(2, carry={"optimizer": True}),
        r"carry.optimizer keeps the moments of the last step.*say carry.weights: last",
    ),
    (
        stage(3, train={"fusion": "full", "language_model": "full"}),
        r"language_model is learned by lora in stage mixed a",
    ),
    (
        stage(2, learning_rates={"fusion": 0}),
        r"fusion: a learning rate must be above 0; a part that learns nothing is ",
    ),
    (lambda p: (p["data"].update(cap=5), stage(3, data=[{"name": "slake:en"}])(p)), r"data.cap has no effect, because"),
    (without(3, "train"), r"stages.3 \(slake\): other stages say what is learned of fusion, this one does not"),
    (
        stage(3, train={"fusion": "frozen", "language_model": "frozen"}),
        r"stages.3 \(slake\): every part is frozen, so t",
    ),
    (
        stage(1, train={"fusion": "lora", "language_model": "frozen"}),
        r"fusion is learned by lora in stage captions and by full in stage mixed; a part keeps its kind",
    ),
    (
        lambda p: [s["train"].update(projector="full") for s in p["stages"]],
        r"stages.1 \(captions\): train: model: .*proj",
    ),
    (stage(2, select_by="acuracy"), r"there is no metric 'acuracy'; did you mean 'accuracy'"),
    (
        stage(2, select_where={"answer_typ": "OPEN"}),
        r"stages.2.select_where: samples have no field 'answer_typ'; did yo",
    ),
    (lambda p: p["training"].update(accept=["nothing"]), r"'nothing'"),
    (source(1, 1, name="medpix3:captions"), r"There is no data set 'medpix3'; did you mean 'medpix2'"),
    (source(1, 1, name="medpix2:caption"), r"medpix2 has no version 'caption'; did you mean 'captions'"),
    (stage(1, select={"name": "medpix3", "split": "dev"}), r"There is no data set 'medpix3'"),
]


@pytest.mark.parametrize(("edit", "message"), CONTRADICTIONS, ids=[message[:60] for _, message in CONTRADICTIONS])
def test_a_contradiction_is_named(edit: Edit, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADVQA_DATA", raising=False)  # nothing is read
    values = page()
    edit(values)
    with pytest.raises(RadvqaError, match=message) as caught:
        checked(read(values))
    assert isinstance(caught.value, RecipeError | DataError)


def classifier() -> dict[str, Any]:
    """A family that chooses among the training answers."""
    values = page()
    values["model"] = {"family": "cnn_lstm", "backbone": "microsoft/resnet-18", "pretrained": False}
    values["stages"] = [{"name": "one", "data": [{"name": "slake:en"}]}]
    return values


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            source(1, 1, name="medpix2:captions"),
            r"stages.1 \(one\): medpix2:captions: task is caption, which needs a dec",
        ),
        (source(1, 1, task="caption"), r"stages.1 \(one\): slake:en: task is caption, which needs a decoder"),
        (source(1, 1, prompt="{question}!"), r"the family cnn_lstm reads questions as they are; leave `prompt` out"),
        (
            stage(1, tokens=1000, warmup_steps=1),
            r"its length is given in tokens, which the family cnn_lstm does not have",
        ),
    ],
)
def test_what_a_family_that_chooses_cannot_do(edit: Edit, message: str) -> None:
    values = classifier()
    checked(read(classifier()))
    edit(values)
    with pytest.raises(RecipeError, match=message):
        checked(read(values))


UNKNOWN: list[tuple[Edit, str]] = [
    (lambda p: p.update(tittle="x"), r"unknown key 'tittle'; did you mean 'title'"),
    (lambda p: p["data"].update(slect="x"), r"unknown key 'data.slect'; did you mean 'select'"),
    (lambda p: p["training"].update(sede=1), r"unknown key 'training.sede'; did you mean 'seed'"),
    (stage(2, tempreature=2), r"unknown key 'stages.2.tempreature'; did you mean 'temperature'"),
    (stage(2, seed=2), r"unknown key 'stages.2.seed'"),
    (source(2, 2, wieght=1), r"unknown key 'stages.2.data.2.wieght'; did you mean 'weight'"),
    (stage(2, anneal={"ovr": 1}), r"unknown key 'stages.2.anneal.ovr'; did you mean 'over'"),
    (stage(1, select={"splitt": "dev"}), r"unknown key 'stages.1.select.splitt'; did you mean 'split'"),
    (stage(2, carry={"wieghts": "last"}), r"unknown key 'stages.2.carry.wieghts'; did you mean 'weights'"),
]


@pytest.mark.parametrize(("edit", "message"), UNKNOWN, ids=[message[:40] for _, message in UNKNOWN])
def test_an_unknown_key_names_its_nearest_at_every_depth(edit: Edit, message: str) -> None:
    values = page()
    edit(values)
    with pytest.raises(RecipeError, match=message):
        read(values)

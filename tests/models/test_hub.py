"""Checkpoints that cannot be used are refused in a sentence that says what is wrong."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tiny_checkpoints import byte_tokens, llama
from transformers import AutoModelForCausalLM

from radvqa.errors import WeightsError
from radvqa.models import hub


def load(folder: Path) -> object:
    return hub.load(AutoModelForCausalLM, str(folder), ("llama",), family="linear_llm")


def test_a_whole_checkpoint_is_loaded(tmp_path: Path) -> None:
    assert load(llama(tmp_path)) is not None


def test_a_checkpoint_of_another_family_is_named(tmp_path: Path) -> None:
    llama(tmp_path)
    with pytest.raises(WeightsError, match=r"of the kind 'llama'; the family blip loads 'blip' or 'blip-2'"):
        hub.load(AutoModelForCausalLM, str(tmp_path), ("blip", "blip-2"), family="blip")


def test_a_lacking_weight_is_named_and_not_made_up(tmp_path: Path) -> None:
    path = llama(tmp_path) / "model.safetensors"
    state = load_file(path)
    del state["model.layers.1.mlp.up_proj.weight"]
    save_file(state, path, {"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks 1 of the weights .* model\.layers\.1\.mlp\.up_proj\.weight"):
        load(tmp_path)


@pytest.mark.parametrize("cut", [0, 4, 200])
def test_a_cut_off_file_is_damaged(cut: int, tmp_path: Path) -> None:
    path = llama(tmp_path) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(WeightsError, match="are damaged or cut off"):
        load(tmp_path)


def test_weights_of_another_shape_than_the_configuration(tmp_path: Path) -> None:
    path = llama(tmp_path) / "config.json"
    values = json.loads(path.read_text())
    values["intermediate_size"] = 40
    path.write_text(json.dumps(values))
    with pytest.raises(WeightsError, match=r"do not fit its config\.json|lacks"):
        load(tmp_path)


def test_a_folder_without_a_configuration(tmp_path: Path) -> None:
    (llama(tmp_path) / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"has no config\.json"):
        load(tmp_path)


def test_a_configuration_that_is_no_json(tmp_path: Path) -> None:
    (llama(tmp_path) / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"config\.json cannot be used"):
        load(tmp_path)


def test_a_folder_without_a_tokeniser(tmp_path: Path) -> None:
    llama(tmp_path)
    for path in tmp_path.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(WeightsError, match="holds no tokeniser"):
        hub.tokenizer(str(tmp_path))


def test_quantisation_says_what_it_needs(tmp_path: Path) -> None:
    llama(tmp_path)
    with pytest.raises(WeightsError, match="pip install bitsandbytes"):
        hub.load(AutoModelForCausalLM, str(tmp_path), ("llama",), family="linear_llm", quantisation="4bit")


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    one, same, other = (llama(tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    byte_tokens(same, special=("<more>",))
    assert hub.digest(str(one)) == hub.digest(str(same)) != hub.digest(str(other))

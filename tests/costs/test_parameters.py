"""Parameters are counted once, by part, and the copy that peft puts aside is none."""

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import BertConfig, BertModel

from radvqa.costs.parameters import parameters_by_part
from radvqa.models import parts


def test_parts_add_up_to_the_whole_and_the_rest_is_named() -> None:
    model = nn.ModuleDict({"vision": nn.Linear(3, 4), "language": nn.Linear(4, 5), "scale": nn.Linear(1, 1)})
    model["vision"].requires_grad_(False)
    found = parameters_by_part({name: model[name] for name in ("vision", "language")}, model)
    assert found == {
        "total": 16 + 25 + 2,
        "trainable": 25 + 2,
        "by_part": {
            "vision": {"total": 16, "trainable": 0},
            "language": {"total": 25, "trainable": 25},
            "rest": {"total": 2, "trainable": 2},
        },
    }
    assert "rest" not in parameters_by_part(dict(model), model)["by_part"]


def test_a_weight_that_two_parts_share_is_counted_in_the_first() -> None:
    first, second = nn.Linear(3, 4, bias=False), nn.Linear(3, 4, bias=False)
    second.weight = first.weight
    found = parameters_by_part({"words": first, "head": second})
    assert found["total"] == 12
    assert found["by_part"]["head"] == {"total": 0, "trainable": 0}


def test_with_lora_and_a_part_learned_whole_it_counts_what_models_count() -> None:
    torch.manual_seed(0)
    bert = BertModel(
        BertConfig(vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    )
    plain = parameters_by_part({"bert": bert})["total"]
    pooler = sum(p.numel() for p in bert.pooler.parameters())
    wrapped = get_peft_model(bert, LoraConfig(r=2, target_modules=["query"], modules_to_save=["pooler"]))
    found = parameters_by_part({"pooler": bert.pooler}, wrapped)
    lora = 2 * (8 + 8)
    assert found["by_part"]["pooler"] == {"total": pooler, "trainable": pooler}
    assert (found["total"], found["trainable"]) == (plain + lora, pooler + lora)
    assert {key: found[key] for key in ("total", "trainable")} == parts.count_parameters(wrapped)


def test_a_model_without_parts_has_no_parameters() -> None:
    assert parameters_by_part({}) == {"total": 0, "trainable": 0, "by_part": {}}

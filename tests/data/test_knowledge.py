"""SLAKE's knowledge graph: triples by hand, damaged files, and the published ones."""

from pathlib import Path

import pytest

from radvqa.data import registry
from radvqa.data.knowledge import Triple, knowledge
from radvqa.errors import DataError

FILES = {
    "en_organ.csv": 'organ#attribute#value\nLung#function#exchange of "air", all day\n\n',
    "en_organ_rel.csv": "organ#attribute#value\nLung#belong to#Respiratory System\n",
    "en_disease.csv": "disease#attribute#value\nPneumonia#location# Lung\n",
    "organ.csv": '\ufeffentity,property,value\n肺,功能,"换气, 呼吸"\n',
    "organ_rel.csv": "entity,property,value\n肺,属于,呼吸系统\n",
    "disease.csv": "disease,relation,object\n肺炎,发病部位,肺\n",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "KG").mkdir()
    for name, content in FILES.items():
        (tmp_path / "KG" / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_triples_of_both_languages(place: Path) -> None:
    assert knowledge(place, "en") == [
        Triple("Lung", "function", 'exchange of "air", all day'),
        Triple("Lung", "belong to", "Respiratory System"),
        Triple("Pneumonia", "location", "Lung"),
    ]
    assert [triple.object for triple in knowledge(place, "zh")] == ["换气, 呼吸", "呼吸系统", "肺"]


def test_what_cannot_be_read_is_named(place: Path) -> None:
    with pytest.raises(DataError, match="is in en and zh, not in 'de'"):
        knowledge(place, "de")
    (place / "KG" / "en_disease.csv").write_text("a#b#c\nPneumonia#Lung\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"en_disease\.csv, row 2: expected subject, relation and object, found 2 col"):
        knowledge(place, "en")
    (place / "KG" / "organ.csv").unlink()
    with pytest.raises(DataError, match=r"organ\.csv does not exist"):
        knowledge(place, "zh")


@pytest.mark.real_data
def test_the_published_graph() -> None:
    folder = registry.select("slake").folder
    english, chinese = knowledge(folder, "en"), knowledge(folder, "zh")
    assert (len(english), len(chinese)) == (2600, 2626)
    assert english[0] == Triple("Motor System", "component", "bone, bone junctions, skeletal muscles")
    assert Triple("Alveolar Proteinosis", "location", "Lung") in english

"""Small WordNets in the published file format (wndb(5WN)), made for one test each."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

Tree = Mapping[str, Sequence[str]]  # sense "word.rank" → what it is a kind of; parents stand before their children

_EMPTY = (
    "lexnames", "index.adj", "index.adv", "index.verb", "data.adj", "data.adv", "data.verb", "adj.exc", "adv.exc",
    "verb.exc", "cntlist.rev", "index.sense",
)  # fmt: skip


def write(folder: Path, tree: Tree, irregular: Mapping[str, str] | None = None) -> Path:
    """Write a hierarchy of nouns; the other files that nltk opens are there and empty."""
    folder.mkdir(parents=True)
    for name in _EMPTY:
        (folder / name).touch()
    (folder / "lexnames").write_text("00\tnoun.Tops\t1\n")
    (folder / "noun.exc").write_text("".join(f"{many} {one}\n" for many, one in (irregular or {}).items()))
    data = "  1 A small WordNet.  \n"
    offsets: dict[str, int] = {}
    for sense, parents in tree.items():
        offsets[sense] = len(data)
        pointers = "".join(f" @ {offsets[parent]:08d} n 0000" for parent in parents)
        word = sense.rpartition(".")[0]
        data += f"{offsets[sense]:08d} 00 n 01 {word} 0 {len(parents):03d}{pointers} | what {word} means  \n"
    (folder / "data.noun").write_text(data)
    senses: dict[str, list[int]] = {}
    for sense in sorted(tree, key=lambda sense: int(sense.rpartition(".")[2])):
        senses.setdefault(sense.rpartition(".")[0], []).append(offsets[sense])
    lines = [
        f"{word} n {len(found)} 1 @ {len(found)} 0 {' '.join(f'{offset:08d}' for offset in found)}  \n"
        for word, found in sorted(senses.items())
    ]
    (folder / "index.noun").write_text("  1 A small WordNet.  \n" + "".join(lines))
    return folder


ORGANS: Tree = {
    "entity.1": [],
    "body_part.1": ["entity.1"],
    "organ.1": ["body_part.1"],
    "lung.1": ["organ.1"],
    "liver.1": ["organ.1"],
    "bone.1": ["body_part.1"],
    "vertebra.1": ["bone.1"],
    "instrument.1": ["entity.1"],
    "organ.2": ["instrument.1"],
    "spinal_cord.1": ["body_part.1"],
}


def at_random(seed: int, senses: int = 40) -> Tree:
    """A hierarchy with several roots, several parents a sense and several senses a word."""
    draw = random.Random(seed)
    tree: dict[str, list[str]] = {}
    for number in range(senses):
        word = draw.choice("abcdefghijklm") * draw.randint(1, 2)
        rank = 1 + sum(name.rpartition(".")[0] == word for name in tree)
        known = list(tree)
        parents = draw.sample(known, min(len(known), draw.choice([1, 1, 2, 3]))) if number > 1 else []
        tree[f"{word}.{rank}"] = parents
    return tree

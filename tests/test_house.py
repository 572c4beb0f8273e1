"""The plan of the house, held against every import of the sources: all go down, none in a circle."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import radvqa
from radvqa.data.registry import DATASETS

SOURCES = Path(radvqa.__file__).parent

FLOORS = (
    {"__init__", "errors", "console", "text", "sample", "registry"},
    {"files", "database", "device", "weights", "waiting"},
    {"prediction", "recipe", "table", "fingerprint", "endpoint", "tracking", "guarding"},
    {"run", "provenance", "prediction_files"},
    {"phantom"},
    {"data"},
    {"models"},
    {"answering", "asking", "scoring", "costs"},
    {
        "training",
        "adapting",
        "judging",
        "scaling",
        "sweeping",
        "probing",
        "similarity",
        "ensembling",
        "starter",
        "curating",
        "explaining",
    },
    {"diagnosing"},
    {"report", "reviewing"},
    {"serving"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
"""Rooms from the ground up; a room imports from lower floors and from itself only."""

FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

CLOSED_DOORS = {  # room: what must not be entered from it, although it lies lower
    "data": ("torch", "transformers"),
    "phantom": ("torch", "transformers"),
    "scoring": ("torch", "transformers", "radvqa.models", "radvqa.data", "radvqa.run"),
    "scaling": ("torch", "transformers", "radvqa.models", "radvqa.data"),
    "starter": ("torch", "transformers", "radvqa.models", "radvqa.data.registry", "radvqa.data.sets", "radvqa.run"),
    "report": ("torch", "transformers", "radvqa.models", "radvqa.training", "radvqa.answering"),
    "models": ("radvqa.data.registry", "radvqa.data.sets", "radvqa.phantom", "radvqa.run"),
}


def module_of(path: Path) -> str:
    parts = ["radvqa", *path.relative_to(SOURCES).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(SOURCES.rglob("*.py"))}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


class Imports(ast.NodeVisitor):
    """Collects imports, also those inside functions; what only type checkers see does not count."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        name = node.test.attr if isinstance(node.test, ast.Attribute) else getattr(node.test, "id", "")
        for child in node.orelse if name == "TYPE_CHECKING" else [*node.body, *node.orelse]:
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert not node.level, "imports are written out in full"
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            self.found.add(full if full in MODULES else str(node.module))


def imports(module: str) -> set[str]:
    visitor = Imports()
    visitor.visit(TREES[module])
    return visitor.found


GRAPH = {module: {name for name in imports(module) if name in MODULES} for module in MODULES}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def enters(module: str, door: str) -> list[str]:
    return [name for name in imports(module) if name == door or name.startswith(f"{door}.")]


def test_the_scan_sees_imports_inside_functions_and_not_those_for_type_checkers() -> None:
    assert "radvqa.models.zoo" in GRAPH["radvqa.commands.train"]
    assert not GRAPH["radvqa"]
    assert len(MODULES) > 60


def test_no_circle_between_modules() -> None:
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" ← ".join(error.args[1]))


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(module) for module in MODULES}
    assert rooms == set(FLOOR)
    assert sum(map(len, FLOORS)) == len(FLOOR), "a room stands on one floor"


def test_every_import_goes_down() -> None:
    up = [
        f"{module} (floor {FLOOR[room_of(module)]}) → {target} (floor {FLOOR[room_of(target)]})"
        for module, targets in GRAPH.items()
        for target in targets
        if room_of(module) != room_of(target) and FLOOR[room_of(target)] >= FLOOR[room_of(module)]
    ]
    assert up == []


@pytest.mark.parametrize("room", CLOSED_DOORS)
def test_closed_doors_stay_closed(room: str) -> None:
    entered = {
        f"{module} → {target}"
        for module in MODULES
        if room_of(module) == room
        for door in CLOSED_DOORS[room]
        for target in enters(module, door)
    }
    assert entered == set()


def test_reports_read_run_folders_and_of_the_data_only_decode_pictures() -> None:
    read = {name for m in MODULES if room_of(m) == "report" for name in GRAPH[m] if room_of(name) == "data"}
    assert read <= {"radvqa.data.image"}


@pytest.mark.parametrize(
    "module",
    [
        "radvqa",
        "radvqa.cli",
        "radvqa.scoring.scorer",
        "radvqa.starter.model",
        "radvqa.serving.app",
        "radvqa.commands.score",
        "radvqa.commands.compare",
        "radvqa.report.html",
    ],
)
def test_importing_needs_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["data", "list"]])
def test_quick_commands_run_where_torch_cannot_be_imported(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['transformers'] = None\n"
        f"sys.argv = ['radvqa', *{arguments!r}]\n"
        "from radvqa.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def _without_docstrings(tree: ast.Module) -> list[ast.AST]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    loose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [node for node in ast.walk(tree) if id(node) not in docstrings | loose]


def test_models_do_not_know_a_data_sets_name() -> None:
    described = "Field"  # a description in a recipe's schema may name what a published row was trained on
    named = []
    for module in (m for m in MODULES if room_of(m) == "models"):
        tree = TREES[module]
        described_texts = {
            id(keyword.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == described
            for keyword in node.keywords
            if keyword.arg == "description"
        }
        for node in _without_docstrings(tree):
            text = getattr(node, "value", "") if isinstance(node, ast.Constant) else getattr(node, "id", "")
            if isinstance(text, str) and id(node) not in described_texts:
                named += [f"{module}: {text!r}" for name in DATASETS if name in text.lower()]
    assert named == []


def _calls(tree: ast.Module) -> list[tuple[str, str, ast.Call]]:
    """Every call as (what it is called on, its name, the call)."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                found.append((ast.unparse(node.func.value), node.func.attr, node))
            elif isinstance(node.func, ast.Name):
                found.append(("", node.func.id, node))
    return found


WRITERS = {"write_text", "write_bytes", "save", "savez", "savez_compressed", "savefig", "save_file", "dump", "tofile"}
MAY_WRITE = {
    ("radvqa.table", "open"),  # into a path of files.atomic_path
    ("radvqa.models.checkpoint", "save_file"),  # the same
    ("radvqa.training.snapshot", "save_file"),  # the same
    ("radvqa.phantom.generate", "save"),  # into a folder of files.atomic_folder
    ("radvqa.data.fetch.part", "open"),  # grows beside what it becomes, and is named through files.atomic_path
    ("radvqa.data.fetch.unpack", "open"),  # into a folder of files.atomic_folder
    ("radvqa.data.export.formats.llava", "open"),  # into a path of files.atomic_path
}


def _writes_by_mode(call: ast.Call) -> bool:
    modes = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
    return any(isinstance(mode, str) and len(mode) <= 3 and set(mode) & set("wax+") for mode in modes)


def _writes_into_memory(call: ast.Call, tree: ast.Module) -> bool:
    """Whether the first argument is a name that only ever stands for a ``BytesIO``."""
    made = {
        ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in ("io.BytesIO()", "io.StringIO()", "BytesIO()")
    }
    return bool(call.args) and ast.unparse(call.args[0]) in made


def test_only_files_writes_what_someone_later_trusts() -> None:
    writing = set()
    for module, tree in TREES.items():
        for owner, name, call in _calls(tree):
            by_mode = name == "open" and _writes_by_mode(call)
            by_name = name in WRITERS and owner != "files" and not _writes_into_memory(call, tree)
            if module != "radvqa.files" and (by_mode or by_name):
                writing.add((module, name))
    assert writing == MAY_WRITE


@pytest.mark.parametrize("module", sorted({module for module, _ in MAY_WRITE}))
def test_the_others_that_write_do_it_into_an_atomic_place(module: str) -> None:
    assert re.search(r"with files\.atomic_(path|folder)\(", MODULES[module].read_text(encoding="utf-8"))


def test_only_image_opens_pictures() -> None:
    opening = {m for m, tree in TREES.items() for owner, name, _ in _calls(tree) if (owner, name) == ("Image", "open")}
    # the benchmark's naive loop opens pictures as the naive way does, to be timed
    assert opening == {"radvqa.data.image", "radvqa.commands.bench"}


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("filelock", {"files"}),
        ("typer", {"cli"}),
        ("jinja2", {"report"}),
        ("matplotlib", {"report"}),
        ("huggingface_hub", {"weights"}),
        ("transformers", {"models", "adapting"}),
        ("peft", {"models"}),
        ("accelerate", {"tracking", "training"}),
        ("ray", {"sweeping"}),
        ("tokenizers", {"models"}),
        ("sqlite3", {"table", "fingerprint", "endpoint", "database", "reviewing"}),
        ("httpx", {"endpoint", "data", "serving"}),
        ("pydicom", {"data"}),
        ("nibabel", {"data"}),
        ("pyarrow", {"data"}),
        ("fastapi", {"reviewing", "serving"}),
        ("uvicorn", {"commands"}),
        ("playwright", {"commands"}),
        ("threadpoolctl", {"serving"}),
    ],
)
def test_a_library_is_imported_where_it_belongs(library: str, rooms: set[str]) -> None:
    assert {room_of(module) for module in MODULES if enters(module, library)} <= rooms

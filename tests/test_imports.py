"""Imports run one way: between the parts of the package, between files, and between the folders of the viewer."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pipeline"
VIEWER = PACKAGE / "site" / "viewer"

# What each part of the package may import besides itself: the one place that states the direction of imports. A part
# is a folder or a file of pipeline/, or the folder of Hydra's plugins beside it.
SHARED = ("core", "config", "parallel", "images", "model", "stages")
STAGES = (
    *("prepare", "sample", "reduce", "grid", "render", "tile", "predict", "patch", "place", "units"),
    *("explain", "synthesize"),
    "site",
)
MAY_IMPORT: Mapping[str, tuple[str, ...]] = {
    "__init__": (),
    "core": ("__init__",),
    "config": ("core",),
    "parallel": ("core", "config"),
    "stages": ("core", "config"),
    "images": ("core", "config"),
    "model": ("core", "config"),
    "featurevis": ("core", "config", "parallel", "images", "model"),
    **dict.fromkeys(STAGES, SHARED),
    "render": (*SHARED, "featurevis"),
    "units": (*SHARED, "featurevis"),
    "synthesize": (*SHARED, "featurevis"),
    "site": (*SHARED, "__init__"),
    "class_names": ("core", "config", "images", "model"),
    "project": ("__init__", "core", "stages"),
    "fitting_levels": ("config", "images"),
    "hydra_plugins": ("core", "images", "class_names", "fitting_levels", "project"),
    "number_type": (),
    "compose": ("core", "config", "hydra_plugins", "number_type"),
    "provenance": (*SHARED, "__init__"),
    "browse": ("core",),
    "locate": (*SHARED, "browse"),
    "interruptible": (),
    "reproduce": ("core", "interruptible"),
    "site_metrics": ("core", "site"),
    "site_files": ("core", "site", "site_metrics"),
    "export": ("core", "site", "site_files", "site_metrics"),
    "notebook": ("core", "browse", "site"),
    "plan": (*SHARED, "featurevis", "sample", "reduce", "render", "synthesize", "site", "compose", "fitting_levels"),
    "init": ("__init__", "core", "compose", "project"),
    "commands": (
        *("core", "config", "stages", "compose", "project"),
        *("init", "plan", "provenance", "browse", "locate", "site_metrics", "export", "reproduce"),
    ),
    "__main__": ("__init__", "core", "stages", "plan", "commands"),
}


@dataclass(frozen=True)
class Import:
    """One import: the file, the imported file, and the names."""

    importer: str
    imported: str
    names: str

    def __str__(self) -> str:
        return f"{self.importer} imports {self.names} from {self.imported}"


def test_every_part_imports_only_what_the_table_allows() -> None:
    """No file imports from a part of the package that its own part may not import."""
    parts = {part_of(file) for file in python_files()}
    assert parts == set(MAY_IMPORT), "MAY_IMPORT names every part of pipeline/ and no other"
    assert upward(python_imports(PACKAGE), MAY_IMPORT) == []


def test_the_table_has_one_direction() -> None:
    """No part may import a part that may import it, directly or through others."""
    assert cycles({part: set(others) for part, others in MAY_IMPORT.items()}) == []


def test_no_python_files_import_each_other() -> None:
    """The imports between the package's files have no cycle, imports within functions and for types included."""
    assert import_cycles(python_imports(PACKAGE)) == []


def test_viewer_folders_import_only_what_their_table_allows() -> None:
    """No file of the viewer imports from a folder that its own folder may not import."""
    table: dict[str, list[str]] = json.loads((VIEWER / "import_layers.json").read_text())
    assert cycles({folder: set(others) for folder, others in table.items()}) == []
    found = list(viewer_imports())
    assert len(found) > 100
    assert upward(found, table) == []


def test_no_viewer_files_import_each_other() -> None:
    """The imports between the viewer's files have no cycle, type imports included."""
    assert import_cycles(list(viewer_imports())) == []


def loaded_by(modules: Sequence[str], wanted: Sequence[str]) -> dict[str, list[str]]:
    """The modules whose import loads any of the libraries ``wanted``, with those libraries, in a process of its own."""
    code = (
        "import importlib, json, sys; modules, wanted = json.loads(sys.argv[1]); found = {}\n"
        "for module in modules:\n"
        "    before = set(sys.modules); importlib.import_module(module)\n"
        "    found[module] = [one for one in wanted if one in sys.modules and one not in before]\n"
        "print(json.dumps({module: libraries for module, libraries in found.items() if libraries}))"
    )
    command = [sys.executable, "-c", code, json.dumps([modules, wanted])]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[str, list[str]] = json.loads(printed)
    return found


def test_what_runs_no_network_does_not_load_torch() -> None:
    """Its import takes seconds. Stages and commands that run no network do without; that `reduce` has scipy is seen."""
    commands = ["pipeline.__main__", "pipeline.compose", "pipeline.class_names", "pipeline.plan.check"]
    readers = ["pipeline.provenance.report", "pipeline.browse", "pipeline.locate.endpoint", "pipeline.notebook"]
    stages = [f"pipeline.{name}.stage" for name in ("tile", "site", "reduce")]
    found = loaded_by([*commands, *readers, *stages], ["torch", "torchvision", "scipy"])
    assert found == {"pipeline.reduce.stage": ["scipy"]}


def test_a_planted_upward_import_is_found(tmp_path: Path) -> None:
    """An import against the direction, also one within a function, is named with both files and the names."""
    package = tmp_path / "pipeline"
    for part in ("core", "sample"):
        (package / part).mkdir(parents=True)
    (package / "core" / "low.py").write_text("def late():\n    from pipeline.sample.stage import run, stop\n")
    (package / "sample" / "stage.py").write_text("from pipeline.core import low\n")
    found = list(python_imports(package))
    expected = "pipeline/core/low.py imports run, stop from pipeline/sample/stage.py"
    assert upward(found, {"core": (), "sample": ("core",)}) == [expected]
    assert import_cycles(found) == [f"{expected}; pipeline/sample/stage.py imports low from pipeline/core/low.py"]
    assert upward(found, {"core": ("sample",), "sample": ("core",)}) == []


def python_files(package: Path = PACKAGE) -> list[Path]:
    """Python files of the package, and of Hydra's plugins next to it."""
    folders = (package, package.parent / "hydra_plugins")
    return [file for folder in folders for file in sorted(folder.rglob("*.py")) if "node_modules" not in file.parts]


def part_of(file: Path, package: Path = PACKAGE) -> str:
    """The folder or file of the package that a file belongs to; the folder of a file outside the package."""
    top = package if file.is_relative_to(package) else package.parent
    return Path(file.relative_to(top).parts[0]).stem


def python_imports(package: Path) -> Iterator[Import]:
    """Imports between the files of the package, wherever in a file."""
    root = package.parent
    for file in python_files(package):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                wanted = {alias.name: [alias.name] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                wanted = {}
                for alias in node.names:
                    submodule = f"{node.module}.{alias.name}"
                    wanted.setdefault(submodule if _file_of(root, submodule) else node.module, []).append(alias.name)
            else:
                continue
            for module, names in wanted.items():
                target = _file_of(root, module)
                if target is not None and target != file:
                    relative = [path.relative_to(root).as_posix() for path in (file, target)]
                    yield Import(relative[0], relative[1], ", ".join(names))


def _file_of(root: Path, module: str) -> Path | None:
    path = root.joinpath(*module.split("."))
    if module.split(".", maxsplit=1)[0] not in ("pipeline", "hydra_plugins"):
        return None
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def viewer_imports() -> Iterator[Import]:
    """Imports between the viewer's TypeScript files, type imports included."""
    source = VIEWER / "src"
    statement = re.compile(
        r"^\s*(?:import|export)\s+(?:type\s+)?([^;\"']*?)\s*from\s+[\"'](\.[^\"']+)[\"']", re.MULTILINE
    )
    for file in sorted(source.rglob("*.ts")):
        for names, target in statement.findall(file.read_text()):
            path = (file.parent / target).resolve()
            imported = path if path.suffix == ".ts" else path.with_name(path.name.removesuffix(".js") + ".ts")
            assert imported.is_file(), f"{file}: {target}"
            yield Import(
                file.relative_to(source).as_posix(),
                imported.relative_to(source).as_posix(),
                " ".join(names.strip("{} \n").split()),
            )


def upward(imports: "Iterator[Import] | list[Import]", table: Mapping[str, "tuple[str, ...] | list[str]"]) -> list[str]:
    """The imports that the table does not allow."""

    def part(name: str) -> str:
        first = name.removeprefix("pipeline/").split("/")[0]
        return Path(first).stem

    return [
        str(one)
        for one in imports
        if part(one.importer) != part(one.imported) and part(one.imported) not in table.get(part(one.importer), ())
    ]


def import_cycles(imports: "Iterator[Import] | list[Import]") -> list[str]:
    """Cycles among files, each with the imports that close it."""
    edges = list(imports)
    graph: dict[str, set[str]] = {}
    for one in edges:
        graph.setdefault(one.importer, set()).add(one.imported)
    return [
        "; ".join(str(one) for one in edges if one.importer in cycle and one.imported in cycle)
        for cycle in cycles(graph)
    ]


def cycles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Groups of nodes that reach each other."""
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen, left = set[str](), [start]
        while left:
            for following in graph.get(left.pop(), ()):
                if following not in seen:
                    seen.add(following)
                    left.append(following)
        reach[start] = seen
    groups: list[set[str]] = []
    for node in sorted(graph):
        if node in reach[node] and not any(node in group for group in groups):
            groups.append({other for other in reach[node] if node in reach.get(other, ())})
    return groups


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, [{"b", "c"}]),
    ],
)
def test_cycles_are_found(graph: dict[str, set[str]], expected: list[set[str]]) -> None:
    """A planted cycle is found and a chain is none."""
    assert cycles(graph) == expected

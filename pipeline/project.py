"""A project: the folder with ``dvc.yaml``, ``conf/`` and ``outputs/`` from which every command runs.

There are two kinds. A checkout of the repository lists the package's files in ``dvc.yaml``, so that DVC notices every
edit. A project made by ``atlas init`` runs the installed package: its ``dvc.yaml`` names ``code.yaml`` instead, which
holds a digest of each stage's code and is brought up to date by ``atlas run``.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from pipeline import __version__
from pipeline.core.code_dependencies import PACKAGE, stage_digest
from pipeline.core.errors import ConfigError
from pipeline.core.files import atomic

DVC, CODE = "dvc.yaml", "code.yaml"
DVC_NEW = "dvc.yaml.new"  # the package's, where the user's own stays
VERSION, DVC_DIGEST = "version", "dvc_yaml"  # keys of code.yaml that are no stages
HEAD_OF_DVC = """\
# The stages of activation-atlas, in the order in which data flows. Add stages of your own, or change these: 'atlas run'
# replaces this file only while nobody has edited it.
"""
HEAD_OF_CODE = """\
# Written by 'atlas run': a digest of each stage's code in the installed package. DVC runs a stage again when its line
# changes. Commit this file; do not edit it.
"""


def shipped() -> Path:
    """The folder with the package's own ``conf/`` and ``dvc.yaml``: a part of the wheel, or the checkout."""
    inside = PACKAGE / "shipped"
    return inside if inside.is_dir() else PACKAGE.parent


def project_root() -> Path:
    """The folder that holds ``dvc.yaml`` and ``conf/``: the current one or a parent.

    Raises:
        ConfigError: there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if is_project(folder):
            return folder
    raise ConfigError(
        f"{here}: expected a project of activation-atlas (dvc.yaml, conf/), found none; change into one, or make one "
        "with 'atlas init DIR'"
    )


def is_project(folder: Path) -> bool:
    """Whether a folder has ``dvc.yaml`` and ``conf/``."""
    return (folder / DVC).is_file() and (folder / "conf").is_dir()


def runs_installed_package(folder: Path) -> bool:
    """Whether a folder's ``dvc.yaml`` depends on ``code.yaml``, as ``atlas init`` writes it."""
    try:
        return f"{CODE}:" in (folder / DVC).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def update_project(root: Path) -> list[str]:
    """Bring ``code.yaml`` and an unedited ``dvc.yaml`` up to date with the installed package; a checkout needs none.

    Args:
        root: the project.

    Returns:
        Lines that say what changed; none where nothing did.
    """
    if not runs_installed_package(root):
        return []
    before, digests, dvc = _read_code(root), code_digests(), project_dvc_yaml()
    lines = _update_dvc_yaml(root, dvc, before.get(DVC_DIGEST))
    version = before.get(VERSION, __version__)
    changed = [name for name, digest in digests.items() if before.get(name, digest) != digest]
    upgrade = f"activation-atlas {version} → {__version__}" if version != __version__ else f"activation-atlas {version}"
    if changed:
        again = "they run again" if len(changed) > 1 else "it runs again"
        lines.append(f"{upgrade}: the code of {', '.join(changed)} changed; {again}")
    elif version != __version__:
        lines.append(f"{upgrade}: no stage's code changed; nothing runs again because of it")
    text = _code_text(digests, _digest(dvc))
    if not (root / CODE).is_file() or (root / CODE).read_text(encoding="utf-8", errors="replace") != text:
        with atomic(root / CODE) as partial:
            partial.write_text(text, encoding="utf-8")
    return lines


def outdated(root: Path) -> str | None:
    """A line if ``code.yaml`` is another version's, since DVC's own commands do not bring it up to date."""
    version = _read_code(root).get(VERSION, __version__) if runs_installed_package(root) else __version__
    if version == __version__:
        return None
    return f"{CODE} is of activation-atlas {version}, this is {__version__}; 'atlas run' runs what that changes"


def project_dvc_yaml() -> str:
    """The ``dvc.yaml`` of a project: the package's, with ``code.yaml`` in place of the package's files."""
    values = yaml.safe_load((shipped() / DVC).read_text(encoding="utf-8"))
    for name, stage in values["stages"].items():
        deps = [dep for dep in stage.pop("deps") if not dep.startswith(f"{PACKAGE.name}/")]
        stage.update({"params": [*stage["params"], {CODE: [name]}]} | ({"deps": deps} if deps else {}))
    return HEAD_OF_DVC + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120)


def add_plot_templates(root: Path) -> None:
    """Give a project the templates that ``dvc plots`` draws with; those that are there stay."""
    folder = root / ".dvc" / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    for template in (shipped() / ".dvc" / "plots").glob("*.json"):
        if not (folder / template.name).exists():
            shutil.copyfile(template, folder / template.name)


def project_code_yaml() -> str:
    """The ``code.yaml`` of a project with the installed package's ``dvc.yaml``."""
    return _code_text(code_digests(), _digest(project_dvc_yaml()))


def code_digests() -> dict[str, str]:
    """The digest of each stage's code, see :func:`pipeline.core.code_dependencies.stage_digest`."""
    from pipeline.stages import STAGES  # noqa: PLC0415  # slow to import, and Hydra's plugin loads this file

    return {name: stage_digest(name) for name in STAGES}


def _update_dvc_yaml(root: Path, text: str, known: str | None) -> list[str]:
    """Replace ``dvc.yaml`` if the package's is new and nobody has edited it; else put the new one beside it."""
    present = _digest((root / DVC).read_text(encoding="utf-8"))
    if _digest(text) in (known, present):
        return []
    target = DVC if present == known else DVC_NEW
    with atomic(root / target) as partial:
        partial.write_text(text, encoding="utf-8")
    if target == DVC:
        add_plot_templates(root)
        return [f"{DVC}: replaced by that of activation-atlas {__version__}"]
    return [f"{DVC}: edited, so it stays; that of activation-atlas {__version__} is {DVC_NEW}: copy what it has new"]


def _read_code(root: Path) -> dict[str, str]:
    """What ``code.yaml`` holds; nothing where it is missing or damaged."""
    try:
        found = yaml.safe_load((root / CODE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _code_text(digests: Mapping[str, str], dvc_digest: str) -> str:
    lines = {VERSION: __version__, DVC_DIGEST: dvc_digest, **digests}
    return HEAD_OF_CODE + "".join(f"{key}: {value}\n" for key, value in lines.items())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

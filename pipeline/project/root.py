"""A project: the folder with ``dvc.yaml``, ``conf/`` and ``outputs/`` from which every command runs.

There are two kinds. A checkout of the repository lists the package's files in ``dvc.yaml``, so that DVC notices every
edit. A project made by ``atlas init`` runs the installed package: its ``dvc.yaml`` names ``code.yaml`` instead, which
holds a digest of each stage's code and is brought up to date by ``atlas run``.
"""

from pathlib import Path

from pipeline.core.code_dependencies import PACKAGE
from pipeline.core.errors import ConfigError

DVC, CODE = "dvc.yaml", "code.yaml"


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

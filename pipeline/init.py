"""The command ``atlas init``: a folder from which everything runs with the installed package."""

import logging
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dvc.config import Config
from dvc.exceptions import DvcException
from dvc.repo import Repo
from omegaconf import OmegaConf

from pipeline import __version__
from pipeline.compose import PARAMS, compose_config
from pipeline.core.errors import ConfigError
from pipeline.project import (
    CODE,
    DVC,
    add_plot_templates,
    is_project,
    project_code_yaml,
    project_dvc_yaml,
    runs_installed_package,
    shipped,
)

DVC_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "core": {"analytics": False, "check_update": False, "autostage": False},
    "hydra": {"enabled": True, "config_dir": "conf", "config_name": "config"},
    "cache": {"type": ["reflink", "hardlink", "copy"]},
}
GITIGNORE = """\
/outputs/
__pycache__/
*.bin
*.ckpt
*.pt
*.pth
*.safetensors
"""
DVCIGNORE = """\
__pycache__/
*.partial
"""
EXAMPLE = """\
# @package _global_
# An experiment is a set of settings under a name; this one runs by: atlas run +experiment=example
# The settings and their meaning stand in the package's conf/, which 'atlas init' names.
# conf/GROUP/NAME.yaml adds an option to a group: conf/render/sharp.yaml is taken by render=sharp. A file with the name
# of one of the package's options takes its place in this project.
defaults:
  - override /images: toytown # image_folder for your own, then images.root as well

# images: {root: /path/to/images}
# layers: [mixed3b, mixed4a]
site: {title: My atlas}
"""


def init_project(folder: Path) -> list[str]:
    """Make a folder a project; files that are there stay as they are.

    Args:
        folder: a new one, or one with files of the user's.

    Returns:
        Lines that say what was made, what was there and what to do next.

    Raises:
        ConfigError: the folder cannot be a project: it is a file, not writable, within another project, a checkout, or
            has a ``dvc.yaml`` of other stages.
    """
    named, folder = folder, folder.absolute()
    _check_place(folder)
    made: list[str] = []
    kept: list[str] = []
    # in this order: the configuration can be composed once dvc.yaml is there
    files: dict[str, Callable[[], str]] = {
        ".gitignore": lambda: GITIGNORE,
        ".dvcignore": lambda: DVCIGNORE,
        DVC: project_dvc_yaml,
        CODE: project_code_yaml,
        "conf/experiment/example.yaml": lambda: EXAMPLE,
        PARAMS: lambda: OmegaConf.to_yaml(compose_config(folder, [])),
    }
    if (folder / "conf").is_dir():  # an example that was deleted does not come back
        kept.append("conf/")
        del files["conf/experiment/example.yaml"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if os.path.lexists(folder / name):
                kept.append(name)
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content(), encoding="utf-8")
            made.append(name)
        notes = [*_init_git(folder, made, kept), *_init_dvc(folder, made, kept)]
        add_plot_templates(folder)
    except OSError as error:
        raise ConfigError(
            f"{folder}: expected a folder that can be written, found: {error.strerror or error}; choose another one"
        ) from error
    lines = [f"{folder}: a project of activation-atlas {__version__}"]
    lines += [f"  made: {', '.join(made)}"] if made else []
    lines += [f"  already there, left as they are: {', '.join(kept)}"] if kept else []
    return [*lines, *(f"  {note}" for note in notes), *_next_steps(named)]


def _check_place(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: expected a folder or a new name, found a file; choose another name")
    for parent in folder.resolve().parents:
        if is_project(parent):
            raise ConfigError(f"{folder}: expected a place outside of projects, found the project {parent} around it")
    if os.path.lexists(folder / DVC) and not runs_installed_package(folder):
        if (folder / "pipeline" / "stages.py").is_file():
            raise ConfigError(f"{folder}: expected a place for a project, found a checkout; 'atlas run' works in it")
        raise ConfigError(
            f"{folder / DVC}: expected none, or one of activation-atlas, found another; choose another folder"
        )
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder}: expected a folder that can be written, found one that cannot; choose another one")


def _init_git(folder: Path, made: list[str], kept: list[str]) -> list[str]:
    """Make the folder a Git repository unless it lies in one; returns notes for the user."""
    git = shutil.which("git")
    if git is None:
        return ["git: not found; all but 'dvc exp' works without it"]
    if subprocess.run([git, "-C", str(folder), "rev-parse"], capture_output=True, check=False).returncode == 0:  # noqa: S603  # found on PATH
        kept.append("Git repository")
        return []
    done = subprocess.run([git, "init", "--quiet", str(folder)], capture_output=True, text=True, check=False)  # noqa: S603  # found on PATH
    if done.returncode:
        raise ConfigError(f"git init {folder}: expected a Git repository, found: {' '.join(done.stderr.split())}")
    made.append("Git repository")
    return []


def _init_dvc(folder: Path, made: list[str], kept: list[str]) -> list[str]:
    """Make the folder a DVC repository unless it is one; returns notes for the user."""
    if (folder / ".dvc").is_dir():
        kept.append("DVC repository")
        if Config(str(folder / ".dvc")).get("hydra", {}).get("enabled"):
            return []
        return ["for 'dvc exp run -S' to compose conf/: dvc config hydra.enabled true"]
    logging.getLogger("dvc.repo.init").setLevel(logging.WARNING)  # our lines say that it is made
    in_git = any((parent / ".git").exists() for parent in (folder, *folder.parents))
    try:
        repo = Repo.init(str(folder), no_scm=not in_git, subdir=in_git and not (folder / ".git").exists())
        with repo, repo.config.edit("repo") as config:
            for section, values in DVC_SETTINGS.items():
                config[section].update(values)
    except DvcException as error:
        raise ConfigError(f"dvc init {folder}: expected a DVC repository, found: {error}") from None
    made.append("DVC repository")
    return []


def _next_steps(folder: Path) -> list[str]:
    enter = f"cd {shlex.quote(str(folder))} && " if folder.absolute() != Path.cwd() else ""
    return [
        f"  settings and their meaning: {shipped() / 'conf'}",
        f"Next: {enter}atlas run images=image_folder images.root=/path/to/images",
    ]

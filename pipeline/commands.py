"""The ``atlas`` commands."""

import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pipeline.config.params import load_params, parse_params
from pipeline.core.errors import ConfigError, escape_control_chars
from pipeline.core.lock import lock, lock_stage, refuse_busy
from pipeline.core.progress import log_line
from pipeline.export import export
from pipeline.plan.inputs import Options
from pipeline.project import outdated, project_root, update_project
from pipeline.reproduce import check_dvc, reproduce
from pipeline.site_metrics import write_site_metrics
from pipeline.stages import STAGES, Task

OUTPUTS = Path("outputs")


def make_project(folder: str) -> None:
    """Make a folder a project, and print what was made.

    Args:
        folder: relative to the current one.

    Raises:
        ConfigError: the folder cannot be a project.
    """
    from pipeline.init import init_project

    sys.stdout.writelines(f"{escape_control_chars(line)}\n" for line in init_project(Path(folder)))


def run_pipeline(overrides: Sequence[str]) -> None:
    """Compose, check, write ``params.yaml``, and let DVC run what is out of date.

    Raises:
        AtlasError: the configuration cannot work, or another run holds the lock of the outputs; nothing has run.
        SystemExit: a stage failed, with its exit code.
    """
    root, command = project_root(), shlex.join(["atlas", "run", *overrides])
    os.chdir(root)
    refuse_busy(OUTPUTS)  # at once: the checks take a while, and the lock is taken only after them
    check_dvc(root, OUTPUTS)
    from omegaconf import OmegaConf

    from pipeline.compose import compose_cluster, compose_config, write_params
    from pipeline.config.cluster import VARIABLE, from_environment, parse_cluster, to_environment
    from pipeline.core.resumable import share_committed_files
    from pipeline.plan.check import check_cluster, check_run

    cluster, overrides = compose_cluster(root, overrides)
    # without an override it stays as the user set it
    settings = from_environment() if cluster is None else parse_cluster(OmegaConf.to_container(cluster))
    config = compose_config(root, overrides)
    params = parse_params(OmegaConf.to_container(config))
    check_cluster(settings)
    check_run(params, OUTPUTS)
    os.environ[VARIABLE] = to_environment(settings)  # DVC starts the stages, which read it there
    with lock(OUTPUTS, command):
        for line in update_project(root):
            log_line(line)
        write_params(root, config)
        reproduce()
        share_committed_files(OUTPUTS)  # after DVC has stored them
        write_site_metrics(OUTPUTS)
    log_line("")
    log_line(f"The atlas is ready: open {OUTPUTS / 'site' / 'index.html'}, or serve it with 'atlas browse'.")


def plan_run(overrides: Sequence[str], options: Options) -> None:
    """Print what a run would cost; nothing is written.

    Raises:
        AtlasError: the configuration cannot work, or disk or memory cannot hold the run.
    """
    from pipeline.plan.command import plan

    root = project_root()
    os.chdir(root)
    finished = plan(root, OUTPUTS, overrides, options)
    sys.stdout.writelines(f"{escape_control_chars(line)}\n" for line in finished.text.splitlines())
    finished.check_fits(OUTPUTS)


def run_stage(name: str, arguments: Sequence[str]) -> None:
    """Run one stage as DVC does, on the ``params.yaml`` of the project.

    Args:
        name: of the stage.
        arguments: ``layer=NAME``, ``atlas=NAME`` for stages that run once for each of them.

    Raises:
        AtlasError: the arguments, the configuration or the stage's inputs are wrong, or another run holds the lock.
    """
    root = project_root()
    os.chdir(root)
    if line := outdated(root):
        log_line(line)
    stage = STAGES[name]
    values = dict(argument.partition("=")[::2] for argument in arguments)
    if set(values) != set(stage.over) or not all(values.values()):
        usage = " ".join(f"{key}=NAME" for key in stage.over) or "no arguments"
        raise ConfigError(f"atlas {name}: expected {usage}, found {' '.join(arguments) or 'none'}")
    params = load_params(Path("params.yaml"))
    for key, many in stage.over.items():
        known = getattr(params, many)
        if values[key] not in known:
            listed = ", ".join(known) or f"none, as {many} is empty"
            raise ConfigError(f"atlas {name}: expected {key} to be one of {listed}, found {values[key]}")
    with lock_stage(OUTPUTS, shlex.join(["atlas", name, *arguments])):
        import_module(f"pipeline.{name}.stage").run(Task(stage, params, OUTPUTS, **values))


def print_provenance(arguments: Sequence[str], as_json: bool) -> None:
    """Print from what an icon was made: its cell, samples, images, settings and code.

    Raises:
        AtlasError: an argument is wrong, an artifact is missing, or one was made from others than those on disk.
    """
    from pipeline.provenance.report import provenance

    os.chdir(project_root())
    provenance(OUTPUTS, load_params(Path("params.yaml")), arguments, as_json)


def browse_site(port: int | None, open_browser: bool) -> None:
    """Serve the site of the project on 127.0.0.1 until interrupted; the page can place images of the user's own.

    Raises:
        ConfigError: there is no site yet.
    """
    from pipeline.browse import browse
    from pipeline.locate.endpoint import project_handler

    root = project_root()
    os.chdir(root)  # paths in the settings of the network are relative to it
    site = root / OUTPUTS / "site"
    if not (site / "index.html").is_file():
        raise ConfigError(f"{site}: expected a site, found none; make one with 'atlas run'")
    write_site_metrics(site.parent)
    browse(site, port, open_browser, project_handler(root / "params.yaml", site.parent))


def export_site(folder: str) -> None:
    """Copy the site of the project to a folder that any static host can publish.

    Args:
        folder: target, relative to the current folder.

    Raises:
        AtlasError: there is no complete site, the folder holds other files, or a run holds the lock of the outputs.
    """
    target = Path(folder).absolute()
    os.chdir(project_root())
    if not (OUTPUTS / "site" / "index.html").is_file():
        raise ConfigError(f"{OUTPUTS / 'site'}: expected a site, found none; make one with 'atlas run'")
    with lock(OUTPUTS, shlex.join(["atlas", "export", folder])):
        write_site_metrics(OUTPUTS)
        export(OUTPUTS / "site", target)

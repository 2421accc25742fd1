"""What each ``atlas`` command does."""

import os
import re
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pipeline.core.errors import ConfigError
from pipeline.core.lock import lock, lock_stage, refuse_busy
from pipeline.core.printable import printable
from pipeline.core.progress import say
from pipeline.figures import write_figures
from pipeline.params import load_params, parse_params
from pipeline.plan.options import Options
from pipeline.project import project_root
from pipeline.project_files import outdated, update_project
from pipeline.stages import STAGES, Task

OUTPUTS = Path("outputs")


def make_project(folder: str) -> None:
    """Make a folder a project, and print what was made.

    Args:
        folder: from the current one.

    Raises:
        ConfigError: the folder cannot be a project.
    """
    from pipeline.init import init_project

    sys.stdout.writelines(f"{printable(line)}\n" for line in init_project(Path(folder)))


def run_pipeline(overrides: Sequence[str]) -> None:
    """Compose, check, write ``params.yaml``, and let DVC run what is out of date.

    Raises:
        AtlasError: the configuration cannot work, or another run is at work on the outputs; nothing has run.
        SystemExit: a stage failed, with its exit code.
    """
    root, command = project_root(), shlex.join(["atlas", "run", *overrides])
    os.chdir(root)
    refuse_busy(OUTPUTS)  # what follows takes a while and makes nothing; then the lock is taken
    from omegaconf import OmegaConf

    from pipeline.check import check
    from pipeline.compose import compose_cluster, compose_config, write_params
    from pipeline.core.cluster import VARIABLE, from_environment, parse_cluster, to_environment

    cluster, overrides = compose_cluster(root, overrides)
    # stages are children of DVC and find it in their environment; without an override, what is there is checked
    settings = from_environment() if cluster is None else parse_cluster(OmegaConf.to_container(cluster))
    os.environ[VARIABLE] = to_environment(settings)
    config = compose_config(root, overrides)
    params = parse_params(OmegaConf.to_container(config))
    check(params, OUTPUTS)
    with lock(OUTPUTS, command):
        for line in update_project(root):
            say(line)
        write_params(root, config)
        reproduce()
        write_figures(OUTPUTS)
    say("")
    say(f"The atlas is ready: open {OUTPUTS / 'site' / 'index.html'}, or serve it with 'atlas browse'.")


def plan_run(overrides: Sequence[str], options: Options) -> None:
    """Print what a run would take; nothing is written.

    Raises:
        AtlasError: the configuration cannot work, or disk or memory cannot hold what it would take.
    """
    from pipeline.plan.command import plan

    root = project_root()
    os.chdir(root)
    made = plan(root, OUTPUTS, overrides, options)
    sys.stdout.writelines(f"{printable(line)}\n" for line in made.text.splitlines())
    made.refuse(OUTPUTS)


def reproduce() -> None:
    """Let DVC run every stage that is out of date.

    Raises:
        SystemExit: a stage failed, with its exit code.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.stage.exceptions import StageCmdFailedError

    # stages are run as `atlas STAGE`, which lies beside this very interpreter
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        with Repo() as repo:
            repo.reproduce()
    except DvcException as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, StageCmdFailedError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise ConfigError(f"dvc: {' '.join(str(error).split())}") from None
        say(f"atlas: {' '.join(str(cause).split())}")
        exited = re.search(r"exited with (\d+)$", str(cause).strip())
        raise SystemExit(int(exited[1]) if exited else 1) from None


def run_stage(name: str, arguments: Sequence[str]) -> None:
    """Run one stage as DVC does, on the ``params.yaml`` of the project.

    Args:
        name: of the stage.
        arguments: ``layer=NAME``, ``atlas=NAME`` for stages that run once for each of them.

    Raises:
        AtlasError: the arguments, the configuration or the stage's inputs are not right, or another run is at work.
    """
    root = project_root()
    os.chdir(root)
    if line := outdated(root):
        say(line)
    stage = STAGES[name]
    given = dict(argument.partition("=")[::2] for argument in arguments)
    if set(given) != set(stage.over) or not all(given.values()):
        usage = " ".join(f"{key}=NAME" for key in stage.over) or "no arguments"
        raise ConfigError(f"atlas {name}: expected {usage}, found {' '.join(arguments) or 'none'}")
    params = load_params(Path("params.yaml"))
    for key, many in stage.over.items():
        known = getattr(params, many)
        if given[key] not in known:
            listed = ", ".join(known) or f"none, as {many} is empty"
            raise ConfigError(f"atlas {name}: expected {key} to be one of {listed}, found {given[key]}")
    with lock_stage(OUTPUTS, shlex.join(["atlas", name, *arguments])):
        import_module(f"pipeline.{name}.stage").run(Task(stage, params, OUTPUTS, **given))


def tell_provenance(arguments: Sequence[str], as_json: bool) -> None:
    """Print where an icon of the project's run comes from.

    Raises:
        AtlasError: the arguments are not right, an artifact is missing, or the chain of artifacts is broken.
    """
    from pipeline.provenance.command import provenance

    os.chdir(project_root())
    provenance(OUTPUTS, load_params(Path("params.yaml")), arguments, as_json)


def browse_site(port: int | None, open_browser: bool) -> None:
    """Serve the site of the project on 127.0.0.1 until interrupted.

    Raises:
        ConfigError: there is no site yet.
    """
    from pipeline.browse import browse

    site = project_root() / OUTPUTS / "site"
    if not (site / "index.html").is_file():
        raise ConfigError(f"{site}: expected a site, found none; make one with 'atlas run'")
    write_figures(site.parent)
    browse(site, port, open_browser)


def export_site(folder: str) -> None:
    """Copy the site of the project to a folder that any static host can publish.

    Args:
        folder: where to, from the current folder.

    Raises:
        AtlasError: there is no whole site, the folder is another one's, or a run is at work on the outputs.
    """
    from pipeline.export.export import export

    target = Path(folder).absolute()
    os.chdir(project_root())
    if not (OUTPUTS / "site" / "index.html").is_file():
        raise ConfigError(f"{OUTPUTS / 'site'}: expected a site, found none; make one with 'atlas run'")
    with lock(OUTPUTS, shlex.join(["atlas", "export", folder])):
        write_figures(OUTPUTS)
        export(OUTPUTS / "site", target)

"""The command ``atlas``: see ``atlas --help``."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from traceback import format_exception
from types import TracebackType

from pipeline import __version__
from pipeline.commands import (
    browse_site,
    export_site,
    make_project,
    plan_run,
    print_provenance,
    run_pipeline,
    run_stage,
)
from pipeline.core.errors import AtlasError, escape_control_chars
from pipeline.core.malloc import share_memory
from pipeline.core.secrets import redact
from pipeline.plan.inputs import add_options, options_from
from pipeline.stages import STAGES

BAD_INPUT = 2
INTERRUPTED = 130
ROOM, AGAIN = "expected room to write", "free some and run the same command again"
# what the system may refuse: expected, found, what to do
REFUSED = {
    errno.ENOSPC: (ROOM, "the disk full", AGAIN),
    errno.EDQUOT: (ROOM, "the disk quota used up", AGAIN),
    errno.EFBIG: (ROOM, "that files may not be as large (ulimit -f)", AGAIN),
    errno.EROFS: ("expected a place that can be written", "a read-only file system", "work on another disk"),
    errno.EMFILE: ("expected to open a file", "too many open ones", "allow more (ulimit -n)"),
}
DENIED = (errno.EACCES, errno.EPERM)  # said only of a file that the error names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one ``atlas`` command; returns 0, 2 for an error that the user can fix, 130 when interrupted."""
    share_memory()
    sys.excepthook = show_redacted
    options = _parser().parse_args(arguments)
    try:
        _dispatch(options)
    except KeyboardInterrupt:
        if options.debug:
            raise
        sys.stderr.write("atlas: interrupted; finished stages are kept, run the same command to go on\n")
        return INTERRUPTED
    except Exception as error:
        line = str(error) if isinstance(error, AtlasError) else _refused(error)
        if options.debug or line is None:
            raise
        sys.stderr.write(f"atlas: {escape_control_chars(redact(' '.join(line.split())))}\n")
        return BAD_INPUT
    return 0


def show_redacted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that ends the process with its traceback, as Python does, and without secrets."""
    del kind
    sys.stderr.write(redact("".join(format_exception(error.with_traceback(trace)))))


def _refused(error: BaseException | None) -> str | None:
    """The message for what the system refused: room, writing, opening a file; None for another error.

    Libraries that write files raise different types for it.
    """
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        where = getattr(error, "filename", None)
        for refused, (expected, found, advice) in REFUSED.items():
            if number == refused or os.strerror(refused) in str(error):
                return f"{where or 'outputs'}: {expected}, found {found}; {advice}"
        if number in DENIED and where:
            return f"{where}: expected permission to read and write it, found none; change its permissions or owner"
        error = error.__cause__ or error.__context__
    return None


def _parser() -> argparse.ArgumentParser:
    # --debug may stand before or after the command; a default of the second would overwrite the first
    debug = "show the traceback of an error"
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=debug)
    parser = argparse.ArgumentParser(
        prog="atlas",
        description="Makes browsable activation atlases of vision networks.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Stages, as DVC runs them: " + ", ".join(STAGES),
    )
    parser.add_argument("--version", action="version", version=f"activation-atlas {__version__}")
    parser.add_argument("--debug", action="store_true", help=debug)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    init = commands.add_parser("init", parents=[shared], help="make a folder a project, from which everything runs")
    init.add_argument("folder", metavar="DIR", help="a new folder, or one with files of yours, which stay as they are")
    run = commands.add_parser("run", parents=[shared], help="check the configuration, run what is out of date")
    run.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="Hydra overrides, e.g. render.steps=64")
    plan = commands.add_parser("plan", parents=[shared], help="what a run would cost: icons, disk, memory and time")
    plan.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="as for atlas run")
    add_options(plan)
    browse = commands.add_parser("browse", parents=[shared], help="serve the site on 127.0.0.1 and open it")
    browse.add_argument("--port", type=int, help="default: the first free one from 8000")
    browse.add_argument("--no-open", action="store_true", help="do not open a browser")
    export = commands.add_parser("export", parents=[shared], help="copy the site to a folder that any host can publish")
    export.add_argument("folder", metavar="DIR", help="a new or empty folder, or an earlier export")
    provenance = commands.add_parser("provenance", parents=[shared], help="show from what an icon was made")
    metavar = "layer=NAME atlas=NAME level=CELLS cell=ROW,COLUMN style=NAME"
    provenance.add_argument("arguments", nargs="*", metavar=metavar)
    provenance.add_argument("--json", action="store_true", help="all of it as JSON")
    for stage in STAGES.values():
        one = commands.add_parser(stage.name, parents=[shared], help=f"run the stage {stage.name} alone")
        metavar = " ".join(f"{argument}=NAME" for argument in stage.over)
        one.add_argument("arguments", nargs="*", metavar=metavar)
    return parser


def _dispatch(options: argparse.Namespace) -> None:
    if options.command == "init":
        make_project(options.folder)
    elif options.command == "run":
        run_pipeline(options.overrides)
    elif options.command == "plan":
        plan_run(options.overrides, options_from(options))
    elif options.command == "browse":
        browse_site(options.port, not options.no_open)
    elif options.command == "export":
        export_site(options.folder)
    elif options.command == "provenance":
        print_provenance(options.arguments, options.json)
    else:
        run_stage(options.command, options.arguments)


if __name__ == "__main__":
    sys.exit(main())

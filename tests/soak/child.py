"""What the process of a stage does."""

import os
import sys
import tempfile
from pathlib import Path

MADE = "made.log"  # names of computed icons and arrays, beside the outputs


def command(
    arguments: list[str], folder: Path, printed: Path, file_limit: int | None, environment: dict[str, str]
) -> None:
    """``atlas`` with ``arguments`` in ``folder``.

    Args:
        arguments: of the command.
        folder: a checkout.
        printed: file that takes all that is printed.
        file_limit: bytes that a file may have, None for any number.
        environment: variables that differ from those of the process that it was forked from.
    """
    os.chdir(folder)
    os.environ.update(environment)
    tempfile.tempdir = None  # which the process that it was forked from may have chosen
    with printed.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)

    # all of it is there already where this process was forked
    from pipeline.__main__ import main  # noqa: PLC0415
    from tests.soak import loaded  # noqa: PLC0415

    loaded.log_to(folder / MADE)
    if file_limit is not None:
        import resource  # noqa: PLC0415  # not on every system

        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    sys.exit(main(arguments))

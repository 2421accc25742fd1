"""Errors that a network's own code raises: the exception, the module and the line, for one line to the user."""

import linecache
import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb

import torch
from torch import nn

LONGEST = 500  # characters of an exception's own message
# with a separator at their ends: torchvision's files are not torch's
TORCH = f"{Path(torch.__file__).parent}{os.sep}"
PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
INSTALLED = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), sysconfig.get_path("stdlib")})


@dataclass(frozen=True)
class _Frame:
    """A line of Python that was running when the exception was raised.

    Attributes:
        file, line: of the source.
        module: whose method it is, if any.
    """

    file: str
    line: int
    module: nn.Module | None

    @property
    def of_network(self) -> bool:
        """Whether the line belongs to the network, neither to torch nor to this package's use of it."""
        return is_network_file(self.file) or (self.module is not None and self.file.startswith(PACKAGE))


def describe_error(error: BaseException, network: nn.Module) -> str:
    """What a network's code raised, in one line: the exception, its module and its line in the network's file.

    The line is the innermost one that belongs to the user's own files, else to an installed package other than torch.

    Args:
        error: raised while the network ran.
        network: which has the modules.
    """
    frames = [_frame(frame.f_code.co_filename, line, frame.f_locals) for frame, line in walk_tb(error.__traceback__)]
    names = {module: name for name, module in network.named_modules()}
    running = next((frame.module for frame in reversed(frames) if frame.module in names), None)
    own = [frame for frame in frames if frame.of_network]
    users = [frame for frame in own if not frame.file.startswith(INSTALLED)]
    place = (users or own)[-1] if own else None
    reason = " ".join(str(error).split())
    if not reason and place is not None:
        reason = linecache.getline(place.file, place.line).strip()
    text = type(error).__name__
    if running is not None:
        text += f" in {names[running] or 'the network'} ({type(running).__name__})"
    if place is not None:
        text += f" at {shown_path(place.file)}:{place.line}"
    return f"{text}: {reason[:LONGEST]}{'…' if len(reason) > LONGEST else ''}"


def is_network_file(file: str) -> bool:
    """Whether a source file is neither torch's nor this package's."""
    return not file.startswith((TORCH, PACKAGE, "<"))


def shown_path(file: str) -> str:
    """A source file's path, relative to the current folder or to where packages are installed if it is inside."""
    for folder in (str(Path.cwd()), *INSTALLED):
        if Path(file).is_relative_to(folder):
            return str(Path(file).relative_to(folder))
    return file


def _frame(file: str, line: int, names: dict[str, object]) -> _Frame:
    owner = names.get("self")
    return _Frame(file, line, owner if isinstance(owner, nn.Module) else None)

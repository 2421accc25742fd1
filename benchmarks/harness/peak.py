"""Peak memory of processes, without what their parents held."""

from pathlib import Path


def own_peak() -> int:
    """The most resident memory that this process has had since it began to run its own program, bytes."""
    return recorded_peak("self")


def recorded_peak(process: int | str) -> int:
    """The same of another process, 0 where it is gone or the system keeps no such record.

    The record of ``getrusage`` is of no use here: it begins with what the parent held when it started the process.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)

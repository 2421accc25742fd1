"""What the benchmark ran on, as its results name it."""

import os
import platform
import re
from pathlib import Path

import torch


def machine() -> dict[str, str | int | float]:
    """Processor, cores, memory (GiB), GPU, and versions that can change a timing."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_gib": round(_memory() / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def in_words(found: dict[str, str | int | float]) -> str:
    """The machine in one line."""
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gib']} GiB, GPU: {found['gpu']}; "
        f"torch {found['torch']}, {found['threads']} threads"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.is_file() else ""
    fields = {key.strip(): value.strip() for key, value in re.findall(r"^([^:\n]+):(.*)$", text, flags=re.MULTILINE)}
    name = fields.get("model name") or platform.processor() or platform.machine()
    # a virtual machine may hide the model's name; its family and model number still tell the generation
    numbers = f" (family {fields['cpu family']}, model {fields['model']})" if "cpu family" in fields else ""
    return name + numbers


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

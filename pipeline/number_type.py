"""The number type that ``auto`` stands for: bfloat16 where the device computes it natively, else float32."""

from collections.abc import Mapping

import torch

# instructions that multiply bfloat16 numbers: two sets of x86, one of ARM
NATIVE = ("amx_bf16", "avx512_bf16", "bf16")


def native_number_type(device: str) -> str:
    """``bfloat16`` if the device multiplies such numbers in hardware, else ``float32``.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:N`` or ``mps``; any other, or one that this machine lacks, gives float32.
    """
    kind, _, index = device.partition(":")
    if kind == "cpu":
        native = _cpu_is_native()
    elif kind == "cuda" and int(index if index.isdecimal() else 0) < torch.cuda.device_count():
        with torch.cuda.device(device):
            native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = False
    return "bfloat16" if native else "float32"


def _cpu_is_native() -> bool:
    # torch uses the instructions by oneDNN; before 2.10 it does not tell which there are
    known: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    used: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return used and any(known.get(name) for name in NATIVE)

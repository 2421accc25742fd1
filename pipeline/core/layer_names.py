"""Names of layers: dotted module paths, spelled so that paths, commands and addresses can hold them as they are."""

import re

LOGITS = "logits"  # the network's own output, beside the names of layers
PLAIN = re.compile(r"[A-Za-z0-9_.]")
PLAIN_PATH = re.compile(r"[A-Za-z0-9_.]*")
PATTERN = re.compile(r"[A-Za-z0-9_+]+(\.[A-Za-z0-9_+]+)*(:\d+)?")


def layer_name(path: str) -> str:
    """The name of the layer at a module path.

    Letters, digits, ``_`` and the dots stay. Each byte of any other character, in UTF-8, becomes ``+`` and its two
    hexadecimal digits: ``block 1.conv#2`` is named ``block+201.conv+232``.

    Args:
        path: dotted, as ``torch.nn.Module.named_modules`` gives it.
    """
    if PLAIN_PATH.fullmatch(path):  # of hundreds of modules at each forward pass
        return path
    return "".join(
        one if PLAIN.match(one) else "".join(f"+{byte:02x}" for byte in one.encode("utf-8", "surrogatepass"))
        for one in path
    )


def check_layer_name(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: it cannot be a layer's name; names the spelling that can.
    """
    if PATTERN.fullmatch(name):
        return name
    path, colon, number = name.rpartition(":")
    spelled = f"{layer_name(path)}:{number}" if colon and number.isdecimal() else layer_name(name)
    if PATTERN.fullmatch(spelled):
        raise ValueError(f"expected letters, digits, _, dots and escaped characters, as in {spelled}")
    raise ValueError("expected a dotted module path, as in layer1.0")

"""Numbers as people read them."""


def count(value: float) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes in the unit that suits them: MB are 10⁶ bytes, GB 10⁹."""
    if value >= 1e9:
        return f"{value / 1e9:,.2f} GB"
    return f"{value / 1e6:,.1f} MB"


def time(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds >= 5400:
        return f"{seconds / 3600:,.1f} h"
    if seconds >= 90:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def rate(value: float) -> str:
    """So many a second, with three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

from PIL import Image
from torch import Tensor

from pipeline.parallel.pool import InlinePool
from pipeline.units.activation_maps import DARK, SIDE, masked, unit_maps
from pipeline.units.scan import Scanner
from tests.units.planted_detector import SIDE as INPUT
from tests.units.planted_detector import detector, striped


def half(number: int) -> Tensor:
    """A pattern in the left half of an image, gray in the right one, as the network's input."""
    image = striped(number, 0)
    image[..., INPUT // 2 :] = 0.5
    return (image - 0.5) / 0.5


def test_a_planted_pattern_is_bright_where_it_is() -> None:
    """The unit of a pattern is active in the half that has it; the other pattern is nowhere."""
    images = [half(0), half(1)]
    scanner = Scanner(detector(), "patterns", [0, 1], lambda row: images[row], 1, "cpu")
    found = dict(unit_maps(InlinePool(None), lambda: scanner, {0: [0, 1], 1: [1]}))  # type: ignore[arg-type]  # a scanner itself
    assert found[0].shape[0] == 2
    assert found[1].shape[0] == 1
    threshold = 0.5 * float(found[0].max())
    white = Image.new("RGB", (INPUT, INPUT), (200, 200, 200))
    own, other = (masked(white, grid, threshold) for grid in found[0])
    assert own.shape == (SIDE, SIDE, 3)
    assert own[:, : SIDE // 4].mean() > 0.5 * 200
    assert (own[:, 3 * SIDE // 4 :] == round(DARK * 200)).all()
    assert (other == round(DARK * 200)).all()

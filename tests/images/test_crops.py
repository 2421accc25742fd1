import pytest

from pipeline.images.crops import Crop, CropSize, crop_around


@pytest.mark.parametrize(("field", "side", "limited"), [(16, 0.25, False), (32, 0.5, False), (60, 0.5, True)])
def test_crop_is_the_receptive_field_up_to_half_the_input(field: int, side: float, limited: bool) -> None:
    """Crops have the receptive field's side; where it is larger than half the input, half, and say so."""
    found = CropSize(field, 64)
    assert (found.share, found.limited) == (side, limited)
    assert found.pixels == side * 64


def test_a_crop_lies_around_its_position_and_within_the_input() -> None:
    """The crop of the middle position is the middle; crops at the edge are moved inwards."""
    assert crop_around((2, 2), (5, 5), 16, 64) == Crop(24, 24, 16)
    assert crop_around((0, 4), (5, 5), 32, 64) == Crop(32, 0, 32)

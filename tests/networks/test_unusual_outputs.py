import re

import pytest

from pipeline.core.errors import ModelError
from pipeline.model.discovery import find_layers
from tests.networks.unusual_outputs import CROP, ODD, build


@pytest.mark.parametrize("name", ODD)
def test_the_order_of_a_layers_output_is_measured(name: str) -> None:
    """A layer has the format that its network was written with; one without such a format is refused with the reason.

    Formats are told apart where sizes are equal, where a square number of tokens is no square grid, and where the
    positions are those of a map in another order.
    """
    odd = ODD[name]
    found = find_layers(build(odd), CROP, odd.given)
    if not isinstance(odd.expected, str):
        assert found.require(odd.layer) == odd.expected
        return
    with pytest.raises(ModelError) as error:
        found.require(odd.layer)
    assert re.search(odd.expected, str(error.value))
    assert "\n" not in str(error.value)

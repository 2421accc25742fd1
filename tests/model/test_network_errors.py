"""Error lines of networks name the module, the line of its own file, and the setting that is meant."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor

from pipeline.config.model import ModelSettings
from pipeline.core.errors import ModelError
from pipeline.model.configured_network import SETTING
from pipeline.model.discovery import discover_layers, find_layers
from pipeline.model.network_errors import is_network_file
from pipeline.model.output_format import GivenFormat
from tests.odd_networks import SIDE, Plain


class Picky(Plain):
    """Raises what no check expects, once images are not finite."""

    def forward(self, images: Tensor) -> Tensor:
        """Logits [image, class]."""
        if not images.isfinite().all():
            raise KeyError("finite")
        logits: Tensor = super().forward(images)
        return logits


@pytest.mark.parametrize("package", ["torchvision", "torchmetrics", "torch_geometric"])
def test_packages_whose_names_begin_with_torch_are_not_torch(package: str) -> None:
    """Files of torch itself are no network's, those of its neighbors are."""
    site = Path(torch.__file__).parents[1]
    assert is_network_file(str(site / package / "models.py"))
    assert not is_network_file(torch.__file__)


def test_an_error_in_a_network_of_torchvision_has_its_line() -> None:
    """The line is that of torchvision's file in which the network failed, on images that are too small for it."""
    with pytest.raises(ModelError, match=r"torchvision/models/squeezenet\.py:\d+: "):
        find_layers(torchvision.models.squeezenet1_0().eval(), 8, GivenFormat())


def test_any_error_while_layers_are_searched_is_the_network_s() -> None:
    """The line has the exception and the place, and does not blame the size of the images."""
    with pytest.raises(ModelError, match=r"found KeyError in the network \(Picky\) at .*errors\.py:\d+") as raised:
        discover_layers(Picky().eval(), SIDE)
    assert "preprocessing.crop" not in str(raised.value)


@pytest.mark.parametrize("name", sorted(ModelSettings.model_fields))
def test_settings_of_a_judge_have_its_section(name: str) -> None:
    """Names of settings change; paths of files and prefixes of parameters with the same start stay."""
    rest = f"found x/model.pth, prefix 'model.', /data/model.weights and my_model.{name}"
    assert SETTING.sub("judge.", f"model.{name}: {rest}") == f"judge.{name}: {rest}"

import pytest
import torch
from torch import nn

from pipeline.core.errors import ModelError
from pipeline.model.build import build, freeze
from pipeline.model.describe import describe_layers, layer_forms
from pipeline.model.layers import LayerShape, find, known_layer, run_to, run_to_all, watch

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def hooks(module: nn.Module) -> int:
    """Forward hooks left anywhere in a network."""
    return sum(len(part._forward_hooks) for part in module.modules())


def test_tokens_come_back_as_their_patches(vit: nn.Module) -> None:
    """A token layer's grid has the patch of row y and column x at (y, x), and leaves the class token out."""
    shapes = describe_layers(vit, 32)
    with torch.no_grad():
        seen = run_to_all(vit, ["conv_proj", "encoder.dropout"], IMAGES)
    patches = shapes["conv_proj"].to_map(seen["conv_proj"])
    embedding = find(vit, "encoder").get_parameter("pos_embedding")[:, 1:].movedim(1, 2).reshape(1, 16, 4, 4)
    tokens = shapes["encoder.dropout"].to_map(seen["encoder.dropout"]) - embedding
    torch.testing.assert_close(tokens, patches)
    assert not torch.allclose(tokens.transpose(2, 3), patches)


@pytest.mark.parametrize("kind", ["map", "map_last", "tokens"])
def test_a_map_survives_the_layers_own_order(kind: str) -> None:
    """Writing a map in the layer's order and reading it back changes nothing, and prefix tokens are zero."""
    shape = LayerShape(kind, 3, 4, 5, 2 if kind == "tokens" else 0, 1.0, 1)  # type: ignore[arg-type]  # parametrised
    grid = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    output = shape.from_map(grid)
    torch.testing.assert_close(shape.to_map(output), grid)
    if kind == "tokens":
        assert output.shape == (2, 22, 3)
        assert not output[:, :2].any()


def test_register_tokens_are_told_from_patches() -> None:
    """Class and register tokens before a square patch grid are counted, or taken as configured."""

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Identity()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            tokens = images.mean(1).reshape(len(images), -1)[:, : 5 + 196, None].repeat(1, 1, 7)
            out: torch.Tensor = self.body(tokens).mean(1)
            return out

    assert layer_forms(freeze(Tokens()), 32)["body"].prefix == 5
    assert layer_forms(freeze(Tokens()), 32, prefix_tokens=5)["body"].height == 14
    assert "body" not in layer_forms(freeze(Tokens()), 32, prefix_tokens=6)


@pytest.mark.parametrize(
    ("network", "layer", "kind"), [("swin_t", "features.1", "map_last"), ("resnet18", "layer2", "map")]
)
def test_torchvision_families_are_read_right(network: str, layer: str, kind: str) -> None:
    """The channel axis is found in networks that keep it first and in those that keep it last."""
    module = freeze(build({"_target_": f"torchvision.models.{network}"}))
    form = layer_forms(module, 64)[layer]
    assert form.kind == kind
    assert form.height == form.width < form.channels


def test_receptive_fields_are_those_of_arithmetic() -> None:
    """The searched receptive field and stride equal the textbook recursion over kernels and strides."""
    layers = [(3, 1), (5, 2), (3, 2), (3, 1)]
    convolutions = [nn.Conv2d(3 if i == 0 else 4, 4, k, s, padding=k // 2) for i, (k, s) in enumerate(layers)]
    shapes = describe_layers(freeze(nn.Sequential(*convolutions)), 64)
    field, stride = 1, 1
    for number, (kernel, step) in enumerate(layers):
        field, stride = field + (kernel - 1) * stride, stride * step
        assert (shapes[str(number)].receptive_field, shapes[str(number)].stride) == (field, stride)


def test_global_layers_see_the_whole_input(vit: nn.Module) -> None:
    """After attention a position depends on every pixel."""
    shapes = describe_layers(vit, 32)
    assert shapes["conv_proj"].receptive_field == 8
    assert shapes["encoder.layers.encoder_layer_0"].receptive_field == 32


def test_running_to_a_layer_stops_there_and_leaves_no_hook(cnn: nn.Module) -> None:
    """The cut network gives what the whole one gives there, never runs the head, and keeps no hook."""
    with torch.no_grad(), watch(cnn, ["pool", "second", "head"]) as seen:
        cnn(IMAGES)
        expected = dict(seen)
    head_ran = []
    handle = find(cnn, "head").register_forward_hook(lambda *_: head_ran.append(True))
    with torch.no_grad():
        found = run_to_all(cnn, ["second", "pool"], IMAGES)
    handle.remove()
    torch.testing.assert_close(found, {name: expected[name] for name in ("pool", "second")})
    assert not head_ran
    assert hooks(cnn) == 0


def test_hooks_go_even_when_the_network_fails(cnn: nn.Module) -> None:
    """An input that the network cannot take leaves no hook behind."""
    with pytest.raises(RuntimeError):
        run_to(cnn, "pool", torch.zeros(1, 5, 32, 32))
    assert hooks(cnn) == 0


def test_an_unknown_layer_is_answered_with_near_names(cnn: nn.Module) -> None:
    """A mistyped layer raises the named error, which lists what is near."""
    with pytest.raises(ModelError, match=r"secnd.*second"):
        find(cnn, "secnd")
    with pytest.raises(ModelError, match=r"haed.*near names"):
        known_layer("haed", describe_layers(cnn, 32))


def test_a_layer_that_never_runs_is_an_error(cnn: nn.Module) -> None:
    """A module that the forward pass leaves out is named."""
    cnn.unused = nn.Identity()
    with pytest.raises(ModelError, match="unused"):
        run_to(cnn, "unused", IMAGES)


def test_freezing_makes_recording_safe(cnn: nn.Module) -> None:
    """A recorded output is what the layer gave, although the next module would have worked in place on it."""
    with torch.no_grad():
        before = run_to(cnn, "first", IMAGES)
    assert (before < 0).any()

import pytest
import torch
from torch import nn

from pipeline.core.errors import ModelError
from pipeline.model.description import LayerShape
from pipeline.model.discovery import discover_layers
from pipeline.model.interventions import record_outputs
from pipeline.model.layers import get_layer, require_layer, run_to, run_to_all
from tests.networks.unusual_outputs import ODD, build

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def hooks(module: nn.Module) -> int:
    """Forward hooks left anywhere in a network."""
    return sum(len(part._forward_hooks) for part in module.modules())


def test_tokens_come_back_as_their_patches(vit: nn.Module) -> None:
    """A token layer's grid has the patch of row y and column x at (y, x), without the class token."""
    shapes = discover_layers(vit, 32)
    with torch.no_grad():
        seen = run_to_all(vit, ["conv_proj", "encoder.dropout"], IMAGES)
    patches = shapes["conv_proj"].to_map(seen["conv_proj"])
    embedding = get_layer(vit, "encoder").get_parameter("pos_embedding")[:, 1:].movedim(1, 2).reshape(1, 16, 4, 4)
    tokens = shapes["encoder.dropout"].to_map(seen["encoder.dropout"]) - embedding
    torch.testing.assert_close(tokens, patches)
    assert not torch.allclose(tokens.transpose(2, 3), patches)


@pytest.mark.parametrize("kind", ["map", "map_last", "tokens", "tokens_last"])
def test_a_map_survives_the_layers_own_order(kind: str) -> None:
    """Writing a map in the layer's order and reading it back changes nothing, and other tokens are zero."""
    prefix, suffix = (2, 3) if kind.startswith("tokens") else (0, 0)
    shape = LayerShape(kind, 3, 4, 5, prefix, 1.0, 1, suffix)  # type: ignore[arg-type]  # parametrized
    grid = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    output = shape.from_map(grid)
    torch.testing.assert_close(shape.to_map(output), grid)
    if shape.is_tokens:
        tokens = output if kind == "tokens" else output.mT
        assert tokens.shape == (2, 25, 3)
        assert not tokens[:, [0, 1, -3, -2, -1]].any()


def test_running_to_a_layer_stops_there_and_leaves_no_hook(cnn: nn.Module) -> None:
    """The partial pass gives the outputs of a whole one, never runs the head, and leaves no hook."""
    with torch.no_grad(), record_outputs(cnn, ["pool", "second", "head"]) as seen:
        cnn(IMAGES)
        expected = dict(seen)
    head_ran = []
    handle = get_layer(cnn, "head").register_forward_hook(lambda *_: head_ran.append(True))
    with torch.no_grad():
        found = run_to_all(cnn, ["second", "pool"], IMAGES)
    handle.remove()
    torch.testing.assert_close(found, {name: expected[name] for name in ("pool", "second")})
    assert not head_ran
    assert hooks(cnn) == 0


def test_hooks_go_even_when_the_network_fails(cnn: nn.Module) -> None:
    """An input that the network rejects leaves no hook behind."""
    with pytest.raises(RuntimeError):
        run_to(cnn, "pool", torch.zeros(1, 5, 32, 32))
    assert hooks(cnn) == 0


def test_an_unknown_layer_is_answered_with_near_names(cnn: nn.Module) -> None:
    """A mistyped layer raises the named error, which lists what is near."""
    with pytest.raises(ModelError, match=r"secnd.*second"):
        get_layer(cnn, "secnd")
    with pytest.raises(ModelError, match=r"haed.*near names"):
        require_layer("haed", discover_layers(cnn, 32))


def test_a_layer_that_never_runs_is_an_error(cnn: nn.Module) -> None:
    """A module that the forward pass never runs is named in the error."""
    cnn.unused = nn.Identity()
    with pytest.raises(ModelError, match="unused"):
        run_to(cnn, "unused", IMAGES)


def test_freezing_makes_recording_safe(cnn: nn.Module) -> None:
    """A recorded output is what the layer gave, although the next module would have worked in place on it."""
    with torch.no_grad():
        before = run_to(cnn, "first", IMAGES)
    assert (before < 0).any()


def test_one_of_several_calls_is_chosen_by_its_number() -> None:
    """Each call has its own output; without a number the error lists the calls, with one too many likewise."""
    module = build(ODD["recurrent convolution"])
    shapes = discover_layers(module, 32)
    with torch.no_grad():
        found = run_to_all(module, ["step:0", "step:2"], IMAGES)
        first = get_layer(module, "step")(get_layer(module, "patches")(IMAGES))
    torch.testing.assert_close(found["step:0"], first)
    assert not torch.allclose(found["step:2"], first)
    for name in ("step", "step:3"):
        with pytest.raises(ModelError, match=f"found '{name}'; choose among step:0, step:1, step:2$"):
            require_layer(name, shapes)
    with pytest.raises(ModelError, match="calls 'patches' once, found 'patches:0'"):
        require_layer("patches:0", shapes)

import pytest
import torch
from torch.nn.functional import avg_pool2d

from pipeline.featurevis.feature_extractor import FeatureExtractor
from pipeline.featurevis.reduced_view import ReducedViewExtractor, reduced_view
from tests.featurevis.scene import SIDE, Scene

LARGE = 2 * SIDE


def test_both_views_are_what_the_network_finds_at_either_size(cnn_scene: Scene) -> None:
    """Features of images, and those of the images reduced by area; the two differ."""
    images = torch.rand(2, 3, LARGE, LARGE, generator=torch.Generator().manual_seed(0))
    layer = cnn_scene.layer
    both = ReducedViewExtractor(cnn_scene.network, [layer], (LARGE, LARGE), "float32", 2)
    found = both(images)
    for name, seen in ((layer, images), (reduced_view(layer), avg_pool2d(images, 2))):
        alone = FeatureExtractor(cnn_scene.network, [layer], (seen.shape[2], seen.shape[3]), "float32")
        torch.testing.assert_close(found[name], alone(seen)[layer])
        assert both.center(name) == alone.center(layer)
    assert found[layer].shape[2] > found[reduced_view(layer)].shape[2]


@pytest.mark.parametrize("reduced", [True, False])
def test_inactive_units_pass_gradient_in_the_named_view_alone(cnn_scene: Scene, reduced: bool) -> None:
    """A black image's gradient through the ReLU at the end of the layer differs where that view is redirected."""
    layer = cnn_scene.layer
    both = ReducedViewExtractor(cnn_scene.network, [layer], (LARGE, LARGE), "float32", 2)
    name = reduced_view(layer) if reduced else layer
    other = layer if reduced else reduced_view(layer)

    def gradient(of: str, redirected: set[str]) -> torch.Tensor:
        images = torch.zeros(1, 3, LARGE, LARGE, requires_grad=True)
        features = both(images, 1.0, redirected)
        (found,) = torch.autograd.grad(-features[of].sum(), images)
        return found

    torch.testing.assert_close(gradient(name, {other}), gradient(name, set()))
    assert (gradient(name, {name}) - gradient(name, set())).abs().max() > 1e-4

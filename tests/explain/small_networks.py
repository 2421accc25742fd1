"""Small networks whose explanations are known."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import VisionTransformer

from pipeline.config.model import PreprocessingSettings
from pipeline.model.build import freeze
from pipeline.model.discovery import discover_layers
from pipeline.model.network import Network

SIDE = 16
PLAIN = PreprocessingSettings(crop=SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def network(module: nn.Module, classes: int = 3, side: int = SIDE) -> Network:
    """The module, frozen, as a network whose inputs of ``side`` pixels are not normalized."""
    freeze(module)
    names = tuple(f"class {number}" for number in range(classes))
    preprocessing = PLAIN.model_copy(update={"resize": side, "crop": side})
    return Network("small", module, names, preprocessing, discover_layers(module, side))


def images(count: int = 2, seed: int = 0) -> Tensor:
    """Inputs of noise, [image, 3, y, x], in 0..1."""
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


class Linear(nn.Module):
    """Logits that are linear in the pixels."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.same = nn.Conv2d(3, 3, 1, bias=False)  # so that there is a layer with a map
        self.fc = nn.Linear(3 * SIDE * SIDE, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.fc(self.same(inputs).flatten(1))
        return logits


class Pooled(nn.Module):
    """Two convolutions, the mean over the map, and a linear head."""

    def __init__(self, classes: int = 3, bias: bool = True) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(12, classes, bias=bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = self.relu(self.second(self.relu(self.first(inputs))))
        logits: Tensor = self.fc(grid.mean((2, 3)))
        return logits


class NoPool(Pooled):
    """A head that sees the whole map."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(12 * (SIDE // 2) ** 2, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = self.relu(self.second(self.relu(self.first(inputs))))
        logits: Tensor = self.fc(grid.flatten(1))
        return logits


class PooledByModule(Pooled):
    """The mean over the map is a module too, whose output is a map of one position."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.AdaptiveAvgPool2d(1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = self.relu(self.second(self.relu(self.first(inputs))))
        logits: Tensor = self.fc(self.mean(grid).flatten(1))
        return logits


class MapOfClasses(Pooled):
    """A map with a channel for each class, whose mean is the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Identity()  # type: ignore[assignment]  # not used
        self.classify = nn.Conv2d(12, 3, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = self.relu(self.second(self.relu(self.first(inputs))))
        logits: Tensor = self.classify(grid).mean((2, 3))
        return logits


class Separate(Pooled):
    """A ReLU of its own behind each convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.relu_1, self.relu_2 = nn.ReLU(), nn.ReLU()

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        logits: Tensor = self.fc(self.relu_2(self.second(self.relu_1(self.first(inputs)))).mean((2, 3)))
        return logits


def _functional(activate: Callable[[Tensor], Tensor]) -> type[Pooled]:
    class Functional(Pooled):
        """ReLUs that the code calls as functions."""

        def forward(self, inputs: Tensor) -> Tensor:
            """Logits [image, class]."""
            grid = activate(self.second(activate(self.first(inputs))))
            logits: Tensor = self.fc(grid.mean((2, 3)))
            return logits

    return Functional


# the same network, with ReLUs of every kind
RELU_TWINS: dict[str, Callable[[], nn.Module]] = {
    "one module, used twice": Pooled,
    "a module each": Separate,
    "function": _functional(functional.relu),
    "function in place": _functional(lambda values: functional.relu(values, inplace=True)),
    "method in place": _functional(lambda values: values.relu_()),
    "bounded function": _functional(functional.relu6),  # no value reaches the bound
    "bounded, in place": _functional(lambda values: functional.relu6(values, inplace=True)),
    "threshold": _functional(lambda values: functional.threshold(values, 0.0, 0.0)),
    "clamp": _functional(lambda values: values.clamp(min=0)),
}


class SmallViT(VisionTransformer):  # type: ignore[misc]  # torchvision has no types
    """A vision transformer whose head is not zero, as torchvision's is before its training."""

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__(32, 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=num_classes)
        for part in self.heads.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight)


class Smooth(Pooled):
    """No ReLU at all."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = functional.gelu(self.second(functional.gelu(self.first(inputs))))
        logits: Tensor = self.fc(grid.mean((2, 3)))
        return logits


class ChannelsLast(Pooled):
    """Its map has the channels last, as in Swin."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(12, elementwise_affine=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = self.norm(self.second(self.relu(self.first(inputs))).movedim(1, -1))
        logits: Tensor = self.fc(grid.mean((1, 2)))
        return logits


class Tokens(Pooled):
    """Its map is a sequence of tokens behind a class token, as in ViT."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, 12))
        self.mix = nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [image, class]."""
        grid = self.second(self.relu(self.first(inputs))).flatten(2).movedim(1, 2)
        tokens = self.mix(torch.cat([self.token.expand(len(grid), -1, -1), grid], 1))
        logits: Tensor = self.fc(tokens[:, 1:].mean(1))
        return logits

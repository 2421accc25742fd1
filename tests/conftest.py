"""What several test files share: small networks, the real input and a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, sync_playwright
from torch import nn

from pipeline.model.build import build, freeze

ROOT = Path(__file__).parents[1]
LONGEST = (
    "test_dvc.py",
    "test_project.py",
    "test_every_config.py",
    "test_cluster_stages.py",
    "test_commands.py",
)  # run first, so that no process ends long after the other
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real network and photographs; skips without it, fails where CI promises it."""
    folder = Path(os.environ.get("ATLAS_REAL_DATA", ROOT / "../shared/imagenet-sample")).resolve()
    if not (folder / "squeezenet1_0.safetensors").is_file():
        reason = f"no real network and photographs at {folder}; set ATLAS_REAL_DATA"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen; skips without it, fails where CI promises it."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        assert not os.environ.get("CI"), "Chromium is needed where CI is set; install Debian's chromium"
        pytest.skip("no Chromium on this machine; install Debian's chromium")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


class SmallCnn(nn.Module):
    """Two convolutions with a pooling between them and a linear head; works in place, as many networks do."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.first_relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.second = nn.Conv2d(8, 12, 3, padding=1)
        self.second_relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(12, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits [image, class]."""
        grid = self.pool(self.first_relu(self.first(images)))
        grid = self.second_relu(self.second(grid))
        logits: torch.Tensor = self.head(grid.mean((2, 3)))
        return logits


SMALL_VIT = {
    "_target_": "torchvision.models.VisionTransformer",
    "image_size": 32,
    "patch_size": 8,
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 16,
    "mlp_dim": 32,
    "num_classes": 5,
}


def small_vit() -> nn.Module:
    """A two-layer vision transformer of torchvision: 4 × 4 patches and a class token."""
    module = build(SMALL_VIT)
    # torchvision starts the head at zero and all else small, which would make every attribution next to zero
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        if parameter.ndim >= 2:
            parameter.data = 0.4 * torch.randn(parameter.shape, generator=generator)
    return freeze(module)


@pytest.fixture
def cnn() -> nn.Module:
    """A frozen small CNN with seeded weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return freeze(SmallCnn())


@pytest.fixture
def vit() -> nn.Module:
    """A frozen small vision transformer with seeded weights."""
    return small_vit()


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path

"""Layers whose modules have names that no path, command or address could hold."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, expect

from pipeline.browse import site_server
from pipeline.core.artifacts import GRID
from pipeline.core.layer_names import PATTERN, check_layer_name, layer_name
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.model.discovery import discover_layers
from pipeline.model.layers import run_to
from tests.odd_networks import OddlyNamed
from tests.tiny_run import checkout, photograph, run

ODD = OddlyNamed.ODD
CHOSEN = [layer_name(name) for name in ("größe-2", "#3?")]


def test_names_are_spelled_apart() -> None:
    """Every spelling is a valid name, plain paths stay, and no two paths share a spelling."""
    paths = [*ODD, "conv+201", "conv 1.x", "a.b_C9", "a:b:1", "日本", "\udcff"]
    names = [layer_name(path) for path in paths]
    assert all(PATTERN.fullmatch(name) for name in names)
    assert len(set(names)) == len(paths)
    assert layer_name("features.12.conv_a") == "features.12.conv_a"
    assert layer_name("conv 1") == "conv+201"


@pytest.mark.parametrize(
    ("given", "answer"), [("conv 1", "conv+201"), ("#3?:1", "+233+3f:1"), ("größe", "gr+c3+b6+c3+9fe")]
)
def test_a_raw_name_is_answered_with_its_spelling(given: str, answer: str) -> None:
    """A path as torch has it is refused with the name that can be given."""
    with pytest.raises(ValueError, match="as in ") as found:
        check_layer_name(given)
    assert str(found.value).endswith(f"as in {answer}")
    assert check_layer_name(answer) == answer


@pytest.mark.parametrize("given", ["", "..", "a..b", ".a"])
def test_what_is_no_path_is_refused(given: str) -> None:
    """A name without a module in it is refused with an example."""
    with pytest.raises(ValueError, match="dotted module path"):
        check_layer_name(given)


def test_such_layers_give_their_own_modules_activations() -> None:
    """Each layer is found, and its activation is what a plain hook on its module sees."""
    network = OddlyNamed().eval()
    shapes = discover_layers(network, 32)
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    modules = dict(network.named_modules())
    for name in ODD:
        assert layer_name(name) in shapes
        seen: list[torch.Tensor] = []
        handle = modules[name].register_forward_hook(partial(_keep, seen))
        with torch.no_grad():
            network(images)
            handle.remove()
            torch.testing.assert_close(run_to(network, layer_name(name), images), seen[0])


def _keep(seen: list[torch.Tensor], _module: Any, _inputs: Any, output: torch.Tensor) -> None:
    seen.append(output)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the pipeline has run on such layers."""
    folder = checkout(tmp_path_factory.mktemp("made"))
    for number in range(24):
        photograph(folder / f"photographs/{'ab'[number % 2]}/{number}.png", number)
    network = {
        "model.architecture._target_": "tests.odd_networks.OddlyNamed",
        "model.preprocessing": {"resize": 32, "crop": 32},
        "model.classes": list("abcde"),
    }
    units = f"+units.channels={{{CHOSEN[1]}: 2}}"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(
            folder,
            f"layers=[{','.join(CHOSEN)}]",
            units,
            "units.steps=2",
            "~model.architecture.dropout",
            changed=network,
        )
    return folder


def test_every_artifact_of_such_a_layer_is_there(made: Path) -> None:
    """All stages write below the spelled name, and nothing else."""
    outputs = made / "outputs"
    assert {path.name for path in (outputs / "grid").iterdir()} == set(CHOSEN)
    assert {path.name for path in (outputs / "site/tiles").iterdir()} >= set(CHOSEN)
    assert CHOSEN[1] in {path.name for path in (outputs / "site/units").iterdir()}


@pytest.mark.browser
def test_the_page_shows_such_a_layer(made: Path, chromium: Browser) -> None:
    """Its tiles, cells and units are loaded by their addresses, and no file is missing."""
    cells = level(open_artifact(GRID, GRID.path(made / "outputs", CHOSEN[1], "all")), 4)
    row, column = np.asarray(array(cells, "cell")[...])[np.asarray(array(cells, "count")[...]).argmax()]
    with site_server(made / "outputs/site", 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        page = chromium.new_page()
        missing: list[str] = []
        page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
        address = f"http://127.0.0.1:{server.server_address[1]}"
        name = CHOSEN[1].replace("+", "%2B")
        page.goto(f"{address}/index.html#layer={name}&level=4&pin=4.{row}.{column}")
        expect(page.locator(".panel").first).to_be_visible()
        assert page.evaluate("document.documentElement.dataset.ready").startswith(f"{CHOSEN[1]}/all/4")
        page.goto(f"{address}/units.html#layer={name}")
        expect(page.locator("img").first).to_be_visible()
        page.close()
        server.shutdown()
    assert missing == []

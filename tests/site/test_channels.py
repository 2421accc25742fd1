"""Strongest channels of a cell, and one channel over the cells, in the site's data and in a browser."""

import re
from pathlib import Path

import numpy as np
import pytest
from browsing import Opener, link_has, link_lacks, place, ready
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from site_planting import CLASS_ATLAS, LAYERS, Level, Planted, activation_of, mean_activation, plant
from test_measures import color, lightness
from test_site_data import unpacked

from pipeline.core.artifacts import ACTIVATIONS
from pipeline.core.site_data import read_data_script
from pipeline.core.zarr_store import array, open_artifact
from pipeline.plan.disk import PLANE_BYTES
from pipeline.site.channels import ChannelScale, channel_files, strongest_channels
from pipeline.site.stage import run
from tests.axe import faults

LAYER, CHANNELS = "features.7", 24
LINK = f"#layer={LAYER}&level=20&labels=off"
RANDOM = np.random.default_rng


def test_channels_active_everywhere_do_not_lead() -> None:
    """A channel is listed by its distance from the layer's mean in standard deviations, not by its activation."""
    scale = ChannelScale(np.array([50, 1, 0, 3], np.float32), np.array([10, 0.5, 0, 2], np.float32))
    activation = np.array([[60, 3, 9, 3], [40, 1, 9, 2]], np.float32)
    channel, value = strongest_channels(activation, scale, count=3)
    assert channel.tolist() == [[1, 0, -1], [-1, -1, -1]], "a constant channel stands out nowhere"
    assert value.tolist() == [[3, 60, 0], [0, 0, 0]]


@pytest.mark.parametrize("channels", [2, 16, 2048])
def test_every_channel_has_a_plane(channels: int) -> None:
    """Planes of all channels come back exactly from their blocks, whatever their number; blocks are bounded."""
    activation = RANDOM(0).normal(size=(300, channels)).astype(np.float32)
    scale = ChannelScale(np.zeros(channels, np.float32), np.ones(channels, np.float32))
    files = dict(channel_files(20, activation, scale, True))
    blocks = [unpacked(files[f"20/activation-{index}"]["activation"]) for index in range(len(files) - 1)]
    assert np.array_equal(np.concatenate(blocks), activation.T)
    assert all(block.size <= 2**16 for block in blocks)
    listed = unpacked(files["20/channels"]["channel"])
    wanted = np.argsort(-activation, axis=1, kind="stable")[:, :8]
    assert np.array_equal(listed[:, : wanted.shape[1]] == wanted, listed[:, : wanted.shape[1]] >= 0)
    assert list(dict(channel_files(20, activation, scale, False))) == ["20/channels"]


def deviation(planted: Planted) -> NDArray[np.float64]:
    """Standard deviation of each channel over the layer's samples."""
    stored = array(open_artifact(ACTIVATIONS, planted.task.path(ACTIVATIONS, LAYER)), "activation")
    found: NDArray[np.float64] = np.asarray(stored[:], np.float64).std(axis=0)
    return found


def strongest(planted: Planted, level: Level, cell: int) -> list[tuple[int, float, float]]:
    """Channel, mean activation and standard deviations above the mean of a cell's strongest channels."""
    value = activation_of(LAYER, level.attribution[[cell]])[0].astype(np.float64)
    finest = planted.levels[LAYER, 40]
    above = (value - mean_activation(LAYER, finest)) / deviation(planted)
    order = np.argsort(-above, kind="stable")[:8]
    return [(int(channel), value[channel], above[channel]) for channel in order if above[channel] > 0]


def written(value: float) -> str:
    """An activation as the page formats it."""
    size = abs(value)
    return f"{round(size)}" if size >= 100 else f"{size:#.3g}"


def strong_cell(planted: Planted, level: Level) -> int:
    """A drawn cell in which eight channels lie above the mean."""
    return next(int(cell) for cell in np.flatnonzero(level.drawn) if len(strongest(planted, level, int(cell))) == 8)


def plane(level: Level, channel: int) -> NDArray[np.float32]:
    """Mean activation of a channel in each cell."""
    found: NDArray[np.float32] = activation_of(LAYER, level.attribution)[:, channel]
    return found


def test_data_are_the_planted_ones(planted: Planted) -> None:
    """Every level of every atlas has the channels of its cells, as the grid has them."""
    for (layer, atlas, size), level in planted.of_atlas.items():
        if layer != LAYER:
            continue
        found = read_data_script(planted.site / f"data/{layer}/{atlas}/{size}/activation-0.js")
        assert np.array_equal(unpacked(found["activation"]).T, activation_of(layer, level.attribution))
    scale = read_data_script(planted.site / f"data/{LAYER}/channels.js")
    assert np.allclose(unpacked(scale["deviation"]), deviation(planted), rtol=1e-6)


def test_a_plan_knows_the_bytes(planted: Planted) -> None:
    """Files of planes take no more than `atlas plan` counts, and no less than half of it."""
    for layer, channels in zip(LAYERS, (16, CHANNELS), strict=True):
        cells = sum(len(level.cell) for (own, _), level in planted.levels.items() if own == layer)
        files = (planted.site / "data" / layer / "all").rglob("activation-*.js")
        size = sum(path.stat().st_size for path in files)
        planned = cells * channels * PLANE_BYTES
        assert planned / 2 < size < 1.1 * planned


def test_finer_levels_borrow_their_planes(tmp_path: Path) -> None:
    """Levels finer than site.channel_level list their cells' channels, and have no planes of their own."""
    made = plant(tmp_path, samples=2000, levels=(10, 20), channel_level=5)
    run(made.task)
    folder = made.site / "data" / LAYER / "all"
    assert (folder / "10/activation-0.js").exists()
    assert (folder / "20/channels.js").exists()
    assert not list((folder / "20").glob("activation-*"))


def rows(page: Page) -> list[tuple[str, str]]:
    """Name and value of the rows of the panel's section."""
    section = page.locator(".panel .channels")
    expect(section.locator("li").first).to_be_visible()
    return list(
        zip(section.locator(".name").all_inner_texts(), section.locator(".value").all_inner_texts(), strict=True)
    )


def test_a_pinned_cell_lists_its_strongest_channels(opened: Opener, planted: Planted) -> None:
    """Channel, mean activation and standard deviations above the mean are the planted ones, in their order."""
    level = planted.levels[LAYER, 20]
    cell = strong_cell(planted, level)
    row, column = level.cell[cell]
    page = opened(f"{LINK}&pin=20.{row}.{column}")
    wanted = strongest(planted, level, cell)
    assert rows(page) == [(f"Channel {at}", f"{written(value)} · +{above:.1f} SD") for at, value, above in wanted]
    section = page.locator(".panel .section", has_text="Strongest channels")
    expect(section).to_contain_text("channels that are active everywhere do not lead every cell")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_channel_colors_the_cells(opened: Opener, planted: Planted, scheme: str) -> None:
    """A row of the panel shows its channel: colors follow the planted activation, the legend has range and cells."""
    level = planted.levels[LAYER, 20]
    cell = strong_cell(planted, level)
    row, column = level.cell[cell]
    page = opened(f"{LINK}&pin=20.{row}.{column}", color_scheme=scheme)
    channel = strongest(planted, level, cell)[0][0]
    button = page.locator(".panel").get_by_role("button", name=f"Channel {channel} ")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"html[data-channel='{channel}']")).to_be_attached()
    link_has(page, f"channel={channel}")
    expect(button).to_have_attribute("aria-pressed", "true")
    value = plane(level, channel)
    drawn = np.flatnonzero(level.drawn)
    order = drawn[np.argsort(-value[drawn], kind="stable")]
    legend = page.locator(".channel-legend")
    expect(legend.get_by_role("spinbutton")).to_have_value(str(channel))
    ends = [written(value[drawn].min()), written(mean_activation(LAYER, planted.levels[LAYER, 40])[channel])]
    expect(legend.locator("dd")).to_have_text([*ends, written(value[drawn].max())])
    cells = legend.locator(".cell-button")
    expect(cells).to_have_text([written(value[at]) for at in order[:6]])
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    chosen = [int(order[round(share * (len(order) - 1))]) for share in (1, 0.7, 0.3, 0.1, 0)]
    light = [lightness(color(page, level, at)) for at in chosen]
    assert light == sorted(light, reverse=scheme == "light")
    assert abs(light[0] - light[-1]) > 0.3
    page.mouse.move(*place(page, level, chosen[1]))
    expect(page.locator(".card")).to_contain_text(f"Channel {channel}: {written(value[chosen[1]])}")
    cells.nth(2).click()
    top, left = level.cell[order[2]]
    link_has(page, f"pin=20.{top}.{left}")
    page.locator(".channel-legend").get_by_role("button", name="Show icons only").click(force=True)
    link_lacks(page, "channel=")
    expect(legend).to_be_hidden()


def test_a_channel_can_be_typed(opened: Opener) -> None:
    """The key k asks for a channel; what the layer does not have is answered with its range and changes nothing."""
    page = opened(LINK)
    ready(page, f"{LAYER}/all/20/")
    page.keyboard.press("k")
    field = page.get_by_label("A channel")
    expect(field).to_be_focused()
    for wrong in (str(CHANNELS), "1.5", "-1"):
        field.fill(wrong)
        page.keyboard.press("Enter")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_role("alert")).to_have_text(f"This layer has the channels 0 to {CHANNELS - 1}.")
    link_lacks(page, "channel=")
    field.fill(str(CHANNELS - 1))
    page.keyboard.press("Enter")
    link_has(page, f"channel={CHANNELS - 1}")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    link_has(page, f"channel={CHANNELS - 2}")
    page.keyboard.press("Escape")
    other = page.locator(".channel-legend").get_by_role("spinbutton")
    other.fill("3")
    other.press("Enter")
    link_has(page, "channel=3")
    expect(other).to_be_focused()


def test_back_and_forward_walk_channels(opened: Opener) -> None:
    """Each chosen channel is a step of the history; another layer, a measure or several classes end it."""
    page = opened(LINK)
    ready(page, f"{LAYER}/all/20/")
    shown = page.locator("html")
    for channel in ("5", "7"):
        page.keyboard.press("k")
        page.get_by_label("A channel").fill(channel)
        page.keyboard.press("Enter")
        expect(shown).to_have_attribute("data-channel", channel)
        link_has(page, f"channel={channel}")
        page.keyboard.press("Escape")
    page.go_back()
    expect(shown).to_have_attribute("data-channel", "5")
    page.go_back()
    expect(shown).to_have_attribute("data-channel", "")
    page.go_forward()
    expect(shown).to_have_attribute("data-channel", "5")
    page.keyboard.press("v")
    expect(shown).to_have_attribute("data-channel", "")
    link_has(page, "measure=samples")
    page.go_back()
    expect(shown).to_have_attribute("data-channel", "5")
    page.locator("input[value='features.3']").check()
    ready(page, "features.3/all/20/")
    expect(shown).to_have_attribute("data-channel", "")
    link_lacks(page, "channel=")


@pytest.mark.parametrize("channel", [str(CHANNELS), "-1", "x"])
def test_a_bad_channel_of_a_link_is_named(opened: Opener, channel: str) -> None:
    """A link with a channel that the layer does not have says so and shows the icons alone."""
    page = opened(f"{LINK}&channel={channel}")
    expect(page.get_by_role("alert")).to_contain_text(f"channel “{channel}”")
    expect(page.locator(".channel-legend")).to_be_hidden()


def test_class_atlases_have_channels(opened: Opener, planted: Planted) -> None:
    """A link shows a channel of a class atlas with the planted range."""
    level = planted.of_atlas[LAYER, CLASS_ATLAS, 10]
    page = opened(f"#layer={LAYER}&atlas={CLASS_ATLAS}&level=10&channel=4")
    value = plane(level, 4)[level.drawn]
    ends = page.locator(".channel-legend dd")
    expect(ends.first).to_have_text(written(value.min()))
    expect(ends.last).to_have_text(written(value.max()))


def test_channels_are_no_part_of_the_first_view(opened: Opener) -> None:
    """The page loads no channels before a cell is pinned, and one block of planes for a channel."""
    page = opened(LINK)
    page.wait_for_load_state("networkidle")
    later: list[str] = []
    page.on("request", lambda request: later.append(request.url))
    page.reload()
    ready(page, f"{LAYER}/all/20/")
    page.wait_for_timeout(200)
    assert not [url for url in later if re.search("channels|activation-", url)]
    page.evaluate(f"location.hash = '{LINK}&channel=2'")
    expect(page.locator("html[data-channel='2']")).to_be_attached()
    loaded = [url.split("/data/")[1] for url in later if re.search("channels|activation-", url)]
    assert sorted(loaded) == [f"{LAYER}/all/20/activation-0.js", f"{LAYER}/channels.js"]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_legend_fits(opened: Opener, width: int) -> None:
    """Field, scale and strongest cells stay within the page."""
    page = opened(f"{LINK}&channel=2", width=width, height=844)
    for part in (".channel-field input", ".measure-scale", ".strongest-cells"):
        box = page.locator(f".channel-legend {part}").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("address", ["http"], indirect=True)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_channels_are_accessible(opened: Opener, planted: Planted, scheme: str, width: int) -> None:
    """The panel's rows, the legend, the menu and a refused channel have no serious violation."""
    level = planted.levels[LAYER, 20]
    row, column = level.cell[strong_cell(planted, level)]
    page = opened(f"{LINK}&channel=2", width=width, color_scheme=scheme)
    expect(page.locator(".channel-legend")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("k")
    page.get_by_label("A channel").fill("-3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert faults(page) == []
    page.evaluate(f"location.hash = '{LINK}&channel=2&pin=20.{row}.{column}'")
    rows(page)
    assert faults(page) == []

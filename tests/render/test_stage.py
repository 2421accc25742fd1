import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from pipeline.compose import compose_config
from pipeline.config.cluster import VARIABLE
from pipeline.config.params import parse_params
from pipeline.core.artifacts import ACTIVATIONS, GRID, ICONS, LAYOUT, MODEL
from pipeline.core.errors import ArtifactError, ConfigError, DataError
from pipeline.core.files import discard
from pipeline.core.grid_levels import icon_level, level_sizes
from pipeline.core.icon_styles import stored_styles, style_group
from pipeline.core.zarr_store import array, create, level, open_artifact, write_array
from pipeline.featurevis import memory
from pipeline.featurevis.cache import CACHE
from pipeline.featurevis.sample_patches import Patches
from pipeline.images.crops import network_crop
from pipeline.images.toytown.toytown import Toytown
from pipeline.model.build import build, freeze
from pipeline.model.network import load_network, save_network
from pipeline.render.stage import FORMER_CACHE, run
from pipeline.stages import STAGES, Task
from tests.featurevis.scene import Scene, scene
from tests.render.planted_samples import exemplars, plant_samples

ROOT = Path(__file__).parents[2]
LAYER = "mixed3b"
ARCHITECTURE = {"_target_": "pipeline.model.small_inception.SmallInception", "num_classes": 5}
CELLS = np.array([[0, 0], [0, 1], [1, 1], [2, 2], [3, 0], [3, 3]])
DRAWN = np.array([True, True, False, True, True, True])


@pytest.fixture(scope="module")
def small_scene() -> Scene:
    """A small network and what a grid would hold of one of its layers."""
    return scene(freeze(build(ARCHITECTURE)), LAYER)


@pytest.fixture
def planted(small_scene: Scene, tmp_path: Path) -> Callable[..., Task]:
    """A saved network, a grid of two levels and activations; gives the task for some overrides."""
    save_network(MODEL.path(tmp_path), small_scene.network, ARCHITECTURE, {})
    _plant_grid(tmp_path, small_scene)

    def task(*overrides: str) -> Task:
        few = ["render.warm_steps=6", "render.steps=8", "render.batch_size=4", f"layers=[{LAYER}]"]
        few += ["render.size=32", f"render.size_by_layer.{LAYER}=32"]
        params = parse_params(OmegaConf.to_container(compose_config(ROOT, [*few, *overrides])))
        return Task(STAGES["render"], params, tmp_path, LAYER, "all")

    return task


def hits_and_rendered(capsys: pytest.CaptureFixture[str]) -> tuple[int, int]:
    """Images that a run took from the cache, and images that it rendered."""
    lines = re.findall(r"(\d+) images from the cache, (\d+) rendered", capsys.readouterr().err)
    return int(lines[-1][0]), int(lines[-1][1])


def everything(task: Task) -> dict[str, bytes]:
    """Every array of the task's icons, as bytes; the names of those of further styles begin with the style."""
    icons = open_artifact(ICONS, task.path(ICONS))
    first, *others = stored_styles(icons)
    groups = {"": style_group(icons, first)} | {f"{style}/": style_group(icons, style) for style in others}
    return {
        f"{style}{size}/{name}": np.asarray(array(level(group, size), name)[:]).tobytes()
        for style, group in groups.items()
        for size in level_sizes(group)
        for name in ICONS.arrays
        if name in level(group, size)
    }


def _metrics(task: Task) -> bytes:
    return (task.outputs / f"metrics/render/{LAYER}/all.json").read_bytes()


def _plant_grid(
    outputs: Path,
    found: Scene,
    means: np.ndarray | None = None,
    finer: np.ndarray | None = None,
    levels: tuple[int, ...] = (4, 8),
) -> None:
    means = found.means if means is None else means
    plant_samples(outputs, LAYER, found.activations)
    with create(GRID, GRID.path(outputs, LAYER, "all"), {}, {}) as group:
        write_array(group, GRID, "mean", found.mean)
        for size in levels:
            planted = group.create_group(str(size))
            write_array(planted, GRID, "cell", CELLS)
            write_array(planted, GRID, "drawn", DRAWN)
            write_array(planted, GRID, "activation", means if finer is None or size == 4 else finer)
            write_array(planted, GRID, "reliability", np.full(6, 0.9))
            write_array(planted, GRID, "exemplar", exemplars(len(CELLS), len(found.activations)))


def test_drawn_cells_become_icons(planted: Callable[..., Task]) -> None:
    """Every level's drawn cells, and no others, with fidelities in range, metrics and a plot."""
    task = planted()
    run(task)
    icons = open_artifact(ICONS, task.path(ICONS))
    for size in (4, 8):
        group = level(icons, size)
        assert np.asarray(array(group, "cell")[:]).tolist() == [0, 1, 3, 4, 5]
        assert array(group, "icon").shape == (5, 32, 32, 3)
        assert array(group, "icon").dtype == np.uint8
        assert np.asarray(array(group, "icon")[:]).std() > 2
        assert (np.abs(np.asarray(array(group, "fidelity_centred")[:])) <= 1).all()
    metrics = json.loads((task.outputs / f"metrics/render/{LAYER}/all.json").read_text())
    assert metrics["8"]["icons"] == 5
    assert metrics["8"]["failed"] == 0
    assert metrics["8"]["fidelity_centred"]["ceiling"] == pytest.approx(0.9)
    assert 0 <= metrics["8"]["retrieval"]["exact"] <= metrics["8"]["retrieval"]["near"] <= 1
    rows = (task.outputs / f"plots/render/{LAYER}/all.csv").read_text().splitlines()
    assert sum(float(row.split(",")[2]) for row in rows[1:]) == pytest.approx(2, abs=0.01)


def test_the_same_settings_give_the_same_icons(planted: Callable[..., Task]) -> None:
    """Without the cache, running the stage again gives the same bytes; another seed does not."""
    found = []
    for overrides in ([], [], ["seed=1"]):
        task = planted(*overrides)
        discard(task.outputs / CACHE)
        run(task)
        found.append(everything(task))
    assert found[0] == found[1]
    assert all(found[0][name] != found[2][name] for name in ("4/icon", "8/icon"))


def test_a_second_run_renders_nothing(planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]) -> None:
    """All icons come from the cache, and the artifact is the same to the byte; metrics too."""
    task, found = planted(), []
    for _ in range(2):
        run(task)
        found.append((hits_and_rendered(capsys), everything(task), _metrics(task)))
    assert found[0][0][1] >= 5
    assert found[1][0][1] == 0
    assert found[0][1:] == found[1][1:]


def test_a_further_level_renders_its_own_icons_alone(
    planted: Callable[..., Task], small_scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the levels before come from the cache; where a parent is rendered, new ones start from it."""
    task = planted()
    _plant_grid(task.outputs, small_scene, levels=(4,))
    run(task)
    before, icons = hits_and_rendered(capsys), everything(task)
    _plant_grid(task.outputs, small_scene, finer=1.2 * small_scene.means)
    run(task)
    after = hits_and_rendered(capsys)
    assert everything(task).items() > icons.items()
    discard(task.outputs / CACHE)
    run(task)
    assert after[1] == hits_and_rendered(capsys)[1] - before[1]


CHANGING = [
    "render.statistics=1.0",
    f"+render.statistics_layers={{{LAYER}:[mixed3a]}}",
    "render.steps=4",
    "render.warm_learning_rate=0.1",
    "render.batch_size=5",
    "render.dtype=bfloat16",
    "seed=2",
]


@pytest.mark.parametrize("override", CHANGING)
def test_a_setting_that_can_change_a_pixel_renders_anew(
    override: str, planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """As many icons are rendered as with an empty cache."""
    run(planted("render.steps=3"))
    changed = planted("render.steps=3", override)
    found = []
    for _ in range(2):
        run(changed)
        found.append(hits_and_rendered(capsys))
        discard(changed.outputs / CACHE)
    assert found[0] == found[1]
    assert found[0][1] >= 5


@pytest.mark.parametrize(
    "override", ["render.attempts=2", "+render.size_by_layer.other=99", "+render.statistics_layers.other=[mixed3a]"]
)
def test_a_setting_that_changes_no_pixel_renders_nothing(
    override: str, planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """Fewer attempts are among those that were made; other layers' sizes do not matter."""
    run(planted("render.steps=3"))
    run(planted("render.steps=3", override))
    assert hits_and_rendered(capsys)[1] == 0


def test_one_level_gets_large_icons(planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]) -> None:
    """Beside its icons, which are the same to the byte; a second run renders nothing, another scale only large ones."""
    run(planted())
    before, icons = hits_and_rendered(capsys), everything(planted())
    task = planted("render.large_level=4", "grid.levels=[4,8]")
    run(task)
    assert hits_and_rendered(capsys)[1] == 5
    found = everything(task)
    names = {name for name in found if "large" in name}
    assert names == {f"4/{name}" for name in ("large", "large_fidelity_centred", "large_key")}
    assert {name: found[name] for name in icons} == icons
    assert array(level(open_artifact(ICONS, task.path(ICONS)), 4), "large").shape == (5, 64, 64, 3)
    metrics = json.loads(_metrics(task))
    assert metrics["4"]["large"].keys() == {"pixels", "failed", "fidelity_centred"}
    assert "large" not in metrics["8"]
    run(task)
    assert hits_and_rendered(capsys)[1] == 0
    assert everything(task) == found
    run(planted("render.large_level=4", "grid.levels=[4,8]", "render.large_scale=3"))
    assert hits_and_rendered(capsys)[1] == 5 <= before[1]


@pytest.mark.long
def test_other_numbers_of_threads_are_other_icons(
    planted: Callable[..., Task], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums are split among threads, so nothing is taken over from a run with another number of them."""
    run(planted())
    before = hits_and_rendered(capsys)
    monkeypatch.setenv(VARIABLE, '{"kind": "inline", "threads": 2}')
    run(planted())
    assert hits_and_rendered(capsys)[1] >= 5 <= before[1]
    assert torch.get_num_threads() == 1


@pytest.mark.long
def test_workers_render_the_same_bytes(
    planted: Callable[..., Task], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two Dask processes give what this one gives, and the cache serves both."""
    task, found = planted("render.batch_size=2"), []
    for cluster in ("inline", '{"kind": "local", "workers": 2, "threads": 1}'):
        monkeypatch.setenv(VARIABLE, cluster)
        discard(task.outputs / CACHE)
        run(task)
        found.append((hits_and_rendered(capsys), everything(task)))
    assert found[0] == found[1]
    assert found[0][0][1] >= 5
    monkeypatch.setenv(VARIABLE, "inline")
    run(task)
    assert hits_and_rendered(capsys)[1] == 0


def test_a_batch_without_room_is_refused_with_one_that_fits(
    planted: Callable[..., Task], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line of log says what a batch takes; where that is not free, the run ends before anything is rendered."""
    task = planted()
    run(task)
    line = next(line for line in capsys.readouterr().err.splitlines() if "a batch of" in line)
    assert re.fullmatch(r"  a batch of 4 icons takes 0\.\d\d GB of \d+\.\d GB free", line), line
    monkeypatch.setattr(memory, "free_bytes", lambda _: 100_000_000)
    with pytest.raises(ConfigError, match=r"render\.batch_size: .*100000 icons.* found 0\.10 GB; use .*=(8|16|32)$"):
        run(planted("render.batch_size=100000"))
    assert "cache" not in capsys.readouterr().err


def test_a_cache_of_an_earlier_version_is_mentioned_once(
    planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the folder that may be deleted; nothing in it is changed, and without it there is no line."""
    task = planted("render.steps=2", "render.warm_steps=1")
    run(task)
    assert "earlier version" not in capsys.readouterr().err
    former = task.outputs / FORMER_CACHE / "icons.sqlite"
    former.parent.mkdir(parents=True)
    former.write_bytes(b"old")
    run(task)
    lines = [line for line in capsys.readouterr().err.splitlines() if "earlier version" in line]
    assert len(lines) == 1
    assert str(former.parent) in lines[0]
    assert "delete it" in lines[0]
    assert former.read_bytes() == b"old"


def test_whitened_directions_take_the_samples_covariance(planted: Callable[..., Task]) -> None:
    """The whitened space gives other icons than the centered one, and needs the activations."""
    centered, whitened = planted(), planted("render.space=whitened")
    found = []
    for task in (centered, whitened):
        run(task)
        found.append(np.asarray(array(level(open_artifact(ICONS, task.path(ICONS)), 4), "icon")[:]))
    assert (found[0] != found[1]).any()
    ACTIVATIONS.path(whitened.outputs, LAYER).rename(whitened.outputs / "gone")
    with pytest.raises(ArtifactError, match="activations"):
        run(whitened)


def test_one_layer_can_have_its_own_size(planted: Callable[..., Task]) -> None:
    """A size given for the layer wins over the common one."""
    task = planted(f"render.size_by_layer.{LAYER}=40")
    run(task)
    assert array(level(open_artifact(ICONS, task.path(ICONS)), 4), "icon").shape == (5, 40, 40, 3)


def test_icons_that_fails_are_counted(
    planted: Callable[..., Task], small_scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cell whose mean is not a number is left out, counted and reported; the others are rendered."""
    task = planted()
    means = small_scene.means.copy()
    means[3] = np.nan
    _plant_grid(task.outputs, small_scene, means)
    run(task)
    metrics = json.loads((task.outputs / f"metrics/render/{LAYER}/all.json").read_text())
    assert (metrics["4"]["failed"], metrics["4"]["icons"]) == (1, 5)
    assert metrics["4"]["retried"] >= 1
    assert "1 COULD NOT BE RENDERED" in capsys.readouterr().err


def test_a_level_without_any_icon_is_an_error(planted: Callable[..., Task], small_scene: Scene) -> None:
    """Where nothing at all can be rendered the stage says so and leaves no artifact."""
    task = planted()
    _plant_grid(task.outputs, small_scene, np.full_like(small_scene.means, np.nan))
    with pytest.raises(DataError, match="none of 5 could be rendered"):
        run(task)
    assert not task.path(ICONS).exists()


def test_accentuated_icons_start_from_their_exemplars(
    planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each icon names the pixels of its nearest exemplar's patch, and is nearer to them than one that is drawn."""
    few = ["render.steps=2", "render.warm_steps=2", "render.statistics=0.0", "render.attempts=1"]
    drawn, accentuated = planted(*few), planted(*few, "render.styles=[accentuated]")
    network = load_network(MODEL.path(drawn.outputs))
    toytown = Toytown(3000, 0)
    patches = Patches(lambda row: network_crop(toytown.open(f"{row:05d}"), network.preprocessing), network, LAYER, 32)
    samples = open_artifact(ACTIVATIONS, drawn.path(ACTIVATIONS))
    image, position = (np.asarray(array(samples, name)[:]) for name in ("image", "position"))
    nearest = exemplars(len(CELLS), len(image))[DRAWN, 0]
    expected = np.stack([patches(int(image[row]), position[row]) for row in nearest])
    found = []
    for task in (drawn, accentuated):
        run(task)
        icons = level(open_artifact(ICONS, task.path(ICONS)), 4)
        found.append(np.asarray(array(icons, "icon")[:]).astype(int))
        parents = np.asarray(array(icons, "parent")[:])
    assert [bytes(parent).hex() for parent in parents] == [sha256(patch.tobytes()).hexdigest() for patch in expected]
    shapes = [_correlation(icons, expected) for icons in found]
    assert min(shapes[1]) > max(0.5, *shapes[0])
    hits_and_rendered(capsys)
    run(accentuated)
    assert hits_and_rendered(capsys)[1] == 0


def test_a_style_is_the_same_alone_and_beside_the_other(
    planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its icons have the same bytes and keys, whether the other style is rendered too or not, and before it or after.

    The first style's arrays and metrics are where those of a run with one style are, the other's below its name.
    """
    few = ["render.steps=2", "render.warm_steps=1", "render.attempts=1"]
    alone, metrics, rendered = {}, {}, {}
    for style in ("drawn", "accentuated"):
        task = planted(*few, f"render.styles=[{style}]")
        run(task)
        alone[style], metrics[style] = everything(task), json.loads(_metrics(task))
        rendered[style] = hits_and_rendered(capsys)[1]
    assert all(alone["drawn"][name] != alone["accentuated"][name] for name in ("4/icon", "8/icon", "4/key"))
    for first, other in (("drawn", "accentuated"), ("accentuated", "drawn")):
        task = planted(*few, f"render.styles=[{first},{other}]")
        run(task)
        expected = alone[first] | {f"{other}/{name}": values for name, values in alone[other].items()}
        assert everything(task) == expected
        assert stored_styles(open_artifact(ICONS, task.path(ICONS))) == (first, other)
        found = json.loads(_metrics(task))
        assert {size: numbers.pop(other) for size, numbers in found.items()} == metrics[other]
        assert found == metrics[first]
        if first == "drawn":
            assert hits_and_rendered(capsys)[1] == 0  # the keys are those of the runs with one style
            discard(task.outputs / CACHE)
    assert hits_and_rendered(capsys)[1] == sum(rendered.values())


def _correlation(icons: np.ndarray, others: np.ndarray) -> list[float]:
    """Of the pixels of each icon with those of its other picture."""
    pairs = zip(icons, others, strict=True)
    return [float(np.corrcoef(icon.ravel(), other.ravel())[0, 1]) for icon, other in pairs]


JUDGE = (
    "judge={name: judge, architecture: {_target_: pipeline.model.small_inception.SmallInception}, weights: random, "
    "classes: null, preprocessing: {crop: 64}, prefix_tokens: null}"
)


def test_a_judge_changes_no_icon(planted: Callable[..., Task], capsys: pytest.CaptureFixture[str]) -> None:
    """A run with one has the same arrays and one more, and renders nothing anew; metrics say how many were judged.

    So it is for every style of icons.
    """
    both = "render.styles=[drawn,accentuated]"
    run(planted(both))
    before = everything(planted(both))
    task = planted(both, JUDGE)
    points = np.arange(len(np.asarray(array(open_artifact(ACTIVATIONS, task.path(ACTIVATIONS)), "image")[:])))
    with create(LAYOUT, task.path(LAYOUT), {}, {}) as group:  # each cell that is drawn has a share of the samples
        write_array(group, LAYOUT, "sample", points)
        cells = CELLS[points // 7 % len(CELLS)]
        write_array(group, LAYOUT, "xy", ((cells[:, ::-1] + 0.5) / 4).astype(np.float32))
    hits_and_rendered(capsys)
    run(task)
    after = everything(task)
    assert hits_and_rendered(capsys)[1] == 0
    names = [f"{style}{size}/legibility" for style in ("", "accentuated/") for size in (4, 8)]
    legibility = {name: after.pop(name) for name in names}
    assert after == before
    metrics = json.loads((task.outputs / f"metrics/render/{LAYER}/all.json").read_text())
    judged = np.isfinite(np.frombuffer(legibility["4/legibility"], np.float32))
    assert metrics["4"]["legibility"]["judged"] == judged.sum() >= 4
    assert metrics["4"]["accentuated"]["legibility"]["judged"] == judged.sum()
    stored = icon_level(open_artifact(ICONS, task.path(ICONS)), 4)
    assert stored.recognized == metrics["4"]["legibility"]["recognized"]["value"]

"""Toytown: scenes repeat, and the masks are the truth about what shows where."""

import time
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from pipeline.images.toytown.canvas import Canvas
from pipeline.images.toytown.scenes import SCENE_CLASSES
from pipeline.images.toytown.toytown import CLASSES, Toytown

TOWN = Toytown(600, seed=3)


def pixels(index: int, leave_out: tuple[str, ...] = ()) -> NDArray[np.int64]:
    """The scene's pixels [y, x, 3], perhaps without a part."""
    return np.asarray(TOWN.scene(index, leave_out).image).astype(np.int64)


def test_scenes_depend_on_seed_and_index_only() -> None:
    """Scene i is the same in a set of any length and at any time; another seed or index gives another one."""
    short, long, other = Toytown(5, seed=3), Toytown(5000, seed=3), Toytown(5, seed=4)
    for index, key in enumerate(entry.key for entry in short.entries()):
        image = np.asarray(short.open(key))
        np.testing.assert_array_equal(image, np.asarray(long.open(key)))
        np.testing.assert_array_equal(image, np.asarray(long.scene(index).image))
        assert (image != np.asarray(other.open(key))).any()
        assert short.digest(key) == long.digest(key) != other.digest(key)
    digests = [TOWN.digest(entry.key) for entry in TOWN.entries()[:50]]
    assert len(set(digests)) == 50


def test_labels_take_turns() -> None:
    """Every class is there equally often, in a fixed order."""
    labels = [entry.label for entry in Toytown(40, seed=0).entries()]
    assert labels == list(range(len(CLASSES))) * 4
    assert TOWN.entries()[12].key == "00012"


@pytest.mark.parametrize("name", CLASSES)
def test_every_scene_shows_the_parts_of_its_class(name: str) -> None:
    """A scene has all parts of its class (all but one in twenty in plain sight) and none of another class."""
    subject, first = SCENE_CLASSES[name], CLASSES.index(name)
    shown = dict.fromkeys(subject.parts, 0)
    for index in range(first, 200, len(CLASSES)):
        masks = TOWN.scene(index).masks
        assert masks.keys() <= subject.parts | subject.extras
        for part in subject.parts:
            shown[part] += int(part in masks and masks[part].sum() >= 12)
    assert min(shown.values()) >= 19, shown


@pytest.mark.parametrize("index", range(20))
def test_masks_are_where_the_pixels_change(index: int) -> None:
    """Without a part, the picture changes nearly everywhere inside its mask and hardly anywhere else."""
    scene, whole = TOWN.scene(index), pixels(index)
    for part, mask in scene.masks.items():
        changed = np.abs(whole - pixels(index, (part,))).sum(axis=2) > 0
        away = changed & ~binary_dilation(mask, np.ones((3, 3)))
        # slivers that cover less than half of a pixel, such as the edge of a roof, are in no mask
        assert away.sum() <= 4 + 0.05 * changed.sum(), part
        inside = binary_erosion(mask)
        # what lies behind may be of the same color by chance: water behind water, a wall behind a wall
        assert changed[inside].mean() > 0.9 if inside.sum() > 10 else changed[mask].any(), part


@pytest.mark.parametrize("index", range(10))
def test_no_pixel_shows_two_parts(index: int) -> None:
    """What is in front hides what is behind, in the masks as in the picture."""
    masks = TOWN.scene(index).masks
    assert np.stack(list(masks.values())).sum(axis=0).max() == 1
    assert all(mask.shape == (64, 64) and mask.any() for mask in masks.values())


def test_classes_share_parts() -> None:
    """Parts are shared as the town is meant: rails and wheels, hulls, windows, water, eyes, leaves."""
    shared = {
        ("streetcar", "train"): {"wheels", "rails", "windows"},
        ("fireboat", "sailboat"): {"hull", "water"},
        ("fireboat", "house"): {"windows"},
        ("fish", "lighthouse"): {"water"},
        ("bird", "fish"): {"eye"},
        ("flower", "tree"): {"leaves"},
        ("house", "lighthouse"): {"roof"},
        ("bird", "tree"): {"bark"},
        ("fish", "train"): set(),
    }
    for (first, second), parts in shared.items():
        assert SCENE_CLASSES[first].parts & SCENE_CLASSES[second].parts == parts


def test_parts_are_large_and_varied() -> None:
    """A wheel is at least 12 pixels wide, and stands elsewhere from scene to scene."""
    first = CLASSES.index("train")
    masks = [TOWN.scene(index).masks["wheels"] for index in range(first, 100, len(CLASSES))]
    heights = [int(np.ptp(np.flatnonzero(mask.any(axis=1)))) + 1 for mask in masks]
    assert min(heights) >= 12
    middles = [float(np.argwhere(mask).mean(axis=0)[0]) for mask in masks]
    assert np.std(middles) > 1


@pytest.mark.parametrize("size", [40, 128])
def test_scenes_of_any_size_show_the_same(size: int) -> None:
    """A scene drawn larger or smaller is the same scene: its masks cover the same share of the picture."""
    for index in range(len(CLASSES)):
        usual, other = TOWN.scene(index).masks, Toytown(10, seed=3, size=size).scene(index)
        assert other.image.size == (size, size)
        for part, mask in usual.items():
            if mask.mean() > 0.02:
                assert other.masks[part].mean() == pytest.approx(mask.mean(), rel=0.25), part


def test_drawing_is_quick() -> None:
    """A scene costs a few milliseconds of processor time; the bound leaves room for slow machines."""
    start = time.process_time()
    for index in range(30):
        TOWN.scene(index)
    assert (time.process_time() - start) / 30 < 0.04


def test_canvas_hides_what_is_behind_and_leaves_out_what_it_is_told() -> None:
    """Of two overlapping squares the later one shows; left out, the earlier one is whole again."""
    sums = []
    for leave_out in ((), ("late",)):
        canvas = Canvas(64, leave_out=leave_out)
        for part, x in (("early", 24), ("late", 32)):
            stamp = canvas.stamp(16, 16, (255, 0, 0))
            stamp.shape.box(0, 0, 16, 16, 255)
            canvas.paste(part, stamp, x, 32)
        sums.append({part: int(mask.sum()) for part, mask in canvas.masks().items()})
    assert sums == [{"early": 8 * 16, "late": 16 * 16}, {"early": 16 * 16}]


def test_views_move_and_enlarge() -> None:
    """A closer view shows a square larger and moved, exactly by the view's corner and side."""
    widths = []
    for view in ((0.0, 0.0, 64.0), (16.0, 16.0, 32.0)):
        canvas = Canvas(64, view)
        stamp = canvas.stamp(8, 8, (255, 0, 0))
        stamp.shape.box(0, 0, 8, 8, 255)
        canvas.paste("square", stamp, 28, 32)
        rows, columns = np.nonzero(canvas.masks()["square"])
        widths.append((int(columns.min()), int(rows.min()), len(set(columns.tolist()))))
    assert widths == [(24, 28, 8), (16, 24, 16)]
    assert all(before != after for before, after in pairwise(widths))

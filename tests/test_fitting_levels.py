"""Grid levels and the least samples of a cell follow the number of samples, unless the user gives them."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from pipeline import fitting_levels as fitting_levels_module
from pipeline.compose import compose_config
from pipeline.config.grid import GridSettings
from pipeline.fitting_levels import configured_samples, fits, fitting_levels, fitting_min_count, levels_note
from tests.tiny_run import checkout, photograph

ROOT = Path(__file__).parents[1]
FITTED = {  # pictures, each with eight samples: levels, least samples of a cell
    1: ((5,), 1),
    10: ((5,), 3),
    24: ((5, 10), 2),
    60: ((5, 10), 5),
    90: ((5, 10), 5),
    135: ((5, 10), 5),
    300: ((10, 20), 5),
    1000: ((10, 20, 40), 5),
    100_000: ((10, 20, 40), 5),
}


@pytest.mark.parametrize("pictures", FITTED)
def test_levels_fit_the_number_of_pictures(pictures: int) -> None:
    """Few pictures get fewer and coarser levels, then smaller cells; many get the usual ones."""
    least = fitting_min_count(8 * pictures)
    assert (fitting_levels(8 * pictures, least), least) == FITTED[pictures]


@pytest.mark.parametrize("samples", [1, 2, 21, 22, 42, 64, 169, 170, 424, 425, 1699, 1700, 6799, 6800, 10**7])
def test_fitted_levels_are_valid_and_full_enough(samples: int) -> None:
    """They are settings as the user may give them, and where several are chosen each level's cells are full enough."""
    least = fitting_min_count(samples)
    levels = fitting_levels(samples, least)
    GridSettings(levels=levels, min_count=least)
    assert len(levels) == 1 or all(fits(level, samples, least) for level in levels)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A checkout with a folder of 24 photographs."""
    checkout(tmp_path)
    for number in range(24):
        photograph(tmp_path / "photographs" / "ash" / f"{number}.png", number)
    return tmp_path


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], ([5, 10], 2)),
        (["prepare.limit=10"], ([5], 3)),
        (["sample.positions_per_image=50"], ([5, 10], 5)),
        (["sample.positions_per_image=400"], ([10, 20, 40], 5)),
        (["grid.min_count=1"], ([5, 10], 1)),
        (["grid.levels=[10,20,40]"], ([10, 20, 40], 2)),
        (["images.root=nowhere", "images.fingerprint=x"], ([10, 20, 40], 5)),
        (["sample.positions_per_image=many"], ([10, 20, 40], 5)),
    ],
)
def test_the_composed_configuration_holds_what_fits(
    pictures: Path, overrides: list[str], expected: tuple[list[int], int]
) -> None:
    """It depends on the images, their limit and the places; given values stay, and errors are left to the checks."""
    root = pictures / "photographs"
    config = compose_config(pictures, ["images=image_folder", f"images.root='{root}'", *overrides])
    assert (OmegaConf.to_container(config.grid.levels), config.grid.min_count) == expected


def test_a_changed_folder_is_counted_again(pictures: Path) -> None:
    """The count is that of the folder as it is now; a set that may have to be downloaded is not opened at all."""
    wanted = ["images=image_folder", f"images.root='{pictures / 'photographs'}'"]
    assert compose_config(pictures, wanted).grid.min_count == 2
    for number in range(24, 60):
        photograph(pictures / "photographs" / "ash" / f"{number}.png", number)
    assert compose_config(pictures, wanted).grid.min_count == 5
    fake = {"_target_": "pipeline.images.torchvision_set.TorchvisionSet", "dataset": "FakeData"}
    fake["arguments"] = {"size": 10, "image_size": [3, 8, 8]}  # type: ignore[assignment]  # settings of any type
    assert configured_samples({**fake, "download": True}, None, 8) is None
    assert configured_samples(fake, None, 8) is None
    assert configured_samples({**fake, "download": False}, None, 8) == 80


@pytest.mark.parametrize("experiment", ["imagenet", "imagenet_sample", "efficientnet_lite0"])
def test_given_levels_open_no_image_set(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Experiments that give levels and the least samples of a cell list no images; one that leaves it out does."""
    opened: list[str] = []

    def count(images: str) -> int:
        opened.append(images)
        return 1000

    monkeypatch.setattr(fitting_levels_module, "_image_count", count)
    config = compose_config(ROOT, [f"+experiment={experiment}", "images.root=nowhere", "images.fingerprint=x"])
    assert config.grid.min_count == GridSettings().min_count
    assert not opened
    compose_config(
        ROOT,
        [f"+experiment={experiment}", "images.root=nowhere", "images.fingerprint=x", "grid.min_count=${min_count:}"],
    )
    assert opened


@pytest.mark.parametrize(
    ("levels", "least", "samples", "of_class", "words"),
    [
        ((10, 20, 40), 5, 24_000, [2400], None),
        ((10, 20), 5, 24_000, [], None),
        ((5, 10), 5, 480, [], "grid.levels=[5,10] grid.min_count=5 by themselves"),
        ((10, 20, 40), 5, 480, [], "level 20, 40 will have no icon"),
        ((10, 20, 40), 5, 480, [], "this fits: grid.levels=[5,10] grid.min_count=5"),
        ((10,), 5, 200, [], "this fits: grid.levels=[5,10] grid.min_count=2"),
        ((10, 20), 5, 24_000, [9000, 300], "class level 10 will have no icon, since a class atlas has at most 300"),
    ],
)
def test_levels_that_are_not_full_are_said_with_those_that_fit(
    levels: tuple[int, ...], least: int, samples: int, of_class: list[int], words: str | None
) -> None:
    """A line before the run names the levels and the overrides to use; nothing is said of levels that are full."""
    note = levels_note(GridSettings(levels=levels, min_count=least), samples, of_class)
    assert note is None if words is None else words in str(note)

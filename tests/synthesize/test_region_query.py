"""The query by region: images ranked by how much of some cells of the atlas they hold."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands import OUTPUTS
from pipeline.core.artifacts import SYNTHESIZE
from pipeline.core.atlas_icons import AtlasIcons, read_atlas_icons
from pipeline.core.errors import ConfigError
from pipeline.parallel.tasks import Tasks
from pipeline.synthesize.atlas_cells import cell_at, unlike_cells
from pipeline.synthesize.region_query import ranked, region_shares
from tests.synthesize.tiny_atlas import IMAGES, synthesize
from tests.tiny_run import LAYER

CHANNELS = 6
MEAN = np.full(CHANNELS, 0.5, np.float32)
CELLS = MEAN + np.eye(CHANNELS, dtype=np.float32)  # each cell has a direction of its own


def planted(cells: list[int], length: float = 1.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A map [channel, y, x] of 2 × 2 positions, each in the direction of a cell."""
    directions = np.eye(CHANNELS, dtype=np.float32)[cells] * length
    return (MEAN + directions).T.reshape(CHANNELS, 2, 2)


def test_the_share_of_a_region_is_that_of_its_positions() -> None:
    """Of positions of equal length a quarter each; a longer activation counts more; other cells count nothing."""
    regions = np.zeros((2, CHANNELS), bool)
    regions[0, [0, 1]], regions[1, 2] = True, True
    maps = np.stack([planted([0, 1, 2, 3]), planted([3, 3, 4, 5]), planted([2, 2, 2, 0])])
    found = region_shares(maps, CELLS, MEAN, regions)
    assert found.share == pytest.approx(np.array([[0.5, 0.25], [0, 0], [0.25, 0.75]]), abs=1e-6)
    assert found.position[:, 0].tolist() == [[0, 0], [-1, -1], [1, 1]]
    maps[0, :, 0, 0] = MEAN + 5 * np.eye(CHANNELS)[0]
    assert region_shares(maps, CELLS, MEAN, regions).share[0, 0] == pytest.approx(6 / 8)


def test_images_without_content_hold_nothing() -> None:
    """An image whose activations all equal the layer's mean has a share of 0 of everything, not of one cell."""
    maps = np.broadcast_to(MEAN[None, :, None, None], (1, CHANNELS, 2, 2)).copy()
    assert region_shares(maps, CELLS, MEAN, np.ones((1, CHANNELS), bool)).share.tolist() == [[0.0]]


def test_images_are_ranked_by_more_less_the_other() -> None:
    """More of the one region and less of the other comes first; equal ones keep their order."""
    share = np.array([[0.5, 0.5], [0.4, 0.1], [0.9, 0.9], [0.1, 0.6]])
    assert ranked(share).tolist() == [1, 0, 2, 3]


def test_unlike_cells_differ_most() -> None:
    """The first is the cell of most samples, each further one a direction of its own rather than a near copy."""
    directions = np.array([[1, 0, 0], [0.99, 0.1, 0], [0, 1, 0], [0.1, 0.99, 0], [0, 0, 1]], np.float32)
    atlas = AtlasIcons(
        layer="layer",
        level=5,
        cell=np.array([[0, n] for n in range(5)]),
        icons=np.zeros((5, 2, 2, 3), np.uint8),
        count=np.array([3, 1, 1, 1, 1]),
        activation=directions + 2,
        mean=np.full(3, 2, np.float32),
    )
    assert {cell.column for cell in unlike_cells(atlas, 3)} in ({0, 2, 4}, {0, 3, 4})
    assert unlike_cells(atlas, 1)[0].column == 0
    assert len(unlike_cells(atlas, 9)) == 5
    np.testing.assert_allclose(cell_at(atlas, 2).direction, [0, 1, 0])


def drawn(level: int = 4) -> list[str]:
    """Addresses of drawn cells."""
    atlas = read_atlas_icons(OUTPUTS, LAYER, level)
    assert atlas is not None
    return [cell_at(atlas, number).address for number in range(len(atlas.cell))]


def test_the_sheet_shows_the_images_that_hold_most(folder: Path) -> None:
    """The contact sheet is the head of the table, whose rows are all images in falling order of the difference."""
    more, less, *_ = drawn()
    words = [f"synthesize.region_query.more=[{more}]", f"synthesize.region_query.less=[{less}]"]
    content = synthesize(folder, "region_query", *words, "synthesize.region_query.shown=5")
    with (SYNTHESIZE.path(OUTPUTS, method="region_query") / content["downloads"][0]).open() as file:
        table = list(csv.DictReader(file))
    assert sorted(row["image"] for row in table) == [
        f"{n % 3}/{n:02d}.png" for n in sorted(range(IMAGES), key=lambda n: (n % 3, n))
    ]
    differences = [float(row["more"]) - float(row["less"]) for row in table]
    assert differences == sorted(differences, reverse=True)
    assert differences[0] > differences[-1]
    assert [row["text"] for row in content["rows"]] == [row["image"] for row in table[:5]]
    for row, line in zip(content["rows"], table, strict=False):
        assert row["pictures"][0]["values"]["more"] == pytest.approx(float(line["more"]), rel=1e-3, abs=1e-6)


def test_a_second_run_computes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished tasks are kept: the same settings give the same bytes without any task; other cells run again."""
    words = [f"synthesize.region_query.more=[{drawn()[0]}]"]
    synthesize(folder, "region_query", *words)
    path = SYNTHESIZE.path(OUTPUTS, method="region_query") / "synthesize.js"
    before, kept = path.read_bytes(), Tasks._keep
    ran: list[str] = []

    def keep(self: Tasks, name: str, found: object) -> None:
        ran.append(name)
        kept(self, name, found)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Tasks, "_keep", keep)
    synthesize(folder, "region_query", *words)
    assert not ran
    assert path.read_bytes() == before
    synthesize(folder, "region_query", f"synthesize.region_query.more=[{drawn()[1]}]")
    assert ran
    assert path.read_bytes() != before


def test_without_photographs_only_the_table_is_written(folder: Path) -> None:
    """Where the site may not show the images, the sheet has no picture; without named cells the fullest ones count."""
    content = synthesize(folder, "region_query", "synthesize.photographs=false")
    assert content["rows"] == []
    assert not list(SYNTHESIZE.path(OUTPUTS, method="region_query").glob("*.webp"))
    assert content["downloads"] == ["images.csv"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["synthesize.region_query.more=[4/9/9]"], r"region_query\.more: expected a drawn cell of mixed3b.*4/9/9"),
        (["synthesize.region_query.more=[7/0/0]"], r"region_query\.more: expected a drawn cell of mixed3b.*7/0/0"),
    ],
)
def test_a_cell_that_is_not_drawn_is_named(folder: Path, words: list[str], line: str) -> None:
    """The line names the setting and the address; a level that the atlas does not have is answered alike."""
    with pytest.raises(ConfigError, match=line):
        synthesize(folder, "region_query", *words)


def test_cells_of_two_levels_are_refused(folder: Path) -> None:
    """An image's positions are shared out among the cells of one level."""
    words = f"synthesize.region_query.more=[{drawn(4)[0]},{drawn(2)[0]}]"
    with pytest.raises(ConfigError, match="expected cells of one level, found levels 2, 4"):
        synthesize(folder, "region_query", words)

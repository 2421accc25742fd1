"""A secret planted in every place where a user may put one is nowhere in what a run writes, prints or publishes."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from distributed.protocol.pickle import dumps
from PIL import Image

from pipeline.__main__ import main
from pipeline.core import secrets
from pipeline.core.artifacts import GRID
from pipeline.core.errors import ArtifactError, ImageError
from pipeline.core.progress import log_line
from pipeline.core.site_data import data_script, read_data_script
from pipeline.core.zarr_store import array, level, open_artifact
from pipeline.export import export
from pipeline.images.image_folder import ImageFolder
from pipeline.images.image_set import Entry
from pipeline.images.manifest import list_images
from pipeline.model.small_inception import SmallInception
from pipeline.parallel.pool import InlinePool
from tests.tiny_run import LAYER, checkout, photograph, run

HERE = __name__
SECRET = "hunter2"  # noqa: S105  # a part of every planted value
PUBLIC = "4711"  # a setting that is no secret
BROKEN = "b/broken.png"
VARIABLES = {
    "PLANTED_TOKEN": f"{SECRET}-token",
    "PLANTED_NOTE": f"{SECRET}-note",
    "PLANTED_PLACE": f"{SECRET}-place",
    "PLANTED_NET": f"{SECRET}-net",
    "PLANTED_JUDGE": f"{SECRET}-judge",
    "PLANTED_FOLDER": f"{SECRET}-folder",
}
IMAGES = (
    *("token=${oc.env:PLANTED_TOKEN}", "note=${oc.env:PLANTED_NOTE}", f"size={PUBLIC}", "name=visible"),
    'url="https://me:${oc.env:PLANTED_TOKEN}@host/?token=${oc.env:PLANTED_TOKEN}"',
    'deep=[{list: ["${oc.env:PLANTED_NOTE}/x"], api_key: "${oc.env:PLANTED_TOKEN}"}]',
)
NETWORK = (
    *(
        "architecture.password=${oc.env:%s}",
        'architecture.deep=[{note: "${oc.env:%s}"}]',
        f"architecture.size={PUBLIC}",
    ),
)
OVERRIDES = (
    *(f"images._target_={HERE}.PlantedImages", *(f"+images.{argument}" for argument in IMAGES)),
    *(
        f"model.architecture._target_={HERE}.PlantedNet",
        "model.name=Visible",
        "model.classes=${oc.env:PLANTED_FOLDER}/classes.txt",
    ),
    *(f"+model.{argument}".replace("%s", "PLANTED_NET") for argument in NETWORK),
    "sample.attribution=false",
    "images.classes=${oc.env:PLANTED_FOLDER}/folders.txt",
    *(
        "+model@judge=small_inception",
        f"judge.architecture._target_={HERE}.PlantedNet",
        "+judge.architecture.num_classes=2",
    ),
    "judge.weights=${oc.env:PLANTED_FOLDER}/weights.pth",
    *(f"+judge.{argument}".replace("%s", "PLANTED_JUDGE") for argument in NETWORK),
    *(
        "+images@place.images=image_folder",
        "place.images.root=photographs",
        f"place.images._target_={HERE}.PlantedImages",
    ),
    *(f"+place.images.{argument}" for argument in (*IMAGES[2:], "note=${oc.env:PLANTED_PLACE}")),
)


class PlantedImages(ImageFolder):
    """A folder of images that is given secrets, and tells them where it can."""

    def __init__(self, root: str, classes: str | None = None, **planted: Any) -> None:
        assert SECRET in planted["note"]
        assert SECRET in planted["deep"][0]["list"][0]
        assert f"me:{SECRET}" in planted["url"]
        super().__init__(root, classes)
        self.told = f"cannot fetch {planted['url']} with {planted['note']}"
        log_line(self.told)

    def open(self, key: str) -> Image.Image:
        """The image, or an error with all that is secret."""
        if key == BROKEN:
            raise ImageError(self.told)
        return super().open(key)


class PlantedNet(SmallInception):
    """A network that is given secrets."""

    def __init__(self, num_classes: int, dropout: float, password: str, deep: list[dict[str, str]], size: int) -> None:
        assert password.startswith(SECRET)
        assert deep[0]["note"].startswith(SECRET)
        assert size == int(PUBLIC)
        super().__init__(num_classes, dropout)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project in which the pipeline has run with the planted secrets.

    ``log`` holds what it printed, ``sent`` everything that it would have sent to workers.
    """
    folder = checkout(tmp_path_factory.mktemp("made"))
    for number in range(32):  # enough for the judge to have patches of its own
        photograph(folder / f"photographs/{'ab'[number % 2]}/{number}.png", number)
    photograph(folder / "photographs" / BROKEN, 99)
    hidden = folder / VARIABLES["PLANTED_FOLDER"]
    hidden.mkdir()
    (hidden / "classes.txt").write_text("ant\nbee\n")
    (hidden / "folders.txt").write_text("a\tant\nb\tbee\n")
    torch.save(SmallInception(2).state_dict(), hidden / "weights.pth")
    map_inline = InlinePool.map_unordered

    def map_recorded(
        pool: InlinePool, function: Callable[..., Any], tasks: Iterable[Any], setup: Callable[[], Any]
    ) -> Iterator[tuple[int, Any]]:
        tasks = list(tasks)
        with (folder / "sent").open("ab") as sent:
            sent.write(dumps((function, setup, tasks)))
        return map_inline(pool, function, tasks, setup)

    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("w", buffering=1, encoding="utf-8") as log:
        patch.setattr(InlinePool, "map_unordered", map_recorded)
        patch.chdir(folder)
        patch.setattr(sys, "stderr", log)
        patch.setattr(secrets, "_known", {})
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        patch.setenv("PLANTED_FOLDER", str(hidden))
        run(folder, *OVERRIDES, leave_out=["predict"])
        yield folder


def found(folder: Path, text: str) -> list[str]:
    """Files below a folder that hold a text: in their bytes, in a name, or in a table's cells."""
    holding = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes() if path.is_file() else b""
        if path.suffix == ".parquet":
            content += repr((pq.read_table(path).to_pydict(), pq.read_schema(path).metadata)).encode()
        if text in name or text.encode() in content:
            holding.append(name)
    return holding


def test_no_secret_is_in_anything_written(made: Path) -> None:
    """Artifacts, their attributes, metrics, the site, params.yaml and the log hold no planted value."""
    assert found(made / "outputs", SECRET) == []
    assert SECRET not in (made / "params.yaml").read_text()
    assert SECRET not in (made / "log").read_text()


def test_no_secret_is_sent_to_workers(made: Path) -> None:
    """Specifications and tasks refer to every planted value; the search would find one, as it finds plain arguments."""
    sent = (made / "sent").read_bytes()
    assert SECRET.encode() not in sent
    for name in ("PLANTED_TOKEN", "PLANTED_NOTE", "PLANTED_JUDGE", "PLANTED_FOLDER"):
        assert name.encode() in sent
    for plain in ("visible", "PlantedImages", "PlantedNet", LAYER):
        assert plain.encode() in sent


def test_what_is_no_secret_is_there(made: Path) -> None:
    """The search would find a secret: it finds a plain setting in each kind of file, and references in artifacts."""
    plain = found(made / "outputs", PUBLIC)
    assert {"images.parquet", "model/model.json", f"activations/{LAYER}.zarr/zarr.json"} <= set(plain)
    assert "site/data/manifest.js" in plain
    assert "rejected.parquet" in found(made / "outputs", "cannot fetch https://me:${oc.env:PLANTED_TOKEN}@host/")
    assert found(made / "outputs", "${oc.env:PLANTED_TOKEN}") != []
    assert "cannot fetch https://me:${oc.env:PLANTED_TOKEN}@host" in (made / "log").read_text()
    assert "token: ${oc.env:PLANTED_TOKEN}" in (made / "params.yaml").read_text()
    assert PUBLIC in (made / "params.yaml").read_text()


def test_an_export_and_a_trace_have_none(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export and the provenance of a cell, as text and as JSON, hold settings and no secrets."""
    export(made / "outputs/site", tmp_path / "export")
    assert found(tmp_path / "export", SECRET) == []
    assert found(tmp_path / "export", "PLANTED") == []
    assert "data/manifest.js" in found(tmp_path / "export", PUBLIC)
    grid = level(open_artifact(GRID, GRID.path(made / "outputs", LAYER, "all")), 2)
    row, column = np.asarray(array(grid, "cell")[...])[0]
    command = ["provenance", f"layer={LAYER}", "level=2", f"cell={row},{column}"]
    for options in ([], ["--json"]):
        assert main([*command, *options]) == 0
        printed = capsys.readouterr()
        assert SECRET not in printed.out + printed.err
        assert PUBLIC in printed.out


def test_an_older_site_is_not_exported(made: Path, tmp_path: Path) -> None:
    """A site whose manifest shows an argument in full, as earlier versions wrote it, is refused."""
    site = tmp_path / "site"
    shutil.copytree(made / "outputs/site", site)
    manifest = read_data_script(site / "data/manifest.js")
    manifest["provenance"]["settings"]["images"]["url"] = f"https://me:{SECRET}@host"
    (site / "data/manifest.js").write_text(data_script("manifest", manifest), encoding="ascii")
    with pytest.raises(ArtifactError, match="settings that may be published"):
        export(site, tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_key_with_a_secret_is_refused() -> None:
    """Keys of images are published, so one with a user and password is refused, and a folder named like one is not."""

    class Keys(ImageFolder):
        def __init__(self, *keys: str) -> None:
            self._keys, self.classes = keys, ()

        def entries(self) -> Sequence[Entry]:
            return [Entry(key, None) for key in self._keys]

    def listed(*keys: str) -> object:
        return list_images(Keys(*keys), None, None, 1, 1, print)  # type: ignore[arg-type]  # no image is opened

    for key in ("https://me:hunter2@host/1.png", "s3://hunter2@bucket/1.png", "https://host/1.png?token=hunter2"):
        with pytest.raises(ImageError, match="one with a secret") as caught:
            listed("a.png", key)
        assert SECRET not in str(caught.value)

import functools
import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request

sys.path.insert(0, str(Path(__file__).parent / "site"))

from site_planting import LAYERS, Planted, plant

from pipeline.__main__ import main
from pipeline.core.errors import ArtifactError, ConfigError
from pipeline.core.lock import lock
from pipeline.core.site_data import data_script, read_data_script
from pipeline.export import MARKER, export
from pipeline.site.pages import PAGES
from pipeline.site.stage import run
from pipeline.site_files import site_files

ROOT = Path(__file__).parents[1]
PATCH = f"patch/{LAYERS[1]}/compare-1-0"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted site with a patch test that shows two pictures."""
    made: Planted = plant(tmp_path_factory.mktemp("planted"), samples=6000, levels=(10, 20))
    run(made.task)
    folder = made.site / PATCH
    (folder / "1-0").mkdir(parents=True)
    for name in ("patch", "before"):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / f"1-0/{name}.webp")
    examples = [{"before": "1-0/before.webp", "after": None}]
    directions = [{"groups": [{"patches": [{"file": "1-0/patch.webp"}]}], "examples": examples}]
    (folder / "result.js").write_text(data_script(PATCH, {"directions": directions}), encoding="ascii")
    plant_units(made.site, LAYERS[0])
    plant_explanations(made.site)
    plant_syntheses(made.site)
    return made.site


def plant_units(site: Path, layer: str) -> None:
    """Two units of a layer: one with several pictures and examples, one without any."""
    manifest = site / "data/manifest.js"
    manifest.write_text(data_script("manifest", read_data_script(manifest) | {"units": {layer: [1, 2]}}), "ascii")
    pictures, examples = [{"role": "high"}, {"role": "diverse"}], {"highest": [{"image": 0}]}
    units = [
        {"channel": 1, "pictures": pictures, "examples": examples, "maps": 1},
        {"channel": 2, "pictures": [], "examples": {}, "maps": 0},
    ]
    sheets = [{"name": "start", "columns": [], "rows": [{"cells": [None]}, {"cells": [{"activation": [1.0]}]}]}]
    for kind in ("pictures", "variants", "examples", "maps", "filters", "sheets/start"):
        path = site / f"units/{layer}/{kind}/1.webp"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    (site / f"units/{layer}/filters/0.webp").write_bytes((site / f"units/{layer}/filters/1.webp").read_bytes())
    content = data_script(f"units/{layer}", {"units": units, "sheets": sheets, "filters": [{}, {}]})
    (site / f"units/{layer}/units.js").write_text(content, "ascii")


def plant_explanations(site: Path) -> None:
    """Explanations of classes with all kinds of pictures, and of units without photographs."""
    manifest = site / "data/manifest.js"
    layers = ["logits", LAYERS[0]]
    manifest.write_text(data_script("manifest", read_data_script(manifest) | {"explain": layers}), "ascii")
    for layer, photographs in zip(layers, (True, False), strict=True):
        rows = [{"strip": 0}, {"strip": 1}]
        neighbors = {"images": {"7": {"pixels": [3], "features": [4]}}} if photographs else None
        fooling = [{"row": 1, "moved": [{"layer": LAYERS[1]}]}] if photographs else None
        regions = {"boxes": [{"image": 5, "matches": [{"image": 6}]}]} if photographs else None
        content = {"rows": rows, "photographs": photographs, "neighbors": neighbors, "fooling": fooling}
        content |= {"regions": regions, "atlas": [{"layer": LAYERS[1], "images": {"7": {}}}]}
        pictures = ["rows/0", "rows/1", f"atlas/{LAYERS[1]}/7"]
        pictures += (
            [*(f"thumbnails/{row}" for row in (3, 4, 5, 6)), "fooling/1", f"fooling/{LAYERS[1]}/1"]
            if photographs
            else []
        )
        for name in pictures:
            path = site / f"explain/{layer}/{name}.webp"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
        (site / f"explain/{layer}/explain.js").write_text(data_script(f"explain/{layer}", content), "ascii")
        (site / f"explain/{layer}/images.js").write_text(data_script(f"explain/{layer}/images", {"7": 0}), "ascii")


def plant_syntheses(site: Path) -> None:
    """A painting, which shows no photograph, and an inversion with a table, one of whose pictures is missing."""
    manifest = site / "data/manifest.js"
    methods = ["inversion", "painting"]
    manifest.write_text(data_script("manifest", read_data_script(manifest) | {"synthesize": methods}), "ascii")
    for method in methods:
        folder = site / "synthesize" / method
        folder.mkdir(parents=True)
        for name in ("0-0", "1-1"):
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / f"{name}.webp")
        (folder / "values.csv").write_text("a\n1\n")
        content = {"rows": [{"pictures": [{}, None]}, {"pictures": [None, {}]}], "downloads": ["values.csv"]}
        script = data_script(f"synthesize/{method}/synthesize", content)
        (folder / "synthesize.js").write_text(script, "ascii")


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    """The same site once more, for tests that change it; its files are links, as DVC may make them."""
    target = tmp_path / "outputs/site"
    for path in site.rglob("*"):
        if path.is_file():
            link = target / path.relative_to(site)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return target


def files(folder: Path) -> dict[str, bytes]:
    """All files of a folder with their bytes, but for those that only an export has."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name not in (MARKER, ".nojekyll")}


def test_the_site_is_copied_and_nothing_else(copy: Path, tmp_path: Path) -> None:
    """All files of the site come along byte for byte as plain files, but nothing that is unfinished, hidden or old."""
    truth = files(copy)
    strange = ("data.partial/manifest.js", "tiles/old.layer/all/tiles.json", ".lock", "tiles.partial", "notes.txt")
    inside = (f"tiles/{LAYERS[0]}/all/10.raw", f"data/{LAYERS[0]}/all/.DS_Store", f"{PATCH}.partial/result.js")
    for name in (*strange, *inside):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).touch()
    export(copy, tmp_path / "public")
    assert files(tmp_path / "public") == truth
    assert not any(path.is_symlink() for path in (tmp_path / "public").rglob("*"))
    assert (tmp_path / "public/.nojekyll").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outputs", "public"]


def test_every_file_is_one_that_some_page_loads(site: Path) -> None:
    """The list of linked files covers the whole site, but for the license and lists for other programs."""
    named = set(site_files(site, tuple(PAGES)))
    assert named <= set(files(site))
    unnamed = {name for name in set(files(site)) - named if not name.endswith((".dzi", ".json", ".xml"))}
    assert unnamed == {"viewer/THIRD-PARTY.txt"}


def test_a_site_of_an_earlier_format_is_an_error(copy: Path) -> None:
    """A manifest of another format is an error of one line that states what to run."""
    manifest = copy / "data/manifest.js"
    content = read_data_script(manifest) | {"format": 1}
    manifest.unlink()
    manifest.write_text(data_script("manifest", content), encoding="ascii")
    with pytest.raises(ArtifactError, match=r"manifest\.js: expected data of format 6, found 1; run 'atlas run' again"):
        list(site_files(copy, tuple(PAGES)))


@pytest.mark.parametrize(
    "name",
    [
        *("patch.html", "viewer/evidence.css", "data/manifest.js", f"data/{LAYERS[1]}/class-0/10/cells.js"),
        *(f"tiles/{LAYERS[0]}/all/20_files/10/1_1.webp", f"place/{LAYERS[0]}/members-0.js", "data/images/0/1.webp"),
        *(
            f"units/{LAYERS[0]}/{name}"
            for name in ("units.js", "variants/1.webp", "maps/1.webp", "sheets/start/1.webp")
        ),
        *("explain/logits/explain.js", "explain/logits/thumbnails/4.webp", "explain/logits/fooling/1.webp"),
        *("explain/logits/images.js", f"explain/logits/atlas/{LAYERS[1]}/7.webp", "explain/logits/thumbnails/6.webp"),
        *("synthesize/inversion/synthesize.js", "synthesize/inversion/1-1.webp", "synthesize/painting/values.csv"),
        *(f"{PATCH}/1-0/before.webp", f"data/{LAYERS[0]}/all/members-0.js", f"data/{LAYERS[0]}/all/20/heatmap-0.js"),
    ],
)
def test_a_missing_file_is_named_and_nothing_is_made(name: str, copy: Path, tmp_path: Path) -> None:
    """Without any one of the files that a page loads there is no export, and the line names the file."""
    if name.endswith("/1.webp"):
        name = next(path.relative_to(copy).as_posix() for path in (copy / "data/images").rglob("*.webp"))
    (copy / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name}: .*atlas run"):
        export(copy, tmp_path / "public")
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]


def test_an_earlier_export_is_replaced_and_leaves_nothing(copy: Path, tmp_path: Path) -> None:
    """A second export takes the place of the first: what the site no longer has is gone."""
    public = tmp_path / "public"
    public.mkdir()  # an empty folder is fine
    export(copy, public)
    gone = f"{PATCH}/result.js"
    assert gone in files(public)
    (copy / gone).unlink()
    for picture in (copy / PATCH).rglob("*.webp"):
        picture.unlink()
    export(copy, public)
    assert files(public) == files(copy)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outputs", "public"]


@pytest.mark.parametrize("foreign", [".git/config", "CNAME", "data/mine.txt"])
def test_what_others_put_into_an_export_is_never_removed(foreign: str, copy: Path, tmp_path: Path) -> None:
    """An export that holds a file of someone else is refused, by the file's name, and stays as it is."""
    public = tmp_path / "public"
    export(copy, public)
    (public / foreign).parent.mkdir(exist_ok=True)
    (public / foreign).write_text("mine")
    with pytest.raises(ConfigError, match=rf"{foreign}.*would be lost"):
        export(copy, public)
    assert (public / foreign).read_text() == "mine"
    assert set(files(copy)) < set(files(public))


def test_other_folders_are_refused(copy: Path, tmp_path: Path) -> None:
    """Neither a folder with files, nor a file, nor a folder in the site or around it is taken."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").write_text("mine")
    (tmp_path / "file").touch()
    for name, words in (
        *(("full", "empty folder"), ("file", "found a file"), ("file/below", "a writable folder")),
        *(("outputs/site", "apart from the site"), ("outputs/site/data/x", "apart from the site"), (".", "apart from")),
    ):
        with pytest.raises(ConfigError, match=words):
            export(copy, tmp_path / name)
    assert (tmp_path / "full/letter.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "outputs"]


def test_a_failure_leaves_the_earlier_export(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a copy fails half-way, the earlier export is unchanged and nothing else is written."""
    public = tmp_path / "public"
    export(copy, public)
    before = files(public)
    left = iter(range(10))

    def fail(*_: object) -> None:
        if next(left) == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr("shutil.copyfile", fail)
    with pytest.raises(KeyboardInterrupt):
        export(copy, public)
    assert files(public) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outputs", "public"]


def test_the_command_says_what_there_is_and_what_to_do(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`atlas export` takes a relative folder, and prints files, size, pages, images and the next step."""
    for name in ("conf", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert main(["export", "public"]) == 0
    said = capsys.readouterr().err
    found = files(tmp_path / "below/public")
    assert found == files(copy)
    rendered = tuple(f"units/{LAYERS[0]}/{kind}/" for kind in ("pictures", "variants", "sheets", "filters"))
    icons = ("explain/logits/atlas/", f"explain/logits/fooling/{LAYERS[1]}/")
    plain = (f"explain/{LAYERS[0]}/", "synthesize/painting/")
    others = ("tiles/", *rendered, *icons, *plain, *(f"data/{layer}/" for layer in LAYERS))
    images = sum(name.endswith(".webp") and not name.startswith(others) for name in found)
    for word in (
        f"{len(found)} files",
        " MB",
        *PAGES,
        f"{images} of your images or crops of them, and tiles with patches of them",
        "site.exemplars=0",
        "synthesize.photographs=false",
        "double click",
    ):
        assert word in said


def test_while_a_run_is_at_work_nothing_is_exported(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While another process works on the outputs, the command names it and makes no folder."""
    for name in ("conf", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    with lock(copy.parent, "atlas run of someone"):
        assert main(["export", "public"]) == 2
    assert "atlas run of someone" in capsys.readouterr().err
    assert not (tmp_path / "public").exists()


def test_without_a_site_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first run, `atlas export` ends with one line that names `atlas run`, and makes no folder."""
    for name in ("conf", "dvc.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    assert main(["export", "public"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "atlas run" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conf", "dvc.yaml"]


@pytest.fixture(scope="module")
def exported(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a web host with the export some way below its root."""
    root = tmp_path_factory.mktemp("host")
    export(site, root / "people/me/my atlas")
    return root


@pytest.fixture(params=["http", "file"])
def address(request: pytest.FixtureRequest, exported: Path) -> Iterator[str]:
    """Where the export is: below a path of a plain web server, and on disk."""
    if request.param == "file":
        yield f"{(exported / 'people/me/my atlas').as_uri()}/"
        return
    handler = functools.partial(_Quiet, directory=str(exported))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/people/me/my%20atlas/"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        pass


def wanted(request: Request) -> bool:
    """Not one that the page itself broke off, since it shows something else by now."""
    return request.failure != "net::ERR_ABORTED"


def watched(page: Page, address: str) -> list[str]:
    """What goes wrong on the page from now on: errors, failed requests, requests to another place."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}") if wanted(request) else None)
    page.on(
        "response", lambda answer: troubles.append(f"{answer.status}: {answer.url}") if answer.status > 399 else None
    )
    page.on(
        "request",
        lambda request: None if request.url.startswith((address, "data:")) else troubles.append(request.url),
    )
    return troubles


@pytest.mark.browser
def test_the_export_works_under_any_path_and_from_disk(chromium: Browser, address: str) -> None:
    """The atlas with a class and a pinned cell opens without an error or a request elsewhere; so do all pages."""
    context = chromium.new_context(reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    troubles = watched(page, address)
    page.goto(f"{address}index.html#layer={LAYERS[1]}&level=20&class=5&pin=10.4.4&show=density")
    page.wait_for_selector(f'html[data-ready="{LAYERS[1]}/all/20/5"]', state="attached")
    page.locator(".panel .patch img").first.wait_for()
    page.wait_for_load_state("networkidle")
    shown = page.evaluate("[...document.images].filter(image => image.complete && image.naturalWidth > 0).length")
    assert shown > 0
    assert troubles == []
    page.goto(f"{address}patch.html")
    page.wait_for_selector("html[data-ready]", state="attached")
    context.close()
    assert not [trouble for trouble in troubles if PATCH not in trouble]


@pytest.mark.browser
def test_the_browser_notices_a_file_that_is_missing(chromium: Browser, site: Path, tmp_path: Path) -> None:
    """The same watch does find fault where a file of the export is gone."""
    export(site, tmp_path / "public")
    (tmp_path / f"public/data/{LAYERS[1]}/all/20/cells.js").unlink()
    page = chromium.new_page()
    address = f"{(tmp_path / 'public').as_uri()}/"
    troubles = watched(page, address)
    page.goto(f"{address}index.html#layer={LAYERS[1]}&level=20")
    page.wait_for_load_state("networkidle")
    page.close()
    assert any("cells.js" in trouble for trouble in troubles)


def test_the_marker_lists_the_export_alone(site: Path, tmp_path: Path) -> None:
    """The marker names every file and no folder of this machine."""
    export(site, tmp_path / "public")
    text = (tmp_path / "public" / MARKER).read_text()
    assert set(json.loads(text)["files"]) - {".nojekyll"} == set(files(tmp_path / "public"))
    assert str(tmp_path) not in text

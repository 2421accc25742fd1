"""Copies of the planted site with data of their own, served and opened from disk."""

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.browse import site_server
from pipeline.core.site_data import data_script


def copied(site: Path, folder: Path, parts: Mapping[str, Mapping[str, Any]]) -> Path:
    """A copy of the site in which the scripts at these places, relative to it, hold other content."""
    shutil.copytree(site, folder, copy_function=os.link)
    for place, content in parts.items():
        path = folder / f"{place}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # it is the planted site's own file
        name = place.removeprefix("data/").removesuffix("/result").removesuffix("/units").removesuffix("/explain")
        path.write_text(data_script(name, content), encoding="ascii")
    return folder


@contextmanager
def addressed(site: Path, way: str) -> Iterator[str]:
    """Where the site is: on the local server (``http``), or opened from disk (``file``)."""
    if way == "file":
        yield (site / "index.html").as_uri()
        return
    with site_server(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()

"""The built viewer, which ships inside the package."""

from pathlib import Path

from pipeline.core.errors import ArtifactError

STATIC = Path(__file__).with_name("static")
PAGES = ("atlas", "patch", "evidence", "contents")
FILES = (*(f"{page}.{kind}" for page in PAGES for kind in ("js", "css")), "THIRD-PARTY.txt")


def viewer_files() -> dict[str, bytes]:
    """The viewer's files by name.

    Raises:
        ArtifactError: it has not been built.
    """
    missing = [name for name in FILES if not (STATIC / name).is_file()]
    if missing:
        raise ArtifactError(
            f"{STATIC}: expected the built viewer, found no {', '.join(missing)}; build it with 'make install' "
            "or by installing the project again"
        )
    return {name: (STATIC / name).read_bytes() for name in FILES}

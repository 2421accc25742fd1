"""The tables of ``artifacts.md``: what every stage writes, from the data model."""

import ast
import inspect
import re
from collections.abc import Mapping

from docs.generate.blocks import with_block
from pipeline.core import artifacts
from pipeline.core.artifacts import Artifact
from pipeline.images.manifest import Manifest
from pipeline.stages import STAGES

FOLDERS: Mapping[str, str] = {
    "model": "`weights.safetensors`, and `model.json`: architecture, names of the classes, preprocessing, and for each "
    "layer the size of its map, stride, receptive field and the format of its output.",
    "tiles": "The pictures of each level as Deep Zoom tiles.",
    "site": "The pages, their data and the viewer's files. It needs nothing from outside of it.",
    "patch": "Results of the patch test of a comparison, and its pictures.",
    "predict": "Results of the test of attributions.",
    "place": "Where the second image set falls on the layout, and its pictures.",
    "explain": "Figures of heat maps in `explain.js`; strips of pictures, thumbnails, changes.",
    "synthesize": "Pictures; `synthesize.js` with their numbers and charts; tables as CSV.",
    "units": "Figures and examples of single units in `units.js`; their pictures, patches, comparison sheets.",
}
REJECTED_COLUMNS: Mapping[str, str] = {"key": "names the image within its set", "reason": "why it cannot be used"}


def rewritten(text: str) -> str:
    """The page with today's data model."""
    return with_block(text, "artifacts", tables())


def tables() -> str:
    """All artifacts, a section each."""
    notes = _comments()
    writers = {artifact.name: stage.name for stage in STAGES.values() for artifact in stage.writes}
    parts = []
    for variable, artifact in found_artifacts().items():
        parts.append(f"\n## {artifact.name}\n\n`outputs/{artifact.pattern}`, version {artifact.version}, ")
        parts.append(f"written by the stage `{writers[artifact.name]}`.\n")
        if artifact.name in FOLDERS:
            parts.append(f"\n{FOLDERS[artifact.name]}\n")
        parts.append("".join(f"\n{paragraph}\n" for paragraph in notes.get(variable, ())))
        parts.append(_arrays(artifact))
    return "".join(parts)


def found_artifacts() -> dict[str, Artifact]:
    """The artifacts of the data model by the name of their constant, in order."""
    return {name: value for name, value in vars(artifacts).items() if isinstance(value, Artifact)}


def _arrays(artifact: Artifact) -> str:
    if artifact.name == "images":
        return _table("column", _manifest_columns())
    if artifact.name == "rejected":
        return _table("column", REJECTED_COLUMNS)
    rows = [
        f"| `{name}` | [{', '.join(array.dims)}] | {array.dtype} | {array.meaning} | {array.unit} |"
        for name, array in artifact.arrays.items()
    ]
    head = ["| array | dimensions | type | meaning | unit or range |", "| --- | --- | --- | --- | --- |"]
    return "\n" + "\n".join([*head, *rows]) + "\n" if rows else ""


def _table(first: str, meanings: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in meanings.items()]
    return "\n" + "\n".join([f"| {first} | meaning |", "| --- | --- |", *rows]) + "\n"


def _manifest_columns() -> dict[str, str]:
    _, _, section = (inspect.getdoc(Manifest) or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \w)", f"\n{section}"):
        names, _, meaning = entry.strip().partition(": ")
        text = " ".join(meaning.split()).replace("-1 where there is none", "null where there is none")
        found |= {name.strip("_"): text for name in names.split(", ") if name}
    return found


def _comments() -> dict[str, list[str]]:
    """The comment above each artifact: a paragraph for what it says, one for each version."""
    source = inspect.getsource(artifacts)
    lines = source.splitlines()
    found: dict[str, list[str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            above: list[str] = []
            for line in reversed(lines[: node.lineno - 1]):
                if not line.startswith("# "):
                    break
                above.insert(0, line.removeprefix("# "))
            text = " ".join(above)
            found[node.targets[0].id] = [part.strip() for part in re.split(r"(?=version \d+: )", text) if part.strip()]
    return {name: [_sentence(part) for part in parts] for name, parts in found.items()}


def _sentence(text: str) -> str:
    text = re.sub(r"pipeline\.core\.icon_styles", "`pipeline.core.icon_styles`", text)
    text = text if text.endswith(".") else f"{text}."
    return text[:1].upper() + text[1:]

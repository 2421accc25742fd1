"""The tables of ``settings.md``: each with its type, range, default and meaning, from schemas and ``conf/``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.generate.blocks import with_block
from pipeline.config.base import Device, Settings
from pipeline.config.cluster import Address, Inline, Local
from pipeline.config.explain import ExplainSettings
from pipeline.config.grid import GridSettings
from pipeline.config.images import ImagesSettings
from pipeline.config.model import ModelSettings, PreprocessingSettings, TrainingSettings
from pipeline.config.params import Params
from pipeline.config.patch import PatchSettings
from pipeline.config.place import PlaceSettings
from pipeline.config.predict import PredictSettings
from pipeline.config.prepare import PrepareSettings
from pipeline.config.reduce import ReduceSettings
from pipeline.config.render import RenderSettings
from pipeline.config.sample import SampleSettings
from pipeline.config.selection import SelectionSettings
from pipeline.config.site import BookmarkSettings, SiteSettings
from pipeline.config.synthesize import (
    AccentuationSettings,
    DeepDreamSettings,
    InversionSettings,
    PaintingSettings,
    RegionQuerySettings,
    StyleTransferSettings,
    SynthesizeSettings,
    TextureSettings,
)
from pipeline.config.tile import TileSettings
from pipeline.config.units import UnitsSettings

CONF = Path(__file__).parents[2] / "conf"
SHARED = ("seed", "layers", "classes", "comparisons", "judge")
COMPUTED = ("atlases", "compared", "placed", "unit_layers", "explained_layers", "syntheses")
RESOLVED = "fits the number of samples"


@dataclass(frozen=True)
class Group:
    """A section of the page.

    Attributes:
        prefix: of the settings' dotted names.
        title: the heading.
        schema: of the settings.
        folder: of its options in ``conf/``; none for a part of another group.
        default: the option whose values are the defaults; none where each option has its own.
    """

    prefix: str
    title: str
    schema: type[BaseModel]
    folder: str = ""
    default: str = ""


GROUPS: Sequence[Group] = (
    Group("images", "Image set", ImagesSettings, "images"),
    Group("model", "Network", ModelSettings, "model"),
    Group("model.preprocessing", "Preprocessing", PreprocessingSettings),
    Group("model.training", "Training", TrainingSettings),
    Group("prepare", "Checking images and network", PrepareSettings, "prepare", "default"),
    Group("sample", "Sampling", SampleSettings, "sample", "default"),
    Group("selection", "Samples of a class atlas", SelectionSettings, "selection", "default"),
    Group("reduce", "Layout", ReduceSettings, "reduce", "umap"),
    Group("grid", "Grid", GridSettings, "grid", "default"),
    Group("render", "Icons", RenderSettings, "render", "default"),
    Group("tile", "Tiles", TileSettings, "tile", "default"),
    Group("predict", "Test of attributions", PredictSettings, "predict", "default"),
    Group("patch", "Patch test", PatchSettings, "patch", "default"),
    Group("place", "Second image set", PlaceSettings, "place", "default"),
    Group("units", "Single units", UnitsSettings, "units", "default"),
    Group("explain", "Explanations", ExplainSettings, "explain", "default"),
    Group("synthesize", "Syntheses", SynthesizeSettings, "synthesize", "default"),
    Group("synthesize.deep_dream", "Syntheses: DeepDream", DeepDreamSettings),
    Group("synthesize.accentuation", "Syntheses: accentuation", AccentuationSettings),
    Group("synthesize.inversion", "Syntheses: feature inversion", InversionSettings),
    Group("synthesize.texture", "Syntheses: textures", TextureSettings),
    Group("synthesize.style_transfer", "Syntheses: style transfer", StyleTransferSettings),
    Group("synthesize.painting", "Syntheses: painting with the atlas", PaintingSettings),
    Group("synthesize.region_query", "Syntheses: query by region", RegionQuerySettings),
    Group("site", "Site", SiteSettings, "site", "default"),
    Group("site.bookmarks", "A bookmark", BookmarkSettings),
    Group("cluster", "Cluster: in this process", Inline, "cluster"),
    Group("cluster", "Cluster: workers on this machine", Local),
    Group("cluster", "Cluster: a running scheduler", Address),
)


def rewritten(text: str) -> str:
    """The page with today's settings."""
    return with_block(text, "settings", tables())


def tables() -> str:
    """All settings, a section for each group."""
    root = _yaml(CONF / "config.yaml")
    parts = ["## The whole run\n", _table(Params, "", SHARED, root), "\n", _experiments()]
    parts.append(
        f"\nComputed from these, and no settings of yours: {_listed(COMPUTED)}. `params.yaml` has their values.\n"
    )
    for group in GROUPS:
        parts.append(f"\n## {group.title}\n\n{_intro(group.schema)}\n")
        if group.folder:
            parts.append(_options(group))
        values = _yaml(CONF / group.folder / f"{group.default}.yaml") if group.default else {}
        parts.append(_table(group.schema, f"{group.prefix}.", tuple(group.schema.model_fields), values))
    return "".join(parts)


def _table(schema: type[BaseModel], prefix: str, names: Sequence[str], values: Mapping[str, Any]) -> str:
    """The settings of a schema, a row each.

    Args:
        schema: of the settings.
        prefix: of their dotted names.
        names: of the fields, in order.
        values: defaults of ``conf/``, which precede those of the schema.
    """
    meanings = attribute_meanings(schema)
    rows = ["", "| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name in names:
        field = schema.model_fields[name]
        key = f"`{prefix}{field.alias or name}`"
        rows.append(_row(key, type_text(field), _default(field, name, values), meanings[name]))
    return "\n".join(rows) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo, name: str, values: Mapping[str, Any]) -> str:
    if name in values:
        value = values[name]
        return RESOLVED if isinstance(value, str) and value.startswith("${") else _value(value)
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    return "see below" if isinstance(default, BaseModel) else _value(default)


def _value(value: Any) -> str:
    written = yaml.safe_dump(_plain(value), default_flow_style=True, width=1000).removesuffix("...\n").strip()
    return f"`{written}`"


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def type_text(field: FieldInfo) -> str:
    """The type of a setting and its range in words."""
    return _type(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)


def _type(kind: Any) -> str:  # noqa: PLR0911  # one line for each kind of type
    if kind == Device:
        return "`cpu`, `cuda`, `cuda:N` or `mps`"
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = _bounds(arguments[1:])
        return f"{_type(arguments[0])}{f', {bounds}' if bounds else ''}"
    if origin in (Union, UnionType):
        kinds = [_type(one) for one in arguments if one is not NoneType]
        kinds.sort(key=lambda text: text.startswith("list"))
        return f"{', or a '.join(kinds)}{', or null' if NoneType in arguments else ''}"
    if origin is Literal:
        return _listed(arguments, "or")
    if origin in (tuple, list):
        inner = [one for one in arguments if one is not Ellipsis]
        each = _type(inner[0])
        return f"list, each {each}" if Ellipsis in arguments or origin is list else f"{len(inner)} values, each {each}"
    if origin is dict:
        return "mapping" if arguments[1] is Any else f"mapping to: {_type(arguments[1])}"
    if isinstance(kind, type) and issubclass(kind, Settings):
        return "settings"
    return {int: "whole number", float: "number", str: "text", bool: "`true` or `false`"}[kind]


def _bounds(metadata: Sequence[Any]) -> str:
    words = []
    for one in (part for bound in metadata for part in (bound.metadata if isinstance(bound, FieldInfo) else [bound])):
        match one:
            case Ge(ge=least):
                words.append(f"at least {least}")
            case Gt(gt=below):
                words.append(f"above {below}")
            case Le(le=most):
                words.append(f"at most {most}")
            case Lt(lt=above):
                words.append(f"below {above}")
            case MinLen(min_length=1):
                words.append("not empty")
            case MaxLen(max_length=length):
                words.append(f"at most {length} long")
    return ", ".join(words)


def attribute_meanings(schema: type[BaseModel]) -> dict[str, str]:
    """The meaning of each attribute, from the section ``Attributes`` of a docstring."""
    _, _, section = (schema.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=        \w)", f"\n{section}"):
        names, _, meaning = entry.strip().partition(": ")
        for name in names.split(", "):
            found[name] = markdown(meaning)
    return found


def _intro(schema: type[BaseModel]) -> str:
    return markdown((schema.__doc__ or "").partition("Attributes:\n")[0])


def markdown(text: str) -> str:
    """A docstring's text as one line of Markdown."""
    line = " ".join(text.split()).replace("``", "`")
    line = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", line).replace("None ", "null ")
    return re.sub(r"(?<=\w)\^2", "²", line)


def _options(group: Group) -> str:
    """The files of a group of ``conf/``: what they are for, and their own settings."""
    paths = sorted((CONF / group.folder).glob("*.yaml"))
    if [path.stem for path in paths] == ["default"]:
        return ""
    lines = [f"\n`{group.prefix}=OPTION` chooses one of:\n"]
    for path in paths:
        lines.append(f"\n- `{path.stem}`{_note(path)}")
        lines += [f"  - {own}\n" for own in _own_settings(path)] if group.default == "" else []
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _note(path: Path) -> str:
    """What the comment at the top of a file says, without its examples of commands."""
    words = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith(("#   ", "# @package", "# atlas run")):
            words.append(line.removeprefix("#").strip())
    text = re.sub(r": *[^:.]*:$|:$|; see conf/.*$", ".", " ".join(words))  # examples followed the colon
    return f": {text}".removesuffix(".") + "." if words else ""


def _own_settings(path: Path) -> Iterator[str]:
    """The settings at the top level of an option that are arguments of its own class, with their comments."""
    known = {
        field.alias or name
        for group in GROUPS
        if group.prefix == path.parent.name
        for name, field in group.schema.model_fields.items()
    }
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.match(r"(\w+):(?: ([^#]*?))?(?: *# (.*))?$", line)
        if found and found[1] not in known:
            value = f" = `{found[2]}`" if found[2] and found[2] != "???" else ""
            yield f"`{path.parent.name}.{found[1]}`{value}{f': {found[3]}' if found[3] else ''}"


def _experiments() -> str:
    lines = ["\n`+experiment=NAME` takes a set of settings:\n"]
    lines += [f"\n- `{path.stem}`{_note(path)}" for path in sorted((CONF / "experiment").glob("*.yaml"))]
    return "".join(lines) + "\n"


def _listed(names: Sequence[object], last: str = "and") -> str:
    shown = [f"`{name}`" for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def _yaml(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found

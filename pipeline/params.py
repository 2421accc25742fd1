"""The whole configuration of a run, typed: one section for each stage, and what several stages share."""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field, ValidationError, field_validator
from yaml import YAMLError

from pipeline.core.atlas_names import ATLAS_PATTERN
from pipeline.core.errors import ConfigError
from pipeline.core.escaping import escape_control_chars
from pipeline.core.settings import Settings
from pipeline.grid.config import GridSettings
from pipeline.images.config import ImagesSettings
from pipeline.model.config import ModelSettings
from pipeline.patch.config import PatchSettings
from pipeline.place.config import PlaceSettings
from pipeline.predict.config import PredictSettings
from pipeline.prepare.config import PrepareSettings
from pipeline.reduce.config import ReduceSettings
from pipeline.render.config import RenderSettings
from pipeline.sample.config import SampleSettings
from pipeline.selection import SelectionSettings
from pipeline.site.config import SiteSettings
from pipeline.tile.config import TileSettings

LONGEST = 300  # letters of a value that a message shows
Layer = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$")]
Atlas = Annotated[str, Field(pattern=ATLAS_PATTERN)]
ClassName = str | Annotated[int, Field(ge=0)]


class Params(Settings):
    """Everything that ``params.yaml`` holds.

    Attributes:
        seed: every random choice of the run follows from it.
        layers: dotted module paths; the last one is the reference that the other layouts are turned to.
        classes: those that get an atlas of their own, by name or number.
        comparisons: pairs of classes that get an atlas between them; the first lies on the left.
        atlases: all atlases by their names, as resolved from ``classes`` and ``comparisons``; ``all`` comes first.
        compared: those of them that are comparisons.
        placed: layers at which a second image set is placed on the layout; none without one.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]
    classes: tuple[ClassName, ...] = ()
    comparisons: tuple[tuple[ClassName, ClassName], ...] = ()
    atlases: Annotated[tuple[Atlas, ...], Field(min_length=1)]
    compared: tuple[Atlas, ...] = ()
    placed: tuple[Layer, ...] = ()
    images: ImagesSettings
    model: ModelSettings
    prepare: PrepareSettings
    sample: SampleSettings
    selection: SelectionSettings = SelectionSettings()
    reduce: ReduceSettings
    grid: GridSettings
    render: RenderSettings
    tile: TileSettings
    predict: PredictSettings = PredictSettings()
    patch: PatchSettings = PatchSettings()
    place: PlaceSettings = PlaceSettings()
    site: SiteSettings

    @field_validator("atlases")
    @classmethod
    def _whole_first(cls, atlases: tuple[str, ...]) -> tuple[str, ...]:
        if atlases[0] != "all" or len(set(atlases)) < len(atlases):
            raise ValueError("the atlas of all samples comes first, and each once, as in all, class-3")
        return atlases


def load_params(path: Path) -> Params:
    """Read and check ``params.yaml``.

    Raises:
        ConfigError: it is missing, no YAML, or a value in it is not allowed.
    """
    try:
        loaded = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: expected the composed configuration, found nothing; start with 'atlas run'"
        ) from None
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        raise ConfigError(
            f"{path}: expected YAML, found: {_one_line(error)}; compose it anew with 'atlas run'"
        ) from None
    return parse_params(loaded)


def parse_params(values: Any) -> Params:
    """Check a composed configuration.

    Raises:
        ConfigError: names the first offending key, what was expected and found, and near names for an unknown one.
    """
    for where, text in _texts(values):
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ConfigError(
                f"{where}: expected UTF-8, found {escape_control_chars(text)}; give a path or name that is text"
            )
    try:
        return Params.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = _short(escape_control_chars(".".join(str(part) for part in first["loc"]))) or "configuration"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), _keys(first["loc"][:-1]), n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(_keys(first['loc'][:-1]))}"
        return f"{where}: unknown setting; {hint}"
    if first["type"] == "missing":
        return f"{where}: expected a value, found none; set it in conf/ or on the command line"
    return f"{where}: {_lower(first['msg'])}, found {_short(repr(first['input']))}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _texts(values: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the configuration, keys included, with the setting it belongs to."""
    if isinstance(values, str):
        yield escape_control_chars(where) or "configuration", values
    elif isinstance(values, dict):
        for key, value in values.items():
            yield escape_control_chars(where) or "configuration", str(key)
            yield from _texts(value, f"{where}.{key}".removeprefix("."))
    elif isinstance(values, list):
        for value in values:
            yield from _texts(value, where)


def _keys(location: tuple[int | str, ...]) -> list[str]:
    model: type[Settings] = Params
    for part in (part for part in location if isinstance(part, str)):
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        within = (annotation, *get_args(annotation))  # of a list of sections, its elements
        found = next((kind for kind in within if isinstance(kind, type) and issubclass(kind, Settings)), None)
        if found is None:
            return []
        model = found
    return [field.alias or name for name, field in model.model_fields.items()]


def _lower(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

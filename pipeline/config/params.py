"""The schema of ``params.yaml``: one section per stage, and the settings that several stages share."""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import AfterValidator, Field, PrivateAttr, ValidationError, field_validator
from yaml import YAMLError

from pipeline.config.base import Settings
from pipeline.config.environment import resolve_places, without_references
from pipeline.config.explain import ExplainSettings
from pipeline.config.grid import GridSettings
from pipeline.config.images import ImagesSettings
from pipeline.config.model import ModelSettings
from pipeline.config.patch import PatchSettings
from pipeline.config.place import PlaceSettings
from pipeline.config.predict import PredictSettings
from pipeline.config.prepare import PrepareSettings
from pipeline.config.reduce import ReduceSettings
from pipeline.config.renamed import renamed_setting, renamed_value
from pipeline.config.render import RenderSettings
from pipeline.config.sample import SampleSettings
from pipeline.config.selection import SelectionSettings
from pipeline.config.site import SiteSettings
from pipeline.config.synthesize import MethodName, SynthesizeSettings
from pipeline.config.tile import TileSettings
from pipeline.config.units import UnitsSettings
from pipeline.core.atlas_names import ATLAS_PATTERN
from pipeline.core.errors import ConfigError, escape_control_chars
from pipeline.core.layer_names import LOGITS, check_layer_name
from pipeline.core.secrets import find_secrets

MAX_SHOWN = 300  # characters of a value that a message shows
Layer = Annotated[str, AfterValidator(check_layer_name)]
Atlas = Annotated[str, Field(pattern=ATLAS_PATTERN)]
ClassName = str | Annotated[int, Field(ge=0)]


class Params(Settings):
    """The content of ``params.yaml``.

    Attributes:
        seed: of every random number in the run.
        layers: dotted module paths, with the number of the call where a module is called several times (``path:1`` is
            the second call); the layouts of the others are aligned to that of the last one.
        classes: classes that get an atlas of their own, by name or index.
        comparisons: pairs of classes that get an atlas; the first class is on the left.
        atlases: names of all atlases, resolved from ``classes`` and ``comparisons``; ``all`` comes first.
        compared: the names among them that are comparisons.
        placed: layers at which a second image set is placed on the layout; empty without a second image set.
        unit_layers: layers of which single units are described; resolved from ``units.channels``.
        explained_layers: ``logits`` and the layers whose outputs are explained; resolved from ``explain.images`` and
            ``explain.units``.
        syntheses: methods by which pictures are synthesized; those of ``synthesize.methods``.
        judge: a network with known weights that did not render the icons and says whether they are legible; null for
            none.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]
    classes: tuple[ClassName, ...] = ()
    comparisons: tuple[tuple[ClassName, ClassName], ...] = ()
    atlases: Annotated[tuple[Atlas, ...], Field(min_length=1)]
    compared: tuple[Atlas, ...] = ()
    placed: tuple[Layer, ...] = ()
    unit_layers: tuple[Layer, ...] = ()
    explained_layers: tuple[Layer, ...] = ()
    syntheses: tuple[MethodName, ...] = ()
    images: ImagesSettings
    model: ModelSettings
    judge: ModelSettings | None = None
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
    units: UnitsSettings = UnitsSettings()
    explain: ExplainSettings = ExplainSettings()
    synthesize: SynthesizeSettings = SynthesizeSettings()
    site: SiteSettings

    _as_written: "Params | None" = PrivateAttr(default=None)

    @property
    def as_written(self) -> "Params":
        """The same with references to environment variables in place of their values: what may be stored."""
        return self._as_written or self

    @field_validator("atlases")
    @classmethod
    def _all_first(cls, atlases: tuple[str, ...]) -> tuple[str, ...]:
        if atlases[0] != "all" or len(set(atlases)) < len(atlases):
            raise ValueError("all comes first and no name occurs twice, as in all, class-3")
        return atlases


def load_params(path: Path) -> Params:
    """Read and validate ``params.yaml``.

    Raises:
        ConfigError: it is missing, is not YAML, or holds an invalid value.
    """
    try:
        loaded = OmegaConf.to_container(OmegaConf.load(path))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: expected the composed configuration, found nothing; start with 'atlas run'"
        ) from None
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        raise ConfigError(
            f"{path}: expected YAML, found: {_one_line(error)}; compose it again with 'atlas run'"
        ) from None
    return parse_params(loaded)


def parse_params(values: Any) -> Params:
    """Validate a composed configuration, and resolve its references to environment variables.

    Raises:
        ConfigError: names the first offending key, what was expected and found, and similar names for an unknown one;
            an old name of a setting is answered with the new one. A secret is refused, since ``params.yaml`` would
            hold it.
    """
    for where, text in _texts(values):
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ConfigError(
                f"{where}: expected UTF-8, found {escape_control_chars(text)}; give a path or name that is text"
            )
    for where in find_secrets(without_references(values)):
        raise ConfigError(
            f"{escape_control_chars(where)}: expected a reference to an environment variable, found a secret, which "
            f"params.yaml and Git would keep; put it into a variable NAME and give '{escape_control_chars(where)}="
            "${oc.env:NAME}', or the same within a longer text"
        )
    params = written = _validated(values)
    if (resolved := resolve_places(values)) != values:
        params = _validated(resolved)
        params._as_written = written  # noqa: SLF001  # a private value cannot be given to the validation
    _check_sheets(params)
    levels, large = sorted({*params.grid.levels, *params.grid.class_levels}), params.render.large_level
    if large is not None and large not in levels:
        raise ConfigError(
            f"render.large_level: expected one of grid.levels and grid.class_levels, {', '.join(map(str, levels))}, or "
            f"null, found {large}"
        )
    return params


def _check_sheets(params: Params) -> None:
    """Raise ConfigError unless the sheets of units have what they compare."""
    prepare, units = params.prepare, params.units
    if prepare.checkpoint_every is not None and params.model.weights != "train":
        raise ConfigError(
            "prepare.checkpoint_every: expected a network that is trained here, found model.weights="
            f"{params.model.weights}; give the files of its checkpoints as prepare.checkpoints"
        )
    epochs = params.model.training.epochs
    if prepare.checkpoint_every is not None and prepare.checkpoint_every >= epochs:
        raise ConfigError(
            f"prepare.checkpoint_every: expected fewer than the {epochs} epochs of model.training.epochs, found "
            f"{prepare.checkpoint_every}; the network after the last one is the run's own"
        )
    if not units.channels:
        return
    if "training" in units.sheets and not (prepare.checkpoints or prepare.checkpoint_every):
        raise ConfigError(
            "units.sheets: expected checkpoints for the sheet training, found none; set prepare.checkpoint_every, or "
            "prepare.checkpoints to files of weights"
        )
    if "layers" in units.sheets and LOGITS not in units.channels:
        raise ConfigError(
            "units.sheets: expected classes for the sheet layers, found no logits in units.channels; add them, as in "
            "+units.channels={logits: 4}"
        )


def _validated(values: Any) -> Params:
    try:
        return Params.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    found = error.errors(include_url=False)
    for one in found:
        key = ".".join(str(part) for part in one["loc"])
        renamed = renamed_setting(key) or renamed_value(key, one["input"])
        if renamed:
            return renamed
    first = found[0]
    where = _short(escape_control_chars(".".join(str(part) for part in first["loc"]))) or "configuration"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), _keys(first["loc"][:-1]), n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(_keys(first['loc'][:-1]))}"
        return f"{where}: unknown setting; {hint}"
    if first["type"] == "missing":
        return f"{where}: expected a value, found none; set it in conf/ or on the command line"
    return f"{where}: {_lower(first['msg'])}, found {_short(repr(first['input']))}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]} ..."


def _texts(values: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every string of the configuration, keys included, with the setting it belongs to."""
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

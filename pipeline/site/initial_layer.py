"""The layer that the page opens on, where its URL names none."""

from collections.abc import Iterable, Mapping, Sequence

from pipeline.config.params import Params
from pipeline.core import artifacts as a
from pipeline.core.errors import ConfigError, escape_control_chars
from pipeline.core.grid_levels import icon_level, level_sizes
from pipeline.core.zarr_store import open_artifact
from pipeline.stages import Task

Shares = Mapping[int, float]


def check_initial_layer(params: Params) -> None:
    """Raise ConfigError if ``site.initial_layer`` is no layer of the run."""
    wanted = params.site.initial_layer
    if wanted is not None and wanted not in params.layers:
        raise ConfigError(
            f"site.initial_layer: expected one of the run's layers, found {escape_control_chars(wanted)}; choose from "
            f"{', '.join(params.layers)}, or null"
        )


def initial_layer(task: Task, network_layers: Iterable[str]) -> str:
    """The layer of ``site.initial_layer``, else the most legible one, else the deepest.

    Args:
        task: of the stage.
        network_layers: every layer of the network, in the order of its modules.

    Raises:
        ConfigError: the configured layer is none of the run.
    """
    check_initial_layer(task.params)
    names = deepest_last(task.params.layers, network_layers)
    return task.params.site.initial_layer or most_legible(
        {name: _recognized_shares(task, name) for name in names}, default=names[-1]
    )


def deepest_last(names: Sequence[str], network_layers: Iterable[str]) -> list[str]:
    """The layers ``names`` in the order of the network's modules; any that it does not list come first."""
    place = {name: number for number, name in enumerate(network_layers)}
    return sorted(names, key=lambda name: place.get(name, -1))


def most_legible(recognized: Mapping[str, Shares], default: str) -> str:
    """The layer with the largest share of recognized icons at the finest level that was judged at every layer.

    Args:
        recognized: by layer, from the first to the last, and by the level's cells per side: share of the icons, 0..1.
        default: the layer where no level was judged at every layer.

    Returns:
        The name of the layer; of equal ones, the last.
    """
    common = set.intersection(*(set(shares) for shares in recognized.values()))
    if not common:
        return default
    return max(reversed(list(recognized)), key=lambda name: recognized[name][max(common)])


def _recognized_shares(task: Task, layer: str) -> dict[int, float]:
    """By level of the layer's atlas of all samples: the share of icons that the judge recognized, where known."""
    icons = open_artifact(a.ICONS, task.path(a.ICONS, layer, "all"))
    shares = {size: icon_level(icons, size).recognized for size in level_sizes(icons)}
    return {size: share for size, share in shares.items() if share is not None}

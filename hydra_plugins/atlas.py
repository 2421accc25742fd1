"""What Hydra needs for ``conf/``: the ``${...}`` resolvers, and the groups that the package brings.

Hydra, and DVC with it, imports every module of ``hydra_plugins``; so ``atlas run`` and ``dvc exp run`` compose alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, ListConfig, OmegaConf

from pipeline.core.files import expand_user
from pipeline.project import runs_installed_package, shipped

_merging = ContextVar("_merging", default=False)


@contextmanager
def merging() -> Iterator[None]:
    """While Hydra merges configurations, no image set is opened for ``grid.levels`` and ``grid.min_count``.

    OmegaConf evaluates a value that a list replaces, and then throws it away; any value will do.
    """
    before = _merging.set(True)
    try:
        yield
    finally:
        _merging.reset(before)


class PackageGroups(SearchPathPlugin):
    """Appends the package's ``conf/`` to the search path of a project, whose own ``conf/`` comes first."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Leave everything but projects made by ``atlas init`` as it is: other programs use Hydra too."""
        for element in list(search_path.get_path()):
            conf = Path(element.path.removeprefix("file://"))
            if element.provider == "main" and runs_installed_package(conf.parent):
                search_path.append("activation-atlas", f"file://{shipped() / 'conf'}")


def _fingerprint(root: str) -> str:
    from pipeline.images.image_folder import folder_fingerprint  # noqa: PLC0415  # loads Pillow, which is slow

    return folder_fingerprint(expand_user(str(root)))


def _atlases(*, _root_: DictConfig) -> ListConfig:
    """The names of all atlases: ``all``, then those of ``classes`` and ``comparisons``."""
    if not (_root_.classes or _root_.comparisons):
        return ListConfig(["all"])
    from pipeline.class_names import atlas_names  # noqa: PLC0415  # loads torch, which most runs of `dvc` need not

    return ListConfig(
        atlas_names(**{key: _plain(_root_[key]) for key in ("classes", "comparisons", "images", "model")})
    )


def _levels(*, _root_: DictConfig) -> ListConfig:
    """The grid levels that fit the number of samples; the usual ones where that is not known."""
    from pipeline.fitting_levels import USUAL, fitting_levels  # noqa: PLC0415  # loads Pillow, which is slow

    samples, least = _samples(_root_), _root_.grid.min_count
    if samples is None or not isinstance(least, int) or least < 1:
        return ListConfig(list(USUAL.levels))
    return ListConfig(list(fitting_levels(samples, least)))


def _min_count(*, _root_: DictConfig) -> int:
    """The number of samples that a cell needs to be drawn, as it fits the number of samples."""
    from pipeline.fitting_levels import USUAL, fitting_min_count  # noqa: PLC0415  # loads Pillow, which is slow

    samples = _samples(_root_)
    return USUAL.min_count if samples is None else fitting_min_count(samples)


def _samples(root: DictConfig) -> int | None:
    if _merging.get():
        return None
    from pipeline.fitting_levels import configured_samples  # noqa: PLC0415  # loads Pillow, which is slow

    limit, places = (OmegaConf.select(root, key) for key in ("prepare.limit", "sample.positions_per_image"))
    return configured_samples(_plain(root.images), limit, places)


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _compared(atlases: ListConfig) -> ListConfig:
    return ListConfig([atlas for atlas in atlases if atlas.startswith("compare-")])


def _placed(images: Any, layers: ListConfig) -> ListConfig:
    return ListConfig(list(layers) if images else [])


def _unit_layers(channels: DictConfig) -> ListConfig:
    return ListConfig([str(layer) for layer in channels])


def _explained_layers(images: Any, units: DictConfig) -> ListConfig:
    return ListConfig(["logits", *(str(layer) for layer in units)] if images else [])


OmegaConf.register_new_resolver("fingerprint", _fingerprint, replace=True)
OmegaConf.register_new_resolver("atlases", _atlases, replace=True)
OmegaConf.register_new_resolver("levels", _levels, replace=True)
OmegaConf.register_new_resolver("min_count", _min_count, replace=True)
OmegaConf.register_new_resolver("compared", _compared, replace=True)
OmegaConf.register_new_resolver("placed", _placed, replace=True)
OmegaConf.register_new_resolver("unit_layers", _unit_layers, replace=True)
OmegaConf.register_new_resolver("explained_layers", _explained_layers, replace=True)

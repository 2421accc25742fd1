"""What ``conf/`` may ask for by ``${...}``, in ``atlas run`` and ``dvc exp run`` alike: Hydra finds this file."""

from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from pipeline.core.home import expanded


def _fingerprint(root: str) -> str:
    from pipeline.images.image_folder import folder_fingerprint  # noqa: PLC0415  # loads Pillow, see below

    return folder_fingerprint(expanded(str(root)))


def _atlases(*, _root_: DictConfig) -> ListConfig:
    """The names of all atlases: ``all``, then those that ``classes`` and ``comparisons`` ask for."""
    if not (_root_.classes or _root_.comparisons):
        return ListConfig(["all"])
    from pipeline.class_names import atlas_names  # noqa: PLC0415  # loads torch, which most runs of `dvc` need not

    return ListConfig(
        atlas_names(**{key: _plain(_root_[key]) for key in ("classes", "comparisons", "images", "model")})
    )


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _compared(atlases: ListConfig) -> ListConfig:
    return ListConfig([atlas for atlas in atlases if atlas.startswith("compare-")])


def _placed(images: Any, layers: ListConfig) -> ListConfig:
    return ListConfig(list(layers) if images else [])


OmegaConf.register_new_resolver("fingerprint", _fingerprint, replace=True)
OmegaConf.register_new_resolver("atlases", _atlases, replace=True)
OmegaConf.register_new_resolver("compared", _compared, replace=True)
OmegaConf.register_new_resolver("placed", _placed, replace=True)

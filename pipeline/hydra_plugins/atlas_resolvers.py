"""What ``conf/`` may ask for by ``${...}``, in ``atlas run`` and ``dvc exp run`` alike: Hydra finds this file."""

from pathlib import Path

from omegaconf import OmegaConf

from pipeline.images.fingerprint import folder_fingerprint

OmegaConf.register_new_resolver("fingerprint", lambda root: folder_fingerprint(Path(root).expanduser()), replace=True)

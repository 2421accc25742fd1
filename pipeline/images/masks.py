"""Masks of an image set: where annotated concepts are in its images.

An image set that has masks says so by a method ``masks``, see :class:`pipeline.images.image_set.ImageSet`.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.config.model import PreprocessingSettings
from pipeline.core.errors import DataError
from pipeline.images.crops import network_crop
from pipeline.images.image_set import ImageSet
from pipeline.images.manifest import Manifest

Mask = NDArray[np.bool_]
Masks = Mapping[str, Mask]


def masks_of(images: ImageSet, manifest: Manifest) -> Callable[[int], Masks] | None:
    """A function that gives the masks of the image in a row, [y, x] by concept; None where the image set has none.

    The function raises DataError where the image set's own method fails, or gives something else than masks of the
    image.

    Args:
        images: the image set.
        manifest: list of its images.
    """
    find = getattr(images, "masks", None)
    if not callable(find):
        return None

    def checked(row: int) -> Masks:
        key, size = manifest.key[row], (int(manifest.height[row]), int(manifest.width[row]))
        try:
            masks = {str(name): np.asarray(mask) for name, mask in find(key).items()}
        except Exception as error:  # whatever a user's code raises
            reason = f"{type(error).__name__}: {error}"
            raise DataError(
                f"images: expected masks of {key} by concept, found {reason}; mend the method masks of the image set"
            ) from error
        for name, mask in masks.items():
            if mask.shape != size or mask.dtype != bool:
                raise DataError(
                    f"images: expected masks of {key} as bool {size[0]} x {size[1]}, found {name!r} as {mask.dtype} "
                    f"{' x '.join(map(str, mask.shape))}; mend the method masks of the image set"
                )
        return masks

    return checked


def crop_mask(mask: Mask, preprocessing: PreprocessingSettings) -> Mask:
    """The part of a mask that the network sees, [crop, crop]; a pixel counts where more than half of it is covered.

    Args:
        mask: of the upright image, [y, x].
        preprocessing: of the network.
    """
    seen: Mask = np.asarray(network_crop(Image.fromarray(mask.astype(np.uint8) * 255), preprocessing)) > 127
    return seen

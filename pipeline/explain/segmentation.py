"""The object in an image by GrabCut, seeded by a saliency map (Simonyan et al. 2014, section 3.2).

It comes from OpenCV, the extra ``segmentation``.
"""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

FOREGROUND, BACKGROUND = 0.95, 0.30  # quantiles of the saliency: above the one and below the other the seeds lie
ITERATIONS = 5
SEED = 0  # of the clusters of colors


def is_installed() -> bool:
    """Whether OpenCV is there."""
    return find_spec("cv2") is not None


def grab_cut(pixels: NDArray[np.uint8], saliency: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Where the object is, bool [y, x]; nowhere where the saliency has no highest or no lowest places.

    Args:
        pixels: RGB [y, x, 3].
        saliency: not negative, [y, x].
    """
    import cv2  # noqa: PLC0415  # an extra

    foreground = saliency > np.quantile(saliency, FOREGROUND)
    background = saliency < np.quantile(saliency, BACKGROUND)
    if not foreground.any() or not background.any():
        return np.zeros(saliency.shape, bool)
    mask = np.full(saliency.shape, cv2.GC_PR_BGD, np.uint8)
    mask[foreground], mask[background] = cv2.GC_FGD, cv2.GC_BGD
    cv2.setRNGSeed(SEED)  # of each call: the generator is one for the whole process
    blue_first, models = np.ascontiguousarray(pixels[..., ::-1]), (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.grabCut(blue_first, mask, (0, 0, 1, 1), *models, ITERATIONS, cv2.GC_INIT_WITH_MASK)  # the mask counts
    return np.asarray((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))

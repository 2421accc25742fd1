"""Settings of the stage ``reduce``."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config.base import Device, Settings

Metric = Literal["cosine", "euclidean"]


def _renamed_engine(engine: object) -> object:
    if engine == "own":
        raise ValueError("expected builtin, the new name of own, or umap_learn or torchdr")
    return engine


Engine = Annotated[Literal["builtin", "umap_learn", "torchdr"], BeforeValidator(_renamed_engine)]


class ReduceSettings(Settings):
    """How the layout is made.

    Attributes:
        method: ``umap``, ``tsne`` or ``pca``.
        engine: the implementation of the method. ``builtin``: the project's own UMAP, and t-SNE by openTSNE;
            ``umap_learn``: UMAP by umap-learn, the reference, seeded and on one thread; ``torchdr``: UMAP and t-SNE by
            TorchDR, an optional extra. PCA is always built in.
        device: of TorchDR.
        metric: distance between activations.
        components: principal components of the space that neighbors are searched in; null keeps all channels, and needs
            memory for all activations at once.
        fit_samples: of more distinct activations, this many landmarks drawn at random are laid out, and the others are
            placed by their nearest landmarks; null lays out all. The built-in UMAP refines the placed samples;
            ``umap_learn``, ``torchdr`` and t-SNE place them at the weighted mean of their landmarks.
        neighbors: UMAP's ``n_neighbors``.
        min_dist: UMAP's ``min_dist``.
        negative_sample_rate: UMAP's ``negative_sample_rate``; larger values take time, separate what differs and
            preserve neighborhoods better.
        epochs: UMAP's ``n_epochs``; null lets it choose.
        perplexity: of t-SNE.
        iterations: of t-SNE, after its early exaggeration.
        exact_points: neighbors are exact among up to this many distinct points, and approximate among more.
        percentile: share of points (percent) outside the frame on each side of each axis, before the margin.
        margin: empty frame on each side, as a share of the span between the percentiles.
        equalization: how far the layout is moved towards a uniform density; 0 leaves it as it is, 1 goes all the way.
        quality_points: points that the quality of the layout is measured on.
    """

    method: Literal["umap", "tsne", "pca"] = "umap"
    engine: Engine = "builtin"
    device: Device = "cpu"
    metric: Metric = "cosine"
    components: Annotated[int, Field(ge=2)] | None = 100
    fit_samples: Annotated[int, Field(ge=10)] | None = 50_000
    neighbors: Annotated[int, Field(ge=2)] = 20
    min_dist: Annotated[float, Field(ge=0, lt=1)] = 0.01
    negative_sample_rate: Annotated[int, Field(ge=1)] = 15
    epochs: Annotated[int, Field(ge=1)] | None = None
    perplexity: Annotated[float, Field(ge=2)] = 50.0
    iterations: Annotated[int, Field(ge=1)] = 500
    exact_points: Annotated[int, Field(ge=2)] = 30_000
    percentile: Annotated[float, Field(ge=0, lt=50)] = 1.0
    margin: Annotated[float, Field(ge=0, le=1)] = 0.1
    equalization: Annotated[float, Field(ge=0, le=1)] = 0.6
    quality_points: Annotated[int, Field(ge=10)] = 5000

    @model_validator(mode="after")
    def _method_of_engine(self) -> Self:
        if self.engine == "umap_learn" and self.method == "tsne":
            raise ValueError(
                "engine: expected builtin or torchdr for method tsne, found umap_learn, which has UMAP only"
            )
        return self

    @model_validator(mode="after")
    def _enough_landmarks(self) -> Self:
        if self.fit_samples is not None and self.fit_samples < self.needed_points:
            needed = f"{self.needed_points} for {self.method}"
            raise ValueError(f"fit_samples: expected at least {needed}, found {self.fit_samples}")
        return self

    @property
    def needed_points(self) -> int:
        """The least number of distinct points that the method can lay out."""
        if self.method == "umap":
            return self.neighbors + 1
        return int(3 * self.perplexity) + 1 if self.method == "tsne" else 3

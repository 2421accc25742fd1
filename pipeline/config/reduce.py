"""Settings of the stage ``reduce``."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Device, Settings

Metric = Literal["cosine", "euclidean"]
Neighbours = Annotated[int, Field(ge=2)]


class ReduceSettings(Settings):
    """How the layout is made.

    Attributes:
        method: ``umap``, ``tsne`` (openTSNE) or ``pca``.
        engine: ``own``, or ``torchdr`` for UMAP and t-SNE by TorchDR, an optional extra.
        device: of TorchDR.
        metric: distance between activations.
        components: principal components that neighbours are searched in; null keeps all channels, and needs memory
            for all activations at once.
        fit_samples: of more distinct activations, so many drawn at random are laid out, and the others are placed by
            their neighbours among them; null lays out all.
        neighbours: UMAP's ``n_neighbors``.
        min_dist: UMAP's ``min_dist``.
        negatives: UMAP's ``negative_sample_rate``; more of them cost time, pull apart what differs and keep neighbours.
        epochs: UMAP's ``n_epochs``; null lets it choose.
        perplexity: t-SNE's.
        iterations: t-SNE's, after its early exaggeration.
        exact_points: neighbours are exact among up to this many distinct points, and approximate among more.
        percentile: share of points (percent) left outside the frame on each side of each axis before the margin.
        margin: empty frame on each side, as a share of the span between the percentiles.
        evenness: how far the layout is spread towards filling the square; 0 leaves it as it is, 1 goes all the way.
        metric_points: points that the quality of the layout is measured on.
    """

    method: Literal["umap", "tsne", "pca"] = "umap"
    engine: Literal["own", "torchdr"] = "own"
    device: Device = "cpu"
    metric: Metric = "cosine"
    components: Annotated[int, Field(ge=2)] | None = 100
    fit_samples: Annotated[int, Field(ge=10)] | None = 50_000
    neighbours: Neighbours = 20
    min_dist: Annotated[float, Field(ge=0, lt=1)] = 0.01
    negatives: Annotated[int, Field(ge=1)] = 15
    epochs: Annotated[int, Field(ge=1)] | None = None
    perplexity: Annotated[float, Field(ge=2)] = 50.0
    iterations: Annotated[int, Field(ge=1)] = 500
    exact_points: Annotated[int, Field(ge=2)] = 30_000
    percentile: Annotated[float, Field(ge=0, lt=50)] = 1.0
    margin: Annotated[float, Field(ge=0, le=1)] = 0.1
    evenness: Annotated[float, Field(ge=0, le=1)] = 0.6
    metric_points: Annotated[int, Field(ge=10)] = 5000

    @model_validator(mode="after")
    def _landmarks_suffice(self) -> Self:
        if self.fit_samples is not None and self.fit_samples < self.needed_points:
            needed = f"{self.needed_points} for {self.method}"
            raise ValueError(f"fit_samples: expected at least {needed}, found {self.fit_samples}")
        return self

    @property
    def needed_points(self) -> int:
        """Distinct points without which the method cannot run."""
        if self.method == "umap":
            return self.neighbours + 1
        return int(3 * self.perplexity) + 1 if self.method == "tsne" else 3

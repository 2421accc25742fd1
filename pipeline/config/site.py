"""Settings of the stage ``site``."""

from typing import Annotated, Any

from pydantic import Field

from pipeline.config.base import Settings


class BookmarkSettings(Settings):
    """A bookmark: a named view of the page.

    Attributes:
        title: in the list, and on the card of the tour.
        text: description.
        link: the part of the page's URL after ``#``, or its parts as fields: ``{layer: mixed4a, class: fireboat,
            pin: [20, 3, 4]}``; see :mod:`pipeline.site.bookmarks`.
    """

    title: Annotated[str, Field(min_length=1, max_length=60)]
    text: Annotated[str, Field(max_length=600)] = ""
    link: str | dict[str, Any] = ""


class SiteSettings(Settings):
    """Content of the page.

    Attributes:
        title: heading of the page.
        exemplars: exemplars shown for a cell; 0 keeps all of your images out of the site.
        image_size: longest side of the stored exemplar images, pixels.
        png_from_disk: store tiles as scripts too, about as many bytes again, so that a page opened from disk can save
            selections as PNG; from a web server it can anyway.
        top_classes: classes listed for a cell.
        heat_level: finest grid level whose cells have class attributions of their own on the page; cells of finer
            levels show those of the enclosing cell.
        channel_level: finest grid level whose cells have mean activations of every channel of their own on the page;
            cells of finer levels show those of the enclosing cell.
        initial_layer: the layer that the page opens on where its URL names none; null takes the one whose icons are
            most legible if all layers have a judged level in common, else the deepest.
        bookmarks: the page's list of bookmarks, and the stops of its tour, in this order; if empty, the tour is made
            from the run's statistics.
    """

    title: str = "Activation Atlas"
    exemplars: Annotated[int, Field(ge=0, le=64)] = 9
    image_size: Annotated[int, Field(ge=16)] = 256
    png_from_disk: bool = True
    top_classes: Annotated[int, Field(ge=1, le=20)] = 5
    heat_level: Annotated[int, Field(ge=1)] = 80
    channel_level: Annotated[int, Field(ge=1)] = 40
    initial_layer: str | None = None
    bookmarks: Annotated[tuple[BookmarkSettings, ...], Field(max_length=99)] = ()  # two digits in the URL

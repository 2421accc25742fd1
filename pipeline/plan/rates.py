"""All rates of a plan: those that are given as they are given, the others measured here."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from math import prod

import psutil

from pipeline.check import check_device
from pipeline.images.image_set import Entry, ImageSet
from pipeline.model.network import Network
from pipeline.params import Params
from pipeline.plan import measure
from pipeline.plan.given import Given, Rates
from pipeline.plan.memory import pass_bytes
from pipeline.plan.stopwatch import seconds_each
from pipeline.plan.subject import Subject


def measured(params: Params, seen: Subject, images: ImageSet, entries: Sequence[Entry], given: Given) -> Rates:
    """How fast this machine works; takes some seconds.

    Raises:
        ConfigError: a stage wants a device that is not here, and its rate is not given.
        DataError: the network's activations are not finite.
        ImageError: an image cannot be decoded.
    """
    network = seen.network
    decoding = measure.Decoding(images, entries, params, network)
    inputs = decoding.inputs(min(params.sample.batch_size, measure.LARGEST))
    if given.icons:  # then the memory of an icon is measured where there is some
        params = params.model_copy(update={"render": params.render.model_copy(update={"device": "cpu"})})
    check_device("render", params.render.device)
    drawn = _on(network, params.render.device)
    if given.images:
        passed = given.images
    else:
        check_device("sample", params.sample.device)
        passed = 1 / measure.sample_seconds(_on(network, params.sample.device), params, inputs)
    return Rates(
        decoded=1 / seconds_each(decoding.inputs, measure.LARGEST),
        listed=1 / seconds_each(decoding.list_all, measure.LARGEST),
        evaluated=1 / measure.evaluate_seconds(network, inputs),
        passed=passed,
        summed=measure.summed_numbers(),
        encoded=measure.encoded_pixels(params.tile.format, params.tile.quality),
        drawing={layer: measure.drawing(drawn, layer, params, not given.icons) for layer in network.layers},
        memory=psutil.Process().memory_info().rss,
        pass_bytes=_pass_bytes(params, seen),
        given=given,
    )


def _on(network: Network, device: str) -> Network:
    """The network on another device; the one that is given stays where it is."""
    return network if device == "cpu" else replace(network, module=deepcopy(network.module).to(device))


def _pass_bytes(params: Params, seen: Subject) -> int:
    names = list(seen.forms)
    numbers = [prod((form.channels, form.height, form.width)) for form in seen.forms.values()]
    first = min(names.index(layer) for layer in params.layers)
    return pass_bytes(numbers, first, params.sample.batch_size, params.sample.attribution)

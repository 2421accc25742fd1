"""A network ready to be looked into."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

from torch import nn

from pipeline.model.config import PreprocessingSettings
from pipeline.model.layers import LayerShape


@dataclass(frozen=True)
class Network:
    """A frozen network in evaluation mode, and what is known about it.

    Attributes:
        name: what the page calls it.
        module: the network; no parameter wants a gradient, no module works in place.
        classes: class names in the order of the logits.
        preprocessing: from an image to the input.
        layers: every layer that gives a map or a token grid, by dotted module path.
        in_place: the modules that its author had work in place, by dotted path.
    """

    name: str
    module: nn.Module
    classes: tuple[str, ...]
    preprocessing: PreprocessingSettings
    layers: Mapping[str, LayerShape]
    in_place: tuple[str, ...] = ()

    def twin(self) -> Self:
        """The network once more, for plain passes: the very same weights, but modules of its own to hook into.

        It works in place where its author meant it to, which saves a good part of a pass and changes no number. An
        output must be copied by the hook that sees it; derivatives cannot be taken.
        """
        shared = {id(tensor): tensor for tensor in chain(self.module.parameters(), self.module.buffers())}
        module = deepcopy(self.module, shared)
        for name in self.in_place:
            module.get_submodule(name).inplace = True  # type: ignore[assignment]  # torch: a Tensor or Module
        return replace(self, module=module)

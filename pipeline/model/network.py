"""The network, and saving and loading it as the artifact ``outputs/model/``: its weights and its description."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Self

from safetensors.torch import load_file, save_file
from torch import nn

from pipeline.config.environment import resolve_references
from pipeline.config.model import PreprocessingSettings
from pipeline.core.artifacts import MODEL
from pipeline.core.errors import ModelError
from pipeline.core.files import atomic, file_digest, identity, write_json
from pipeline.core.layer_names import LOGITS
from pipeline.model.build import build, freeze, in_place_modules
from pipeline.model.convention import RGB, Convention, adapt, convention_of, initialize_lazy
from pipeline.model.description import (
    DESCRIPTION,
    WEIGHTS,
    LayerShape,
    NetworkDescription,
    read_description,
)
from pipeline.model.layers import require_layer
from pipeline.model.network_errors import describe_error
from pipeline.model.weights import check_saved_weights, load_weights


@dataclass(frozen=True)
class Network:
    """A frozen network in evaluation mode, and what is known about it.

    Attributes:
        name: shown on the page.
        module: the network; no parameter requires a gradient, no module works in place.
        classes: class names in the order of the logits.
        preprocessing: from an image to the input.
        layers: every layer that gives a map or a token grid, by dotted module path.
        in_place: dotted paths of the modules that were built to work in place.
        rebuild: builds the network again, with any weights; copies are made so where torch cannot copy a module.
    """

    name: str
    module: nn.Module
    classes: tuple[str, ...]
    preprocessing: PreprocessingSettings
    layers: Mapping[str, LayerShape]
    in_place: tuple[str, ...] = ()
    rebuild: Callable[[], nn.Module] | None = field(default=None, compare=False)

    @property
    def convention(self) -> Convention:
        """What the network takes; stages give it RGB images whatever it is."""
        return convention_of(self.module)

    def copy(self) -> nn.Module:
        """A copy of the module with weights of its own, on the same device.

        Raises:
            ModelError: it can be neither copied nor built again.
        """
        return self._copied(share=False)

    def weight_sharing_copy(self) -> Self:
        """A copy for inference with the same weight tensors but modules of its own, so that it has hooks of its own.

        Modules that were built to work in place do so again, which shortens a forward pass considerably and changes no
        number. A hook must clone the output that it records, and no gradient can be taken.

        Raises:
            ModelError: it can be neither copied nor built again.
        """
        module = self._copied(share=True)
        for name in self.in_place:
            module.get_submodule(name).inplace = True  # type: ignore[assignment]  # torch: a Tensor or Module
        return replace(self, module=module)

    def _copied(self, *, share: bool) -> nn.Module:
        tensors = list(chain(self.module.parameters(), self.module.buffers()))
        try:
            return deepcopy(self.module, {id(tensor): tensor for tensor in tensors} if share else {})
        except Exception as error:  # noqa: BLE001  # modules may hold what cannot be copied: locks, files, generators
            if self.rebuild is None:
                reason = describe_error(error, self.module)
                raise ModelError(f"model.architecture: expected a network that can be copied, found {reason}") from None
        module = self.rebuild().to(tensors[0].device)
        module.load_state_dict(self.module.state_dict(keep_vars=share), assign=share)
        return freeze(module)


def output_shape(name: str, network: "Network | NetworkDescription") -> LayerShape:
    """The shape of a layer's output; that of the logits is one position, which sees the whole input.

    Args:
        name: of a layer, or :data:`~pipeline.model.description.LOGITS`.
        network: that has it.

    Raises:
        ModelError: there is no such layer, or the network has no classes.
    """
    if name != LOGITS:
        return require_layer(name, network.layers)
    if not network.classes:
        raise ModelError("layers: expected a network with classes for its logits, found none; choose a layer")
    side = network.preprocessing.crop
    return LayerShape("map", len(network.classes), 1, 1, 0, float(side), side)


def save_network(folder: Path, network: Network, architecture: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Write the network's weights and description to ``folder``, atomically.

    Args:
        folder: usually ``outputs/model``.
        network: what to save.
        architecture: ``_target_`` and arguments that build it again, with references to environment variables.
        settings: the settings it was made with.
    """
    with atomic(folder) as partial:
        partial.mkdir()
        state = {name: value.detach().cpu().contiguous().clone() for name, value in network.module.state_dict().items()}
        save_file(state, partial / WEIGHTS)
        description: dict[str, Any] = {
            **MODEL.attributes(settings, {}),
            "weights": file_digest(partial / WEIGHTS),
            "name": network.name,
            "architecture": dict(architecture),
            "classes": list(network.classes),
            "preprocessing": network.preprocessing.model_dump(mode="json"),
            "layers": {name: asdict(shape) for name, shape in network.layers.items()},
        }
        if network.convention != RGB:
            description["convention"] = asdict(network.convention)
        description["identity"] = identity(description)
        write_json(partial / DESCRIPTION, description)


def load_network(folder: Path, device: str = "cpu") -> Network:
    """The saved network, frozen, on ``device``.

    Raises:
        ArtifactError: it is missing, damaged or from another version.
        ConfigError: an environment variable that the architecture refers to is not set.
        ModelError: the weights no longer fit the architecture, or the device is not available.
    """
    found = read_description(folder)
    described = NetworkDescription.of(found)
    check_saved_weights(folder / WEIGHTS, found.get("weights"))
    architecture = resolve_references(found["architecture"], "model.architecture")

    def rebuild() -> nn.Module:
        convention = Convention(**found.get("convention", {}))
        module = build(architecture, len(found["classes"]))
        initialize_lazy(module, convention, described.preprocessing.crop)
        return adapt(module, convention)

    module = rebuild()
    in_place = in_place_modules(module)
    load_weights(module, load_file(folder / WEIGHTS), str(folder / WEIGHTS))
    try:
        module = freeze(module).to(device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"device: expected {device} to be usable, found: {str(error).splitlines()[0]}; use cpu"
        ) from None
    return Network(
        described.name, module, described.classes, described.preprocessing, described.layers, in_place, rebuild
    )

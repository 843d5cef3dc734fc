"""Generators in files: what is trained, as safetensors, with all that is needed to build the generator again but the user's module."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as as_bytes
from torch import Tensor, nn

from lightweights.errors import LightweightsError
from lightweights.mapping import MPS, LogitTanh
from lightweights.photonics import Hardware, Noise
from lightweights.quantum_train import QuantumTrain

FORMAT = 1
RECIPES = {"MPS": MPS, "LogitTanh": LogitTanh}


class SavedError(LightweightsError, ValueError):
    """A generator that cannot be written, or a file that does not fit; says what does not."""


def save(generated: QuantumTrain, path: str | Path, *, kept: bool = True) -> None:
    """Write a generator to a safetensors file: what is trained, the buffers, and how it was made; not the weights, which follow.

    ``kept``: write the module's parameters that are not generated, too, such as norms or frozen embeddings. Without them the file holds
    their digest, and :func:`load` wants a module with the same: for adapters of a large model, which need not be stored again.

    Raises SavedError for a mapping that is neither MPS nor LogitTanh: there is no saying how to build it again.
    """
    name = type(generated.recipe).__name__
    recipe: Any = generated.recipe
    hardware: Any = generated.hardware
    if RECIPES.get(name) is not type(recipe):
        raise SavedError(f"mapping {generated.recipe!r} is not one that a file can name; keep generated.state_dict() with your own code")
    state, held = generated.state_dict(), _kept(generated)
    if not kept:
        state = {key: value for key, value in state.items() if key not in held}
    tensors, shared = written_once(state)
    config = {
        "format": FORMAT,
        "arguments": {
            "circuits": [[c.modes, c.photons] for c in generated.circuits],
            "mesh": generated.circuits[0].mesh.kind,
            "input_state": generated.input_state if isinstance(generated.input_state, str) else [list(s) for s in generated.input_state],
            "bunching": generated.circuits[0].bunching,
            "normalisation": generated.normalisation,
            "arm": generated.arm_name,
            "staleness": generated.staleness,
            "residual": generated.residual,
            "chunk": generated.chunk,
        },
        "mapping": {"name": name, **dataclasses.asdict(recipe)},  # type: ignore[call-overload]
        "hardware": None if hardware is None else dataclasses.asdict(hardware),
        "generated": [[slot.name, list(slot.shape), str(generated.target.get_parameter(slot.name).dtype)] for slot in generated._slots],
        "direct": list(generated.selection.direct),
        "kept": kept,
        "kept_sha256": digest(held),
        "shared": shared,
    }
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(as_bytes(tensors, {"lightweights": json.dumps(config)}))
    temporary.replace(path)


def load(path: str | Path, module: nn.Module) -> QuantumTrain:
    """The generator of a file that :func:`save` wrote, on the module's device. ``module`` is the user's own module: with any weights, as
    its code builds it, or where the file was written with ``kept=False`` with the weights that were kept. It is copied.

    Raises SavedError where the file is none of these or damaged, where names, shapes or dtypes of the module's parameters differ, and where
    kept weights are not those of the file. A backend is not part of a file: numbers are this package's own.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get("lightweights")
        tensors = load_file(path)
    except FileNotFoundError:
        raise SavedError(f"{path}: there is no such file") from None
    except (SafetensorError, OSError) as error:
        raise SavedError(f"{path}: not a whole safetensors file ({error})") from error
    if told is None:
        raise SavedError(f"{path}: not written by lightweights.save; states of torch.save go to load_state_dict")
    config = json.loads(told)
    if config["format"] != FORMAT:
        raise SavedError(f"{path}: format {config['format']}, this version reads {FORMAT}; use the version that wrote it")
    _compare(path, config, module)
    generated, direct = {name for name, *_ in config["generated"]}, set(config["direct"])
    hardware, recipe = config["hardware"], dict(config["mapping"])
    made = QuantumTrain(
        module,
        mapping=RECIPES[recipe.pop("name")](**recipe),
        only=lambda name, _: name in generated,
        direct=lambda name, _: name in direct,
        hardware=None if hardware is None else Hardware(**(hardware | {"noise": Noise(**hardware["noise"])})),
        seed=0,
        **config["arguments"],
    )
    if not config["kept"] and digest(_kept(made)) != config["kept_sha256"]:
        raise SavedError(
            f"{path}: it was written without the weights that are not generated, and the module's are others; give it the same ones"
        )
    state = tensors | {name: tensors[first] for name, first in config["shared"].items()}
    if not config["kept"]:
        state = {key: value for key, value in made.state_dict().items() if key in _kept(made)} | state
    _strictly(path, state, made.state_dict())
    made.load_state_dict(state)
    return made


def written_once(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A state as safetensors takes it, on the CPU and each tensor once; and for the other names of shared ones the name that is written."""
    written: dict[str, Tensor] = {}
    shared: dict[str, str] = {}
    first: dict[tuple[Any, ...], str] = {}
    for name, value in state.items():
        key = (value.data_ptr(), value.shape, value.stride(), value.dtype, value.device)
        if value.numel() and key in first:
            shared[name] = first[key]
        else:
            first[key] = name
            written[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
    return written, shared


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of names, dtypes, shapes and values."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _kept(generated: QuantumTrain) -> dict[str, Tensor]:
    """What a state holds of the module's own that no training changes: parameters that stay, and weights that a residual starts from."""
    kept = {f"target.{name}": generated.target.get_parameter(name).detach() for name in generated.selection.kept}
    return kept | ({"start.base": generated.get_buffer("start.base")} if generated.residual else {})


def _compare(path: Path, config: dict[str, Any], module: nn.Module) -> None:
    parameters = dict(module.named_parameters())
    for name, shape, dtype in config["generated"]:
        if name not in parameters:
            raise SavedError(f"{path}: it generates {name}, which this module does not have; build the module that it was saved with")
        own = parameters[name]
        if list(own.shape) != shape or str(own.dtype) != dtype:
            was, now = f"{dtype} {tuple(shape)}", f"{own.dtype} {tuple(own.shape)}"
            raise SavedError(f"{path}: {name} was {was}, in this module it is {now}; build the module that it was saved with")


def _strictly(path: Path, state: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    if odd := sorted(set(state) ^ set(wanted)):
        side = "this module does not have" if odd[0] in state else "the file does not have"
        raise SavedError(f"{path}: {side} {odd[0].removeprefix('target.')}; build the module that it was saved with")
    for name, value in state.items():
        if value.shape != wanted[name].shape or value.dtype != wanted[name].dtype:
            was, now = f"{value.dtype} {tuple(value.shape)}", f"{wanted[name].dtype} {tuple(wanted[name].shape)}"
            raise SavedError(f"{path}: {name.removeprefix('target.')} was {was}, in this module it is {now}")

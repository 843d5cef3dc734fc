"""Models of runs: written beside metrics.json, which holds their digest, and read strictly.

Git keeps a model of up to 64 KiB in the run's folder. A larger one, and that of a run which others learn from, lies in the tree of weights,
which DVC keeps.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from lightweights.errors import LightweightsError
from lightweights.files import read_bytes, read_json
from lightweights.methods.models import ModelError, blank, numbers, plain, taken_up
from lightweights.settings.runs import Run, RunSettings, kinds
from lightweights.study.collect import lacks_model
from lightweights.study.layout import RESULTS, metrics_file, model_file, weights_file

LARGEST_IN_GIT = 64 * 2**10
"""Bytes of a model file."""

LARGEST = 2**34
"""Bytes of a model file that is read."""


class NoModelError(LightweightsError):
    """A run whose model is not here; names it, and what brings it."""


@dataclass(frozen=True)
class Landed:
    """A run that is there, as its metrics.json tells it."""

    run: Run
    metrics: dict[str, Any]
    results: Path

    @property
    def model(self) -> dict[str, Any] | None:
        """The section on the model; None where the run was landed without one."""
        section = self.metrics.get("model")
        return section if isinstance(section, dict) else None

    @property
    def name(self) -> str:
        """Study and key."""
        return f"{self.run.study}/{self.run.key}"


def is_learned_from(settings: RunSettings) -> bool:
    """Whether runs of another kind may learn from it, so that the workflow must know where its model lies."""
    return any(kind.learns_from == settings.method for kind in kinds().values())


def place_of(run: Run, size: int, results: Path = RESULTS) -> Path:
    """Where a model of so many bytes belongs."""
    return (weights_file if size > LARGEST_IN_GIT or is_learned_from(run.settings) else model_file)(run, results)


def packed(model: dict[str, Tensor]) -> tuple[bytes, dict[str, Any]]:
    """The bytes of a model, and what metrics.json says of it."""
    if not model:
        return b"", {"numbers": 0}
    content = save(dict(sorted(model.items())))
    told = {"numbers": numbers(model), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return content, told | {"tensors": described(model)}


def described(model: dict[str, Tensor]) -> dict[str, dict[str, Any]]:
    """Shape and type of each tensor, by name."""
    return {name: {"shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")} for name, value in sorted(model.items())}


def found_model(run: Run, results: Path = RESULTS) -> Path | None:
    """The file of a run's model, wherever it lies; None where it is not here."""
    return next((path for path in (model_file(run, results), weights_file(run, results)) if path.is_file()), None)


def read_landed(folder: Path) -> Landed:
    """The run of a folder ``results/STUDY/runs/EXPERIMENT/VARIANT/seed-K``. Raises ModelError where it holds none that can be read."""
    path = folder / "metrics.json"
    try:
        metrics = read_json(path)
        run = Run.model_validate(metrics["run"] | {"settings": metrics["settings"]})
    except FileNotFoundError:
        raise NoModelError(f"{folder}: no run is there; `lightweights models` lists those that are") from None
    except (OSError, ValueError, KeyError, TypeError, ValidationError, LightweightsError) as error:
        raise ModelError(f"{path}: not the metrics of a run ({str(error).splitlines()[0]})") from None
    results = folder.absolute().parents[4]  # not resolved: results may lie on another disk, behind a link
    if metrics_file(run, results) != path.absolute():
        raise ModelError(f"{path} belongs to run {run.study}/{run.key}")
    return Landed(run, metrics, results)


def folder_of(name: str, results: Path = RESULTS) -> Path:
    """The folder of ``STUDY/EXPERIMENT/VARIANT/seed-K``, or of a path to it. Raises NoModelError for other text."""
    text = name.rstrip("/")
    if not re.search(r"(^|/)seed-\d+$", text) or ".." in Path(text).parts:
        raise NoModelError(f"{name!r}: expected a run, STUDY/EXPERIMENT/VARIANT/seed-K; `lightweights models` lists those that are there")
    if (Path(text) / "metrics.json").is_file():
        return Path(text)
    study, _, key = text.partition("/")
    return results / study / "runs" / key


def read_model(landed: Landed) -> dict[str, Tensor]:
    """The model of a run: names, shapes, types and digest as metrics.json has them. Raises NoModelError where it is not here, ModelError
    where it is another.
    """
    told, run = landed.model, landed.run
    if lacks_model(landed.metrics):
        raise NoModelError(
            f"{landed.name} was landed without its model; it has one once it is trained again; others: `lightweights models`"
        )
    if told is not None and "numbers" not in told:
        raise ModelError(f"{landed.name}: metrics.json does not tell how many numbers its model has; bring it back, or train the run again")
    if told is None or not told["numbers"]:
        raise NoModelError(f"{landed.name} trains no network")
    path = found_model(run, landed.results)
    if path is None:
        raise NoModelError(f"{landed.name}: its model is not here; `git checkout` or `dvc pull` brings it back")
    try:
        content = read_bytes(path, LARGEST)
        digest = hashlib.sha256(content).hexdigest()
        if digest != told["sha256"]:
            remedy = "bring the file back, or train the run again"
            raise ModelError(f"{path}: SHA-256 {digest}, but metrics.json has {told['sha256']}; {remedy}")
        model = load(content)
        if described(model) != told["tensors"]:
            raise ModelError(f"{path}: its tensors are not those that metrics.json lists")
        if (size := (numbers(model), len(content))) != (told["numbers"], told["bytes"]):
            raise ModelError(f"{path}: {size[0]} numbers in {size[1]} bytes, but metrics.json has {told['numbers']} in {told['bytes']}")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: not the model of a run ({error})") from None
    return model


def module_of_run(landed: Landed, data: Any = None) -> nn.Module:
    """The module of a run with its trained numbers. ``data``: the run's, where it is at hand; only its shape counts."""
    run, model = landed.run, read_model(landed)
    try:
        return taken_up(run.settings, blank(run.settings.dataset) if data is None else data, run.seed, model)
    except ModelError as error:
        raise ModelError(f"{landed.name}: {error}") from None


def load_model(name: str, results: Path = RESULTS) -> nn.Module:
    """A trained module by its run, such as ``STUDY/EXPERIMENT/VARIANT/seed-5``: a generator of weights, whose
    ``bake()`` is the plain network, or the network itself where that was trained. Raises LightweightsError where it is not here or not as
    its run wrote it.
    """
    landed = read_landed(folder_of(name, results))
    module = module_of_run(landed)
    return module if hasattr(module, "bake") else plain(landed.run.settings, module)


def landed_runs_of(study: str, results: Path = RESULTS) -> list[Landed]:
    """All runs of a study that are there and can be read, by experiment, variant and seed. Raises NoModelError where there are none."""
    folders = sorted((results / study / "runs").glob("*/*/seed-*"), key=lambda folder: (*folder.parts[:-1], int(folder.name[5:])))
    found = [read_landed(folder) for folder in folders if (folder / "metrics.json").is_file()]
    if not found:
        raise NoModelError(f"{results / study}: no runs are there; studies are the folders of {results}/")
    return found

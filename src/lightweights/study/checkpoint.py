"""Checkpoints of a run: the whole state in one file, which belongs to the run whose identity it carries."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from lightweights.files import write_atomic
from lightweights.settings.runs import Run
from lightweights.study.faults import RunError, out_of_memory
from lightweights.training.state import Training

STATE = "state.safetensors"
"""The checkpoint's name in the run's folder of checkpoints."""


def save_checkpoint(training: Training, run: Run, path: Path, sources: Sequence[str] = ()) -> None:
    """The whole state in one file. ``sources``: digests of what the run is made from, its data and its teacher."""
    metadata = {"identity": identity(run, sources), "rows": json.dumps(training.rows), "places": json.dumps(training.places)}
    tensors = training.tensors()
    write_atomic(path, save(tensors, metadata | {"sha256": _digest(tensors, metadata)}))


def resume(training: Training, run: Run, path: Path, sources: Sequence[str] = ()) -> None:
    """Take up the checkpoint if there is one that belongs to this run and its sources; one that is damaged is set aside and told of. One
    that cannot be read for want of memory or of a disk stays where it is.
    """
    if not path.is_file():
        return
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        if metadata["identity"] != identity(run, sources):
            print(f"{path}: the checkpoint belongs to other settings, data or teacher; starting from the beginning")
            return
        tensors = load_file(path)
        expected = metadata.pop("sha256", None)
        if expected is None and set(metadata) == {"identity", "rows"}:
            print(f"{path}: the checkpoint has no digest, as older versions wrote it; it is taken up unchecked")
        elif expected != _digest(tensors, metadata):
            raise ValueError("its content does not have the digest that was written with it")
        training.restore(tensors, json.loads(metadata["rows"]))
        training.places = json.loads(metadata.get("places", "[]"))
        print(f"{run.key}: going on from its checkpoint, with {len(training.rows)} rounds or epochs done", flush=True)
    except OSError as error:
        if out_of_memory(error):
            raise
        raise RunError(f"{path}: the checkpoint cannot be read now ({error}) and is left as it is; mend that, then start again") from error
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        if out_of_memory(error):
            raise
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        raise RunError(
            f"{path}: the checkpoint cannot be read ({error}). It has been set aside as {aside.name}; "
            "start the run again and it trains from the beginning"
        ) from error


def identity(run: Run, sources: Sequence[str]) -> str:
    """Seed, settings and digests of the sources as text: a checkpoint belongs to the run whose identity it carries."""
    return json.dumps([run.seed, run.settings.plain(), *sources], sort_keys=True)


def _digest(tensors: dict[str, Tensor], metadata: dict[str, str]) -> str:
    """SHA-256 over the tensors, with their names, types and shapes, and over what is said beside them."""
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode() + save(tensors)).hexdigest()

"""Checkpoints of a run: the whole state in one file, which belongs to the run whose identity it carries and is believed by its digest."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
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
    tensors, belongs, rows = training.tensors(), identity(run, sources), json.dumps(training.rows)
    write_atomic(path, save(tensors, {"identity": belongs, "rows": rows, "digest": content_digest(tensors, belongs, rows)}))


def resume(training: Training, run: Run, path: Path, sources: Sequence[str] = ()) -> None:
    """Take up the checkpoint if there is one that belongs to this run and its sources; one that is damaged, by its digest too, is set aside
    and told of. One that cannot be read for want of memory or of a disk stays where it is.
    """
    if not path.is_file():
        return
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        tensors = load_file(path)
        if metadata.get("digest") != content_digest(tensors, metadata["identity"], metadata["rows"]):
            raise ValueError("its content is not that of its digest")
        if metadata["identity"] != identity(run, sources):
            print(f"{path}: the checkpoint belongs to other settings, data or teacher; starting from the beginning")
            return
        training.restore(tensors, json.loads(metadata["rows"]))
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


def content_digest(tensors: Mapping[str, Tensor], *texts: str) -> str:
    """SHA-256 over names, types, shapes and numbers of tensors, and over texts."""
    found = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        found.update(f"{len(name)} {name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    for text in texts:
        found.update(f"{len(text)} {text}\n".encode())
    return found.hexdigest()

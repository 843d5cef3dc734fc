"""A data set's flat form for a safetensors file, and the digest of its tensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from lightweights.datasets.dataset import Data, DataError, Dataset
from lightweights.datasets.form import check_form, tensors_of
from lightweights.datasets.series import Series
from lightweights.datasets.text import Text
from lightweights.settings.data_sets import DATA_SETS

if TYPE_CHECKING:
    from torch import Tensor

_KINDS: tuple[type[Data], ...] = (Dataset, Series, Text)
TASKS = {kind.TASK: kind for kind in _KINDS}
"""The class of data sets of each task."""


def to_tensors(dataset: Data) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name and text metadata, as ``safetensors.torch.save_file(tensors, path, metadata)`` takes them."""
    metadata = {  # one entry in the end: safetensors writes several in random order, and equal data should be equal files
        "name": dataset.name,
        **{name: getattr(dataset, name) for name in dataset.COUNTS},
        "tests": list(dataset.tests),  # a safetensors file does not keep the order of its tensors
        "sha256": digest(dataset),
    }
    if not _is_known(dataset):
        metadata = {"task": dataset.TASK} | metadata
        metadata["metadata_sha256"] = _sha_of(metadata)
    return _apart(named_tensors(dataset)), {"dataset": json.dumps(metadata)}


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors of which no two share memory, as a file takes them: splits may be views of one array."""
    found: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        found[name] = tensor.contiguous().clone() if place in seen else tensor.contiguous()
        seen.add(place)
    return found


def from_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> Data:
    """The data set that :func:`to_tensors` flattened.

    Raises:
        DataError: a part is missing or has another form, or the content does not have the digest that the metadata states.
    """
    try:
        told = json.loads((metadata or {})["dataset"])
        kind = TASKS[told.get("task", Dataset.TASK)]
        splits = {
            place: kind.PART(**{field.name: tensors[f"{place}.{field.name}"] for field in fields(kind.PART)})
            for place in ("train", *(f"tests.{name}" for name in told["tests"]))
        }
        tests = {name: splits[f"tests.{name}"] for name in told["tests"]}
        dataset = kind(str(told["name"]), train=splits["train"], tests=tests, **{name: int(told[name]) for name in kind.COUNTS})  # type: ignore[call-arg]
        expected, expected_metadata = told["sha256"], told.pop("metadata_sha256", None)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"prepared data: {error} is missing or unreadable") from None
    remedy = "delete the file and prepare the data anew"
    check_form(dataset)
    found = digest(dataset)
    if found != expected:
        raise DataError(f"prepared data of {dataset.name}: expected SHA-256 {expected}, found {found}; {remedy}")
    if not (_is_known(dataset) if expected_metadata is None else expected_metadata == _sha_of(told)):
        raise DataError(f"prepared data of {dataset.name}: what is said of its name and counts is not what was written; {remedy}")
    unknown = sorted(set(tensors) - set(named_tensors(dataset)))
    if unknown:
        raise DataError(f"prepared data of {dataset.name}: {', '.join(unknown)} belongs to no split; {remedy}")
    return dataset


def digest(dataset: Data) -> str:
    """SHA-256 over the names, types, shapes and little-endian bytes of all tensors: train first, then the tests in their order."""
    import numpy as np

    sha = hashlib.sha256()
    for name, tensor in named_tensors(dataset).items():
        array = tensor.detach().cpu().numpy()
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        sha.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        sha.update(array.data)
    return sha.hexdigest()


def named_tensors(dataset: Data) -> dict[str, Tensor]:
    """All tensors by name: ``train.images``, ``tests.test.labels`` and so on."""
    splits = {"train": dataset.train} | {f"tests.{name}": split for name, split in dataset.tests.items()}
    return {f"{place}.{name}": tensor for place, split in splits.items() for name, tensor in tensors_of(split).items()}


def _is_known(dataset: Data) -> bool:
    """Whether name and counts need no digest, since the package knows them."""
    known = DATA_SETS.get(dataset.name)
    if not isinstance(dataset, Dataset) or known is None:
        return False
    return (known.shape, known.classes) == (tuple(dataset.train.images.shape[1:]), dataset.classes)


def _sha_of(metadata: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()

"""CIFAR-10, binary version: 50,000 training and 10,000 test images of 32 x 32 pixels in three colours.

The published archive is read in memory and never unpacked on disk. A LIGHTWEIGHTS_DATA folder may hold the archive, or its six
batches packed with xz.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator

import numpy as np

from lightweights.datasets import fetch
from lightweights.datasets.catalogue import CIFAR10_ARCHIVE, CIFAR10_TEST, CIFAR10_TRAIN, CifarBatch
from lightweights.datasets.dataset import DataError, Dataset, split_of
from lightweights.datasets.formats import CIFAR_RECORD, CIFAR_SHAPE, read_cifar_batch, unxz

BATCH = 10_000
"""Images in a batch."""


def load_cifar10() -> Dataset:
    """CIFAR-10 in its published order. Raises DataError."""
    count = len(CIFAR10_TRAIN)
    images, labels = np.empty((count + 1, BATCH, *CIFAR_SHAPE), np.uint8), np.empty((count + 1, BATCH), np.uint8)
    order = (*CIFAR10_TRAIN, CIFAR10_TEST)
    for batch, data in _batches(order):
        found = hashlib.sha256(data).hexdigest()
        if found != batch.sha256:
            raise DataError(f"cifar-10 {batch.name}: expected SHA-256 {batch.sha256} unpacked, found {found}; get it anew")
        place = order.index(batch)
        images[place], labels[place] = read_cifar_batch(data, BATCH, 10, batch.name)
    train = split_of(images[:count].reshape(-1, *CIFAR_SHAPE), labels[:count].reshape(-1))
    return Dataset("cifar-10", 10, train, {"test": split_of(images[count], labels[count])})


def _batches(batches: tuple[CifarBatch, ...]) -> Iterator[tuple[CifarBatch, bytes]]:
    """Each batch with its bytes, in any order."""
    size = BATCH * CIFAR_RECORD
    if not fetch.local_path(CIFAR10_ARCHIVE) and all(fetch.local_path(batch.packed) for batch in batches):
        for batch in batches:
            yield batch, unxz(fetch.read(batch.packed), size, batch.packed.path)
        return
    packed = ", ".join(batch.packed.path for batch in batches)
    archive = fetch.read(CIFAR10_ARCHIVE, f"{CIFAR10_ARCHIVE.path}, or all of {packed}")
    yield from read_archive(archive, batches, size)


def read_archive(archive: bytes, batches: tuple[CifarBatch, ...], size: int) -> Iterator[tuple[CifarBatch, bytes]]:
    """The batches in a tar.gz archive, each of ``size`` bytes, in one pass and without writing anything. Raises DataError."""
    wanted = {f"cifar-10-batches-bin/{batch.name}": batch for batch in batches}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|gz") as tar:
            for member in tar:
                if member.name not in wanted:
                    continue
                stream = tar.extractfile(member) if member.isreg() and member.size == size else None
                if stream is None:
                    raise DataError(f"{CIFAR10_ARCHIVE.path}: {member.name} should have {size} bytes and has {member.size}; get it anew")
                yield wanted.pop(member.name), stream.read()
    except (DataError, MemoryError):
        raise
    except Exception as error:  # tarfile and its unpackers raise many kinds on damaged files
        raise DataError(f"{CIFAR10_ARCHIVE.path}: not a readable tar.gz archive ({error}); get it anew") from None
    if wanted:
        raise DataError(f"{CIFAR10_ARCHIVE.path}: {', '.join(wanted)} missing; get it anew")

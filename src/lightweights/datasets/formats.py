"""Reading packed idx and CIFAR-10 files. Lengths are checked before anything is allocated, so a damaged file costs no memory."""

import lzma
import struct
import zlib

import numpy as np

from lightweights.datasets.dataset import DataError

IDX_IMAGES, IDX_LABELS = 2051, 2049
"""Magic numbers of idx files of unsigned bytes in three dimensions and in one."""

CIFAR_SHAPE = (3, 32, 32)
CIFAR_RECORD = 1 + 3 * 32 * 32
"""Bytes of a record of CIFAR-10's binary version: the label, then the red, green and blue planes row by row."""

AR_MAGIC, AR_HEADER = b"!<arch>\n", 60
"""First bytes of an ar archive, and bytes of a member's header: name 16, time 12, owner 6, group 6, mode 8, length 10, end 2."""

XZ_MEMORY = 128 * 2**20
"""Bytes that unpacking an xz file may take; level 9, the highest, takes 65 MiB."""


def gunzip(packed: bytes, size: int, name: str) -> bytes:
    """Unpack a gzip file that must give exactly ``size`` bytes; ``name`` is for messages. Raises DataError."""
    decompressor = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        data = decompressor.decompress(packed, max_length=size + 1)
    except zlib.error as error:
        raise DataError(f"{name}: not a gzip file, or a damaged one ({error}); get it anew") from None
    return _checked_length(data, size, decompressor.eof, name)


def unxz(packed: bytes, size: int, name: str) -> bytes:
    """Unpack an xz file that must give exactly ``size`` bytes; ``name`` is for messages. Raises DataError."""
    decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
    try:
        data = decompressor.decompress(packed, max_length=size + 1)
    except lzma.LZMAError as error:
        raise DataError(f"{name}: not an xz file, or a damaged one ({error}); get it anew") from None
    return _checked_length(data, size, decompressor.eof, name)


def ar_member(archive: bytes, member: str, name: str) -> bytes:
    """A member of an ar archive, the outer form of Debian's packages; ``name`` is for messages. Raises DataError where it is not whole."""
    place = len(AR_MAGIC)
    while archive.startswith(AR_MAGIC) and place + AR_HEADER <= len(archive):
        header = archive[place : place + AR_HEADER]
        length = header[48:58].rstrip()
        if header[58:] != b"`\n" or not length.isdigit():
            break
        start = place + AR_HEADER
        if header[:16].rstrip().rstrip(b"/") == member.encode() and start + int(length) <= len(archive):
            return archive[start : start + int(length)]
        place = start + int(length) + int(length) % 2
    raise DataError(f"{name}: not a whole package with {member}; get it anew")


def read_idx_images(data: bytes, count: int, height: int, width: int, name: str) -> np.ndarray:
    """Images of an idx file: uint8 (count, 1, height, width). Raises DataError when the file holds anything else."""
    expected = (IDX_IMAGES, count, height, width)
    _check_idx_header(data, ">4I", expected, name)
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, 1, height, width).copy()


def read_idx_labels(data: bytes, count: int, classes: int, name: str) -> np.ndarray:
    """Labels of an idx file: uint8 (count,), below ``classes``. Raises DataError when the file holds anything else."""
    _check_idx_header(data, ">2I", (IDX_LABELS, count), name)
    return _checked_labels(np.frombuffer(data, np.uint8, offset=8).copy(), classes, name)


def read_cifar_batch(data: bytes, count: int, classes: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (count, 3, 32, 32) and labels uint8 (count,) of a CIFAR-10 batch. Raises DataError."""
    if len(data) != count * CIFAR_RECORD:
        raise DataError(f"{name}: {count} records of {CIFAR_RECORD} bytes were expected, found {len(data)} bytes in all; get it anew")
    records = np.frombuffer(data, np.uint8).reshape(count, CIFAR_RECORD)
    return records[:, 1:].reshape(count, *CIFAR_SHAPE).copy(), _checked_labels(records[:, 0].copy(), classes, name)


def _check_idx_header(data: bytes, layout: str, expected: tuple[int, ...], name: str) -> None:
    length = struct.calcsize(layout)
    found = struct.unpack_from(layout, data) if len(data) >= length else ()
    if found != expected:
        raise DataError(f"{name}: an idx header (magic, counts) of {expected} was expected, found {found}; get it anew")
    size = length + int(np.prod(expected[1:], dtype=np.int64))
    if len(data) != size:
        raise DataError(f"{name}: {size} bytes were expected, found {len(data)}; get it anew")


def _checked_length(data: bytes, size: int, complete: bool, name: str) -> bytes:
    if len(data) != size or not complete:
        found = "more" if len(data) > size else f"only {len(data)}"
        raise DataError(f"{name}: unpacked, it should have {size} bytes and has {found}; get it anew")
    return data


def _checked_labels(labels: np.ndarray, classes: int, name: str) -> np.ndarray:
    highest = int(labels.max(initial=0))
    if highest >= classes:
        raise DataError(f"{name}: labels 0 to {classes - 1} were expected, found {highest}; get it anew")
    return labels

"""Reading arrays out of NPZ and CSV files: whole, or not at all, with errors in words of ours and memory bounded by what a file holds."""

import csv
import math
import warnings
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from lightweights.datasets.dataset import DataError

LARGEST = 16 * 2**30
"""Bytes of the arrays of one NPZ file."""


def read_npz(path: Path, known: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file by name. Raises DataError where it is damaged or cut short, is none, is larger than its own length says, or
    holds another array than the known ones.
    """
    start = b""
    try:
        start = path.open("rb").read(6)
        if start == b"\x93NUMPY":
            raise DataError(f"{path}: a .npy file of one array; write an .npz of {' and '.join(known[:2])} with numpy.savez")
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if len(sizes) < len(archive.infolist()):
                raise DataError(f"{path}: two arrays of one name; write it anew with numpy.savez")
            if unknown := sorted(set(sizes) - set(known)):
                raise DataError(f"{path}: array {', '.join(unknown)} has no meaning here; expected are {', '.join(known)}")
            if sum(member.file_size for member in sizes.values()) > LARGEST:
                raise DataError(f"{path}: its arrays take more than {LARGEST:,} bytes; use a factory of your own that reads less")
            found = {}
            for name, member in sizes.items():
                with archive.open(member) as stream:
                    found[name] = _array(stream, member.file_size, f"{path}: array {name}")
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read as an NPZ file ({error.strerror or error})") from None
    except MemoryError:
        raise
    except Exception as error:  # zipfile and zlib raise many kinds on damaged files
        cut = start[:2] == b"PK"
        what = "the file is damaged or cut short" if cut else "not a file of numpy.savez"
        raise DataError(f"{path}: cannot be read as an NPZ file: {what} ({error}); write it anew with numpy.savez") from None
    return found


def _array(stream: IO[bytes], size: int, where: str) -> np.ndarray:
    """One array; its header may not promise other than ``size`` bytes, and its checksum is that which was written."""
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = header(stream)
    if dtype.hasobject:
        raise DataError(f"{where} holds Python objects; convert it to numbers before it is written")
    bytes_of_array = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or stream.tell() + bytes_of_array != size:
        raise DataError(f"{where} should have {bytes_of_array} bytes for shape {shape}, and has {size - stream.tell()}; write it anew")
    data = stream.read(bytes_of_array)
    if len(data) != bytes_of_array or stream.read(1):  # the last read compares the checksum
        raise DataError(f"{where} is cut short; write the file anew")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")


def read_table(path: Path, label: str) -> tuple[np.ndarray, np.ndarray]:
    """A CSV file with a header: the column ``label``, and all others in their order, both float64. Raises DataError where rows differ in
    length, a column's name stands twice, or a cell is no number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            names, first = ([cell.strip() for cell in next(rows, [])] for _ in range(2))
        if label not in names:
            raise DataError(f"{path}: no column {label!r}; the first columns are {', '.join(names[:5])}")
        if "" in names:
            raise DataError(
                f"{path}: column {names.index('') + 1} has no name; give it one, or where it is a table's index write the file without "
                "(index=False)"
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(f"{path}: column {twice[0]!r} stands twice; give each its own name")
        place = names.index(label)
        if len(first) == len(names) and not _is_number(first[place]):
            raise DataError(f"{path}: labels are text, the first is {first[place]!r}; number them from 0")
        with path.open(encoding="utf-8-sig", newline="") as file, warnings.catch_warnings(action="ignore"):
            table = np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2, comments=None, quotechar='"')
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a CSV file ({error.strerror})") from None
    except (ValueError, OverflowError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a CSV file of numbers ({error})") from None
    if not table.size:
        raise DataError(f"{path}: no row below the header")
    if table.shape[1] != len(names):
        raise DataError(f"{path}: the header has {len(names)} columns, the rows have {table.shape[1]}")
    return table[:, place], np.delete(table, place, axis=1)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

"""Raw files, verified: from the folder that LIGHTWEIGHTS_DATA names, from the cache, or from public mirrors.

Every file is checked against its pinned size and SHA-256 each time it is read. In the folder a damaged file is an error; in
the cache it is fetched anew.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from lightweights.datasets.catalogue import RawFile
from lightweights.datasets.dataset import DataError
from lightweights.datasets.download import NotServedError, download

DATA_VARIABLE = "LIGHTWEIGHTS_DATA"
CACHE_VARIABLE = "LIGHTWEIGHTS_CACHE"


def data_folder() -> Path | None:
    """The folder that LIGHTWEIGHTS_DATA names; None when the variable is unset or empty. Raises DataError when it does not exist."""
    value = os.environ.get(DATA_VARIABLE)
    if not value:
        return None
    folder = Path(value).expanduser()
    if not _is(Path.is_dir, folder):
        raise DataError(f"{DATA_VARIABLE}={value}: no such folder; correct the variable, or unset it to use the cache and public mirrors")
    return folder


def cache_folder() -> Path:
    """Where downloads are kept: LIGHTWEIGHTS_CACHE, or else the operating system's cache folder of the user."""
    value = os.environ.get(CACHE_VARIABLE)
    if value:
        return Path(value).expanduser()
    import pooch

    return Path(pooch.os_cache("lightweights"))


def local_path(file: RawFile) -> Path | None:
    """Where the LIGHTWEIGHTS_DATA folder has the file, damaged or not; None when it has not."""
    folder = data_folder()
    return folder / file.path if folder and _is(Path.is_file, folder / file.path) else None


def read(file: RawFile, folder_needs: str | None = None) -> bytes:
    """The verified content of a raw file, downloaded when it is in neither the LIGHTWEIGHTS_DATA folder nor the cache.

    Args:
        file: what to read.
        folder_needs: what a LIGHTWEIGHTS_DATA folder must hold for the whole data set, for the message when there is no network.

    Raises:
        DataError: the file in the folder is damaged, no mirror serves the file, or the cache cannot be written.
    """
    path = local_path(file)
    if path:
        data, fault = _read_verified(path, file)
        if fault:
            raise DataError(
                f"{path}: {fault}; replace it by the published file, or unset {DATA_VARIABLE} to use the cache and public mirrors"
            )
        return data
    path = cache_folder() / file.path
    fault = "is not there"
    if _is(Path.is_file, path):
        data, fault = _read_verified(path, file)
        if not fault:
            return data
    try:
        download(file, path)
    except NotServedError as error:
        folder = os.environ.get(DATA_VARIABLE)
        raise DataError(
            f"{file.path} ({file.size} bytes, SHA-256 {file.sha256}) could not be fetched.\n"
            f"{DATA_VARIABLE}: {f'{folder} does not hold it' if folder else 'not set'}\n"
            f"Cache: {path} {fault}\n"
            f"Mirrors, none of which served it:\n{error}\n"
            f"Connect to the network, or set {DATA_VARIABLE} to a folder that holds {folder_needs or file.path}."
        ) from None
    data, fault = _read_verified(path, file)
    if fault:
        raise DataError(f"{path}: {fault}, although its download was whole; check the disk")
    return data


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be looked at ({error.strerror}); check the rights of its folder") from None


def _read_verified(path: Path, file: RawFile) -> tuple[bytes, str]:
    """The content, and what is wrong with it (empty when nothing is). Takes no more memory than the published file."""
    try:
        with path.open("rb") as stream:
            data = stream.read(file.size + 1)
            size = os.fstat(stream.fileno()).st_size
            stream.seek(0)
            sha = hashlib.sha256(data) if len(data) <= file.size else hashlib.file_digest(stream, "sha256")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check its rights and the disk") from None
    if sha.hexdigest() == file.sha256:
        return data, ""
    return b"", f"has {size} bytes, SHA-256 {sha.hexdigest()}; expected are {file.size} bytes, SHA-256 {file.sha256}"

"""The chapter's data sets, by the names that settings give them: ``chapters.distributed_qlstm.data:oscillator`` and so on.

A data set holds windows of the series as it is. How it is scaled and cut is the protocol's affair (:mod:`.windows`), which starts again
from the whole series.
"""

import torch

from lightweights.datasets import DataError, Series, series_from_arrays, windows

from .series import DECIMALS, Values, digest, series
from .windows import LAGS, TRAINED_SHARE

DIGESTS = {
    "oscillator": "4a334bf3858b4e227aab9f5e9276e2fb53c1447d904ed0f927c4f5365a28f918",
    "narma2": "de2f88068b30f2aa8e904f79aa6c406ebaca0dd97e2c840ead6f7a079c9489ae",
    "narma2-random": "d1baa447f3d299f8818ca62830f738bd3add372f253d467a92d63c1d1aa7f5ad",
    "mackey-glass": "6af8d5b5fb38858a2c132edd4cbfade5be503a090942abf68872ea4154b50c31",
}
"""SHA-256 of the values in units of 1e-6 (:func:`.series.digest`)."""


def oscillator() -> Series:
    """Angular velocity of a damped pendulum."""
    return _pinned("oscillator")


def narma2() -> Series:
    """NARMA-2 with the usual sinusoidal inputs."""
    return _pinned("narma2")


def narma2_random() -> Series:
    """NARMA-2 with random inputs."""
    return _pinned("narma2-random")


def mackey_glass() -> Series:
    """The delay equation of Mackey and Glass."""
    return _pinned("mackey-glass")


def values_of(data: Series) -> Values:
    """The series of a data set, (n,), as exact as it was made: its windows follow each other point by point.

    Raises DataError where they do not.
    """
    inputs, targets = (torch.cat([getattr(part, name) for part in (data.train, *data.tests.values())]) for name in ("inputs", "targets"))
    if inputs.shape[1:] != (LAGS, 1) or targets.shape[1:] != (1,) or not torch.equal(inputs[1:, -1], targets[:-1]):
        raise DataError(f"data set {data.name}: expected windows of {LAGS} values that follow each other, with the next one as target")
    values = torch.cat([inputs[0, :, 0], targets[:, 0]]).double().numpy()
    return values.round(DECIMALS) + 0.0  # float32 has kept seven digits


def _pinned(name: str) -> Series:
    values = series(name)
    if (found := digest(values)) != DIGESTS[name]:
        raise DataError(
            f"series {name}: its values have SHA-256 {found}, expected {DIGESTS[name]}; this SciPy or processor solves the equations "
            "differently: use the versions of requirements.lock"
        )
    inputs, targets = windows(values, LAGS)
    trained = int(TRAINED_SHARE * len(targets))
    return series_from_arrays(name, (inputs[:trained], targets[:trained]), {"test": (inputs[trained:], targets[trained:])})

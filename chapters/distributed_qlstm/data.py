"""The chapter's data sets, by the names that settings give them: ``chapters.distributed_qlstm.data:oscillator`` and so on."""

from lightweights.datasets import DataError, SeriesDataset

from .series import digest, series

DIGESTS = {
    "oscillator": "4a334bf3858b4e227aab9f5e9276e2fb53c1447d904ed0f927c4f5365a28f918",
    "narma2": "de2f88068b30f2aa8e904f79aa6c406ebaca0dd97e2c840ead6f7a079c9489ae",
    "narma2-random": "d1baa447f3d299f8818ca62830f738bd3add372f253d467a92d63c1d1aa7f5ad",
    "mackey-glass": "6af8d5b5fb38858a2c132edd4cbfade5be503a090942abf68872ea4154b50c31",
}
"""SHA-256 of the values in units of 1e-6 (:func:`.series.digest`)."""


def oscillator() -> SeriesDataset:
    """Angular velocity of a damped pendulum."""
    return _pinned("oscillator")


def narma2() -> SeriesDataset:
    """NARMA-2 with the usual sinusoidal inputs."""
    return _pinned("narma2")


def narma2_random() -> SeriesDataset:
    """NARMA-2 with random inputs."""
    return _pinned("narma2-random")


def mackey_glass() -> SeriesDataset:
    """The delay equation of Mackey and Glass."""
    return _pinned("mackey-glass")


def _pinned(name: str) -> SeriesDataset:
    import torch

    values = series(name)
    if (found := digest(values)) != DIGESTS[name]:
        raise DataError(
            f"series {name}: its values have SHA-256 {found}, expected {DIGESTS[name]}; this SciPy or processor solves the equations "
            "differently: use the versions of requirements.lock"
        )
    return SeriesDataset(name, torch.from_numpy(values))

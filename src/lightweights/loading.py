"""Trained generators and networks, from files of one's own and from the runs of a study."""

from pathlib import Path
from typing import overload

from torch import nn

from lightweights import saved
from lightweights.quantum_train import QuantumTrain


@overload
def load(path: str | Path, module: nn.Module) -> QuantumTrain: ...
@overload
def load(path: str | Path, module: None = None) -> nn.Module: ...


def load(path: str | Path, module: nn.Module | None = None) -> nn.Module:
    """The generator of a file that :func:`lightweights.saved.save` wrote, on the module's device. ``module`` is the user's own module: with
    any weights, as its code builds it, or where the file was written with ``kept=False`` with the weights that were kept. It is copied.

    Without ``module`` the trained module of a run of a study: ``load("STUDY/EXPERIMENT/VARIANT/seed-5")``
    (:func:`lightweights.study.models.load_model`).

    Raises SavedError where the file is none of these or damaged, where names, shapes or dtypes of the module's parameters differ, and where
    kept weights are not those of the file. A backend is not part of a file: numbers are this package's own.
    """
    if module is not None:
        return saved.load(path, module)
    from lightweights.study.models import load_model  # files of one's own do without studies

    return load_model(str(path))

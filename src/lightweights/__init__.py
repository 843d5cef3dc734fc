"""Lightweights: photonic circuits generate the weights of neural networks.

>>> from lightweights import QuantumTrain, MPS
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightweights.mapping import MPS
    from lightweights.photonics import Circuit
    from lightweights.quantum_train import QuantumTrain

__all__ = ["MPS", "Circuit", "QuantumTrain", "__version__"]
__version__ = "0.1.0"

_HOME = {"MPS": "lightweights.mapping", "Circuit": "lightweights.photonics", "QuantumTrain": "lightweights.quantum_train"}


def __getattr__(name: str) -> object:
    # Lazily, because the workflow's small steps import this package and must not pay for torch.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)

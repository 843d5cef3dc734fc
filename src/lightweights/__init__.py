"""Lightweights: photonic circuits generate the weights of neural networks.

>>> from lightweights import QuantumTrain, MPS, fit

The names below are what the package promises; what else it holds may move.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightweights.adapters import LowRankAdapter, adapt
    from lightweights.fitting import fit
    from lightweights.loading import load
    from lightweights.mapping import MPS, Arm, LogitTanh
    from lightweights.networks.dictionary import DictionaryConv2d, compress_convolutions
    from lightweights.photonics import Circuit, Hardware, Noise
    from lightweights.photonics.time_bin import TimeBin
    from lightweights.quantum_train import QuantumTrain
    from lightweights.saved import save

__all__ = [
    "MPS",
    "Arm",
    "Circuit",
    "DictionaryConv2d",
    "Hardware",
    "LogitTanh",
    "LowRankAdapter",
    "Noise",
    "QuantumTrain",
    "TimeBin",
    "__version__",
    "adapt",
    "compress_convolutions",
    "fit",
    "load",
    "save",
]
__version__ = "0.1.0"

_HOME = {
    "MPS": "mapping",
    "Arm": "mapping",
    "Circuit": "photonics",
    "DictionaryConv2d": "networks.dictionary",
    "Hardware": "photonics",
    "LogitTanh": "mapping",
    "LowRankAdapter": "adapters",
    "Noise": "photonics",
    "QuantumTrain": "quantum_train",
    "TimeBin": "photonics.time_bin",
    "adapt": "adapters",
    "compress_convolutions": "networks.dictionary",
    "fit": "fitting",
    "load": "loading",
    "save": "saved",
}


def __getattr__(name: str) -> object:
    # Lazily, because the workflow's small steps import this package and must not pay for torch.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""The baseline that the settings name, at its initial values."""

from lightweights.baselines.baseline import Baseline
from lightweights.baselines.gate_qt import GateQuantumTrainWeights
from lightweights.baselines.hypernetwork import HypernetworkWeights
from lightweights.baselines.low_rank import Factorised
from lightweights.baselines.pruning import MagnitudePruned, StructurallyPruned
from lightweights.baselines.small_cnn import distilled
from lightweights.baselines.tensor_train import TensorTrainWeights
from lightweights.baselines.weight_sharing import SharedRows
from lightweights.networks import build_network
from lightweights.settings.baselines import (
    GateQuantumTrain,
    Hypernetwork,
    LowRank,
    MagnitudePruning,
    Pruning,
    SmallCNN,
    TensorTrain,
    WeightSharing,
)
from lightweights.settings.kinds import BaselineRun
from lightweights.training.randomness import stream


def build_baseline(settings: BaselineRun, input_shape: tuple[int, ...], classes: int, seed: int) -> Baseline:
    """The baseline of a run. The target network has the initial weights of the experiment ``classical`` with the same seed.

    Raises SettingsError naming the setting where it does not fit the network.
    """
    section = settings.baseline
    network = build_network(settings.network, input_shape, classes, seed)
    generator = stream(seed, "initial-values")
    match section:
        case WeightSharing():
            return SharedRows(section, network, generator)
        case Pruning():
            return StructurallyPruned(section, network)
        case MagnitudePruning():
            return MagnitudePruned(section, network)
        case LowRank():
            return Factorised(section, network, generator)
        case TensorTrain():
            return TensorTrainWeights(section, network, generator)
        case Hypernetwork():
            return HypernetworkWeights(section, network, generator)
        case GateQuantumTrain():
            return GateQuantumTrainWeights(section, network, generator)
        case SmallCNN():
            return distilled(section, settings.network, network, input_shape, classes, seed)
    raise TypeError(f"no baseline is made from {section!r}")

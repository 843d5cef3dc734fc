"""Other ways to a network of few trained parameters, classical and gate-based, beside which photonic Quantum-Train is put."""

from lightweights.baselines.baseline import Baseline, GeneratedWeights
from lightweights.baselines.build import build_baseline
from lightweights.baselines.training import baseline_epochs, begin_baseline

__all__ = ["Baseline", "GeneratedWeights", "baseline_epochs", "begin_baseline", "build_baseline"]

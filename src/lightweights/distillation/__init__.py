"""Photonic quantum-enhanced knowledge distillation (arXiv 2603.14898): features, losses, training of teachers and students, and tests of
the article's laws.
"""

from lightweights.distillation.feature import feature_size
from lightweights.distillation.sources import FeatureSource, build_source
from lightweights.training.loss import distillation_loss
from lightweights.training.spsa import spsa_step

__all__ = ["FeatureSource", "build_source", "distillation_loss", "feature_size", "spsa_step"]

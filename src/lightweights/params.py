"""The settings under their former address; they live in :mod:`lightweights.settings`."""

from lightweights.settings.base import Arguments, ImportedName, Name, Section, Seed, SettingsError, describe, shortened
from lightweights.settings.baselines import (
    Baseline,
    GateQuantumTrain,
    Hypernetwork,
    LowRank,
    MagnitudePruning,
    Pruning,
    SmallCNN,
    TensorTrain,
    WeightSharing,
    Width,
)
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.distillation import (
    TUNED_SOURCES,
    Channels,
    DistillationDataSection,
    FeatureSection,
    MixingKind,
    SourceName,
    StudentSection,
    TeacherSection,
    TimeBinSection,
)
from lightweights.settings.execution import Execution
from lightweights.settings.experiment import Experiment, variant_name
from lightweights.settings.limits import MOST_LEVELS, MOST_RUNS, MOST_VALUES
from lightweights.settings.mapping import MappingSection
from lightweights.settings.network import NetworkSection
from lightweights.settings.photonics import ArmName, NoiseSection, PhotonicsSection, Regeneration
from lightweights.settings.reading import json_schema, load_study
from lightweights.settings.runs import Run, RunSettings
from lightweights.settings.schedules import (
    ClassicalSchedule,
    CobylaSchedule,
    DistillationSchedule,
    GradientSchedule,
    Precision,
    RoundSchedule,
    Schedules,
    SpsaSchedule,
    StudentSchedule,
    TeacherSchedule,
)
from lightweights.settings.study import Study, StudySection, parse_study
from lightweights.settings.yaml_file import overlay

__all__ = [
    "MOST_LEVELS",
    "MOST_RUNS",
    "MOST_VALUES",
    "TUNED_SOURCES",
    "Arguments",
    "ArmName",
    "Baseline",
    "Channels",
    "ClassicalSchedule",
    "CobylaSchedule",
    "DatasetSection",
    "DistillationDataSection",
    "DistillationSchedule",
    "Execution",
    "Experiment",
    "FeatureSection",
    "GateQuantumTrain",
    "GradientSchedule",
    "Hypernetwork",
    "ImportedName",
    "LowRank",
    "MagnitudePruning",
    "MappingSection",
    "MixingKind",
    "Name",
    "NetworkSection",
    "NoiseSection",
    "PhotonicsSection",
    "Precision",
    "Pruning",
    "Regeneration",
    "RoundSchedule",
    "Run",
    "RunSettings",
    "Schedules",
    "Section",
    "Seed",
    "SettingsError",
    "SmallCNN",
    "SourceName",
    "SpsaSchedule",
    "StudentSchedule",
    "StudentSection",
    "Study",
    "StudySection",
    "TeacherSchedule",
    "TeacherSection",
    "TensorTrain",
    "TimeBinSection",
    "WeightSharing",
    "Width",
    "describe",
    "json_schema",
    "load_study",
    "overlay",
    "parse_study",
    "shortened",
    "variant_name",
]

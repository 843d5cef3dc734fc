"""The kinds of run that the library has."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lightweights.settings.baselines import Baseline, MagnitudePruning
from lightweights.settings.data_sets import taken_for
from lightweights.settings.distillation import (
    TUNED_SOURCES,
    DistillationDataSection,
    FeatureSection,
    StudentSection,
    TeacherSection,
    TimeBinSection,
)
from lightweights.settings.mapping import MappingSection
from lightweights.settings.network import NetworkSection
from lightweights.settings.photonics import PhotonicsSection, Regeneration
from lightweights.settings.runs import RunSettings, Work
from lightweights.settings.schedules import (
    ClassicalSchedule,
    CobylaSchedule,
    GradientSchedule,
    SpsaSchedule,
    StudentSchedule,
    TeacherSchedule,
)

IMAGES_PER_SHOT = 0.5
"""A shot of 8 photons in 16 modes takes about as long as half an image through a teacher."""

LEAST_BATCH = 128
"""Images that a step on the phases costs at least: what the photons take does not shrink with the batch."""

LARGEST_MATRIX_MB = 1024
"""Of a dictionary convolution's fixed matrix; a larger one is not kept (networks/dictionary.py)."""


class ClassicalRun(RunSettings):
    """The target network trained directly."""

    version, schedules, trainer = 1, ("classical",), "lightweights.methods.classical"

    method: Literal["classical"]
    network: NetworkSection
    schedule: ClassicalSchedule

    def work(self) -> Work:
        """Epochs of Adam on the network, and measuring after each."""
        return Work(self.schedule.protocol, _images(self) / 1e6)


class BaselineRun(RunSettings):
    """A competitor of photonic Quantum-Train."""

    version, schedules, trainer = 1, ("classical",), "lightweights.methods.baseline"

    method: Literal["baseline"]
    network: NetworkSection
    baseline: Baseline
    schedule: ClassicalSchedule

    @model_validator(mode="after")
    def _epochs_after_pruning(self) -> Self:
        if isinstance(self.baseline, MagnitudePruning):
            dense, epochs = self.baseline.dense_epochs, self.schedule.epochs
            if dense >= epochs:
                raise ValueError(f"baseline.dense_epochs is {dense}; of schedule.epochs = {epochs} at least one must be left after pruning")
        return self

    def work(self) -> Work:
        """As much as the network itself; what the baseline adds is part of its family's rate."""
        return Work(self.baseline.kind, _images(self) / 1e6)


class QuantumTrainRun(RunSettings):
    """A network whose weights photonic circuits generate."""

    version, schedules, trainer = 1, ("gradient", "cobyla", "spsa"), "lightweights.methods.quantum_train"

    method: Literal["quantum_train"]
    network: NetworkSection
    photonics: PhotonicsSection
    mapping: MappingSection
    regenerate: Regeneration | None = None
    schedule: Annotated[GradientSchedule | CobylaSchedule | SpsaSchedule, Field(discriminator="protocol")]

    @model_validator(mode="after")
    def _phases_for_cobyla(self) -> Self:
        protocol = self.schedule.protocol
        if protocol in ("cobyla", "spsa") and not self.trains_phases:
            arm = self.photonics.arm
            raise ValueError(f"photonics.arm {arm} trains no phases, so the schedule {protocol} has nothing to do; use gradient")
        return self

    @model_validator(mode="after")
    def _late_gradients(self) -> Self:
        if self.photonics.staleness and self.schedule.protocol != "gradient":
            raise ValueError(
                f"photonics.staleness is {self.photonics.staleness}, but schedule {self.schedule.protocol} needs probabilities at once"
            )
        return self

    @model_validator(mode="after")
    def _gradients_that_the_backend_has(self) -> Self:
        section = self.photonics
        if section.backend is None or self.schedule.protocol != "gradient" or not self.trains_phases:
            return self
        if section.backend == "merlin":
            raise ValueError("backend merlin tells probabilities given the herald, whose gradients cannot be asked for; use schedule spsa")
        if section.noise is not None and section.noise.phase_imprecision:
            raise ValueError(
                f"backend {section.backend} rounds phases (noise.phase_imprecision), so there is no gradient; use schedule spsa"
            )
        return self

    @model_validator(mode="after")
    def _exact_before_regeneration(self) -> Self:
        section = self.photonics
        if self.regenerate is not None and (section.imperfect or section.bunching or section.backend):
            raise ValueError("regenerate is for runs trained with exact collision-free probabilities; remove photonics.noise and the like")
        return self

    @model_validator(mode="after")
    def _mapping_that_can_be_trained(self) -> Self:
        if self.mapping.kind == "logit-tanh" and self.schedule.mapping_epochs:
            raise ValueError(
                f"schedule.mapping_epochs is {self.schedule.mapping_epochs}, but mapping.kind logit-tanh has no parameters; set it to 0"
            )
        return self

    @property
    def trains_phases(self) -> bool:
        """Whether there are phases that the schedule trains; an arm may have none, or leave them as they are."""
        arm = self.photonics.arm
        return arm in ("photonic", "photonic-unnormalised", "distinguishable", "distinguishable-matched") or ":" in arm

    def work(self) -> Work:
        """Rounds of epochs on the mapping, and passes of the phases' optimiser."""
        known, schedule = taken_for(self.dataset.name), self.schedule
        mapping = 3 * schedule.mapping_epochs * known.train
        if isinstance(schedule, GradientSchedule):
            passes = 3 * schedule.phase_steps
        else:
            passes = schedule.evaluations if isinstance(schedule, CobylaSchedule) else 2 * schedule.phase_steps
        phases = max(schedule.phase_batch_size, LEAST_BATCH) * passes
        images = schedule.rounds * (mapping + phases) + schedule.measurements * (known.train + known.test)
        return Work(schedule.protocol, images * known.numbers / 784 / 1e6)


class TeacherRun(RunSettings):
    """A teacher, trained on labels."""

    version, schedules, trainer = 1, ("teacher",), "lightweights.methods.distillation"
    large = True

    method: Literal["teacher"]
    distillation_data: DistillationDataSection
    teacher: TeacherSection
    schedule: TeacherSchedule

    def work(self) -> Work:
        """Epochs of Adam on the teacher."""
        return _distillation(self, self.teacher.widths, 0, 0, 0)


class StudentRun(RunSettings):
    """A student that learns from a teacher, its kernels mixed from a dictionary by a photonic feature."""

    version, schedules, trainer = 1, ("student",), "lightweights.methods.distillation"
    large = True
    learns_from = "teacher"

    method: Literal["student"]
    time_bin: TimeBinSection | None = None
    feature: FeatureSection | None = None
    distillation_data: DistillationDataSection
    student: StudentSection
    teacher: TeacherSection
    teacher_schedule: TeacherSchedule
    teacher_version: int
    schedule: StudentSchedule

    @model_validator(mode="after")
    def _feature_that_is_taken(self) -> Self:
        if self.student.takes_feature and (self.time_bin is None or self.feature is None):
            raise ValueError("time_bin and feature are missing, which a student with a generated mixing needs")
        return self

    @classmethod
    def from_source(cls, source: RunSettings) -> dict[str, Any]:
        """The teacher's network, schedule and version."""
        return {
            "teacher": source.teacher.model_dump(),
            "teacher_schedule": source.schedule.model_dump(),
            "teacher_version": source.numerics_version,
        }

    @classmethod
    def shared_with_source(cls) -> tuple[str, ...]:
        """Teacher and student see the same images."""
        return ("dataset", "distillation_data")

    @classmethod
    def without_idle(cls, tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        """A student whose mixing is not generated has no feature."""
        if StudentSection.model_validate(tree["student"]).takes_feature:
            return tree
        idle = [path for path in changes if path.startswith(("time_bin.", "feature."))]
        if idle:
            raise ValueError(f"{idle[0]} does nothing, as no mixing of this student is generated; remove it")
        return tree | {"time_bin": None, "feature": None}

    @property
    def source(self) -> TeacherRun:
        """The settings of the student's teacher."""
        return TeacherRun(
            method="teacher",
            numerics_version=self.teacher_version,
            dataset=self.dataset,
            distillation_data=self.distillation_data,
            teacher=self.teacher,
            schedule=self.teacher_schedule,
        )

    def work(self) -> Work:
        """Epochs of Adam on the student, the teacher's answers, and features for SPSA."""
        extra, shots, schedule, feature = 0, 0, self.schedule, self.feature
        if feature is not None:
            features = 2 * schedule.spsa_steps * (feature.source in TUNED_SOURCES)
            extra = features * schedule.spsa_batches * schedule.batch_size
            own = 0 if feature.shots == "exact" else feature.shots
            shots = (feature.fit_shots or own) * feature.fit_draws + own * schedule.epochs * (features + 1)
        return _distillation(self, self.student.widths or self.teacher.widths, extra, shots, self._matrices_mb())

    def _matrices_mb(self) -> int:
        """MiB of the matrices that turn the feature into the mixing tensors of the convolutions."""
        if self.student.mixing == "trained":
            return 0
        widths = self.student.widths or self.teacher.widths
        inputs = (taken_for(self.dataset.name).shape[0], *widths)
        layers = {"none": 0, "conv1": 1, "partial": 2, "extreme": 3}[self.student.compressed]
        length = self.student.latent if self.time_bin is None else 2 * 2 ** (self.time_bin.modes // 2)
        sizes = [
            4 * taken * given * self.student.rank * length / 2**20 for taken, given in zip(inputs[:layers], widths[:layers], strict=True)
        ]
        return math.ceil(sum(min(size, LARGEST_MATRIX_MB) for size in sizes))


def _images(run: ClassicalRun | BaselineRun) -> float:
    """Images of all epochs, each with its number of pixels relative to 28 x 28."""
    known, schedule = taken_for(run.dataset.name), run.schedule
    return (schedule.epochs * 3 * known.train + schedule.measurements * (known.train + known.test)) * known.numbers / 784


def _distillation(run: TeacherRun | StudentRun, widths: tuple[int, int, int], extra: int, shots: int, memory_mb: int) -> Work:
    """Images through a teacher of the published widths, each counted with its multiplications relative to that. ``extra``: images in an
    epoch besides those that all networks train and are measured on.
    """
    known, schedule = taken_for(run.dataset.name), run.schedule
    held = min(run.distillation_data.validation_images, known.train // 10)
    kept = min(known.train - held, run.distillation_data.train_images or known.train)
    each = 3 * kept + min(kept, schedule.measured_train_images or kept) + held + known.test + extra
    once = kept + held if isinstance(run, StudentRun) else 0
    channels = known.shape[0]
    scale = multiplications(widths, known.numbers // channels, channels) / multiplications((64, 128, 128), 784, 1)
    family = "distillation_bfloat16" if schedule.precision == "bfloat16" else "distillation"
    return Work(family, ((schedule.epochs * each + once) * scale + IMAGES_PER_SHOT * shots) / 1e6, 13, memory_mb, alone=True)


def multiplications(widths: tuple[int, int, int], pixels: int, channels: int) -> int:
    """Of a teacher's convolutions on one image."""
    first, second, third = widths
    return pixels * (25 * channels * first + 9 * first * second // 4 + 9 * second * third // 16)

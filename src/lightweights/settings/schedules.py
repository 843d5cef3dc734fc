"""How long and how fast is trained."""

from typing import ClassVar, Literal

from pydantic import Field

from lightweights.settings.base import Grown, Section

Precision = Literal["auto", "float32", "bfloat16"]


def steps_of(schedule: Section) -> int:
    """Rounds or epochs of a schedule."""
    return schedule.rounds if "rounds" in type(schedule).model_fields else schedule.epochs  # type: ignore[attr-defined]


class Measured(Grown):
    """What is measured after each round or epoch, or less often: a training goes the same way whenever it is looked at."""

    later: ClassVar[tuple[str, ...]] = ("measure_every",)

    measure_every: int = Field(1, ge=1, le=100_000, description="Measured after every so many rounds or epochs, and after the last.")

    def measured(self, number: int) -> bool:
        """Whether the network is measured after that round or epoch, counted from 1."""
        return number % self.measure_every == 0 or number == steps_of(self)

    @property
    def measurements(self) -> int:
        """How many times a training is measured."""
        return -(-steps_of(self) // self.measure_every)


class ClassicalSchedule(Measured):
    protocol: Literal["classical"] = "classical"
    epochs: int = Field(50, ge=1, le=100_000, description="Epochs of Adam on the network's own weights.")
    lr: float = Field(1e-3, gt=0, le=10, description="Learning rate.")
    batch_size: int = Field(128, ge=1, le=1_000_000, description="Images in a minibatch.")


class RoundSchedule(Measured):
    """What both protocols share: a round trains the mapping with the phases fixed, then the phases with the mapping fixed."""

    rounds: int = Field(200, ge=1, le=100_000, description="Rounds of training.")
    mapping_epochs: int = Field(5, ge=0, le=10_000, description="Epochs of Adam on the mapping in a round.")
    mapping_lr: float = Field(1e-3, gt=0, le=10, description="Learning rate of the mapping.")
    batch_size: int = Field(128, ge=1, le=1_000_000, description="Images in a minibatch of the mapping's epochs.")
    phase_batch_size: int = Field(1000, ge=1, le=1_000_000, description="Images in a batch of the phases' optimiser.")


class GradientSchedule(RoundSchedule):
    protocol: Literal["gradient"] = "gradient"
    phase_steps: int = Field(20, ge=0, le=1_000_000, description="Adam steps on the phases in a round, each on a fresh random batch.")
    phase_lr: float = Field(1e-2, gt=0, le=10, description="Learning rate of the phases.")
    phase_clip: float | None = Field(None, gt=0, le=1e6, description="Largest norm of the phases' gradient; longer ones are cut to it.")


class CobylaSchedule(RoundSchedule):
    later = (*RoundSchedule.later, "implementation")

    protocol: Literal["cobyla"] = "cobyla"
    evaluations: int = Field(1000, ge=1, le=1_000_000, description="Largest number of evaluations of COBYLA in a round.")
    implementation: Literal["scipy", "powell"] = Field(
        "scipy", description="SciPy's COBYLA, a new one since SciPy 1.16, or Powell's own, which SciPy had before."
    )


class SpsaSchedule(RoundSchedule):
    protocol: Literal["spsa"] = "spsa"
    phase_steps: int = Field(20, ge=1, le=1_000_000, description="Steps in a round, of two evaluations each, each on a fresh random batch.")
    gain: float = Field(0.05, gt=0, le=1e6, description="Gain a: step k is a / k^0.602 times the estimated slope.")
    perturbation: float = Field(0.1, gt=0, le=3.2, description="Perturbation c of all phases at once: c / k^0.101, radians.")


class DistillationSchedule(Section):
    """What teachers and students share."""

    epochs: int = Field(100, ge=1, le=100_000, description="Epochs of Adam.")
    lr: float = Field(1e-3, gt=0, le=10, description="Learning rate.")
    batch_size: int = Field(64, ge=1, le=1_000_000, description="Images in a minibatch.")
    precision: Precision = Field("auto", description="float32; bfloat16 (mixed precision); auto is bfloat16 on a GPU and float32 on a CPU.")
    measured_train_images: int | None = Field(
        None, ge=1, le=1_000_000, description="Training images that accuracy and the like are measured on after each epoch; all unless set."
    )


class TeacherSchedule(DistillationSchedule):
    protocol: Literal["teacher"] = "teacher"
    keep: Literal["last", "best"] = Field("last", description="The teacher of the last epoch, or of the best validation accuracy.")


class StudentSchedule(DistillationSchedule):
    protocol: Literal["student"] = "student"
    temperature: float = Field(3.0, gt=0, le=1000, description="Temperature tau of the distillation.")
    hard_weight: float = Field(0.5, ge=0, le=1, description="Weight of the labels' cross-entropy; the teacher's answers have the rest.")
    ema: float = Field(0.9, ge=0, lt=1, description="Share beta of the feature's moving average kept at each epoch; 0 is no averaging.")
    spsa_steps: int = Field(10, ge=0, le=100_000, description="SPSA steps on the angles in an epoch, two evaluations each.")
    spsa_gain: float = Field(0.05, gt=0, le=1e6, description="Step size a.")
    spsa_perturbation: float = Field(0.1, gt=0, le=3.2, description="Perturbation c of all angles at once, radians.")
    spsa_batches: int = Field(5, ge=1, le=100_000, description="Validation batches of an evaluation.")
    spsa_feature: Literal["raw", "ema"] = Field("raw", description="Angles are judged by the raw feature, or by the average with it in.")
    evaluation: Literal["ema", "fresh"] = Field(
        "ema", description="Measured with the epoch's averaged feature, or with a fresh one of thrice the shots."
    )


class Schedules(Section):
    classical: ClassicalSchedule = Field(default_factory=ClassicalSchedule, description="The target network trained directly.")
    gradient: GradientSchedule = Field(default_factory=GradientSchedule, description="Exact gradients on the phases (our default).")
    cobyla: CobylaSchedule = Field(default_factory=CobylaSchedule, description="COBYLA over all phases, without gradients.")
    spsa: SpsaSchedule = Field(default_factory=SpsaSchedule, description="Random perturbations: two evaluations a step, for devices.")
    teacher: TeacherSchedule = Field(default_factory=TeacherSchedule, description="Teachers, on hard labels; as published unless set.")
    student: StudentSchedule = Field(default_factory=StudentSchedule, description="Students, by distillation; as published unless set.")

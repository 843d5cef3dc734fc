"""Every setting of a study: one typed model, the only place that knows names, types, defaults and bounds.

``params.yaml`` is the study ``paper``; the files in ``workflow/presets`` are overlays on it. A study is a set of
shared sections (data set, network, photonics, mapping, schedules) and a set of experiments; an experiment names a
method, its seeds, and what it varies. Expanding an experiment gives :class:`RunSettings`: all that decides the
numbers of a run, seed aside.
"""

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lightweights.errors import LightweightsError
from lightweights.study.files import read_yaml

NUMERICS_VERSION = {"classical": 1, "quantum_train": 1, "baseline": 1, "teacher": 1, "student": 1}
"""Version of the numbers that each method computes. Raise it with any change that alters a run's metrics."""

RESERVED = {"all", "prepare", "prepare_data", "train_run", "collect", "draw_table", "draw_figure", "score_claims", "summary"}
"""Names of the workflow's own targets, which no experiment can have."""

MOST_RUNS, MOST_VALUES, MOST_LEVELS = 100_000, 200_000, 50
"""Runs that a study can have, values that its settings can, and levels of settings within settings."""

ArmName = Literal[
    "photonic",
    "photonic-frozen",
    "mps-only",
    "product-free",
    "distinguishable",
    "distinguishable-matched",
    "classical-light",
    "classical-light-used",
    "gaussian-fixed",
    "gaussian-matched",
    "dirichlet-fixed",
    "gaussian-resampled",
    "paper-random",
    "photonic-unnormalised",
    "gaussian-unnormalised",
]
"""The arms of the ablation."""

SourceName = Literal[
    "photonic",
    "photonic-frozen",
    "distinguishable",
    "coherent",
    "one-photon",
    "zero",
    "uniform",
    "gaussian-fixed",
    "gaussian-matched",
    "gaussian-resampled",
]
"""Where a distilled student's features come from."""
TUNED_SOURCES: tuple[SourceName, ...] = ("photonic", "distinguishable", "coherent", "one-photon")
"""Those whose angles are tuned."""

Method = Literal["classical", "quantum_train", "baseline", "teacher", "student"]
Precision = Literal["auto", "float32", "bfloat16"]
MixingKind = Literal["generated", "trained", "latent"]

ImportedName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", max_length=200)]
Arguments = Annotated[
    dict[Annotated[str, Field(max_length=100)], int | float | Annotated[str, Field(max_length=1000)] | bool], Field(max_length=100)
]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class SettingsError(LightweightsError, ValueError):
    """A setting that cannot be used; the message names its path, its value and what would be right."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StudySection(Section):
    name: Name = Field("paper", description="Name of the study; its files live in results/<name>.")
    title: str = Field("Photonic Quantum-Train", max_length=200, description="Title of the report.")
    only: list[Name] | None = Field(None, description="Experiments that the study is made of; all that are listed unless set.")
    clock_mhz: float = Field(80.0, gt=0, le=1e6, description="Clock of the photon sources, MHz: for times on a device, not for any run.")


class DatasetSection(Section):
    name: str = Field(
        "mnist-partial",
        pattern=r"^(digits|mnist-partial|mnist|fashion-mnist|cifar-10|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$",
        max_length=200,
        description="Data set to train on; or package.module:factory, called as factory(**arguments) (docs/own_data.md).",
    )
    arguments: Arguments | None = Field(None, description="Keyword arguments of an imported factory.")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Digest that the data of an imported factory must have; not checked unless set."
    )
    test_fraction: float = Field(
        0.25, ge=0.05, le=0.5, description="Share of the digits held out for testing; the other sets come with their own split."
    )
    split_seed: Seed = Field(0, description="Seed of the digits' stratified split.")


class NetworkSection(Section):
    name: str = Field(
        "cnn",
        pattern=r"^([a-z0-9-]+|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$",
        max_length=200,
        description="Target network: cnn (published notebooks), cnn-relu (published slides), cnn-merlin (MerLin's notebook), or "
        "package.module:factory, called as factory(input_shape, classes, **arguments).",
    )
    arguments: Arguments = Field(default_factory=dict, description="Keyword arguments of an imported factory.")


class NoiseSection(Section):
    """Imperfections of the devices, by Perceval's names; as they stand here there are none."""

    brightness: float = Field(1.0, ge=0, le=1, description="Probability that a source emits in a clock cycle.")
    indistinguishability: float = Field(1.0, ge=0, le=1, description="Mean overlap of two photons (visibility of Hong, Ou and Mandel).")
    g2: float = Field(0.0, ge=0, le=1, description="Second-order correlation g2(0) of a source: how often it emits two photons.")
    g2_distinguishable: bool = Field(True, description="The second photon of a source interferes with nothing.")
    transmittance: float = Field(1.0, ge=0, le=1, description="Probability that a photon is not lost, from source to detector.")
    phase_imprecision: float = Field(0.0, ge=0, le=6.3, description="Step of the phases that phase shifters can be set to, radians.")
    phase_error: float = Field(0.0, ge=0, le=3.1415926, description="Largest random error of a phase, new at each evaluation, radians.")
    splitter_bias: float = Field(
        0.0,
        ge=-3.1415926,
        le=3.1415926,
        description="Angle added to that of every beam splitter, the same always, radians (not Perceval's).",
    )

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if self.brightness * self.g2 > 0.5:
            raise ValueError(f"no source has brightness {self.brightness} and g2 {self.g2}: their product is at most 0.5; lower either")
        return self


class PhotonicsSection(Section):
    circuits: Literal["auto"] | list[tuple[int, int]] = Field(
        [(9, 4), (8, 4)],
        description="[modes, photons] of each circuit, or auto: the two smallest half-filled circuits with enough outcomes.",
    )
    mesh: Literal["notebook", "clements", "mzi"] = Field(
        "notebook",
        description="Interferometer: notebook (M-1 layers of beam splitter and two phase shifters), clements (the same crossings, "
        "M layers, universal), mzi (M layers of Mach-Zehnder interferometers).",
    )
    input_state: Literal["spaced", "alternating", "first"] | list[list[int]] = Field(
        "spaced",
        description="Where the photons enter: spaced evenly (notebooks), alternating 0101... (paper), the first modes, or photon "
        "numbers mode by mode, one list a circuit.",
    )
    bunching: bool = Field(False, description="Keep outcomes with several photons in one mode.")
    normalisation: Literal["mean", "sum", "none"] = Field(
        "mean", description="Probabilities are divided by their mean (notebooks), by their sum, or not at all."
    )
    arm: ArmName | ImportedName | None = Field(
        None,
        description="Arm of the ablation: what multiplies the mapping's slope (docs/ablation.md); photonic unless set. Or "
        "package.module:factory, called as factory(weight_count, factors, generator) (docs/own_arm.md).",
    )
    noise: NoiseSection | None = Field(None, description="Imperfections of the devices; none unless set (docs/noise.md).")
    detectors: Literal["threshold", "pnr"] | None = Field(
        None, description="threshold detectors click or not (unless set); pnr count photons. With noise or a budget of cycles."
    )
    post_selection: Literal["exactly", "at_least"] | None = Field(
        None, description="A clock cycle counts when exactly N modes click (unless set), or at least N photons are detected."
    )
    cycles: int | None = Field(
        None, ge=1, le=10**15, description="Clock cycles that each circuit runs for each evaluation; exact probabilities unless set."
    )

    staleness: int | None = Field(
        None, ge=0, le=1000, description="Rounds that the devices' probabilities come late in asynchronous training; at once unless set."
    )

    backend: Literal["perceval", "perceval-remote", "merlin"] | None = Field(
        None, description="Who answers in place of our own numbers: Perceval here, a platform far away, or MerLin (docs/noise.md)."
    )
    platform: str | None = Field(
        None,
        pattern=r"^(quandela|scaleway):[A-Za-z0-9_:.-]{1,100}$",
        description="Platform of backend perceval-remote, provider:name; the token comes from the environment.",
    )
    shots: int | None = Field(
        None, ge=1, le=10**12, description="Detections that one evaluation of one circuit may cost on backend perceval-remote."
    )

    @property
    def imperfect(self) -> bool:
        """Whether probabilities are those of a device: with noise, with its detectors, or from counts."""
        return any(setting is not None for setting in (self.noise, self.detectors, self.post_selection, self.cycles))

    @property
    def of_distinguishable_photons(self) -> bool:
        """Whether the arm's photons do not interfere."""
        return self.arm in ("distinguishable", "distinguishable-matched")

    @model_validator(mode="after")
    def _backend_that_answers(self) -> Self:
        remote = self.backend == "perceval-remote"
        for name in ("platform", "shots"):
            if (getattr(self, name) is not None) != remote:
                raise ValueError(f"{name} is {getattr(self, name)}, backend {self.backend}: perceval-remote needs it, no other has it")
        if self.backend is not None and (self.cycles is not None or self.bunching or self.of_distinguishable_photons):
            raise ValueError(f"backend {self.backend} has no cycles, bunching or arm distinguishable; remove them")
        if self.backend is not None and self.post_selection == "at_least":
            raise ValueError(f"backend {self.backend} counts cycles in which exactly N modes click; remove post_selection at_least")
        if self.backend == "merlin" and (self.noise is not None or self.detectors is not None):
            raise ValueError("backend merlin is exact: remove noise and detectors")
        if remote and (self.detectors is not None or (self.noise is not None and self.noise.splitter_bias)):
            raise ValueError(
                "backend perceval-remote has detectors and beam splitters of its own: remove detectors and noise.splitter_bias"
            )
        return self

    @model_validator(mode="after")
    def _device_that_exists(self) -> Self:
        if self.imperfect and (self.bunching or self.of_distinguishable_photons):
            other = "bunching" if self.bunching else f"arm {self.arm}"
            raise ValueError(f"{other} is for perfect devices; remove noise, detectors, post_selection and cycles")
        if self.noise is not None and self.noise.splitter_bias and self.mesh == "mzi":
            raise ValueError("noise.splitter_bias needs beam splitters whose angle is set; use mesh notebook or clements")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.circuits == "auto":
            if isinstance(self.input_state, list):
                raise ValueError("input_state must be named (spaced, alternating, first) when circuits is auto")
            return self
        if not 1 <= len(self.circuits) <= 8:
            raise ValueError(f"circuits has {len(self.circuits)} entries; 1 to 8 are possible")
        for modes, photons in self.circuits:
            if not 2 <= modes <= 32:
                raise ValueError(f"circuits: {modes} modes; 2 to 32 are possible")
            if photons < 1 or (photons > modes and not self.bunching):
                raise ValueError(f"circuits: {photons} photons in {modes} modes; 1 to {modes} are possible without bunching")
            if self.input_state == "alternating" and 2 * photons > modes:
                raise ValueError(f"input_state alternating: {photons} photons need at least {2 * photons} modes, there are {modes}")
            if self.input_state in ("spaced", "first") and photons > modes:
                raise ValueError(f"input_state {self.input_state}: {photons} photons need at least {photons} modes")
        if isinstance(self.input_state, list):
            sums = [(len(state), sum(state)) for state in self.input_state]
            if sums != list(self.circuits) or any(n < 0 for state in self.input_state for n in state):
                raise ValueError(f"input_state has [modes, photons] {sums}, circuits has {list(self.circuits)}")
        return self


class MappingSection(Section):
    bond_dim: int = Field(4, ge=1, le=4096, description="Bond dimension chi of the matrix product state.")
    init_std: float = Field(1e-9, ge=0, le=10, description="Standard deviation of the initial values around the identity.")
    kind: Literal["mps", "logit-tanh"] | None = Field(
        None,
        description="From probabilities to weights: mps unless set; logit-tanh (MerLin's notebook) has no parameters, and uses neither "
        "bond_dim nor init_std.",
    )


class TimeBinSection(Section):
    """The time-bin interferometer that gives distilled students their features."""

    modes: int = Field(16, ge=2, le=24, multiple_of=2, description="Time bins N, an even number: the feature has 2 * 2^(N/2) numbers.")
    tiles: int = Field(2, ge=1, le=32, description="Loops, each of N - 1 beam splitters with an angle each.")
    input_state: list[Annotated[int, Field(ge=0, le=24)]] | None = Field(
        None, description="Photon numbers, one a time bin; 1, 0, 1, 0, ... unless set."
    )
    half_angle: bool = Field(False, description="Beam splitters turn by half their angle.")
    theta_start: Literal["zero", "uniform"] = Field("zero", description="Angles at the start: all 0, or uniform in [-pi, pi).")

    @model_validator(mode="after")
    def _photons_in_bins(self) -> Self:
        state = self.input_state
        if state is not None and (len(state) != self.modes or not 1 <= sum(state) <= 16):
            raise ValueError(f"input_state {state}: expected {self.modes} photon numbers, 1 to 16 photons together")
        return self


class FeatureSection(Section):
    """The photonic feature, or what a control puts in its place."""

    source: SourceName = Field("photonic", description="Where features come from (docs/pqkd.md).")
    shots: Annotated[int, Field(ge=1, le=10_000_000)] | Literal["exact"] = Field(
        200, description="Shots S of a feature; exact is their expectation, without shot noise."
    )
    standardised: bool = Field(True, description="By each bin's mean and deviation, fitted once; else raw frequencies.")
    fit_draws: int = Field(256, ge=2, le=1_000_000, description="Random settings of the angles that the standardisation is fitted at.")
    fit_shots: int | None = Field(
        None, ge=1, le=10_000_000, description="Shots at each of these settings; as many as a feature's unless set."
    )


Channels = Annotated[int, Field(ge=1, le=4096)]


class TeacherSection(Section):
    """A teacher's network: three convolutions, global average pooling, one linear layer."""

    widths: tuple[Channels, Channels, Channels] = Field((64, 128, 128), description="Channels c1, c2, c3 of the convolutions.")
    dropout: float = Field(0.25, ge=0, lt=1, description="Share of the last convolution's outputs dropped in training.")


class StudentSection(Section):
    """A student's network: the teacher's, with dictionary convolutions."""

    compressed: Literal["none", "conv1", "partial", "extreme"] = Field(
        "partial", description="Convolutions with a dictionary: none, the first, the first two, all three."
    )
    rank: int = Field(8, ge=1, le=4096, description="Basis filters R of a dictionary.")
    mixing: MixingKind = Field(
        "generated", description="How basis filters are mixed: by a generated feature, by trained numbers, by a trained latent vector."
    )
    latent: int | None = Field(
        None, ge=1, le=65_536, description="Numbers in each layer's latent vector, for mixing latent; 512 unless set."
    )
    widths: tuple[Channels, Channels, Channels] | None = Field(None, description="Channels of the convolutions; the teacher's unless set.")

    @model_validator(mode="after")
    def _latent_in_use(self) -> Self:
        if self.latent is not None and self.mixing != "latent":
            raise ValueError(f"latent is {self.latent}, but mixing is {self.mixing}; remove it, or set mixing to latent")
        return self

    @property
    def takes_feature(self) -> bool:
        """Whether anything is generated from a feature."""
        return self.compressed != "none" and self.mixing == "generated"


class DistillationDataSection(Section):
    validation_images: int = Field(
        5000,
        ge=1,
        le=1_000_000,
        description="Images held out of training, at most a tenth: for validation, and for the angles.",
    )
    train_images: int | None = Field(None, ge=1, le=1_000_000, description="Images kept of the rest, chosen by the seed; all unless set.")


class ClassicalSchedule(Section):
    protocol: Literal["classical"] = "classical"
    epochs: int = Field(50, ge=1, le=100_000, description="Epochs of Adam on the network's own weights.")
    lr: float = Field(1e-3, gt=0, le=10, description="Learning rate.")
    batch_size: int = Field(128, ge=1, le=1_000_000, description="Images in a minibatch.")


class RoundSchedule(Section):
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
    protocol: Literal["cobyla"] = "cobyla"
    evaluations: int = Field(1000, ge=1, le=1_000_000, description="Largest number of evaluations of COBYLA in a round.")


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
    cobyla: CobylaSchedule = Field(default_factory=CobylaSchedule, description="The published notebooks' protocol.")
    spsa: SpsaSchedule = Field(default_factory=SpsaSchedule, description="Random perturbations: two evaluations a step, for devices.")
    teacher: TeacherSchedule = Field(default_factory=TeacherSchedule, description="Teachers, on hard labels; as published unless set.")
    student: StudentSchedule = Field(default_factory=StudentSchedule, description="Students, by distillation; as published unless set.")


FITTING: dict[Method, tuple[str, ...]] = {
    "classical": ("classical",),
    "quantum_train": ("gradient", "cobyla", "spsa"),
    "baseline": ("classical",),
    "teacher": ("teacher",),
    "student": ("student",),
}
"""Schedules that fit a method, its default first."""


Width = Annotated[int, Field(ge=1, le=100_000)]


class WeightSharing(Section):
    kind: Literal["weight_sharing"]
    rows: int = Field(10, ge=1, le=100_000, description="Different rows of the largest linear layer; must divide its outputs.")


class Pruning(Section):
    kind: Literal["pruning"]
    ratio: float = Field(0.5, ge=0, lt=1, description="Share of filters and input columns pruned before training.")


class MagnitudePruning(Section):
    kind: Literal["magnitude_pruning"]
    parameters: int = Field(3292, ge=1, le=1_000_000_000, description="Parameters kept: the largest weights, and all biases.")
    dense_epochs: int = Field(25, ge=1, le=100_000, description="Epochs before pruning; the rest of the schedule trains what is kept.")


class LowRank(Section):
    kind: Literal["low_rank"]
    rank: int = Field(4, ge=1, le=10_000, description="Rank of each weight matrix; a layer that this would not make smaller stays dense.")


class TensorTrain(Section):
    kind: Literal["tensor_train"]
    rank: int = Field(6, ge=1, le=4096, description="Rank of the quantised tensor train that holds all weights.")


class Hypernetwork(Section):
    kind: Literal["hypernetwork"]
    widths: list[Width] = Field([19, 20], min_length=1, max_length=8, description="Hidden widths of the perceptron on the index bits.")


class GateQuantumTrain(Section):
    kind: Literal["gate_qt"]
    layers: int = Field(86, ge=1, le=10_000, description="Layers of rotations, each followed by a ladder of CNOTs.")
    widths: list[Width] = Field(
        [4, 20, 4], min_length=1, max_length=8, description="Hidden widths of the mapping on index bits and probability."
    )


class SmallCNN(Section):
    kind: Literal["small_cnn"]
    widths: tuple[Width, Width, Width] = Field((3, 6, 4), description="The student's channels of both convolutions, and hidden units.")
    temperature: float = Field(3.0, gt=0, le=1000, description="Temperature tau of the distillation.")
    label_share: float = Field(0.5, ge=0, le=1, description="Weight of the labels' cross-entropy; the teacher's answers have the rest.")


Baseline = Annotated[
    WeightSharing | Pruning | MagnitudePruning | LowRank | TensorTrain | Hypernetwork | GateQuantumTrain | SmallCNN,
    Field(discriminator="kind"),
]


class Regeneration(Section):
    """Devices that are to generate the weights anew after training: one with this noise, and others that differ from it in one setting."""

    noise: NoiseSection = Field(description="Noise of the device.")
    vary: dict[str, Annotated[list[float], Field(max_length=100)]] = Field(
        default_factory=dict, description="Settings of the noise, or cycles, that are varied one at a time: name to values."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name, values in self.vary.items():
            if name not in (*NoiseSection.model_fields, "cycles"):
                raise ValueError(f"vary.{name}: no such setting; there are {', '.join(NoiseSection.model_fields)}, cycles")
            if not values:
                raise ValueError(f"vary.{name} is empty; give at least one value")
        for name, values in self.vary.items():
            for value in values:
                if name == "cycles" and (value < 1 or value != int(value)):
                    raise ValueError(f"vary.cycles has {value}; expected whole numbers of clock cycles")
                if name != "cycles":
                    NoiseSection.model_validate(self.noise.model_dump() | {name: value})
        return self

    def devices(self) -> dict[str, PhotonicsSection]:
        """The devices by name: ``base``, then ``g2=0.1`` and so on. Only noise and cycles of the sections matter."""
        found = {"base": PhotonicsSection(noise=self.noise)}
        for name, values in self.vary.items():
            for value in values:
                if name == "cycles":
                    found[f"cycles={value:g}"] = PhotonicsSection(noise=self.noise, cycles=int(value))
                else:
                    noise = NoiseSection.model_validate(self.noise.model_dump() | {name: value})
                    found[f"{name}={value:g}"] = PhotonicsSection(noise=noise)
        return found


class Experiment(Section):
    method: Method = Field(description="What is trained.")
    numerics_version: int = Field(1, ge=1, description="Version of the method's numbers that the runs belong to.")
    part: Name | None = Field(None, description="Target of the workflow that trains this experiment with all others of the same part.")
    schedule: Literal["classical", "gradient", "cobyla", "spsa", "teacher", "student"] | None = Field(
        None, description="Which of the schedules; by default gradient for quantum_train, classical for classical and baseline."
    )
    teacher: Name | None = Field(
        None, description="Experiment that trains the teachers, for method student: same seed, data and images as the student's."
    )
    baseline: Baseline | None = Field(None, description="What the method baseline trains; for this method only.")
    regenerate: Regeneration | None = Field(
        None,
        description="Imperfect devices that generate the weights anew after training, to see what accuracy is left. Training is exact.",
    )
    seeds: list[Seed] = Field(description="One run a seed; none means that the experiment is left out.")
    override: dict[str, Any] = Field(default_factory=dict, description="Settings of this experiment's runs that differ: path to value.")
    vary: dict[str, list[Any]] = Field(default_factory=dict, description="Settings that are varied: path to values; all combinations run.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = NUMERICS_VERSION[self.method]
        if self.numerics_version != known:
            raise ValueError(
                f"numerics_version is {self.numerics_version}, but this code computes version {known} of method "
                f"{self.method}: set it to {known} to run anew, or check out the code that made the old runs"
            )
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds {self.seeds} has a number twice")
        both = sorted(set(self.vary) & set(self.override))
        if both:
            raise ValueError(f"{both[0]} stands in both override and vary; keep it in one of them")
        for path, values in self.vary.items():
            if not values:
                raise ValueError(f"vary.{path} is empty; give at least one value (seeds: [] leaves the experiment out)")
        if self.schedule is not None and self.schedule not in FITTING[self.method]:
            raise ValueError(f"schedule {self.schedule} does not fit method {self.method}")
        if (self.baseline is None) == (self.method == "baseline"):
            remedy = "give one, for example {kind: pruning}" if self.baseline is None else "remove it, or set method to baseline"
            raise ValueError(f"method is {self.method} and section baseline is {'missing' if self.baseline is None else 'there'}; {remedy}")
        if self.regenerate is not None and self.method != "quantum_train":
            raise ValueError(f"regenerate is for method quantum_train, not {self.method}: remove it")
        if (self.teacher is None) == (self.method == "student"):
            remedy = "name the experiment that trains it" if self.teacher is None else "remove it, or set method to student"
            raise ValueError(f"method is {self.method} and teacher is {self.teacher or 'missing'}; {remedy}")
        return self


class Execution(Section):
    """How runs are executed. Nothing here belongs to a run's identity."""

    threads: int = Field(1, ge=1, le=256, description="Threads of one run; bit-identical repetition needs the same number.")
    device: Literal["auto", "cpu", "cuda"] = Field("cpu", description="Where runs train; auto takes a GPU when there is one.")
    checkpoint_seconds: float = Field(
        30.0, ge=0, le=86_400, description="A run saves its state at the first round or epoch end after this time."
    )
    gpus: list[Annotated[int, Field(ge=0, le=63)]] = Field(
        default_factory=list,
        max_length=64,
        description="GPUs of this machine, as nvidia-smi numbers them, each lent to one run at a time; empty where a scheduler does that.",
    )

    @model_validator(mode="after")
    def _gpus_in_use(self) -> Self:
        if self.gpus and self.device == "cpu":
            raise ValueError(f"gpus is {self.gpus}, but device is cpu; set it to cuda")
        return self


class RunSettings(Section):
    """All that decides the numbers of a run, its seed aside. Sections that a method does not use are None.

    None is never written: a setting that enters later, with None for "as before", leaves the identity of older runs as it is.
    """

    method: Method
    numerics_version: int
    dataset: DatasetSection
    network: NetworkSection | None = None
    baseline: Baseline | None = None
    photonics: PhotonicsSection | None = None
    mapping: MappingSection | None = None
    regenerate: Regeneration | None = None
    time_bin: TimeBinSection | None = None
    feature: FeatureSection | None = None
    distillation_data: DistillationDataSection | None = None
    student: StudentSection | None = None
    teacher: TeacherSection | None = None
    teacher_schedule: TeacherSchedule | None = None
    teacher_version: int | None = None
    schedule: Annotated[
        ClassicalSchedule | GradientSchedule | CobylaSchedule | SpsaSchedule | TeacherSchedule | StudentSchedule,
        Field(discriminator="protocol"),
    ]

    @model_validator(mode="after")
    def _sections_of_the_method(self) -> Self:
        needed = {
            "teacher": ("distillation_data", "teacher"),
            "student": ("distillation_data", "student", "teacher", "teacher_schedule", "teacher_version"),
        }
        for section in needed.get(self.method, ("network",)):
            if getattr(self, section) is None:
                raise ValueError(f"{section} is missing, which method {self.method} needs")
        if self.student is not None and self.student.takes_feature and (self.time_bin is None or self.feature is None):
            raise ValueError("time_bin and feature are missing, which a student with a generated mixing needs")
        return self

    @model_validator(mode="after")
    def _phases_for_cobyla(self) -> Self:
        protocol = self.schedule.protocol
        if protocol in ("cobyla", "spsa") and self.photonics is not None and not self.trains_phases:
            arm = self.photonics.arm
            raise ValueError(f"photonics.arm {arm} trains no phases, so the schedule {protocol} has nothing to do; use gradient")
        return self

    @model_validator(mode="after")
    def _late_gradients(self) -> Self:
        if self.photonics is not None and self.photonics.staleness and self.schedule.protocol != "gradient":
            raise ValueError(
                f"photonics.staleness is {self.photonics.staleness}, but schedule {self.schedule.protocol} needs probabilities at once"
            )
        return self

    @model_validator(mode="after")
    def _gradients_that_the_backend_has(self) -> Self:
        section = self.photonics
        if section is None or section.backend is None or self.schedule.protocol != "gradient" or not self.trains_phases:
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
        if self.regenerate is not None and section is not None and (section.imperfect or section.bunching or section.backend):
            raise ValueError("regenerate is for runs trained with exact collision-free probabilities; remove photonics.noise and the like")
        return self

    @model_validator(mode="after")
    def _mapping_that_can_be_trained(self) -> Self:
        without = self.mapping is not None and self.mapping.kind == "logit-tanh"
        if without and isinstance(self.schedule, RoundSchedule) and self.schedule.mapping_epochs:
            raise ValueError(
                f"schedule.mapping_epochs is {self.schedule.mapping_epochs}, but mapping.kind logit-tanh has no parameters; set it to 0"
            )
        return self

    @model_validator(mode="after")
    def _epochs_after_pruning(self) -> Self:
        if isinstance(self.baseline, MagnitudePruning) and isinstance(self.schedule, ClassicalSchedule):
            dense, epochs = self.baseline.dense_epochs, self.schedule.epochs
            if dense >= epochs:
                raise ValueError(f"baseline.dense_epochs is {dense}; of schedule.epochs = {epochs} at least one must be left after pruning")
        return self

    @property
    def of_teacher(self) -> "RunSettings":
        """The settings of a student's teacher."""
        return RunSettings.model_validate(
            {
                "method": "teacher",
                "numerics_version": self.teacher_version,
                "dataset": self.dataset,
                "distillation_data": self.distillation_data,
                "teacher": self.teacher,
                "schedule": self.teacher_schedule,
            }
        )

    @property
    def trains_phases(self) -> bool:
        """Whether there are phases that the schedule trains; an arm may have none, or leave them as they are."""
        if self.photonics is None:
            return False
        arm = self.photonics.arm or "photonic"
        return arm in ("photonic", "photonic-unnormalised", "distinguishable", "distinguishable-matched") or ":" in arm

    def plain(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_json(self) -> str:
        """Canonical text: equal settings give equal bytes."""
        return json.dumps(self.plain(), indent=2, sort_keys=True) + "\n"


class Run(Section):
    """One training with one seed: where it belongs and what decides its numbers."""

    study: Name
    experiment: Name
    variant: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._=+,-]{0,199}$")
    seed: Seed
    settings: RunSettings

    @property
    def key(self) -> str:
        """Where the run stands in its study, as a path."""
        return f"{self.experiment}/{self.variant}/seed-{self.seed}"


class Study(Section):
    """A whole study: shared sections and experiments."""

    study: StudySection = Field(default_factory=StudySection)
    dataset: DatasetSection = Field(default_factory=DatasetSection)
    network: NetworkSection = Field(default_factory=NetworkSection)
    photonics: PhotonicsSection = Field(default_factory=PhotonicsSection)
    mapping: MappingSection = Field(default_factory=MappingSection)
    time_bin: TimeBinSection = Field(default_factory=TimeBinSection)
    feature: FeatureSection = Field(default_factory=FeatureSection)
    distillation_data: DistillationDataSection = Field(default_factory=DistillationDataSection)
    teacher: TeacherSection = Field(default_factory=TeacherSection)
    student: StudentSection = Field(default_factory=StudentSection)
    schedules: Schedules = Field(default_factory=Schedules)
    experiments: dict[Name, Experiment] = Field(default_factory=dict)
    execution: Execution = Field(default_factory=Execution)

    @model_validator(mode="after")
    def _free_names(self) -> Self:
        parts = {experiment.part for experiment in self.experiments.values() if experiment.part}
        taken = sorted((set(self.experiments) | parts) & RESERVED)
        if taken:
            raise ValueError(f"experiments.{taken[0]}: the workflow has a target of that name; choose another")
        return self

    @model_validator(mode="after")
    def _known_experiments(self) -> Self:
        for name in self.study.only or []:
            if name not in self.experiments:
                raise ValueError(f"study.only names {name}; there are {', '.join(self.experiments)}")
        return self

    @model_validator(mode="after")
    def _expandable(self) -> Self:
        runs = self.runs()
        twice = sorted(key for key, count in Counter(run.key for run in runs).items() if count > 1)
        if twice:
            raise ValueError(f"experiments ask twice for {twice[0]}: remove the repeated value")
        for name, sections in itertools.groupby(sorted(self.datasets(runs), key=lambda d: d.name), lambda d: d.name):
            if len(list(sections)) > 1:
                raise ValueError(f"experiments split data set {name} in different ways; use one study for each")
        self.teachers(runs)
        return self

    def teachers(self, runs: list[Run]) -> dict[str, Run]:
        """The run that trains each student's teacher, by the student's key. Raises ValueError where the study does not ask for it."""
        there = {(run.experiment, run.seed, run.settings.to_json()): run for run in runs if run.settings.method == "teacher"}
        found = {}
        for run in runs:
            owner = self.experiments[run.experiment].teacher
            if owner is not None:
                teacher = there.get((owner, run.seed, run.settings.of_teacher.to_json()))
                if teacher is None:
                    raise ValueError(f"experiments.{run.experiment}: {owner} trains no teacher with seed {run.seed}; add the seed there")
                found[run.key] = teacher
        return found

    def targets(self) -> dict[str, list[str]]:
        """Experiments by the name that trains them: their own, or that of their part."""
        named: dict[str, list[str]] = {name: [name] for name in self.experiments}
        for name, experiment in self.experiments.items():
            if experiment.part and name not in named.setdefault(experiment.part, []):
                named[experiment.part].append(name)
        return named

    @staticmethod
    def datasets(runs: list[Run]) -> list[DatasetSection]:
        """The data sets that the runs need, each once."""
        return list({run.settings.dataset.model_dump_json(): run.settings.dataset for run in runs}.values())

    def to_json(self) -> str:
        """All that decides the study's numbers, without how they are computed."""
        return self.model_dump_json(indent=2, exclude={"execution"}, exclude_none=True) + "\n"

    def runs(self) -> list[Run]:
        """Every run that the study asks for, in the order of params.yaml, seeds outermost within an experiment."""
        only = self.experiments if self.study.only is None else self.study.only
        return [run for name, experiment in self.experiments.items() if name in only for run in self._expand(name, experiment)]

    def _expand(self, name: str, experiment: Experiment) -> Iterator[Run]:
        if not experiment.seeds:
            return  # left out, perhaps with its teacher
        variants = list(self._variants(name, experiment))
        for seed in experiment.seeds:
            for variant, settings in variants:
                try:
                    yield Run(study=self.study.name, experiment=name, variant=variant, seed=seed, settings=settings)
                except ValidationError:
                    raise ValueError(
                        f"experiments.{name}: {variant!r} does not make a folder name; use shorter or plainer values"
                    ) from None

    def _variants(self, name: str, experiment: Experiment) -> Iterator[tuple[str, RunSettings]]:
        for values in itertools.product(*experiment.vary.values()):
            varied = dict(zip(experiment.vary, values, strict=True))
            yield variant_name({**varied, **experiment.override}), self._settings(name, experiment, varied)

    def _settings(self, name: str, experiment: Experiment, varied: dict[str, Any]) -> RunSettings:
        changes = {**experiment.override, **varied}
        quantum, distilled = experiment.method == "quantum_train", experiment.method in ("teacher", "student")
        schedule = changes.pop("schedule", experiment.schedule or FITTING[experiment.method][0])
        if schedule not in FITTING[experiment.method]:
            raise ValueError(f"experiments.{name}: schedule {schedule!r} does not fit method {experiment.method}")
        tree = {
            "method": experiment.method,
            "numerics_version": experiment.numerics_version,
            "dataset": self.dataset.model_dump(),
            "network": None if distilled else self.network.model_dump(),
            "baseline": experiment.baseline.model_dump() if experiment.baseline else None,
            "photonics": self.photonics.model_dump() if quantum else None,
            "mapping": self.mapping.model_dump() if quantum else None,
            "regenerate": experiment.regenerate.model_dump() if experiment.regenerate else None,
            "schedule": getattr(self.schedules, schedule).model_dump(),
        }
        if distilled:
            tree |= {"distillation_data": self.distillation_data.model_dump(), "teacher": self.teacher.model_dump()}
        if experiment.teacher is not None:
            tree |= {section: getattr(self, section).model_dump() for section in ("time_bin", "feature", "student")}
        for path, value in changes.items():
            _assign(tree, path, value, f"experiments.{name}")
        try:
            if experiment.teacher is not None:
                tree = self._taught(name, experiment.teacher, tree, changes)
            return RunSettings.model_validate(tree)
        except ValidationError as error:
            owner = f"experiments.{name}"
            where = {path: f"{owner}.{'vary' if path in varied else 'override'}.{path}" for path in changes}
            lines = describe(error, where).splitlines()
            raise ValueError("\n".join(line if line.startswith(owner) else f"{owner}: {line}" for line in lines)) from None

    def _taught(self, name: str, teacher: Name, tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        """A student's settings with those of its teacher, and without the feature where it takes none."""
        owner = self.experiments.get(teacher)
        if owner is None or owner.method != "teacher":
            there = ", ".join(other for other, experiment in self.experiments.items() if experiment.method == "teacher") or "none"
            raise ValueError(f"experiments.{name}.teacher is {teacher}: expected an experiment of method teacher; there are {there}")
        wanted = {
            "dataset": DatasetSection.model_validate(tree["dataset"]),
            "distillation_data": DistillationDataSection.model_validate(tree["distillation_data"]),
        }
        network = TeacherSection.model_validate(tree["teacher"])
        same = [path.split(".")[1] for path in changes if path.startswith("teacher.")]
        fitting = {
            settings.to_json(): settings
            for _, settings in self._variants(teacher, owner)
            if all(getattr(settings, section) == value for section, value in wanted.items())
            and all(getattr(settings.teacher, field) == getattr(network, field) for field in same)
        }
        if len(fitting) != 1:
            asked = ", ".join(f"{section} {value.model_dump(exclude_none=True)}" for section, value in wanted.items())
            asked += "".join(f", teacher.{field} {getattr(network, field)}" for field in same)
            raise ValueError(
                f"experiments.{name}: experiment {teacher} has {len(fitting) or 'no'} variants with {asked}; "
                "exactly one must have the student's data, images, and what teacher.widths and the like say"
            )
        (found,) = fitting.values()
        assert found.teacher is not None
        tree = tree | {
            "teacher": found.teacher.model_dump(),
            "teacher_schedule": found.schedule.model_dump(),
            "teacher_version": found.numerics_version,
        }
        if not StudentSection.model_validate(tree["student"]).takes_feature:
            idle = [path for path in changes if path.startswith(("time_bin.", "feature."))]
            if idle:
                raise ValueError(f"experiments.{name}: {idle[0]} does nothing, as no mixing of this student is generated; remove it")
            tree |= {"time_bin": None, "feature": None}
        return tree


def _assign(tree: dict[str, Any], path: str, value: Any, owner: str) -> None:
    *parents, leaf = path.split(".")
    node: Any = tree
    for part in parents:
        if part == "noise" and isinstance(node, dict) and "noise" in node and node["noise"] is None:
            node["noise"] = NoiseSection().model_dump()
        node = node.get(part) if isinstance(node, dict) else None
    if not parents or not isinstance(node, dict) or leaf not in node:
        sections = [f"{s}.{k}" for s, v in tree.items() if isinstance(v, dict) for k in v]
        raise ValueError(f"{owner}: no setting {path!r}; there are {', '.join(sections)}")
    node[leaf] = value


def variant_name(changes: dict[str, Any]) -> str:
    """Folder name of a variant: ``bond_dim=4``, ``schedule=cobyla,rounds=10``; ``base`` when nothing is changed."""
    return ",".join(f"{path.rsplit('.', 1)[-1]}={_label(value)}" for path, value in changes.items()) or "base"


def _label(value: Any) -> str:
    if isinstance(value, list | tuple):
        joint = "." if all(isinstance(v, int) for v in value) else "+"
        return joint.join(_label(v) for v in value)
    return re.sub(r"[:/]", "-", str(value))


def describe(error: ValidationError, where: dict[str, str] | None = None) -> str:
    """The errors of a validation, one a line: path, value, and what would be right."""
    lines = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        for inner, outer in (where or {}).items():
            if inner.split(".")[-1] in path.split(".") and inner.split(".")[0] in path.split("."):
                path = outer
        value = item["input"]
        shown = (
            f" = {shortened(repr(value))}"
            if item["type"] not in ("missing", "value_error") or not isinstance(value, dict | BaseModel)
            else ""
        )
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "no such setting (a typing error?)"
        lines.append(f"{path}{shown}: {message}" if path else message)
    return "\n".join(lines)


def shortened(text: str, length: int = 200) -> str:
    """Text that fits into a message."""
    return text if len(text) <= length else f"{text[:length]}..."


def parse_study(tree: Any, source: str = "params.yaml") -> Study:
    """A study from plain settings; raises SettingsError naming path, value and bounds."""
    if not isinstance(tree, dict):
        raise SettingsError(f"{source}: expected settings by name, found {type(tree).__name__}")
    _check_values(tree, source)
    _check_runs(tree, source)
    try:
        return Study.model_validate(tree)
    except ValidationError as error:
        raise SettingsError(f"{source}: {describe(error)}") from None


def _check_values(tree: dict[str, Any], source: str) -> None:
    """Before anything is copied: aliases in a YAML file can ask for more than any memory holds."""
    values, left = 0, [(tree, 0)]
    while left:
        node, level = left.pop()
        values += 1
        if values > MOST_VALUES:
            raise SettingsError(f"{source}: more than {MOST_VALUES:,} values")
        if level > MOST_LEVELS:
            raise SettingsError(f"{source}: more than {MOST_LEVELS} levels of settings within settings")
        if isinstance(node, dict | list | tuple):
            left.extend((value, level + 1) for value in (node.values() if isinstance(node, dict) else node))


def _check_runs(tree: dict[str, Any], source: str) -> None:
    """Before anything is expanded: lists to vary over can ask for more than any memory holds, and each variant of a student is compared
    with all variants of its teacher.
    """
    experiments = tree.get("experiments")
    named = {name: one for name, one in experiments.items() if isinstance(one, dict)} if isinstance(experiments, dict) else {}

    def variants(experiment: dict[str, Any]) -> int:
        vary = experiment.get("vary")
        return math.prod(len(values) for values in vary.values() if isinstance(values, list)) if isinstance(vary, dict) else 1

    runs = 0
    for experiment in named.values():
        seeds, teacher = experiment.get("seeds"), experiment.get("teacher")
        compared = variants(named[teacher]) if isinstance(teacher, str) and teacher in named else 1
        runs += variants(experiment) * max(len(seeds) if isinstance(seeds, list) else 1, compared)
    if runs > MOST_RUNS:
        raise SettingsError(
            f"{source}: experiments ask for {runs:,} runs, or comparisons with teachers; a study can have {MOST_RUNS:,}: vary less"
        )


def overlay(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``change`` laid over it: mappings merge, all else is replaced (as Snakemake's --configfile does)."""
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def load_study(path: Path, *overlays: Path) -> Study:
    """The study of a params file with presets laid over it."""
    tree: dict[str, Any] = {}
    for file in (path, *overlays):
        try:
            change = read_yaml(file) or {}
        except FileNotFoundError:
            raise SettingsError(f"{file}: no such file") from None
        except (OSError, ValueError) as error:
            raise SettingsError(f"{file}: not a YAML file of settings by name: {error}; mend it, or take the one that git has") from None
        if not isinstance(change, dict):
            raise SettingsError(f"{file}: not a YAML file of settings by name: found {type(change).__name__}")
        _check_values(change, str(file))
        tree = overlay(tree, change)
    return parse_study(tree, ", ".join(str(file) for file in (path, *overlays)))


def json_schema() -> dict[str, Any]:
    """JSON schema of params.yaml, generated from the model."""
    schema = Study.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Settings of a Lightweights study"
    return schema

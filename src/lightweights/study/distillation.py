"""Teachers and students of a study: from settings to a training, the teacher's weights from its run, and what is reported of both."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lightweights.datasets import Dataset
from lightweights.distillation import build_source, feature_size
from lightweights.distillation.calibration import reliability
from lightweights.distillation.data import DistillationData, logits_of
from lightweights.distillation.data import prepare as prepare_data
from lightweights.distillation.sources import FeatureSource
from lightweights.distillation.student_training import Student, begin_student, student_epochs
from lightweights.distillation.teacher_training import Taught, begin_teacher, teacher_epochs
from lightweights.errors import LightweightsError
from lightweights.networks.dictionary import DictionaryConv2d, expand_convolutions
from lightweights.networks.teacher import Teacher, build_student, seeded_teacher, trained_counts
from lightweights.params import Run, RunSettings, StudentSchedule, TeacherSchedule, TimeBinSection
from lightweights.photonics.time_bin import TimeBin
from lightweights.study.files import read_json
from lightweights.training.data import on_device
from lightweights.training.randomness import stream
from lightweights.training.state import Training

LATENT_SIZE = 512
"""Numbers in a layer's latent vector unless set: as many as the feature of 16 modes has."""


class TeacherError(LightweightsError):
    """A teacher that is missing, damaged, or not the one that a student's settings ask for; names the file and the remedy."""


def distillation_data(settings: RunSettings, dataset: Dataset, seed: int, device: torch.device) -> DistillationData:
    """What a teacher and its students with the same seed train and are measured on."""
    section = settings.distillation_data
    assert section is not None
    split = stream(seed, "split")
    return prepare_data(on_device(dataset, device), dataset.name, split, section.validation_images, section.train_images)


def new_teacher(settings: RunSettings, dataset: Dataset, seed: int) -> Teacher:
    """The teacher at its initial values."""
    assert settings.teacher is not None
    widths, dropout = settings.teacher.widths, settings.teacher.dropout
    draws = stream(seed, "teacher-initial-values")
    return seeded_teacher(dataset.input_shape, dataset.classes, widths, dropout, generator=draws)


def interferometer(section: TimeBinSection) -> TimeBin:
    """The interferometer of the settings."""
    state = None if section.input_state is None else tuple(section.input_state)
    return TimeBin(section.modes, section.tiles, state, section.half_angle)


def new_student(settings: RunSettings, input_shape: tuple[int, int, int], classes: int, seed: int, sourced: bool = True) -> Student:
    """The student at its initial values, with the source of its feature if it takes one (and it is ``sourced``)."""
    assert settings.student is not None and settings.teacher is not None
    section, size, theta = settings.student, settings.student.latent or LATENT_SIZE, torch.zeros(0)
    source: FeatureSource | None = None
    if section.takes_feature:
        assert settings.time_bin is not None and settings.feature is not None
        circuit, feature = interferometer(settings.time_bin), settings.feature
        size, theta = feature_size(circuit.modes), starting_angles(settings.time_bin, seed)
        if sourced:
            source = build_source(
                feature.source,
                circuit,
                None if feature.shots == "exact" else feature.shots,
                standardised=feature.standardised,
                fit_draws=feature.fit_draws,
                fit_shots=feature.fit_shots,
                theta=theta,
                generator=stream(seed, "feature-source"),
            )
    network = build_student(
        input_shape,
        classes,
        section.compressed,
        section.rank,
        section.widths or settings.teacher.widths,
        settings.teacher.dropout,
        feature_size=size,
        mixing=section.mixing,
        generator=stream(seed, "initial-values"),
    )
    return Student(network, source, theta, size)


def starting_angles(section: TimeBinSection, seed: int) -> Float[Tensor, " angles"]:
    """Angles before the first step of SPSA."""
    circuit = interferometer(section)
    if section.theta_start == "zero":
        return torch.zeros(circuit.angle_count, dtype=torch.float64)
    return circuit.random_angles(stream(seed, "angles"))


def begin_distillation(
    settings: RunSettings, dataset: Dataset, seed: int, device: torch.device, teacher: nn.Module | None
) -> tuple[Training, Iterator[dict[str, float]], int]:
    """A teacher's or student's training at its start, the iterator that carries it on, and the number of its epochs."""
    data, schedule = distillation_data(settings, dataset, seed, device), settings.schedule
    if isinstance(schedule, TeacherSchedule):
        training = begin_teacher(new_teacher(settings, dataset, seed).to(device), schedule, seed)
        return training, teacher_epochs(training, data, schedule), schedule.epochs
    assert isinstance(schedule, StudentSchedule) and teacher is not None
    student = new_student(settings, dataset.input_shape, dataset.classes, seed).to(device)
    training = begin_student(student, schedule, seed)
    return training, student_epochs(training, teacher.to(device), data, schedule), schedule.epochs


def read_teacher(run: Run, dataset: Dataset, weights: Path | None) -> tuple[nn.Module, str]:
    """A student's trained teacher, and the SHA-256 of its weights. Raises TeacherError where the file is missing, was made with other
    settings or another seed than the student asks for, or is not what its run has written.
    """
    name = f"run {run.study}/{run.key}"
    remedy = (
        "`snakemake --cores N` trains the teacher first; by hand: lightweights train ... --teacher results/STUDY/weights/EXPERIMENT/..."
    )
    if weights is None:
        raise TeacherError(f"{name} distils a teacher, and none was given; {remedy}")
    try:
        content = weights.read_bytes()
        metrics = read_json(metrics_beside(weights))
        made = (metrics["run"]["seed"], metrics["settings"])
        expected, digest = metrics["provenance"].get("weights_sha256"), hashlib.sha256(content).hexdigest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise TeacherError(f"{name}: its teacher {weights} cannot be read ({error}); {remedy}") from None
    wanted = run.settings.of_teacher
    if made != (run.seed, wanted.plain()):
        found = f"seed {made[0]}, other settings" if made[0] == run.seed else f"seed {made[0]}"
        raise TeacherError(
            f"{name}: {weights} is not its teacher ({found}); asked for is seed {run.seed} with the settings {wanted.plain()}"
        )
    if expected not in (None, digest):
        raise TeacherError(f"{name}: its teacher {weights} has SHA-256 {digest}, but metrics.json has {expected}; delete it, and {remedy}")
    network = new_teacher(wanted, dataset, run.seed)
    try:
        network.load_state_dict({key.removeprefix("network."): value for key, value in load_file(weights).items()})
    except (SafetensorError, RuntimeError) as error:
        raise TeacherError(f"{name}: {weights} does not hold the weights of its teacher ({error}); delete it, and {remedy}") from None
    return network.requires_grad_(False), digest


def metrics_beside(weights: Path) -> Path:
    """metrics.json of the run that wrote ``results/STUDY/weights/EXPERIMENT/VARIANT/seed-K.safetensors``."""
    study, experiment, variant = weights.parents[3], weights.parents[1].name, weights.parents[0].name
    return study / "runs" / experiment / variant / weights.stem / "metrics.json"


def inference_of(module: Taught | Student) -> tuple[nn.Module, dict[str, Tensor]]:
    """The network that inference needs, and what else belongs to a student: its angles, averaged feature and standardisation."""
    if isinstance(module, Taught):
        return module.result(), {}
    rest = {f"generator.{name}": value for name, value in module.state_dict().items() if not name.startswith("network.")}
    return module.network, rest


def counts_of(module: Taught | Student) -> dict[str, int]:
    """Parameters: of the network with all its kernels, trained, and of the convolutions alone. The article counts the angles."""
    network, _ = inference_of(module)
    angles = module.get_buffer("theta").numel() if isinstance(module, Student) and module.source is not None else 0
    tuned = angles if isinstance(module, Student) and module.source is not None and module.source.tuned else 0
    published, used = trained_counts(network, angles), trained_counts(network, tuned)
    return {
        "target": expanded_count(network),
        "mapping": 0,
        "phases_published": angles,
        "phases_used": tuned,
        "phases_effective": tuned,
        "trained_published": published["all_with_theta"],
        "trained_used": used["all_with_theta"],
        "trained_effective": used["all_with_theta"],
        "convolutions": published["convolutions"],
        "convolutions_with_theta": published["convolutions_with_theta"],
    }


def shown_of(module: Taught | Student, data: DistillationData, settings: RunSettings) -> dict[str, Any]:
    """What figures show: bins of confidence on the last test set, for reliability diagrams, and a student's basis filters by layer."""
    network, _ = inference_of(module)
    assert isinstance(settings.schedule, TeacherSchedule | StudentSchedule)
    test = list(data.tests.values())[-1]
    bins = reliability(logits_of(network, test.images, settings.schedule.precision), test.labels)
    named = {name: layer for name, layer in network.named_modules() if isinstance(layer, DictionaryConv2d)}

    def rounded(layer: DictionaryConv2d) -> list[list[float]]:
        return [[round(value, 6) for value in kernel] for kernel in layer.basis.detach().flatten(1).tolist()]

    return {
        "reliability": {
            "images": bins.images.tolist(),
            "accuracy": [None if math.isnan(value) else value for value in bins.accuracy.tolist()],
            "confidence": [None if math.isnan(value) else value for value in bins.confidence.tolist()],
        },
        "basis": {name: rounded(layer) for name, layer in named.items()},
    }


def expanded_count(network: nn.Module) -> int:
    """Weights of the network with its kernels written out."""
    return sum(value.numel() for value in expand_convolutions(network).parameters())

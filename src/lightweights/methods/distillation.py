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

from lightweights.datasets import Dataset, shape_of
from lightweights.distillation import build_source, feature_size
from lightweights.distillation.calibration import reliability, scores
from lightweights.distillation.data import DistillationData, logits_of, normalised
from lightweights.distillation.data import prepare as prepare_data
from lightweights.distillation.sources import FeatureSource
from lightweights.distillation.student_training import Student, begin_student, student_epochs
from lightweights.distillation.teacher_training import Taught, begin_teacher, teacher_epochs
from lightweights.errors import LightweightsError
from lightweights.files import read_json
from lightweights.methods.method import Told
from lightweights.methods.models import ModelError, taken_up
from lightweights.methods.target import device_of
from lightweights.networks.dictionary import DictionaryConv2d, expand_convolutions
from lightweights.networks.teacher import Teacher, build_student, seeded_teacher, trained_counts
from lightweights.photonics.time_bin import TimeBin
from lightweights.settings.base import SettingsError
from lightweights.settings.distillation import TimeBinSection
from lightweights.settings.kinds import StudentRun, TeacherRun
from lightweights.settings.runs import Run
from lightweights.training.data import on_device
from lightweights.training.randomness import stream
from lightweights.training.state import Training


class TeacherError(LightweightsError):
    """A teacher that is missing, damaged, or not the one that a student's settings ask for; names the file and the remedy."""


def check(settings: TeacherRun | StudentRun, where: str) -> None:
    """Raises SettingsError where the images are too small for a teacher."""
    shape, _ = shape_of(settings.dataset)
    if min(shape[1:]) < 4:
        raise SettingsError(f"{where}: dataset.name = {settings.dataset.name!r} has images of {shape}; a teacher needs 4x4 pixels or more")


def begin(
    settings: TeacherRun | StudentRun,
    data: Dataset,
    seed: int,
    device: torch.device,
    *,
    teacher: nn.Module | None = None,
    jobs: Path | None = None,
) -> Training:
    """The teacher or the student at its initial values."""
    if isinstance(settings, TeacherRun):
        return begin_teacher(new_teacher(settings, data, seed).to(device), settings.schedule, seed)
    return begin_student(new_student(settings, data.input_shape, data.classes, seed).to(device), settings.schedule, seed)


def advance(
    training: Training, settings: TeacherRun | StudentRun, data: Dataset, seed: int, *, teacher: nn.Module | None = None
) -> Iterator[dict[str, float]]:
    """Epochs on the labels, or on the answers of the teacher too."""
    device = device_of(training.module)
    images = distillation_data(settings, data, seed, device)
    if isinstance(settings, TeacherRun):
        return teacher_epochs(training, images, settings.schedule)
    if teacher is None:
        raise TeacherError("a student learns from a teacher, and none was given")
    return student_epochs(training, teacher.to(device), images, settings.schedule)


def tell(training: Training, settings: TeacherRun | StudentRun, data: Dataset, seed: int) -> Told:
    """The network, what else a student is made of, and what figures show of both. A teacher may be that of its best epoch."""
    module = training.module
    assert isinstance(module, Taught | Student)
    network, beside = inference_of(module)
    kept = None
    if isinstance(module, Taught) and module.best is not None:
        accuracies = [row["validation_accuracy_percent"] for row in training.rows]
        kept = 1 + accuracies.index(max(accuracies))  # the first of equals
    shown = shown_of(module, distillation_data(settings, data, seed, device_of(module)), settings)
    return Told(counts_of(module), network, beside, kept, details={"distillation": shown})


def rebuild(settings: TeacherRun | StudentRun, data: Dataset, seed: int) -> Taught | Student:
    """The teacher, or the student without the source of its feature, at initial values."""
    if isinstance(settings, TeacherRun):
        return Taught(new_teacher(settings, data, seed), settings.schedule.keep)
    return new_student(settings, data.input_shape, data.classes, seed, sourced=False)


def aside(module: nn.Module) -> tuple[str, ...]:
    """What inference does without: the last state where the best is kept, the feature's source and its average, which the layers have."""
    assert isinstance(module, Taught | Student)
    if isinstance(module, Student):
        return ("source.", "smoothed", "updates")
    return ("best_accuracy",) if module.best is None else ("best_accuracy", "network.")


def plain(module: nn.Module) -> nn.Module:
    """The network that inference needs."""
    assert isinstance(module, Taught | Student)
    return inference_of(module)[0]


def measured(network: nn.Module, settings: TeacherRun | StudentRun, data: Dataset, device: torch.device) -> dict[str, float]:
    """Accuracy, cross-entropy and calibration error on the test sets."""
    tests = {name: normalised(examples, data.name) for name, examples in on_device(data, device).tests.items()}
    logits = {name: logits_of(network, examples.images, settings.schedule.precision) for name, examples in tests.items()}
    return {key: value for name, found in logits.items() for key, value in scores(found, tests[name].labels, name).items()}


def distillation_data(settings: TeacherRun | StudentRun, dataset: Dataset, seed: int, device: torch.device) -> DistillationData:
    """What a teacher and its students with the same seed train and are measured on."""
    section = settings.distillation_data
    split = stream(seed, "split")
    return prepare_data(on_device(dataset, device), dataset.name, split, section.validation_images, section.train_images)


def new_teacher(settings: TeacherRun, dataset: Dataset, seed: int) -> Teacher:
    """The teacher at its initial values."""
    widths, dropout = settings.teacher.widths, settings.teacher.dropout
    draws = stream(seed, "teacher-initial-values")
    return seeded_teacher(dataset.input_shape, dataset.classes, widths, dropout, generator=draws)


def interferometer(section: TimeBinSection) -> TimeBin:
    """The interferometer of the settings."""
    state = None if section.input_state is None else tuple(section.input_state)
    return TimeBin(section.modes, section.tiles, state, section.half_angle)


def new_student(settings: StudentRun, input_shape: tuple[int, int, int], classes: int, seed: int, sourced: bool = True) -> Student:
    """The student at its initial values, with the source of its feature if it takes one (and it is ``sourced``)."""
    section, size, theta = settings.student, settings.student.latent, torch.zeros(0)
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


def source(run: Run, dataset: Dataset, weights: Path | None) -> tuple[nn.Module, str]:
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
        digest = hashlib.sha256(content).hexdigest()
        expected = metrics["model"]["sha256"] if "model" in metrics else metrics["provenance"].get("weights_sha256")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise TeacherError(f"{name}: its teacher {weights} cannot be read ({error}); {remedy}") from None
    assert isinstance(run.settings, StudentRun)
    wanted = run.settings.source
    if made != (run.seed, wanted.plain()):
        found = f"seed {made[0]}, other settings" if made[0] == run.seed else f"seed {made[0]}"
        raise TeacherError(
            f"{name}: {weights} is not its teacher ({found}); asked for is seed {run.seed} with the settings {wanted.plain()}"
        )
    if expected not in (None, digest):
        raise TeacherError(f"{name}: its teacher {weights} has SHA-256 {digest}, but metrics.json has {expected}; delete it, and {remedy}")
    try:
        tensors = load_file(weights)
        if wanted.schedule.keep == "best" and "model" not in metrics:
            tensors = {key.replace("network.", "best.", 1): value for key, value in tensors.items()}
        network = plain(taken_up(wanted, dataset, run.seed, tensors))
    except (SafetensorError, ModelError) as error:
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


def shown_of(module: Taught | Student, data: DistillationData, settings: TeacherRun | StudentRun) -> dict[str, Any]:
    """What figures show: bins of confidence on the last test set, for reliability diagrams, and a student's basis filters by layer."""
    network, _ = inference_of(module)
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

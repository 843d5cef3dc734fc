"""Races of photonic distillation: training and inference of teacher and students, a photonic feature, and the mixing that it generates.

Images of MNIST's shape with made-up pixels. The same on a GPU if there is one, in wall time.
"""

import copy
from collections.abc import Callable

import torch
from torch import nn

from benchmarks import peers
from benchmarks.effort import Effort
from benchmarks.timing import Contestant, Race, gpu_seconds, processor_seconds, seeded
from lightweights.distillation.data import CPU_BATCH, GPU_BATCH, DistillationData, logits_of
from lightweights.distillation.feature import feature_size
from lightweights.distillation.sources import Clicks
from lightweights.distillation.student_training import Student, begin_student, distil_step
from lightweights.networks.dictionary import dictionary_layers, set_feature
from lightweights.networks.teacher import COMPRESSED, build_student
from lightweights.photonics.time_bin import TimeBin
from lightweights.settings.schedules import Precision, StudentSchedule
from lightweights.training.data import Examples
from lightweights.training.epochs import descend

TRAINING, INFERENCE = "training step, batches of 64", "inference"
OF_IMAGES = (TRAINING, INFERENCE)
"""Benchmarks whose piece of work is one image."""

EINSUM = "the same student, layers by einsum"
SHAPE, CLASSES, BATCH, SHOTS = (1, 28, 28), 10, 64, 200
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
MATCHED_WIDTHS = (53, 106, 101)
"""Of the plain network with as many parameters as the student (see ``matched_widths``)."""

STEPS = {"cpu": 1, "cuda": 50}
"""Between two looks at the clock; on a GPU so many that its queue does not run dry."""

IMAGES = {"cpu": CPU_BATCH, "cuda": 10 * GPU_BATCH}
CLOCKS = {"cpu": processor_seconds, "cuda": gpu_seconds}


def distillation_races(effort: Effort) -> list[Race]:
    """All races on the CPU, then those of networks on the GPU."""
    races = [_feature_race(effort)]
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        for work in (_training, _inference):
            races += [work(device, precision, max(1, effort.rounds // 2)) for precision in PRECISIONS]
        races += [_mixing_race(device, compressed, effort) for compressed in ("partial", "extreme")]
    return races


def _training(device: str, precision: Precision, rounds: int) -> Race:
    """Steps of Adam against a teacher's answers, the mixing fixed; all networks in the loop that trains students."""
    examples, schedule = _examples(STEPS[device] * BATCH, device), StudentSchedule(batch_size=BATCH, precision=precision)
    data, answers = DistillationData(examples, examples, {}), torch.randn(len(examples), CLASSES, generator=seeded(1)).to(device)

    def epoch(network: nn.Module) -> Callable[[], object]:
        student = Student(network, None, torch.zeros(0), 1)
        training = begin_student(student, schedule, seed=0)
        step = distil_step(training, student, answers, data, schedule)
        return lambda: descend(training, student.network, data.train, schedule.batch_size, step)

    return _race(TRAINING, device, precision, examples, epoch, rounds)


def _inference(device: str, precision: Precision, rounds: int) -> Race:
    """Logits, in the library's own batches."""
    examples = _examples(IMAGES[device], device)
    return _race(INFERENCE, device, precision, examples, lambda n: lambda: logits_of(n, examples.images, precision), rounds)


def _race(
    benchmark: str, device: str, precision: Precision, examples: Examples, work: Callable[[nn.Module], Callable[[], object]], rounds: int
) -> Race:
    """All networks at the same work. Logits are compared in float32, whatever is timed: in bfloat16 they differ by its rounding."""
    contestants = []
    for name, network in _networks(device).items():
        logits = (lambda n=network: logits_of(n, examples.images[:BATCH], "float32")) if name in ("ours", EINSUM) else None
        contestants.append(Contestant(name, work(network), logits, len(examples)))
    return Race(benchmark, f"{device}, {precision}", contestants, rounds, clock=CLOCKS[device])


def _networks(device: str) -> dict[str, nn.Module]:
    """The partial student, the same with the layers of our peer, and the networks beside it, each with initial values of its own."""
    ours = build_student(SHAPE, CLASSES, "partial", generator=seeded(2))
    extreme = build_student(SHAPE, CLASSES, "extreme", generator=seeded(2))
    for layer in dictionary_layers(ours) + dictionary_layers(extreme):
        layer.get_buffer("mixing").normal_(generator=seeded(3))  # as large as what a standardised feature generates
    plain = copy.deepcopy(ours)
    for name, layer in zip(COMPRESSED["partial"], dictionary_layers(plain), strict=True):
        setattr(plain, name, peers.EinsumConv2d(layer))
    networks = {
        "ours": ours,
        EINSUM: plain,
        "ours, extreme compression": extreme,
        "the teacher": build_student(SHAPE, CLASSES, "none", generator=seeded(2)),
        "plain CNN of as many parameters": build_student(SHAPE, CLASSES, "none", widths=MATCHED_WIDTHS, generator=seeded(2)),
    }
    return {name: network.to(device) for name, network in networks.items()}


def _feature_race(effort: Effort) -> Race:
    """One feature, drawn on the CPU whatever trains."""
    circuit, shots = TimeBin(), seeded(5)
    source, theta = Clicks(circuit, SHOTS), circuit.random_angles(seeded(4))
    contestants = [
        Contestant("ours", lambda: source.draw(theta, shots)),
        Contestant("Perceval, its sampler given the matrix", lambda: peers.perceval_histograms(circuit, theta, SHOTS)),
    ]
    return Race("photonic feature", f"{circuit.modes} modes, {SHOTS} shots", contestants, effort.rounds)


def _mixing_race(device: str, compressed: str, effort: Effort) -> Race:
    """The mixing tensors of all layers from one feature; the fixed matrices are there already."""
    size = feature_size(TimeBin().modes)
    student = build_student(SHAPE, CLASSES, compressed, feature_size=size, generator=seeded(2)).to(device)
    feature = torch.randn(size, generator=seeded(6))
    contestants = [Contestant("ours", lambda: set_feature(student, feature))]
    return Race("mixing tensors", f"{device}, {compressed}", contestants, effort.rounds, clock=CLOCKS[device])


def _examples(count: int, device: str) -> Examples:
    draw = seeded(7)
    images, labels = torch.rand(count, *SHAPE, generator=draw), torch.randint(CLASSES, (count,), generator=draw)
    return Examples(images.to(device), labels.to(device))

"""The contract of a kind of run, and of a network, an arm or a data set of one's own: checked on a training of a few seconds.

Usable on one's own: ``lightweights check my_package.module:factory``.
"""

import inspect
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from lightweights.datasets import Dataset, digest, load
from lightweights.datasets.dataset import Split
from lightweights.errors import LightweightsError
from lightweights.imported import imported
from lightweights.methods.method import check_settings
from lightweights.settings.base import SettingsError
from lightweights.settings.dataset import DatasetSection
from lightweights.settings.runs import Run
from lightweights.settings.study import parse_study
from lightweights.study.checkpoint import resume, save_checkpoint
from lightweights.study.execute import begin, finish
from lightweights.study.models import packed
from lightweights.training.state import Training

Owned = Literal["network", "arm", "dataset"]
COUNTS = ("target", "trained_published", "trained_used", "trained_effective")
KEEP = "keep all that changes in parameters and buffers, and draw from streams of the seed"
IMAGES = 120
"""Images of each set that a check trains and measures on."""
SHORT = {
    "classical": {"epochs": 2},
    "gradient": {"rounds": 2, "mapping_epochs": 1, "batch_size": 40, "phase_steps": 2, "phase_batch_size": 40},
}


class ContractError(LightweightsError):
    """What a part of one's own must do and does not; names it, and what would be right."""


def check_run(run: Run, data: Dataset, teacher: nn.Module | None = None) -> Iterator[str]:
    """Check a run's method on its data: check, begin, kill, resume to the bit, tell. Yields a line for each part that is right. Raises
    ContractError naming the run and what is wrong.
    """
    where, settings = f"run {run.key}", run.settings
    check_settings(settings, where)
    yield "its settings can be trained"
    cpu = torch.device("cpu")
    whole, rows, total = begin(settings, data, run.seed, cpu, teacher=teacher)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.safetensors"
        for number, row in enumerate(rows, start=1):
            if row is not whole.rows[-1]:
                raise ContractError(f"{where}: a row is yielded that is not the last of the training's rows; use Training.finish_row")
            if number == 1:
                save_checkpoint(whole, run, state)
        if len(whole.rows) != total or total < 2:
            raise ContractError(f"{where}: {len(whole.rows)} rows, {total} are announced; a check needs two or more")
        yield f"{total} rounds or epochs, as announced"
        resumed, rest, _ = begin(settings, data, run.seed, cpu, teacher=teacher)
        resume(resumed, run, state)
        list(rest)
    _same(where, whole, resumed)
    yield "killed after the first and taken up again it ends with the same bits"
    result = finish(whole, settings, data, run.seed)
    missing = [name for name in COUNTS if name not in result.parameters]
    if missing:
        raise ContractError(f"{where}: parameter counts lack {', '.join(missing)}")
    bad = [name for name, value in result.weights.items() if value.is_floating_point() and not value.isfinite().all()]
    nothing = bool(whole.module.state_dict()) and not any(name.startswith("network.") for name in result.weights)
    if bad or nothing:
        raise ContractError(f"{where}: {f'{bad[0]} is not finite' if bad else 'there is no network'} among the tensors that are stored")
    packed(result.model)
    again = finish(whole, settings, data, run.seed)
    if again.final != result.final or again.details != result.details:
        raise ContractError(f"{where}: telling its results a second time gives others; draw from a stream of the seed")
    yield f"its results are told: {', '.join(f'{name} {result.parameters[name]}' for name in COUNTS)}"
    whole.close()
    resumed.close()


def _same(where: str, whole: Training, resumed: Training) -> None:
    for number, (one, other) in enumerate(zip(whole.rows, resumed.rows, strict=True), start=1):
        for name, value in one.items():
            if not name.endswith("seconds") and value != other[name] and not value != value:
                raise ContractError(f"{where}: after a kill {name} of row {number} is {other[name]}, undisturbed it is {value}; {KEEP}")
    expected, found = whole.tensors(), resumed.tensors()
    differ = [name for name, value in expected.items() if name not in found or not torch.equal(value, found[name])]
    if differ or expected.keys() != found.keys():
        what = (differ or ["its state"])[0]
        raise ContractError(f"{where}: after a kill {what} is another than undisturbed; {KEEP}")


def check_own(name: str, kind: Owned | None = None, arguments: dict[str, Any] | None = None) -> Iterator[str]:
    """Check ``package.module:factory``: a network, an arm or a data set, told apart by the arguments that it takes. Yields a line for each
    part that is right. Raises LightweightsError naming what is wrong.
    """
    factory = imported("check", name)
    kind = kind or kind_of_factory(factory, name)
    yield f"{name} is taken for {'an' if kind == 'arm' else 'a'} {kind}"
    if kind == "dataset":
        yield from _check_data(DatasetSection(name=name, arguments=arguments))
        return
    digits = few(load(DatasetSection(name="digits")))
    tree: dict[str, Any] = {"study": {"name": "check"}, "dataset": {"name": "digits"}, "schedules": SHORT, "mapping": {"init_std": 0.01}}
    experiments = {"generated": {"method": "quantum_train", "seeds": [0]}}
    if kind == "network":
        tree |= {"network": {"name": name, "arguments": arguments or {}}, "photonics": {"circuits": "auto"}}
        experiments["direct"] = {"method": "classical", "seeds": [0]}
    else:
        tree["photonics"] = {"arm": name}
    for run in parse_study(tree | {"experiments": experiments}, name).runs():
        for line in check_run(run, digits):
            yield f"{run.experiment}: {line}"


def kind_of_factory(factory: Any, name: str) -> Owned:
    """What a factory makes, by the names of its arguments. Raises SettingsError where they do not tell."""
    try:
        taken = list(inspect.signature(factory).parameters)
    except (TypeError, ValueError):
        raise SettingsError(f"{name} is no function and no class; expected a factory of a network, an arm or a data set") from None
    if taken[:1] == ["weight_count"] or "factors" in taken[:3]:
        return "arm"
    if len(taken) >= 2 and ("shape" in taken[0] or "classes" in taken[1]):
        return "network"
    if not taken or all(p.default is not p.empty for p in inspect.signature(factory).parameters.values()):
        return "dataset"
    raise SettingsError(f"{name} takes {', '.join(taken)}: say with --kind whether it makes a network, an arm or a dataset")


def _check_data(section: DatasetSection) -> Iterator[str]:
    data = load(section)
    sizes = ", ".join(f"{part} {len(split)}" for part, split in {"train": data.train, **data.tests}.items())
    yield f"{data.TASK} of {data.input_shape}, {data.outputs} outputs: {sizes}"
    if classes := getattr(data, "classes", 0):
        absent = sorted(set(range(classes)) - set(data.train.labels.tolist()))
        if absent:
            raise ContractError(f"dataset.name = {section.name!r}: no training image of class {absent[0]}; number the classes without gaps")
        yield "every class has training examples"
    fresh = imported("dataset.name", section.name)(**(section.arguments or {}))
    if digest(fresh) != digest(data):
        raise ContractError(f"dataset.name = {section.name!r} gave other data when asked again; draw from a generator with a fixed seed")
    yield f"asked again it gives the same data, SHA-256 {digest(data)}"
    if not isinstance(data, Dataset):
        return  # what is trained on series and texts, chapters bring
    network = {"name": f"{__name__}:linear"}
    tree = {
        "dataset": section.model_dump(),
        "network": network,
        "schedules": SHORT,
        "experiments": {"direct": {"method": "classical", "seeds": [0]}},
    }
    for run in parse_study(tree, section.name).runs():
        for line in check_run(run, few(data)):
            yield f"{run.experiment}: {line}"


def linear(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """A network for images of any size."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), classes))


def few(data: Dataset, count: int = IMAGES) -> Dataset:
    """The first images of each set."""

    def first(split: Split) -> Split:
        return Split(split.images[:count], split.labels[:count])

    return Dataset(data.name, data.classes, first(data.train), {name: first(split) for name, split in data.tests.items()})

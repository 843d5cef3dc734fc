"""What sizes tell before a training costs anything."""

import pytest
import torch
from torch import nn

from lightweights.datasets import Dataset
from lightweights.settings.base import SettingsError
from lightweights.settings.study import parse_study
from lightweights.study.execute import begin
from lightweights.training.data import minibatches
from lightweights.training.sizes import check_last_batch, last_batch


@pytest.mark.parametrize(("count", "size"), [(129, 128), (128, 128), (1, 128), (127, 128), (10, 1), (7, 3), (9, 3)])
def test_the_last_batch_is_as_large_as_that_which_is_trained_on(count: int, size: int) -> None:
    assert last_batch(count, size) == len(list(minibatches(count, size, torch.Generator()))[-1])


NORMALISED = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3))


@pytest.mark.parametrize(("count", "size", "remedy"), [(129, 128, "batches of 127"), (9, 2, "batches of 3"), (1, 64, "take more images")])
def test_one_image_alone_is_told_where_the_network_cannot_take_it(count: int, size: int, remedy: str) -> None:
    state = {name: value.clone() for name, value in NORMALISED.state_dict().items()}
    with pytest.raises(
        SettingsError, match=f"classical/base: {count} training images in batches of {size} leave one image alone.*{remedy}"
    ):
        check_last_batch(NORMALISED, (1, 2, 2), count, size, "classical/base")
    assert all(torch.equal(value, state[name]) for name, value in NORMALISED.state_dict().items())


def test_networks_and_sizes_that_can_be_trained_pass() -> None:
    check_last_batch(NORMALISED, (1, 2, 2), 130, 128, "x")
    check_last_batch(nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3)), (1, 2, 2), 129, 128, "x")  # four values a channel
    check_last_batch(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), (1, 2, 2), 129, 128, "x")


def normalised(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes), nn.BatchNorm1d(classes))


@pytest.mark.parametrize(
    ("experiment", "override"),
    [
        ({"method": "classical"}, {"schedule.batch_size": 17}),
        ({"method": "baseline", "baseline": {"kind": "pruning"}}, {"schedule.batch_size": 17}),
        ({"method": "quantum_train"}, {"schedule.batch_size": 17, "photonics.circuits": "auto"}),
        ({"method": "quantum_train"}, {"schedule.phase_batch_size": 1, "photonics.circuits": "auto"}),
    ],
)
def test_every_method_tells_it_before_it_trains(experiment: dict, override: dict, tiny: Dataset) -> None:
    tree = {
        "dataset": {"name": "digits"},
        "network": {"name": "test_sizes:normalised"},
        "experiments": {"a": experiment | {"seeds": [0], "override": override}},
    }
    run = parse_study(tree).runs()[0]
    assert len(tiny.train) % 17 == 1
    with pytest.raises(SettingsError, match=r"test_sizes:normalised.* leave one image alone"):
        begin(run.settings, tiny, 0, torch.device("cpu"))

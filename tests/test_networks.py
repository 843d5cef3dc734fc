"""Target networks: the published ones, and any importable module."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightweights.networks import TargetCNN, build_network, parameter_count
from lightweights.settings.base import SettingsError
from lightweights.settings.network import NetworkSection


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", ["cnn", "cnn-relu"])
def test_published_networks_have_6690_parameters(name: str) -> None:
    assert parameter_count(NetworkSection(name=name), (1, 28, 28), 10) == 6690


def test_parameters_come_in_the_order_and_shapes_of_the_notebooks() -> None:
    shapes = [tuple(value.shape) for value in TargetCNN((1, 28, 28), 10).state_dict().values()]
    assert shapes == [(8, 1, 5, 5), (8,), (12, 8, 5, 5), (12,), (20, 192), (20,), (10, 20), (10,)]


@pytest.mark.parametrize("relu", [False, True])
def test_networks_compute_what_is_published(relu: bool, generator: torch.Generator) -> None:
    """The notebooks' network: two max-pools and no activation; the slides': an average pool second, and a ReLU."""
    network = TargetCNN((1, 28, 28), 10, relu=relu).double()
    images = torch.rand(6, 1, 28, 28, generator=generator, dtype=torch.float64)
    conv1, bias1, conv2, bias2, dense1, b1, dense2, b2 = network.state_dict().values()
    pooled = F.conv2d(images, conv1, bias1).unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2))
    windows = F.conv2d(pooled, conv2, bias2).unfold(2, 2, 2).unfold(3, 2, 2)
    hidden = (windows.mean((-1, -2)) if relu else windows.amax((-1, -2))).reshape(6, 192) @ dense1.T + b1
    logits = (hidden.clamp(min=0) if relu else hidden) @ dense2.T + b2
    torch.testing.assert_close(network(images), logits, atol=1e-12, rtol=1e-10)


def test_networks_fit_other_images() -> None:
    colour = TargetCNN((3, 32, 32), 10)
    assert colour(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert count(colour) == 3 * 8 * 25 + 8 + 8 * 12 * 25 + 12 + 300 * 20 + 20 + 200 + 10


def test_images_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16x16 pixels, got 28x15"):
        TargetCNN((1, 28, 15), 10)
    with pytest.raises(SettingsError, match="at least 16x16"):
        build_network(NetworkSection(), (1, 8, 8), 10)


def test_seed_decides_initial_weights_and_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, again, other = (build_network(NetworkSection(), (1, 16, 16), 3, seed).state_dict()["0.weight"] for seed in (4, 4, 5))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_arguments_of_a_network_that_takes_none_are_refused_with_the_remedy() -> None:
    section = NetworkSection(name="cnn", arguments={"hidden": 10})
    with pytest.raises(SettingsError, match=r"network.arguments = \{'hidden': 10\}: network.name = 'cnn' takes none; a network"):
        build_network(section, (1, 8, 8), 10)


def test_any_importable_factory_is_called_with_shape_classes_and_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_network.py").write_text(
        "from torch import nn\n"
        "def small(input_shape, classes, *, width):\n"
        "    channels, height, columns = input_shape\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * columns, width), nn.Linear(width, classes))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = NetworkSection(name="imported_network:small", arguments={"width": 7})
    assert parameter_count(settings, (2, 3, 4), 5) == 24 * 7 + 7 + 7 * 5 + 5


def test_only_weights_that_need_a_gradient_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frozen_network.py").write_text(
        "from torch import nn\n"
        "def half(input_shape, classes):\n"
        "    return nn.Sequential(nn.Linear(4, 3).requires_grad_(False), nn.Linear(3, 2))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert parameter_count(NetworkSection(name="frozen_network:half"), (1, 28, 28), 10) == 8

"""Dictionary convolutions, teacher and students: explicit sums, published counts, and use in any network."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lightweights.networks import dictionary
from lightweights.networks.dictionary import DictionaryConv2d, compress_convolutions, dictionary_layers, expand_convolutions, set_feature
from lightweights.networks.teacher import COMPRESSED, Teacher, build_student, matched_widths, seeded_teacher, trained_counts

GREY = (1, 28, 28)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def layer_with_feature(**arguments) -> DictionaryConv2d:
    layer = DictionaryConv2d(6, 4, 3, rank=5, feature_size=16, generator=seeded(), **arguments)
    if layer.mixing_kind == "generated":
        layer.set_feature(torch.randn(16, generator=seeded(1)))
    return layer


def explicit_kernels(layer: DictionaryConv2d, mixing: torch.Tensor) -> torch.Tensor:
    """W[o, i] = sum over r of M[o, i, r] B[r], written out."""
    out_channels, in_channels, rank = mixing.shape
    kernels = torch.zeros(out_channels, in_channels, *layer.basis.shape[1:])
    for o in range(out_channels):
        for i in range(in_channels):
            for r in range(rank):
                kernels[o, i] += mixing[o, i, r] * layer.basis[r]
    return kernels


@pytest.mark.parametrize("mixing", ["generated", "trained", "latent"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": 1, "bias": False},
        {"stride": 2, "padding": "valid"},
        {"padding": (2, 0), "dilation": 2},
        {"groups": 2, "padding": "same"},
    ],
)
def test_the_convolution_is_the_explicit_sum(mixing: str, arguments: dict) -> None:
    layer = layer_with_feature(mixing=mixing, **arguments)
    mixed = layer.mixed(layer.latent) if mixing == "latent" else layer.mixing
    assert mixed.shape == (4, 6 // arguments.get("groups", 1), 5)
    images = torch.randn(2, 6, 9, 9, generator=seeded(2))
    geometry = {key: value for key, value in arguments.items() if key != "bias"}
    wanted = F.conv2d(images, explicit_kernels(layer, mixed), layer.bias, **geometry)
    assert wanted.abs().max() > 0.1
    torch.testing.assert_close(layer(images), wanted, atol=1e-5, rtol=1e-5)


def test_the_mixing_tensor_is_a_fixed_gaussian_matrix_times_the_feature() -> None:
    layer = DictionaryConv2d(32, 64, 3, rank=4, feature_size=64, generator=seeded())
    units = torch.eye(64)
    matrix = torch.stack([layer.mixed(unit).flatten() for unit in units], 1)
    assert matrix.shape == (32 * 64 * 4, 64)
    assert float(matrix.var()) == pytest.approx(1 / 64, rel=0.02)
    assert abs(float(matrix.mean())) < 5 / (64 * matrix.numel()) ** 0.5
    assert abs(float(torch.corrcoef(matrix.T).fill_diagonal_(0).abs().max())) < 0.06
    feature = torch.randn(64, generator=seeded(1))
    torch.testing.assert_close(layer.mixed(feature).flatten(), matrix @ feature, atol=1e-5, rtol=1e-5)


def test_rows_beyond_one_piece_are_drawn_in_order_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_with_feature()
    whole = torch.cat(list(layer.projection()))
    monkeypatch.setattr(dictionary, "PIECE_ROWS", 32)  # pieces of a whole number of 16 draws leave torch's sequence as it is
    again = layer_with_feature()
    assert len(list(again.projection())) == 4
    torch.testing.assert_close(torch.cat(list(again.projection())), whole)
    assert len(whole.unique(dim=0)) == len(whole) == 4 * 6 * 5


def test_a_matrix_drawn_anew_each_time_is_the_kept_one(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = layer_with_feature()
    monkeypatch.setattr(dictionary, "KEPT_NUMBERS", 0)
    drawn = layer_with_feature()
    assert kept._pieces
    assert not drawn._pieces
    assert kept.mixing.abs().min() > 0
    assert torch.equal(drawn.mixing, kept.mixing)


def test_initial_basis_and_bias_have_the_stated_spread() -> None:
    layer = DictionaryConv2d(8, 1000, 5, rank=400, feature_size=1, generator=seeded())
    assert float(layer.basis.detach().var()) == pytest.approx(1 / (400 * 25), rel=0.05)
    assert float(layer.bias.detach().abs().max()) == pytest.approx((8 * 25) ** -0.5, rel=0.01)


def test_only_basis_and_bias_are_trained_where_the_mixing_is_generated() -> None:
    layer = layer_with_feature()
    assert {name for name, _ in layer.named_parameters()} == {"basis", "bias"}
    layer(torch.randn(2, 6, 5, 5)).square().sum().backward()
    assert layer.basis.grad.abs().min() > 0
    assert layer.mixing.grad is None


def test_a_latent_is_trained_through_the_fixed_matrix() -> None:
    layer = layer_with_feature(mixing="latent")
    images = torch.randn(2, 6, 5, 5, generator=seeded(3))
    layer(images).square().sum().backward()
    matrix = torch.cat(list(layer.projection())) / 4
    latent = layer.latent.detach().clone().requires_grad_()
    F.conv2d(images, explicit_kernels(layer, (matrix @ latent).view(4, 6, 5)), layer.bias).square().sum().backward()
    torch.testing.assert_close(layer.latent.grad, latent.grad, atol=1e-4, rtol=1e-4)


def test_a_feature_of_zero_leaves_nothing_but_the_bias() -> None:
    layer = DictionaryConv2d(6, 4, 3, rank=5, feature_size=16, generator=seeded())
    found = layer(torch.randn(2, 6, 5, 5))
    assert torch.equal(found, layer.bias.view(1, 4, 1, 1).expand_as(found))


def test_a_stored_layer_is_small_and_generates_the_same_kernels() -> None:
    layer = layer_with_feature()
    state = copy.deepcopy(layer.state_dict())
    assert sum(value.numel() for value in state.values()) == 5 * 9 + 4 + 16 + 1
    other = DictionaryConv2d(6, 4, 3, rank=5, feature_size=16, generator=seeded(9))
    other.set_feature(torch.ones(16))
    assert not torch.equal(other.weight(), layer.weight())
    other.load_state_dict(state)
    assert torch.equal(other.weight(), layer.weight())


def test_double_precision_and_mixed_precision_follow_single_precision() -> None:
    layer, images = layer_with_feature(), torch.randn(2, 6, 8, 8, generator=seeded(4))
    double = copy.deepcopy(layer).double()
    torch.testing.assert_close(double(images.double()).float(), layer(images), atol=1e-5, rtol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer.weight().dtype == torch.float32
        torch.testing.assert_close(layer(images).float(), layer(images.float()).float(), atol=0.1, rtol=0.1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"groups": 4}, "do not split into 4 groups"),
        ({"rank": 0}, "rank 0"),
        ({"mixing": "learned"}, "expected generated, trained or latent"),
    ],
)
def test_impossible_layers_are_refused(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DictionaryConv2d(6, 4, 3, generator=seeded(), **arguments)


def test_a_feature_of_another_length_or_for_a_trained_mixing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"takes \(16,\)"):
        layer_with_feature().set_feature(torch.zeros(512))
    with pytest.raises(ValueError, match="trained"):
        layer_with_feature(mixing="trained").set_feature(torch.zeros(16))


# In any network


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 6, (3, 1), groups=2, bias=False))
        self.head = nn.Linear(6, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images).mean((2, 3)))


def test_named_convolutions_of_any_network_are_replaced() -> None:
    network = Nested()
    before = copy.deepcopy(network.state_dict())
    smaller = compress_convolutions(network, ["features.0", "features.2"], rank=2, feature_size=8, generator=seeded())
    assert len(dictionary_layers(smaller)) == 2
    assert torch.equal(smaller.features[0].bias, network.features[0].bias)
    assert smaller.features[2].bias is None
    images = torch.randn(2, 3, 8, 8)
    assert smaller.features(images).shape == network.features(images).shape
    flat = smaller(images)
    set_feature(smaller, torch.randn(8, generator=seeded(1)))
    assert not torch.equal(smaller(images), flat)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_name_that_is_no_convolution_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'head' is no zero-padded Conv2d.*features\.0, features\.2"):
        compress_convolutions(Nested(), ["head"], generator=seeded())


@pytest.mark.parametrize("mixing", ["generated", "latent"])
def test_expanded_convolutions_do_what_the_compressed_ones_do(mixing: str) -> None:
    smaller = compress_convolutions(Nested(), ["features.0", "features.2"], 2, feature_size=8, mixing=mixing, generator=seeded())
    set_feature(smaller, torch.randn(8, generator=seeded(1)))
    plain, images = expand_convolutions(smaller), torch.randn(2, 3, 8, 8, generator=seeded(2))
    assert not dictionary_layers(plain)
    assert len(dictionary_layers(smaller)) == 2
    torch.testing.assert_close(plain(images), smaller(images))
    Nested().load_state_dict(plain.state_dict())


# Teacher and students


def test_the_default_teacher_has_the_published_number_of_parameters() -> None:
    assert trained_counts(Teacher(GREY, 10))["all"] == 224_394
    assert trained_counts(Teacher(GREY, 10, (32, 64, 128)))["all"] == 94_474


def test_the_partial_student_is_one_and_a_half_times_smaller() -> None:
    student = trained_counts(build_student(GREY, 10, "partial", generator=seeded()), theta=30)
    assert student["all"] == (8 * 25 + 64) + (8 * 9 + 128) + (128 * 128 * 9 + 128) + 1290
    assert student["all_with_theta"] == student["all"] + 30
    assert round(224_394 / student["all_with_theta"], 1) == 1.5


@pytest.mark.parametrize(("widths", "ratio"), [((32, 64, 64), 105.3), ((64, 128, 128), 321.5), ((32, 64, 128), 155.8)])
def test_extreme_compression_of_the_convolutional_part(widths: tuple[int, int, int], ratio: float) -> None:
    teacher = trained_counts(Teacher(GREY, 10, widths))["convolutions"]
    student = trained_counts(build_student(GREY, 10, "extreme", 8, widths, generator=seeded()), theta=30)["convolutions_with_theta"]
    assert teacher / student == pytest.approx(ratio, abs=0.06)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 16, 17), (1, 4, 4)])
def test_teacher_and_students_take_all_data_sets(shape: tuple[int, int, int]) -> None:
    images = torch.rand(3, *shape)
    for compressed in COMPRESSED:
        network = build_student(shape, 7, compressed, 2, (3, 4, 5), feature_size=8, generator=seeded())
        assert len(dictionary_layers(network)) == len(COMPRESSED[compressed])
        assert network(images).shape == (3, 7)


def test_the_teacher_is_its_layers_one_after_the_other() -> None:
    network = seeded_teacher(GREY, 10, (3, 4, 5), generator=seeded()).eval()
    images = torch.rand(2, *GREY)
    after = F.max_pool2d(F.relu(F.conv2d(images, network.conv1.weight, network.conv1.bias, padding=2)), 2)
    after = F.max_pool2d(F.relu(F.conv2d(after, network.conv2.weight, network.conv2.bias, padding=1)), 2)
    after = F.relu(F.conv2d(after, network.conv3.weight, network.conv3.bias, padding=1))
    torch.testing.assert_close(network(images), F.linear(after.mean((2, 3)), network.linear.weight, network.linear.bias))
    network.train()
    assert not torch.equal(network(images), network(images))


def test_students_of_one_seed_share_the_initial_values_of_what_they_have_in_common() -> None:
    before = torch.get_rng_state()
    partial, extreme, trained, other = (
        build_student(GREY, 10, compressed, 4, (3, 4, 5), feature_size=8, mixing=mixing, generator=seeded(seed))
        for compressed, mixing, seed in [
            ("partial", "generated", 0),
            ("extreme", "generated", 0),
            ("partial", "trained", 0),
            ("partial", "generated", 1),
        ]
    )
    assert torch.equal(torch.get_rng_state(), before)
    for name in ("conv1.basis", "conv2.basis", "conv1.bias", "linear.weight"):
        value = partial.get_parameter(name)
        assert torch.equal(extreme.get_parameter(name), value)
        assert torch.equal(trained.get_parameter(name), value)
        assert not torch.equal(other.get_parameter(name), value)
    assert not torch.equal(partial.conv1.basis[:, :3, :3], partial.conv2.basis)


@pytest.mark.parametrize("count", [149_368, 1824, 5000])
def test_a_plain_network_of_matched_size_is_close(count: int) -> None:
    widths = matched_widths(count, GREY, 10)
    assert trained_counts(Teacher(GREY, 10, widths))["all"] == pytest.approx(count, rel=0.01)


def test_impossible_teachers_and_students_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4x4 pixels, got 3x8"):
        Teacher((1, 3, 8), 10)
    with pytest.raises(ValueError, match="three numbers of channels"):
        Teacher(GREY, 10, (8, 0, 8))
    with pytest.raises(ValueError, match="none, conv1, partial, extreme"):
        build_student(GREY, 10, "all", generator=seeded())

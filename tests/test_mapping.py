"""The mapping and the outer product: against site-by-site contraction, the explicit product, and published counts."""

import math
import subprocess
import sys

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.func import functional_call

from lightweights.mapping import MPS, MPSMapping, outer_product

PARAMETERS = ("cores", "bias_left", "bias_right", "output")


def mapping_of(weights: int, bond_dim: int, seed: int, bits: int | None = None, init_std: float = 0.3) -> MPSMapping:
    return MPS(bond_dim, init_std, bits).build(weights, torch.Generator().manual_seed(seed)).double()


def probabilities_of(weights: int, seed: int) -> torch.Tensor:
    return 2 * torch.rand(weights, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow(mapping: MPSMapping, probabilities: torch.Tensor) -> torch.Tensor:
    return reference.site_by_site(*(getattr(mapping, name) for name in PARAMETERS), probabilities)


# The matrix product state


@pytest.mark.whole
@given(st.integers(1, 200), st.integers(1, 5), st.none() | st.integers(8, 10), st.integers(0, 2**32))
def test_weights_and_gradients_are_those_of_site_by_site_contraction(weights: int, bond_dim: int, bits: int | None, seed: int) -> None:
    mapping = mapping_of(weights, bond_dim, seed, bits)
    probabilities = probabilities_of(weights, seed + 1).requires_grad_()
    fast, truth = mapping(probabilities), slow(mapping, probabilities)
    scale = max(float(truth.detach().abs().max()), 1.0)
    torch.testing.assert_close(fast, truth, atol=1e-9 * scale, rtol=1e-9)
    into = [*mapping.parameters(), probabilities]
    direction = torch.rand(weights, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found, expected = (torch.autograd.grad(w @ direction, into) for w in (fast, truth))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-9 * max(float(theirs.abs().max()), 1.0), rtol=1e-9)


@pytest.mark.parametrize(("bond_dim", "directions"), [(1, 15), (2, 52)])
def test_directions_that_move_the_weights_are_fewer_than_the_numbers(bond_dim: int, directions: int) -> None:
    """What docs/ablation.md tells of the mapping: the rank of the weights' Jacobian, and bond_dim^2 fewer without probabilities."""
    mapping = mapping_of(6690, bond_dim, 1)
    names, values = zip(*((name, value.detach()) for name, value in mapping.named_parameters()), strict=True)
    for probabilities, fewer in ((probabilities_of(6690, 2), 0), (torch.ones(6690, dtype=torch.float64), bond_dim**2)):
        weights = lambda *given: functional_call(mapping, dict(zip(names, given, strict=True)), (probabilities,))  # noqa: B023, E731
        parts = torch.func.jacfwd(weights, tuple(range(len(values))))(*values)
        jacobian = torch.cat([part.flatten(1) for part in parts], 1)
        assert jacobian.shape[1] == 31 * bond_dim**2
        assert torch.linalg.matrix_rank(jacobian, rtol=1e-9) == directions - fewer


@pytest.mark.parametrize("weights", [1, 2, 127, 128, 129])
def test_the_fewest_bits_that_tell_all_weights_apart_are_used(weights: int) -> None:
    mapping = mapping_of(weights, 2, 0)
    assert mapping.bits == max(1, (weights - 1).bit_length())
    assert len(mapping.cores) == mapping.bits + 1


def test_single_precision_agrees_with_double() -> None:
    mapping = mapping_of(6690, 4, 0, init_std=0.1)
    probabilities = probabilities_of(6690, 1)
    double = mapping(probabilities)
    single = mapping.float()(probabilities.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, atol=5e-6 * float(double.detach().abs().max()), rtol=0)


@pytest.mark.parametrize(("bond_dim", "published"), list(enumerate([223, 316, 471, 688, 967, 1308, 1711, 2176, 2703, 3292], start=1)))
def test_parameters_are_counted_as_published(bond_dim: int, published: int) -> None:
    mapping = MPS(bond_dim).build(6690, torch.Generator())
    count = sum(p.numel() for p in mapping.parameters())
    assert count == 31 * bond_dim**2 == published - 192


@pytest.mark.parametrize("bond_dim", [1, 4, 10])
def test_near_identity_start_gives_weights_of_exactly_zero(bond_dim: int, generator: torch.Generator) -> None:
    mapping = MPS(bond_dim, init_std=1e-9).build(6690, generator)
    assert all(p.dtype == torch.float32 for p in mapping.parameters())
    assert mapping.cores.abs().max() > 0
    weights = mapping(torch.rand(6690, generator=generator))
    assert torch.equal(weights, torch.zeros(6690))


def test_initial_values_are_identity_plus_noise_of_the_given_spread(generator: torch.Generator) -> None:
    mapping = MPS(20, 0.01).build(6690, generator)
    eye = torch.eye(20)
    for values in (mapping.cores, mapping.bias_left - eye, mapping.bias_right - eye, mapping.output - eye):
        values = values.detach()
        assert float(values.mean()) == pytest.approx(0, abs=2e-3)
        assert float(values.std()) == pytest.approx(0.01, rel=0.15)


def test_coefficients_do_not_depend_on_probabilities_and_give_the_same_weights() -> None:
    mapping = mapping_of(75, 3, 0)
    coefficients = mapping.coefficients()
    assert coefficients.shape == (2, 75)
    for seed in (1, 2):
        probabilities = probabilities_of(75, seed)
        assert torch.equal(mapping.weights(coefficients, probabilities), mapping(probabilities))


def test_weights_are_centred() -> None:
    assert float(mapping_of(77, 3, 0)(probabilities_of(77, 1)).detach().sum()) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("settings", "weights"), [(MPS(0), 10), (MPS(-2), 10), (MPS(2, bits=3), 10), (MPS(2, bits=-4), 10), (MPS(2), 0), (MPS(2), -1)]
)
def test_impossible_mappings_are_refused(settings: MPS, weights: int) -> None:
    with pytest.raises(ValueError, match="need bond_dim >= 1 and bits >="):
        settings.build(weights, torch.Generator())


@pytest.mark.slow
def test_hundred_million_weights_fit_into_8_gib() -> None:
    program = (
        "import resource, torch\n"
        "from lightweights.mapping import MPS\n"
        "torch.set_num_threads(1)\n"
        "m = 10**8\n"
        "with torch.no_grad():\n"
        "    weights = MPS(4, 0.1).build(m, torch.Generator().manual_seed(0))(torch.rand(m))\n"
        "print(len(weights), int(weights.isfinite().all()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    count, finite, kib = map(int, done.stdout.split())
    assert (count, finite) == (10**8, 1)
    assert kib < 8 * 2**20


# The outer product


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.data())
def test_outer_product_is_the_explicit_one(lengths: list[int], data: st.DataObject) -> None:
    draws = torch.Generator().manual_seed(data.draw(st.integers(0, 2**32)))
    factors = [torch.rand(length, generator=draws, dtype=torch.float64) for length in lengths]
    count = data.draw(st.integers(1, math.prod(lengths)))
    torch.testing.assert_close(outer_product(factors, count), reference.outer_product(factors, count), atol=0, rtol=1e-15)


def test_first_circuit_is_the_slow_one(generator: torch.Generator) -> None:
    slow_, fast = torch.rand(3, generator=generator), torch.rand(2, generator=generator)
    first, second, third, fourth = outer_product([slow_, fast], 4)
    assert (first, second, third, fourth) == (slow_[0] * fast[0], slow_[0] * fast[1], slow_[1] * fast[0], slow_[1] * fast[1])


@pytest.mark.parametrize("lengths", [(10**5, 10**5), (3, 10**5, 10**5), (10**5, 10**5, 10**5)])
@pytest.mark.parametrize("count", [1000, 250_000])
def test_outer_product_builds_nothing_that_is_cut_off(lengths: tuple[int, ...], count: int) -> None:
    """The whole product would take at least 40 GB."""
    factors = [torch.rand(length, generator=torch.Generator().manual_seed(k)).requires_grad_() for k, length in enumerate(lengths)]
    sizes: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
        cut = outer_product(factors, count)
    assert len(cut) == count
    last, places = count - 1, []
    for length in reversed(lengths):
        last, place = divmod(last, length)
        places.insert(0, place)
    with torch.no_grad():
        assert float(cut[-1]) == pytest.approx(math.prod(float(f[p]) for f, p in zip(factors, places, strict=True)), rel=1e-5)
    cut.sum().backward()
    assert max(sizes) <= max(count, *lengths)


def test_gradients_of_the_outer_product() -> None:
    factors = [torch.rand(n, generator=torch.Generator().manual_seed(n), dtype=torch.float64).requires_grad_() for n in (3, 2, 4)]
    assert torch.autograd.gradcheck(lambda *f: outer_product(list(f), 15), factors)


def test_more_entries_than_the_product_has_are_refused() -> None:
    with pytest.raises(ValueError, match="13 entries asked of an outer product of 12"):
        outer_product([torch.ones(3), torch.ones(4)], 13)

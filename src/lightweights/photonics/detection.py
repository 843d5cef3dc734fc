"""What detectors see of photons of which some interfere and some walk alone.

Input mode j sends k_j photons in a common wave packet, which interfere with each other, and d_j photons each in a wave packet of its
own, with probability e_j[k_j, d_j], independently of the other input modes. A kernel here is made once for the tables e_j, and called
with the columns of the unitary at those input modes (batch, M, J); it works in double precision.

- :class:`ResolvedOutcomes`: exactly one photon in each of N modes and none elsewhere. The k photons give |perm(U[S', k])|^2 / k! on the
  modes S', the d photons perm(|U|^2[S - S', d]) on the rest; both are summed over all ways to divide S and N. Only positive terms.
- :class:`Clicks`: threshold detectors click in exactly the modes S, however many photons each sees. With Q(T) the probability that no
  photon is outside T, P(S) = sum over T in S of (-1)^|S-T| Q(T). Photons of input k stay inside T with probability perm(G[k, k]) / k!,
  where G = U_T^+ U_T, and these are the Taylor coefficients of 1 / det(1 - Z G) (MacMahon's master theorem): a recursion over real
  principal minors of G, and these are sums of |minors of U|^2 (Cauchy and Binet). A photon of its own stays inside T with
  probability G_jj.
"""

import math
from itertools import combinations, product

import torch
from jaxtyping import Complex, Float, Num
from torch import Tensor, nn

from lightweights.photonics import fock

LARGEST_TABLE = 40_000_000
"""Most numbers in one table or one kind of intermediate results (for one vector of phases) of these kernels: 320 MB."""

Emission = Float[Tensor, "common alone"]
"""Probability of (photons in the common wave packet, photons each in its own) from one input mode; float64."""


def multi_indices(most: list[int], total: int) -> list[tuple[int, ...]]:
    """All ways to take ``total`` photons, at most ``most[j]`` of input j, in lexicographic order."""
    return [k for k in product(*(range(limit + 1) for limit in most)) if sum(k) == total]


class _Growth(nn.Module):
    """Permanents (or, ``signed``, determinants) of all matrices[S, k]: S distinct modes, k columns with repetition.

    Grown photon by photon as in :func:`lightweights.photonics.fock.coefficients`, here for many k at once.
    """

    def __init__(self, modes: int, most: list[int], photons: int, signed: bool = False) -> None:
        super().__init__()
        self.largest = min(photons, sum(most))
        tables = fock.growth(modes, photons, False)
        before_it = {(0,) * len(most): 0}
        for size in range(1, self.largest + 1):
            grown = multi_indices(most, size)
            newest = [max(j for j, count in enumerate(k) if count) for k in grown]
            parents = [before_it[(*k[:j], k[j] - 1, *k[j + 1 :])] for k, j in zip(grown, newest, strict=True)]
            before_it = {k: position for position, k in enumerate(grown)}
            last, before = tables[size - 2] if size > 1 else (torch.arange(modes)[:, None], torch.zeros(modes, 1, dtype=torch.int64))
            signs = [(-1.0) ** (size - 1 - i) if signed else 1.0 for i in range(size)]
            self._buffer("newest", size, torch.tensor(newest))
            self._buffer("parents", size, torch.tensor(parents))
            self._buffer("last", size, last)
            self._buffer("before", size, before)
            self._buffer("signs", size, torch.tensor(signs, dtype=torch.float64)[:, None, None])

    def _buffer(self, name: str, size: int, values: Tensor) -> None:
        self.register_buffer(f"_{name}{size}", values, persistent=False)

    def forward(self, columns: Num[Tensor, "modes inputs batch"]) -> list[Num[Tensor, "outcomes indices batch"]]:
        """By number of photons from 0 on: rows as ``fock.outcomes``, columns as :func:`multi_indices`."""
        levels = [torch.ones(1, 1, columns.shape[-1], dtype=columns.dtype, device=columns.device)]
        for size in range(1, self.largest + 1):
            newest, parents, last, before, signs = (
                self.get_buffer(f"_{name}{size}") for name in ("newest", "parents", "last", "before", "signs")
            )
            arriving = columns.index_select(1, newest).index_select(0, last.flatten()).unflatten(0, tuple(last.shape))
            present = levels[-1].index_select(1, parents).index_select(0, before.flatten()).unflatten(0, tuple(before.shape))
            levels.append((signs * arriving * present).sum(1))
        return levels


class ResolvedOutcomes(nn.Module):
    """Joint probabilities (batch, C(M, N)) that number-resolving detectors see one photon in each of N modes and no other photon."""

    def __init__(self, modes: int, photons: int, emissions: list[Emission]) -> None:
        super().__init__()
        common = [len(table) - 1 for table in emissions]
        alone = [table.shape[1] - 1 for table in emissions]
        self.photons = photons
        _refuse_large(
            modes, photons, math.comb(modes, photons) * math.comb(photons, photons // 2) * len(multi_indices(common, photons // 2))
        )
        self._amplitudes = _Growth(modes, common, photons)
        self._walks = _Growth(modes, alone, photons)
        for size in range(photons + 1):
            together, apart = multi_indices(common, size), multi_indices(alone, photons - size)
            weights = [
                [math.prod(float(e[i, j]) / math.factorial(i) for e, i, j in zip(emissions, k, d, strict=True)) for d in apart]
                for k in together
            ]
            self.register_buffer(
                f"_weights{size}", torch.tensor(weights, dtype=torch.float64).view(len(together), len(apart)), persistent=False
            )
            inside, outside = _divisions(modes, photons, size)
            self.register_buffer(f"_inside{size}", inside, persistent=False)
            self.register_buffer(f"_outside{size}", outside, persistent=False)

    def forward(self, columns: Complex[Tensor, "batch modes inputs"]) -> Float[Tensor, "batch outcomes"]:
        """Probabilities in the order of ``fock.outcomes`` without bunching."""
        columns = columns.permute(1, 2, 0)
        amplitudes = self._amplitudes(columns)
        walks = self._walks(columns.real.square() + columns.imag.square())
        total = torch.zeros((), dtype=torch.float64, device=columns.device)
        for size in range(self.photons + 1):
            weights = self.get_buffer(f"_weights{size}")
            if not weights.numel():
                continue
            interfering = amplitudes[size].real.square() + amplitudes[size].imag.square()
            walking = weights @ walks[self.photons - size]
            inside, outside = self.get_buffer(f"_inside{size}"), self.get_buffer(f"_outside{size}")
            pairs = interfering.index_select(0, inside.flatten()) * walking.index_select(0, outside.flatten())
            total = total + pairs.unflatten(0, tuple(inside.shape)).sum((1, 2))
        return total.T


class Clicks(nn.Module):
    """Joint probabilities (batch, C(M, N)) of the clicks of threshold detectors in exactly N modes, and that of N clicks or more."""

    def __init__(self, modes: int, photons: int, emissions: list[Emission]) -> None:
        super().__init__()
        most = [len(table) - 1 for table in emissions]
        subsets = [subset for size in range(photons + 1) for subset in combinations(range(modes), size)]
        _refuse_large(modes, photons, len(subsets) * max(math.comb(modes, photons), math.prod(2 * limit + 1 for limit in most)))
        inputs = [j for j, limit in enumerate(most) if limit]
        self.register_buffer("_interfering", torch.tensor(inputs, dtype=torch.int64), persistent=False)
        self._minors = _Growth(modes, [1] * len(inputs), photons, signed=True)
        # Row T, column S: whether S lies in T; signed, and seen from S, the inclusion and exclusion of the clicks.
        members = torch.tensor([[mode in subset for mode in range(modes)] for subset in subsets])
        begin = [0, *torch.tensor([math.comb(modes, size) for size in range(photons + 1)]).cumsum(0).tolist()]
        for size in range(1, self._minors.largest + 1):
            inside = ~(members[None, begin[size] : begin[size + 1]] & ~members[:, None]).any(-1)
            self.register_buffer(f"_within{size}", inside.double(), persistent=False)
        self.register_buffer("_members", members.double(), persistent=False)
        sizes = members.sum(1)
        parity = 1 - 2 * ((photons - sizes) % 2)
        inside = ~(members[None] & ~members[begin[photons] :, None]).any(-1)
        self.register_buffer("_exclusion", (inside * parity).double(), persistent=False)
        # sum over sets S of fewer than N modes, S around T, of (-1)^|S-T|
        below = [
            (-1) ** (left := photons - 1 - size) * math.comb(modes - size - 1, left) if size < photons else 0 for size in sizes.tolist()
        ]
        self.register_buffer("_below", torch.tensor(below, dtype=torch.float64), persistent=False)
        self._set_recursion([most[j] for j in inputs])
        self._grid = [limit + 1 for limit in most]
        for j, table in enumerate(emissions):
            self.register_buffer(f"_emission{j}", table, persistent=False)

    def _set_recursion(self, most: list[int]) -> None:
        """Tables of R[k] = sum over non-empty A in k of (-1)^(|A|+1) det(G[A, A]) R[k - A], level by level of |k|."""
        choices = [a for size in range(self._minors.largest + 1) for a in multi_indices([1] * len(most), size)]
        self.register_buffer("_minor_signs", torch.tensor([-((-1.0) ** sum(a)) for a in choices], dtype=torch.float64), persistent=False)
        known = {(0,) * len(most): 0}
        self._counts = []
        for total in range(1, sum(most) + 1):
            grown = multi_indices(most, total)
            terms = [
                (row, column, known[rest])
                for row, k in enumerate(grown)
                for column, a in enumerate(choices)
                if any(a) and min(rest := tuple(i - j for i, j in zip(k, a, strict=True))) >= 0
            ]
            known |= {k: len(known) + position for position, k in enumerate(grown)}
            self.register_buffer(f"_terms{total}", torch.tensor(terms).T.contiguous(), persistent=False)
            self._counts.append(len(grown))
        order = [known[k] for k in product(*(range(limit + 1) for limit in most))]
        self.register_buffer("_order", torch.tensor(order), persistent=False)

    def forward(self, columns: Complex[Tensor, "batch modes inputs"]) -> tuple[Float[Tensor, "batch outcomes"], Float[Tensor, " batch"]]:
        """Probabilities in the order of ``fock.outcomes`` without bunching, and of at least N clicks."""
        confined = self._confined(columns.permute(1, 2, 0))
        return (self.get_buffer("_exclusion") @ confined).T, 1 - self.get_buffer("_below") @ confined

    def _confined(self, columns: Complex[Tensor, "modes inputs batch"]) -> Float[Tensor, "subsets batch"]:
        """Q(T), the probability that no photon is outside T, for the sets T of at most N modes."""
        batch = columns.shape[-1]
        members = self.get_buffer("_members")
        single = columns.real.square() + columns.imag.square()
        alone = torch.einsum("tm,mjb->jtb", members, single).flatten(1)
        coefficients = self._interference(columns.index_select(1, self.get_buffer("_interfering")), alone.shape[-1])
        coefficients = coefficients.index_select(0, self.get_buffer("_order")).view(*self._grid, -1)
        for j in reversed(range(len(self._grid))):
            emission = self.get_buffer(f"_emission{j}")
            powers = torch.stack([alone[j] ** count for count in range(emission.shape[1])])
            coefficients = (coefficients * (emission @ powers)).sum(-2)
        return coefficients.view(-1, batch)

    def _interference(self, columns: Complex[Tensor, "modes inputs batch"], width: int) -> Float[Tensor, "indices subsets_batch"]:
        """perm(G[k, k]) / k! for all k and T."""
        levels = self._minors(columns)
        minors = [torch.ones(1, width, dtype=torch.float64, device=columns.device)]
        for size, level in enumerate(levels[1:], start=1):
            squared = level.real.square() + level.imag.square()
            minors.append(torch.einsum("ts,sab->atb", self.get_buffer(f"_within{size}"), squared).flatten(1))
        signed = self.get_buffer("_minor_signs")[:, None] * torch.cat(minors)
        known = minors[0]
        for total, count in enumerate(self._counts, start=1):
            rows, chosen, rests = self.get_buffer(f"_terms{total}")
            terms = signed.index_select(0, chosen) * known.index_select(0, rests)
            known = torch.cat([known, terms.new_zeros(count, width).index_add(0, rows, terms)])
        return known


def _divisions(modes: int, photons: int, size: int) -> tuple[Tensor, Tensor]:
    """Each outcome divided in all ways into ``size`` modes and the rest: (outcomes, ways) positions of the two parts."""
    position = [{s: k for k, s in enumerate(combinations(range(modes), count))} for count in (size, photons - size)]
    places = list(combinations(range(photons), size))
    outcomes = list(combinations(range(modes), photons))
    inside = [[position[0][tuple(s[i] for i in chosen)] for chosen in places] for s in outcomes]
    outside = [[position[1][tuple(s[i] for i in range(photons) if i not in chosen)] for chosen in places] for s in outcomes]
    return torch.tensor(inside), torch.tensor(outside)


def _refuse_large(modes: int, photons: int, numbers: int) -> None:
    if numbers > LARGEST_TABLE:
        raise ValueError(
            f"noisy probabilities of {photons} photons in {modes} modes need tables of {numbers:,} numbers; at most {LARGEST_TABLE:,} are "
            "possible: use fewer modes or photons"
        )

"""Dictionary convolutions: kernels mixed from a few trained basis filters by coefficients that are generated, not trained.

arXiv 2603.14898: W[o, i] = sum over r of M[o, i, r] B[r]. The basis B (rank x k x k) and the bias are trained; the mixing tensor is
vec(M) = A z, from a feature vector z of d numbers through a fixed matrix A with entries N(0, 1/d).
"""

import copy
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from lightweights.settings.distillation import MixingKind

KEPT_NUMBERS = 2**28
"""Largest matrix A, in numbers, that a layer keeps (1 GiB). Larger ones are drawn anew from their seed, piece by piece, for each z."""

PIECE_ROWS = 4096


class DictionaryConv2d(nn.Module):
    """A convolution whose kernels are mixed from ``rank`` basis filters. Arguments as those of ``torch.nn.Conv2d``.

    ``mixing``: ``generated``, M = A z, with z given by :meth:`set_feature` (zero at first); ``trained``, M itself is trained, from N(0, 1)
    initial values; ``latent``, z is trained by gradients, a linear hypernetwork. ``generator`` decides the basis, N(0, 1/(rank k^2)),
    the bias, as torch's, and the seed of A. A is no part of the state: it follows from its seed, which is.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        rank: int = 8,
        stride: int | tuple[int, int] = 1,
        padding: int | str | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        feature_size: int = 512,
        mixing: MixingKind = "generated",
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{in_channels} and {out_channels} channels do not split into {groups} groups")
        if rank < 1 or feature_size < 1:
            raise ValueError(f"rank {rank} and feature size {feature_size} must be at least 1")
        if mixing not in ("generated", "trained", "latent"):
            raise ValueError(f"mixing {mixing!r}: expected generated, trained or latent")
        height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.shape = (out_channels, in_channels // groups, rank)
        self.mixing_kind, self.feature_size = mixing, feature_size
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        size = height * width
        self.basis = nn.Parameter(torch.randn(rank, height, width, generator=generator) / (rank * size) ** 0.5)
        bound = (in_channels // groups * size) ** -0.5
        self.bias = nn.Parameter((2 * torch.rand(out_channels, generator=generator) - 1) * bound) if bias else None
        self.register_buffer("seed", torch.randint(2**62, (), generator=generator))
        self._pieces: list[Tensor] = []
        mixed = torch.zeros(self.shape)
        if mixing == "trained":
            self.mixing = nn.Parameter(torch.randn(self.shape, generator=generator))
        elif mixing == "latent":
            self.latent = nn.Parameter(torch.randn(feature_size, generator=generator))
        else:
            self.register_buffer("feature", torch.zeros(feature_size))
            self.register_buffer("mixing", mixed, persistent=False)

    @property
    def rows(self) -> int:
        """Rows of A: the numbers of the mixing tensor."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    def projection(self) -> Iterator[Float[Tensor, "rows feature"]]:
        """A sqrt(d), entries N(0, 1), in pieces of rows on the basis' device: kept after the first use if small enough."""
        if self._pieces and self._pieces[0].device == self.basis.device:
            yield from self._pieces
            return
        keep, self._pieces = self.rows * self.feature_size <= KEPT_NUMBERS, []
        draws = torch.Generator().manual_seed(int(self.get_buffer("seed")))
        for start in range(0, self.rows, PIECE_ROWS):
            # Drawn on the CPU whatever the device, so that a seed means the same matrix everywhere.
            drawn = torch.randn(min(PIECE_ROWS, self.rows - start), self.feature_size, generator=draws).to(self.basis.device)
            if keep:
                self._pieces.append(drawn)
            yield drawn

    def mixed(self, feature: Float[Tensor, " feature"]) -> Float[Tensor, "out in rank"]:
        """The mixing tensor that a feature generates."""
        if feature.shape != (self.feature_size,):
            raise ValueError(f"a feature of shape {tuple(feature.shape)}: this layer takes ({self.feature_size},)")
        feature = feature.to(self.basis.device, torch.float32)
        projected = torch.cat([piece @ feature for piece in self.projection()]) / self.feature_size**0.5
        return projected.to(self.basis.dtype).view(self.shape)

    @torch.no_grad()
    def set_feature(self, feature: Float[Tensor, " feature"]) -> None:
        """Generate the mixing tensor from a feature, to be used until the next one is set."""
        if self.mixing_kind != "generated":
            raise ValueError(f"the mixing of this layer is {self.mixing_kind}: it takes no feature")
        self.mixing.copy_(self.mixed(feature))
        self.get_buffer("feature").copy_(feature)

    def weight(self) -> Float[Tensor, "out in height width"]:
        """The kernels W = M B."""
        with torch.autocast(self.basis.device.type, enabled=False):  # sums over all channels: too long for bfloat16's gradients
            mixing = self.mixed(self.latent) if self.mixing_kind == "latent" else self.mixing
            kernels = mixing.flatten(0, 1) @ self.basis.flatten(1)
        return kernels.view(*self.shape[:2], *self.basis.shape[1:])

    def forward(self, images: Float[Tensor, "n in height width"]) -> Float[Tensor, "n out rows columns"]:
        """The convolution with the mixed kernels."""
        return F.conv2d(images, self.weight(), self.bias, self.stride, self.padding, self.dilation, self.groups)

    def _load_from_state_dict(self, state_dict, prefix, *args) -> None:
        """What torch calls for each module: the mixing tensor follows from the feature and the seed, so it is made again."""
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._pieces = []
        if self.mixing_kind == "generated":
            self.set_feature(self.get_buffer("feature"))

    def extra_repr(self) -> str:
        """Channels, kernel, rank and kind of mixing."""
        out_channels, in_channels, rank = self.shape
        size = "x".join(str(side) for side in self.basis.shape[1:])
        return f"{in_channels * self.groups}, {out_channels}, {size}, rank={rank}, mixing={self.mixing_kind}"


def dictionary_layers(module: nn.Module) -> list[DictionaryConv2d]:
    """All dictionary convolutions in a module, in the order of ``modules()``."""
    return [layer for layer in module.modules() if isinstance(layer, DictionaryConv2d)]


def set_feature(module: nn.Module, feature: Float[Tensor, " feature"]) -> None:
    """Set the feature of every dictionary convolution that takes one."""
    for layer in dictionary_layers(module):
        if layer.mixing_kind == "generated":
            layer.set_feature(feature)


@torch.no_grad()
def expand_convolutions(module: nn.Module) -> nn.Module:
    """A copy of a module with its dictionary convolutions replaced by plain ones that hold the mixed kernels."""
    module = copy.deepcopy(module)
    for name, layer in list(module.named_modules()):
        if not isinstance(layer, DictionaryConv2d):
            continue
        weight, bias = layer.weight(), layer.bias
        plain = nn.Conv2d(
            weight.shape[1] * layer.groups,
            weight.shape[0],
            tuple(weight.shape[2:]),  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            layer.dilation,  # type: ignore[arg-type]
            layer.groups,
            bias is not None,
            device=weight.device,
            dtype=weight.dtype,
        )
        plain.weight.copy_(weight)
        if bias is not None and plain.bias is not None:
            plain.bias.copy_(bias)
        parent, _, last = name.rpartition(".")
        setattr(module.get_submodule(parent), last, plain)
    return module


def compress_convolutions(
    module: nn.Module,
    names: Sequence[str],
    rank: int = 8,
    *,
    feature_size: int = 512,
    mixing: MixingKind = "generated",
    generator: torch.Generator,
) -> nn.Module:
    """A copy of any module with the named ``Conv2d`` layers replaced by dictionary convolutions of fresh initial values; their biases
    and all else stay. Raises ValueError for a name that is no such layer.
    """
    module = copy.deepcopy(module)
    for name in names:
        layer = dict(module.named_modules()).get(name)
        if type(layer) is not nn.Conv2d or layer.padding_mode != "zeros":
            known = [n for n, m in module.named_modules() if type(m) is nn.Conv2d and m.padding_mode == "zeros"]
            raise ValueError(f"{name!r} is no zero-padded Conv2d of this module; there are {', '.join(known) or 'none'}")
        replaced = DictionaryConv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,  # type: ignore[arg-type]
            rank,
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            layer.dilation,  # type: ignore[arg-type]
            layer.groups,
            layer.bias is not None,
            feature_size=feature_size,
            mixing=mixing,
            generator=generator,
        ).to(layer.weight.device, layer.weight.dtype)
        if layer.bias is not None and replaced.bias is not None:
            replaced.bias.data.copy_(layer.bias.data)
        parent, _, last = name.rpartition(".")
        setattr(module.get_submodule(parent), last, replaced)
    return module

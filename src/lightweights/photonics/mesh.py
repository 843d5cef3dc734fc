"""Interferometer meshes: from phases to unitaries.

A mesh is a rectangle of crossings of neighbouring modes (Clements et al., Optica 3, 1460 (2016)). Layer ``l`` starts at mode ``l % 2``.
A crossing of modes (i, i+1) is, in Perceval's conventions,

- ``notebook`` and ``clements``: beam splitter BS.Rx(theta), then one phase shifter on each of the two modes: 3 phases;
- ``mzi``: BS, phase shifter on mode i, BS, phase shifter on mode i, both beam splitters 50:50: 2 phases.

``notebook`` has M-1 layers, as the published notebooks of arXiv 2505.08474; the others have M layers and are universal.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import torch
from jaxtyping import Complex, Float
from torch import Tensor

MeshKind = Literal["notebook", "clements", "mzi"]


@dataclass(frozen=True)
class Mesh:
    """A rectangular mesh on ``modes`` modes. Raises ValueError for an unknown kind."""

    kind: MeshKind
    modes: int

    def __post_init__(self) -> None:
        if self.kind not in get_args(MeshKind):
            raise ValueError(f"mesh {self.kind!r}: expected one of {', '.join(get_args(MeshKind))}")

    @property
    def depth(self) -> int:
        """Number of layers."""
        return self.modes - 1 if self.kind == "notebook" else self.modes

    @cached_property
    def crossings(self) -> list[tuple[int, int]]:
        """(layer, first mode) of each crossing, in the order in which light meets them."""
        return [(layer, i) for layer in range(self.depth) for i in range(layer % 2, self.modes - 1, 2)]

    @property
    def phases_per_crossing(self) -> int:
        """Phases of one crossing, beam splitter and phase shifters together."""
        return 2 if self.kind == "mzi" else 3

    @property
    def phase_count(self) -> int:
        """Length of the phase vector. The notebooks count a full rectangle, 3 M (M-1) / 2, and leave the tail unused."""
        return self.phases_per_crossing * self.modes * (self.modes - 1) // 2

    @property
    def used_phase_count(self) -> int:
        """Phases that enter the circuit."""
        return self.phases_per_crossing * len(self.crossings)

    @cached_property
    def layout(self) -> Tensor:
        """Where each entry of the layer matrices comes from: (depth, M, M) positions in the vector of :func:`crossing_entries`.

        Positions 0 and 1 hold the constants 0 and 1; then come the upper left, upper right, lower left and lower right
        entries of all crossings.
        """
        layout = torch.eye(self.modes, dtype=torch.int64).repeat(self.depth, 1, 1)
        for number, (layer, i) in enumerate(self.crossings):
            for quarter, (row, column) in enumerate([(i, i), (i, i + 1), (i + 1, i), (i + 1, i + 1)]):
                layout[layer, row, column] = 2 + quarter * len(self.crossings) + number
        return layout


def crossing_entries(mesh: Mesh, phases: Float[Tensor, "*batch phases"]) -> Complex[Tensor, "*batch entries"]:
    """The constants 0 and 1, then the entries of all 2x2 crossings, quarter by quarter."""
    per = mesh.phases_per_crossing
    first, *rest = phases[..., : mesh.used_phase_count].unflatten(-1, (-1, per)).unbind(-1)
    if mesh.kind == "mzi":
        inner, outer = (torch.complex(phase.cos(), phase.sin()) for phase in (first, rest[0]))
        diagonal, crossed = (inner - 1) / 2, 1j * (inner + 1) / 2
        quarters = [outer * diagonal, outer * crossed, crossed, -diagonal]
    else:
        upper, lower = (torch.complex(phase.cos(), phase.sin()) for phase in rest)
        kept, crossed = (first / 2).cos(), 1j * (first / 2).sin()
        quarters = [upper * kept, upper * crossed, lower * crossed, lower * kept]
    one = quarters[0][..., :1]
    return torch.cat([torch.zeros_like(one), torch.ones_like(one), *quarters], -1)


def input_columns(
    mesh: Mesh, layout: Tensor, phases: Float[Tensor, "*batch phases"], inputs: list[int]
) -> Complex[Tensor, "*batch modes inputs"]:
    """Columns of the mesh's unitary at the input modes, in the order given. ``layout`` is the mesh's, on the phases' device."""
    layers = crossing_entries(mesh, phases).index_select(-1, layout.flatten()).unflatten(-1, tuple(layout.shape))
    columns = torch.stack([layers[..., 0, :, mode] for mode in inputs], -1)
    for layer in range(1, mesh.depth):
        columns = layers[..., layer, :, :] @ columns
    return columns


def unitary(mesh: Mesh, phases: Float[Tensor, "*batch phases"]) -> Complex[Tensor, "*batch modes modes"]:
    """The mesh's whole unitary; column j is where a photon that enters mode j goes."""
    return input_columns(mesh, mesh.layout.to(phases.device), phases, list(range(mesh.modes)))

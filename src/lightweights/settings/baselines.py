"""What the method baseline trains."""

from typing import Annotated, Literal

from pydantic import Field

from lightweights.settings.base import Section

Width = Annotated[int, Field(ge=1, le=100_000)]


class WeightSharing(Section):
    kind: Literal["weight_sharing"]
    rows: int = Field(10, ge=1, le=100_000, description="Different rows of the largest linear layer; must divide its outputs.")


class Pruning(Section):
    kind: Literal["pruning"]
    ratio: float = Field(0.5, ge=0, lt=1, description="Share of filters and input columns pruned before training.")


class MagnitudePruning(Section):
    kind: Literal["magnitude_pruning"]
    parameters: int = Field(3292, ge=1, le=1_000_000_000, description="Parameters kept: the largest weights, and all biases.")
    dense_epochs: int = Field(25, ge=1, le=100_000, description="Epochs before pruning; the rest of the schedule trains what is kept.")


class LowRank(Section):
    kind: Literal["low_rank"]
    rank: int = Field(4, ge=1, le=10_000, description="Rank of each weight matrix; a layer that this would not make smaller stays dense.")


class TensorTrain(Section):
    kind: Literal["tensor_train"]
    rank: int = Field(6, ge=1, le=4096, description="Rank of the quantised tensor train that holds all weights.")


class Hypernetwork(Section):
    kind: Literal["hypernetwork"]
    widths: list[Width] = Field([19, 20], min_length=1, max_length=8, description="Hidden widths of the perceptron on the index bits.")


class GateQuantumTrain(Section):
    kind: Literal["gate_qt"]
    layers: int = Field(86, ge=1, le=10_000, description="Layers of rotations, each followed by a ladder of CNOTs.")
    widths: list[Width] = Field(
        [4, 20, 4], min_length=1, max_length=8, description="Hidden widths of the mapping on index bits and probability."
    )


class SmallCNN(Section):
    kind: Literal["small_cnn"]
    widths: tuple[Width, Width, Width] = Field((3, 6, 4), description="The student's channels of both convolutions, and hidden units.")
    temperature: float = Field(3.0, gt=0, le=1000, description="Temperature tau of the distillation.")
    label_share: float = Field(0.5, ge=0, le=1, description="Weight of the labels' cross-entropy; the teacher's answers have the rest.")


Baseline = Annotated[
    WeightSharing | Pruning | MagnitudePruning | LowRank | TensorTrain | Hypernetwork | GateQuantumTrain | SmallCNN,
    Field(discriminator="kind"),
]

"""From probabilities to weights."""

from typing import Literal

from pydantic import Field

from lightweights.settings.base import Grown


class MappingSection(Grown):
    later = ("kind",)

    bond_dim: int = Field(4, ge=1, le=4096, description="Bond dimension chi of the matrix product state.")
    init_std: float = Field(1e-9, ge=0, le=10, description="Standard deviation of the initial values around the identity.")
    kind: Literal["mps", "logit-tanh"] = Field(
        "mps",
        description="From probabilities to weights: mps; logit-tanh (MerLin's) has no parameters, and uses neither bond_dim nor init_std.",
    )

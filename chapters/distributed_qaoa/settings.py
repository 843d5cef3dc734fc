"""A run of this chapter: one random graph; all ways to cut it, at equal shots."""

from typing import Annotated, Literal

from pydantic import Field

from lightweights.settings.base import Section
from lightweights.settings.runs import RunSettings, Work


class MaxcutSection(Section):
    """The graph, and the processors that it is too large for."""

    nodes: int = Field(15, ge=4, le=2000, description="Nodes of the random graph.")
    degree: float = Field(4.0, gt=0, le=2000, description="Mean number of neighbours.")
    capacity: int = Field(6, ge=2, le=12, description="Qubits of the largest processor.")
    parts: list[Annotated[int, Field(ge=1, le=12)]] = Field(
        default_factory=list, max_length=12, description="Sizes of the parts; as few and as equal as the capacity allows unless given."
    )
    layers: int = Field(1, ge=1, le=20, description="Layers of QAOA.")
    shots: int = Field(128, ge=1, le=1_000_000, description="Shots of each mean value.")
    evaluations: int = Field(20, ge=1, le=10_000, description="Most mean values that the angles of a part are optimised by.")
    error_scale: float = Field(1.0, ge=0, le=50, description="Factor of the device's median errors.")


class MaxcutSchedule(Section):
    """How much is compared."""

    protocol: Literal["maxcut"] = "maxcut"
    rounds: int = Field(13, ge=1, le=13, description="How many of the ways to cut are compared, in their order.")


class MaxcutRun(RunSettings):
    """Ways to cut one graph."""

    version, schedules, trainer = 1, ("maxcut",), "chapters.distributed_qaoa.method"

    method: Literal["maxcut"]
    maxcut: MaxcutSection
    schedule: MaxcutSchedule

    def work(self) -> Work:
        """Parts times mean values."""
        return Work("maxcut", self.maxcut.nodes / self.maxcut.capacity * self.maxcut.evaluations * self.schedule.rounds / 1e4)

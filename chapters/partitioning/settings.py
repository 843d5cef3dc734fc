"""A run of this chapter: one circuit, cut over several numbers of processors, in every way or by one."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lightweights.settings.base import Grown, Section
from lightweights.settings.runs import RunSettings, Work


class CuttingSection(Grown):
    """The circuit, and how it is cut."""

    later: ClassVar[tuple[str, ...]] = ("ways", "processors")

    family: Literal["qft", "qaoa", "quantum_volume", "cp_fraction"] = Field("qft", description="Kind of circuit.")
    qubits: int = Field(16, ge=4, le=256, description="Qubits of the circuit.")
    fraction: float = Field(0.5, ge=0, le=1, description="For cp_fraction: probability that a qubit is in a controlled phase.")
    ways: Literal["all", "random_starts"] = Field("all", description="All ways to cut, or the search from random starts alone.")
    processors: list[Annotated[int, Field(ge=2, le=64)]] = Field(
        default_factory=lambda: [2, 4], min_length=1, max_length=16, description="Over how many processors it is cut, one after the other."
    )


class CuttingSchedule(Section):
    """How much is compared."""

    protocol: Literal["cutting"] = "cutting"
    rounds: int = Field(6, ge=1, le=6, description="How many of the ways to cut are compared, in their order.")


class CuttingRun(RunSettings):
    """Ways to cut one circuit."""

    version, schedules, trainer = 1, ("cutting",), "chapters.partitioning.method"

    method: Literal["cutting"]
    cutting: CuttingSection
    schedule: CuttingSchedule

    def work(self) -> Work:
        """Gates times qubits, as layers grow with them."""
        return Work("cutting", self.cutting.qubits**3 / 1e6)

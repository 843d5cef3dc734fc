"""A run of this chapter: many attempts of one instance with one optimiser on one kind of device."""

from typing import Literal

from pydantic import Field

from lightweights.settings.base import Section
from lightweights.settings.runs import RunSettings, Work


class BenchmarkSection(Section):
    """The instance, the algorithm and the device."""

    qubits: int = Field(5, ge=3, le=6, description="Which of the published instances.")
    layers: int = Field(3, ge=1, le=100, description="Layers of QAOA; the published curves are here for 1, 3 and 5.")
    optimiser: Literal["powell", "scipy"] = Field("powell", description="COBYLA by Powell, as published, or SciPy's new one.")
    shots: int = Field(1024, ge=1, le=10_000_000, description="Shots of each energy, and of the last histogram.")
    layer_error: float = Field(0.0, ge=0, lt=1, description="Probability that a layer leaves nothing but uniform outcomes.")
    readout_error: float = Field(0.0, ge=0, le=0.5, description="Probability that a bit is read wrongly.")


class AttemptsSchedule(Section):
    """How often it is tried."""

    protocol: Literal["attempts"] = "attempts"
    rounds: int = Field(340, ge=1, le=100_000, description="Attempts: each starts from its own random angles.")


class HamiltoniqRun(RunSettings):
    """Attempts of the benchmark."""

    version, schedules, trainer = 1, ("attempts",), "chapters.hamiltoniq.method"

    method: Literal["hamiltoniq"]
    benchmark: BenchmarkSection
    schedule: AttemptsSchedule

    def work(self) -> Work:
        """SciPy's optimiser takes seven times as long as Powell's; an attempt grows with its layers."""
        each = {"powell": 1.0, "scipy": 7.0}[self.benchmark.optimiser]
        return Work("hamiltoniq", each * self.schedule.rounds * (1 + self.benchmark.layers) / 1e5)

"""Settings of the chapter's kind of run: a forecaster, how its series is cut, and how it is trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from lightweights.settings.base import Section
from lightweights.settings.runs import RunSettings, Work

Cell = Literal["qubits", "photons", "lstm", "generated-lstm", "linear", "persistence"]
USES: dict[str, tuple[str, ...]] = {
    "qubits": ("shape", "layers", "entangled", "frozen"),
    "photons": ("shape", "distinguishable"),
    "lstm": ("hidden",),
    "generated-lstm": ("hidden", "bond_dim"),
    "linear": (),
    "persistence": (),
}
"""Settings that each forecaster has besides its name."""

SECONDS = {"qubits": 0.2, "photons": 0.3, "lstm": 0.03, "generated-lstm": 0.12, "linear": 0.01, "persistence": 0.01}
"""Of one core for an epoch."""
_SECONDS_PER_MILLION = 20.0
"""At which the engine takes work whose rate it does not know."""


class ForecasterSection(Section):
    """What foretells the next value of a series from the last four."""

    cell: Cell = Field("qubits", description="LSTM cell of qubit or photonic circuits, torch's LSTM, one of generated weights, or none.")
    shape: str = Field("1x4", pattern=r"^[1-9]x[2-9]$", description="Segments x qubits (or photons) of each circuit, for example 2x3.")
    layers: int = Field(2, ge=1, le=100, description="Layers of CNOTs and rotations of qubit circuits.")
    entangled: bool = Field(True, description="Whether qubit circuits have their CNOTs.")
    frozen: bool = Field(False, description="Qubit circuits keep random angles, and the linear layer behind them alone is trained.")
    distinguishable: bool = Field(False, description="Photons that do not interfere.")
    hidden: int = Field(5, ge=1, le=1000, description="Units of torch's LSTM.")
    bond_dim: int = Field(2, ge=1, le=64, description="Bond dimension of the mapping that generates an LSTM's weights.")

    @model_validator(mode="after")
    def _nothing_idle(self) -> Self:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name != "cell" and name not in USES[self.cell] and value != field.default:
                raise ValueError(f"{name} = {value!r} does nothing in a forecaster of {self.cell}; remove it")
        return self

    @property
    def segments(self) -> int:
        """Of each circuit."""
        return int(self.shape.partition("x")[0])

    @property
    def width(self) -> int:
        """Qubits, or photons, of a segment."""
        return int(self.shape.partition("x")[2])


class WindowsSection(Section):
    """How a series is scaled and cut."""

    protocol: Literal["published", "fair"] = Field(
        "fair",
        description="published: scaled as a whole, no validation; fair: scaled on the training part, the best validation epoch kept.",
    )


class ForecastSchedule(Section):
    """RMSprop (alpha 0.99, eps 1e-8) on the mean squared error, as in the code of this line of work."""

    protocol: Literal["forecast"] = "forecast"
    epochs: int = Field(100, ge=1, le=100_000, description="Epochs.")
    lr: float = Field(0.01, gt=0, le=10, description="Learning rate.")
    batch_size: int = Field(10, ge=1, le=100_000, description="Windows in a minibatch.")


class ForecastRun(RunSettings):
    """A forecaster, trained on a series."""

    version, schedules, trainer = 1, ("forecast",), "chapters.distributed_qlstm.method"

    method: Literal["forecast"]
    forecaster: ForecasterSection
    windows: WindowsSection
    schedule: ForecastSchedule

    @model_validator(mode="after")
    def _one_epoch_without_steps(self) -> Self:
        if not USES[self.forecaster.cell] and self.schedule.epochs != 1:
            raise ValueError(
                f"a forecaster of {self.forecaster.cell} takes no steps: set schedule.epochs to 1 (it is {self.schedule.epochs})"
            )
        return self

    def work(self) -> Work:
        """Epochs of a cell on some hundred and fifty windows."""
        cell = self.forecaster.cell
        return Work(f"forecast_{cell}", self.schedule.epochs * SECONDS[cell] / _SECONDS_PER_MILLION)

"""Teachers, students, the photonic feature, and the images that they see."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lightweights.settings.base import Grown, Section

SourceName = Literal[
    "photonic",
    "photonic-frozen",
    "distinguishable",
    "distinguishable-frozen",
    "coherent",
    "one-photon",
    "zero",
    "uniform",
    "gaussian-fixed",
    "gaussian-matched",
    "gaussian-resampled",
]
"""Where a distilled student's features come from."""
TUNED_SOURCES: tuple[SourceName, ...] = ("photonic", "distinguishable", "coherent", "one-photon")
"""Those whose angles are tuned."""


MixingKind = Literal["generated", "trained", "latent"]


Channels = Annotated[int, Field(ge=1, le=4096)]


class TimeBinSection(Section):
    """The time-bin interferometer that gives distilled students their features."""

    modes: int = Field(16, ge=2, le=24, multiple_of=2, description="Time bins N, an even number: the feature has 2 * 2^(N/2) numbers.")
    tiles: int = Field(2, ge=1, le=32, description="Loops, each of N - 1 beam splitters with an angle each.")
    input_state: list[Annotated[int, Field(ge=0, le=24)]] | None = Field(
        None, description="Photon numbers, one a time bin; 1, 0, 1, 0, ... unless set."
    )
    half_angle: bool = Field(False, description="Beam splitters turn by half their angle.")
    theta_start: Literal["zero", "uniform"] = Field("zero", description="Angles at the start: all 0, or uniform in [-pi, pi).")

    @model_validator(mode="after")
    def _photons_in_bins(self) -> Self:
        state = self.input_state
        if state is not None and (len(state) != self.modes or not 1 <= sum(state) <= 16):
            raise ValueError(f"input_state {state}: expected {self.modes} photon numbers, 1 to 16 photons together")
        return self


class FeatureSection(Section):
    """The photonic feature, or what a control puts in its place."""

    source: SourceName = Field("photonic", description="Where features come from (docs/pqkd.md).")
    shots: Annotated[int, Field(ge=1, le=10_000_000)] | Literal["exact"] = Field(
        200, description="Shots S of a feature; exact is their expectation, without shot noise."
    )
    standardised: bool = Field(True, description="By each bin's mean and deviation, fitted once; else raw frequencies.")
    fit_draws: int = Field(256, ge=2, le=1_000_000, description="Random settings of the angles that the standardisation is fitted at.")
    fit_shots: int | None = Field(
        None, ge=1, le=10_000_000, description="Shots at each of these settings; as many as a feature's unless set."
    )


class TeacherSection(Section):
    """A teacher's network: three convolutions, global average pooling, one linear layer."""

    widths: tuple[Channels, Channels, Channels] = Field((64, 128, 128), description="Channels c1, c2, c3 of the convolutions.")
    dropout: float = Field(0.25, ge=0, lt=1, description="Share of the last convolution's outputs dropped in training.")


class StudentSection(Grown):
    """A student's network: the teacher's, with dictionary convolutions."""

    later = ("latent",)

    compressed: Literal["none", "conv1", "partial", "extreme"] = Field(
        "partial", description="Convolutions with a dictionary: none, the first, the first two, all three."
    )
    rank: int = Field(8, ge=1, le=4096, description="Basis filters R of a dictionary.")
    mixing: MixingKind = Field(
        "generated", description="How basis filters are mixed: by a generated feature, by trained numbers, by a trained latent vector."
    )
    latent: int = Field(512, ge=1, le=65_536, description="Numbers in each layer's latent vector, for mixing latent.")
    widths: tuple[Channels, Channels, Channels] | None = Field(None, description="Channels of the convolutions; the teacher's unless set.")

    @model_validator(mode="after")
    def _latent_in_use(self) -> Self:
        if self.says("latent") and self.mixing != "latent":
            raise ValueError(f"latent is {self.latent}, but mixing is {self.mixing}; remove it, or set mixing to latent")
        return self

    @property
    def takes_feature(self) -> bool:
        """Whether anything is generated from a feature."""
        return self.compressed != "none" and self.mixing == "generated"


class DistillationDataSection(Section):
    validation_images: int = Field(
        5000,
        ge=1,
        le=1_000_000,
        description="Images held out of training, at most a tenth: for validation, and for the angles.",
    )
    train_images: int | None = Field(None, ge=1, le=1_000_000, description="Images kept of the rest, chosen by the seed; all unless set.")

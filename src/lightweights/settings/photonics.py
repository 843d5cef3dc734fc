"""Circuits, arms, and the imperfections of the devices."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lightweights.settings.base import Grown, ImportedName, Section

ArmName = Literal[
    "photonic",
    "photonic-frozen",
    "mps-only",
    "product-free",
    "distinguishable",
    "distinguishable-matched",
    "classical-light",
    "classical-light-used",
    "gaussian-fixed",
    "gaussian-matched",
    "dirichlet-fixed",
    "gaussian-resampled",
    "paper-random",
    "photonic-unnormalised",
    "gaussian-unnormalised",
]
"""What may multiply the slope: light, and what light is compared with."""


class NoiseSection(Section):
    """Imperfections of the devices, by Perceval's names; as they stand here there are none."""

    brightness: float = Field(1.0, ge=0, le=1, description="Probability that a source emits in a clock cycle.")
    indistinguishability: float = Field(1.0, ge=0, le=1, description="Mean overlap of two photons (visibility of Hong, Ou and Mandel).")
    g2: float = Field(0.0, ge=0, le=1, description="Second-order correlation g2(0) of a source: how often it emits two photons.")
    g2_distinguishable: bool = Field(True, description="The second photon of a source interferes with nothing.")
    transmittance: float = Field(1.0, ge=0, le=1, description="Probability that a photon is not lost, from source to detector.")
    phase_imprecision: float = Field(0.0, ge=0, le=6.3, description="Step of the phases that phase shifters can be set to, radians.")
    phase_error: float = Field(0.0, ge=0, le=3.1415926, description="Largest random error of a phase, new at each evaluation, radians.")
    splitter_bias: float = Field(
        0.0,
        ge=-3.1415926,
        le=3.1415926,
        description="Angle added to that of every beam splitter, the same always, radians (not Perceval's).",
    )

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if self.brightness * self.g2 > 0.5:
            raise ValueError(f"no source has brightness {self.brightness} and g2 {self.g2}: their product is at most 0.5; lower either")
        return self


class PhotonicsSection(Grown):
    later = ("arm", "detectors", "post_selection", "staleness")

    circuits: Literal["auto"] | list[tuple[int, int]] = Field(
        [(9, 4), (8, 4)],
        description="[modes, photons] of each circuit, or auto: the two smallest half-filled circuits with enough outcomes.",
    )
    mesh: Literal["notebook", "clements", "mzi"] = Field(
        "notebook",
        description="Interferometer: notebook (M-1 layers of beam splitter and two phase shifters), clements (the same crossings, "
        "M layers, universal), mzi (M layers of Mach-Zehnder interferometers).",
    )
    input_state: Literal["spaced", "alternating", "first"] | list[list[int]] = Field(
        "spaced",
        description="Where the photons enter: spaced evenly, alternating 0101..., the first modes, or photon "
        "numbers mode by mode, one list a circuit.",
    )
    bunching: bool = Field(False, description="Keep outcomes with several photons in one mode.")
    normalisation: Literal["mean", "sum", "none"] = Field(
        "mean", description="Probabilities are divided by their mean, by their sum, or not at all."
    )
    arm: ArmName | ImportedName = Field(
        "photonic",
        description="What multiplies the mapping's slope: one of the arms of docs/ablation.md, or "
        "package.module:factory, called as factory(weight_count, factors, generator) (docs/own_arm.md).",
    )
    noise: NoiseSection | None = Field(None, description="Imperfections of the devices; none unless set (docs/noise.md).")
    detectors: Literal["threshold", "pnr"] = Field(
        "threshold", description="threshold detectors click or not; pnr count photons. With noise or a budget of cycles."
    )
    post_selection: Literal["exactly", "at_least"] = Field(
        "exactly", description="A clock cycle counts when exactly N modes click, or at least N photons are detected."
    )
    cycles: int | None = Field(
        None, ge=1, le=10**15, description="Clock cycles that each circuit runs for each evaluation; exact probabilities unless set."
    )

    staleness: int = Field(
        0, ge=0, le=1000, description="Rounds that the devices' probabilities come late in asynchronous training; 0 is at once."
    )

    backend: Literal["perceval", "perceval-remote", "merlin"] | None = Field(
        None, description="Who answers in place of our own numbers: Perceval here, a platform far away, or MerLin (docs/noise.md)."
    )
    platform: str | None = Field(
        None,
        pattern=r"^(quandela|scaleway):[A-Za-z0-9_:.-]{1,100}$",
        description="Platform of backend perceval-remote, provider:name; the token comes from the environment.",
    )
    shots: int | None = Field(
        None, ge=1, le=10**12, description="Detections that one evaluation of one circuit may cost on backend perceval-remote."
    )

    @property
    def imperfect(self) -> bool:
        """Whether probabilities are those of a device: with noise, with its detectors, or from counts."""
        return self.noise is not None or self.cycles is not None or self.says("detectors", "post_selection")

    @property
    def of_distinguishable_photons(self) -> bool:
        """Whether the arm's photons do not interfere."""
        return self.arm in ("distinguishable", "distinguishable-matched")

    @model_validator(mode="after")
    def _backend_that_answers(self) -> Self:
        remote = self.backend == "perceval-remote"
        for name in ("platform", "shots"):
            if (getattr(self, name) is not None) != remote:
                raise ValueError(f"{name} is {getattr(self, name)}, backend {self.backend}: perceval-remote needs it, no other has it")
        if self.backend is not None and (self.cycles is not None or self.bunching or self.of_distinguishable_photons):
            raise ValueError(f"backend {self.backend} has no cycles, bunching or arm distinguishable; remove them")
        if self.backend is not None and self.post_selection == "at_least":
            raise ValueError(f"backend {self.backend} counts cycles in which exactly N modes click; remove post_selection at_least")
        if self.backend == "merlin" and (self.noise is not None or self.says("detectors")):
            raise ValueError("backend merlin is exact: remove noise and detectors")
        if remote and (self.says("detectors") or (self.noise is not None and self.noise.splitter_bias)):
            raise ValueError(
                "backend perceval-remote has detectors and beam splitters of its own: remove detectors and noise.splitter_bias"
            )
        return self

    @model_validator(mode="after")
    def _device_that_exists(self) -> Self:
        if self.imperfect and (self.bunching or self.of_distinguishable_photons):
            other = "bunching" if self.bunching else f"arm {self.arm}"
            raise ValueError(f"{other} is for perfect devices; remove noise, detectors, post_selection and cycles")
        if self.noise is not None and self.noise.splitter_bias and self.mesh == "mzi":
            raise ValueError("noise.splitter_bias needs beam splitters whose angle is set; use mesh notebook or clements")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.circuits == "auto":
            if isinstance(self.input_state, list):
                raise ValueError("input_state must be named (spaced, alternating, first) when circuits is auto")
            return self
        if not 1 <= len(self.circuits) <= 8:
            raise ValueError(f"circuits has {len(self.circuits)} entries; 1 to 8 are possible")
        for modes, photons in self.circuits:
            if not 2 <= modes <= 32:
                raise ValueError(f"circuits: {modes} modes; 2 to 32 are possible")
            if photons < 1 or (photons > modes and not self.bunching):
                raise ValueError(f"circuits: {photons} photons in {modes} modes; 1 to {modes} are possible without bunching")
            if self.input_state == "alternating" and 2 * photons > modes:
                raise ValueError(f"input_state alternating: {photons} photons need at least {2 * photons} modes, there are {modes}")
            if self.input_state in ("spaced", "first") and photons > modes:
                raise ValueError(f"input_state {self.input_state}: {photons} photons need at least {photons} modes")
        if isinstance(self.input_state, list):
            sums = [(len(state), sum(state)) for state in self.input_state]
            if sums != list(self.circuits) or any(n < 0 for state in self.input_state for n in state):
                raise ValueError(f"input_state has [modes, photons] {sums}, circuits has {list(self.circuits)}")
        return self


class Regeneration(Section):
    """Devices that are to generate the weights anew after training: one with this noise, and others that differ from it in one setting."""

    noise: NoiseSection = Field(description="Noise of the device.")
    vary: dict[str, Annotated[list[float], Field(max_length=100)]] = Field(
        default_factory=dict, description="Settings of the noise, or cycles, that are varied one at a time: name to values."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name, values in self.vary.items():
            if name not in (*NoiseSection.model_fields, "cycles"):
                raise ValueError(f"vary.{name}: no such setting; there are {', '.join(NoiseSection.model_fields)}, cycles")
            if not values:
                raise ValueError(f"vary.{name} is empty; give at least one value")
        for name, values in self.vary.items():
            for value in values:
                if name == "cycles" and (value < 1 or value != int(value)):
                    raise ValueError(f"vary.cycles has {value}; expected whole numbers of clock cycles")
                if name != "cycles":
                    NoiseSection.model_validate(self.noise.model_dump() | {name: value})
        return self

    def devices(self) -> dict[str, PhotonicsSection]:
        """The devices by name: ``base``, then ``g2=0.1`` and so on. Only noise and cycles of the sections matter."""
        found = {"base": PhotonicsSection(noise=self.noise)}
        for name, values in self.vary.items():
            for value in values:
                if name == "cycles":
                    found[f"cycles={value:g}"] = PhotonicsSection(noise=self.noise, cycles=int(value))
                else:
                    noise = NoiseSection.model_validate(self.noise.model_dump() | {name: value})
                    found[f"{name}={value:g}"] = PhotonicsSection(noise=noise)
        return found
